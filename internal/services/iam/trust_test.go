package iam

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
)

func trusting(principals string) string {
	return `{"Version":"2012-10-17", "Statement":[{"Effect":"Allow","Principal":` + principals + `,"Action":"sts:AssumeRole"}]}`
}

// shown is the trust policy of a role as GetRole and ListRoles, which keeps what it showed before, give it.
func shown(t *testing.T, w *world, role string) string {
	t.Helper()
	document := *must[sdk.GetRoleOutput](w, &sdk.GetRoleInput{RoleName: &role}).Role.AssumeRolePolicyDocument
	for _, r := range must[sdk.ListRolesOutput](w, &sdk.ListRolesInput{}).Roles {
		if *r.RoleName == role && *r.AssumeRolePolicyDocument != document {
			t.Errorf("ListRoles shows %s, GetRole %s", *r.AssumeRolePolicyDocument, document)
		}
	}
	text, err := url.PathUnescape(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Who is made again under an old name does not inherit trust, and the dead id is shown (iam.md P4).
func TestTrustIsKeptById(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	must[sdk.CreateUserOutput](w, &sdk.CreateUserInput{UserName: s("alice"), Path: s("/team/")})
	alice := *must[sdk.GetUserOutput](w, &sdk.GetUserInput{UserName: s("alice")}).User.UserId
	other := w.role("other", trustEC2)
	w.role("r", trusting(`{"AWS":["arn:aws:iam::111122223333:user/team/alice", "arn:aws:iam::111122223333:role/other", "444455556666"],"Service":"lambda.amazonaws.com"}`))

	role, err := w.d.Role(t.Context(), "arn:aws:iam::111122223333:role/r")
	if err != nil {
		t.Fatal(err)
	}
	want := trusting(`{"AWS":["` + alice + `", "` + other + `", "arn:aws:iam::444455556666:root"],"Service":"lambda.amazonaws.com"}`)
	if got := string(role.Trust.Source); got != want {
		t.Errorf("stored\n%s, want\n%s", got, want)
	}
	shown(t, w, "r")
	must[sdk.UpdateUserOutput](w, &sdk.UpdateUserInput{UserName: s("alice"), NewUserName: s("eve")})
	want = trusting(`{"AWS":["arn:aws:iam::111122223333:user/team/eve", "arn:aws:iam::111122223333:role/other", "arn:aws:iam::444455556666:root"],"Service":"lambda.amazonaws.com"}`)
	if got := shown(t, w, "r"); got != want {
		t.Errorf("shown\n%s, want\n%s", got, want)
	}

	must[sdk.DeleteRoleOutput](w, &sdk.DeleteRoleInput{RoleName: s("other")})
	w.role("other", trustEC2)
	if got := shown(t, w, "r"); !strings.Contains(got, `"`+other+`"`) || strings.Contains(got, "role/other") {
		t.Errorf("shown %s, want the dead id", got)
	}
	// The dead id cannot be saved again.
	_, err = w.do(&sdk.UpdateAssumeRolePolicyInput{RoleName: s("r"), PolicyDocument: s(shown(t, w, "r"))})
	wantError(t, err, "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"`+other+`"`)
}

func TestTrustPrincipals(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.role("r", trustEC2)
	for principals, bad := range map[string]string{
		`"*"`:         "",
		`{"AWS":"*"}`: "",
		`{"AWS":"arn:aws:iam::111122223333:user/alice"}`:                                      "",
		`{"AWS":"arn:aws:iam::999999999999:root"}`:                                            "",
		`{"AWS":"arn:aws:sts::111122223333:assumed-role/r/session"}`:                          "",
		`{"Service":["lambda.amazonaws.com"]}`:                                                "",
		`{"Federated":"accounts.google.com"}`:                                                 "",
		`{"AWS":"arn:aws:iam::111122223333:user/x/alice"}`:                                    `"AWS":"arn:aws:iam::111122223333:user/x/alice"`,
		`{"AWS":"arn:aws:iam::111122223333:user/nobody"}`:                                     `"AWS":"arn:aws:iam::111122223333:user/nobody"`,
		`{"AWS":"arn:aws:iam::999999999999:role/far"}`:                                        `"AWS":"arn:aws:iam::999999999999:role/far"`,
		`{"AWS":"arn:aws-cn:iam::111122223333:user/alice"}`:                                   `"AWS":"arn:aws-cn:iam::111122223333:user/alice"`,
		`{"AWS":"arn:aws:iam::111122223333:group/g"}`:                                         `"AWS":"arn:aws:iam::111122223333:group/g"`,
		`{"AWS":"arn:aws:sts::111122223333:assumed-role/gone/session"}`:                       `"AWS":"arn:aws:sts::111122223333:assumed-role/gone/session"`,
		`{"Service":"lambda.example.com"}`:                                                    `"SERVICE":"lambda.example.com"`,
		`{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.example"}`:       `"FEDERATED":"arn:aws:iam::111122223333:oidc-provider/token.actions.example"`,
		`{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::111122223333:user/b"]}`: `"AWS":"arn:aws:iam::111122223333:user/b"`,
	} {
		_, err := w.do(&sdk.UpdateAssumeRolePolicyInput{RoleName: aws.String("r"), PolicyDocument: aws.String(trusting(principals))})
		if bad == "" && err != nil {
			t.Errorf("%s: %v", principals, err)
		}
		if bad != "" {
			wantError(t, err, "MalformedPolicyDocument", "Invalid principal in policy: "+bad)
		}
	}
}
