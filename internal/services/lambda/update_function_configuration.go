package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func updateFunctionConfigurationReference(c *service.Call, in *sdk.UpdateFunctionConfigurationInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	updateSettings(in).validate(&v)
	return v.Resolve(c, r, nil)
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
	ctx context.Context, c *service.Call, in *sdk.UpdateFunctionConfigurationInput,
) ([]service.Need, error) {
	r, err := updateFunctionConfigurationReference(c, in)
	if err != nil {
		return nil, err
	}
	return s.needs(ctx, c, updateSettings(in), r.FunctionARN())
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
	if err := given.check(c.Region, s.Runtimes); err != nil {
		return nil, err
	}
	if in.Role != nil {
		if err := s.checkRole(ctx, c, *in.Role, r); err != nil {
			return nil, err
		}
	}
	layers, err := s.useLayers(ctx, given)
	if err != nil {
		return nil, err
	}
	revision := uuid.NewString()
	f, err := s.updateLatest(ctx, r, in.RevisionId, func(v *version) error {
		v.RevisionID, v.LastModified = revision, c.Time
		given.apply(v)
		if given.Layers == nil {
			return nil
		}
		v.Layers = layers
		return v.checkSize()
	})
	if err != nil {
		return nil, err
	}
	s.Runner.Retire(r.FunctionARN())
	return output[sdk.UpdateFunctionConfigurationOutput](f.configuration(r.Qualifier, updated)), nil
}
