package edge

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
)

// TestExplainForeignTellsNothing: explanations of two requests that the other account's policies judge alike are the same to the byte,
// whatever these policies are, and whether there are any.
func TestExplainForeignTellsNothing(t *testing.T) {
	everything := `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`
	own := []authz.Policy{document(t, "own", `{"Effect":"Allow","Action":"*","Resource":"*"}`)}
	open, shut := document(t, "theirs", everything), document(t, "theirs", `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`)
	for name, alike := range map[string][2]authz.Policies{
		"no resource policy, and one that does not allow": {{Identity: own}, {Identity: own, Resource: &shut}},
		"no RCPs, and some that allow": {{Identity: own, Resource: &open},
			{Identity: own, Resource: &open, RCPs: [][]authz.Policy{{open}}}},
		"RCPs of two levels, and of four": {{Identity: own, Resource: &open, RCPs: [][]authz.Policy{{open}, {shut}}},
			{Identity: own, Resource: &open, RCPs: [][]authz.Policy{{open}, {open}, {open}, {}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(shownToCaller(t, alike[0]), shownToCaller(t, alike[1])); diff != "" {
				t.Errorf("it shows:\n%s", diff)
			}
		})
	}
}

func shownToCaller(t *testing.T, p authz.Policies) string {
	t.Helper()
	x := explainForeign(authz.Request{
		Principal: authz.Principal{Kind: authz.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/may"},
		Action:    "lambda:InvokeFunction", Resource: "arn:aws:lambda:eu-central-1:" + other + ":function:f", ResourceAccount: other,
	}, p)
	b, err := json.MarshalIndent([]any{x, x.Text()}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
