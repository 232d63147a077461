package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

const (
	// maxPayload and maxClientContext, in base64: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html.
	maxPayload       = 6_291_456
	maxClientContext = 3583
)

func invokeReference(c *service.Call, in *sdk.InvokeInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	request.Enum(&v, "invocationType", in.InvocationType, in.InvocationType.Values())
	request.Enum(&v, "logType", in.LogType, in.LogType.Values())
	v.Text("durableExecutionName", in.DurableExecutionName, durableExecutionNameText)
	v.Text("tenantId", in.TenantId, tenantIDText)
	return v.Resolve(c, r, in.Qualifier)
}

func (s *Service) invoke(ctx context.Context, c *service.Call, in *sdk.InvokeInput) (*sdk.InvokeOutput, error) {
	r, err := invokeReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := unsupportedInvoke(in); err != nil {
		return nil, err
	}
	if in.InvocationType == types.InvocationTypeEvent { // the client context is for synchronous invocations only (lambda.md 7.1)
		if err := s.accept(ctx, c, r, arrival{in.Payload, maxEvent, aws.ToString(in.TenantId)}); err != nil {
			return nil, err
		}
		return &sdk.InvokeOutput{StatusCode: http.StatusAccepted}, nil
	}
	run, call, err := s.prepare(ctx, c, r, in)
	if err != nil {
		return nil, err
	}
	if run == nil {
		return &sdk.InvokeOutput{StatusCode: http.StatusNoContent}, nil
	}
	result, err := s.Runner.Invoke(ctx, *run, *call)
	if err != nil {
		return nil, invokeError(err, r)
	}
	return invokeOutput(in, run.Version, result), nil
}

// prepare makes what a synchronous invocation needs. Of a dry run, which is judged as any Invoke, but runs nothing (lambda.md 2.1), there
// is none.
func (s *Service) prepare(
	ctx context.Context, c *service.Call, r request.Function, in *sdk.InvokeInput,
) (*execution.Function, *execution.Invocation, error) {
	clientContext, err := checkInvocation(in)
	if err != nil {
		return nil, nil, err
	}
	f, err := s.invocable(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if err := checkTenant(f.version, aws.ToString(in.TenantId)); err != nil {
		return nil, nil, err
	}
	if in.InvocationType == types.InvocationTypeDryRun {
		return nil, nil, nil
	}
	trace, looping := f.function.step(c.TraceID, c.RequestID, c.Time)
	if looping {
		return nil, nil, recursiveInvocation()
	}
	run, err := s.runnable(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	return &run, &execution.Invocation{
		RequestID: c.RequestID, InvokedARN: r.ARN(), Payload: orEmpty(in.Payload), ClientContext: clientContext,
		TraceID: trace, Tenant: aws.ToString(in.TenantId), LogTail: in.LogType == types.LogTypeTail,
	}, nil
}

// invocable finds the function to run. Where others name the ARN as requested, Invoke names the version (lambda.md 7.1).
func (s *Service) invocable(ctx context.Context, r request.Function) (found, error) {
	f, err := s.find(ctx, r)
	if err == nil {
		f, err = s.route(ctx, f)
	}
	if err == nil {
		return f, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return found{}, fmt.Errorf("find function %s: %w", r.ARN(), err)
	}
	if r.Qualifier == "" {
		r.Qualifier = request.Latest
	}
	return found{}, fault.FunctionNotFound(r.ARN())
}

func unsupportedInvoke(in *sdk.InvokeInput) error {
	if in.DurableExecutionName != nil {
		return fault.NotImplemented("Invoke", "DurableExecutionName")
	}
	return nil
}

// checkInvocation checks payload and client context, which it decodes.
func checkInvocation(in *sdk.InvokeInput) (clientContext string, err error) {
	if len(in.Payload) > maxPayload {
		// Code and text as recorded from AWS's front end, although the model has RequestTooLargeException.
		return "", fault.EntityTooLarge("Request must be smaller than %d bytes for the InvokeFunction operation", maxPayload)
	}
	if err := checkPayload(in.Payload); err != nil {
		return "", err
	}
	if !isSet(in.ClientContext) {
		return "", nil
	}
	if len(*in.ClientContext) > maxClientContext {
		return "", fault.InvalidRequestContent("Client context must be no more than %d bytes of Base64-encoded data.", maxClientContext)
	}
	plain, err := base64.StdEncoding.DecodeString(*in.ClientContext)
	var object map[string]json.RawMessage
	if err != nil || json.Unmarshal(plain, &object) != nil || object == nil {
		return "", fault.InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.")
	}
	return string(plain), nil
}

// checkPayload: the first part of the text is AWS's; what follows is the word of its JSON parser, which ours differs from.
func checkPayload(payload []byte) error {
	const text = "Could not parse request body into json: Could not parse payload into json: %s"
	if len(payload) == 0 {
		return nil
	}
	if !utf8.Valid(payload) {
		for rest := payload; ; {
			r, size := utf8.DecodeRune(rest)
			if r == utf8.RuneError && size == 1 {
				return fault.InvalidRequestContent(text, fmt.Sprintf("Invalid UTF-8 start byte 0x%x", rest[0]))
			}
			rest = rest[size:]
		}
	}
	if !json.Valid(payload) {
		var value json.RawMessage
		return fault.InvalidRequestContent(text, json.Unmarshal(payload, &value))
	}
	return nil
}

func invokeOutput(in *sdk.InvokeInput, version string, result execution.Result) *sdk.InvokeOutput {
	out := &sdk.InvokeOutput{StatusCode: http.StatusOK, ExecutedVersion: aws.String(version), Payload: result.Payload}
	if result.FunctionError != "" {
		out.FunctionError = aws.String(result.FunctionError)
	}
	if in.LogType == types.LogTypeTail {
		out.LogResult = aws.String(base64.StdEncoding.EncodeToString(result.LogTail))
	}
	return out
}

// invokeError says in AWS's words why an invocation did not reach the function.
func invokeError(err error, r request.Function) error {
	var limit execution.ErrThrottled
	if errors.As(err, &limit) {
		return fault.Throttled(limit.Reason)
	}
	var role execution.ErrRole
	if errors.As(err, &role) {
		e := fault.AccessDenied("The role defined for the function cannot be assumed by Lambda.")
		e.Cause = err
		return e
	}
	var restore execution.ErrSnapStart
	if errors.As(err, &restore) {
		return fault.NotRestored(restore.Timeout)
	}
	return fmt.Errorf("invoke %s: %w", r.ARN(), err)
}
