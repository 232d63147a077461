package iam

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

const (
	strong   = "Correct-Horse-1"
	stronger = "Battery-Staple-2"
)

func TestLoginProfile(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	made := must[sdk.CreateLoginProfileOutput](w, &sdk.CreateLoginProfileInput{
		UserName: s("alice"), Password: s(strong), PasswordResetRequired: true,
	}).LoginProfile
	created := aws.Time(w.now.Truncate(time.Second))
	want := &types.LoginProfile{CreateDate: created, UserName: s("alice"), PasswordResetRequired: true}
	ignore := cmpopts.IgnoreUnexported(types.LoginProfile{})
	if diff := cmp.Diff(made, want, ignore); diff != "" {
		t.Errorf("CreateLoginProfile: -got +want:\n%s", diff)
	}
	if err := w.db.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan("iam/111122223333/user/", "", 0)
		for _, item := range items {
			if bytes.Contains(item.Value, []byte(strong)) {
				t.Error("the password shows in the store")
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	must[sdk.UpdateLoginProfileOutput](w, &sdk.UpdateLoginProfileInput{UserName: s("alice")})
	must[sdk.UpdateLoginProfileOutput](w, &sdk.UpdateLoginProfileInput{UserName: s("alice"), Password: s(stronger)})
	get := func() *types.LoginProfile {
		return must[sdk.GetLoginProfileOutput](w, &sdk.GetLoginProfileInput{UserName: s("alice")}).LoginProfile
	}
	if diff := cmp.Diff(get(), want, ignore); diff != "" { // the flag stays (recorded)
		t.Errorf("after a new password: -got +want:\n%s", diff)
	}
	must[sdk.UpdateLoginProfileOutput](w, &sdk.UpdateLoginProfileInput{UserName: s("alice"), PasswordResetRequired: aws.Bool(false)})
	if get().PasswordResetRequired {
		t.Error("the flag is still set")
	}
	_, err := w.do(&sdk.CreateLoginProfileInput{UserName: s("alice"), Password: s(strong)})
	wantError(t, err, "EntityAlreadyExists", "Login Profile for user alice already exists.")
	_, err = w.do(&sdk.DeleteUserInput{UserName: s("alice")})
	wantError(t, err, "DeleteConflict", "Cannot delete entity, must delete login profile first.")
	must[sdk.UpdateUserOutput](w, &sdk.UpdateUserInput{UserName: s("alice"), NewUserName: s("alicia")})
	must[sdk.DeleteLoginProfileOutput](w, &sdk.DeleteLoginProfileInput{UserName: s("alicia")})
	for _, in := range []any{
		&sdk.GetLoginProfileInput{UserName: s("alicia")}, &sdk.DeleteLoginProfileInput{UserName: s("alicia")},
		&sdk.UpdateLoginProfileInput{UserName: s("alicia")}, &sdk.UpdateLoginProfileInput{UserName: s("alicia"), Password: s(strong)},
	} {
		_, err := w.do(in)
		wantError(t, err, "NoSuchEntity", "Login Profile for User alicia cannot be found.")
	}
	_, err = w.do(&sdk.CreateLoginProfileInput{UserName: s("nobody"), Password: s(strong)})
	wantError(t, err, "NoSuchEntity", "The user with name nobody cannot be found.")
	_, err = w.do(&sdk.CreateLoginProfileInput{Password: s(strong)}) // as root
	wantError(t, err, "ValidationError", "Must specify userName when calling with non-User credentials")
	for password, message := range map[*string]string{
		nil:                         "Member must not be null",
		s(""):                       "Member must have length greater than or equal to 1",
		s(strings.Repeat("a", 129)): "Member must have length less than or equal to 128",
		s("Correct-Horse-1\u0100"):  `Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+`,
	} {
		_, err := w.do(&sdk.CreateLoginProfileInput{UserName: s("alicia"), Password: password})
		wantError(t, err, "ValidationError", "1 validation error detected: Value at 'password' failed to satisfy constraint: "+message)
	}
}

func TestChangePassword(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	alice := *w.signedIn("alice")
	change := func(from, to string) error {
		_, err := w.as(alice, "ChangePassword", &sdk.ChangePasswordInput{OldPassword: &from, NewPassword: &to})
		return err
	}
	wantError(t, change(strong, stronger), "NoSuchEntity", "Login Profile for User alice cannot be found.")
	must[sdk.CreateLoginProfileOutput](w, &sdk.CreateLoginProfileInput{UserName: s("alice"), Password: s(strong), PasswordResetRequired: true})
	const wrong = "The old password was incorrect."
	wantError(t, change(stronger, strong), "AccessDenied", wrong)
	wantError(t, change(strong, strong), "AccessDenied", wrong)
	wantError(t, change(strong, "short"), "PasswordPolicyViolation", "Password should have a minimum length of 8, Password should meet 2 more of "+
		"the following requirements: Password should have at least one uppercase letter, Password should have at least one number, "+
		"Password should have at least one symbol")
	if err := change(strong, stronger); err != nil {
		t.Fatal(err)
	}
	wantError(t, change(strong, "Another-One-3"), "AccessDenied", wrong)
	if p := must[sdk.GetLoginProfileOutput](w, &sdk.GetLoginProfileInput{UserName: s("alice")}).LoginProfile; p.PasswordResetRequired {
		t.Error("the user must still change the password")
	}
	_, err := w.do(&sdk.ChangePasswordInput{OldPassword: s(strong), NewPassword: s(stronger)})
	wantError(t, err, "InvalidUserType", "Only IAM Users can change their own password")
}

func TestPasswordReuse(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	set := func(password string) error {
		_, err := w.do(&sdk.UpdateLoginProfileInput{UserName: s("alice"), Password: &password})
		return err
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	const reused = "Policy constraint violation with password reuse prevention when changing the password."
	must[sdk.CreateLoginProfileOutput](w, &sdk.CreateLoginProfileInput{UserName: s("alice"), Password: s("Password-1")})
	ok(set("Password-2"))
	ok(set("Password-1")) // nothing prevents it yet
	ok(set("Password-3"))
	must[sdk.UpdateAccountPasswordPolicyOutput](w, &sdk.UpdateAccountPasswordPolicyInput{PasswordReusePrevention: aws.Int32(2)})
	wantError(t, set("Password-3"), "PasswordPolicyViolation", reused)
	wantError(t, set("Password-1"), "PasswordPolicyViolation", reused)
	ok(set("Password-2"))
	alice := *w.signedIn("alice")
	_, err := w.as(alice, "ChangePassword", &sdk.ChangePasswordInput{OldPassword: s("Password-2"), NewPassword: s("Password-3")})
	wantError(t, err, "PasswordPolicyViolation", reused)
	for i := range 30 {
		ok(set("Password-2" + string(rune('a'+i))))
	}
	e, err := w.s.Read(t.Context(), account, record.UserKind, "alice")
	if err != nil || len(e.Login.Hashes) != 24 {
		t.Errorf("%d hashes are kept, %v", len(e.Login.Hashes), err)
	}
}

// delayed is a store in which something happens right before a change.
type delayed struct {
	store.DB
	before func()
}

func (d *delayed) Update(ctx context.Context, fn func(store.Tx) error) error {
	d.before()
	return d.DB.Update(ctx, fn)
}

// A hash that was made for a profile that is gone meanwhile is not taken.
func TestSetPasswordOfAnotherProfile(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	create := &sdk.CreateLoginProfileInput{UserName: aws.String("alice"), Password: aws.String(strong)}
	must[sdk.CreateLoginProfileOutput](w, create)
	w.s.DB = &delayed{DB: w.db, before: func() {
		w.s.DB = w.db
		must[sdk.DeleteLoginProfileOutput](w, &sdk.DeleteLoginProfileInput{UserName: aws.String("alice")})
		must[sdk.CreateLoginProfileOutput](w, create)
	}}
	_, err := w.do(&sdk.UpdateLoginProfileInput{UserName: aws.String("alice"), Password: aws.String(stronger)})
	wantError(t, err, "EntityTemporarilyUnmodifiable", "Login Profile for User alice cannot be modified while login profile is being created.")
}

func TestAccountPasswordPolicy(t *testing.T) {
	w := newWorld(t)
	get := func() (any, error) { return w.do(&sdk.GetAccountPasswordPolicyInput{}) }
	_, err := get()
	wantError(t, err, "NoSuchEntity", "The Password Policy with domain name 111122223333 cannot be found.")
	_, err = w.do(&sdk.DeleteAccountPasswordPolicyInput{})
	wantError(t, err, "NoSuchEntity", "The account policy with name PasswordPolicy cannot be found.")
	for _, tt := range []struct {
		in   *sdk.UpdateAccountPasswordPolicyInput
		want *types.PasswordPolicy
	}{
		{&sdk.UpdateAccountPasswordPolicyInput{
			AllowUsersToChangePassword: true, HardExpiry: aws.Bool(true), MaxPasswordAge: aws.Int32(60), MinimumPasswordLength: aws.Int32(10),
			PasswordReusePrevention: aws.Int32(3), RequireLowercaseCharacters: true, RequireNumbers: true, RequireSymbols: true,
			RequireUppercaseCharacters: true,
		}, &types.PasswordPolicy{
			AllowUsersToChangePassword: true, ExpirePasswords: true, HardExpiry: aws.Bool(true), MaxPasswordAge: aws.Int32(60),
			MinimumPasswordLength: aws.Int32(10), PasswordReusePrevention: aws.Int32(3), RequireLowercaseCharacters: true, RequireNumbers: true,
			RequireSymbols: true, RequireUppercaseCharacters: true,
		}},
		{&sdk.UpdateAccountPasswordPolicyInput{}, &types.PasswordPolicy{MinimumPasswordLength: aws.Int32(6)}}, // nothing stays
	} {
		must[sdk.UpdateAccountPasswordPolicyOutput](w, tt.in)
		got, err := get()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got.(*sdk.GetAccountPasswordPolicyOutput).PasswordPolicy, tt.want, cmpopts.IgnoreUnexported(types.PasswordPolicy{})); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
	}
	_, err = w.do(&sdk.UpdateAccountPasswordPolicyInput{
		MinimumPasswordLength: aws.Int32(129), PasswordReusePrevention: aws.Int32(25), MaxPasswordAge: aws.Int32(1096),
	})
	wantError(t, err, "ValidationError", "3 validation errors detected: Value at 'minimumPasswordLength' failed to satisfy constraint: Member must "+
		"have value less than or equal to 128; Value at 'passwordReusePrevention' failed to satisfy constraint: Member must have value less than or "+
		"equal to 24; Value at 'maxPasswordAge' failed to satisfy constraint: Member must have value less than or equal to 1095")
	_, err = w.do(&sdk.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(5)})
	wantError(t, err, "ValidationError", "1 validation error detected: Value at 'minimumPasswordLength' failed to satisfy constraint: Member must "+
		"have value greater than or equal to 6")
	must[sdk.DeleteAccountPasswordPolicyOutput](w, &sdk.DeleteAccountPasswordPolicyInput{})
	_, err = get()
	wantError(t, err, "NoSuchEntity", "The Password Policy with domain name 111122223333 cannot be found.")
}

// The policy lets users change their own password, as a policy of their own.
func TestPasswordPolicyGrants(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	id, _ := w.key("alice")
	names := func() []string { return policyNames(w.policies(w.caller(id)).Identity) }
	if got := names(); len(got) != 0 {
		t.Errorf("without a password policy: %v", got)
	}
	must[sdk.UpdateAccountPasswordPolicyOutput](w, &sdk.UpdateAccountPasswordPolicyInput{})
	if got := names(); len(got) != 0 {
		t.Errorf("under one that does not allow it: %v", got)
	}
	must[sdk.UpdateAccountPasswordPolicyOutput](w, &sdk.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: true})
	if diff := cmp.Diff(names(), []string{"password policy of the account "}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	first, again := w.policies(w.caller(id)).Identity[0], w.policies(w.caller(id)).Identity[0]
	if first.Document != again.Document {
		t.Error("the document is another one each time")
	}
	must[sdk.DeleteAccountPasswordPolicyOutput](w, &sdk.DeleteAccountPasswordPolicyInput{})
	if got := names(); len(got) != 0 {
		t.Errorf("after it is gone: %v", got)
	}
}

func TestAccountAlias(t *testing.T) {
	w := newWorld(t)
	other := w.root
	other.Account, other.ARN = "444455556666", "arn:aws:iam::444455556666:root"
	create := func(alias string) error {
		_, err := w.do(&sdk.CreateAccountAliasInput{AccountAlias: &alias})
		return err
	}
	list := func() []string {
		return must[sdk.ListAccountAliasesOutput](w, &sdk.ListAccountAliasesInput{}).AccountAliases
	}
	if got := list(); got == nil || len(got) != 0 {
		t.Errorf("got %v, want an empty list", got)
	}
	if err := errors.Join(create("first"), create("second-1")); err != nil { // takes the place of the first
		t.Fatal(err)
	}
	if diff := cmp.Diff(list(), []string{"second-1"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	wantError(t, create("second-1"), "EntityAlreadyExists", "The account alias second-1 already exists.")
	_, err := w.as(other, "CreateAccountAlias", &sdk.CreateAccountAliasInput{AccountAlias: aws.String("second-1")})
	wantError(t, err, "EntityAlreadyExists", "The account alias second-1 already exists.")
	_, err = w.as(other, "DeleteAccountAlias", &sdk.DeleteAccountAliasInput{AccountAlias: aws.String("second-1")})
	wantError(t, err, "NoSuchEntity", "The account alias second-1 cannot be found.")
	_, err = w.as(other, "CreateAccountAlias", &sdk.CreateAccountAliasInput{AccountAlias: aws.String("first")}) // is free again
	if err != nil {
		t.Error(err)
	}
	const constraint = "1 validation error detected: Value at 'accountAlias' failed to satisfy constraint: Member must "
	for alias, want := range map[string]string{
		"ab": "have length greater than or equal to 3", strings.Repeat("a", 64): "have length less than or equal to 63",
		"-ab": pattern63, "ab-": pattern63, "a--b": pattern63, "Abc": pattern63, "a_b": pattern63, "a.b": pattern63,
	} {
		wantError(t, create(alias), "ValidationError", constraint+want)
	}
	must[sdk.DeleteAccountAliasOutput](w, &sdk.DeleteAccountAliasInput{AccountAlias: aws.String("second-1")})
	if got := list(); len(got) != 0 {
		t.Errorf("after delete: %v", got)
	}
}

const pattern63 = `satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`
