package service

import (
	"context"
	"errors"
	"testing"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
)

type in struct{ token string }

// An unsigned operation learns who calls from its input, and words its own denials. The call that it was given stays as it was.
func TestUnsigned(t *testing.T) {
	bad, denied := errors.New("bad token"), errors.New("denied")
	identify := func(_ context.Context, c *Call, in *in) error {
		if in.token != "good" {
			return bad
		}
		c.Caller, c.Presented = principal.Caller{Principal: authz.Principal{Kind: authz.WebIdentity, ARN: "idp"}}, in.token
		return nil
	}
	more := func(context.Context, *Call, *in) ([]Need, error) { return []Need{{Action: "a:More"}}, nil }
	handle := func(_ context.Context, c *Call, _ *in) (*string, error) {
		text := c.Presented.(string)
		return &text, nil
	}
	op := Unsigned("Op", "a:Op", identify, func(action string) error { return errors.Join(denied, errors.New(action)) }, Any[in], handle, more)
	plain := Op("Op", "a:Op", Any[in], handle)
	if !op.TakesUnsigned() || plain.TakesUnsigned() {
		t.Error("which operation takes unsigned calls is not told")
	}
	call := &Call{Caller: principal.Caller{Principal: authz.Principal{Kind: authz.Anonymous}}}
	if _, err := op.Identify(t.Context(), call, &in{"x"}); !errors.Is(err, bad) {
		t.Errorf("bad token: got %v", err)
	}
	c, err := op.Identify(t.Context(), call, &in{"good"})
	if err != nil || c.Caller.Kind != authz.WebIdentity || call.Caller.Kind != authz.Anonymous || call.Presented != nil {
		t.Errorf("got %+v, %v; the call became %+v", c, err, call)
	}
	needs, err := op.Needs(t.Context(), c, &in{"good"})
	if err != nil || len(needs) != 2 {
		t.Fatalf("got %v, %v", needs, err)
	}
	for _, n := range needs {
		if !errors.Is(n.Denied(authz.Decision{}), denied) {
			t.Errorf("%s: got %v", n.Action, n.Denied(authz.Decision{}))
		}
	}
	if out, err := op.Handle(t.Context(), c, &in{"good"}); err != nil || *out.(*string) != "good" {
		t.Errorf("got %v, %v", out, err)
	}
	if same, err := plain.Identify(t.Context(), call, &in{}); err != nil || same != call {
		t.Errorf("signed operation: got %v, %v", same, err)
	}
}
