package execution

import (
	"sync/atomic"
	"testing"

	"github.com/licet/licet/internal/sandbox"
)

// TestTenantsHaveEnvironmentsOfTheirOwn: a tenant never meets what another one, or nobody's invocation, left behind.
func TestTenantsHaveEnvironmentsOfTheirOwn(t *testing.T) {
	var environments atomic.Int32
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		seen := ""
		environments.Add(1)
		return serve(func(_ *fakeProcess, payload string) string {
			seen += payload
			return seen
		})(p)
	})
	f := testFunction()
	for _, c := range []struct{ tenant, payload, want string }{
		{"blue", "1", "1"}, {"green", "2", "2"}, {"", "3", "3"}, {"blue", "4", "14"}, {"green", "5", "25"}, {"", "6", "36"},
	} {
		if got := string(b.invoke(f, Invocation{Tenant: c.tenant, Payload: []byte(c.payload), LogTail: true}).Payload); got != c.want {
			t.Errorf("tenant %q, event %s: got %s, want %s", c.tenant, c.payload, got, c.want)
		}
	}
	if got := environments.Load(); got != 3 {
		t.Errorf("%d environments were made, want 3", got)
	}
	b.Retire(f.ARN, "")
	if got := string(b.invoke(f, Invocation{Tenant: "blue", Payload: []byte("7")}).Payload); got != "7" {
		t.Errorf("after an update: got %s, want 7", got)
	}
}
