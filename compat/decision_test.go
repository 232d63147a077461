package compat

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// getFunction is the call by which most tests here ask for a decision.
func (c clients) getFunction(t *testing.T, name string) error {
	t.Helper()
	_, err := c.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: &name})
	return err
}

// explicitDeny is Lambda's denial of GetFunction by a Deny statement.
func explicitDeny(caller, arn, policy string) failure {
	return failure{403, "AccessDeniedException",
		"User: " + caller + " is not authorized to perform: lambda:GetFunction on resource: " + arn + " with an explicit deny in " + policy}
}

// Each kind of policy alone and together: what allows, what limits, and who is named in the denial.
func TestDecisionPolicyTypes(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, echo)
	const action = "lambda:GetFunction"
	yes, no, other := allow(action, f.arn), deny(action, f.arn), allow("lambda:InvokeFunction", "*")
	denyingPolicy := server.newPolicy(t, no)
	tests := []struct {
		name     string
		inline   string
		group    string
		managed  string // ARN
		boundary string // ARN
		want     func(p person) failure
	}{
		{"nothing", "", "", "", "", func(p person) failure { return lambdaDenied(p.arn, action, f.arn, "identity-based policy") }},
		{"inline", yes, "", "", "", nil},
		{"inline for something else", other, "", "", "", func(p person) failure {
			return lambdaDenied(p.arn, action, f.arn, "identity-based policy")
		}},
		{"group", "", yes, "", "", nil},
		{"managed", "", "", server.newPolicy(t, yes), "", nil},
		{"inline and boundary", yes, "", "", server.newPolicy(t, allow("lambda:*", "*")), nil},
		{"boundary alone grants nothing", "", "", "", server.newPolicy(t, allow("lambda:*", "*")), func(p person) failure {
			return lambdaDenied(p.arn, action, f.arn, "identity-based policy")
		}},
		{"boundary limits", yes, "", "", server.newPolicy(t, other), func(p person) failure {
			return lambdaDenied(p.arn, action, f.arn, "permissions boundary")
		}},
		{"deny in the group", yes, no, "", "", func(p person) failure { return explicitDeny(p.arn, f.arn, "an identity-based policy") }},
		{"deny in the managed policy", yes, "", denyingPolicy, "", func(p person) failure {
			return explicitDeny(p.arn, f.arn, "an identity-based policy: "+denyingPolicy)
		}},
		{"deny in the boundary", yes, "", "", denyingPolicy, func(p person) failure {
			return explicitDeny(p.arn, f.arn, "a permissions boundary: "+denyingPolicy)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, root, ctx := server.newUser(t), server.as(server.root).iam, t.Context()
			if tt.inline != "" {
				server.permit(t, p, tt.inline)
			}
			if tt.group != "" {
				name := unique("group")
				must(root.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &name}))(t)
				must(root.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: &name, PolicyName: aws.String("p"),
					PolicyDocument: document(tt.group)}))(t)
				must(root.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &name, UserName: &p.name}))(t)
			}
			if tt.managed != "" {
				must(root.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &p.name, PolicyArn: &tt.managed}))(t)
			}
			if tt.boundary != "" {
				must(root.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: &p.name,
					PermissionsBoundary: &tt.boundary}))(t)
			}
			want := failure{}
			if tt.want != nil {
				want = tt.want(p)
			}
			check(t, p.getFunction(t, f.name), want)
		})
	}
}

// The function's own policy lets a user of the account in, whatever its identity policies leave out. A boundary does not limit a
// grant to the user itself, a Deny does (iam.md D6).
func TestDecisionResourcePolicy(t *testing.T) {
	t.Parallel()
	f, root := server.newFunction(t, echo), server.as(server.root)
	p, bounded, denied, other := server.newUser(t), server.newUser(t), server.newUser(t, deny("lambda:GetFunction",
		"*")), server.newUser(t)
	must(root.iam.PutUserPermissionsBoundary(t.Context(), &iam.PutUserPermissionsBoundaryInput{
		UserName: &bounded.name, PermissionsBoundary: aws.String(server.newPolicy(t, allow("s3:*", "*"))),
	}))(t)
	for _, u := range []person{p, bounded, denied} {
		must(root.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: &f.name, StatementId: &u.name, Action: aws.String("lambda:GetFunction"), Principal: &u.arn,
		}))(t)
	}
	check(t, p.getFunction(t, f.name), failure{})
	check(t, bounded.getFunction(t, f.name), failure{})
	check(t, denied.getFunction(t, f.name), explicitDeny(denied.arn, f.arn, "an identity-based policy"))
	check(t, other.getFunction(t, f.name), lambdaDenied(other.arn, "lambda:GetFunction", f.arn, "identity-based policy"))
	// The grant is for the unqualified ARN alone (lambda.md 1.4).
	check(t, p.getFunction(t, f.name+":$LATEST"), lambdaDenied(p.arn, "lambda:GetFunction", f.arn+":$LATEST", "identity-based policy"))
	must(root.lambda.RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: &f.name, StatementId: &p.name}))(t)
	check(t, p.getFunction(t, f.name), lambdaDenied(p.arn, "lambda:GetFunction", f.arn, "identity-based policy"))
}

// A grant to a role goes through its session's policy; a grant to the session itself does not (iam.md D6).
func TestDecisionResourcePolicyForRoles(t *testing.T) {
	t.Parallel()
	f, g, root, user := server.newFunction(t, echo), server.newFunction(t, echo), server.as(server.root), server.newUser(t)
	r := server.newRole(t, `{"AWS":"`+user.arn+`"}`)
	session := server.assume(t, user.clients, &sts.AssumeRoleInput{RoleArn: &r.arn})
	narrow := server.assume(t, user.clients, &sts.AssumeRoleInput{
		RoleArn: &r.arn, RoleSessionName: aws.String("narrow"), Policy: document(allow("s3:*", "*")),
	})
	grant := func(f function, sid, principal string) {
		t.Helper()
		must(root.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: &f.name, StatementId: &sid, Action: aws.String("lambda:GetFunction"), Principal: &principal,
		}))(t)
	}
	grant(f, "role", r.arn)
	grant(g, "session", r.sessionARN("narrow"))
	check(t, session.getFunction(t, f.name), failure{})
	check(t, narrow.getFunction(t, f.name), lambdaDenied(r.sessionARN("narrow"), "lambda:GetFunction", f.arn, "session policy"))
	check(t, narrow.getFunction(t, g.name), failure{})
	check(t, session.getFunction(t, g.name), lambdaDenied(r.sessionARN("session"), "lambda:GetFunction", g.arn,
		"identity-based policy"))
}

// Conditions and variables over what the front door knows of a call.
func TestDecisionConditions(t *testing.T) {
	t.Parallel()
	red := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Tags = map[string]string{"team": "red"} })
	root := server.as(server.root)
	const action = "lambda:GetFunction"
	// mine is a resource that ends in the caller's name.
	mine := "arn:aws:lambda:*:*:function:*${aws:username}"
	tests := []struct {
		name      string
		statement string
		function  func(t *testing.T, p person) function
		tags      map[string]string
		allowed   bool
	}{
		{"source address", allow(action, "*", `{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`), nil, nil, true},
		{"another source address", allow(action, "*", `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), nil, nil, false},
		{"not that source address", allow(action, "*", `{"NotIpAddress":{"aws:SourceIp":"127.0.0.1"}}`), nil, nil, false},
		{"user name in the resource", allow(action, mine), func(t *testing.T, p person) function {
			return server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String("of-" + p.name) })
		}, nil, true},
		{"another's name in the resource", allow(action, mine), nil, nil, false},
		{"principal tag", allow(action, "*", `{"StringEquals":{"aws:PrincipalTag/team":"red"}}`), nil,
			map[string]string{"team": "red"}, true},
		{"principal tag in another case", allow(action, "*", `{"StringEquals":{"aws:PrincipalTag/Team":"red"}}`), nil,
			map[string]string{"tEAM": "red"}, true},
		{"another principal tag", allow(action, "*", `{"StringEquals":{"aws:PrincipalTag/team":"red"}}`), nil,
			map[string]string{"team": "blue"}, false},
		{"no principal tag", allow(action, "*", `{"StringEquals":{"aws:PrincipalTag/team":"red"}}`), nil, nil, false},
		{"resource tag", allow(action, "*", `{"StringEquals":{"aws:ResourceTag/team":"red"}}`), nil, nil, true},
		{"another resource tag", allow(action, "*", `{"StringEquals":{"aws:ResourceTag/team":"blue"}}`), nil, nil, false},
		{"resource tag is the principal's", allow(action, "*",
			`{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}`), nil, map[string]string{"team": "red"}, true},
		{"resource tag is not the principal's", allow(action, "*",
			`{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}`), nil, map[string]string{"team": "blue"}, false},
		{"without TLS", allow(action, "*", `{"Bool":{"aws:SecureTransport":"true"}}`), nil, nil, false},
		{"region", allow(action, "*", `{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}`), nil, nil, true},
		{"no MFA with long-term keys", allow(action, "*", `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}`), nil, nil, true},
		{"MFA", allow(action, "*", `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), nil, nil, false},
		{"time", allow(action, "*", `{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}`), nil, nil, true},
		{"time that is over", allow(action, "*", `{"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}`), nil, nil, false},
		{"user agent", allow(action, "*", `{"StringLike":{"aws:UserAgent":"aws-sdk-go-v2/*"}}`), nil, nil, true},
		{"action in another case", allow("LAMBDA:getfunction", "*"), nil, nil, true},
		{"wildcards", allow("lambda:Get*", "arn:aws:lambda:us-east-?:*:function:*"), nil, nil, true},
		{"versions and aliases only", allow(action, "arn:aws:lambda:us-east-1:"+account+":function:*:*"), nil, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, f := server.newUser(t, tt.statement), red
			if tt.function != nil {
				f = tt.function(t, p)
			}
			for k, v := range tt.tags {
				must(root.iam.TagUser(t.Context(), &iam.TagUserInput{UserName: &p.name, Tags: []iamtypes.Tag{{Key: &k, Value: &v}}}))(t)
			}
			want := failure{}
			if !tt.allowed {
				want = lambdaDenied(p.arn, action, f.arn, "identity-based policy")
			}
			check(t, p.getFunction(t, f.name), want)
		})
	}
}

// To make a function one must be allowed to pass its role, to Lambda; its tags are a permission too.
func TestDecisionPassRole(t *testing.T) {
	t.Parallel()
	r, other := server.newRole(t, trustLambda), server.newRole(t, trustLambda)
	create := allow("lambda:CreateFunction", "*")
	toLambda := `{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}`
	toEC2 := `{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}`
	passDenied := func(p person, _ string) failure {
		return lambdaDenied(p.arn, "iam:PassRole", r.arn, "identity-based policy")
	}
	tests := []struct {
		name       string
		statements []string
		tags       map[string]string
		want       func(p person, function string) failure
	}{
		{"no permission at all", nil, nil, func(p person, f string) failure {
			return lambdaDenied(p.arn, "lambda:CreateFunction", f, "identity-based policy")
		}},
		{"no PassRole", []string{create}, nil, passDenied},
		{"PassRole of another role", []string{create, allow("iam:PassRole", other.arn)}, nil, passDenied},
		{"PassRole", []string{create, allow("iam:PassRole", r.arn)}, nil, nil},
		{"PassRole to Lambda", []string{create, allow("iam:PassRole", "*", toLambda)}, nil, nil},
		{"PassRole to another service", []string{create, allow("iam:PassRole", "*", toEC2)}, nil, passDenied},
		{"tags", []string{create, allow("iam:PassRole", "*")}, map[string]string{"team": "red"}, func(p person, f string) failure {
			return lambdaDenied(p.arn, "lambda:TagResource", f, "identity-based policy")
		}},
		{"tags that are allowed", []string{create, allow("iam:PassRole", "*"), allow("lambda:TagResource", "*",
			`{"StringEquals":{"aws:RequestTag/team":"red"}}`)},
			map[string]string{"team": "red"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, name := server.newUser(t, tt.statements...), unique("function")
			_, err := p.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
				FunctionName: &name, Role: &r.arn, Runtime: types.RuntimePython311, Handler: aws.String("code.handler"), Tags: tt.tags,
				Code: &types.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: echo})},
			})
			want := failure{}
			if tt.want != nil {
				want = tt.want(p, "arn:aws:lambda:us-east-1:"+account+":function:"+name)
			}
			check(t, err, want)
		})
	}
}

// Who is not allowed to see a function does not learn whether it exists.
func TestDecisionBeforeExistence(t *testing.T) {
	t.Parallel()
	p, root := server.newUser(t), server.as(server.root)
	none := unique("none")
	arn := "arn:aws:lambda:us-east-1:" + account + ":function:" + none
	check(t, p.getFunction(t, none), lambdaDenied(p.arn, "lambda:GetFunction", arn, "identity-based policy"))
	check(t, root.getFunction(t, none), failure{404, "ResourceNotFoundException", "Function not found: " + arn})
	_, err := p.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: &none})
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(p.arn, "iam:GetUser", "user "+none, "identity-based policy")})
}

// Every way to take a permission away works from the next request on.
func TestDecisionRevocation(t *testing.T) {
	t.Parallel()
	f, root, ctx := server.newFunction(t, echo), server.as(server.root).iam, t.Context()
	p, group := server.newUser(t), unique("group")
	managed := server.newPolicy(t, allow("lambda:GetFunction", "*"))
	must(root.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group}))(t)
	must(root.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{
		GroupName: &group, PolicyName: aws.String("p"), PolicyDocument: document(allow("lambda:GetFunction", "*")),
	}))(t)
	nothing, yes := document(allow("s3:*", "*")), document(allow("lambda:GetFunction", "*"))
	denied := lambdaDenied(p.arn, "lambda:GetFunction", f.arn, "identity-based policy")
	steps := []struct {
		name string
		do   func() error
		want failure
	}{
		{"put", func() error {
			_, err := root.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &p.name, PolicyName: aws.String("p"), PolicyDocument: yes})
			return err
		}, failure{}},
		{"replace", func() error {
			_, err := root.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &p.name, PolicyName: aws.String("p"),
				PolicyDocument: nothing})
			return err
		}, denied},
		{"join", func() error {
			_, err := root.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: &p.name, GroupName: &group})
			return err
		}, failure{}},
		{"leave", func() error {
			_, err := root.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: &p.name, GroupName: &group})
			return err
		}, denied},
		{"attach", func() error {
			_, err := root.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &p.name, PolicyArn: &managed})
			return err
		}, failure{}},
		{"new default version", func() error {
			_, err := root.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &managed, PolicyDocument: nothing,
				SetAsDefault: true})
			return err
		}, denied},
		{"old default version", func() error {
			_, err := root.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: &managed, VersionId: aws.String("v1")})
			return err
		}, failure{}},
		{"detach", func() error {
			_, err := root.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &p.name, PolicyArn: &managed})
			return err
		}, denied},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := failureOf(p.getFunction(t, f.name)); got != s.want {
			t.Errorf("after %s: got %+v, want %+v", s.name, got, s.want)
		}
	}
}

// GetFunction shows tags to who may list them; the others are told why they see none.
func TestDecisionTagsInGetFunction(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Tags = map[string]string{"team": "red"} })
	p := server.newUser(t, allow("lambda:GetFunction", "*"))
	get := func() *lambda.GetFunctionOutput {
		t.Helper()
		return must(p.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: &f.name}))(t)
	}
	out := get()
	if out.Tags != nil || out.TagsError == nil || *out.TagsError.ErrorCode != "AccessDeniedException" {
		t.Errorf("without permission: got tags %v, error %v", out.Tags, out.TagsError)
	}
	server.permit(t, p, allow("lambda:GetFunction", "*"), allow("lambda:ListTags", "*"))
	if out := get(); out.Tags["team"] != "red" || out.TagsError != nil {
		t.Errorf("with permission: got tags %v, error %v", out.Tags, out.TagsError)
	}
}
