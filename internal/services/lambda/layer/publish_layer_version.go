package layer

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/code"
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
	v.Required("content", in.Content != nil)
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

// publishLayerVersionNeeds: Lambda reads archives from S3 with what the caller may do (lambda.md 2.2). Whose the bucket is, its ARN does
// not say.
func publishLayerVersionNeeds(
	_ context.Context, c *service.Call, in *sdk.PublishLayerVersionInput,
) ([]service.Need, error) {
	from := in.Content
	if from == nil || from.S3Bucket == nil || from.S3Key == nil {
		return nil, nil
	}
	action := "s3:GetObject"
	if from.S3ObjectVersion != nil {
		action = "s3:GetObjectVersion"
	}
	return []service.Need{{
		Action: action, Target: service.Target{ARN: "arn:" + c.Partition + ":s3:::" + *from.S3Bucket + "/" + *from.S3Key},
	}}, nil
}

func (s *Service) publishLayerVersion(
	ctx context.Context, c *service.Call, in *sdk.PublishLayerVersionInput,
) (*sdk.PublishLayerVersionOutput, error) {
	r, err := publishLayerVersionReference(c, in)
	if err != nil {
		return nil, err
	}
	zip, err := archiveOf(in.Content)
	if err != nil {
		return nil, err
	}
	unpacked, err := code.Check("PublishLayerVersion", zip)
	if err != nil {
		return nil, err
	}
	name, err := code.Store(ctx, s.Blobs, zip)
	if err != nil {
		return nil, err
	}
	v := &Version{
		Partition: r.Partition, Region: r.Region, Account: r.Account, Name: r.Name, Created: c.Time,
		Description: aws.ToString(in.Description), License: in.LicenseInfo,
		Runtimes: in.CompatibleRuntimes, Architectures: in.CompatibleArchitectures,
		Code: name, CodeSize: int64(len(zip)), CodeUnpacked: unpacked,
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

// archiveOf gives the archive that the content is or names.
func archiveOf(content *types.LayerVersionContentInput) ([]byte, error) {
	for _, m := range []struct {
		name  string
		asked bool
	}{
		// There is no S3 yet to read from.
		{"S3Bucket", aws.ToString(content.S3Bucket) != ""},
		{"S3Key", aws.ToString(content.S3Key) != ""},
		{"S3ObjectVersion", aws.ToString(content.S3ObjectVersion) != ""},
		{"S3ObjectStorageMode", content.S3ObjectStorageMode != ""},
	} {
		if m.asked {
			return nil, fault.NotImplemented("PublishLayerVersion", "Content."+m.name)
		}
	}
	if len(content.ZipFile) == 0 {
		return nil, fault.InvalidParameter("Please provide a source for layer code.") // the text is ours, after that for functions
	}
	return content.ZipFile, nil
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
