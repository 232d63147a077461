package s3

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/object"
)

func (s *Service) putBucketVersioning(
	ctx context.Context, _ *service.Call, b *bucket.Bucket, in *sdk.PutBucketVersioningInput,
) (*sdk.PutBucketVersioningOutput, error) {
	config := in.VersioningConfiguration
	if config == nil {
		return nil, fault.MalformedXML()
	}
	if config.MFADelete == types.MFADeleteEnabled {
		return nil, fault.NotImplemented("PutBucketVersioning", "MfaDelete")
	}
	var state object.Versioning
	switch config.Status {
	case types.BucketVersioningStatusEnabled:
		state = object.Enabled
	case types.BucketVersioningStatusSuspended:
		state = object.Suspended
	default: // recorded, also for no status at all
		return nil, fault.New("IllegalVersioningConfigurationException", http.StatusBadRequest,
			"The Versioning element must be specified")
	}
	return &sdk.PutBucketVersioningOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error { b.Versioning = state; return nil })
}

func (s *Service) getBucketVersioning(
	_ context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.GetBucketVersioningInput,
) (*sdk.GetBucketVersioningOutput, error) {
	return &sdk.GetBucketVersioningOutput{Status: types.BucketVersioningStatus(b.Versioning)}, nil
}

// checkOwnership takes the one that there is.
func checkOwnership(operation string, o types.ObjectOwnership) error {
	switch o {
	case "", types.ObjectOwnershipBucketOwnerEnforced:
		return nil
	case types.ObjectOwnershipBucketOwnerPreferred, types.ObjectOwnershipObjectWriter:
		return fault.NotImplemented(operation, "the object ownership "+string(o))
	}
	return fault.InvalidArgument("Invalid x-amz-object-ownership header: "+string(o), "x-amz-object-ownership", string(o))
}

func (s *Service) putBucketOwnershipControls(
	ctx context.Context, _ *service.Call, b *bucket.Bucket, in *sdk.PutBucketOwnershipControlsInput,
) (*sdk.PutBucketOwnershipControlsOutput, error) {
	if in.OwnershipControls == nil || len(in.OwnershipControls.Rules) != 1 || in.OwnershipControls.Rules[0].ObjectOwnership == "" {
		return nil, fault.MalformedXML()
	}
	if err := checkOwnership("PutBucketOwnershipControls", in.OwnershipControls.Rules[0].ObjectOwnership); err != nil {
		return nil, err
	}
	return &sdk.PutBucketOwnershipControlsOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error { b.Ownership = enforced; return nil })
}

func (s *Service) getBucketOwnershipControls(
	_ context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.GetBucketOwnershipControlsInput,
) (*sdk.GetBucketOwnershipControlsOutput, error) {
	if b.Ownership == "" {
		return nil, notConfigured("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", b)
	}
	return &sdk.GetBucketOwnershipControlsOutput{OwnershipControls: &types.OwnershipControls{
		Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnership(b.Ownership)}},
	}}, nil
}

// deleteBucketOwnershipControls: without controls AWS's objects belong to who writes them; here they still do not.
func (s *Service) deleteBucketOwnershipControls(
	ctx context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.DeleteBucketOwnershipControlsInput,
) (*sdk.DeleteBucketOwnershipControlsOutput, error) {
	return &sdk.DeleteBucketOwnershipControlsOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error { b.Ownership = ""; return nil })
}

func (s *Service) putBucketEncryption(
	_ context.Context, _ *service.Call, _ *bucket.Bucket, in *sdk.PutBucketEncryptionInput,
) (*sdk.PutBucketEncryptionOutput, error) {
	config := in.ServerSideEncryptionConfiguration
	if config == nil || len(config.Rules) != 1 || config.Rules[0].ApplyServerSideEncryptionByDefault == nil {
		return nil, fault.MalformedXML()
	}
	if a := config.Rules[0].ApplyServerSideEncryptionByDefault; a.SSEAlgorithm != types.ServerSideEncryptionAes256 || a.KMSMasterKeyID != nil {
		return nil, fault.NotImplemented("PutBucketEncryption", "the algorithm "+string(a.SSEAlgorithm))
	}
	return &sdk.PutBucketEncryptionOutput{}, nil
}

// getBucketEncryption is what every bucket has
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html).
func (s *Service) getBucketEncryption(
	_ context.Context, _ *service.Call, _ *bucket.Bucket, _ *sdk.GetBucketEncryptionInput,
) (*sdk.GetBucketEncryptionOutput, error) {
	return &sdk.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256},
			BucketKeyEnabled:                   aws.Bool(false),
		}},
	}}, nil
}

// deleteBucketEncryption resets to the default, which it is.
func (s *Service) deleteBucketEncryption(
	context.Context, *service.Call, *bucket.Bucket, *sdk.DeleteBucketEncryptionInput,
) (*sdk.DeleteBucketEncryptionOutput, error) {
	return &sdk.DeleteBucketEncryptionOutput{}, nil
}

// grants are those of an owner who enforces: all is the owner's.
func grants(b *bucket.Bucket) []types.Grant {
	return []types.Grant{{
		Grantee:    &types.Grantee{Type: types.TypeCanonicalUser, ID: aws.String(Owner(b.Account))},
		Permission: types.PermissionFullControl,
	}}
}

func (s *Service) getBucketAcl(
	_ context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.GetBucketAclInput,
) (*sdk.GetBucketAclOutput, error) {
	return &sdk.GetBucketAclOutput{Owner: owner(b.Account), Grants: grants(b)}, nil
}

// putBucketAcl takes what does not change anything.
func (s *Service) putBucketAcl(
	_ context.Context, _ *service.Call, _ *bucket.Bucket, in *sdk.PutBucketAclInput,
) (*sdk.PutBucketAclOutput, error) {
	if in.ACL == types.BucketCannedACLPrivate && in.AccessControlPolicy == nil {
		return &sdk.PutBucketAclOutput{}, nil
	}
	return nil, noACLs()
}

func (s *Service) getObjectAcl(ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.GetObjectAclInput) (*sdk.GetObjectAclOutput, error) {
	if _, err := s.open(ctx, c, b, aws.ToString(in.Key), aws.ToString(in.VersionId), false); err != nil {
		return nil, err
	}
	return &sdk.GetObjectAclOutput{Owner: owner(b.Account), Grants: grants(b)}, nil
}

func (s *Service) putObjectAcl(ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.PutObjectAclInput) (*sdk.PutObjectAclOutput, error) {
	if _, err := s.open(ctx, c, b, aws.ToString(in.Key), aws.ToString(in.VersionId), false); err != nil {
		return nil, err
	}
	if (in.ACL == types.ObjectCannedACLPrivate || in.ACL == types.ObjectCannedACLBucketOwnerFullControl) && in.AccessControlPolicy == nil {
		return &sdk.PutObjectAclOutput{}, nil
	}
	return nil, noACLs()
}

func (s *Service) getBucketAccelerateConfiguration(
	context.Context, *service.Call, *bucket.Bucket, *sdk.GetBucketAccelerateConfigurationInput,
) (*sdk.GetBucketAccelerateConfigurationOutput, error) {
	return &sdk.GetBucketAccelerateConfigurationOutput{}, nil // one that was never set
}

func (s *Service) getBucketRequestPayment(
	context.Context, *service.Call, *bucket.Bucket, *sdk.GetBucketRequestPaymentInput,
) (*sdk.GetBucketRequestPaymentOutput, error) {
	return &sdk.GetBucketRequestPaymentOutput{Payer: types.PayerBucketOwner}, nil
}

func (s *Service) putBucketRequestPayment(
	_ context.Context, _ *service.Call, _ *bucket.Bucket, in *sdk.PutBucketRequestPaymentInput,
) (*sdk.PutBucketRequestPaymentOutput, error) {
	switch {
	case in.RequestPaymentConfiguration == nil:
		return nil, fault.MalformedXML()
	case in.RequestPaymentConfiguration.Payer != types.PayerBucketOwner:
		return nil, fault.NotImplemented("PutBucketRequestPayment", "the payer "+string(in.RequestPaymentConfiguration.Payer))
	}
	return &sdk.PutBucketRequestPaymentOutput{}, nil
}

func (s *Service) getBucketLogging(
	context.Context, *service.Call, *bucket.Bucket, *sdk.GetBucketLoggingInput,
) (*sdk.GetBucketLoggingOutput, error) {
	return &sdk.GetBucketLoggingOutput{}, nil
}

func notConfigured(code, message string, b *bucket.Bucket) error {
	return fault.New(code, http.StatusNotFound, message, "BucketName", b.Name)
}

// never makes the handler of reading a configuration that no bucket here has.
func never[In, Out any](code, message string) handler[In, Out] {
	return func(_ context.Context, _ *service.Call, b *bucket.Bucket, _ *In) (*Out, error) {
		return nil, notConfigured(code, message, b)
	}
}

// nothing makes the handler of deleting one.
func nothing[In, Out any](context.Context, *service.Call, *bucket.Bucket, *In) (*Out, error) {
	return new(Out), nil
}
