package dispatch

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
)

// parts is an operation on several functions, some of which the caller may not touch, and what it was told of them.
type parts struct{ refused []bool }

func (p *parts) needs(_ context.Context, c *service.Call, in *input) ([]service.Need, error) {
	needs := []service.Need{{Action: "lambda:" + in.Name, Target: service.Target{ARN: "arn:aws:lambda:us-east-1:" + account + ":function:x"}}}
	for _, name := range []string{"a", "b"} {
		needs = append(needs, service.Need{
			Action: "lambda:DeleteFunction", Target: service.Target{ARN: "arn:aws:lambda:us-east-1:" + account + ":function:" + name}, Partial: true,
		})
	}
	return needs, nil
}

func (p *parts) handle(_ context.Context, c *service.Call, _ *input) (*output, error) {
	p.refused = nil
	for _, n := range c.Judged {
		p.refused = append(p.refused, n.Refused != nil)
	}
	return &output{}, nil
}

// TestParts: what is denied of a part refuses that part; what is denied of the whole, all. The record is of a denied call either way.
func TestParts(t *testing.T) {
	w, p := &world{}, &parts{}
	admit := func(_ context.Context, c *service.Call, _ *input) error { c.Account = account; return nil }
	for _, mode := range []Mode{Enforce, Observe} {
		api := &protocol.API{SigningName: "lambda", Operations: []protocol.Operation{{Name: "Delete", Input: reflect.TypeFor[input](), Output: reflect.TypeFor[output]()}}}
		d, err := New(Config{
			Services: []service.Service{{
				API: api, Denial: func(m string) error { return awserr.New("AccessDenied", 403, "%s", m) },
				Operations: []service.Operation{service.Public(service.OpBy("Delete", p.needs, p.handle), admit)},
			}},
			Policies: w, Organizations: w, Log: w, Mode: mode, Now: time.Now, Region: "us-east-1", Partition: "aws",
			KnownAction: func(string) bool { return true },
		})
		if err != nil {
			t.Fatal(err)
		}
		w.policies = identity(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:ListFunctions","Resource":"*"},`+
			`{"Effect":"Allow","Action":"lambda:DeleteFunction","Resource":"*:b"}]}`)
		answer, err := d.Do(t.Context(), call("Delete"), &input{Name: "ListFunctions"})
		want := []bool{false, mode == Enforce, false}
		if err != nil || !reflect.DeepEqual(p.refused, want) || !answer.Denied || w.records[len(w.records)-1].Allowed {
			t.Errorf("%s: got %v, %+v, %v, want %v", mode, p.refused, answer, err, want)
		}
		p.refused = nil
		_, err = d.Do(t.Context(), call("Delete"), &input{Name: "GetFunction"})
		if ran := p.refused != nil; (err == nil) != (mode == Observe) || ran != (mode == Observe) {
			t.Errorf("%s: of the whole: got %v, %v", mode, p.refused, err)
		}
		// Nobody in particular is judged like anybody, in the log of the account that the operation names.
		if !d.TakesUnsigned("lambda", "Delete") {
			t.Error("a public operation wants a signature")
		}
		anonymous := call("Delete")
		anonymous.Account, anonymous.Caller = "", principal.Caller{Principal: authz.Principal{Kind: authz.Anonymous}}
		w.policies = authz.Policies{}
		_, err = d.Do(t.Context(), anonymous, &input{Name: "ListFunctions"})
		if last := w.records[len(w.records)-1]; (err == nil) != (mode == Observe) || last.Allowed || last.Account != account {
			t.Errorf("%s: anonymous: got %+v, %v", mode, last, err)
		}
	}
}
