package lambda

import (
	"context"
	"errors"
	"net/http"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/async"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func deleteFunctionReference(c *service.Call, in *sdk.DeleteFunctionInput) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), in.Qualifier)
}

func (s *Service) deleteFunction(
	ctx context.Context, c *service.Call, in *sdk.DeleteFunctionInput,
) (*sdk.DeleteFunctionOutput, error) {
	r, err := deleteFunctionReference(c, in)
	if err != nil {
		return nil, err
	}
	switch {
	case r.Qualifier == request.Latest:
		return nil, fault.InvalidParameter("$LATEST version cannot be deleted without deleting the function.")
	case !request.IsVersion(r.Qualifier):
		return nil, fault.InvalidParameter("Deletion of aliases is not currently supported.")
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		f, err := s.loadFunction(tx, r)
		if errors.Is(err, store.ErrNotFound) {
			return fault.FunctionNotFound(r.FunctionARN())
		} else if err != nil {
			return err
		}
		if r.Qualifier != "" {
			return deleteVersion(tx, r)
		}
		return errors.Join(keepNumber(tx, f), s.urls.Forget(tx, r), tx.Delete(functionKey(r)), tx.DeletePrefix(belongings(r)), releaseConcurrency(tx, r),
			async.DeleteLine(tx, r))
	})
	if err != nil {
		return nil, err
	}
	s.retire(r, r.Qualifier)
	// The model says 200; AWS answers 204 (lambda.md 6).
	return &sdk.DeleteFunctionOutput{StatusCode: http.StatusNoContent}, nil
}

// deleteVersion deletes what no alias needs. A version that is not there is no error (recorded from AWS).
func deleteVersion(tx store.Tx, r request.Function) error {
	aliases, err := aliasesOf(tx, r, "")
	if err != nil {
		return err
	}
	var names []string
	for _, a := range aliases {
		if _, weighted := a.Weights[r.Qualifier]; weighted || a.Version == r.Qualifier {
			names = append(names, a.Name)
		}
	}
	if len(names) > 0 {
		return fault.Conflict("Unable to delete version because the following aliases reference it: [%s]", strings.Join(names, ", "))
	}
	return deleteQualified(tx, r)
}
