package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/code"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

func updateFunctionCodeReference(c *service.Call, in *sdk.UpdateFunctionCodeInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	validateArchitectures(&v, in.Architectures)
	return v.Resolve(c, r, nil)
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
	if err := s.checkNewCode(in); err != nil {
		return nil, err
	}
	unpacked, err := code.Check("UpdateFunctionCode", in.ZipFile)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		if in.RevisionId != nil && *in.RevisionId != f.version.RevisionID {
			return nil, fault.PreconditionFailed("GetFunction/GetAlias")
		}
		changed := *f.version
		if err := changed.setCode(code.Name(in.ZipFile), len(in.ZipFile), unpacked); err != nil {
			return nil, err
		}
		return output[sdk.UpdateFunctionCodeOutput](found{function: f.function, version: &changed}.configuration(r.Qualifier, settled)), nil
	}
	name, err := code.Store(ctx, s.Blobs, in.ZipFile)
	if err != nil {
		return nil, err
	}
	revision := uuid.NewString()
	f, err = s.updateLatest(ctx, r, in.RevisionId, func(v *version) error {
		v.RevisionID, v.LastModified = revision, c.Time
		return v.setCode(name, len(in.ZipFile), unpacked)
	})
	if err != nil {
		return nil, err
	}
	s.Runner.Retire(r.FunctionARN())
	return output[sdk.UpdateFunctionCodeOutput](f.configuration(r.Qualifier, updated)), nil
}

// setCode gives a version other code, which code.Check measured, unless it is too large together with the layers.
func (v *version) setCode(name blob.Name, size int, unpacked int64) error {
	v.Code, v.CodeSize, v.CodeUnpacked = name, int64(size), unpacked
	return v.checkSize()
}

func (s *Service) checkNewCode(in *sdk.UpdateFunctionCodeInput) error {
	const operation = "UpdateFunctionCode"
	if isSet(in.ImageUri) { // every function's package type is Zip
		return fault.InvalidParameter("Please don't provide ImageUri when updating a function with packageType Zip.")
	}
	if in.Publish {
		return fault.NotImplemented(operation, "Publish=true")
	}
	if in.PublishTo != "" {
		return fault.NotImplemented(operation, "PublishTo")
	}
	err := unsupportedCode(operation, "", codeSource{
		S3Bucket: in.S3Bucket, S3Key: in.S3Key, S3ObjectVersion: in.S3ObjectVersion,
		S3ObjectStorageMode: in.S3ObjectStorageMode, SourceKMSKeyARN: in.SourceKMSKeyArn,
	})
	if err != nil {
		return err
	}
	if len(in.ZipFile) == 0 {
		return fault.InvalidParameter("Please provide a source for function code.")
	}
	return s.checkArchitecture(operation, in.Architectures)
}
