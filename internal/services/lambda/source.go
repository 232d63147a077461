package lambda

import (
	"context"
	"errors"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/registry"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// source is where code comes from: the members that CreateFunction and UpdateFunctionCode share.
type source struct {
	operation string
	// verb and prefix are the operation's words: of its texts, and before the names of members.
	verb, prefix string

	ZipFile             []byte
	ImageURI            *string
	S3Bucket            *string
	S3Key               *string
	S3ObjectVersion     *string
	S3ObjectStorageMode types.S3ObjectStorageMode
	SourceKMSKeyARN     *string
}

func createSource(code *types.FunctionCode) source {
	return source{
		operation: "CreateFunction", verb: "creating", prefix: "Code.",
		ZipFile: code.ZipFile, ImageURI: code.ImageUri, S3Bucket: code.S3Bucket, S3Key: code.S3Key, S3ObjectVersion: code.S3ObjectVersion,
		S3ObjectStorageMode: code.S3ObjectStorageMode, SourceKMSKeyARN: code.SourceKMSKeyArn,
	}
}

func updateSource(in *sdk.UpdateFunctionCodeInput) source {
	return source{
		operation: "UpdateFunctionCode", verb: "updating",
		ZipFile: in.ZipFile, ImageURI: in.ImageUri, S3Bucket: in.S3Bucket, S3Key: in.S3Key, S3ObjectVersion: in.S3ObjectVersion,
		S3ObjectStorageMode: in.S3ObjectStorageMode, SourceKMSKeyARN: in.SourceKMSKeyArn,
	}
}

// validate checks the constraints of the model.
func (s source) validate(v *request.Validator) {
	prefix := ""
	if s.prefix != "" {
		prefix = "code."
	}
	v.Text(prefix+"s3Bucket", s.S3Bucket, request.Bucket)
	v.Text(prefix+"s3Key", s.S3Key, request.Object)
	v.Text(prefix+"s3ObjectVersion", s.S3ObjectVersion, request.Object)
	request.Enum(v, prefix+"s3ObjectStorageMode", s.S3ObjectStorageMode, s.S3ObjectStorageMode.Values())
	v.Text(prefix+"sourceKMSKeyArn", s.SourceKMSKeyARN, resourceText)
}

// privateRepository is an image of ECR: account, region, repository.
var privateRepository = regexp.MustCompile(`\A(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)`)

// needs are the permissions that a caller needs to read the code (lambda.md 2.2, operations.json).
func (s source) needs(ctx context.Context, c *service.Call, objects bundle.Objects) ([]service.Need, error) {
	needs, err := s.object().Needs(ctx, c, objects)
	if err != nil {
		return nil, err
	}
	// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#gettingstarted-images-permissions
	if ecr := privateRepository.FindStringSubmatch(aws.ToString(s.ImageURI)); ecr != nil {
		for _, action := range []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"} {
			needs = append(needs, service.Need{
				Action: action,
				Target: service.Target{ARN: "arn:" + c.Partition + ":ecr:" + ecr[2] + ":" + ecr[1] + ":repository/" + ecr[3], Account: ecr[1]},
				Denied: func(authz.Decision) error { return imageDenied() },
			})
		}
	}
	// https://docs.aws.amazon.com/lambda/latest/dg/encrypt-zip-package.html
	for _, action := range []string{"kms:GenerateDataKey", "kms:Decrypt"} {
		if need, ok := keyNeed(c, action, aws.ToString(s.SourceKMSKeyARN)); ok {
			needs = append(needs, need)
		}
	}
	return needs, nil
}

// object is where the code is in S3, if it is there.
func (s source) object() bundle.Location {
	return bundle.Location{Bucket: s.S3Bucket, Key: s.S3Key, Version: s.S3ObjectVersion}
}

// check refuses code that is not for the package type, or not there. The texts of UpdateFunctionCode are recorded, those of
// CreateFunction follow them.
func (s source) check(isImage bool, objects bundle.Objects) error {
	object := s.object().Given()
	switch {
	case isImage && (!isSet(s.ImageURI) || len(s.ZipFile) > 0 || object):
		return fault.InvalidParameter("Please provide ImageUri when %s a function with packageType Image.", s.verb)
	case isImage && isSet(s.SourceKMSKeyARN): // the text is ours
		return fault.InvalidParameter("Please don't provide SourceKMSKeyArn when %s a function with packageType Image.", s.verb)
	case isImage:
		return nil
	case isSet(s.ImageURI):
		return fault.InvalidParameter("Please don't provide ImageUri when %s a function with packageType Zip.", s.verb)
	case len(s.ZipFile) > 0 && object:
		return fault.InvalidParameter("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	case s.S3ObjectStorageMode == types.S3ObjectStorageModeReference:
		return fault.NotImplemented(s.operation, s.prefix+"S3ObjectStorageMode=REFERENCE")
	case object && objects == nil:
		return fault.NotImplemented(s.operation, s.prefix+"S3Bucket")
	case len(s.ZipFile) == 0 && !s.object().Complete():
		return fault.InvalidParameter("Please provide a source for function code.")
	}
	return checkKey(s.SourceKMSKeyARN)
}

// code is what a version has of its code: a deployment package in the blob store, or an image in its registry.
type code struct {
	blob      blob.Name
	size      int64
	unpacked  int64
	image     *image // nil for a deployment package
	sourceKey string
	// signingProfile and signingJob are of the signature, as far as it has one.
	signingProfile, signingJob string
}

func (v *version) setCode(c code) {
	v.Code, v.CodeSize, v.CodeUnpacked, v.Image, v.SourceKey = c.blob, c.size, c.unpacked, c.image, c.sourceKey
	v.SigningProfile, v.SigningJob = c.signingProfile, c.signingJob
}

// image is a container image as it was when the function was given it.
type image struct {
	URI string `json:"uri"`
	// Resolved is the URI with the digest, which is hexadecimal.
	Resolved string `json:"resolved"`
	Digest   string `json:"digest"`
	// Update: it took the place of another image, or of itself. Not of a published version.
	Update bool `json:"update,omitempty"`
	// Before is the image that runs until this one is there; nil if none was there.
	Before *image `json:"before,omitempty"`
}

// fetch gets the code, and the deployment package, which is not stored yet. The package satisfies the function's code signing
// configuration, an ARN or "".
func (s *Service) fetch(ctx context.Context, c *service.Call, from source, signing string) (code, []byte, error) {
	if isSet(from.ImageURI) {
		found, err := s.resolveImage(ctx, from)
		return code{image: found}, nil, err
	}
	zip := from.ZipFile
	if len(zip) == 0 {
		var err error
		if zip, err = from.object().Read(ctx, c, s.Objects); err != nil {
			return code{}, nil, err
		}
	}
	unpacked, err := bundle.Check(from.operation, zip)
	if err != nil {
		return code{}, nil, err
	}
	signature, err := s.signing.Verify(ctx, signing, zip, c.Time)
	if err != nil {
		return code{}, nil, err
	}
	return code{
		blob: bundle.Name(zip), size: int64(len(zip)), unpacked: unpacked, sourceKey: aws.ToString(from.SourceKMSKeyARN),
		signingProfile: signature.Profile, signingJob: signature.Job,
	}, zip, nil
}

// imageDeniedText is recorded.
const imageDeniedText = "Lambda does not have permission to access the ECR image. Check the ECR permissions."

func imageDenied() error { return fault.AccessDenied(imageDeniedText) }

// resolveImage asks the registry what an image's name stands for now. All texts but the last are recorded.
func (s *Service) resolveImage(ctx context.Context, from source) (*image, error) {
	uri := *from.ImageURI
	if s.Images == nil {
		return nil, fault.NotImplemented(from.operation, from.prefix+"ImageUri")
	}
	found, err := s.Images.Resolve(ctx, uri)
	switch {
	case errors.Is(err, registry.ErrName):
		return nil, fault.InvalidParameter("Source image %s is not valid. Provide a valid source image.", uri)
	case errors.Is(err, registry.ErrMissing):
		return nil, fault.InvalidParameter("Source image %s does not exist. Provide a valid source image.", uri)
	case errors.Is(err, registry.ErrDenied):
		return nil, imageDenied()
	case errors.Is(err, registry.ErrKind):
		return nil, fault.InvalidParameter("The image manifest, config or layer media type for the source image %s is not supported.", uri)
	case err != nil:
		e := fault.InvalidParameter("The registry of the source image %s could not be reached.", uri).(*awserr.Error)
		e.Cause = err
		return nil, e
	}
	return &image{URI: uri, Resolved: found.Resolved, Digest: found.Digest}, nil
}
