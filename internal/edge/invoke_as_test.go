package edge

import (
	"net/http"
	"testing"

	"github.com/licet/licet/internal/dispatch"
)

// Nobody but an account's root, by a signature of this very body, has anything called.
func TestInvokeAsIsForRoot(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	q := page(InvokeAsPage)
	q.method, q.body = http.MethodPost, "{}"
	for _, tt := range []struct {
		key  string
		want int
	}{{"NOBODY", 403}, {"USER", 403}, {"ROOT", 400}} { // the root is told what is missing
		if got := w.do(q.by(tt.key)); got.status != tt.want {
			t.Errorf("%s: got %d %s, want %d", tt.key, got.status, got.body, tt.want)
		}
	}
}
