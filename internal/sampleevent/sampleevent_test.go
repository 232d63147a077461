package sampleevent

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/internal/invoker"
)

// Every event is whole, for a service that invokes as it says, and filled in to its end.
func TestEvents(t *testing.T) {
	var principals []string
	for _, e := range All() {
		text := e.JSON(Values{})
		if !json.Valid(text) {
			t.Errorf("%s is not JSON", e.Name)
		}
		if left := regexp.MustCompile(`\$\{\w*\}`).FindAll(text, -1); left != nil {
			t.Errorf("%s has %q", e.Name, left)
		}
		if !strings.HasPrefix(e.Source, "https://docs.aws.amazon.com/") && !strings.HasPrefix(e.Source, "https://developer.amazon.com/") {
			t.Errorf("%s is from %s", e.Name, e.Source)
		}
		if e.Principal == "" {
			continue
		}
		principals = append(principals, e.Principal)
		s, ok := invoker.Find(e.Principal, "us-east-1")
		if !ok || s.Async != (e.Mode == "async") {
			t.Errorf("%s: %s invokes %s; the table of services says otherwise", e.Name, e.Principal, e.Mode)
		}
	}
	for _, s := range invoker.All() {
		if !slices.Contains(principals, s.Principal) {
			t.Errorf("%s has no event", s.Principal)
		}
	}
}

func TestValues(t *testing.T) {
	e, err := Find("s3/put")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Records []struct {
			AWSRegion string
			S3        struct{ Bucket struct{ Name, ARN string } }
		}
	}
	if err := json.Unmarshal(e.JSON(Values{Region: "eu-west-1", SourceARN: `arn:aws:s3:::a"b`}), &got); err != nil {
		t.Fatal(err)
	}
	r := got.Records[0]
	if r.AWSRegion != "eu-west-1" || r.S3.Bucket.Name != `a"b` || r.S3.Bucket.ARN != `arn:aws:s3:::a"b` {
		t.Errorf("got %+v", r)
	}
	if err := json.Unmarshal(e.JSON(Values{}), &got); err != nil || got.Records[0].S3.Bucket.Name != "photos" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestFind(t *testing.T) {
	for name, want := range map[string]string{
		"s3/putt": "Did you mean s3/put?", "s3": "There are s3/batch, s3/delete, s3/object-lambda, s3/put.", "nothing/at-all": "licet events list",
	} {
		if _, err := Find(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	if e, err := Find("sns"); err != nil || e.Name != "sns/notification" {
		t.Errorf("the only one of a service: got %s, %v", e.Name, err)
	}
}
