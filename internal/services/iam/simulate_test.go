package iam

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

const (
	objectA = "arn:aws:s3:::bucket/a"
	objectB = "arn:aws:s3:::bucket/b"
)

// document is a policy of some statements, as compact as AWS's transcripts have it.
func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func says(effect, action, resource string) string {
	return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":%q}`, effect, action, resource)
}

func saysIf(effect, action, resource, condition string) string {
	return strings.TrimSuffix(says(effect, action, resource), "}") + `,"Condition":` + condition + `}`
}

// inLines is a result in one line, its resources below it.
func inLines(r types.EvaluationResult) []string {
	line := fmt.Sprintf("%s %s %s %s missing%v", *r.EvalActionName, *r.EvalResourceName, r.EvalDecision, places(r.MatchedStatements),
		r.MissingContextValues)
	if r.OrganizationsDecisionDetail != nil {
		line += fmt.Sprintf(" organizations=%v", r.OrganizationsDecisionDetail.AllowedByOrganizations)
	}
	if r.PermissionsBoundaryDecisionDetail != nil {
		line += fmt.Sprintf(" boundary=%v", r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary)
	}
	if r.EvalDecisionDetails != nil {
		line += fmt.Sprintf(" details=%v", r.EvalDecisionDetails)
	}
	lines := []string{line}
	for _, s := range r.ResourceSpecificResults {
		line := fmt.Sprintf("  %s %s %s missing%v", *s.EvalResourceName, s.EvalResourceDecision, places(s.MatchedStatements), s.MissingContextValues)
		if s.PermissionsBoundaryDecisionDetail != nil {
			line += fmt.Sprintf(" boundary=%v", s.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary)
		}
		lines = append(lines, line)
	}
	return lines
}

func places(statements []types.Statement) []string {
	out := []string{}
	for _, s := range statements {
		out = append(out, fmt.Sprintf("%s(%s)%d:%d-%d:%d", *s.SourcePolicyId, s.SourcePolicyType, s.StartPosition.Line, s.StartPosition.Column,
			s.EndPosition.Line, s.EndPosition.Column))
	}
	return out
}

func results(list []types.EvaluationResult) []string {
	var lines []string
	for _, r := range list {
		lines = append(lines, inLines(r)...)
	}
	return lines
}

// The wanted answers were recorded from AWS in September 2026, but where a comment says otherwise.
func TestSimulateCustomPolicy(t *testing.T) {
	w := newWorld(t)
	allow, deny := document(says("Allow", "s3:GetObject", "*")), document(says("Deny", "s3:GetObject", "*"))
	everything := document(says("Allow", "*", "*"))
	conditional := func(effect, action, resource string) string {
		return document(saysIf(effect, action, resource, `{"StringEquals":{"test:missing":"yes"}}`))
	}
	const at = "(IAM Policy)"
	for _, tt := range []struct {
		name string
		in   sdk.SimulateCustomPolicyInput
		want []string
	}{
		{
			"no resource", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{allow}},
			[]string{"s3:GetObject * allowed [PolicyInputList.1" + at + "1:38-1:95] missing[]"},
		},
		{
			"one resource", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{allow}, ResourceArns: []string{objectA}},
			[]string{
				"s3:GetObject " + objectA + " allowed [PolicyInputList.1" + at + "1:38-1:95] missing[] details=map[]",
				"  " + objectA + " allowed [PolicyInputList.1" + at + "1:38-1:95] missing[]",
			},
		},
		{
			"two resources", sdk.SimulateCustomPolicyInput{
				PolicyInputList: []string{document(says("Allow", "s3:GetObject", objectA))}, ResourceArns: []string{objectA, objectB},
			},
			[]string{ // AWS calls the key KeyName here; our table has the name of the Service Authorization Reference
				"s3:GetObject arn:aws:s3:::${BucketName}/${ObjectName} implicitDeny [PolicyInputList.1" + at + "1:38-1:115] missing[] details=map[]",
				"  " + objectA + " allowed [PolicyInputList.1" + at + "1:38-1:115] missing[]",
				"  " + objectB + " implicitDeny [] missing[]",
			},
		},
		{
			"all statements that allow", sdk.SimulateCustomPolicyInput{
				PolicyInputList: []string{document(says("Allow", "s3:GetObject", "*"), says("Allow", "s3:*", "*"))},
			},
			[]string{"s3:GetObject * allowed [PolicyInputList.1" + at + "1:38-1:95 PolicyInputList.1" + at + "1:95-1:145] missing[]"},
		},
		{
			"only statements that deny", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{allow, deny}},
			[]string{"s3:GetObject * explicitDeny [PolicyInputList.2" + at + "1:38-1:94] missing[]"},
		},
		{
			"several lines", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{
				" \r\n{\r\n  \"Version\": \"2012-10-17\",\r\n  \"Statement\": [\r\n    {\r\n      \"Effect\": \"Allow\",\r\n      \"Action\": \"s3:GetObject\",\r\n" +
					"      \"Resource\": \"*\"\r\n    }\r\n  ]\r\n}\r\n ",
			}},
			[]string{"s3:GetObject * allowed [PolicyInputList.1" + at + "4:17-9:6] missing[]"},
		},
		{
			"second statement of several lines", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{
				"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Deny\",\n      \"Action\": \"s3:PutObject\",\n" +
					"      \"Resource\": \"*\"\n    },\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"s3:GetObject\",\n      \"Resource\": \"*\"\n    }\n  ]\n}",
			}},
			[]string{"s3:GetObject * allowed [PolicyInputList.1" + at + "8:6-13:6] missing[]"},
		},
		{
			"statement without a list", sdk.SimulateCustomPolicyInput{
				PolicyInputList: []string{`{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}`},
			},
			[]string{"s3:GetObject * allowed [PolicyInputList.1" + at + "1:16-1:77] missing[]"},
		},
		{
			"columns are characters", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{`{"Id":"café","Statement":[` + says("Allow", "s3:GetObject", "*") + `]}`}},
			[]string{"s3:GetObject * allowed [PolicyInputList.1" + at + "1:27-1:84] missing[]"},
		},
		{
			"missing key", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{conditional("Allow", "s3:GetObject", "*")}},
			[]string{"s3:GetObject * implicitDeny [] missing[test:missing]"},
		},
		{
			"missing key of a statement about something else", sdk.SimulateCustomPolicyInput{
				PolicyInputList: []string{conditional("Deny", "s3:PutObject", objectB)}, ResourceArns: []string{objectA},
			},
			[]string{
				"s3:GetObject " + objectA + " implicitDeny [] missing[test:missing] details=map[]",
				"  " + objectA + " implicitDeny [] missing[test:missing]",
			},
		},
		{
			"missing key that did not matter", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{allow, conditional("Deny", "s3:GetObject", "*")}},
			[]string{"s3:GetObject * allowed [PolicyInputList.1" + at + "1:38-1:95] missing[]"},
		},
		{
			"boundary that says nothing", sdk.SimulateCustomPolicyInput{
				PolicyInputList: []string{allow}, PermissionsBoundaryPolicyInputList: []string{conditional("Allow", "s3:GetObject", "*")},
			},
			[]string{"s3:GetObject * implicitDeny [] missing[test:missing] boundary=false"},
		},
		{
			"boundary that denies", sdk.SimulateCustomPolicyInput{
				PolicyInputList: []string{deny}, PermissionsBoundaryPolicyInputList: []string{deny},
			},
			[]string{"s3:GetObject * explicitDeny [PolicyInputList.1" + at + "1:38-1:94 " +
				"PermissionsBoundaryPolicyInputList.1(Permissions Boundary Policy)1:38-1:94] missing[] boundary=false"},
		},
		{
			"action in another case", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{allow}, ActionNames: []string{"S3:gEtObJeCt"}},
			[]string{"S3:gEtObJeCt * allowed [PolicyInputList.1" + at + "1:38-1:95] missing[]"},
		},
		{
			"actions that AWS has not", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{allow}, ActionNames: []string{"s3:*", "madeup:Action", "s3:"}},
			[]string{"s3:* * implicitDeny [] missing[]", "madeup:Action * implicitDeny [] missing[]", "s3: * implicitDeny [] missing[]"},
		},
		{
			"resource of another service", sdk.SimulateCustomPolicyInput{
				PolicyInputList: []string{everything}, ActionNames: []string{"iam:GetUser"}, ResourceArns: []string{objectA, objectB},
			},
			[]string{ // AWS says iam::${Account}:${ResourceType}/${ResourceName}
				"iam:GetUser arn:aws:iam::${Account}:user/${UserNameWithPath} implicitDeny [] missing[] details=map[]",
				"  " + objectA + " implicitDeny [] missing[]", "  " + objectB + " implicitDeny [] missing[]",
			},
		},
		{
			"no policy", sdk.SimulateCustomPolicyInput{},
			[]string{"s3:GetObject * implicitDeny [] missing[]"},
		},
		{
			"organization allows", sdk.SimulateCustomPolicyInput{
				PolicyInputList: []string{allow}, OrderedOrganizationPolicyInputList: levels([]string{everything}, []string{everything}),
			},
			[]string{"s3:GetObject * allowed [PolicyInputList.1" + at + "1:38-1:95] missing[] organizations=true"},
		},
		{
			"organization denies", sdk.SimulateCustomPolicyInput{
				PolicyInputList: []string{allow}, OrderedOrganizationPolicyInputList: levels([]string{deny, everything}, []string{everything}),
			},
			[]string{"s3:GetObject * explicitDeny [] missing[] organizations=false"},
		},
		{
			"organization does not allow", sdk.SimulateCustomPolicyInput{
				PolicyInputList: []string{conditional("Allow", "s3:GetObject", "*")}, ResourceArns: []string{objectA},
				OrderedOrganizationPolicyInputList: levels([]string{everything}, []string{document(says("Allow", "s3:PutObject", "*"))}),
			},
			[]string{
				"s3:GetObject " + objectA + " implicitDeny [] missing[] organizations=false", "  " + objectA + " implicitDeny [] missing[]",
			},
		},
		{
			"a caller of no name", sdk.SimulateCustomPolicyInput{PolicyInputList: []string{
				document(saysIf("Allow", "*", "*", `{"StringEquals":{"aws:userid":"STUB_PRINCIPAL_FOR_POLICY_SIMULATOR","aws:PrincipalAccount":"`+account+`"}}`)),
			}},
			[]string{"s3:GetObject * allowed [PolicyInputList.1" + at + "1:38-1:204] missing[]"},
		},
		{
			"a user", sdk.SimulateCustomPolicyInput{
				CallerArn:    aws.String("arn:aws:iam::111122223333:user/team/alice"),
				ResourceArns: []string{"arn:aws:s3:::home/alice"},
				PolicyInputList: []string{
					document(saysIf("Allow", "s3:*", "arn:aws:s3:::home/${aws:username}", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/team/*"}}`)),
				},
			},
			[]string{
				"s3:GetObject arn:aws:s3:::home/alice allowed [PolicyInputList.1" + at + "1:38-1:193] missing[] details=map[]",
				"  arn:aws:s3:::home/alice allowed [PolicyInputList.1" + at + "1:38-1:193] missing[]",
			},
		},
	} {
		if tt.in.ActionNames == nil {
			tt.in.ActionNames = []string{"s3:GetObject"}
		}
		out := must[sdk.SimulateCustomPolicyOutput](w, &tt.in)
		if diff := cmp.Diff(results(out.EvaluationResults), tt.want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", tt.name, diff)
		}
		for _, r := range out.EvaluationResults {
			if r.MatchedStatements == nil || r.MissingContextValues == nil {
				t.Errorf("%s: lists of the result as a whole are there, even if empty", tt.name)
			}
		}
	}
}

func levels(documents ...[]string) []types.OrderedOrganizationPolicyType {
	var out []types.OrderedOrganizationPolicyType
	for _, d := range documents {
		out = append(out, types.OrderedOrganizationPolicyType{ServiceControlPolicyInputList: d})
	}
	return out
}

// The two examples with resource policies on the pages of SimulateCustomPolicy and SimulatePrincipalPolicy.
func TestSimulateResourcePolicy(t *testing.T) {
	w := newWorld(t)
	mateo, arnav := "arn:aws:iam::111122223333:user/mateo", "arn:aws:iam::444455556666:user/arnav"
	grant := func(who string) *string {
		return aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + who +
			`"},"Action":["s3:List*","s3:Put*"],"Resource":"arn:aws:s3:::production/*"}}`)
	}
	iamOnly := document(says("Allow", "iam:*", "*"))
	in := &sdk.SimulateCustomPolicyInput{
		ActionNames: []string{"s3:PutObject"}, CallerArn: &mateo, ResourceArns: []string{"arn:aws:s3:::production/Test"},
		ResourceOwner: aws.String("arn:aws:iam::111122223333:root"), PermissionsBoundaryPolicyInputList: []string{iamOnly},
		PolicyInputList: []string{iamOnly}, ResourcePolicy: grant(mateo),
	}
	got := results(must[sdk.SimulateCustomPolicyOutput](w, in).EvaluationResults)
	want := []string{
		"s3:PutObject arn:aws:s3:::production/Test allowed [ResourcePolicy(Resource Policy)1:38-1:185] missing[] boundary=false details=map[]",
		"  arn:aws:s3:::production/Test allowed [ResourcePolicy(Resource Policy)1:38-1:185] missing[] boundary=false",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("same account: -got +want:\n%s", diff)
	}
	in.CallerArn, in.ResourcePolicy = &arnav, grant(arnav)
	r := must[sdk.SimulateCustomPolicyOutput](w, in).EvaluationResults[0]
	details := map[string]types.PolicyEvaluationDecisionType{
		"IAM Policy": "implicitDeny", "Resource Policy": "allowed", "Permissions Boundary Policy": "implicitDeny",
	}
	if diff := cmp.Diff(r.EvalDecisionDetails, details); diff != "" || r.EvalDecision != "implicitDeny" {
		t.Errorf("across accounts: got %s, details -got +want:\n%s", r.EvalDecision, diff)
	}
	if diff := cmp.Diff(r.ResourceSpecificResults[0].EvalDecisionDetails, details); diff != "" {
		t.Errorf("across accounts, of the resource: -got +want:\n%s", diff)
	}
	role := &sdk.SimulateCustomPolicyInput{
		ActionNames: []string{"sts:AssumeRole"}, CallerArn: &mateo, ResourceArns: []string{"arn:aws:iam::111122223333:role/r"},
		PolicyInputList: []string{document(says("Allow", "*", "*"))},
		ResourcePolicy:  aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`),
	}
	if r := must[sdk.SimulateCustomPolicyOutput](w, role).EvaluationResults[0]; r.EvalDecision != "implicitDeny" {
		t.Errorf("a trust policy that does not let the caller in: got %s", r.EvalDecision)
	}
}

func TestSimulatePrincipalPolicy(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	must[sdk.CreateUserOutput](w, &sdk.CreateUserInput{UserName: s("alice"), Path: s("/team/")})
	w.group("readers")
	w.role("worker", trustEC2)
	must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{UserName: s("alice"), GroupName: s("readers")})
	must[sdk.PutUserPolicyOutput](w, &sdk.PutUserPolicyInput{UserName: s("alice"), PolicyName: s("own"), PolicyDocument: s(document(says("Allow", "s3:GetObject", objectA)))})
	must[sdk.PutGroupPolicyOutput](w, &sdk.PutGroupPolicyInput{GroupName: s("readers"), PolicyName: s("shared"), PolicyDocument: s(document(says("Allow", "s3:PutObject", objectA)))})
	must[sdk.PutRolePolicyOutput](w, &sdk.PutRolePolicyInput{RoleName: s("worker"), PolicyName: s("work"), PolicyDocument: s(document(says("Allow", "s3:GetObject", "*")))})
	must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: s("alice"), PolicyArn: s(readOnly)})
	must[sdk.AttachGroupPolicyOutput](w, &sdk.AttachGroupPolicyInput{GroupName: s("readers"), PolicyArn: s(readOnly)})
	const alice = "arn:aws:iam::111122223333:user/team/alice"
	ask := func(in *sdk.SimulatePrincipalPolicyInput) []string {
		t.Helper()
		if in.ActionNames == nil {
			in.ActionNames = []string{"s3:GetObject"}
		}
		if in.PolicySourceArn == nil {
			in.PolicySourceArn = s(alice)
		}
		in.ResourceArns = []string{objectA}
		var lines []string
		for _, r := range must[sdk.SimulatePrincipalPolicyOutput](w, in).EvaluationResults {
			lines = append(lines, inLines(r)[0])
		}
		return lines
	}
	const at = "(IAM Policy)1:38-1:"
	exclude := func(ids ...types.PolicyIdentifier) *sdk.SimulatePrincipalPolicyInput {
		return &sdk.SimulatePrincipalPolicyInput{PolicyExclusionList: ids}
	}
	line := func(places string) []string {
		return []string{"s3:GetObject " + objectA + " " + places + " missing[] details=map[]"}
	}
	tests := []struct {
		name string
		in   *sdk.SimulatePrincipalPolicyInput
		want []string
	}{
		{
			"user with groups", &sdk.SimulatePrincipalPolicyInput{ActionNames: []string{"s3:GetObject", "s3:PutObject", "sqs:SendMessage"}},
			[]string{
				line("allowed [user_alice_own" + at + "115 ReadOnlyAccess" + at + "87]")[0],
				"s3:PutObject " + objectA + " allowed [ReadOnlyAccess" + at + "87 group_readers_shared" + at + "115] missing[] details=map[]",
				"sqs:SendMessage " + objectA + " implicitDeny [] missing[] details=map[]",
			},
		},
		{"without its path", &sdk.SimulatePrincipalPolicyInput{PolicySourceArn: s("arn:aws:iam::111122223333:user/alice")},
			line("allowed [user_alice_own" + at + "115 ReadOnlyAccess" + at + "87]")},
		{"group", &sdk.SimulatePrincipalPolicyInput{PolicySourceArn: s("arn:aws:iam::111122223333:group/readers")},
			line("allowed [ReadOnlyAccess" + at + "87]")},
		{"role", &sdk.SimulatePrincipalPolicyInput{PolicySourceArn: s("arn:aws:iam::111122223333:role/worker")},
			line("allowed [role_worker_work" + at + "95]")},
		{"one more policy", &sdk.SimulatePrincipalPolicyInput{PolicyInputList: []string{document(says("Deny", "*", "*"))}},
			line("explicitDeny [PolicyInputList.1" + at + "83]")},
		{"without inline policies", exclude(&types.PolicyIdentifierMemberPolicyType{Value: "inline"}), line("allowed [ReadOnlyAccess" + at + "87]")},
		{"without those of AWS", exclude(&types.PolicyIdentifierMemberPolicyType{Value: "aws-managed"}), line("allowed [user_alice_own" + at + "115]")},
		{"without one by its ARN", exclude(&types.PolicyIdentifierMemberPolicyArn{Value: "arn:aws:iam::aws:policy/Read*Acc?ss"}),
			line("allowed [user_alice_own" + at + "115]")},
		{"without one by its owner", exclude(&types.PolicyIdentifierMemberInlinePolicyIdentifier{Value: types.InlinePolicyIdentifierType{
			PolicyName: s("own"), AttachmentType: "user", AttachmentName: s("ali*"),
		}}), line("allowed [ReadOnlyAccess" + at + "87]")},
		{"without one of another kind of owner", exclude(&types.PolicyIdentifierMemberInlinePolicyIdentifier{Value: types.InlinePolicyIdentifierType{
			PolicyName: s("own"), AttachmentType: "group", AttachmentName: s("ali*"),
		}}), line("allowed [user_alice_own" + at + "115 ReadOnlyAccess" + at + "87]")},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(ask(tt.in), tt.want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", tt.name, diff)
		}
	}

	limit := *must[sdk.CreatePolicyOutput](w, &sdk.CreatePolicyInput{
		PolicyName: s("limit"), PolicyDocument: s(document(says("Deny", "s3:GetObject", "*"))),
	}).Policy.Arn
	must[sdk.PutUserPermissionsBoundaryOutput](w, &sdk.PutUserPermissionsBoundaryInput{UserName: s("alice"), PermissionsBoundary: &limit})
	bounded := strings.Replace(line("explicitDeny [limit(Permissions Boundary Policy)1:38-1:94]")[0], "missing[]", "missing[] boundary=false", 1)
	if diff := cmp.Diff(ask(&sdk.SimulatePrincipalPolicyInput{}), []string{bounded}); diff != "" {
		t.Errorf("boundary: -got +want:\n%s", diff)
	}
	if got := ask(exclude(&types.PolicyIdentifierMemberPolicyType{Value: "permission-boundary"}))[0]; !strings.Contains(got, " allowed ") {
		t.Errorf("without the boundary: got %s", got)
	}
	replaced := &sdk.SimulatePrincipalPolicyInput{PermissionsBoundaryPolicyInputList: []string{document(says("Allow", "s3:*", "*"))}}
	if got := ask(replaced)[0]; !strings.Contains(got, " allowed ") || !strings.Contains(got, "boundary=true") {
		t.Errorf("with another boundary: got %s", got)
	}
}

func TestSimulationPages(t *testing.T) {
	w := newWorld(t)
	in := &sdk.SimulateCustomPolicyInput{ActionNames: []string{"s3:PutObject", "iam:GetUser", "s3:GetObject"}, MaxItems: aws.Int32(2)}
	var got []string
	for {
		out := must[sdk.SimulateCustomPolicyOutput](w, in)
		for _, r := range out.EvaluationResults {
			got = append(got, *r.EvalActionName)
		}
		got = append(got, fmt.Sprint(out.IsTruncated))
		if in.Marker = out.Marker; out.Marker == nil {
			break
		}
	}
	if diff := cmp.Diff(got, []string{"s3:PutObject", "iam:GetUser", "true", "s3:GetObject", "false"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// The answers were recorded from AWS, but for those of which the code says that AWS's text is not known.
func TestSimulationRefusals(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	s := aws.String
	allow := document(says("Allow", "s3:GetObject", "*"))
	entry := func(kind types.ContextKeyTypeEnum, values ...string) *sdk.SimulateCustomPolicyInput {
		return &sdk.SimulateCustomPolicyInput{ContextEntries: []types.ContextEntry{{ContextKeyName: s("test:key"), ContextKeyType: kind, ContextKeyValues: values}}}
	}
	const input, model = "InvalidInput", "ValidationError"
	for _, tt := range []struct {
		in      any
		code    string
		message string
	}{
		{&sdk.SimulateCustomPolicyInput{PolicyInputList: []string{allow, "{"}}, input, "Policy input list item 2 has invalid content"},
		{&sdk.SimulateCustomPolicyInput{PolicyInputList: []string{`{"Version":"2099-01-01","Statement":[]}`}}, input, "Policy input list item 1 has invalid content"},
		{&sdk.SimulateCustomPolicyInput{PermissionsBoundaryPolicyInputList: []string{allow, allow}}, input, "The list of Permissions Boundary policies cannot exceed 1 items."},
		{&sdk.SimulateCustomPolicyInput{OrderedOrganizationPolicyInputList: levels(nil)}, input, "Organization policy at index 1 must contain at least one service control policy"},
		{&sdk.SimulateCustomPolicyInput{ActionNames: []string{"GetObject"}}, input, "The action is invalid since it is missing names"},
		{&sdk.SimulateCustomPolicyInput{ActionNames: []string{"s3"}}, model, "1 validation error detected: Value at 'actionNames.1.member' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		{&sdk.SimulateCustomPolicyInput{ActionNames: []string{"s3:GetObject", "s3:MadeUp"}, ResourceArns: []string{objectA}}, input, "Invalid Input Actions: [s3:GetObject] and [s3:MadeUp] require different authorization information."},
		{&sdk.SimulateCustomPolicyInput{ResourceArns: []string{"not-an-arn"}}, input, "ResourceNames are not in a valid ARN format: not-an-arn."},
		{&sdk.SimulateCustomPolicyInput{ResourceArns: []string{"arn:aws:s3"}}, input, "ResourceNames are not in a valid ARN format: arn:aws:s3."},
		{&sdk.SimulateCustomPolicyInput{ResourceArns: []string{objectA, "*"}}, input, "ResourceNames are not in a valid ARN format: *."},
		{&sdk.SimulateCustomPolicyInput{ResourceArns: []string{objectA}, ResourceHandlingOption: s("EC2-VPC-EBS")}, input, "Invalid input resource handling options. Action does not support resource handling options: s3:GetObject."},
		{&sdk.SimulateCustomPolicyInput{Marker: s("not-a-marker")}, input, "Invalid marker for pagination."},
		{&sdk.SimulateCustomPolicyInput{MaxItems: aws.Int32(1001)}, model, "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		{&sdk.SimulateCustomPolicyInput{CallerArn: s("arn:aws:sts::111122223333:assumed-role/r/s")}, input, "Invalid caller - Caller must be an IAM user, role or group in this context."},
		{&sdk.SimulateCustomPolicyInput{ResourceOwner: s("111122223333")}, input, "Invalid Resource Owner."},
		{&sdk.SimulateCustomPolicyInput{ResourcePolicy: &allow, ResourceArns: []string{objectA}}, input, "Invalid caller - Caller cannot be null or empty."},
		{&sdk.SimulateCustomPolicyInput{ResourcePolicy: &allow, CallerArn: s("arn:aws:iam::111122223333:user/u")}, input, "Invalid Entity Arn: * does not clearly define entity type and name."},
		{&sdk.SimulateCustomPolicyInput{ResourcePolicy: &allow, CallerArn: s("arn:aws:iam::111122223333:user/u"), ResourceArns: []string{objectA}}, input, "ResourceNames are not in a valid ARN format: *."},
		{entry("", "a"), input, "Context key test:key has invalid type null."},
		{entry("string"), input, "Context values for context key test:key cannot be null or empty."},
		{&sdk.SimulateCustomPolicyInput{ContextEntries: []types.ContextEntry{{ContextKeyType: "string", ContextKeyValues: []string{"a"}}}}, input, "ContextKeyName cannot be null or empty."},
		{entry("string", "a", "b"), input, "Context key string expected a single value, but received 2."},
		{entry("numeric", "abc"), input, "Invalid context value for key test:key: expected numeric format."},
		{entry("numericList", "1", "0x10"), input, "Invalid context value for key test:key: expected numeric format."},
		{entry("date", "tomorrow"), input, "Invalid context value for key test:key: expected DateTime format."},
		{entry("ip", "999.0.0.1"), input, "Invalid context value for key test:key: expected IP address."},
		{entry("binary", "!base64"), input, "Invalid context value for key test:key: expected base-64 encoded binary format."},
		{entry("unknown", "a"), model, "1 validation error detected: Value at 'contextEntries.1.member.contextKeyType' failed to satisfy constraint: Member must satisfy enum value set: [binary, ipList, booleanList, ip, boolean, numericList, dateList, numeric, date, stringList, string, binaryList]"},
		{&sdk.SimulateCustomPolicyInput{ContextEntries: []types.ContextEntry{
			{ContextKeyName: s("test:key"), ContextKeyType: "string", ContextKeyValues: []string{"a"}},
			{ContextKeyName: s("TEST:KEY"), ContextKeyType: "string", ContextKeyValues: []string{"a"}},
		}}, input, "Duplicate context key: TEST:KEY."},
		{&sdk.SimulatePrincipalPolicyInput{PolicySourceArn: s("arn:aws:sts::111122223333:assumed-role/r/s")}, input, "Invalid Entity Arn: arn:aws:sts::111122223333:assumed-role/r/s does not clearly define entity type and name."},
		{&sdk.SimulatePrincipalPolicyInput{PolicySourceArn: s("arn:aws:iam::999999999999:role/r")}, input, "Invalid Policy Source Arn: caller's account 111122223333 does not have access to policies in account 999999999999"},
		{&sdk.SimulatePrincipalPolicyInput{PolicySourceArn: s("arn:aws:iam::111122223333:role/r")}, "NoSuchEntity", "The role with name r cannot be found."},
		{&sdk.SimulatePrincipalPolicyInput{
			PolicySourceArn:     s("arn:aws:iam::111122223333:user/alice"),
			PolicyExclusionList: []types.PolicyIdentifier{&types.PolicyIdentifierMemberPolicyArn{Value: "arn:aws:iam::111122223333:policy/*/x"}},
		}, input, "Invalid policy identifier: arn:aws:iam::111122223333:policy/*/x has a wildcard where none may be."},
	} {
		if in, ok := tt.in.(*sdk.SimulateCustomPolicyInput); ok && in.ActionNames == nil {
			in.ActionNames = []string{"s3:GetObject"}
		}
		_, err := w.do(tt.in)
		wantError(t, err, tt.code, tt.message)
	}
}

// Each type of context key is compared by the operators that are made for it.
func TestSimulationContext(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		kind      types.ContextKeyTypeEnum
		values    []string
		condition string
	}{
		{"string", []string{"a"}, `{"StringEquals":{"test:key":"a"}}`},
		{"stringList", []string{"a", "b"}, `{"ForAllValues:StringLike":{"test:key":["a","b*"]}}`},
		{"numeric", []string{"5"}, `{"NumericLessThan":{"test:key":"6"}}`},
		{"numericList", []string{"5", "7"}, `{"ForAnyValue:NumericEquals":{"test:key":"7"}}`},
		{"boolean", []string{"TRUE"}, `{"Bool":{"test:key":"true"}}`},
		{"boolean", []string{"yes"}, `{"Bool":{"test:key":"false"}}`},
		{"booleanList", []string{"true", "false"}, `{"ForAnyValue:Bool":{"test:key":"false"}}`},
		{"ip", []string{"192.0.2.7"}, `{"IpAddress":{"test:key":"192.0.2.0/24"}}`},
		{"ipList", []string{"192.0.2.7", "2001:db8::1"}, `{"ForAllValues:IpAddress":{"test:key":["192.0.2.0/24","2001:db8::/32"]}}`},
		{"binary", []string{"aGk="}, `{"BinaryEquals":{"test:key":"aGk="}}`},
		{"binaryList", []string{"aGk="}, `{"ForAnyValue:BinaryEquals":{"test:key":"aGk="}}`},
		{"date", []string{"2026-01-01T00:00:00Z"}, `{"DateGreaterThan":{"test:key":"2025"}}`},
		{"date", []string{"2035"}, `{"DateGreaterThan":{"test:key":"2025"}}`},
		{"dateList", []string{"1767225600"}, `{"ForAnyValue:DateEquals":{"test:key":"2026-01-01T00:00:00Z"}}`},
	} {
		in := &sdk.SimulateCustomPolicyInput{
			ActionNames: []string{"s3:GetObject"}, PolicyInputList: []string{document(saysIf("Allow", "*", "*", tt.condition))},
			ContextEntries: []types.ContextEntry{{ContextKeyName: aws.String("Test:Key"), ContextKeyType: tt.kind, ContextKeyValues: tt.values}},
		}
		if r := must[sdk.SimulateCustomPolicyOutput](w, in).EvaluationResults[0]; r.EvalDecision != "allowed" {
			t.Errorf("%s %v, %s: got %s", tt.kind, tt.values, tt.condition, r.EvalDecision)
		}
	}
	// An entry without anything is none (recorded).
	must[sdk.SimulateCustomPolicyOutput](w, &sdk.SimulateCustomPolicyInput{ActionNames: []string{"s3:GetObject"}, ContextEntries: []types.ContextEntry{{}}})
}

// What a request makes the server do is bounded.
func TestSimulationSize(t *testing.T) {
	w := newWorld(t)
	statements := make([]string, 1000)
	for i := range statements {
		statements[i] = says("Allow", "*", "*")
	}
	in := &sdk.SimulateCustomPolicyInput{PolicyInputList: []string{document(statements...)}, ActionNames: make([]string, 150)}
	for i := range in.ActionNames {
		in.ActionNames[i] = "s3:GetObject"
	}
	in.MaxItems = aws.Int32(150)
	out := must[sdk.SimulateCustomPolicyOutput](w, in)
	if got := len(out.EvaluationResults); got != 99 || !out.IsTruncated {
		t.Errorf("got %d results, truncated %v; want the 99 that try less than 100,000 statements", got, out.IsTruncated)
	}
	if got := len(out.EvaluationResults[0].MatchedStatements); got != len(statements) {
		t.Errorf("got %d statements, want all %d: each has its own place", got, len(statements))
	}
	in.ResourceArns = make([]string, 101)
	for i := range in.ResourceArns {
		in.ResourceArns[i] = objectA
	}
	_, err := w.do(in)
	wantError(t, err, "InvalidInput", "The simulation has too many resources and statements.")
	// A long statement counts as several: for each resource the answer has the names of missing keys, and the decision tries all patterns.
	for _, long := range []string{
		saysIf("Allow", "*", "*", `{"StringEquals":{"`+strings.Repeat("k", 100_000)+`":"a"}}`),
		saysIf("Allow", "*", "*", `{"StringLike":{"k":["a*`+strings.Repeat(`","a*`, 20_000)+`"]}}`),
	} {
		in := &sdk.SimulateCustomPolicyInput{PolicyInputList: []string{document(long)}, ActionNames: in.ActionNames[:1], ResourceArns: make([]string, 300)}
		for i := range in.ResourceArns {
			in.ResourceArns[i] = objectA
		}
		_, err := w.do(in)
		wantError(t, err, "InvalidInput", "The simulation has too many resources and statements.")
	}
	_, err = w.do(&sdk.SimulateCustomPolicyInput{
		ActionNames: []string{"s3:GetObject"}, PolicyInputList: []string{document(says("Allow", "*", "*")) + strings.Repeat(" ", 131072)},
	})
	wantError(t, err, "InvalidInput", "Policy input list item 1 has invalid content")
}
