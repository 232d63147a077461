package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/service"
)

func updateFunctionCodeReference(c *service.Call, in *sdk.UpdateFunctionCodeInput) (reference, error) {
	var v validator
	r := v.name(c, in.FunctionName, functionNameText)
	v.architectures(in.Architectures)
	return v.resolve(c, r, nil)
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
	if in.DryRun {
		if in.RevisionId != nil && *in.RevisionId != f.RevisionID {
			return nil, preconditionFailed("GetFunction/GetAlias")
		}
		changed := *f
		changed.setCode(blobName(in.ZipFile), len(in.ZipFile))
		return output[sdk.UpdateFunctionCodeOutput](changed.configuration(r.qualifier, settled)), nil
	}
	code, err := s.storeCode(ctx, in.ZipFile)
	if err != nil {
		return nil, err
	}
	revision := uuid.NewString()
	f, err = s.updateFunction(ctx, r, in.RevisionId, func(f *function) error {
		f.RevisionID, f.LastModified = revision, c.Time
		f.setCode(code, len(in.ZipFile))
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.Runner.Retire(r.functionARN())
	return output[sdk.UpdateFunctionCodeOutput](f.configuration(r.qualifier, updated)), nil
}

func (f *function) setCode(name blob.Name, size int) { f.Code, f.CodeSize = name, int64(size) }

func (s *Service) checkNewCode(in *sdk.UpdateFunctionCodeInput) error {
	const operation = "UpdateFunctionCode"
	if isSet(in.ImageUri) { // every function's package type is Zip
		return invalidParameter("Please don't provide ImageUri when updating a function with packageType Zip.")
	}
	if in.Publish {
		return notImplemented(operation, "Publish=true")
	}
	if in.PublishTo != "" {
		return notImplemented(operation, "PublishTo")
	}
	err := unsupportedCode(operation, "", codeSource{
		S3Bucket: in.S3Bucket, S3Key: in.S3Key, S3ObjectVersion: in.S3ObjectVersion,
		S3ObjectStorageMode: in.S3ObjectStorageMode, SourceKMSKeyARN: in.SourceKMSKeyArn,
	})
	if err != nil {
		return err
	}
	if len(in.ZipFile) == 0 {
		return invalidParameter("Please provide a source for function code.")
	}
	if err := s.checkArchitecture(operation, in.Architectures); err != nil {
		return err
	}
	return checkCode(operation, in.ZipFile)
}
