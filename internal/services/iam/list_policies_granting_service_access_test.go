package iam

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
)

// granted asks which policies of an identity grant access to services, one line for each policy and service.
func (w *world) granted(identity string, namespaces ...string) []string {
	w.t.Helper()
	out := must[sdk.ListPoliciesGrantingServiceAccessOutput](w, &sdk.ListPoliciesGrantingServiceAccessInput{
		Arn: aws.String("arn:aws:iam::111122223333:" + identity), ServiceNamespaces: namespaces,
	})
	var lines []string
	for _, e := range out.PoliciesGrantingServiceAccess {
		for _, p := range e.Policies {
			lines = append(lines, fmt.Sprintf("%s: %s %s %s %s%s", *e.ServiceNamespace, *p.PolicyName, p.PolicyType, p.EntityType, aws.ToString(p.EntityName), aws.ToString(p.PolicyArn)))
		}
		if len(e.Policies) == 0 {
			lines = append(lines, *e.ServiceNamespace+": none")
		}
	}
	return lines
}

func TestListPoliciesGrantingServiceAccess(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	w.group("g")
	w.role("r", trustEC2)
	own := w.policy("own")
	must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{GroupName: s("g"), UserName: s("alice")})
	must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: s("alice"), PolicyArn: &own})
	must[sdk.AttachGroupPolicyOutput](w, &sdk.AttachGroupPolicyInput{GroupName: s("g"), PolicyArn: &own})
	must[sdk.AttachRolePolicyOutput](w, &sdk.AttachRolePolicyInput{RoleName: s("r"), PolicyArn: s(readOnly)})
	must[sdk.PutUserPolicyOutput](w, &sdk.PutUserPolicyInput{UserName: s("alice"), PolicyName: s("all"), PolicyDocument: s(document(says("Allow", "*", "*")))})
	must[sdk.PutGroupPolicyOutput](w, &sdk.PutGroupPolicyInput{GroupName: s("g"), PolicyName: s("few"), PolicyDocument: s(document(
		says("Allow", "SNS:Publish", "*"), says("Deny", "sqs:*", "*")))})
	must[sdk.PutUserPermissionsBoundaryOutput](w, &sdk.PutUserPermissionsBoundaryInput{UserName: s("alice"), PermissionsBoundary: s(readOnly)})
	for _, tt := range []struct {
		identity string
		want     []string
	}{
		{"user/alice", []string{
			"s3: all INLINE USER alice", "s3: own MANAGED  " + own, "sns: all INLINE USER alice", "sns: few INLINE GROUP g", "sqs: all INLINE USER alice",
		}},
		{"group/g", []string{"s3: own MANAGED  " + own, "sns: few INLINE GROUP g", "sqs: none"}},
		{"role/r", []string{"s3: ReadOnlyAccess MANAGED  " + readOnly, "sns: none", "sqs: none"}},
	} {
		if diff := cmp.Diff(w.granted(tt.identity, "s3", "sns", "sqs"), tt.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tt.identity, diff)
		}
	}
}

// What a statement allows of a service is decided by the actions that the service has.
func TestGrants(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	for statement, want := range map[string]bool{
		says("Allow", "sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q"):                              true,
		says("Allow", "sqs:Send*", "*"):                                                                       true,
		says("Allow", "SQS:sendmessage", "*"):                                                                 true,
		saysIf("Allow", "sqs:*", "*", `{"Bool":{"aws:SecureTransport":"true"}}`):                              true,
		says("Allow", "sqs:NoSuchAction", "*"):                                                                false,
		says("Allow", "sns:*", "*"):                                                                           false,
		says("Deny", "sqs:*", "*"):                                                                            false,
		`{"Effect":"Allow","NotAction":"sns:*","Resource":"*"}`:                                               true,
		`{"Effect":"Allow","NotAction":"sqs:SendMessage","Resource":"*"}`:                                     true,
		`{"Effect":"Allow","NotAction":"sqs:*","Resource":"*"}`:                                               false,
		`{"Effect":"Allow","NotAction":"*","Resource":"*"}`:                                                   false,
		`{"Effect":"Deny","NotAction":"sns:*","Resource":"*"}`:                                                false,
		says("Allow", "sns:*", "*") + "," + says("Deny", "s3:*", "*") + "," + says("Allow", "sqs:List*", "*"): true,
	} {
		must[sdk.PutUserPolicyOutput](w, &sdk.PutUserPolicyInput{UserName: s("alice"), PolicyName: s("p"), PolicyDocument: s(document(statement))})
		if got := !slices.Equal(w.granted("user/alice", "sqs"), []string{"sqs: none"}); got != want {
			t.Errorf("%s: got %v, want %v", statement, got, want)
		}
	}
}

func TestListPoliciesGrantingServiceAccessRefusals(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	alice := s("arn:aws:iam::111122223333:user/alice")
	many := slices.Repeat([]string{"s3"}, 201)
	for _, tt := range []struct {
		in            *sdk.ListPoliciesGrantingServiceAccessInput
		code, message string
	}{
		{&sdk.ListPoliciesGrantingServiceAccessInput{Arn: alice}, "ValidationError", "1 validation error detected: Value at 'serviceNamespaces' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{&sdk.ListPoliciesGrantingServiceAccessInput{Arn: alice, ServiceNamespaces: many}, "ValidationError", "1 validation error detected: Value at 'serviceNamespaces' failed to satisfy constraint: Member must have length less than or equal to 200"},
		{&sdk.ListPoliciesGrantingServiceAccessInput{Arn: alice, ServiceNamespaces: []string{"nothing"}}, "InvalidInput", "Invalid service namespace: nothing"},
		{&sdk.ListPoliciesGrantingServiceAccessInput{Arn: s("arn"), ServiceNamespaces: []string{"s3"}}, "ValidationError", "1 validation error detected: Value at 'arn' failed to satisfy constraint: Member must have length greater than or equal to 20"},
		{&sdk.ListPoliciesGrantingServiceAccessInput{Arn: s("arn:aws:iam::111122223333:policy/x"), ServiceNamespaces: []string{"s3"}}, "InvalidInput", "Invalid Entity Arn: arn:aws:iam::111122223333:policy/x does not clearly define entity type and name."},
		{&sdk.ListPoliciesGrantingServiceAccessInput{Arn: s("arn:aws:iam::111122223333:user/bob"), ServiceNamespaces: []string{"s3"}}, "NoSuchEntity", "The user with name bob cannot be found."},
		{&sdk.ListPoliciesGrantingServiceAccessInput{Arn: alice, ServiceNamespaces: []string{"s3"}, Marker: s("?")}, "ValidationError", "Invalid Marker."},
	} {
		_, err := w.do(tt.in)
		wantError(t, err, tt.code, tt.message)
	}
	in := &sdk.ListPoliciesGrantingServiceAccessInput{Arn: alice, ServiceNamespaces: many[:150]}
	first := must[sdk.ListPoliciesGrantingServiceAccessOutput](w, in)
	in.Marker = first.Marker
	second := must[sdk.ListPoliciesGrantingServiceAccessOutput](w, in)
	if n, m := len(first.PoliciesGrantingServiceAccess), len(second.PoliciesGrantingServiceAccess); !first.IsTruncated || n != 100 || second.IsTruncated || m != 50 {
		t.Errorf("got %d entries, then %d, want 100 and 50", n, m)
	}
}
