package dispatch

import (
	"context"
	"errors"
	"reflect"
	"strings"
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

// TestManyNeedsAreBounded: what the client says of itself is a part of what is recorded of each of a thousand needs.
func TestManyNeedsAreBounded(t *testing.T) {
	for _, c := range []struct {
		agent, referer int
		refused        bool
	}{{300, 0, false}, {60 << 10, 0, true}, {0, 60 << 10, true}} {
		w := world{policies: allow(t, "*")}
		d := w.dispatcher(t, Observe)
		d.services["lambda"].operations["GetFunction"] = service.OpBy("GetFunction",
			func(ctx context.Context, c *service.Call, in *input) (many []service.Need, _ error) {
				out, err := target(ctx, c, in)
				for range 1000 {
					many = append(many, service.Need{Action: "lambda:GetFunction", Target: out, Partial: true})
				}
				return many, err
			}, w.handle)
		asked := call("GetFunction")
		asked.UserAgent, asked.Referer = strings.Repeat("x", c.agent), strings.Repeat("x", c.referer)
		_, err := d.Do(t.Context(), asked, &input{"f"})
		e, ok := errors.AsType[*awserr.Error](err)
		if refused := ok && e.Code == "RequestEntityTooLargeException"; refused != c.refused || err != nil && !refused || len(w.records) > 0 == refused {
			t.Errorf("%+v: got %v and %d records", c, err, len(w.records))
		}
	}
}
