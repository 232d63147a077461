package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

// unqualifiedName is the constraint of a FunctionName that cannot have a qualifier.
var unqualifiedName = request.NewText(1, 140, `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?`+
	`(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)`)

func putFunctionRecursionConfigReference(c *service.Call, in *sdk.PutFunctionRecursionConfigInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, unqualifiedName)
	if v.Required("recursiveLoop", in.RecursiveLoop != "") {
		request.Enum(&v, "recursiveLoop", in.RecursiveLoop, in.RecursiveLoop.Values())
	}
	return v.Resolve(c, r, nil)
}

func (s *Service) putFunctionRecursionConfig(
	ctx context.Context, c *service.Call, in *sdk.PutFunctionRecursionConfigInput,
) (*sdk.PutFunctionRecursionConfigOutput, error) {
	r, err := putFunctionRecursionConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	_, err = s.updateFunction(ctx, r, func(f *function) error {
		f.RecursiveLoop = in.RecursiveLoop
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.PutFunctionRecursionConfigOutput{RecursiveLoop: in.RecursiveLoop}, nil
}
