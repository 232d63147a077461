package lambda

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// What is left for later is judged like everything else, and answers NotImplemented only after that.
func TestLater(t *testing.T) {
	h := newHarness(t)
	const durableARN = arnOfF + ":1/durable-execution/name/id"
	for _, c := range []struct {
		in       any
		resource string
	}{
		{&sdk.GetCapacityProviderInput{CapacityProviderName: aws.String("p")}, "arn:aws:lambda:eu-central-1:111122223333:capacity-provider:p"},
		{&sdk.GetCapacityProviderInput{CapacityProviderName: aws.String("arn:aws:lambda:eu-central-1:444455556666:capacity-provider:p")},
			"arn:aws:lambda:eu-central-1:444455556666:capacity-provider:p"},
		{&sdk.ListCapacityProvidersInput{}, "*"},
		{&sdk.CreateCapacityProviderInput{CapacityProviderName: aws.String("p"), Tags: map[string]string{"team": "a"},
			VpcConfig: &types.CapacityProviderVpcConfig{SubnetIds: []string{"subnet-1"}}}, "arn:aws:lambda:eu-central-1:111122223333:capacity-provider:p"},
		{&sdk.GetDurableExecutionInput{DurableExecutionArn: aws.String(durableARN)}, durableARN},
		{&sdk.ListDurableExecutionsByFunctionInput{FunctionName: aws.String("f:live")}, arnOfF + ":live"},
		{&sdk.SendDurableExecutionCallbackSuccessInput{CallbackId: aws.String("x")},
			"arn:aws:lambda:eu-central-1:111122223333:function:*:*/durable-execution/*/*"},
	} {
		operation := operationOf(c.in)
		needs, err := h.needs(operation, c.in)
		if err != nil {
			t.Fatalf("%s: %v", operation, err)
		}
		if got := needs[0].Target.ARN; got != c.resource {
			t.Errorf("%s is judged on %s, want %s", operation, got, c.resource)
		}
		_, err = do[any](h, c.in)
		wantError(t, err, "NotImplemented", 501, "licet does not implement the operation "+operation+" of lambda.")
	}
	needs, err := h.needs("CreateCapacityProvider", &sdk.CreateCapacityProviderInput{CapacityProviderName: aws.String("p"),
		Tags: map[string]string{"team": "a"}, VpcConfig: &types.CapacityProviderVpcConfig{SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := keysOf(needs[0].Target.Keys), "aws:RequestTag/team=a\naws:ResourceTag/team=a\naws:TagKeys=team\nlambda:SecurityGroupIds=sg-1\nlambda:SubnetIds=subnet-1"; got != want {
		t.Errorf("keys\n%s\nwant\n%s", got, want)
	}
	elsewhere := "arn:aws:lambda:us-east-1:111122223333:function:f:1/durable-execution/name/id"
	_, err = h.needs("StopDurableExecution", &sdk.StopDurableExecutionInput{DurableExecutionArn: &elsewhere})
	wantError(t, err, "ResourceNotFoundException", 404, "Functions from 'us-east-1' are not reachable in this region ('eu-central-1')")
}
