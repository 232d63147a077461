package dispatch

import (
	"slices"
	"testing"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/service"
)

// A recording lets through what its principals are denied in their own account, and nothing else.
func TestRecording(t *testing.T) {
	const role, other = "arn:aws:iam::" + account + ":role/r", "arn:aws:iam::" + account + ":role/other"
	session := func(c *service.Call, role string) *service.Call {
		c.Caller.Kind, c.Caller.IssuerARN = authz.AssumedRole, role
		return c
	}
	foreign := call("GetFunction")
	foreign.Caller.Account = "999999999999"
	vouched := call("GetFunction")
	vouched.Caller.Kind, vouched.Caller.Account = authz.Service, ""
	for _, tt := range []struct {
		name     string
		recorded string // role; "-" for none
		call     *service.Call
		want     bool
	}{
		{"nothing is recorded", "-", session(call("GetFunction"), role), false},
		{"the role", role, session(call("GetFunction"), role), true},
		{"the role, several needs", role, session(call("CreateFunction"), role), true},
		{"another role", role, session(call("GetFunction"), other), false},
		{"a user", role, call("GetFunction"), false},
		{"all", "", call("GetFunction"), true},
		{"all, a session", "", session(call("GetFunction"), role), true},
		{"all, of another account", "", foreign, false},
		{"all, a service", "", vouched, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{}
			d := w.dispatcher(t, Enforce)
			if tt.recorded != "-" {
				d.Record(account, tt.recorded, true)
				d.Record(account, "gone", true)
				d.Record(account, "gone", false)
				if got := d.Recording(account); !slices.Equal(got, []string{tt.recorded}) {
					t.Errorf("recording: got %q", got)
				}
			}
			got, err := d.Do(t.Context(), tt.call, &input{"f"})
			if (err == nil) != tt.want || got.Observed != tt.want || !got.Denied || (w.ran == 1) != tt.want || w.records[0].Allowed {
				t.Errorf("got %+v, %v, ran %d times", got, err, w.ran)
			}
			if mode := w.records[0].Mode; (mode == "observe") != tt.want {
				t.Errorf("recorded as of mode %s", mode)
			}
			d.Record(account, tt.recorded, false)
			if _, err := d.Do(t.Context(), tt.call, &input{"f"}); err == nil || len(d.Recording(account)) != 0 {
				t.Error("denials are let through after the end")
			}
			// The server's own calls, such as those that write logs, may come a little later, and no later than that.
			tt.call.Internal = &service.Internal{}
			for _, late := range []time.Duration{0, 2 * Lateness} {
				tt.call.Time = time.Now().Add(late)
				if _, err := d.Do(t.Context(), tt.call, &input{"f"}); (err == nil) != (tt.want && late == 0) {
					t.Errorf("the server's own call, %v later: got %v", late, err)
				}
			}
		})
	}
}

// What another account's policies deny stays denied, whatever the caller's account records.
func TestRecordingEndsAtTheAccount(t *testing.T) {
	w := &world{policies: allow(t, "*")}
	d := w.dispatcher(t, Enforce)
	c := call("GetFunction")
	c.Caller.Account = "999999999999" // of the caller; the function's account is another
	d.Record("999999999999", "", true)
	if got, err := d.Do(t.Context(), c, &input{"f"}); err == nil || got.Observed || w.ran != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// What the organization denies stays denied, whatever a member account records, also where the account's own policies deny, too.
func TestRecordingEndsAtTheOrganization(t *testing.T) {
	const grants = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	onlyLogs := organization.New(organization.Member{
		ID: "o-1", Account: account, ManagementAccount: "999999999999", Path: "o-1/r-1/",
		SCPs: authz.Compile(authz.Policies{SCPs: [][]authz.Policy{identity(t,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}`).Identity}}),
	})
	for _, tt := range []struct {
		name, own string
		member    *organization.Member
		want      bool
	}{
		{"nothing above", `{"Effect":"Deny","Action":"*","Resource":"*"}`, member(t, account, ""), true},
		{"an SCP denies", grants, member(t, account, "lambda:*"), false},
		{"an SCP denies, and so does the account", `{"Effect":"Deny","Action":"*","Resource":"*"}`, member(t, account, "lambda:*"), false},
		{"an SCP does not allow", grants, onlyLogs, false},
		{"an SCP does not allow, and the account denies", `{"Effect":"Deny","Action":"*","Resource":"*"}`, onlyLogs, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{
				policies: identity(t, `{"Version":"2012-10-17","Statement":[`+tt.own+`]}`),
				members:  map[string]*organization.Member{account: tt.member},
			}
			d := w.dispatcher(t, Enforce)
			d.Record(account, "", true)
			got, err := d.Do(t.Context(), call("GetFunction"), &input{"f"})
			if (err == nil) != tt.want || !got.Denied || got.Observed != tt.want || (w.ran == 1) != tt.want {
				t.Errorf("got %+v, %v, ran %d times", got, err, w.ran)
			}
		})
	}
}
