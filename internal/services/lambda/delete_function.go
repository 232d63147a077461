package lambda

import (
	"context"
	"errors"
	"net/http"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func deleteFunctionReference(c *service.Call, in *sdk.DeleteFunctionInput) (reference, error) {
	var v validator
	return v.resolve(c, v.name(c, in.FunctionName, namespacedNameText), in.Qualifier)
}

func (s *Service) deleteFunction(
	ctx context.Context, c *service.Call, in *sdk.DeleteFunctionInput,
) (*sdk.DeleteFunctionOutput, error) {
	r, err := deleteFunctionReference(c, in)
	if err != nil {
		return nil, err
	}
	switch {
	case r.qualifier == latest:
		return nil, invalidParameter("$LATEST version cannot be deleted without deleting the function.")
	case !isVersion(r.qualifier):
		return nil, invalidParameter("Deletion of aliases is not currently supported.")
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Get(functionKey(r)); errors.Is(err, store.ErrNotFound) {
			return functionNotFound(r.functionARN())
		} else if err != nil {
			return err
		}
		if r.qualifier != "" { // deleting a version that is not there is no error (recorded from AWS)
			return nil
		}
		return errors.Join(tx.Delete(functionKey(r)), tx.Delete(policyKey(r)))
	})
	if err != nil {
		return nil, err
	}
	if r.qualifier == "" {
		s.Runner.Retire(r.functionARN())
	}
	// The model says 200; AWS answers 204 (lambda.md 6).
	return &sdk.DeleteFunctionOutput{StatusCode: http.StatusNoContent}, nil
}
