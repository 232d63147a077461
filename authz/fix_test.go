package authz_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/internal/authztest"
)

func named(name, statements string) authz.Policy {
	return authz.Policy{Name: name, Document: mustParse(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)}
}

const (
	allowAll    = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	allowOther  = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
	functionARN = "arn:aws:lambda:us-east-1:111122223333:function:f"
	invoke      = `"Action":"lambda:InvokeFunction","Resource":"` + functionARN + `"`
)

// fixText words a fix in one line for each change.
func fixText(f *authz.Fix) string {
	if f == nil {
		return "nil"
	}
	var b strings.Builder
	for _, c := range f.Changes {
		fmt.Fprintf(&b, "%s %s", c.Kind, c.Type)
		if c.Policy != nil {
			fmt.Fprintf(&b, " %s", c.Policy.Name)
		}
		if c.Level > 0 {
			fmt.Fprintf(&b, " level %d", c.Level)
		}
		if c.Condition != nil {
			fmt.Fprintf(&b, " %s %s", c.Condition.Operator, c.Condition.Key)
		}
		fmt.Fprintf(&b, "%s%s\n", c.Sid, c.Statement)
	}
	if !f.Verified {
		fmt.Fprintf(&b, "not verified: %s\n", f.Note)
	}
	return b.String()
}

func TestSmallestFix(t *testing.T) {
	identity := func(statements ...string) []authz.Policy {
		return []authz.Policy{named("identity", strings.Join(statements, ","))}
	}
	one := func(statements string) *authz.Policy {
		p := named("its-policy", statements)
		return &p
	}
	session := authz.Principal{Kind: authz.AssumedRole, Account: "111122223333",
		ARN: "arn:aws:sts::111122223333:assumed-role/deploy/s", IssuerARN: "arn:aws:iam::111122223333:role/ci/deploy"}
	sns := authz.Principal{Kind: authz.Service, ARN: "sns.amazonaws.com"}
	tests := map[string]struct {
		principal authz.Principal
		owner     string
		action    string
		policies  authz.Policies
		want      string
	}{
		"allowed": {policies: authz.Policies{Identity: identity(allowAll)}, want: "nil"},
		"nobody, by a function URL": {
			principal: authz.Principal{Kind: authz.Anonymous}, owner: "111122223333",
			want: `add-statement resource-based{"Effect":"Allow","Principal":"*",` + invoke +
				`,"Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"},"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}` + "\n",
		},
		"nothing": {want: `add-statement identity-based{"Effect":"Allow",` + invoke + "}\n"},
		"identity and boundary": {
			policies: authz.Policies{Identity: identity(allowOther), Boundary: one(allowOther)},
			want: `add-statement identity-based{"Effect":"Allow",` + invoke + "}\n" +
				`add-statement permissions-boundary its-policy{"Effect":"Allow",` + invoke + "}\n",
		},
		"session policy": {
			principal: session,
			policies:  authz.Policies{Identity: identity(allowAll), Session: []authz.Policy{}},
			want:      `add-statement session{"Effect":"Allow",` + invoke + "}\n",
		},
		"two levels of SCPs": {
			policies: authz.Policies{Identity: identity(allowAll), SCPs: [][]authz.Policy{{}, identity(allowAll), identity(allowOther)}},
			want: `add-statement service-control{"Effect":"Allow",` + invoke + "}\n" +
				`add-statement service-control level 2{"Effect":"Allow",` + invoke + "}\n",
		},
		"a Deny on a level": {
			policies: authz.Policies{
				Identity: identity(allowAll),
				SCPs: [][]authz.Policy{identity(allowAll), {
					named("guard", `{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"}`), named("full", allowAll),
				}},
			},
			want: "remove-statement service-control guard level 1A\n",
		},
		"every Deny": {
			policies: authz.Policies{
				Identity: identity(`{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"}`, allowAll,
					`{"Sid":"B","Effect":"Deny","Action":"lambda:*","Resource":"*"}`),
				Boundary: one(`{"Sid":"C","Effect":"Deny","Action":"*","Resource":"*"},` + allowAll),
			},
			want: "remove-statement identity-based identityA\nremove-statement identity-based identityB\n" +
				"remove-statement permissions-boundary its-policyC\n",
		},
		"one condition": {
			policies: authz.Policies{Identity: identity(
				`{"Sid":"Home","Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`)},
			want: `meet-condition identity-based identity StringEquals aws:SourceVpcHome{"Effect":"Allow",` + invoke + "}\n",
		},
		"two conditions": {
			policies: authz.Policies{Identity: identity(
				`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1","aws:username":"x"}}}`)},
			want: `add-statement identity-based{"Effect":"Allow",` + invoke + "}\n",
		},
		"cross-account": {
			owner: "999999999999",
			want: `add-statement resource-based{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},` + invoke + "}\n" +
				`add-statement identity-based{"Effect":"Allow",` + invoke + "}\n",
		},
		"service": {
			principal: sns,
			policies:  authz.Policies{Resource: one(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`)},
			want: `add-statement resource-based its-policy{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},` + invoke +
				`,"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:t"}}}` + "\n",
		},
		"condition of a resource policy": {
			principal: sns,
			policies: authz.Policies{Resource: one(`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"*",` +
				`"Resource":"*","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:sns:us-east-1:111122223333:u"}}}`)},
			want: `meet-condition resource-based its-policy ArnLike AWS:SourceArn{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},` +
				invoke + `,"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:t"}}}` + "\n",
		},
		"trust policy": {
			principal: session,
			action:    "sts:AssumeRole",
			policies:  authz.Policies{Trust: true},
			want: `add-statement role-trust{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/ci/deploy"},` +
				`"Action":"sts:AssumeRole"}` + "\n",
		},
		"partitions": {
			principal: authz.Principal{Kind: authz.User, Account: "111122223333", ARN: "arn:aws-cn:iam::111122223333:user/alice"},
			policies:  authz.Policies{Identity: identity(allowAll)},
			want:      "not verified: access never crosses partitions\n",
		},
		"policy without document": {
			policies: authz.Policies{Identity: []authz.Policy{{Name: "lost"}}},
			want:     "not verified: a policy without a document denies everything\n",
		},
		"federated session": {
			principal: authz.Principal{Kind: authz.FederatedUser, Account: "111122223333",
				ARN: "arn:aws:sts::111122223333:federated-user/bob", IssuerARN: "arn:aws:iam::111122223333:user/alice"},
			policies: authz.Policies{Identity: identity(allowAll)},
			want:     `add-statement session{"Effect":"Allow",` + invoke + "}\n",
		},
		"VPC endpoint": {
			policies: authz.Policies{Identity: identity(allowAll), VPCEndpoint: one(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`)},
			want: `add-statement vpc-endpoint its-policy{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},` +
				invoke + "}\n",
		},
		"RCP": {
			policies: authz.Policies{Identity: identity(allowAll), RCPs: [][]authz.Policy{{}}},
			want:     `add-statement resource-control{"Effect":"Allow","Principal":"*",` + invoke + "}\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			req := alice("lambda:InvokeFunction", functionARN)
			req.ResourceAccount = tt.owner
			req.Context.Set("aws:SourceArn", "arn:aws:sns:us-east-1:111122223333:t")
			req.Context.Set("lambda:FunctionUrlAuthType", "NONE")
			req.Context.SetBool("lambda:InvokedViaFunctionUrl", true)
			if tt.principal.Kind != "" {
				req.Principal = tt.principal
			}
			if tt.action != "" {
				req.Action = tt.action
			}
			before := authztest.Describe(req, tt.policies)
			fix := authz.SmallestFix(req, tt.policies)
			if diff := cmp.Diff(tt.want, fixText(fix)); diff != "" {
				t.Errorf("fix (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, authztest.Describe(req, tt.policies)); diff != "" {
				t.Errorf("the search changed the policies (-before +after):\n%s", diff)
			}
			if text := authz.Explain(req, tt.policies).Text(); text == "" || strings.Contains(text, "%!") {
				t.Errorf("report: %s", text)
			}
		})
	}
}

// TestSmallestFixEscapesVariables adds the resource as it is, whatever it looks like.
func TestSmallestFixEscapesVariables(t *testing.T) {
	req := alice("s3:GetObject", "arn:aws:s3:::b/${aws:username}")
	fix := authz.SmallestFix(req, authz.Policies{})
	if !fix.Verified || !strings.Contains(fix.Changes[0].Statement, "${$}{aws:username}") {
		t.Errorf("got %s", fixText(fix))
	}
}

// TestSmallestFixOfEqualTexts: two policies of one text share a document, and each Deny must go.
func TestSmallestFixOfEqualTexts(t *testing.T) {
	deny := named("", `{"Sid":"D","Effect":"Deny","Action":"*","Resource":"*"}`).Document
	p := authz.Policies{Identity: []authz.Policy{named("all", allowAll), {Name: "one", Document: deny}, {Name: "two", Document: deny}}}
	fix := authz.SmallestFix(alice("lambda:InvokeFunction", functionARN), p)
	if len(fix.Changes) != 2 || fix.Changes[0].Policy.Name != "one" || fix.Changes[1].Policy.Name != "two" || !fix.Verified {
		t.Errorf("got %s", fixText(fix))
	}
}
