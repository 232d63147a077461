package main

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/invoker"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// invocations calls functions of an account by the name of a service: judged by the function's resource policy alone, with what the
// service says of its resource there for the policy's conditions.
type invocations struct{ *server }

// InvokeAs makes the call.
func (i invocations) InvokeAs(ctx context.Context, account string, q edge.Invocation) (edge.Invoked, error) {
	var internal service.Internal
	for name, value := range map[string]string{
		"aws:SourceArn": q.SourceARN, "aws:SourceAccount": q.SourceAccount, "aws:SourceOrgID": q.SourceOrgID,
	} {
		if value != "" {
			internal.Keys.Set(name, value)
		}
	}
	c := i.door.Internal(principal.Caller{}, account, "lambda", "Invoke", internal)
	known, ok := invoker.Find(q.Service, c.Region)
	if !ok {
		hint := ""
		if near := invoker.Near(q.Service); len(near) > 0 {
			hint = " Did you mean " + strings.Join(near, ", ") + "?"
		}
		return edge.Invoked{}, invalidQuestion("No service %q invokes functions by their resource-based policy.%s", q.Service, hint)
	}
	if err := ownFunction(account, q.Function); err != nil {
		return edge.Invoked{}, err
	}
	in := &awslambda.InvokeInput{FunctionName: &q.Function, InvocationType: types.InvocationTypeRequestResponse, Payload: q.Payload}
	if q.Qualifier != "" {
		in.Qualifier = &q.Qualifier
	}
	if q.Mode == edge.InvokeEvent || q.Mode == "" && known.Async {
		in.InvocationType = types.InvocationTypeEvent
	}
	c.Caller = principal.Caller{Principal: authz.Principal{Kind: authz.Service, ARN: known.Principal}}
	answer, err := i.door.Do(ctx, c, in)
	out := edge.Invoked{RequestID: c.RequestID, Type: string(in.InvocationType), Denied: answer.Denied}
	if err != nil {
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok {
			return edge.Invoked{}, err
		}
		out.Status, out.Code, out.Message = e.Status, e.Code, e.Message
		return out, nil
	}
	if result, ok := answer.Output.(*awslambda.InvokeOutput); ok {
		out.Status, out.Payload = int(result.StatusCode), string(result.Payload)
		out.FunctionError, out.Version = aws.ToString(result.FunctionError), aws.ToString(result.ExecutedVersion)
	}
	return out, nil
}

// ownFunction lets through names and ARNs of the account's own functions. Partial ARNs, which may name an account too, it does not.
func ownFunction(account, name string) error {
	if !strings.Contains(name, ":") && name != "" {
		return nil
	}
	if a, err := arn.Parse(name); err == nil && a.Service == "lambda" && a.AccountID == account {
		return nil
	}
	return invalidQuestion("The function must be the name of a function of account %s, or its ARN.", account)
}
