package lambda

import (
	"context"
	"fmt"
	"io"
	"net/http"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func invokeAsyncReference(c *service.Call, in *sdk.InvokeAsyncInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	return v.Resolve(c, r, nil)
}

// invokeAsyncNeeds: whether AWS judges this old operation by its own action, as the Service Authorization Reference has it, or as any
// invocation, is not known (lambda.md, U3). It needs both, so that nobody gets past a policy that means either.
func (s *Service) invokeAsyncNeeds(ctx context.Context, c *service.Call, in *sdk.InvokeAsyncInput) ([]service.Need, error) {
	const action = "lambda:InvokeFunction"
	t, err := on(s, action, invokeAsyncReference)(ctx, c, in)
	return []service.Need{{Action: action, Target: t}}, err
}

func (s *Service) invokeAsync(ctx context.Context, c *service.Call, in *sdk.InvokeAsyncInput) (*sdk.InvokeAsyncOutput, error) {
	r, err := invokeAsyncReference(c, in)
	if err != nil {
		return nil, err
	}
	var payload []byte
	if in.InvokeArgs != nil {
		if payload, err = io.ReadAll(in.InvokeArgs); err != nil { // it is in memory
			return nil, fmt.Errorf("read the arguments: %w", err)
		}
	}
	if err := s.accept(ctx, c, r, arrival{payload: payload, limit: maxLegacyEvent}); err != nil {
		return nil, err
	}
	return &sdk.InvokeAsyncOutput{Status: http.StatusAccepted}, nil
}
