package s3

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/blob/blobtest"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/content"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

const owning, other = "111111111111", "222222222222"

// withBucket makes a service with the bucket "theirs" of owning, in which the object "a/b" has a tag.
func withBucket(t *testing.T) *Service {
	s := New(Config{
		DB: storetest.New(t), Blobs: blobtest.New(t).(content.Blobs), Room: func() bool { return true },
		Region: "us-east-1", Partition: "aws", Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(s.Close)
	err := s.DB.Update(t.Context(), func(tx store.Tx) error {
		v := &object.Version{Key: "a/b", Tags: []object.Tag{{Key: "secret", Value: "yes"}}}
		return errors.Join(bucket.Create(tx, &bucket.Bucket{Name: "theirs", Account: owning}),
			object.Put(tx, "theirs", v, nil, object.Unversioned, object.NewStamp(tx, 0)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func callOf(account string) *service.Call {
	return &service.Call{
		Account: account, Partition: "aws", Region: "us-east-1", Time: time.Now(),
		Caller: principal.Caller{Principal: authz.Principal{Kind: authz.Root, Account: account}},
	}
}

// TestForeignTags: a bucket's name that reaches into another's objects shows nothing of them to who asks: no tags as condition keys.
func TestForeignTags(t *testing.T) {
	s := withBucket(t)
	for name, want := range map[string]bool{"theirs": true, "theirs/a": false, "no\x00ne": false} {
		key := "b"
		if want {
			key = "a/b"
		}
		target, err := s.objectTarget(t.Context(), callOf(other), name, key, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, got := target.Keys.Get("s3:ExistingObjectTag/secret"); got != want {
			t.Errorf("%q: tags known: got %v, want %v", name, got, want)
		}
	}
}

// TestJudgedForAnother: a bucket that was made by another account after the call was judged is not acted upon.
func TestJudgedForAnother(t *testing.T) {
	s := withBucket(t)
	for _, op := range s.operations() {
		if op.Name != "DeleteBucketPolicy" {
			continue
		}
		for account, want := range map[string]string{owning: "", other: "NoSuchBucket"} {
			c := callOf(account)
			c.Judged = []service.Need{{Target: service.Target{ARN: "arn:aws:s3:::theirs", Account: account}}}
			_, err := op.Handle(t.Context(), c, &sdk.DeleteBucketPolicyInput{Bucket: aws.String("theirs")})
			expectCode(t, "judged for "+account, err, want)
		}
	}
}

// TestExpectedSourceOwner holds for both kinds of copies.
func TestExpectedSourceOwner(t *testing.T) {
	s := withBucket(t)
	for _, judged := range []string{owning, other} {
		c := callOf(owning)
		c.Judged = []service.Need{{Target: service.Target{ARN: "arn:aws:s3:::theirs/a/b", Account: judged}}}
		for expected, want := range map[string]string{owning: "", other: "AccessDenied"} {
			if judged == other {
				want = "NoSuchBucket"
			}
			r, _, err := s.copySource(t.Context(), c, aws.String("theirs/a/b"), aws.String(expected), getConditions{})
			if err == nil {
				r.unpin()
			}
			expectCode(t, "judged for "+judged+", expected of "+expected, err, want)
		}
	}
	upload := &object.Upload{Key: "to"}
	err := s.DB.Update(t.Context(), func(tx store.Tx) error { return object.Begin(tx, "theirs", upload, object.NewStamp(tx, 0)) })
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.find(t.Context(), "theirs")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.uploadPartCopy(t.Context(), callOf(owning), b, &sdk.UploadPartCopyInput{
		Bucket: &b.Name, Key: &upload.Key, UploadId: &upload.ID, PartNumber: aws.Int32(1), CopySource: aws.String("theirs/a/b"),
		ExpectedSourceBucketOwner: aws.String(other),
	})
	expectCode(t, "UploadPartCopy", err, "AccessDenied")
}

func expectCode(t *testing.T, what string, err error, want string) {
	t.Helper()
	got := ""
	if e, ok := errors.AsType[*awserr.Error](err); ok {
		got = e.Code
	} else if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// TestCopySourceKey: the condition key is the source, and not how the header spells it.
func TestCopySourceKey(t *testing.T) {
	for header, want := range map[string]string{
		"b/secret/k": "/b/secret/k", "/b/secret/k": "/b/secret/k", "b/secre%74/k": "/b/secret/k", "b%2Fsecret%2fk": "/b/secret/k",
		"b/k?versionId=%31": "/b/k?versionId=1", "nothing": "nothing",
	} {
		var k authz.Context
		setHeaders(&sdk.CopyObjectInput{CopySource: aws.String(header)}, &k)
		if got, _ := k.Get("s3:x-amz-copy-source"); len(got.Values) != 1 || got.Values[0] != want {
			t.Errorf("%s: got %q, want %q", header, got.Values, want)
		}
	}
}
