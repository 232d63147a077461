package compat

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// explanation is the part of `licet explain --json` that programs may build on.
type explanation struct {
	Record struct {
		RequestID string `json:"request_id"`
		Account   string
		Service   string
		Operation string
		Mode      string
		Allowed   bool
		Caller    struct{ ARN string }
	}
	Decisions []struct {
		Request  struct{ Action, Resource string }
		Decision struct {
			Allowed bool
			By      string
		}
		Message string
		Fix     *struct {
			Verified bool
			Changes  []struct{ Kind, Type, Statement, Sid string }
		}
	}
	Text string
}

// explain asks the binary about a request.
func (l *licet) explain(t *testing.T, id string) explanation {
	t.Helper()
	out, err := l.command(t, l.root, l.binary, "explain", "--data", l.data, "--json", id)
	if err != nil {
		t.Fatal(err)
	}
	var e explanation
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return e
}

// statements are what the fix would have added to the caller's policies. It insists that nothing else is needed.
func (e explanation) statements(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, d := range e.Decisions {
		if d.Decision.Allowed {
			continue
		}
		if d.Fix == nil || !d.Fix.Verified {
			t.Fatalf("%s: got fix %+v, want one that is verified", d.Request.Action, d.Fix)
		}
		for _, c := range d.Fix.Changes {
			if c.Kind != "add-statement" || c.Type != "identity-based" || c.Statement == "" {
				t.Fatalf("%s: got change %+v, want a statement for an identity-based policy", d.Request.Action, c)
			}
			all = append(all, c.Statement)
		}
	}
	return all
}

// What the fix says is enough: a user who has nothing is refused, given the statements, and may then do exactly that.
func TestExplainFixWorks(t *testing.T) {
	t.Parallel()
	root, ctx, s := server.as(server.root), t.Context(), aws.String
	f, execution, other := server.newFunction(t, echo), server.newRole(t, trustLambda), server.newRole(t, trustLambda)
	trusting := server.newRole(t, `{"AWS":"`+account+`"}`)
	policy := server.newPolicy(t, allow("s3:*", "*"))
	tagged := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Tags = map[string]string{"team": "red"} })
	group := unique("/group")
	must(root.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}))(t)
	tests := []struct {
		name    string
		actions []string
		call    func(p person) error
	}{
		{"get function", []string{"lambda:GetFunction"}, func(p person) error { return p.getFunction(t, f.name) }},
		{"get tagged function", []string{"lambda:GetFunction"}, func(p person) error { return p.getFunction(t, tagged.arn) }},
		{"list functions", []string{"lambda:ListFunctions"}, func(p person) error {
			_, err := p.lambda.ListFunctions(ctx,
				nil)
			return err
		}},
		{"invoke", []string{"lambda:InvokeFunction"}, func(p person) error { _, err := p.invoke(t, f.name, "{}"); return err }},
		{"create function", []string{"lambda:CreateFunction", "iam:PassRole", "lambda:TagResource"}, func(p person) error {
			_, err := p.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
				FunctionName: s("made-by-" + p.name), Role: &execution.arn, Runtime: types.RuntimePython311, Handler: s("code.handler"),
				Code: &types.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: echo})}, Tags: map[string]string{"a": "b"},
			})
			return err
		}},
		{"change a function's role", []string{"lambda:UpdateFunctionConfiguration", "iam:PassRole"}, func(p person) error {
			_, err := p.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &tagged.name,
				Role: &other.arn})
			return err
		}},
		{"add permission", []string{"lambda:AddPermission"}, func(p person) error {
			_, err := p.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
				FunctionName: &f.name, StatementId: &p.name, Action: s("lambda:InvokeFunction"), Principal: s("s3.amazonaws.com"),
			})
			return err
		}},
		{"list users", []string{"iam:ListUsers"}, func(p person) error { _, err := p.iam.ListUsers(ctx, nil); return err }},
		{"make a user with tags and boundary", []string{"iam:CreateUser"}, func(p person) error {
			_, err := p.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: s("made-by-" + p.name), PermissionsBoundary: &policy})
			return err
		}},
		{"attach policy", []string{"iam:AttachRolePolicy"}, func(p person) error {
			_, err := p.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &other.name, PolicyArn: &policy})
			return err
		}},
		{"assume role", []string{"sts:AssumeRole"}, func(p person) error {
			_, err := p.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &trusting.arn, RoleSessionName: s("work")})
			return err
		}},
		{"read logs", []string{"logs:FilterLogEvents"}, func(p person) error {
			_, err := p.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
			return err
		}},
		{"describe groups", []string{"logs:DescribeLogGroups"}, func(p person) error {
			_, err := p.logs.DescribeLogGroups(ctx,
				nil)
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := server.newUser(t)
			err := tt.call(p)
			denied := failureOf(err)
			if denied.Message == "" {
				t.Fatal("a user without policies was let through")
			}
			e := server.explain(t, requestID(t, err))
			if e.Record.Allowed || e.Record.Caller.ARN != p.arn || e.Decisions[0].Message != denied.Message {
				t.Errorf("got allowed %v of %s with message %q, want the denial %q", e.Record.Allowed, e.Record.Caller.ARN,
					e.Decisions[0].Message, denied.Message)
			}
			var actions []string
			for _, d := range e.Decisions {
				actions = append(actions, d.Request.Action)
				if !strings.Contains(e.Text, d.Request.Action) {
					t.Errorf("the text does not name %s:\n%s", d.Request.Action, e.Text)
				}
			}
			if diff := cmp.Diff(actions, tt.actions); diff != "" {
				t.Errorf("actions: -got +want:\n%s", diff)
			}
			server.permit(t, p, e.statements(t)...)
			check(t, tt.call(p), failure{})
			// The grant is for this call: nothing else came with it.
			_, err = p.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &execution.name})
			check(t, err, failure{403, "AccessDenied", noPolicyAllows(p.arn, "iam:GetRole", byName(execution.arn), "identity-based policy")})
		})
	}
}

// Each part of a denial that is not a missing statement is named for what it is.
func TestExplainOtherFixes(t *testing.T) {
	t.Parallel()
	f, root := server.newFunction(t, echo), server.as(server.root)
	tests := []struct {
		name       string
		statements []string
		boundary   []string
		want       []string // kind and type of each change
	}{
		{"explicit deny", []string{allow("lambda:*", "*"),
			`{"Sid":"NoReading","Effect":"Deny","Action":"lambda:Get*","Resource":"*"}`}, nil,
			[]string{"remove-statement identity-based NoReading"}},
		{"boundary", []string{allow("lambda:*", "*")}, []string{allow("s3:*", "*")}, []string{"add-statement permissions-boundary "}},
		{"boundary and nothing", nil, []string{allow("s3:*", "*")},
			[]string{"add-statement identity-based ", "add-statement permissions-boundary "}},
		{"condition", []string{`{"Sid":"Home","Effect":"Allow","Action":"lambda:GetFunction","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`}, nil,
			[]string{"meet-condition identity-based Home"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := server.newUser(t, tt.statements...)
			if tt.boundary != nil {
				must(root.iam.PutUserPermissionsBoundary(t.Context(), &iam.PutUserPermissionsBoundaryInput{
					UserName: &p.name, PermissionsBoundary: aws.String(server.newPolicy(t, tt.boundary...)),
				}))(t)
			}
			e := server.explain(t, requestID(t, p.getFunction(t, f.name)))
			var got []string
			for _, c := range e.Decisions[0].Fix.Changes {
				got = append(got, c.Kind+" "+c.Type+" "+c.Sid)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" || !e.Decisions[0].Fix.Verified {
				t.Errorf("verified %v: -got +want:\n%s", e.Decisions[0].Fix.Verified, diff)
			}
		})
	}
}

// An explanation is of the policies as they were, not as they are.
func TestExplainThePast(t *testing.T) {
	t.Parallel()
	f, p := server.newFunction(t, echo), server.newUser(t, `{"Sid":"Then","Effect":"Deny","Action":"lambda:*","Resource":"*"}`)
	id := requestID(t, p.getFunction(t, f.name))
	server.permit(t, p, allow("lambda:*", "*"))
	check(t, p.getFunction(t, f.name), failure{})
	e := server.explain(t, id)
	if e.Record.Allowed || e.Decisions[0].Fix.Changes[0].Sid != "Then" {
		t.Errorf("got %s", e.Text)
	}
}

// What a person reads names the permission that is missing and the statement that gives it.
func TestExplainText(t *testing.T) {
	t.Parallel()
	p := server.newUser(t)
	_, err := p.lambda.ListFunctions(t.Context(), nil)
	id := requestID(t, err)
	out, err := server.command(t, server.root, server.binary, "explain", id)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		id, "DENIED: " + noPolicyAllows(p.arn, "lambda:ListFunctions", "*", "identity-based policy"),
		`{"Effect":"Allow","Action":"lambda:ListFunctions","Resource":"*"}`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("got no %q in\n%s", want, out)
		}
	}
}

// Calls that are allowed can be explained too, and those that AWS never denies.
func TestExplainAllowed(t *testing.T) {
	t.Parallel()
	p := server.newUser(t, `{"Sid":"Listing","Effect":"Allow","Action":"lambda:List*","Resource":"*"}`)
	out := must(p.lambda.ListFunctions(t.Context(), nil))(t)
	e := server.explain(t, responseID(t, out.ResultMetadata))
	if !e.Record.Allowed || e.Decisions[0].Fix != nil || !strings.Contains(e.Text,
		"ALLOWED by identity-based policy "+p.name+"/inline/own") || !strings.Contains(e.Text, "Listing") {
		t.Errorf("got allowed %v, %s", e.Record.Allowed, e.Text)
	}
	identity := must(p.sts.GetCallerIdentity(t.Context(), nil))(t)
	if e := server.explain(t, responseID(t, identity.ResultMetadata)); !e.Record.Allowed || !strings.Contains(e.Text,
		"sts:GetCallerIdentity is always allowed") {
		t.Errorf("got allowed %v, %s", e.Record.Allowed, e.Text)
	}
}

// The log is the root's alone, and a request that is not there is an error.
func TestExplainRefuses(t *testing.T) {
	t.Parallel()
	p := server.newUser(t, allow("*", "*"))
	_, err := p.logs.DescribeQueries(t.Context(), nil)
	id := requestID(t, err)
	tests := []struct {
		name   string
		caller aws.Credentials
		args   []string
		want   string
	}{
		{"a user", p.credentials, []string{id}, "Only the root of an account may read its decision log."},
		{"a user, the last", p.credentials, []string{"--last"}, "Only the root of an account may read its decision log."},
		{"wrong secret", aws.Credentials{AccessKeyID: server.root.AccessKeyID, SecretAccessKey: "wrong"}, []string{id}, "403 Forbidden"},
		{"unknown id", server.root, []string{"00000000-0000-0000-0000-000000000000"},
			"The decision log has no request 00000000-0000-0000-0000-000000000000."},
		{"no id", server.root, nil, "give a request id, or --last, or --denied"},
		{"id and --last", server.root, []string{id, "--last"}, "give a request id, or --last, or --denied"},
		{"an id of a path", server.root, []string{"../health"}, "The decision log has no request ../health."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := server.command(t, tt.caller, server.binary, append([]string{"explain"}, tt.args...)...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || out != "" {
				t.Errorf("got %q, %v, want an error with %q", out, err, tt.want)
			}
		})
	}
}

// AWS's answer to a policy that does not parse says little; the explanation says where.
func TestExplainMalformedPolicy(t *testing.T) {
	t.Parallel()
	p := server.newUser(t)
	_, err := server.as(server.root).iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: &p.name, PolicyName: aws.String("broken"), PolicyDocument: aws.String("{\"Version\":\"2012-10-17\",\n\"Statement\":[,]}"),
	})
	check(t, err, failure{400, "MalformedPolicyDocument", "Syntax errors in policy."})
	want := "answered MalformedPolicyDocument: Syntax errors in policy.\n  line 2, column 14 (byte 38): "
	if e := server.explain(t, requestID(t, err)); !strings.Contains(e.Text, want) {
		t.Errorf("got no %q in\n%s", want, e.Text)
	}
}
