package s3

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
)

// operations is the table of what there is.
func (s *Service) operations() []service.Operation {
	all := append(s.bucketOperations(), s.objectOperations()...)
	return append(append(all, s.configurationOperations()...), s.laterOperations()...)
}

func (s *Service) bucketOperations() []service.Operation {
	return []service.Operation{
		service.OpBy("CreateBucket", s.newBucketNeeds, s.createBucket),
		service.Op("ListBuckets", "s3:ListAllMyBuckets", s.allBuckets, s.listBuckets),
		onBucket(s, "DeleteBucket", "s3:DeleteBucket", s.deleteBucket),
		onBucket(s, "HeadBucket", "s3:ListBucket", s.headBucket),
		onBucket(s, "GetBucketLocation", "s3:GetBucketLocation", s.getBucketLocation),
		onBucket(s, "ListObjects", "s3:ListBucket", s.listObjects,
			func(in *sdk.ListObjectsInput, k *authz.Context) { listKeys(in.Prefix, in.Delimiter, in.MaxKeys, k) }),
		onBucket(s, "ListObjectsV2", "s3:ListBucket", s.listObjectsV2,
			func(in *sdk.ListObjectsV2Input, k *authz.Context) { listKeys(in.Prefix, in.Delimiter, in.MaxKeys, k) }),
		onBucket(s, "ListObjectVersions", "s3:ListBucketVersions", s.listObjectVersions,
			func(in *sdk.ListObjectVersionsInput, k *authz.Context) {
				listKeys(in.Prefix, in.Delimiter, in.MaxKeys, k)
			}),
		onBucket(s, "ListMultipartUploads", "s3:ListBucketMultipartUploads", s.listMultipartUploads),
	}
}

func (s *Service) objectOperations() []service.Operation {
	return []service.Operation{
		onObject(s, "PutObject", s.putObjectNeeds, s.putObject),
		onObject(s, "GetObject", onVersion[sdk.GetObjectInput](s, "s3:GetObject", "s3:GetObjectVersion"), s.getObject),
		onObject(s, "HeadObject", onVersion[sdk.HeadObjectInput](s, "s3:GetObject", "s3:GetObjectVersion"), s.headObject),
		onObject(s, "GetObjectAttributes", s.getObjectAttributesNeeds, s.getObjectAttributes),
		onObject(s, "CopyObject", s.copyObjectNeeds, s.copyObject),
		onObject(s, "DeleteObject", s.deleteObjectNeeds, s.deleteObject),
		onObject(s, "DeleteObjects", s.deleteObjectsNeeds, s.deleteObjects),
		onObject(s, "CreateMultipartUpload", s.createUploadNeeds, s.createMultipartUpload),
		onObject(s, "UploadPart", partNeeds[sdk.UploadPartInput](s), s.uploadPart),
		onObject(s, "UploadPartCopy", s.uploadPartCopyNeeds, s.uploadPartCopy),
		onObject(s, "CompleteMultipartUpload", s.completeUploadNeeds, s.completeMultipartUpload),
		onObject(s, "AbortMultipartUpload", onKey[sdk.AbortMultipartUploadInput](s, "s3:AbortMultipartUpload"), s.abortMultipartUpload),
		onObject(s, "ListParts", onKey[sdk.ListPartsInput](s, "s3:ListMultipartUploadParts"), s.listParts),
		onObject(s, "GetObjectTagging", onVersion[sdk.GetObjectTaggingInput](s, "s3:GetObjectTagging", "s3:GetObjectVersionTagging"), s.getObjectTagging),
		onObject(s, "PutObjectTagging", s.putObjectTaggingNeeds, s.putObjectTagging),
		onObject(s, "DeleteObjectTagging",
			onVersion[sdk.DeleteObjectTaggingInput](s, "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"), s.deleteObjectTagging),
		onObject(s, "GetObjectAcl", onVersion[sdk.GetObjectAclInput](s, "s3:GetObjectAcl", "s3:GetObjectVersionAcl"), s.getObjectAcl),
		onObject(s, "PutObjectAcl", onVersion[sdk.PutObjectAclInput](s, "s3:PutObjectAcl", "s3:PutObjectVersionAcl"), s.putObjectAcl),
	}
}

func (s *Service) configurationOperations() []service.Operation {
	return []service.Operation{
		onBucket(s, "PutBucketPolicy", "s3:PutBucketPolicy", s.putBucketPolicy),
		onBucket(s, "GetBucketPolicy", "s3:GetBucketPolicy", s.getBucketPolicy),
		onBucket(s, "DeleteBucketPolicy", "s3:DeleteBucketPolicy", s.deleteBucketPolicy),
		onBucket(s, "GetBucketPolicyStatus", "s3:GetBucketPolicyStatus", s.getBucketPolicyStatus),
		onBucket(s, "PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock", s.putPublicAccessBlock),
		onBucket(s, "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock", s.getPublicAccessBlock),
		onBucket(s, "DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock", s.deletePublicAccessBlock),
		onBucket(s, "PutBucketVersioning", "s3:PutBucketVersioning", s.putBucketVersioning),
		onBucket(s, "GetBucketVersioning", "s3:GetBucketVersioning", s.getBucketVersioning),
		onBucket(s, "PutBucketTagging", "s3:PutBucketTagging", s.putBucketTagging),
		onBucket(s, "GetBucketTagging", "s3:GetBucketTagging", s.getBucketTagging),
		onBucket(s, "DeleteBucketTagging", "s3:PutBucketTagging", s.deleteBucketTagging),
		onBucket(s, "PutBucketOwnershipControls", "s3:PutBucketOwnershipControls", s.putBucketOwnershipControls),
		onBucket(s, "GetBucketOwnershipControls", "s3:GetBucketOwnershipControls", s.getBucketOwnershipControls),
		onBucket(s, "DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls", s.deleteBucketOwnershipControls),
		onBucket(s, "PutBucketEncryption", "s3:PutEncryptionConfiguration", s.putBucketEncryption),
		onBucket(s, "GetBucketEncryption", "s3:GetEncryptionConfiguration", s.getBucketEncryption),
		onBucket(s, "DeleteBucketEncryption", "s3:PutEncryptionConfiguration", s.deleteBucketEncryption),
		onBucket(s, "PutBucketNotificationConfiguration", "s3:PutBucketNotification", s.putNotifications),
		onBucket(s, "GetBucketNotificationConfiguration", "s3:GetBucketNotification", s.getNotifications),
		onBucket(s, "GetBucketAcl", "s3:GetBucketAcl", s.getBucketAcl),
		onBucket(s, "PutBucketAcl", "s3:PutBucketAcl", s.putBucketAcl, func(in *sdk.PutBucketAclInput, k *authz.Context) { setHeaders(in, k) }),
		onBucket(s, "GetBucketAccelerateConfiguration", "s3:GetAccelerateConfiguration", s.getBucketAccelerateConfiguration),
		onBucket(s, "GetBucketRequestPayment", "s3:GetBucketRequestPayment", s.getBucketRequestPayment),
		onBucket(s, "PutBucketRequestPayment", "s3:PutBucketRequestPayment", s.putBucketRequestPayment),
		onBucket(s, "GetBucketLogging", "s3:GetBucketLogging", s.getBucketLogging),

		onBucket(s, "GetBucketCors", "s3:GetBucketCORS",
			never[sdk.GetBucketCorsInput, sdk.GetBucketCorsOutput]("NoSuchCORSConfiguration", "The CORS configuration does not exist")),
		onBucket(s, "DeleteBucketCors", "s3:PutBucketCORS", nothing[sdk.DeleteBucketCorsInput, sdk.DeleteBucketCorsOutput]),
		onBucket(s, "GetBucketWebsite", "s3:GetBucketWebsite", never[sdk.GetBucketWebsiteInput, sdk.GetBucketWebsiteOutput](
			"NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")),
		onBucket(s, "DeleteBucketWebsite", "s3:DeleteBucketWebsite", nothing[sdk.DeleteBucketWebsiteInput, sdk.DeleteBucketWebsiteOutput]),
		onBucket(s, "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration",
			never[sdk.GetBucketLifecycleConfigurationInput, sdk.GetBucketLifecycleConfigurationOutput](
				"NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")),
		onBucket(s, "DeleteBucketLifecycle", "s3:PutLifecycleConfiguration", nothing[sdk.DeleteBucketLifecycleInput, sdk.DeleteBucketLifecycleOutput]),
		onBucket(s, "GetBucketReplication", "s3:GetReplicationConfiguration", never[sdk.GetBucketReplicationInput, sdk.GetBucketReplicationOutput](
			"ReplicationConfigurationNotFoundError", "The replication configuration was not found")),
		onBucket(s, "DeleteBucketReplication", "s3:PutReplicationConfiguration",
			nothing[sdk.DeleteBucketReplicationInput, sdk.DeleteBucketReplicationOutput]),
		onBucket(s, "GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration",
			never[sdk.GetObjectLockConfigurationInput, sdk.GetObjectLockConfigurationOutput](
				"ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")),
	}
}

// laterOperations are judged and then answered NotImplemented: what SDKs and Terraform know of a bucket's configuration.
func (s *Service) laterOperations() []service.Operation {
	return []service.Operation{
		laterOn[sdk.PutBucketCorsInput](s, "PutBucketCors", "s3:PutBucketCORS"),
		laterOn[sdk.PutBucketWebsiteInput](s, "PutBucketWebsite", "s3:PutBucketWebsite"),
		laterOn[sdk.PutBucketLifecycleConfigurationInput](s, "PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
		laterOn[sdk.PutBucketReplicationInput](s, "PutBucketReplication", "s3:PutReplicationConfiguration"),
		laterOn[sdk.PutBucketLoggingInput](s, "PutBucketLogging", "s3:PutBucketLogging"),
		laterOn[sdk.PutBucketAccelerateConfigurationInput](s, "PutBucketAccelerateConfiguration", "s3:PutAccelerateConfiguration"),
		laterOn[sdk.PutObjectLockConfigurationInput](s, "PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration"),
		laterOn[sdk.ListBucketAnalyticsConfigurationsInput](s, "ListBucketAnalyticsConfigurations", "s3:GetAnalyticsConfiguration"),
		laterOn[sdk.ListBucketInventoryConfigurationsInput](s, "ListBucketInventoryConfigurations", "s3:GetInventoryConfiguration"),
		laterOn[sdk.ListBucketMetricsConfigurationsInput](s, "ListBucketMetricsConfigurations", "s3:GetMetricsConfiguration"),
	}
}
