package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// fromElsewhere serves a server as to clients that are not on this machine, each time with a new address.
func fromElsewhere(t *testing.T, r *running) (url string, move func()) {
	var address atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		q.RemoteAddr = fmt.Sprintf("192.0.2.%d:9", address.Load())
		r.edge.ServeHTTP(w, q)
	}))
	t.Cleanup(front.Close)
	return front.URL, func() { address.Add(1) }
}

// mostAttempts is after how many a source must have been refused. Meanwhile a slow machine gives it others.
const mostAttempts = 500

// AWS's clients take a refusal for too many failed signatures for what it is, in the protocol of each service: they wait, and try again.
func TestThrottledClients(t *testing.T) {
	r := startServer(t)
	defer func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	}()
	url, move := fromElsewhere(t, r)
	c := aws.Config{
		BaseEndpoint: &url, Region: r.config.Region, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIANOBODY", SecretAccessKey: "none"}, nil
		}),
	}
	bucket := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	for name, test := range map[string]struct {
		call        func() error
		first, then string // status and code
	}{
		"lambda": {func() error {
			_, err := lambda.NewFromConfig(c).ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
			return err
		}, "403 UnrecognizedClientException", "429 TooManyRequestsException"},
		"iam": {func() error {
			_, err := iam.NewFromConfig(c).ListUsers(t.Context(), &iam.ListUsersInput{})
			return err
		}, "403 InvalidClientTokenId", "400 Throttling"},
		"sts": {func() error {
			_, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			return err
		}, "403 InvalidClientTokenId", "400 Throttling"},
		"logs": {func() error {
			_, err := cloudwatchlogs.NewFromConfig(c).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
			return err
		}, "400 UnrecognizedClientException", "400 ThrottlingException"},
		"organizations": {func() error {
			_, err := organizations.NewFromConfig(c).ListRoots(t.Context(), &organizations.ListRootsInput{})
			return err
		}, "400 UnrecognizedClientException", "400 ThrottlingException"},
		"sqs": {func() error {
			_, err := sqs.NewFromConfig(c).ListQueues(t.Context(), &sqs.ListQueuesInput{})
			return err
		}, "403 InvalidClientTokenId", "400 Throttling"},
		"s3": {func() error {
			_, err := bucket.ListBuckets(t.Context(), &s3.ListBucketsInput{})
			return err
		}, "403 InvalidAccessKeyId", "503 SlowDown"},
		"s3, with a body": {func() error {
			_, err := bucket.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: strings.NewReader("hi")})
			return err
		}, "403 InvalidAccessKeyId", "503 SlowDown"},
	} {
		t.Run(name, func(t *testing.T) {
			move()
			first := test.call()
			if got := failure(first); got != test.first {
				t.Errorf("at first: got %s, want %s: %v", got, test.first, first)
			}
			err := first
			for range mostAttempts {
				if err = test.call(); failure(err) != test.first {
					break
				}
			}
			if got := failure(err); got != test.then {
				t.Errorf("then: got %s, want %s: %v", got, test.then, err)
			}
			if !retry.NewStandard().IsErrorRetryable(err) {
				t.Errorf("clients would not try again: %v", err)
			}
		})
	}
	t.Run("sqs, query protocol", func(t *testing.T) {
		move()
		const body, want = "Action=ListQueues&Version=2012-11-05", "<Code>Throttling</Code>"
		for range mostAttempts {
			q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			key, err := c.Credentials.Retrieve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := v4.NewSigner().SignHTTP(t.Context(), key, q, fmt.Sprintf("%x", sha256.Sum256([]byte(body))), "sqs", c.Region, time.Now()); err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(answer.Body)
			if err := errors.Join(err, answer.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), want) {
				if answer.StatusCode != http.StatusBadRequest {
					t.Errorf("got %s", answer.Status)
				}
				return
			}
		}
		t.Error("the source is never refused")
	})
}

// failure is status and code of an error.
func failure(err error) string {
	response, isResponse := errors.AsType[*smithyhttp.ResponseError](err)
	answer, isAnswer := errors.AsType[smithy.APIError](err)
	if !isResponse || !isAnswer {
		return fmt.Sprint(err)
	}
	return fmt.Sprint(response.HTTPStatusCode(), " ", answer.ErrorCode())
}
