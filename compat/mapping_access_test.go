package compat

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Nobody makes another account's function read a queue, or learns that it is there, with permissions of its own account.
func TestMappingOfAnotherAccountsFunction(t *testing.T) {
	t.Parallel()
	f, ctx := server.newFunction(t, echo), t.Context()
	caller, c := server.userOf(t, server.newAccount(t), allow("lambda:*", "*"))
	for _, name := range []string{f.arn, f.arn + "-missing"} {
		_, err := c.lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
			FunctionName: &name, EventSourceArn: aws.String(sqsOf(unique("queue"))),
		})
		check(t, err, lambdaDenied(caller, "lambda:CreateEventSourceMapping", "*", "resource-based policy"))
	}
}

// Filters under a key are for those who may decrypt with it; to take the key away is no way around that.
func TestEncryptedFiltersAreHidden(t *testing.T) {
	t.Parallel()
	c, ctx, queue := server.as(server.root).lambda, t.Context(), server.newQueue(t).arn
	own := server.newRole(t, trustLambda, allow("sqs:*", queue))
	f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Role = &own.arn })
	key := "arn:aws:kms:us-east-1:" + account + ":key/filters"
	created := must(c.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		EventSourceArn: &queue, FunctionName: &f.arn, KMSKeyArn: &key,
		FilterCriteria: &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"body":["secret"]}`)}}},
	}))(t)
	get := &lambda.GetEventSourceMappingInput{UUID: created.UUID}
	if out := must(c.GetEventSourceMapping(ctx, get))(t); out.FilterCriteria == nil || out.FilterCriteriaError != nil {
		t.Errorf("root sees %v, %v", out.FilterCriteria, out.FilterCriteriaError)
	}
	p := server.newUser(t, allow("lambda:*", "*"))
	if out := must(p.lambda.GetEventSourceMapping(ctx, get))(t); out.FilterCriteria != nil || out.FilterCriteriaError == nil {
		t.Errorf("a user without the key sees %v, %v", out.FilterCriteria, out.FilterCriteriaError)
	}
	rekey := &lambda.UpdateEventSourceMappingInput{UUID: created.UUID, KMSKeyArn: aws.String("")}
	_, err := p.lambda.UpdateEventSourceMapping(ctx, rekey)
	check(t, err, lambdaDenied(p.arn, "kms:Decrypt", key, "identity-based policy"))
	server.permit(t, p, allow("lambda:*", "*"),
		allow("kms:Decrypt", key, `{"StringEquals":{"kms:EncryptionContext:aws:lambda:EventSourceArn":"`+queue+`"}}`))
	if out := must(p.lambda.GetEventSourceMapping(ctx, get))(t); out.FilterCriteria == nil {
		t.Error("a user with the key does not see the filters")
	}
	must(p.lambda.UpdateEventSourceMapping(ctx, rekey))(t)
	must(c.DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: created.UUID}))(t)
}
