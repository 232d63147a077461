package signing

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func (s *Service) delete(
	ctx context.Context, c *service.Call, in *sdk.DeleteCodeSigningConfigInput,
) (*sdk.DeleteCodeSigningConfigOutput, error) {
	var v request.Validator
	a, err := Parse(&v, c, in.CodeSigningConfigArn)
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx store.Tx) error {
		if _, err := load(tx, a); err != nil {
			return err
		}
		used, err := s.used(tx, a)
		if err != nil {
			return err
		}
		if used { // that it is refused: https://docs.aws.amazon.com/lambda/latest/api/API_DeleteCodeSigningConfig.html; the text is ours
			return fault.Conflict("The code signing configuration %s is used by a function.", a)
		}
		return tx.Delete(key(a))
	})
	if err != nil {
		return nil, answer(err, a)
	}
	return &sdk.DeleteCodeSigningConfigOutput{}, nil
}
