package iam

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
)

// A policy of AWS has the same id wherever it is shown.
func TestIDOfAWSPolicy(t *testing.T) {
	w := newWorld(t)
	got := *must[sdk.GetPolicyOutput](w, &sdk.GetPolicyInput{PolicyArn: aws.String(readOnly)}).Policy.PolicyId
	listed := ""
	for _, p := range must[sdk.ListPoliciesOutput](w, &sdk.ListPoliciesInput{Scope: "AWS"}).Policies {
		if *p.Arn == readOnly {
			listed = *p.PolicyId
		}
	}
	if want := "ANPAZKAPJZG4"; got != listed || got[:len(want)] != want {
		t.Errorf("got %q and %q, want the same, beginning with %s", got, listed, want)
	}
}
