package compat

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/middleware"
)

// sqsOf is the ARN of a queue.
func sqsOf(name string) string { return "arn:aws:sqs:us-east-1:" + account + ":" + name }

// aws_lambda_event_source_mapping (internal/service/lambda/event_source_mapping.go of the provider): create, wait for Enabled, read,
// update, wait, tags, read, delete, wait until it is gone.
func TestTerraformEventSourceMapping(t *testing.T) {
	t.Parallel()
	c, ctx, queue := server.as(server.root).lambda, t.Context(), server.newQueue(t).arn
	own := server.newRole(t, trustLambda)
	f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Role = &own.arn })
	in := &lambda.CreateEventSourceMappingInput{
		EventSourceArn: &queue, FunctionName: &f.arn, Enabled: aws.Bool(true), BatchSize: aws.Int32(10),
		MaximumBatchingWindowInSeconds: aws.Int32(0), FunctionResponseTypes: []types.FunctionResponseType{"ReportBatchItemFailures"},
		FilterCriteria: &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"body":{"kind":[{"prefix":"a"}]}}`)}}},
		ScalingConfig:  &types.ScalingConfig{MaximumConcurrency: aws.Int32(5)}, Tags: map[string]string{"team": "blue"},
	}
	// The execution role is asked beforehand; Terraform tries again on this text.
	_, err := c.CreateEventSourceMapping(ctx, in)
	check(t, err, failure{400, "InvalidParameterValueException", "The function execution role does not have permissions to call ReceiveMessage on SQS"})
	server.permitRole(t, own, allow("sqs:ReceiveMessage", queue), allow("sqs:DeleteMessage", queue))
	_, err = c.CreateEventSourceMapping(ctx, in)
	check(t, err, failure{400, "InvalidParameterValueException", "The function execution role does not have permissions to call GetQueueAttributes on SQS"})
	server.permitRole(t, own, allow("sqs:*", queue))
	created := must(c.CreateEventSourceMapping(ctx, in))(t)
	if *created.State != "Creating" || time.Since(*created.LastModified).Abs() > time.Hour {
		t.Errorf("created: state %s, modified %v", *created.State, created.LastModified)
	}
	read := func() *lambda.GetEventSourceMappingOutput {
		t.Helper()
		out := must(c.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: created.UUID}))(t)
		out.ResultMetadata = middleware.Metadata{}
		return out
	}
	want := lambda.GetEventSourceMappingOutput{
		UUID: created.UUID, EventSourceMappingArn: aws.String("arn:aws:lambda:us-east-1:" + account + ":event-source-mapping:" + *created.UUID),
		EventSourceArn: &queue, FunctionArn: &f.arn, State: aws.String("Enabled"), StateTransitionReason: aws.String("USER_INITIATED"),
		BatchSize: in.BatchSize, MaximumBatchingWindowInSeconds: in.MaximumBatchingWindowInSeconds, FilterCriteria: in.FilterCriteria,
		FunctionResponseTypes: in.FunctionResponseTypes, ScalingConfig: in.ScalingConfig, LastModified: created.LastModified,
	}
	same(t, "mapping", *read(), want)
	same(t, "tags", must(c.ListTags(ctx, &lambda.ListTagsInput{Resource: created.EventSourceMappingArn}))(t).Tags, in.Tags)

	updated := must(c.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{
		UUID: created.UUID, FunctionName: &f.arn, BatchSize: aws.Int32(100), MaximumBatchingWindowInSeconds: aws.Int32(3), Enabled: aws.Bool(false),
		FilterCriteria: &types.FilterCriteria{}, FunctionResponseTypes: []types.FunctionResponseType{}, ScalingConfig: &types.ScalingConfig{},
	}))(t)
	if *updated.State != "Disabling" {
		t.Errorf("updated: state %s", *updated.State)
	}
	want.State, want.BatchSize, want.MaximumBatchingWindowInSeconds = aws.String("Disabled"), aws.Int32(100), aws.Int32(3)
	want.FilterCriteria, want.ScalingConfig, want.FunctionResponseTypes = nil, nil, []types.FunctionResponseType{}
	want.LastModified = updated.LastModified
	same(t, "updated mapping", *read(), want)
	must(c.TagResource(ctx, &lambda.TagResourceInput{Resource: created.EventSourceMappingArn, Tags: map[string]string{"stage": "dev"}}))(t)
	must(c.UntagResource(ctx, &lambda.UntagResourceInput{Resource: created.EventSourceMappingArn, TagKeys: []string{"team"}}))(t)
	same(t, "tags", must(c.ListTags(ctx, &lambda.ListTagsInput{Resource: created.EventSourceMappingArn}))(t).Tags, map[string]string{"stage": "dev"})

	pages := lambda.NewListEventSourceMappingsPaginator(c, &lambda.ListEventSourceMappingsInput{FunctionName: &f.name})
	list := must(pages.NextPage(ctx))(t).EventSourceMappings
	if len(list) != 1 || *list[0].UUID != *created.UUID || pages.HasMorePages() {
		t.Errorf("listed %+v", list)
	}
	if out := must(c.DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: created.UUID}))(t); *out.State != "Deleting" {
		t.Errorf("deleted: state %s", *out.State)
	}
	_, err = c.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: created.UUID})
	check(t, err, failure{404, "ResourceNotFoundException", "The resource you requested does not exist."})
}

// Who may configure mappings is bound to functions by lambda:FunctionArn, and to mappings by their tags (lambda.md 2.3, 2.4, 2.6).
func TestEventSourceMappingDecision(t *testing.T) {
	t.Parallel()
	root, ctx, queue := server.as(server.root).lambda, t.Context(), server.newQueue(t).arn
	own := server.newRole(t, trustLambda, allow("sqs:*", "*"))
	withRole := func(in *lambda.CreateFunctionInput) { in.Role = &own.arn }
	mine, other := server.newFunction(t, echo, withRole), server.newFunction(t, echo, withRole)
	u := server.newUser(t,
		allow("lambda:*EventSourceMapping", "*", `{"ArnEquals":{"lambda:FunctionArn":"`+mine.arn+`"}}`),
		allow("lambda:TagResource", "*", `{"StringEquals":{"aws:ResourceTag/team":"blue"}}`))
	create := func(f function) *lambda.CreateEventSourceMappingInput {
		return &lambda.CreateEventSourceMappingInput{EventSourceArn: &queue, FunctionName: &f.name}
	}
	_, err := u.lambda.CreateEventSourceMapping(ctx, create(other))
	check(t, err, lambdaDenied(u.arn, "lambda:CreateEventSourceMapping", "*", "identity-based policy"))
	made := must(u.lambda.CreateEventSourceMapping(ctx, create(mine)))(t)
	// It cannot be turned to a function that the caller has no permission for.
	_, err = u.lambda.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: made.UUID, FunctionName: &other.name})
	check(t, err, lambdaDenied(u.arn, "lambda:UpdateEventSourceMapping", *made.EventSourceMappingArn, "identity-based policy"))
	foreign := must(root.CreateEventSourceMapping(ctx, create(other)))(t)
	_, err = u.lambda.DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: foreign.UUID})
	check(t, err, lambdaDenied(u.arn, "lambda:DeleteEventSourceMapping", *foreign.EventSourceMappingArn, "identity-based policy"))

	tag := &lambda.TagResourceInput{Resource: made.EventSourceMappingArn, Tags: map[string]string{"x": "y"}}
	_, err = u.lambda.TagResource(ctx, tag)
	check(t, err, lambdaDenied(u.arn, "lambda:TagResource", *made.EventSourceMappingArn, "identity-based policy"))
	must(root.TagResource(ctx, &lambda.TagResourceInput{Resource: made.EventSourceMappingArn, Tags: map[string]string{"team": "blue"}}))(t)
	must(u.lambda.TagResource(ctx, tag))(t)

	// A queue of another account needs a policy of its own, which no service here can have yet.
	elsewhere := strings.Replace(queue, account, "111122223333", 1)
	_, err = root.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{EventSourceArn: &elsewhere, FunctionName: &mine.name})
	check(t, err, failure{400, "InvalidParameterValueException", "The function execution role does not have permissions to call ReceiveMessage on SQS"})
}
