package edge

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/principal"
)

// present supposes one role with these identity-based policies.
type present []authz.Policy

const theRole = "arn:aws:iam::" + account + ":role/r"

func (p present) Suppose(context.Context, string, Question) (Supposition, error) {
	return Supposition{
		Request:  authz.Request{Principal: authz.Principal{Kind: authz.AssumedRole, Account: account, IssuerARN: theRole}},
		Policies: authz.Policies{Identity: p},
	}, nil
}

// seenRequest puts into the log that the role was denied a function of an account, which has a tag.
func (w *world) seenRequest(t *testing.T, id, owner string, failure *audit.Failure) {
	t.Helper()
	caller := authz.Principal{
		Kind: authz.AssumedRole, Account: account, IssuerARN: theRole, ARN: "arn:aws:sts::" + account + ":assumed-role/r/s", ID: "AROA", SessionName: "s",
	}
	req := authz.Request{
		Principal: caller, Action: "lambda:InvokeFunctionUrl", Resource: "arn:aws:lambda:eu-central-1:" + owner + ":function:f", ResourceAccount: owner,
	}
	req.Context.Set("aws:ResourceTag/team", "secret-tag")
	ctx, err := w.log.Begin(t.Context(), &audit.Record{
		RequestID: id, Time: w.now, Account: account, Region: region, Service: "lambda-url", Operation: "InvokeFunctionUrl", Mode: "enforce",
		Caller:    principal.Caller{Principal: caller},
		Decisions: []audit.Decision{{Request: req, By: authz.ResourceBasedPolicy}},
	})
	if err == nil && failure != nil {
		err = w.log.Fail(ctx, *failure)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A comparison with policies that ask for a tag tells it of resources of the own account, and of no others: whoever may write the policies
// could ask until the tag is found.
func TestLeastPolicyIsNoOracle(t *testing.T) {
	for owner, want := range map[string]bool{account: true, other: false} {
		w := newWorld(t, dispatch.Enforce)
		w.seenRequest(t, dispatch.NewRequestID(), owner, nil)
		missing := func(guess string) (n int) {
			w.config.Suppositions = present{document(t, "own",
				`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:ResourceTag/team":"`+guess+`"}}}`)}
			got := w.do(page(PolicyPage + "?role=r").by("ROOT"))
			var least LeastPolicy
			if err := json.Unmarshal([]byte(got.body), &least); err != nil || got.status != http.StatusOK || least.Permissions != 1 {
				t.Fatalf("got %d %s, %v", got.status, got.body, err)
			}
			return len(least.Check.Missing)
		}
		if right, wrong := missing("secret*"), missing("public*"); (right != wrong) != want {
			t.Errorf("resource of %s: %d missing with the right guess, %d with a wrong one", owner, right, wrong)
		}
	}
}

// What clients were not told of a failure, such as what a function behind a URL said, is for the function's account.
func TestForeignFailureIsHidden(t *testing.T) {
	for owner, detail := range map[string]string{account: "stack", other: ""} {
		w := newWorld(t, dispatch.Enforce)
		id := dispatch.NewRequestID()
		w.seenRequest(t, id, owner, &audit.Failure{Code: "InternalServerError", Message: "Internal Server Error", Detail: "stack"})
		var records []audit.Record
		var one Explanation
		var all []Explanation
		for path, v := range map[string]any{"": &records, "/" + id: &one, "?explain=true": &all} {
			got := w.do(page(DecisionsPage + path).by("ROOT"))
			if err := json.Unmarshal([]byte(got.body), v); err != nil {
				t.Fatalf("%s: %v in %s", path, err, got.body)
			}
			if owner == other && strings.Contains(got.body, "stack") {
				t.Errorf("%s: got %s", path, got.body)
			}
		}
		want := &audit.Failure{Code: "InternalServerError", Message: "Internal Server Error", Detail: detail}
		for _, rec := range []audit.Record{records[0], one.Record, all[0].Record} {
			if diff := cmp.Diff(want, rec.Failure); diff != "" {
				t.Errorf("resource of %s (-want +got):\n%s", owner, diff)
			}
		}
	}
}
