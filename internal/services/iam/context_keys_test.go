package iam

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
)

func TestGetContextKeys(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	variables := document(saysIf("Allow", "s3:*", "arn:aws:s3:::home/${aws:username}/${aws:PrincipalTag/team, 'none'}/${*}",
		`{"StringLike":{"s3:prefix":["${aws:userid}/*","x"]},"Bool":{"AWS:SecureTransport":"true","aws:securetransport":"true"}}`))
	older := `{"Statement":[{"Effect":"Deny","NotAction":"*","NotResource":"arn:aws:s3:::${aws:username}","Condition":{"Null":{"aws:SourceIp":"true"}}}]}`
	want := []string{"aws:username", "aws:PrincipalTag/team", "s3:prefix", "aws:userid", "AWS:SecureTransport", "aws:SourceIp"}
	custom := must[sdk.GetContextKeysForCustomPolicyOutput](w, &sdk.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{variables, older}})
	if diff := cmp.Diff(custom.ContextKeyNames, want); diff != "" {
		t.Errorf("custom: -got +want:\n%s", diff)
	}

	w.user("alice")
	w.group("g")
	must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{UserName: s("alice"), GroupName: s("g")})
	put := func(name, key string) *string {
		return s(document(saysIf("Allow", "s3:*", "*", `{"StringEquals":{"`+key+`":"`+name+`"}}`)))
	}
	must[sdk.PutUserPolicyOutput](w, &sdk.PutUserPolicyInput{UserName: s("alice"), PolicyName: s("p"), PolicyDocument: put("p", "test:user")})
	must[sdk.PutGroupPolicyOutput](w, &sdk.PutGroupPolicyInput{GroupName: s("g"), PolicyName: s("p"), PolicyDocument: put("p", "test:group")})
	limit := must[sdk.CreatePolicyOutput](w, &sdk.CreatePolicyInput{PolicyName: s("limit"), PolicyDocument: put("p", "test:boundary")}).Policy.Arn
	must[sdk.PutUserPermissionsBoundaryOutput](w, &sdk.PutUserPermissionsBoundaryInput{UserName: s("alice"), PermissionsBoundary: limit})
	own := must[sdk.GetContextKeysForPrincipalPolicyOutput](w, &sdk.GetContextKeysForPrincipalPolicyInput{
		PolicySourceArn: s("arn:aws:iam::111122223333:user/alice"), PolicyInputList: []string{*put("p", "test:more")},
	})
	if diff := cmp.Diff(own.ContextKeyNames, []string{"test:more", "test:user", "test:group", "test:boundary"}); diff != "" {
		t.Errorf("principal: -got +want:\n%s", diff)
	}

	_, err := w.do(&sdk.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{"[]"}})
	wantError(t, err, "InvalidInput", "Policy input list item 1 has invalid content")
	_, err = w.do(&sdk.GetContextKeysForCustomPolicyInput{})
	wantError(t, err, "ValidationError", "1 validation error detected: Value at 'policyInputList' failed to satisfy constraint: Member must not be null")
	_, err = w.do(&sdk.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: s("arn:aws:iam::111122223333:user/bob")})
	wantError(t, err, "NoSuchEntity", "The user with name bob cannot be found.")
}
