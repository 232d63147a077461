package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

func updateFunctionCodeReference(c *service.Call, in *sdk.UpdateFunctionCodeInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	validateArchitectures(&v, in.Architectures)
	request.Enum(&v, "publishTo", in.PublishTo, in.PublishTo.Values())
	updateSource(in).validate(&v)
	return v.Resolve(c, r, nil)
}

func (s *Service) updateFunctionCodeNeeds(
	ctx context.Context, c *service.Call, in *sdk.UpdateFunctionCodeInput,
) ([]service.Need, error) {
	return updateSource(in).needs(ctx, c, s.Objects)
}

func (s *Service) updateFunctionCode(
	ctx context.Context, c *service.Call, in *sdk.UpdateFunctionCodeInput,
) (*sdk.UpdateFunctionCodeOutput, error) {
	r, err := updateFunctionCodeReference(c, in)
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
	if err := s.checkNewCode(in, f.version); err != nil {
		return nil, err
	}
	code, zip, err := s.fetch(ctx, c, updateSource(in), f.function.CodeSigningConfig)
	if err != nil {
		return nil, err
	}
	if err := s.checkState(f); err != nil {
		return nil, err
	}
	change := func(v *version) error {
		if code.image != nil {
			code.image = s.succeed(v.Image, code.image)
		}
		v.setCode(code)
		if len(in.Architectures) == 1 {
			v.Architecture = in.Architectures[0]
		}
		return v.checkSize()
	}
	if in.DryRun {
		if err := checkRevision(in.RevisionId, f.version.RevisionID); err != nil {
			return nil, err
		}
		changed := *f.version
		if err := change(&changed); err != nil {
			return nil, err
		}
		f.version = &changed
		return showVersion[sdk.UpdateFunctionCodeOutput](ctx, s, c, f, r, settled)
	}
	if zip != nil {
		if _, err := bundle.Store(ctx, s.Blobs, zip); err != nil {
			return nil, err
		}
	}
	revision := uuid.NewString()
	signing := f.function.CodeSigningConfig
	update := func(f *function) error {
		v := &f.Latest
		// The function was made again, as another type, or given another code signing configuration, since it was looked at.
		if (v.Image == nil) != (code.image == nil) || f.CodeSigningConfig != signing {
			return fault.UpdateInProgress(r.ARN())
		}
		v.RevisionID, v.LastModified = revision, c.Time
		return change(v)
	}
	when := updated
	if in.Publish { // the answer is that of the version (recorded)
		f, when, err = s.updateAndPublish(ctx, r, in.RevisionId, nil, update)
		r.Qualifier = f.number()
	} else {
		f, err = s.updateLatest(ctx, r, in.RevisionId, update)
	}
	if err != nil {
		return nil, err
	}
	s.retire(r, request.Latest)
	s.expect(&f.function.Latest)
	return showVersion[sdk.UpdateFunctionCodeOutput](ctx, s, c, f, r, when)
}

func (s *Service) checkNewCode(in *sdk.UpdateFunctionCodeInput, v *version) error {
	const operation = "UpdateFunctionCode"
	if in.PublishTo != "" {
		return fault.NotImplemented(operation, "PublishTo")
	}
	if err := checkRuntime(v.Runtime, false); err != nil {
		return err
	}
	return updateSource(in).check(v.Image != nil, s.Objects)
}
