package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
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
	return t.With(func(keys *authz.Context) { s.conditionKeys(updateSettings(in), keys) }), nil
}

func (s *Service) updateFunctionConfigurationNeeds(
	ctx context.Context, c *service.Call, in *sdk.UpdateFunctionConfigurationInput,
) ([]service.Need, error) {
	r, err := updateFunctionConfigurationReference(c, in)
	if err != nil {
		return nil, err
	}
	given := updateSettings(in)
	needs, err := s.needs(ctx, c, given, r.FunctionARN())
	if err != nil || given.KMSKeyArn == nil {
		return needs, err
	}
	f, err := s.find(ctx, r)
	if errors.Is(err, store.ErrNotFound) {
		return needs, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find function %s: %w", r.ARN(), err)
	}
	return append(needs, given.rekeyNeeds(c, f)...), nil
}

func (s *Service) updateFunctionConfiguration(
	ctx context.Context, c *service.Call, in *sdk.UpdateFunctionConfigurationInput,
) (*sdk.UpdateFunctionConfigurationOutput, error) {
	r, err := updateFunctionConfigurationReference(c, in)
	if err != nil {
		return nil, err
	}
	f, err := s.existing(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := r.Unpublished(); err != nil {
		return nil, err
	}
	if err := s.checkState(f); err != nil {
		return nil, err
	}
	given, before := updateSettings(in), f.version
	if err := checkRuntime(cmp.Or(in.Runtime, before.Runtime), false); err != nil {
		return nil, err
	}
	after := *before
	if err := s.configure(ctx, c, r, given, &after); err != nil {
		return nil, err
	}
	if given.Layers != nil {
		if err := s.checkLayerSignatures(ctx, c, f.function.CodeSigningConfig, after.Layers); err != nil {
			return nil, err
		}
	}
	revision := uuid.NewString()
	signing := f.function.CodeSigningConfig
	f, err = s.updateLatest(ctx, r, in.RevisionId, func(f *function) error {
		v := &f.Latest
		if v.RevisionID != before.RevisionID || given.Layers != nil && f.CodeSigningConfig != signing { // what was checked is no longer there
			return fault.UpdateInProgress(r.ARN())
		}
		v.RevisionID, v.LastModified = revision, c.Time
		given.apply(v)
		v.Layers = after.Layers
		return s.checkNetwork(v)
	})
	if err != nil {
		return nil, err
	}
	s.retire(r, request.Latest)
	s.expect(&f.function.Latest)
	return showVersion[sdk.UpdateFunctionConfigurationOutput](ctx, s, c, f, r, updated)
}

// configure applies settings to a version, the cheap reasons against it first. After an error the version is of no use.
func (s *Service) configure(ctx context.Context, c *service.Call, r request.Function, given settings, v *version) error {
	if err := given.unsupported(); err != nil {
		return err
	}
	if err := given.check(); err != nil {
		return err
	}
	if err := given.checkPackage(v.Image != nil); err != nil {
		return err
	}
	given.apply(v)
	if given.Layers != nil {
		if err := s.useLayers(ctx, v, given.Layers, r.Region); err != nil {
			return err
		}
	}
	if err := s.checkNetwork(v); err != nil {
		return err
	}
	if err := v.check(given); err != nil {
		return err
	}
	if given.Role != nil {
		if err := s.checkRole(ctx, c, v.Role, r); err != nil {
			return err
		}
	}
	return s.checkTargets(ctx, given, v, r)
}

// check refuses settings that do not go together.
func (v *version) check(given settings) error {
	if err := v.checkLogging(given); err != nil {
		return err
	}
	if err := v.checkFileSystems(given); err != nil {
		return err
	}
	return v.checkSnapStart()
}
