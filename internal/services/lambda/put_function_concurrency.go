package lambda

import (
	"context"
	"math"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func putFunctionConcurrencyReference(c *service.Call, in *sdk.PutFunctionConcurrencyInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	if v.Required("reservedConcurrentExecutions", in.ReservedConcurrentExecutions != nil) {
		v.Number("reservedConcurrentExecutions", in.ReservedConcurrentExecutions, 0, math.MaxInt32)
	}
	return resolveUnqualified(&v, c, r)
}

func (s *Service) putFunctionConcurrency(
	ctx context.Context, c *service.Call, in *sdk.PutFunctionConcurrencyInput,
) (*sdk.PutFunctionConcurrencyOutput, error) {
	r, err := putFunctionConcurrencyReference(c, in)
	if err != nil {
		return nil, err
	}
	wanted := *in.ReservedConcurrentExecutions
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if err := checkFunction(tx, r.Qualified(request.Latest)); err != nil { // the text was recorded with $LATEST
			return err
		}
		return updateConcurrency(tx, r, func(own *ownConcurrency, unreserved int) error {
			if sum := own.provisioned(); sum > int(wanted) {
				return fault.InvalidParameter( // the text is as remembered; no source at hand has it
					"ReservedConcurrentExecutions %d should not be lower than function's total provisioned concurrency [%d].", wanted, sum)
			}
			if unreserved-int(wanted) < minUnreserved {
				return fault.InvalidParameterUntyped("Specified ReservedConcurrentExecutions for function decreases account's "+
					"UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
			}
			own.Reserved = &wanted
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return &sdk.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: &wanted}, nil
}
