package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

func publishVersionReference(c *service.Call, in *sdk.PublishVersionInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	v.Text("description", in.Description, request.Description)
	request.Enum(&v, "publishTo", in.PublishTo, in.PublishTo.Values())
	return v.Resolve(c, r, nil)
}

func (s *Service) publishVersion(
	ctx context.Context, c *service.Call, in *sdk.PublishVersionInput,
) (*sdk.PublishVersionOutput, error) {
	r, err := publishVersionReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := r.Unpublished(); err != nil {
		return nil, err
	}
	if in.PublishTo != "" { // for managed instances
		return nil, fault.NotImplemented("PublishVersion", "PublishTo")
	}
	before, err := s.existing(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := s.checkState(before); err != nil {
		return nil, err
	}
	// Texts: lambda.md 7.4.
	f, _, err := s.updateAndPublish(ctx, r, in.RevisionId, in.Description, func(f *function) error {
		if current := f.Latest.codeSHA256(); in.CodeSha256 != nil && *in.CodeSha256 != current {
			return fault.InvalidParameter("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). "+
				"Please try again with the CodeSHA256 in $LATEST.", *in.CodeSha256, current)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// Unlike UpdateFunctionCode's, this answer says that the version is ready (recorded).
	r.Qualifier = f.number()
	return showVersion[sdk.PublishVersionOutput](ctx, s, c, f, r, settled)
}
