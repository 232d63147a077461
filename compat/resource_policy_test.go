package compat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// grants is a statement of a resource-based policy. rest has further elements, the action among them.
func grants(effect, principal, resource, rest string) string {
	return fmt.Sprintf(`{"Effect":%q,"Principal":%s,"Resource":%q,%s}`, effect, principal, resource, rest)
}

// putPolicy makes statements the whole policy of a function, a version or an alias.
func (c clients) putPolicy(t *testing.T, arn string, statements ...string) (*lambda.PutResourcePolicyOutput, error) {
	t.Helper()
	return c.lambda.PutResourcePolicy(t.Context(), &lambda.PutResourcePolicyInput{ResourceArn: &arn, Policy: document(statements...)})
}

// byResourcePolicy is Lambda's denial by a Deny statement of the function's policy.
func byResourcePolicy(caller, action, resource string) failure {
	return failure{403, "AccessDeniedException", "User: " + caller + " is not authorized to perform: " + action + " on resource: " + resource +
		" with an explicit deny in a resource-based policy"}
}

// A whole policy speaks the full language, and what it denies is denied whatever else allows it.
func TestWholePolicyDecisions(t *testing.T) {
	t.Parallel()
	f, root, ctx := server.newFunction(t, echo), server.as(server.root), t.Context()
	p, strong, other := server.newUser(t), server.newUser(t, allow("lambda:*", "*")), server.newUser(t)
	latest := f.arn + ":$LATEST"
	both := `{"AWS":["` + p.arn + `","` + strong.arn + `"]}`
	const get, action = `"Action":["lambda:GetFunction*","lambda:GetPolicy"]`, "lambda:GetFunction"

	must(root.putPolicy(t, f.arn, grants("Allow", both, f.arn, get)))(t)
	check(t, p.getFunction(t, f.name), failure{})
	check(t, other.getFunction(t, f.name), lambdaDenied(other.arn, action, f.arn, "identity-based policy"))
	check(t, p.getFunction(t, latest), lambdaDenied(p.arn, action, latest, "identity-based policy"))

	// The policy's own Resource decides about qualified names (lambda.md 1.4, U1).
	must(root.putPolicy(t, f.arn, grants("Allow", both, f.arn+":*", get)))(t)
	check(t, p.getFunction(t, latest), failure{})
	check(t, p.getFunction(t, f.name), lambdaDenied(p.arn, action, f.arn, "identity-based policy"))

	deny := func(resource, rest string) {
		t.Helper()
		must(root.putPolicy(t, f.arn, grants("Allow", both, f.arn+"*", get), grants("Deny", both, resource, rest)))(t)
	}
	for _, c := range []struct {
		name, resource, rest string
		function, latest     bool // is denied
	}{
		{"the function", f.arn, get, true, false},
		{"versions and aliases", f.arn + ":*", get, false, true},
		{"both", f.arn + "*", get, true, true},
		{"everything but another action", f.arn + "*", `"NotAction":"lambda:GetPolicy"`, true, true},
		{"everything but this action", f.arn + "*", `"NotAction":"lambda:GetFunction"`, false, false},
		{"another address", f.arn + "*", get + `,"Condition":{"NotIpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`, false, false},
		{"this address", f.arn + "*", get + `,"Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`, true, true},
		{"callers outside of the organization", f.arn + "*", get + `,"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`, true, true},
		{"plain HTTP", f.arn, get + `,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`, true, false},
	} {
		deny(c.resource, c.rest)
		for name, denied := range map[string]bool{f.arn: c.function, latest: c.latest} {
			for _, caller := range []person{p, strong} {
				want := failure{}
				if denied {
					want = byResourcePolicy(caller.arn, action, name)
				}
				if got := failureOf(caller.getFunction(t, name)); got != want {
					t.Errorf("%s: %s: got %+v, want %+v", c.name, name, got, want)
				}
			}
		}
	}
	// NotPrincipal exempts a caller and its account; everybody else is denied.
	must(root.putPolicy(t, f.arn, strings.Replace(grants("Deny", `{"AWS":["`+strong.arn+`","`+account+`"]}`, f.arn, `"Action":"*"`),
		"Principal", "NotPrincipal", 1), grants("Allow", both, f.arn, get)))(t)
	check(t, strong.getFunction(t, f.name), failure{})
	check(t, p.getFunction(t, f.name), byResourcePolicy(p.arn, action, f.arn))

	// Without the policy nothing of it is left.
	must(root.lambda.DeleteResourcePolicy(ctx, &lambda.DeleteResourcePolicyInput{ResourceArn: &f.arn}))(t)
	check(t, p.getFunction(t, f.name), lambdaDenied(p.arn, action, f.arn, "identity-based policy"))
	check(t, strong.getFunction(t, f.name), failure{})
}

// A grant, and a Deny, is for the user or role who had the name when it was written, not for the next one (iam.md P4).
func TestWholePolicyForWhoIsMadeAgain(t *testing.T) {
	t.Parallel()
	f, root, ctx := server.newFunction(t, echo), server.as(server.root), t.Context()
	p, r := server.newUser(t), server.newRole(t, `{"AWS":"`+account+`"}`)
	operator := server.newUser(t, allow("sts:AssumeRole", "*"))
	must(root.putPolicy(t, f.arn, grants("Allow", `{"AWS":["`+p.arn+`","`+r.arn+`"]}`, f.arn, `"Action":"lambda:GetFunction"`)))(t)
	session := server.assume(t, operator.clients, &sts.AssumeRoleInput{RoleArn: &r.arn})
	check(t, p.getFunction(t, f.name), failure{})
	check(t, session.getFunction(t, f.name), failure{})

	keys := must(root.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &p.name}))(t).AccessKeyMetadata
	must(root.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &p.name, AccessKeyId: keys[0].AccessKeyId}))(t)
	must(root.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &p.name}))(t)
	must(root.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &r.name}))(t)
	must(root.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &p.name}))(t)
	must(root.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &r.name, AssumeRolePolicyDocument: document(trust(`{"AWS":"` + account + `"}`))}))(t)
	key := must(root.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &p.name}))(t).AccessKey
	again := server.as(aws.Credentials{AccessKeyID: *key.AccessKeyId, SecretAccessKey: *key.SecretAccessKey})
	check(t, again.getFunction(t, f.name), lambdaDenied(p.arn, "lambda:GetFunction", f.arn, "identity-based policy"))
	session = server.assume(t, operator.clients, &sts.AssumeRoleInput{RoleArn: &r.arn})
	check(t, session.getFunction(t, f.name), lambdaDenied(r.sessionARN("session"), "lambda:GetFunction", f.arn, "identity-based policy"))
	// The policy shows the ids of those who are gone.
	text := *must(root.lambda.GetResourcePolicy(ctx, &lambda.GetResourcePolicyInput{ResourceArn: &f.arn}))(t).Policy
	if strings.Contains(text, p.arn) || strings.Contains(text, r.arn) || !strings.Contains(text, `"AIDA`) || !strings.Contains(text, `"AROA`) {
		t.Errorf("got %s", text)
	}
}

// Accounts, users and roles of another account are granted what can be granted, and nothing else (lambda.md 1.5).
func TestWholePolicyAcrossAccounts(t *testing.T) {
	t.Parallel()
	a, b := server.newAccount(t), server.newAccount(t)
	arn, user := server.userOf(t, a, allow("lambda:*", "*"))
	otherARN, other := server.userOf(t, a, allow("lambda:*", "*"))
	f := must(newFunctionOf(t, b, roleOf(t, b, trustLambda)))(t)
	must(b.putPolicy(t, *f.FunctionArn, grants("Allow", `{"AWS":"`+arn+`"}`, *f.FunctionArn+"*", `"Action":"lambda:*"`)))(t)
	check(t, user.getFunction(t, *f.FunctionArn), failure{})
	check(t, user.getFunction(t, *f.FunctionArn+":$LATEST"), failure{})
	check(t, other.getFunction(t, *f.FunctionArn), lambdaDenied(otherARN, "lambda:GetFunction", *f.FunctionArn, "resource-based policy"))
	_, err := user.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: f.FunctionArn})
	check(t, err, lambdaDenied(arn, "lambda:UpdateFunctionConfiguration", *f.FunctionArn, "resource-based policy"))
	_, err = user.putPolicy(t, *f.FunctionArn, grants("Allow", `{"AWS":"`+a.id+`"}`, "*", `"Action":"*"`))
	check(t, err, lambdaDenied(arn, "lambda:PutResourcePolicy", *f.FunctionArn, "resource-based policy"))
	_, err = user.lambda.GetResourcePolicy(t.Context(), &lambda.GetResourcePolicyInput{ResourceArn: f.FunctionArn})
	check(t, err, lambdaDenied(arn, "lambda:GetResourcePolicy", *f.FunctionArn, "resource-based policy"))
	must(user.lambda.GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: f.FunctionArn}))(t)

	must(b.putPolicy(t, *f.FunctionArn, grants("Allow", `{"AWS":"`+a.id+`"}`, *f.FunctionArn, `"Action":"lambda:GetFunction"`),
		grants("Deny", `{"AWS":"`+arn+`"}`, *f.FunctionArn, `"Action":"lambda:GetFunction"`)))(t)
	check(t, other.getFunction(t, *f.FunctionArn), failure{})
	check(t, user.getFunction(t, *f.FunctionArn), byResourcePolicy(arn, "lambda:GetFunction", *f.FunctionArn))
}

// Whoever writes policies needs the permissions of AddPermission and RemovePermission too, and for every principal (lambda.md 1.7).
func TestWholePolicyPermissions(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, echo)
	s3, sns := grants("Allow", `{"Service":"s3.amazonaws.com"}`, f.arn, `"Action":"*"`), grants("Allow", `{"Service":"sns.amazonaws.com"}`, f.arn, `"Action":"*"`)
	const onlyS3 = `{"StringEquals":{"lambda:Principal":"s3.amazonaws.com"}}`
	put, add, remove := allow("lambda:PutResourcePolicy", f.arn), allow("lambda:AddPermission", f.arn), allow("lambda:RemovePermission", f.arn)
	for _, c := range []struct {
		name       string
		statements []string
		policy     []string
		denied     string
	}{
		{"nothing", []string{allow("s3:*", "*")}, []string{s3}, "lambda:PutResourcePolicy"},
		{"PutResourcePolicy alone", []string{put}, []string{s3}, "lambda:AddPermission"},
		{"without RemovePermission", []string{put, add}, []string{s3}, "lambda:RemovePermission"},
		{"all", []string{put, add, remove}, []string{s3, sns}, ""},
		{"of one principal", []string{put, allow("lambda:AddPermission", f.arn, onlyS3), remove}, []string{s3}, ""},
		{"of one principal, with another", []string{put, allow("lambda:AddPermission", f.arn, onlyS3), remove}, []string{s3, sns}, "lambda:AddPermission"},
		{"PutResourcePolicy of one principal, with another", []string{allow("lambda:PutResourcePolicy", f.arn, onlyS3), add, remove},
			[]string{s3, sns}, "lambda:PutResourcePolicy"},
	} {
		p := server.newUser(t, c.statements...)
		_, err := p.putPolicy(t, f.arn, c.policy...)
		want := failure{}
		if c.denied != "" {
			want = lambdaDenied(p.arn, c.denied, f.arn, "identity-based policy")
		}
		if got := failureOf(err); got != want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, want)
		}
	}
	p := server.newUser(t, allow("lambda:GetResourcePolicy", "*"), allow("lambda:DeleteResourcePolicy", "*"), deny("lambda:RemovePermission", "*",
		`{"StringEquals":{"lambda:Principal":"sns.amazonaws.com"}}`), remove)
	must(server.as(server.root).putPolicy(t, f.arn, s3, sns))(t)
	_, err := p.lambda.GetResourcePolicy(t.Context(), &lambda.GetResourcePolicyInput{ResourceArn: &f.arn})
	check(t, err, lambdaDenied(p.arn, "lambda:GetPolicy", f.arn, "identity-based policy"))
	drop := &lambda.DeleteResourcePolicyInput{ResourceArn: &f.arn}
	if _, err = p.lambda.DeleteResourcePolicy(t.Context(), drop); code(err) != "AccessDeniedException" {
		t.Errorf("got %v", err)
	}
	must(server.as(server.root).putPolicy(t, f.arn, s3))(t)
	must(p.lambda.DeleteResourcePolicy(t.Context(), drop))(t)
}
