package arn

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		text string
		want ARN
		ok   bool
	}{
		{"arn:aws:iam::123456789012:user/a", ARN{"aws", "iam", "", "123456789012", "user/a"}, true},
		{"arn:aws:lambda:us-east-1:123456789012:function:f:prod", ARN{"aws", "lambda", "us-east-1", "123456789012", "function:f:prod"}, true},
		{"arn:aws-cn:s3:::bucket/key:with:colons", ARN{"aws-cn", "s3", "", "", "bucket/key:with:colons"}, true},
		{"", ARN{}, false},
		{"*", ARN{}, false},
		{"arn:aws:iam::123456789012", ARN{}, false},
		{"arn:aws:iam::123456789012:", ARN{}, false},
		{"arn::iam::123456789012:user/a", ARN{}, false},
		{"urn:aws:iam::123456789012:user/a", ARN{}, false},
	} {
		got, err := Parse(tt.text)
		if diff := cmp.Diff(got, tt.want); diff != "" || (err == nil) != tt.ok {
			t.Errorf("Parse(%q): error %v, -got +want:\n%s", tt.text, err, diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("arn:aws:lambda:us-east-1:123456789012:function:f:prod")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := Parse(text)
		if err == nil && a.String() != text {
			t.Errorf("Parse(%q) prints as %q", text, a)
		}
	})
}
