package dispatch

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

type input struct{ Name string }

type output struct{ Done bool }

// world is a dispatcher over one service, with a record of what happened.
type world struct {
	policies  authz.Policies
	policyErr error
	beginErr  error
	members   map[string]*organization.Member
	memberErr error
	records   []*audit.Record
	ran       int
}

func (w *world) Policies(context.Context, principal.Caller) (authz.Policies, error) {
	return w.policies, w.policyErr
}

func (w *world) Member(_ context.Context, account string) (*organization.Member, error) {
	return w.members[account], w.memberErr
}

func (w *world) Begin(ctx context.Context, rec *audit.Record) (context.Context, error) {
	if w.beginErr != nil {
		return nil, w.beginErr
	}
	w.records = append(w.records, rec)
	return ctx, nil
}

func (w *world) Fail(context.Context, audit.Failure) error { return nil }

func (w *world) handle(_ context.Context, c *service.Call, _ *input) (*output, error) {
	if len(w.records) == 0 {
		panic("an operation ran before its decision was recorded")
	}
	if last := w.records[len(w.records)-1]; len(c.Judged) != len(last.Decisions) || c.Judged[0].Action != last.Decisions[0].Request.Action {
		panic("an operation was not told what was judged")
	}
	w.ran++
	return &output{Done: true}, nil
}

const account = "111122223333"

func target(_ context.Context, _ *service.Call, in *input) (service.Target, error) {
	if in.Name == "" {
		return service.Target{}, awserr.New("ValidationException", 400, "name is missing")
	}
	return service.Target{ARN: "arn:aws:lambda:us-east-1:" + account + ":function:" + in.Name}, nil
}

// identify takes every name for the caller's, but one.
func identify(_ context.Context, c *service.Call, in *input) error {
	if in.Name == "nobody" {
		return awserr.New("InvalidIdentityToken", 400, "nobody")
	}
	c.Caller.ARN = in.Name
	return nil
}

func passRole(context.Context, *service.Call, *input) ([]service.Need, error) {
	return []service.Need{{Action: "iam:PassRole", Target: service.Target{ARN: "arn:aws:iam::" + account + ":role/r"}}}, nil
}

func (w *world) dispatcher(t testing.TB, mode Mode) *Dispatcher {
	t.Helper()
	api := &protocol.API{SigningName: "lambda"}
	for _, name := range []string{"GetFunction", "CreateFunction", "Strange", "WhoAmI", "Later", "Present"} {
		api.Operations = append(api.Operations, protocol.Operation{Name: name, Input: reflect.TypeFor[input](), Output: reflect.TypeFor[output]()})
	}
	d, err := New(Config{
		Services: []service.Service{{
			API: api,
			Operations: []service.Operation{
				service.Op("GetFunction", "lambda:GetFunction", target, w.handle),
				service.Op("CreateFunction", "lambda:CreateFunction", target, w.handle, passRole),
				service.Op("Strange", "lambda:NoSuchAction", target, w.handle),
				service.Exempt("WhoAmI", "sts:GetCallerIdentity", "always allowed", w.handle),
				service.Unsigned("Present", "lambda:GetFunction", identify, func(string) error { return errors.New("not you") }, target, w.handle),
			},
			Denial: func(m string) error { return awserr.New("AccessDeniedException", 403, "%s", m) },
		}},
		Policies: w, Organizations: w, Log: w, Mode: mode, Now: time.Now, Region: "us-east-1", Partition: "aws",
		KnownAction: func(a string) bool { return a != "lambda:NoSuchAction" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func call(operation string) *service.Call {
	return &service.Call{
		RequestID: "r-1", Time: time.Unix(1_700_000_000, 0), Account: account, Region: "us-east-1", Partition: "aws",
		Service: "lambda", Operation: operation,
		Caller: principal.Caller{Principal: authz.Principal{
			Kind: authz.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/dev", ID: "AIDAX",
		}, UserName: "dev"},
	}
}

func identity(t *testing.T, text string) authz.Policies {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return authz.Policies{Identity: []authz.Policy{{Name: "p", Document: d}}}
}

func allow(t *testing.T, action string) authz.Policies {
	t.Helper()
	return identity(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"`+action+`","Resource":"*"}]}`)
}

func TestDo(t *testing.T) {
	const denied = "User: arn:aws:iam::111122223333:user/dev is not authorized to perform: "
	for _, tt := range []struct {
		name      string
		operation string
		world     world
		mode      Mode
		input     input
		want      Answer
		wantErr   string
		wantRuns  int
		recorded  int
		caller    string // in the record; "" for the one that signed
	}{
		{
			name: "allowed", operation: "GetFunction", world: world{policies: allow(t, "lambda:GetFunction")}, input: input{"f"},
			want: Answer{Output: &output{true}, Decided: true}, wantRuns: 1, recorded: 1,
		}, {
			name: "denied", operation: "GetFunction", input: input{"f"}, recorded: 1,
			wantErr: "AccessDeniedException: " + denied + "lambda:GetFunction on resource: arn:aws:lambda:us-east-1:111122223333:function:f " +
				"because no identity-based policy allows the lambda:GetFunction action",
			want: Answer{Denied: true},
		}, {
			name: "second need denied", operation: "CreateFunction", world: world{policies: allow(t, "lambda:*")}, input: input{"f"}, recorded: 1,
			wantErr: "AccessDeniedException: " + denied + "iam:PassRole on resource: arn:aws:iam::111122223333:role/r " +
				"because no identity-based policy allows the iam:PassRole action",
			want: Answer{Denied: true},
		}, {
			name: "action that AWS does not have", operation: "Strange", world: world{policies: allow(t, "*")}, input: input{"f"}, recorded: 1,
			wantErr: "AccessDeniedException: " + denied + "lambda:NoSuchAction on resource: arn:aws:lambda:us-east-1:111122223333:function:f " +
				"because no identity-based policy allows the lambda:NoSuchAction action",
			want: Answer{Denied: true},
		}, {
			name: "exempt", operation: "WhoAmI", input: input{"f"}, want: Answer{Output: &output{true}, Decided: true}, wantRuns: 1, recorded: 1,
		}, {
			name: "observed", operation: "GetFunction", mode: Observe, input: input{"f"},
			want: Answer{Output: &output{true}, Decided: true, Denied: true, Observed: true}, wantRuns: 1, recorded: 1,
		}, {
			name: "presented", operation: "Present", world: world{policies: allow(t, "lambda:GetFunction")}, input: input{"f"},
			want: Answer{Output: &output{true}, Decided: true}, wantRuns: 1, recorded: 1, caller: "f",
		}, {
			name: "presented and denied", operation: "Present", input: input{"f"}, recorded: 1, wantErr: "not you", want: Answer{Denied: true}, caller: "f",
		}, {
			name: "nobody is presented", operation: "Present", world: world{policies: allow(t, "*")}, input: input{"nobody"},
			wantErr: "InvalidIdentityToken: nobody",
		}, {
			name: "malformed input", operation: "GetFunction", wantErr: "ValidationException: name is missing",
		}, {
			name: "not implemented", operation: "Later", world: world{policies: allow(t, "*")},
			wantErr: "NotImplemented: licet does not implement the operation Later of lambda.",
		}, {
			name: "policies cannot be read", operation: "GetFunction", world: world{policyErr: errors.New("disk")}, mode: Observe, input: input{"f"},
			wantErr: "InternalFailure: " + awserr.Internal(nil).Message + ": find the policies of arn:aws:iam::111122223333:user/dev: disk",
		}, {
			name: "organization cannot be read", operation: "GetFunction", mode: Observe, input: input{"f"},
			world:   world{policies: allow(t, "*"), memberErr: errors.New("disk")},
			wantErr: "InternalFailure: " + awserr.Internal(nil).Message + ": find the organization of account 111122223333: disk",
		}, {
			name: "decision cannot be recorded", operation: "GetFunction", mode: Observe, input: input{"f"},
			world:   world{policies: allow(t, "*"), beginErr: errors.New("full")},
			wantErr: "InternalFailure: " + awserr.Internal(nil).Message + ": record decision of r-1: full",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := tt.world
			got, err := w.dispatcher(t, tt.mode).Do(t.Context(), call(tt.operation), &tt.input)
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("answer: -got +want:\n%s", diff)
			}
			text := ""
			if err != nil {
				text = err.Error()
			}
			if text != tt.wantErr {
				t.Errorf("got error  %q\nwant error %q", text, tt.wantErr)
			}
			if w.ran != tt.wantRuns || len(w.records) != tt.recorded {
				t.Errorf("ran %d times with %d records, want %d and %d", w.ran, len(w.records), tt.wantRuns, tt.recorded)
			}
			if tt.caller != "" && len(w.records) == 1 && w.records[0].Caller.ARN != tt.caller {
				t.Errorf("recorded the caller %s, want %s", w.records[0].Caller.ARN, tt.caller)
			}
		})
	}
}

// The decision log keeps what was judged: what is larger than any resource with its tags is refused and leaves nothing behind.
func TestLargeNeedsAreRefused(t *testing.T) {
	long := strings.Repeat("x", maxNeed)
	for name, add := range map[string]func(*service.Target){
		"ARN":   func(t *service.Target) { t.ARN += long },
		"name":  func(t *service.Target) { t.Keys.Set("aws:RequestTag/"+long, "") },
		"value": func(t *service.Target) { t.Keys.Set("aws:RequestTag/a", long) },
		"list":  func(t *service.Target) { t.Keys.SetList("aws:TagKeys", long[:maxNeed/2], long[maxNeed/2:]) },
	} {
		w := world{policies: allow(t, "*")}
		d := w.dispatcher(t, Observe)
		d.services["lambda"].operations["GetFunction"] = service.Op("GetFunction", "lambda:GetFunction",
			func(ctx context.Context, c *service.Call, in *input) (service.Target, error) {
				out, err := target(ctx, c, in)
				add(&out)
				return out, err
			}, w.handle)
		_, err := d.Do(t.Context(), call("GetFunction"), &input{"f"})
		if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != "RequestEntityTooLargeException" || e.Status != 413 {
			t.Errorf("%s: got %v", name, err)
		}
		if w.ran != 0 || len(w.records) != 0 {
			t.Errorf("%s: ran %d operations and wrote %d records", name, w.ran, len(w.records))
		}
	}
}

func TestPermittedHasNoEffects(t *testing.T) {
	w := world{policies: allow(t, "lambda:GetFunction")}
	d := w.dispatcher(t, Enforce)
	for operation, want := range map[string]bool{"GetFunction": true, "CreateFunction": false} {
		got, err := d.Permitted(t.Context(), call(operation), &input{"f"})
		if err != nil || got != want {
			t.Errorf("Permitted(%s) = %v, %v, want %v", operation, got, err, want)
		}
	}
	if w.ran != 0 || len(w.records) != 0 {
		t.Errorf("Permitted ran %d operations and wrote %d records", w.ran, len(w.records))
	}
}

func TestNewRefusesAWrongTable(t *testing.T) {
	w := world{}
	row := service.Op("GetFunction", "lambda:GetFunction", target, w.handle)
	for name, rows := range map[string][]service.Operation{
		"unknown": {service.Op("NoSuch", "lambda:NoSuch", target, w.handle)},
		"twice":   {row, row},
	} {
		api := &protocol.API{SigningName: "lambda", Operations: []protocol.Operation{{Name: "GetFunction"}}}
		if _, err := New(Config{Services: []service.Service{{API: api, Operations: rows}}}); err == nil {
			t.Errorf("%s: New accepted the table", name)
		}
	}
}

func TestNewRefusesAServiceTwice(t *testing.T) {
	api := &protocol.API{SigningName: "lambda"}
	if _, err := New(Config{Services: []service.Service{{API: api}, {API: api}}}); err == nil {
		t.Error("New accepted it")
	}
}

// Calls of the server itself come from goroutines in which a panic would end the process.
func TestDoTurnsAPanicIntoAnError(t *testing.T) {
	w := world{policies: allow(t, "*")}
	d := w.dispatcher(t, Observe)
	for name, input := range map[string]any{"wrong input": &output{}, "no input": nil} {
		got, err := d.Do(t.Context(), call("GetFunction"), input)
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok || e.Code != "InternalFailure" || !errors.Is(err, ErrPanic) || got != (Answer{}) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	if w.ran != 0 {
		t.Errorf("ran %d operations", w.ran)
	}
}

// What a service does of its own accord is recorded with the reason, and asks no policy; whoever is let in by none is refused without it.
func TestExemptCallOfAService(t *testing.T) {
	for _, exempt := range []string{"", "a poller calls"} {
		var w world
		d := w.dispatcher(t, Enforce)
		c := call("GetFunction")
		c.Internal = &service.Internal{Exempt: exempt}
		answer, err := d.Do(t.Context(), c, &input{"f"})
		if ran := w.ran == 1; ran != (exempt != "") || ran != (err == nil) || answer.Denied == ran {
			t.Errorf("exempt %q: ran %t, %+v, %v", exempt, ran, answer, err)
		}
		if len(w.records) != 1 || w.records[0].Exempt != exempt {
			t.Errorf("exempt %q: recorded %+v", exempt, w.records)
		}
	}
}
