package compat

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// The classic ways to more permissions than one has. Each fails as in AWS for who lacks the one permission that it needs, and
// succeeds for who has it.

// iamDenied is IAM's denial of an action because no policy of the type allows it.
func iamDenied(caller, action, resource, policyType string) failure {
	return failure{403, "AccessDenied", noPolicyAllows(caller, action, resource, policyType)}
}

// everything is a policy that allows all.
func everything() *string { return document(allow("*", "*")) }

// isAdmin tells whether a caller may do what only administrators may.
func (c clients) isAdmin(t *testing.T) bool {
	t.Helper()
	_, err := c.iam.ListUsers(t.Context(), nil)
	return err == nil
}

func TestEscalationByPolicy(t *testing.T) {
	t.Parallel()
	root := server.as(server.root).iam
	for _, tt := range []struct {
		name, action string
		// resource gives the ARN that the action is about, call makes the attempt of p.
		resource func(t *testing.T, p person) string
		call     func(t *testing.T, p person, resource string) error
	}{
		{"put an inline policy on oneself", "iam:PutUserPolicy", own, func(t *testing.T, p person, _ string) error {
			_, err := p.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &p.name, PolicyName: aws.String("more"), PolicyDocument: everything()})
			return err
		}},
		{"attach a policy to oneself", "iam:AttachUserPolicy", own, func(t *testing.T, p person, _ string) error {
			_, err := p.iam.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{
				UserName: &p.name, PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess"),
			})
			return err
		}},
		{"make a new version of one's policy", "iam:CreatePolicyVersion", ownPolicy, func(t *testing.T, p person, policy string) error {
			_, err := p.iam.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: &policy, PolicyDocument: everything(), SetAsDefault: true})
			return err
		}},
		{"go back to an older version of one's policy", "iam:SetDefaultPolicyVersion", func(t *testing.T, p person) string {
			policy := ownPolicy(t, p)
			must(root.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: &policy, PolicyDocument: everything()}))(t)
			return policy
		}, func(t *testing.T, p person, policy string) error {
			_, err := p.iam.SetDefaultPolicyVersion(t.Context(), &iam.SetDefaultPolicyVersionInput{PolicyArn: &policy, VersionId: aws.String("v2")})
			return err
		}},
		{"put an inline policy on one's group", "iam:PutGroupPolicy", ownGroup, func(t *testing.T, p person, _ string) error {
			_, err := p.iam.PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{
				GroupName: &p.name, PolicyName: aws.String("more"), PolicyDocument: everything(),
			})
			return err
		}},
		{"attach a policy to one's group", "iam:AttachGroupPolicy", ownGroup, func(t *testing.T, p person, _ string) error {
			_, err := p.iam.AttachGroupPolicy(t.Context(), &iam.AttachGroupPolicyInput{
				GroupName: &p.name, PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess"),
			})
			return err
		}},
		{"join a group", "iam:AddUserToGroup", func(t *testing.T, p person) string {
			group := must(root.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("admins-" + p.name)}))(t).Group
			must(root.PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{
				GroupName: group.GroupName, PolicyName: aws.String("all"), PolicyDocument: everything(),
			}))(t)
			return *group.Arn
		}, func(t *testing.T, p person, _ string) error {
			_, err := p.iam.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{UserName: &p.name, GroupName: aws.String("admins-" + p.name)})
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := server.newUser(t, allow("s3:*", "*"))
			resource := tt.resource(t, p)
			check(t, tt.call(t, p, resource), iamDenied(p.arn, tt.action, byName(resource), "identity-based policy"))
			if p.isAdmin(t) {
				t.Fatal("a denied call made an administrator")
			}
			server.permit(t, p, allow(tt.action, resource))
			check(t, tt.call(t, p, resource), failure{})
			if !p.isAdmin(t) {
				t.Error("the permitted call did not make an administrator: the attempt proves nothing")
			}
		})
	}
}

func own(_ *testing.T, p person) string { return p.arn }

// ownPolicy attaches a policy to a user, and ownGroup puts the user into a group of the same name.
func ownPolicy(t *testing.T, p person) string {
	t.Helper()
	policy := server.newPolicy(t, allow("s3:*", "*"))
	must(server.as(server.root).iam.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: &p.name, PolicyArn: &policy}))(t)
	return policy
}

func ownGroup(t *testing.T, p person) string {
	t.Helper()
	root := server.as(server.root).iam
	group := must(root.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: &p.name}))(t).Group
	must(root.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{UserName: &p.name, GroupName: &p.name}))(t)
	return *group.Arn
}

// A session of a role tries to make its own role stronger.
func TestEscalationOfARole(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		action string
		call   func(t *testing.T, c clients, r role) error
	}{
		{"iam:PutRolePolicy", func(t *testing.T, c clients, r role) error {
			_, err := c.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &r.name, PolicyName: aws.String("more"), PolicyDocument: everything()})
			return err
		}},
		{"iam:AttachRolePolicy", func(t *testing.T, c clients, r role) error {
			_, err := c.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{
				RoleName: &r.name, PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess"),
			})
			return err
		}},
	} {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			p := server.newUser(t)
			r := server.newRole(t, `{"AWS":"`+p.arn+`"}`)
			session := server.assume(t, p.clients, &sts.AssumeRoleInput{RoleArn: &r.arn})
			caller := "arn:aws:sts::" + account + ":assumed-role/" + r.name + "/session"
			check(t, tt.call(t, session, r), iamDenied(caller, tt.action, byName(r.arn), "identity-based policy"))
			server.permitRole(t, r, allow(tt.action, r.arn))
			check(t, tt.call(t, session, r), failure{})
			if !session.isAdmin(t) {
				t.Error("the permitted call did not make an administrator: the attempt proves nothing")
			}
		})
	}
}

// Who can change whom a role trusts can be that role.
func TestEscalationByTrust(t *testing.T) {
	t.Parallel()
	p, r := server.newUser(t), server.newRole(t, trustLambda, allow("*", "*"))
	update := func() error {
		_, err := p.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
			RoleName: &r.name, PolicyDocument: document(trust(`{"AWS":"` + p.arn + `"}`)),
		})
		return err
	}
	check(t, update(), iamDenied(p.arn, "iam:UpdateAssumeRolePolicy", byName(r.arn), "identity-based policy"))
	_, err := p.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &r.arn, RoleSessionName: aws.String("session")})
	if f := failureOf(err); f.Code != "AccessDenied" {
		t.Fatalf("got %+v, want a denial", f)
	}
	server.permit(t, p, allow("iam:UpdateAssumeRolePolicy", r.arn))
	check(t, update(), failure{})
	if !server.assume(t, p.clients, &sts.AssumeRoleInput{RoleArn: &r.arn}).isAdmin(t) {
		t.Error("the permitted call did not make an administrator: the attempt proves nothing")
	}
}

// Who can make keys of another user can be that user.
func TestEscalationByAccessKey(t *testing.T) {
	t.Parallel()
	admin, p := server.newUser(t, allow("*", "*")), server.newUser(t, allow("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}"))
	create := func() (*iam.CreateAccessKeyOutput, error) {
		return p.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &admin.name})
	}
	_, err := create()
	check(t, err, iamDenied(p.arn, "iam:CreateAccessKey", byName(admin.arn), "identity-based policy"))
	server.permit(t, p, allow("iam:CreateAccessKey", admin.arn))
	key := must(create())(t).AccessKey
	if !server.as(aws.Credentials{AccessKeyID: *key.AccessKeyId, SecretAccessKey: *key.SecretAccessKey}).isAdmin(t) {
		t.Error("the new key is not the administrator's: the attempt proves nothing")
	}
}

// Who can give another user a password can sign in to the console as that user.
func TestEscalationByPassword(t *testing.T) {
	t.Parallel()
	admin, p := server.newUser(t, allow("*", "*")), server.newUser(t, allow("iam:*LoginProfile", "arn:aws:iam::*:user/${aws:username}"))
	password := func(text string, create bool) error {
		if create {
			_, err := p.iam.CreateLoginProfile(t.Context(), &iam.CreateLoginProfileInput{UserName: &admin.name, Password: &text})
			return err
		}
		_, err := p.iam.UpdateLoginProfile(t.Context(), &iam.UpdateLoginProfileInput{UserName: &admin.name, Password: &text})
		return err
	}
	check(t, password("Escalation-1", true), iamDenied(p.arn, "iam:CreateLoginProfile", byName(admin.arn), "identity-based policy"))
	check(t, password("Escalation-1", false), iamDenied(p.arn, "iam:UpdateLoginProfile", byName(admin.arn), "identity-based policy"))
	server.permit(t, p, allow("iam:*LoginProfile", admin.arn))
	check(t, password("Escalation-1", true), failure{})
	check(t, password("Escalation-2", false), failure{})
}

// A role is passed to a service by who may pass it, and to that service alone.
func TestEscalationByPassRole(t *testing.T) {
	t.Parallel()
	admin, ec2 := server.newRole(t, trustLambda, allow("*", "*")), server.newRole(t, `{"Service":"ec2.amazonaws.com"}`, allow("*", "*"))
	profile := unique("profile")
	must(server.as(server.root).iam.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: &profile}))(t)
	to := func(service string) string { return `{"StringEquals":{"iam:PassedToService":"` + service + `"}}` }
	for _, tt := range []struct {
		name, own, role string
		right, wrong    string // services
		denied          func(caller, action, resource, policyType string) failure
		call            func(p person) error
	}{
		{"CreateFunction", "lambda:CreateFunction", admin.arn, "lambda.amazonaws.com", "ec2.amazonaws.com", lambdaDenied, func(p person) error {
			_, err := p.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
				FunctionName: aws.String(unique("function")), Runtime: lambdatypes.RuntimePython311, Handler: aws.String("code.handler"),
				Role: &admin.arn, Code: &lambdatypes.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: echo})},
			})
			return err
		}},
		{"AddRoleToInstanceProfile", "iam:AddRoleToInstanceProfile", ec2.arn, "ec2.amazonaws.com", "lambda.amazonaws.com", iamDenied, func(p person) error {
			_, err := p.iam.AddRoleToInstanceProfile(t.Context(), &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &profile, RoleName: &ec2.name})
			return err
		}},
	} {
		p := server.newUser(t, allow(tt.own, "*"))
		denied := tt.denied(p.arn, "iam:PassRole", tt.role, "identity-based policy")
		check(t, tt.call(p), denied)
		server.permit(t, p, allow(tt.own, "*"), allow("iam:PassRole", tt.role, to(tt.wrong)))
		check(t, tt.call(p), denied)
		server.permit(t, p, allow("iam:PassRole", tt.role))
		if f := failureOf(tt.call(p)); f.Status != 403 {
			t.Errorf("%s: got %+v for who may pass the role only", tt.name, f)
		}
		server.permit(t, p, allow(tt.own, "*"), allow("iam:PassRole", tt.role, to(tt.right)))
		check(t, tt.call(p), failure{})
	}
}

// A delegated administrator may do all of IAM, as long as who is made or changed keeps the boundary.
func TestEscalationByBoundary(t *testing.T) {
	t.Parallel()
	root, ctx := server.as(server.root).iam, t.Context()
	limit, other := server.newPolicy(t, allow("s3:*", "*")), server.newPolicy(t, allow("*", "*"))
	kept := `{"StringEquals":{"iam:PermissionsBoundary":"` + limit + `"}}`
	delegate := server.newUser(t, allow("iam:CreateUser", "*", kept), allow("iam:PutUserPermissionsBoundary", "*", kept),
		allow("iam:AttachUserPolicy", "*", kept))

	create := func(boundary *string) (string, error) {
		name := unique("made")
		_, err := delegate.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name, PermissionsBoundary: boundary})
		return name, err
	}
	for _, boundary := range []*string{nil, &other} {
		name, err := create(boundary)
		check(t, err, iamDenied(delegate.arn, "iam:CreateUser", arnPrefix+"user/"+name, "identity-based policy"))
	}
	made, err := create(&limit)
	check(t, err, failure{})
	_, err = delegate.iam.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: &made, PermissionsBoundary: &other})
	check(t, err, iamDenied(delegate.arn, "iam:PutUserPermissionsBoundary", arnPrefix+"user/"+made, "identity-based policy"))
	_, err = delegate.iam.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: &made})
	check(t, err, iamDenied(delegate.arn, "iam:DeleteUserPermissionsBoundary", "user "+made, "identity-based policy"))
	_, err = delegate.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &made, PolicyArn: &other})
	check(t, err, failure{})
	_, err = delegate.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &delegate.name, PolicyArn: &other}) // has no boundary
	check(t, err, iamDenied(delegate.arn, "iam:AttachUserPolicy", byName(delegate.arn), "identity-based policy"))

	// A boundary holds against its bearer, who may otherwise do everything.
	p := server.newUser(t, allow("*", "*"))
	must(root.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: &p.name, PermissionsBoundary: &limit}))(t)
	remove := func() error {
		_, err := p.iam.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: &p.name})
		return err
	}
	check(t, remove(), iamDenied(p.arn, "iam:DeleteUserPermissionsBoundary", byName(p.arn), "permissions boundary"))
	if p.isAdmin(t) {
		t.Error("the boundary does not hold")
	}
	must(root.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: &p.name, PermissionsBoundary: &other}))(t)
	check(t, remove(), failure{})
	if !p.isAdmin(t) {
		t.Error("without its boundary the user is no administrator: the attempt proves nothing")
	}
}
