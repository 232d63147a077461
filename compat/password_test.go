package compat

import (
	"bytes"
	"encoding/csv"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What Terraform calls for aws_iam_user_login_profile.
func TestTerraformLoginProfile(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).iam, t.Context(), unique("user")
	must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))(t)
	made := must(c.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{
		UserName: &name, Password: aws.String("Terraform-Made-1"), PasswordResetRequired: true,
	}))(t).LoginProfile
	read := must(c.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &name}))(t).LoginProfile
	if diff := cmp.Diff(read, made, cmpopts.IgnoreUnexported(types.LoginProfile{})); diff != "" || !read.PasswordResetRequired || *read.UserName != name {
		t.Errorf("-got +want:\n%s", diff)
	}
	_, err := c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
	check(t, err, failure{409, "DeleteConflict", "Cannot delete entity, must delete login profile first."})
	must(c.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: &name}))(t)
	_, err = c.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &name})
	check(t, err, failure{404, "NoSuchEntity", "Login Profile for User " + name + " cannot be found."})
	must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}))(t)
}

// What Terraform calls for aws_iam_account_password_policy, and what the policy does.
func TestTerraformAccountPasswordPolicy(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	c, ctx := l.as(l.root).iam, t.Context()
	missing := failure{404, "NoSuchEntity", "The Password Policy with domain name " + account + " cannot be found."}
	_, err := c.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
	check(t, err, missing)
	must(c.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{
		MinimumPasswordLength: aws.Int32(12), RequireNumbers: true, RequireSymbols: true, PasswordReusePrevention: aws.Int32(1),
		AllowUsersToChangePassword: true,
	}))(t)
	read := func() *types.PasswordPolicy {
		t.Helper()
		return must(c.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{}))(t).PasswordPolicy
	}
	want := &types.PasswordPolicy{
		MinimumPasswordLength: aws.Int32(12), RequireNumbers: true, RequireSymbols: true, PasswordReusePrevention: aws.Int32(1),
		AllowUsersToChangePassword: true,
	}
	if diff := cmp.Diff(read(), want, cmpopts.IgnoreUnexported(types.PasswordPolicy{})); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}

	p := l.newUser(t)
	login := func(password string) error {
		_, err := c.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: &p.name, Password: &password})
		return err
	}
	check(t, login("short"), failure{400, "PasswordPolicyViolation", "Password should have a minimum length of 12, " +
		"Password should have at least one number, Password should have at least one symbol"})
	check(t, login("long-enough-1"), failure{})
	// The user has no policy but what the password policy grants.
	change := func(from, to string) error {
		_, err := p.iam.ChangePassword(ctx, &iam.ChangePasswordInput{OldPassword: &from, NewPassword: &to})
		return err
	}
	check(t, change("not-it-at-all-1", "long-enough-2"), failure{403, "AccessDenied", "The old password was incorrect."})
	check(t, change("long-enough-1", "long-enough-2"), failure{})
	must(p.iam.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{}))(t)

	must(c.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{MaxPasswordAge: aws.Int32(90), HardExpiry: aws.Bool(false)}))(t)
	want = &types.PasswordPolicy{
		MinimumPasswordLength: aws.Int32(6), ExpirePasswords: true, MaxPasswordAge: aws.Int32(90), HardExpiry: aws.Bool(false),
	}
	if diff := cmp.Diff(read(), want, cmpopts.IgnoreUnexported(types.PasswordPolicy{})); diff != "" {
		t.Errorf("after update: -got +want:\n%s", diff)
	}
	check(t, change("long-enough-2", "long-enough-3"), failure{403, "AccessDenied",
		noPolicyAllows(p.arn, "iam:ChangePassword", p.arn, "identity-based policy")})
	must(c.DeleteAccountPasswordPolicy(ctx, &iam.DeleteAccountPasswordPolicyInput{}))(t)
	_, err = c.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
	check(t, err, missing)
	session := l.as(sessionCredentials(must(l.as(l.root).sts.GetSessionToken(ctx, &sts.GetSessionTokenInput{}))(t).Credentials))
	_, err = session.iam.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
	check(t, err, failure{403, "InvalidClientTokenId", "The security token included in the request is invalid."})
}

// What Terraform calls for aws_iam_account_alias.
func TestTerraformAccountAlias(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	c, ctx := l.as(l.root).iam, t.Context()
	read := func() []string {
		t.Helper()
		return must(c.ListAccountAliases(ctx, &iam.ListAccountAliasesInput{}))(t).AccountAliases
	}
	must(c.CreateAccountAlias(ctx, &iam.CreateAccountAliasInput{AccountAlias: aws.String("my-team")}))(t)
	if diff := cmp.Diff(read(), []string{"my-team"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	_, err := c.CreateAccountAlias(ctx, &iam.CreateAccountAliasInput{AccountAlias: aws.String("My-Team")})
	check(t, err, failure{400, "ValidationError", "1 validation error detected: Value at 'accountAlias' failed to satisfy constraint: " +
		"Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$"})
	must(c.DeleteAccountAlias(ctx, &iam.DeleteAccountAliasInput{AccountAlias: aws.String("my-team")}))(t)
	if got := read(); len(got) != 0 {
		t.Errorf("after delete: %v", got)
	}
}

func TestCredentialReport(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	c, ctx, p := l.as(l.root).iam, t.Context(), l.newUser(t)
	_, err := c.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
	check(t, err, failure{410, "ReportNotPresent", ""})
	must(p.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))(t)
	if out := must(c.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}))(t); out.State != types.ReportStateTypeStarted {
		t.Errorf("got %s", out.State)
	}
	if out := must(c.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}))(t); out.State != types.ReportStateTypeComplete {
		t.Errorf("got %s", out.State)
	}
	report := must(c.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}))(t)
	rows, err := csv.NewReader(bytes.NewReader(report.Content)).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][0] != "<root_account>" || rows[2][0] != p.name {
		t.Fatalf("got %v, %v", rows, err)
	}
	user := func(column string) string { return rows[2][slices.Index(rows[0], column)] }
	if user("arn") != p.arn || user("access_key_1_active") != "true" || user("access_key_1_last_used_service") != "sts" ||
		user("password_enabled") != "false" || user("mfa_active") != "false" {
		t.Errorf("got %v", rows[2])
	}
	summary := must(c.GetAccountSummary(ctx, &iam.GetAccountSummaryInput{}))(t).SummaryMap
	if summary["Users"] != 1 || summary["UsersQuota"] != 5000 || summary["AccountAccessKeysPresent"] != 1 {
		t.Errorf("got %v", summary)
	}
}
