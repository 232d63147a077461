package s3

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/policy"
)

// maxPolicy is the size of a bucket policy, 20 KB (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html).
const maxPolicy = 20 << 10

func malformedPolicy(message, detail string) error {
	e := fault.New("MalformedPolicy", http.StatusBadRequest, message)
	if detail != "" {
		e.Members = map[string]string{"Detail": detail}
	}
	return e
}

// parsePolicy reads a document that is to be the policy of a bucket. Texts are those that S3 is known to answer with, as far as it has its
// own.
func (s *Service) parsePolicy(b *bucket.Bucket, text string) (*policy.Document, error) {
	switch {
	case text == "":
		return nil, fault.New("MissingRequestBodyError", http.StatusBadRequest, "Request Body is empty")
	case len(text) > maxPolicy:
		return nil, fault.New("PolicyTooLarge", http.StatusBadRequest, "Your policy exceeds the maximum allowed document size.")
	case !strings.HasPrefix(strings.TrimSpace(text), "{"):
		return nil, malformedPolicy("Policies must be valid JSON and the first byte must be '{'", "")
	}
	d, problem := policy.Problem([]byte(text), policy.Resource)
	if problem != "" {
		return nil, malformedPolicy(problem, "")
	}
	for _, st := range d.Statements {
		for _, r := range append(append([]policy.Text(nil), st.Resource...), st.NotResource...) {
			if !s.isOfBucket(b.Name, r.Value) {
				return nil, malformedPolicy("Policy has invalid resource", r.Value)
			}
		}
		for _, a := range append(append([]policy.Text(nil), st.Action...), st.NotAction...) {
			if name := strings.ToLower(a.Value); name != "*" && !strings.HasPrefix(name, "s3:") {
				return nil, malformedPolicy("Policy has invalid action", a.Value)
			}
		}
	}
	return d, nil
}

// isOfBucket tells whether a resource is the bucket, or objects in it. What may be more than that is not.
func (s *Service) isOfBucket(name, resource string) bool {
	rest, ok := strings.CutPrefix(resource, s.arn(name, ""))
	return ok && (rest == "" || rest[0] == '/' || rest == "*" || strings.HasPrefix(rest, "*/"))
}

var (
	identityPrincipal = regexp.MustCompile(`\Aarn:aws[a-zA-Z-]*:iam::\d{12}:(user|role)/[^*?]+\z`)
	accountID         = regexp.MustCompile(`\A\d{12}\z`)
	servicePrincipal  = regexp.MustCompile(`\A[a-z0-9][a-z0-9.-]*\.amazon(aws)?\.com\z`)
	otherPrincipal    = regexp.MustCompile(`\Aarn:aws[a-zA-Z-]*:(iam::\d{12}:root|sts::\d{12}:(assumed-role/[^/*?]+/[^/*?]+|federated-user/[^/*?]+))\z`)
)

// stored gives the form in which a principal is kept: users and roles by their unique ids, who must exist
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
func (s *Service) stored(ctx context.Context, e policy.PrincipalEntry) (string, error) {
	value := e.Value.Value
	invalid := malformedPolicy("Invalid principal in policy", "\""+e.Type+"\" : \""+value+"\"")
	switch {
	case e.Type == "Service" && servicePrincipal.MatchString(value):
		return value, nil
	case e.Type == "CanonicalUser":
		return "", fault.NotImplemented("PutBucketPolicy", "the principal CanonicalUser")
	case e.Type != "AWS":
		return "", invalid
	case value == "*", otherPrincipal.MatchString(value):
		return value, nil
	case accountID.MatchString(value):
		return "arn:" + s.Partition + ":iam::" + value + ":root", nil
	case isUniqueID(value): // as shown of a principal that was there before
		arn, err := s.Principals.PrincipalARN(ctx, value)
		if err != nil {
			return "", fmt.Errorf("look up principal %s: %w", value, err)
		}
		if arn != "" {
			return value, nil
		}
	case identityPrincipal.MatchString(value):
		id, err := s.Principals.UniqueID(ctx, value)
		if err != nil {
			return "", fmt.Errorf("look up principal %s: %w", value, err)
		}
		if id != "" {
			return id, nil
		}
	}
	return "", invalid
}

func isUniqueID(text string) bool {
	return strings.HasPrefix(text, principal.UserIDPrefix) || strings.HasPrefix(text, principal.RoleIDPrefix)
}

// shown gives a kept principal as clients see it: users and roles who exist by their ARNs, those who are gone by their ids.
func (s *Service) shown(ctx context.Context, e policy.PrincipalEntry) (string, error) {
	value := e.Value.Value
	if e.Type != "AWS" || !isUniqueID(value) {
		return value, nil
	}
	arn, err := s.Principals.PrincipalARN(ctx, value)
	if err != nil {
		return "", fmt.Errorf("look up principal %s: %w", value, err)
	}
	if arn == "" {
		return value, nil
	}
	return arn, nil
}

func (s *Service) putBucketPolicy(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.PutBucketPolicyInput,
) (*sdk.PutBucketPolicyOutput, error) {
	d, err := s.parsePolicy(b, aws.ToString(in.Policy))
	if err != nil {
		return nil, err
	}
	text, err := policy.RewritePrincipals(d, func(e policy.PrincipalEntry) (string, error) { return s.stored(ctx, e) })
	if err != nil {
		return nil, err
	}
	account, err := s.block(ctx, b.Account)
	if err != nil {
		return nil, err
	}
	public := bucket.IsPublic(d)
	return &sdk.PutBucketPolicyOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error {
		if public && b.Block.Or(account).BlockPublicPolicy { // recorded
			return awserr.New("AccessDenied", http.StatusForbidden, "User: %s is not authorized to perform: s3:PutBucketPolicy on resource: \"%s\" "+
				"because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", c.Caller.ARN, s.arn(b.Name, ""))
		}
		b.Policy = string(text)
		return nil
	})
}

func noPolicy(b *bucket.Bucket) error {
	return fault.New("NoSuchBucketPolicy", http.StatusNotFound, "The bucket policy does not exist", "BucketName", b.Name)
}

func (s *Service) getBucketPolicy(
	ctx context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.GetBucketPolicyInput,
) (*sdk.GetBucketPolicyOutput, error) {
	if b.Policy == "" {
		return nil, noPolicy(b)
	}
	d, err := policy.Parse([]byte(b.Policy))
	if err != nil {
		return nil, fmt.Errorf("parse policy of bucket %s: %w", b.Name, err)
	}
	text, err := policy.RewritePrincipals(d, func(e policy.PrincipalEntry) (string, error) { return s.shown(ctx, e) })
	return &sdk.GetBucketPolicyOutput{Policy: aws.String(string(text))}, err
}

func (s *Service) deleteBucketPolicy(
	ctx context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.DeleteBucketPolicyInput,
) (*sdk.DeleteBucketPolicyOutput, error) {
	return &sdk.DeleteBucketPolicyOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error { b.Policy = ""; return nil })
}

func (s *Service) getBucketPolicyStatus(
	_ context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.GetBucketPolicyStatusInput,
) (*sdk.GetBucketPolicyStatusOutput, error) {
	if b.Policy == "" {
		return nil, noPolicy(b)
	}
	return &sdk.GetBucketPolicyStatusOutput{PolicyStatus: &types.PolicyStatus{IsPublic: aws.Bool(b.Public())}}, nil
}

func (s *Service) putPublicAccessBlock(
	ctx context.Context, _ *service.Call, b *bucket.Bucket, in *sdk.PutPublicAccessBlockInput,
) (*sdk.PutPublicAccessBlockOutput, error) {
	config := in.PublicAccessBlockConfiguration
	if config == nil {
		return nil, fault.MalformedXML()
	}
	block := &bucket.Block{
		BlockPublicAcls: aws.ToBool(config.BlockPublicAcls), IgnorePublicAcls: aws.ToBool(config.IgnorePublicAcls),
		BlockPublicPolicy: aws.ToBool(config.BlockPublicPolicy), RestrictPublicBuckets: aws.ToBool(config.RestrictPublicBuckets),
	}
	return &sdk.PutPublicAccessBlockOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error { b.Block = block; return nil })
}

func (s *Service) getPublicAccessBlock(
	_ context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.GetPublicAccessBlockInput,
) (*sdk.GetPublicAccessBlockOutput, error) {
	if b.Block == nil {
		return nil, fault.New("NoSuchPublicAccessBlockConfiguration", http.StatusNotFound, "The public access block configuration was not found",
			"BucketName", b.Name)
	}
	return &sdk.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
		BlockPublicAcls: &b.Block.BlockPublicAcls, IgnorePublicAcls: &b.Block.IgnorePublicAcls,
		BlockPublicPolicy: &b.Block.BlockPublicPolicy, RestrictPublicBuckets: &b.Block.RestrictPublicBuckets,
	}}, nil
}

func (s *Service) deletePublicAccessBlock(
	ctx context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.DeletePublicAccessBlockInput,
) (*sdk.DeletePublicAccessBlockOutput, error) {
	return &sdk.DeletePublicAccessBlockOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error { b.Block = nil; return nil })
}
