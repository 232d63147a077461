package iam

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
)

// The names in ARNs become keys of caches, which count keys and not their lengths: what is too long for the API model is refused before
// anything is decided, whoever asks.
func TestARNLengths(t *testing.T) {
	w := newWorld(t)
	const tooLong = "' failed to satisfy constraint: Member must have length less than or equal to 2048"
	name := strings.Repeat("x", 2048)
	user, policy := aws.String("arn:aws:iam::"+account+":user/"+name), aws.String("arn:aws:iam::"+account+":policy/"+name)
	for member, inputs := range map[string][]any{
		"policySourceArn": {
			&sdk.SimulatePrincipalPolicyInput{PolicySourceArn: user, ActionNames: []string{"s3:GetObject"}},
			&sdk.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: user},
		},
		"arn": {
			&sdk.GenerateServiceLastAccessedDetailsInput{Arn: user}, &sdk.GenerateServiceLastAccessedDetailsInput{Arn: policy},
			&sdk.ListPoliciesGrantingServiceAccessInput{Arn: user, ServiceNamespaces: []string{"s3"}},
		},
		"policyArn": {&sdk.GetPolicyInput{PolicyArn: policy}, &sdk.ListEntitiesForPolicyInput{PolicyArn: policy}},
	} {
		for _, in := range inputs {
			_, err := w.ops[operationOf(in)].Needs(t.Context(), w.call(), in)
			wantError(t, err, "ValidationError", "1 validation error detected: Value at '"+member+tooLong)
		}
	}
	if ok, err := w.d.HasPolicy(t.Context(), account, *policy); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	if _, err := w.d.Policy(t.Context(), *policy); err == nil || !strings.Contains(err.Error(), "2048") {
		t.Errorf("the policy was looked up: %v", err)
	}
}
