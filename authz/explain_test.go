package authz_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
)

// TestExplain looks for the parts of a report that the example does not show.
func TestExplain(t *testing.T) {
	resource := named("resource policy", `{"Sid":"Open","Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
		"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`)
	managed := named("guard", `{"Sid":"No","Effect":"Deny","Action":"*","Resource":"*","Condition":{"Unheard":{"a:b":"c"}}}`)
	managed.ARN = "arn:aws:iam::111122223333:policy/guard"
	session := authz.Principal{Kind: authz.AssumedRole, Account: "111122223333",
		ARN: "arn:aws:sts::111122223333:assumed-role/r/s", IssuerARN: "arn:aws:iam::111122223333:role/r"}
	tests := map[string]struct {
		principal authz.Principal
		owner     string
		policies  authz.Policies
		want      []string
	}{
		"allowed": {
			principal: session,
			policies:  authz.Policies{Resource: &resource},
			want: []string{`ALLOWED by resource-based policy resource policy, 1:38 "Open"`, "(session of arn:aws:iam::111122223333:role/r)",
				`Allow "Open" matches (wildcard)`, "holds  Bool aws:SecureTransport: got true; want true", "identity-based       bypassed"},
		},
		"root": {
			principal: authz.Principal{Kind: authz.Root, Account: "111122223333", ARN: "arn:aws:iam::111122223333:root"},
			want:      []string{"ALLOWED: the account root needs no permission"},
		},
		"anonymous": {
			principal: authz.Principal{Kind: authz.Anonymous},
			want:      []string{"DENIED: User: anonymous", "who       anonymous"},
		},
		"cross-account": {
			principal: session, owner: "999999999999",
			want: []string{"(account 999999999999, cross-account)"},
		},
		"Deny that cannot be understood": {
			principal: session,
			policies:  authz.Policies{Identity: []authz.Policy{managed}},
			want: []string{"with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/guard",
				`by identity-based policy guard, 1:38 "No"`, "guard (arn:aws:iam::111122223333:policy/guard): explicit deny",
				"denies because it cannot be understood: Condition: not an operator of AWS", "got (absent); want c"},
		},
		"policy without document": {
			principal: session,
			policies:  authz.Policies{Identity: []authz.Policy{{Name: "lost"}}},
			want:      []string{"by identity-based policy lost, which has no document"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			req := authz.Request{Principal: tt.principal, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourceAccount: tt.owner}
			req.Context.Set("aws:SecureTransport", "true")
			text := authz.Explain(req, tt.policies).Text()
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
		})
	}
}

// TestExplainPrintsNoControls: what a caller chose writes no lines of its own and moves no cursor.
func TestExplainPrintsNoControls(t *testing.T) {
	req := alice("lambda:InvokeFunction", functionARN+"\nALLOWED by identity-based policy\x1b[2J")
	text := authz.Explain(req, authz.Policies{}).Text()
	if strings.Contains(text, "\nALLOWED") || strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
}

// TestExplainKeys: a key is listed once, whatever the case, with the types of policy that asked for it, each once.
func TestExplainKeys(t *testing.T) {
	ask := `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:SourceVpc":"a"},"StringLikeIfExists":{"AWS:sourcevpc":"b"},
		"Bool":{"aws:SecureTransport":"true"}}}`
	p := authz.Policies{Identity: []authz.Policy{named("one", ask), named("two", ask)}, SCPs: [][]authz.Policy{{named("scp", ask)}}}
	req := alice("lambda:InvokeFunction", functionARN)
	req.Context.Set("aws:SecureTransport", "false")
	var got []string
	for _, k := range authz.Explain(req, p).Keys {
		got = append(got, fmt.Sprint(k.Name, " ", k.Present, k.Values, k.By))
	}
	want := []string{"aws:SourceVpc false [] [service-control identity-based]", "aws:SecureTransport true [false] [service-control identity-based]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestExplainManyStatements would take minutes if each statement were tried with all others, or each position searched from the start.
func TestExplainManyStatements(t *testing.T) {
	one := `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a:a":"true"},"Null":{"b:b":"false"}}}`
	count := 5000
	if testing.Short() {
		count = 200
	}
	p := authz.Policies{Identity: []authz.Policy{named("many", one+strings.Repeat(",\n"+one, count))}}
	x := authz.Explain(alice("lambda:InvokeFunction", functionARN), p)
	statements := x.Decision.Types[4].Policies[0].Statements
	if last := statements[len(statements)-1]; last.At.Line != count+1 || last.At.Column != 1 || !x.Fix.Verified {
		t.Errorf("last statement at %v, fix %s", last.At, fixText(x.Fix))
	}
}

// A denial names its resource as the request says, which decides nothing.
func TestMessageNamesResource(t *testing.T) {
	req := authz.Request{
		Principal: authz.Principal{Kind: authz.User, ARN: "arn:aws:iam::111122223333:user/dev", Account: "111122223333"},
		Action:    "iam:GetRole", Resource: "arn:aws:iam::111122223333:role/hidden/r", Named: "role r",
	}
	got := authz.Compile(authz.Policies{}).Decide(&req).Message(req)
	want := "User: arn:aws:iam::111122223333:user/dev is not authorized to perform: iam:GetRole on resource: role r " +
		"because no identity-based policy allows the iam:GetRole action"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
