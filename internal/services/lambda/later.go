package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/tag"
)

// laterOperations are those on capacity providers and durable executions, and streamed answers: they are judged, but not implemented.
func (s *Service) laterOperations() []service.Operation {
	return []service.Operation{
		service.Later("CreateCapacityProvider", "lambda:CreateCapacityProvider", createCapacityProviderTarget),
		service.Later("DeleteCapacityProvider", "lambda:DeleteCapacityProvider",
			provider(func(in *sdk.DeleteCapacityProviderInput) *string { return in.CapacityProviderName })),
		service.Later("GetCapacityProvider", "lambda:GetCapacityProvider",
			provider(func(in *sdk.GetCapacityProviderInput) *string { return in.CapacityProviderName })),
		service.Later("ListCapacityProviders", "lambda:ListCapacityProviders", service.Any[sdk.ListCapacityProvidersInput]),
		service.Later("ListFunctionVersionsByCapacityProvider", "lambda:ListFunctionVersionsByCapacityProvider",
			provider(func(in *sdk.ListFunctionVersionsByCapacityProviderInput) *string { return in.CapacityProviderName })),
		service.Later("UpdateCapacityProvider", "lambda:UpdateCapacityProvider",
			provider(func(in *sdk.UpdateCapacityProviderInput) *string { return in.CapacityProviderName })),

		service.Later("CheckpointDurableExecution", "lambda:CheckpointDurableExecution",
			durable(func(in *sdk.CheckpointDurableExecutionInput) *string { return in.DurableExecutionArn })),
		service.Later("GetDurableExecution", "lambda:GetDurableExecution",
			durable(func(in *sdk.GetDurableExecutionInput) *string { return in.DurableExecutionArn })),
		service.Later("GetDurableExecutionHistory", "lambda:GetDurableExecutionHistory",
			durable(func(in *sdk.GetDurableExecutionHistoryInput) *string { return in.DurableExecutionArn })),
		service.Later("GetDurableExecutionState", "lambda:GetDurableExecutionState",
			durable(func(in *sdk.GetDurableExecutionStateInput) *string { return in.DurableExecutionArn })),
		service.Later("ListDurableExecutionsByFunction", "lambda:ListDurableExecutionsByFunction",
			on(s, "lambda:ListDurableExecutionsByFunction", listDurableExecutionsByFunctionReference)),
		service.Later("SendDurableExecutionCallbackFailure", "lambda:SendDurableExecutionCallbackFailure",
			callback[sdk.SendDurableExecutionCallbackFailureInput]),
		service.Later("SendDurableExecutionCallbackHeartbeat", "lambda:SendDurableExecutionCallbackHeartbeat",
			callback[sdk.SendDurableExecutionCallbackHeartbeatInput]),
		service.Later("SendDurableExecutionCallbackSuccess", "lambda:SendDurableExecutionCallbackSuccess",
			callback[sdk.SendDurableExecutionCallbackSuccessInput]),
		service.Later("StopDurableExecution", "lambda:StopDurableExecution",
			durable(func(in *sdk.StopDurableExecutionInput) *string { return in.DurableExecutionArn })),
	}
}

// The constraints of the model.
var (
	providerText = request.NewText(1, 140, `(arn:aws[a-zA-Z-]*:lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:capacity-provider:`+
		`[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`)
	durableText = request.NewText(1, 1024, `arn:([a-zA-Z0-9-]+):lambda:([a-zA-Z0-9-]+):(\d{12}):function:([a-zA-Z0-9_-]+):`+
		`(\$LATEST(?:\.PUBLISHED)?|[0-9]+)/durable-execution/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)`)
)

// provider is the resource of an operation on one capacity provider, which is named by its name or ARN.
func provider[In any](member func(*In) *string) service.Resource[In] {
	return func(_ context.Context, c *service.Call, in *In) (service.Target, error) {
		var v request.Validator
		v.RequiredText("capacityProviderName", member(in), providerText)
		if err := v.Err(); err != nil {
			return service.Target{}, err
		}
		name := *member(in)
		a, err := arn.Parse(name)
		if err != nil {
			a = arn.ARN{Partition: c.Partition, Service: "lambda", Region: c.Region, AccountID: c.Account, Resource: "capacity-provider:" + name}
		}
		return service.Target{ARN: a.String(), Account: a.AccountID}, nil
	}
}

func createCapacityProviderTarget(ctx context.Context, c *service.Call, in *sdk.CreateCapacityProviderInput) (service.Target, error) {
	t, err := provider(func(in *sdk.CreateCapacityProviderInput) *string { return in.CapacityProviderName })(ctx, c, in)
	if err != nil {
		return service.Target{}, err
	}
	if err := tag.CheckClash(in.Tags); err != nil {
		return service.Target{}, err
	}
	return t.With(func(keys *authz.Context) {
		tag.OfNew(keys, in.Tags)
		if in.VpcConfig != nil {
			keys.SetList("lambda:SubnetIds", in.VpcConfig.SubnetIds...)
			keys.SetList("lambda:SecurityGroupIds", in.VpcConfig.SecurityGroupIds...)
		}
	}), nil
}

// durable is the resource of an operation on one durable execution: its ARN, which has the function's in it (lambda.md 1.9).
func durable[In any](member func(*In) *string) service.Resource[In] {
	return func(_ context.Context, c *service.Call, in *In) (service.Target, error) {
		var v request.Validator
		v.RequiredText("durableExecutionArn", member(in), durableText)
		if err := v.Err(); err != nil {
			return service.Target{}, err
		}
		a, err := arn.Parse(*member(in))
		if err != nil { // its pattern is that of an ARN
			return service.Target{}, err
		}
		if a.Region != c.Region || a.Partition != c.Partition {
			return service.Target{}, fault.NotFound("Functions from '%s' are not reachable in this region ('%s')", a.Region, c.Region)
		}
		return service.Target{ARN: a.String(), Account: a.AccountID}, nil
	}
}

// callback is the resource of an operation on a callback, which only the execution knows that made it: any execution of the account, so
// that nobody passes who may not all of them.
func callback[In any](_ context.Context, c *service.Call, _ *In) (service.Target, error) {
	return service.Target{
		ARN: "arn:" + c.Partition + ":lambda:" + c.Region + ":" + c.Account + ":function:*:*/durable-execution/*/*", Account: c.Account,
	}, nil
}

func listDurableExecutionsByFunctionReference(
	c *service.Call, in *sdk.ListDurableExecutionsByFunctionInput,
) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), in.Qualifier)
}
