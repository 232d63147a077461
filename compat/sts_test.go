package compat

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"
)

// sessionARN is the ARN of a role's session.
func (r role) sessionARN(session string) string {
	return "arn:aws:sts::" + account + ":assumed-role/" + r.name + "/" + session
}

// assumeDenied is STS's denial of AssumeRole. Whoever may not assume a role is told no more than that of a role that is not there.
func assumeDenied(caller, role, policyType string) failure {
	return failure{403, "AccessDenied", noPolicyAllows(caller, "sts:AssumeRole", role, policyType)}
}

func TestSTSCallerIdentity(t *testing.T) {
	t.Parallel()
	user := server.newUser(t)
	r := server.newRole(t, `{"AWS":"`+user.arn+`"}`)
	roleID := *must(server.as(server.root).iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &r.name}))(t).Role.RoleId
	userID := *must(server.as(server.root).iam.GetUser(t.Context(), &iam.GetUserInput{UserName: &user.name}))(t).User.UserId
	tests := []struct {
		name            string
		caller          clients
		wantARN, wantID string
	}{
		{"root", server.as(server.root), arnPrefix + "root", account},
		{"user", user.clients, user.arn, userID},
		{"session of a user", server.as(server.getSessionToken(t, user)), user.arn, userID},
		{"session of a role", server.assume(t, user.clients, &sts.AssumeRoleInput{RoleArn: &r.arn, RoleSessionName: aws.String("work")}),
			r.sessionARN("work"), roleID + ":work"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := must(tt.caller.sts.GetCallerIdentity(t.Context(), nil))(t)
			if diff := cmp.Diff([]string{*got.Account, *got.Arn, *got.UserId}, []string{account, tt.wantARN, tt.wantID}); diff != "" {
				t.Errorf("-got +want:\n%s", diff)
			}
		})
	}
}

// GetCallerIdentity works even for who is denied everything.
func TestSTSCallerIdentityWhateverIsDenied(t *testing.T) {
	t.Parallel()
	user := server.newUser(t, deny("*", "*"))
	if got := must(user.sts.GetCallerIdentity(t.Context(), nil))(t); *got.Arn != user.arn {
		t.Errorf("got %s, want %s", *got.Arn, user.arn)
	}
}

// Who may assume a role: named directly a user needs no policy of its own; trust in the account delegates to its policies.
func TestSTSAssumeRole(t *testing.T) {
	t.Parallel()
	plain, allowed, denied := server.newUser(t), server.newUser(t, allow("sts:AssumeRole", "*")), server.newUser(t,
		deny("sts:AssumeRole", "*"))
	direct := server.newRole(t, `{"AWS":["`+plain.arn+`","`+denied.arn+`"]}`)
	byAccount := server.newRole(t, `{"AWS":"`+account+`"}`)
	byRole := server.newRole(t, `{"AWS":"`+direct.arn+`"}`)
	anyone := server.newRole(t, `{"AWS":"*"}`)
	service := server.newRole(t, trustLambda)
	external := server.newRole(t, trustLambda)
	must(server.as(server.root).iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName: &external.name, PolicyDocument: document(trust(`{"AWS":"`+allowed.arn+`"}`,
			`{"StringEquals":{"sts:ExternalId":"secret"}}`)),
	}))(t)
	session := server.assume(t, plain.clients, &sts.AssumeRoleInput{RoleArn: &direct.arn})
	none := arnPrefix + "role/" + unique("none")

	tests := []struct {
		name     string
		caller   clients
		role     string
		external *string
		want     failure
	}{
		{"named", plain.clients, direct.arn, nil, failure{}},
		{"named and denied", denied.clients, direct.arn, nil, failure{403, "AccessDenied", "User: " + denied.arn +
			" is not authorized to perform: sts:AssumeRole on resource: " + direct.arn + " with an explicit deny in an identity-based policy"}},
		{"not named", allowed.clients, direct.arn, nil, assumeDenied(allowed.arn, direct.arn, "role trust policy")},
		{"account without a policy", plain.clients, byAccount.arn, nil, assumeDenied(plain.arn, byAccount.arn, "identity-based policy")},
		{"account with a policy", allowed.clients, byAccount.arn, nil, failure{}},
		{"session of a trusted role", session, byRole.arn, nil, failure{}},
		{"a role does not trust itself", session, direct.arn, nil, assumeDenied(direct.sessionARN("session"), direct.arn,
			"role trust policy")},
		{"anyone", plain.clients, anyone.arn, nil, failure{}},
		{"service only", allowed.clients, service.arn, nil, assumeDenied(allowed.arn, service.arn, "role trust policy")},
		{"no such role", allowed.clients, none, nil, assumeDenied(allowed.arn, none, "role trust policy")},
		{"external id", allowed.clients, external.arn, aws.String("secret"), failure{}},
		{"wrong external id", allowed.clients, external.arn, aws.String("guess"), assumeDenied(allowed.arn, external.arn,
			"role trust policy")},
		{"no external id", allowed.clients, external.arn, nil, assumeDenied(allowed.arn, external.arn, "role trust policy")},
		{"root", server.as(server.root), anyone.arn, nil, failure{403, "AccessDenied", "Roles may not be assumed by root accounts."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.caller.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{
				RoleArn: &tt.role, RoleSessionName: aws.String("work"), ExternalId: tt.external,
			})
			check(t, err, tt.want)
		})
	}
}

func TestSTSAssumeRoleAnswer(t *testing.T) {
	t.Parallel()
	user := server.newUser(t)
	r := server.newRole(t, `{"AWS":"`+user.arn+`"}`)
	before := time.Now()
	out := must(user.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &r.arn, RoleSessionName: aws.String("work"), DurationSeconds: aws.Int32(900),
	}))(t)
	if got, want := *out.AssumedRoleUser.Arn, r.sessionARN("work"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !strings.HasPrefix(*out.Credentials.AccessKeyId, "ASIA") || !strings.HasSuffix(*out.AssumedRoleUser.AssumedRoleId, ":work") {
		t.Errorf("got key %s of %s", *out.Credentials.AccessKeyId, *out.AssumedRoleUser.AssumedRoleId)
	}
	if got := out.Credentials.Expiration.Sub(before); got < 890*time.Second || got > 960*time.Second {
		t.Errorf("got a session of %v, want 15 minutes", got)
	}
}

func TestSTSErrors(t *testing.T) {
	t.Parallel()
	user := server.newUser(t, allow("sts:AssumeRole", "*"))
	r := server.newRole(t, `{"AWS":"`+account+`"}`, allow("sts:AssumeRole", "*"))
	session := server.assume(t, user.clients, &sts.AssumeRoleInput{RoleArn: &r.arn})
	second := server.newRole(t, `{"AWS":"`+r.arn+`"}`)
	must(server.as(server.root).iam.UpdateRole(t.Context(), &iam.UpdateRoleInput{RoleName: &second.name,
		MaxSessionDuration: aws.Int32(43200)}))(t)
	invalid := func(text string) failure { return failure{400, "ValidationError", text} }
	violation := "1 validation error detected: Value "
	tests := []struct {
		name   string
		caller clients
		change func(*sts.AssumeRoleInput)
		want   failure
	}{
		{"short", user.clients, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) },
			invalid(violation + "'899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900")},
		{"long", user.clients, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) },
			invalid(violation + "'43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200")},
		{"longer than the role allows", user.clients, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) },
			invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")},
		{"chained for an hour", session, func(in *sts.AssumeRoleInput) {
			in.RoleArn, in.DurationSeconds = &second.arn,
				aws.Int32(3600)
		}, failure{}},
		{"chained for longer", session, func(in *sts.AssumeRoleInput) { in.RoleArn, in.DurationSeconds = &second.arn, aws.Int32(3601) },
			invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")},
		{"bad session name", user.clients, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") },
			invalid(violation + `'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`)},
		{"no role ARN", user.clients, func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:s3:::bucket-of-20-letters") },
			invalid("arn:aws:s3:::bucket-of-20-letters is invalid")},
		{"bad session policy", user.clients, func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{") },
			failure{400, "MalformedPolicyDocument", "Syntax errors in policy."}},
		{"tags without trust in them", user.clients, func(in *sts.AssumeRoleInput) {
			in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("x")}}
		}, failure{403, "AccessDenied", noPolicyAllows(user.arn, "sts:TagSession", r.arn, "role trust policy")}},
		{"password of a device", user.clients, func(in *sts.AssumeRoleInput) {
			in.SerialNumber, in.TokenCode = aws.String("arn:aws:iam::000000000000:mfa/x"), aws.String("123456")
		}, failure{403, "AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  " +
			"Please verify your MFA serial number is valid and associated with this user."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &sts.AssumeRoleInput{RoleArn: &r.arn, RoleSessionName: aws.String("work")}
			tt.change(in)
			_, err := tt.caller.sts.AssumeRole(t.Context(), in)
			check(t, err, tt.want)
		})
	}
}

// A session policy narrows what the role may; it never adds.
func TestSTSSessionPolicies(t *testing.T) {
	t.Parallel()
	user := server.newUser(t)
	r := server.newRole(t, `{"AWS":"`+user.arn+`"}`, allow("lambda:ListFunctions", "*"), allow("iam:ListUsers", "*"))
	lists, both := server.newPolicy(t, allow("lambda:ListFunctions", "*")), server.newPolicy(t, allow("*", "*"))
	narrow := document(allow("lambda:*", "*"))
	sessionDenies := func(action, resource string) string {
		return noPolicyAllows(r.sessionARN("session"), action, resource, "session policy")
	}
	usersDenied := failure{403, "AccessDenied", sessionDenies("iam:ListUsers", "arn:aws:iam::"+account+":user/")}
	functionsDenied := failure{403, "AccessDeniedException", sessionDenies("lambda:ListFunctions", "*")}
	tests := []struct {
		name             string
		policy           *string
		policies         []string
		functions, users failure
	}{
		{"none", nil, nil, failure{}, failure{}},
		{"inline", narrow, nil, failure{}, usersDenied},
		{"managed", nil, []string{lists}, failure{}, usersDenied},
		{"union of both", narrow, []string{both}, failure{}, failure{}},
		{"nothing in common", document(allow("s3:*", "*")), nil, functionsDenied, usersDenied},
		{"managed by AWS", nil, []string{"arn:aws:iam::aws:policy/IAMReadOnlyAccess"}, functionsDenied, failure{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &sts.AssumeRoleInput{RoleArn: &r.arn, Policy: tt.policy}
			for _, arn := range tt.policies {
				in.PolicyArns = append(in.PolicyArns, types.PolicyDescriptorType{Arn: &arn})
			}
			session := server.assume(t, user.clients, in)
			_, err := session.lambda.ListFunctions(t.Context(), nil)
			check(t, err, tt.functions)
			_, err = session.iam.ListUsers(t.Context(), nil)
			check(t, err, tt.users)
		})
	}
}

// A user's session has the user's permissions, but may not call IAM, nor STS beside AssumeRole and GetCallerIdentity.
func TestSTSSessionToken(t *testing.T) {
	t.Parallel()
	user := server.newUser(t, allow("*", "*"))
	r := server.newRole(t, `{"AWS":"`+account+`"}`)
	session := server.as(server.getSessionToken(t, user))
	_, err := session.lambda.ListFunctions(t.Context(), nil)
	check(t, err, failure{})
	server.assume(t, session, &sts.AssumeRoleInput{RoleArn: &r.arn})
	_, err = session.iam.ListUsers(t.Context(), nil)
	check(t, err, failure{403, "InvalidClientTokenId", "The security token included in the request is invalid."})
	_, err = session.sts.GetSessionToken(t.Context(), nil)
	check(t, err, failure{403, "AccessDenied", "Cannot call GetSessionToken with session credentials"})
}

// Session tags are principal tags; transitive ones stay with the next session and cannot be changed there.
func TestSTSSessionTags(t *testing.T) {
	t.Parallel()
	user, root := server.newUser(t), server.as(server.root)
	tagged := `{"Effect":"Allow","Principal":{"AWS":"` + user.arn + `"},"Action":["sts:AssumeRole","sts:TagSession"]}`
	first := server.newRole(t, trustLambda, allow("lambda:ListFunctions", "*", `{"StringEquals":{"aws:PrincipalTag/team":"red"}}`))
	must(root.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &first.name,
		PolicyDocument: document(tagged)}))(t)
	second := server.newRole(t, trustLambda, allow("lambda:ListFunctions", "*", `{"StringEquals":{"aws:PrincipalTag/team":"red"}}`))
	must(root.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName: &second.name, PolicyDocument: document(strings.Replace(tagged, user.arn, first.arn, 1)),
	}))(t)
	team := func(name string) []types.Tag { return []types.Tag{{Key: aws.String("team"), Value: &name}} }
	list := func(c clients) error {
		_, err := c.lambda.ListFunctions(t.Context(), nil)
		return err
	}

	blue := server.assume(t, user.clients, &sts.AssumeRoleInput{RoleArn: &first.arn, Tags: team("blue")})
	check(t, list(blue), lambdaDenied(first.sessionARN("session"), "lambda:ListFunctions", "*", "identity-based policy"))
	red := server.assume(t, user.clients, &sts.AssumeRoleInput{RoleArn: &first.arn, Tags: team("red"),
		TransitiveTagKeys: []string{"team"}})
	check(t, list(red), failure{})
	chained := server.assume(t, red, &sts.AssumeRoleInput{RoleArn: &second.arn})
	check(t, list(chained), failure{})
	_, err := red.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &second.arn, RoleSessionName: aws.String("x2"),
		Tags: team("blue")})
	check(t, err, failure{400, "InvalidParameterValue", "One of the specified transitive tag keys can't be set " +
		"because it conflicts with a transitive tag key from the calling session."})
}

// A session's ARN leaves out the role's path; aws:PrincipalArn is the role with it (iam.md T6).
func TestSTSRolePath(t *testing.T) {
	t.Parallel()
	user, r, root := server.newUser(t), role{name: unique("role")}, server.as(server.root).iam
	r.arn = arnPrefix + "role/a/b/" + r.name
	must(root.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &r.name, Path: aws.String("/a/b/"), AssumeRolePolicyDocument: document(trust(`{"AWS":"` + user.arn + `"}`)),
	}))(t)
	server.permitRole(t, r, allow("lambda:ListFunctions", "*", `{"ArnEquals":{"aws:PrincipalArn":"`+r.arn+`"}}`))
	session := server.assume(t, user.clients, &sts.AssumeRoleInput{RoleArn: &r.arn})
	if got := must(session.sts.GetCallerIdentity(t.Context(), nil))(t); *got.Arn != r.sessionARN("session") {
		t.Errorf("got %s, want %s", *got.Arn, r.sessionARN("session"))
	}
	_, err := session.lambda.ListFunctions(t.Context(), nil)
	check(t, err, failure{})
	without := arnPrefix + "role/" + r.name
	_, err = user.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &without, RoleSessionName: aws.String("work")})
	check(t, err, assumeDenied(user.arn, without, "role trust policy"))
}

// A session ends with its role or user, and does not come back with another of the same name.
func TestSTSSessionEndsWithOwner(t *testing.T) {
	t.Parallel()
	root, ctx, name := server.as(server.root).iam, t.Context(), unique("owner")
	user := server.newUser(t)
	trusting := document(trust(`{"AWS":"` + user.arn + `"}`))
	role := must(root.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: trusting}))(t).Role
	session := server.assume(t, user.clients, &sts.AssumeRoleInput{RoleArn: role.Arn})
	token := server.as(server.getSessionToken(t, user))
	alive := func(c clients, want string) {
		t.Helper()
		_, err := c.sts.GetCallerIdentity(ctx, nil)
		if got := code(err); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	alive(session, "no error")
	alive(token, "no error")
	must(root.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name}))(t)
	alive(session, "InvalidClientTokenId")
	must(root.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: trusting}))(t)
	alive(session, "InvalidClientTokenId")

	must(root.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &user.name, AccessKeyId: &user.credentials.AccessKeyID}))(t)
	must(root.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &user.name}))(t)
	alive(token, "InvalidClientTokenId")
	must(root.CreateUser(ctx, &iam.CreateUserInput{UserName: &user.name}))(t)
	alive(token, "InvalidClientTokenId")
}
