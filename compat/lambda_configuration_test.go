package compat

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Aliases are listed in pages, all of them or those of one version.
func TestListAliases(t *testing.T) {
	t.Parallel()
	c, ctx, f := server.as(server.root).lambda, t.Context(), server.newFunction(t, echo)
	number := must(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &f.name}))(t).Version
	for _, name := range []string{"blue", "green", "live"} {
		version := number
		if name == "live" {
			version = aws.String("$LATEST")
		}
		must(c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &f.name, Name: &name, FunctionVersion: version}))(t)
	}
	list := func(in *lambda.ListAliasesInput) (names []string) {
		t.Helper()
		in.FunctionName, in.MaxItems = &f.name, aws.Int32(1)
		for pages := lambda.NewListAliasesPaginator(c, in); pages.HasMorePages(); {
			for _, a := range must(pages.NextPage(ctx))(t).Aliases {
				names = append(names, *a.Name)
			}
		}
		return names
	}
	same(t, "aliases", list(&lambda.ListAliasesInput{}), []string{"blue", "green", "live"})
	same(t, "aliases of the version", list(&lambda.ListAliasesInput{FunctionVersion: number}), []string{"blue", "green"})
}

// UpdateFunctionEventInvokeConfig changes what is given, and keeps the rest.
func TestUpdateEventInvokeConfig(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).lambda, t.Context()
	own := server.newRole(t, trustLambda, allow("sqs:SendMessage", "*"))
	f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Role = &own.arn })
	queue := sqsOf(unique("failures"))
	must(c.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: &f.name, MaximumRetryAttempts: aws.Int32(1),
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: &queue}},
	}))(t)
	must(c.UpdateFunctionEventInvokeConfig(ctx, &lambda.UpdateFunctionEventInvokeConfigInput{
		FunctionName: &f.name, MaximumEventAgeInSeconds: aws.Int32(120),
	}))(t)
	got := must(c.GetFunctionEventInvokeConfig(ctx, &lambda.GetFunctionEventInvokeConfigInput{FunctionName: &f.name}))(t)
	if *got.MaximumRetryAttempts != 1 || *got.MaximumEventAgeInSeconds != 120 || *got.DestinationConfig.OnFailure.Destination != queue ||
		*got.FunctionArn != f.arn+":$LATEST" {
		t.Errorf("got %+v", got)
	}
}

// Scaling configurations are of functions on capacity providers, which there are none of: the answer is AWS's to another function.
func TestScalingConfigWithoutCapacityProvider(t *testing.T) {
	t.Parallel()
	c, ctx, f := server.as(server.root).lambda, t.Context(), server.newFunction(t, echo)
	number := must(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &f.name}))(t).Version
	_, put := c.PutFunctionScalingConfig(ctx, &lambda.PutFunctionScalingConfigInput{
		FunctionName: &f.name, Qualifier: number, FunctionScalingConfig: &types.FunctionScalingConfig{MinExecutionEnvironments: aws.Int32(1)},
	})
	_, get := c.GetFunctionScalingConfig(ctx, &lambda.GetFunctionScalingConfigInput{FunctionName: &f.name, Qualifier: number})
	for _, err := range []error{put, get} {
		if got := failureOf(err); got.Status != 403 || got.Code != "AccessDeniedException" {
			t.Errorf("got %+v", got)
		}
	}
}
