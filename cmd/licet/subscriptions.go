package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/logs"
)

// subscribers calls functions as CloudWatch Logs does for subscription filters: judged by the function's resource policy alone,
// with aws:SourceArn and aws:SourceAccount there for its conditions.
type subscribers struct{ *server }

// Check tells whether the function is there and lets CloudWatch Logs in.
func (s subscribers) Check(ctx context.Context, to logs.Destination) error {
	in := &awslambda.InvokeInput{FunctionName: &to.Function, InvocationType: types.InvocationTypeDryRun}
	return s.invoke(ctx, to, in)
}

// Call hands over a payload. That Lambda has taken it is durable.
func (s subscribers) Call(ctx context.Context, to logs.Destination, payload []byte) error {
	in := &awslambda.InvokeInput{FunctionName: &to.Function, InvocationType: types.InvocationTypeEvent, Payload: payload}
	return s.invoke(ctx, to, in)
}

func (s subscribers) invoke(ctx context.Context, to logs.Destination, in *awslambda.InvokeInput) error {
	c, err := s.call(ctx, to, in)
	if err != nil {
		return err
	}
	if _, err = s.door.Do(ctx, c, in); err == nil {
		return nil
	}
	if e, ok := errors.AsType[*awserr.Error](err); ok && e.Sender() && e.Status != http.StatusTooManyRequests {
		return fmt.Errorf("%w: %w", logs.ErrRefused, err)
	}
	return err
}

// call is an invocation by the name of CloudWatch Logs that the function's policy lets in, if it does one: policies name it with
// the region, too, as AWS wrote it once (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html).
func (s subscribers) call(ctx context.Context, to logs.Destination, in *awslambda.InvokeInput) (*service.Call, error) {
	var first *service.Call
	for _, name := range []string{"logs.amazonaws.com", "logs." + to.Region + ".amazonaws.com"} {
		var internal service.Internal
		internal.Keys.Set("aws:SourceArn", to.Source)
		internal.Keys.Set("aws:SourceAccount", to.Account)
		caller := principal.Caller{Principal: authz.Principal{Kind: authz.Service, ARN: name}}
		c := s.door.Internal(caller, to.Account, "lambda", "Invoke", internal)
		c.Region = to.Region
		allowed, err := s.door.Permitted(ctx, c, in)
		if e, ok := errors.AsType[*awserr.Error](err); ok && e.Sender() {
			return nil, fmt.Errorf("%w: %w", logs.ErrRefused, err)
		}
		if err != nil {
			return nil, err
		}
		if allowed {
			return c, nil
		}
		if first == nil {
			first = c
		}
	}
	return first, nil
}
