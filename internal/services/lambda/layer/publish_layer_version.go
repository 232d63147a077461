package layer

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func publishLayerVersionReference(c *service.Call, in *sdk.PublishLayerVersionInput) (Reference, error) {
	var v request.Validator
	r := named(&v, c, in.LayerName)
	if v.Err() == nil && len(r.LayerARN()) > maxARN { // the model bounds the ARN, which the name becomes a part of
		v.Fail("'"+*in.LayerName+"'", "layerName", fmt.Sprintf("Member must have length less than or equal to %d",
			len(r.Name)+maxARN-len(r.LayerARN())))
	}
	v.Text("description", in.Description, request.Description)
	if v.Required("content", in.Content != nil) {
		v.Text("content.s3Bucket", in.Content.S3Bucket, request.Bucket)
		v.Text("content.s3Key", in.Content.S3Key, request.Object)
		v.Text("content.s3ObjectVersion", in.Content.S3ObjectVersion, request.Object)
		mode := in.Content.S3ObjectStorageMode
		request.Enum(&v, "content.s3ObjectStorageMode", mode, mode.Values())
	}
	validateRuntimes(&v, in.CompatibleRuntimes)
	v.Text("licenseInfo", in.LicenseInfo, licenseText)
	validateArchitectures(&v, in.CompatibleArchitectures)
	return resolve(&v, c, r)
}

// publishLayerVersionTarget is the layer: the version has no number yet.
func publishLayerVersionTarget(
	_ context.Context, c *service.Call, in *sdk.PublishLayerVersionInput,
) (service.Target, error) {
	r, err := publishLayerVersionReference(c, in)
	return service.Target{ARN: r.LayerARN(), Account: r.Account}, err
}

// publishLayerVersionNeeds: Lambda reads archives from S3 with what the caller may do (lambda.md 2.2).
func (s *Service) publishLayerVersionNeeds(
	ctx context.Context, c *service.Call, in *sdk.PublishLayerVersionInput,
) ([]service.Need, error) {
	if in.Content == nil {
		return nil, nil
	}
	return objectOf(in.Content).Needs(ctx, c, s.Objects)
}

func objectOf(content *types.LayerVersionContentInput) bundle.Location {
	return bundle.Location{Bucket: content.S3Bucket, Key: content.S3Key, Version: content.S3ObjectVersion}
}

func (s *Service) publishLayerVersion(
	ctx context.Context, c *service.Call, in *sdk.PublishLayerVersionInput,
) (*sdk.PublishLayerVersionOutput, error) {
	r, err := publishLayerVersionReference(c, in)
	if err != nil {
		return nil, err
	}
	zip, err := s.archiveOf(ctx, c, in.Content)
	if err != nil {
		return nil, err
	}
	unpacked, err := bundle.Check("PublishLayerVersion", zip)
	if err != nil {
		return nil, err
	}
	name, err := bundle.Store(ctx, s.Blobs, zip)
	if err != nil {
		return nil, err
	}
	v := &Version{
		Partition: r.Partition, Region: r.Region, Account: r.Account, Name: r.Name, Created: c.Time,
		Description: aws.ToString(in.Description), License: in.LicenseInfo,
		Runtimes: in.CompatibleRuntimes, Architectures: in.CompatibleArchitectures,
		Code: name, CodeSize: int64(len(zip)), CodeUnpacked: unpacked, Signature: s.Signature(zip, c.Time),
	}
	if err := s.DB.Update(ctx, func(tx store.Tx) error { return publish(tx, v) }); err != nil {
		return nil, err
	}
	content, err := s.content(ctx, c, v)
	if err != nil {
		return nil, err
	}
	return &sdk.PublishLayerVersionOutput{
		CompatibleArchitectures: v.Architectures, CompatibleRuntimes: v.Runtimes, Content: content, CreatedDate: v.created(),
		Description: aws.String(v.Description), LayerArn: aws.String(r.LayerARN()), LayerVersionArn: aws.String(v.reference().ARN()),
		LicenseInfo: v.License, Version: v.Number,
	}, nil
}

// archiveOf gives the archive that the content is or names. The texts are ours, after those for functions.
func (s *Service) archiveOf(ctx context.Context, c *service.Call, content *types.LayerVersionContentInput) ([]byte, error) {
	const operation = "PublishLayerVersion"
	object := objectOf(content)
	switch {
	case len(content.ZipFile) > 0 && object.Given():
		return nil, fault.InvalidParameter("Please do not provide other LayerVersionContent parameters when providing a ZipFile.")
	case content.S3ObjectStorageMode == types.S3ObjectStorageModeReference:
		return nil, fault.NotImplemented(operation, "Content.S3ObjectStorageMode=REFERENCE")
	case len(content.ZipFile) > 0:
		return content.ZipFile, nil
	case !object.Complete():
		return nil, fault.InvalidParameter("Please provide a source for layer code.")
	case s.Objects == nil:
		return nil, fault.NotImplemented(operation, "Content.S3Bucket")
	}
	return object.Read(ctx, c, s.Objects)
}

// publish gives a version its number and keeps it.
func publish(tx store.Tx, v *Version) error {
	r := v.reference()
	layer, err := store.GetJSON[record](tx, r.layerKey())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	layer.Published++
	v.Number = layer.Published
	return errors.Join(store.PutJSON(tx, r.layerKey(), layer), store.PutJSON(tx, v.reference().versionKey(), v))
}
