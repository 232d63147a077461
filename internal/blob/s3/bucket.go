package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Bounds of what an endpoint may keep a caller waiting. The SDK tries three times, unless its configuration says otherwise.
const (
	// answerTime is how long an answer may take to begin, at each attempt.
	answerTime = 10 * time.Second
	// patience is how long a call may take, with its attempts, and a second more for each MiB that it carries.
	patience = 30 * time.Second
)

// limit bounds a call that carries size bytes.
func limit(ctx context.Context, size int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, patience+time.Duration(size>>20)*time.Second)
}

// Bucket is a place to which there is a client.
type Bucket struct {
	place  Place
	client *sdk.Client
	// endpoint is where the client goes; "" is AWS.
	endpoint string
}

// Connect finds credentials and endpoint of a place, by the SDK's default configuration. It asks nothing of the bucket.
func Connect(ctx context.Context, p Place) (*Bucket, error) {
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = answerTime })),
	}
	if p.Region != "" {
		options = append(options, config.WithRegion(p.Region))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration of this server: %w", err)
	}
	if c.Region == "" {
		return nil, fmt.Errorf("%s: there is no region: add ?region=REGION, or set AWS_REGION", p)
	}
	if _, err := c.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("%s: there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, for the server: %w", p, err)
	}
	b := &Bucket{place: p}
	b.client = sdk.NewFromConfig(c, func(o *sdk.Options) {
		if p.Endpoint != "" {
			o.BaseEndpoint = &p.Endpoint
		}
		b.endpoint = aws.ToString(o.BaseEndpoint)
		o.UsePathStyle = b.endpoint != ""
		if p.PathStyle != nil {
			o.UsePathStyle = *p.PathStyle
		}
		// Each blob has its SHA-256. Other checksums are for servers that want them, and not all servers know them.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
	return b, nil
}

// Endpoint is the URL of the server that has the bucket; "" for AWS.
func (b *Bucket) Endpoint() string { return b.endpoint }

// String is the place as the AWS CLI takes it.
func (b *Bucket) String() string { return b.place.String() }

// Has tells whether there is any blob in a folder.
func (b *Bucket) Has(ctx context.Context, folder string) (bool, error) {
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	prefix := b.place.folder(folder)
	out, err := b.client.ListObjectsV2(ctx, &sdk.ListObjectsV2Input{Bucket: &b.place.Bucket, Prefix: &prefix, MaxKeys: aws.Int32(1)})
	if err != nil {
		return false, b.advise(err)
	}
	// What is not a blob comes after all that are, for its name begins with a letter that no hash has.
	return len(out.Contents) > 0 && !strings.HasPrefix(aws.ToString(out.Contents[0].Key), prefix+unfinished), nil
}

// try does once with an object in a folder what a Store does later, so that what is missing is known at the start.
func (b *Bucket) try(ctx context.Context, folder string) error {
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	if _, err := b.Has(ctx, folder); err != nil {
		return err
	}
	text := rand.Text()
	key := b.place.folder(folder) + unfinished + text
	put := &sdk.PutObjectInput{Bucket: &b.place.Bucket, Key: &key, Body: strings.NewReader(text)}
	if _, err := b.client.PutObject(ctx, put); err != nil {
		return b.advise(err)
	}
	out, err := b.client.GetObject(ctx, &sdk.GetObjectInput{Bucket: &b.place.Bucket, Key: &key})
	if err != nil {
		return b.advise(err)
	}
	got, err := io.ReadAll(io.LimitReader(out.Body, 100))
	if err = errors.Join(err, out.Body.Close()); err != nil {
		return b.advise(err)
	}
	if string(got) != text {
		return fmt.Errorf("%s does not give back what was put there", b.place)
	}
	if _, err := b.client.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: &b.place.Bucket, Key: &key}); err != nil {
		return b.advise(err)
	}
	return nil
}

// advise says what to do about an error at the start.
func (b *Bucket) advise(err error) error {
	where := "AWS"
	if b.endpoint != "" {
		where = b.endpoint
	}
	var api smithy.APIError
	var sent *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "NoSuchBucket":
		return fmt.Errorf("the bucket %s is not there: make it first, with aws s3 mb %s%s: %w", b.place.Bucket, scheme, b.place.Bucket, err)
	case errors.As(err, &api) && api.ErrorCode() == "AccessDenied":
		return fmt.Errorf("the credentials of this server may not use %s: give them the policy in docs/STORES.md: %w", b.place, err)
	case errors.As(err, &api) && (api.ErrorCode() == "InvalidAccessKeyId" || api.ErrorCode() == "SignatureDoesNotMatch"):
		return fmt.Errorf("the credentials of this server are not those of %s: %w", where, err)
	case errors.As(err, &sent), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s does not answer: start it, or say with ?endpoint= where it is: %w", where, err)
	}
	return fmt.Errorf("use %s at %s: %w", b.place, where, err)
}
