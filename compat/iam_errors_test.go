package compat

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func TestIAMErrors(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	user, r, policy := server.newUser(t), server.newRole(t, trustLambda), server.newPolicy(t, allow("s3:*", "*"))
	none, s := unique("none"), aws.String
	exists := func(text string) failure { return failure{409, "EntityAlreadyExists", text} }
	missing := func(text string) failure { return failure{404, "NoSuchEntity", text} }
	malformed := func(text string) failure { return failure{400, "MalformedPolicyDocument", text} }
	invalid := func(text string) failure { return failure{400, "ValidationError", text} }
	trustOf := func(principal string) error {
		_, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: s(unique("role")),
			AssumeRolePolicyDocument: document(trust(principal))})
		return err
	}
	put := func(text string) error {
		_, err := c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &user.name, PolicyName: s("p"), PolicyDocument: &text})
		return err
	}
	tests := []struct {
		name string
		call func() error
		want failure
	}{
		{"user exists", func() error { _, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &user.name}); return err },
			exists("User with name " + user.name + " already exists.")},
		{"user exists in another case", func() error {
			_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: s(strings.ToUpper(user.name))})
			return err
		}, exists("User with name " + strings.ToUpper(user.name) + " already exists.")},
		{"role exists", func() error {
			_, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &r.name, AssumeRolePolicyDocument: document(trust(trustLambda))})
			return err
		}, exists("Role with name " + r.name + " already exists.")},
		{"no such group", func() error { _, err := c.GetGroup(ctx, &iam.GetGroupInput{GroupName: &none}); return err },
			missing("The group with name " + none + " cannot be found.")},
		{"no such policy", func() error {
			_, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &r.name, PolicyArn: s(arnPrefix + "policy/" + none)})
			return err
		}, missing("Policy " + arnPrefix + "policy/" + none + " does not exist or is not attachable.")},
		{"no such policy of AWS", func() error {
			_, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &r.name, PolicyArn: s("arn:aws:iam::aws:policy/" + none)})
			return err
		}, missing("Policy arn:aws:iam::aws:policy/" + none + " does not exist or is not attachable.")},
		{"no such inline policy", func() error {
			_, err := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &r.name, PolicyName: &none})
			return err
		}, missing("The role policy with name " + none + " cannot be found.")},
		{"no such version", func() error {
			_, err := c.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: &policy, VersionId: s("v9")})
			return err
		}, missing("Policy " + policy + " version v9 does not exist or is not attachable.")},
		{"no such boundary", func() error {
			_, err := c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: &user.name,
				PermissionsBoundary: s(arnPrefix + "policy/" + none)})
			return err
		}, missing("Scope ARN: " + arnPrefix + "policy/" + none + " does not exist or is not attachable.")},
		{"no JSON", func() error { return put("not json at all") }, malformed("Syntax errors in policy.")},
		{"old version", func() error {
			_, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{
				PolicyName: s(unique("policy")), PolicyDocument: s(strings.Replace(*document(allow("s3:*", "*")), "2012", "2008", 1)),
			})
			return err
		}, malformed("Policy document must be version 2012-10-17 or greater.")},
		{"no action", func() error { return put(*document(`{"Effect":"Allow","Resource":"*"}`)) },
			malformed("Policy statement must contain actions.")},
		{"no resource", func() error { return put(*document(`{"Effect":"Allow","Action":"s3:*"}`)) },
			malformed("Policy statement must contain resources.")},
		{"no vendor", func() error { return put(*document(allow("GetObject", "*"))) },
			malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")},
		{"no ARN", func() error { return put(*document(allow("s3:*", "bucket"))) },
			malformed(`Resource bucket must be in ARN format or "*".`)},
		{"wrong effect", func() error { return put(*document(statement("allow", "s3:*", "*"))) }, malformed("Syntax errors in policy.")},
		{"unknown operator", func() error { return put(*document(allow("s3:*", "*", `{"StringIs":{"aws:username":"x"}}`))) },
			malformed("Syntax errors in policy.")},
		{"principal in an identity policy", func() error {
			return put(*document(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`))
		}, malformed("Policy document should not specify a principal.")},
		{"two equal sids", func() error {
			return put(*document(`{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"}`,
				`{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"}`))
		}, malformed("Statement IDs (SID) in a single policy must be unique.")},
		{"too large", func() error { return put(*document(allow("s3:*", "arn:aws:s3:::"+strings.Repeat("x", 2000)))) },
			failure{409, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user " + user.name}},
		{"trust in nobody who exists", func() error { return trustOf(`{"AWS":"` + arnPrefix + "user/" + none + `"}`) },
			malformed(`Invalid principal in policy: "AWS":"` + arnPrefix + "user/" + none + `"`)},
		{"trust with a resource", func() error {
			_, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: s(unique("role")), AssumeRolePolicyDocument: document(
				`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`)})
			return err
		}, malformed("Has prohibited field Resource")},
		{"trust for another action", func() error {
			_, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: s(unique("role")), AssumeRolePolicyDocument: document(
				`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}`)})
			return err
		}, malformed("AssumeRole policy may only specify STS AssumeRole actions.")},
		{"bad name", func() error { _, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: s("a b")}); return err },
			invalid("The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")},
		{"long name", func() error {
			_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: s(strings.Repeat("x", 65))})
			return err
		}, invalid("1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64")},
		{"bad path", func() error {
			_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: s(unique("user")), Path: s("x")})
			return err
		}, invalid("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")},
		{"bad page size", func() error { _, err := c.ListUsers(ctx, &iam.ListUsersInput{MaxItems: aws.Int32(1001)}); return err },
			invalid("1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000")},
		{"bad ARN", func() error {
			_, err := c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &user.name, PolicyArn: s("no arn, and long enough")})
			return err
		}, invalid("ARN no arn, and long enough is not valid.")},
		{"bad session duration", func() error {
			_, err := c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: &r.name, MaxSessionDuration: aws.Int32(60)})
			return err
		}, invalid("1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600")},
		{"not implemented", func() error {
			_, err := c.AcquireRole(ctx, &iam.AcquireRoleInput{TemplateArn: s("arn:aws:iam::aws:role-template/" + none)})
			return err
		},
			failure{501, "NotImplemented", "licet does not implement the operation AcquireRole of iam."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			check(t, tt.call(), tt.want)
		})
	}
}
