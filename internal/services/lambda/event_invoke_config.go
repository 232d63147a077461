package lambda

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// eventInvokeConfig is the record of how a function, version or alias is invoked asynchronously. What was not given is absent: the
// defaults hold (lambda.md 7.2).
type eventInvokeConfig struct {
	Qualifier    string    `json:"qualifier"` // "$LATEST" for the function
	Modified     time.Time `json:"modified"`
	RetryLimit   *int32    `json:"retry_limit,omitempty"`
	MaxAge       *int32    `json:"max_age,omitempty"` // seconds
	OnSuccessARN string    `json:"on_success,omitempty"`
	OnFailureARN string    `json:"on_failure,omitempty"`
}

func eventInvokePrefix(r request.Function) string { return belongings(r) + "event-invoke/" }

func eventInvokeKey(r request.Function) string {
	return eventInvokePrefix(r) + inFull(r).Qualifier
}

// inFull is a reference whose ARN is qualified, as the configurations show it: the function is its $LATEST version.
func inFull(r request.Function) request.Function {
	if r.Qualifier == "" {
		r.Qualifier = request.Latest
	}
	return r
}

// destinationText is the constraint of an ARN in a DestinationConfig.
var destinationText = request.NewText(0, 350, `$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:`+
	`([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)`)

// eventInvokeSettings are the members that PutFunctionEventInvokeConfig and UpdateFunctionEventInvokeConfig share.
type eventInvokeSettings struct {
	RetryLimit   *int32
	MaxAge       *int32
	Destinations *types.DestinationConfig
}

func (e eventInvokeSettings) onSuccess() string {
	if e.Destinations == nil || e.Destinations.OnSuccess == nil {
		return ""
	}
	return aws.ToString(e.Destinations.OnSuccess.Destination)
}

func (e eventInvokeSettings) onFailure() string {
	if e.Destinations == nil || e.Destinations.OnFailure == nil {
		return ""
	}
	return aws.ToString(e.Destinations.OnFailure.Destination)
}

// reference reads what a configuration is for, and checks the constraints of the model.
func (e eventInvokeSettings) reference(c *service.Call, name, qualifier *string) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, name, request.NamespacedName)
	v.Number("maximumRetryAttempts", e.RetryLimit, 0, 2)
	v.Number("maximumEventAgeInSeconds", e.MaxAge, 60, 21600)
	if e.Destinations != nil {
		v.Text("destinationConfig.onSuccess.destination", aws.String(e.onSuccess()), destinationText)
		v.Text("destinationConfig.onFailure.destination", aws.String(e.onFailure()), destinationText)
	}
	return v.Resolve(c, r, qualifier)
}

// apply sets what is given. A DestinationConfig replaces the whole of the old one (recorded from AWS).
func (e eventInvokeSettings) apply(config *eventInvokeConfig) {
	if e.RetryLimit != nil {
		config.RetryLimit = e.RetryLimit
	}
	if e.MaxAge != nil {
		config.MaxAge = e.MaxAge
	}
	if e.Destinations != nil {
		config.OnSuccessARN, config.OnFailureARN = e.onSuccess(), e.onFailure()
	}
}

// invokedAsynchronously finds the function, version or alias that a configuration is for.
func (s *Service) invokedAsynchronously(ctx context.Context, r request.Function) (found, error) {
	f, err := s.find(ctx, r)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return found{}, noSuchFunction()
	case err != nil:
		return found{}, fmt.Errorf("find function %s: %w", r.ARN(), err)
	}
	return f, nil
}

// These texts are recorded from AWS.
func noSuchFunction() error { return fault.NotFound("The function doesn't exist.") }

func noEventInvokeConfig(r request.Function) error {
	return fault.NotFound("The function %s doesn't have an EventInvokeConfig", inFull(r).ARN())
}

// check refuses what the model allows and Lambda does not.
func (e eventInvokeSettings) check(ctx context.Context, s *Service, r request.Function) error {
	if e.RetryLimit == nil && e.MaxAge == nil && e.Destinations == nil {
		return fault.InvalidParameter("You must specify at least one of error handling or destination setting.")
	}
	f, err := s.invokedAsynchronously(ctx, r)
	if err != nil {
		return err
	}
	if e.onSuccess() != "" {
		if err := e.checkDestination(ctx, s, f, e.onSuccess(), false); err != nil {
			return err
		}
	}
	if e.onFailure() != "" {
		return e.checkDestination(ctx, s, f, e.onFailure(), true)
	}
	return nil
}

// checkDestination simulates the execution role, which must be able to write to the destination (lambda.md 3.1).
func (e eventInvokeSettings) checkDestination(ctx context.Context, s *Service, f found, destination string, failure bool) error {
	action, resource := e.delivery(f, destination, failure)
	if action == "" {
		return e.invalid()
	}
	if action == "lambda:InvokeFunction" {
		if err := s.checkFunctionDestination(ctx, f, destination); err != nil {
			return err
		}
	}
	functionARN := f.function.reference.FunctionARN()
	ok, err := s.Roles.Allows(ctx, f.version.Role, functionARN, action, resource)
	if err != nil {
		return fmt.Errorf("simulate the role of %s: %w", functionARN, err)
	}
	if !ok {
		_, operation, _ := strings.Cut(action, ":")
		return fault.InvalidParameter("The function execution role does not have permissions to call %s on %s", operation, destination)
	}
	return nil
}

// delivery is what the role does to a destination; "" for what is none. Which there are, and that queues and topics must be standard
// ones: https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html, DestinationConfig.
func (e eventInvokeSettings) delivery(f found, destination string, failure bool) (action, resource string) {
	a, err := arn.Parse(destination)
	if err != nil || a.Partition != f.function.Partition {
		return "", ""
	}
	if a.Service == "s3" { // any object of the bucket (lambda.md 3.1)
		if !failure || a.Resource == "" || strings.Contains(a.Resource, "/") {
			return "", ""
		}
		return "s3:PutObject", destination + "/*"
	}
	if a.Region != f.function.Region || !request.IsAccount(a.AccountID) || a.Resource == "" {
		return "", ""
	}
	switch {
	case a.Service == "sqs" && !strings.HasSuffix(a.Resource, ".fifo"):
		return "sqs:SendMessage", destination
	case a.Service == "sns" && !strings.HasSuffix(a.Resource, ".fifo"):
		return "sns:Publish", destination
	case a.Service == "events" && strings.HasPrefix(a.Resource, "event-bus/"):
		return "events:PutEvents", destination
	case a.Service == "lambda" && strings.HasPrefix(a.Resource, "function:"):
		return "lambda:InvokeFunction", destination
	}
	return "", ""
}

// invalid has AWS's text (recorded).
func (e eventInvokeSettings) invalid() error {
	part := func(name, destination string) string {
		if destination == "" {
			return "null"
		}
		return name + "(destination=" + destination + ")"
	}
	return fault.InvalidParameter("The provided destination config DestinationConfig(onSuccess=%s, onFailure=%s) is invalid.",
		part("OnSuccess", e.onSuccess()), part("OnFailure", e.onFailure()))
}

// checkFunctionDestination: the texts are recorded from AWS. Whether another account's function is there is not for this one to know.
func (s *Service) checkFunctionDestination(ctx context.Context, f found, destination string) error {
	var v request.Validator
	r := f.function.reference
	target := v.Function(&service.Call{Partition: r.Partition, Region: r.Region, Account: r.Account}, &destination, request.NamespacedName)
	var err error
	if target.Account == r.Account {
		_, err = s.find(ctx, target)
	}
	switch {
	case v.Err() != nil, errors.Is(err, store.ErrNotFound):
		return fault.InvalidParameter("The destination ARN %s is invalid.", destination)
	case err != nil:
		return fmt.Errorf("find destination %s: %w", destination, err)
	case target.FunctionARN() == r.FunctionARN():
		return fault.InvalidParameter("You can't specify the function as a destination for itself.")
	}
	return nil
}

// shown is a configuration as the operations show it.
func (e eventInvokeConfig) shown(r request.Function) types.FunctionEventInvokeConfig {
	r.Qualifier = e.Qualifier
	config := types.FunctionEventInvokeConfig{
		FunctionArn: aws.String(r.ARN()), LastModified: &e.Modified,
		MaximumRetryAttempts: e.RetryLimit, MaximumEventAgeInSeconds: e.MaxAge,
		DestinationConfig: &types.DestinationConfig{OnSuccess: &types.OnSuccess{}, OnFailure: &types.OnFailure{}},
	}
	if e.OnSuccessARN != "" {
		config.DestinationConfig.OnSuccess.Destination = aws.String(e.OnSuccessARN)
	}
	if e.OnFailureARN != "" {
		config.DestinationConfig.OnFailure.Destination = aws.String(e.OnFailureARN)
	}
	return config
}
