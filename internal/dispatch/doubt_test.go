package dispatch

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
)

// doubted is a need of which neither the end of the resource's name nor its tags are known.
func doubted(context.Context, *service.Call, *input) ([]service.Need, error) {
	target := service.Target{ARN: "arn:aws:secretsmanager:us-east-1:" + account + ":secret:db-??????"}
	target.Keys.Set("secretsmanager:VersionStage", "AWSCURRENT")
	return []service.Need{{Action: "secretsmanager:GetSecretValue", Target: target, Doubt: &service.Doubt{
		Resource: true,
		Key:      func(name string) bool { return strings.HasPrefix(strings.ToLower(name), "aws:resourcetag/") },
	}}}, nil
}

// TestDoubt: what is not known never makes an Allow, and never spares from a Deny. The service is one that the dispatcher does not list.
func TestDoubt(t *testing.T) {
	const (
		allow  = `{"Effect":"Allow","Action":"*","Resource":"*"}`
		secret = `arn:aws:secretsmanager:us-east-1:` + account + `:secret:`
	)
	w := &world{}
	handle := func(context.Context, *service.Call, *input) (*output, error) { return &output{}, nil }
	every := service.OpBy("", doubted, handle)
	others := func(name string) (service.Service, bool) {
		return service.Service{
			API: &protocol.API{SigningName: name}, Otherwise: &every,
			Denial: func(m string) error { return awserr.New("AccessDeniedException", 400, "%s", m) },
		}, name == "secretsmanager"
	}
	d, err := New(Config{
		Others: others, Policies: w, Organizations: w, Log: w, Mode: Enforce, Now: time.Now, Region: "us-east-1", Partition: "aws",
		KnownAction: func(string) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, statements string
		note             string // of the denial; "-" when it is not for a doubt, "" when the call is allowed
	}{
		{"all", allow, ""},
		{"name with any end", `{"Effect":"Allow","Action":"*","Resource":"` + secret + `db-??????"}`, ""},
		{"name with all that follows", `{"Effect":"Allow","Action":"*","Resource":"` + secret + `db*"}`, ""},
		{"one end", `{"Effect":"Allow","Action":"*","Resource":"` + secret + `db-a1b2c3"}`, "-"},
		{"as many characters", `{"Effect":"Allow","Action":"*","Resource":"` + secret + `?????????"}`, "not know all of the resource"},
		{"all but one", `{"Effect":"Allow","Action":"*","NotResource":"` + secret + `db-a1b2c3"}`, "not know all of the resource"},
		{"Deny of one end", allow + `,{"Effect":"Deny","Action":"*","Resource":"` + secret + `db-a1b2c3"}`, "whether the Deny of alice/inline"},
		{"Deny of another name", allow + `,{"Effect":"Deny","Action":"*","Resource":"` + secret + `other-a1b2c3"}`, ""},
		{"Deny of another action", allow + `,{"Effect":"Deny","Action":"kms:*","Resource":"` + secret + `db-a1b2c3"}`, ""},
		{"Deny of a tag", allow + `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/a":"b"}}}`, "aws:ResourceTag/a"},
		{"Deny without a tag", allow + `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"aws:ResourceTag/a":"true"}}}`, "-"},
		{"Deny of a known key", allow + `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"secretsmanager:VersionStage":"x"}}}`, ""},
		{"Deny of an absent key", allow + `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"secretsmanager:x":"x"}}}`, ""},
		{"Deny by a tag's value", allow + `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"secretsmanager:VersionStage":"${aws:ResourceTag/a}"}}}`, "aws:ResourceTag/a"},
		{"Deny of a name by a tag's value", allow + `,{"Effect":"Deny","Action":"*","Resource":"` + secret + `${aws:ResourceTag/a}"}`, "aws:ResourceTag/a"},
		{"Allow if there is no such tag", `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:ResourceTag/a":"b"}}}`, "aws:ResourceTag/a"},
		{"the same beside another", allow + `,{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:ResourceTag/a":"b"}}}`, ""},
		{"Allow of a tag", `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/a":"b"}}}`, "-"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.policies = identity(t, `{"Version":"2012-10-17","Statement":[`+test.statements+`]}`)
			w.policies.Identity[0].Name = "alice/inline"
			c := call("GetSecretValue")
			c.Service = "secretsmanager"
			answer, err := d.Do(t.Context(), c, &input{Name: "x"})
			decision := w.records[len(w.records)-1].Decisions[0]
			if answer.Denied != (test.note != "") || decision.Allowed == answer.Denied {
				t.Fatalf("got %+v, %v, recorded %+v", answer, err, decision)
			}
			if test.note == "" || test.note == "-" {
				if decision.Note != "" {
					t.Errorf("note %q", decision.Note)
				}
				return
			}
			if !strings.Contains(decision.Note, test.note) || !strings.Contains(err.Error(), decision.Note) || decision.By != authz.IdentityBasedPolicy {
				t.Errorf("noted %q, answered %v, want %q", decision.Note, err, test.note)
			}
		})
	}
	if _, _, ok := d.Service("nothing"); ok {
		t.Error("there is a service that nobody has")
	}
}
