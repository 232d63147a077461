package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
)

func updateFunctionConfigurationReference(c *service.Call, in *sdk.UpdateFunctionConfigurationInput) (reference, error) {
	var v validator
	r := v.name(c, in.FunctionName, functionNameText)
	updateSettings(in).validate(&v)
	return v.resolve(c, r, nil)
}

func (s *Service) updateFunctionConfigurationTarget(
	ctx context.Context, c *service.Call, in *sdk.UpdateFunctionConfigurationInput,
) (service.Target, error) {
	r, err := updateFunctionConfigurationReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	t, err := s.target(ctx, c, "lambda:UpdateFunctionConfiguration", r)
	if err != nil {
		return service.Target{}, err
	}
	return withKeys(t, updateSettings(in).conditionKeys), nil
}

func (s *Service) updateFunctionConfigurationNeeds(
	_ context.Context, c *service.Call, in *sdk.UpdateFunctionConfigurationInput,
) ([]service.Need, error) {
	r, err := updateFunctionConfigurationReference(c, in)
	if err != nil {
		return nil, err
	}
	return updateSettings(in).needs(c, r.functionARN())
}

func (s *Service) updateFunctionConfiguration(
	ctx context.Context, c *service.Call, in *sdk.UpdateFunctionConfigurationInput,
) (*sdk.UpdateFunctionConfigurationOutput, error) {
	r, err := updateFunctionConfigurationReference(c, in)
	if err != nil {
		return nil, err
	}
	if _, err := s.existing(ctx, r); err != nil {
		return nil, err
	}
	given := updateSettings(in)
	if err := given.unsupported(); err != nil {
		return nil, err
	}
	if err := given.check(s.Runtimes); err != nil {
		return nil, err
	}
	if in.Role != nil {
		if err := s.checkRole(ctx, c, *in.Role, r); err != nil {
			return nil, err
		}
	}
	revision := uuid.NewString()
	f, err := s.updateFunction(ctx, r, in.RevisionId, func(f *function) error {
		f.RevisionID, f.LastModified = revision, c.Time
		given.apply(f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.Runner.Retire(r.functionARN())
	return output[sdk.UpdateFunctionConfigurationOutput](f.configuration(r.qualifier, updated)), nil
}
