package main

import (
	"strings"
	"testing"

	"github.com/licet/licet/internal/awsdata"
)

// A call that AWS never makes proves nothing: "cannot s3:DeleteObject" on no object would pass whatever the policies are.
func TestMisfit(t *testing.T) {
	data, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	const account = ":us-east-1:123456789012:"
	for _, c := range []struct{ action, resource, want string }{
		{"s3:GetObject", "arn:aws:s3:::photos/in/a.png", ""},
		{"s3:GetObject", "arn:aws:s3:::photos", "is not asked on arn:aws:s3:::photos"},
		{"s3:DeleteObject", "*", "is asked on a resource"},
		{"s3:ListBucket", "arn:aws:s3:::photos", ""},
		{"s3:ListBucket", "arn:aws:s3:::photos/in/a.png", "is not asked on"},
		{"s3:ListAllMyBuckets", "*", ""},
		{"s3:ListAllMyBuckets", "arn:aws:s3:::photos", "leave arn:aws:s3:::photos out"},
		{"S3:getobject", "arn:aws:s3:::photos/*", ""},
		{"lambda:InvokeFunction", "arn:aws:lambda" + account + "function:f:live", ""},
		{"lambda:InvokeFunction", "*", "is asked on a resource"},
		{"lambda:InvokeFunction", "arn:aws:sqs" + account + "q", "is not asked on"},
		{"cloudwatch:PutMetricData", "*", ""},
		{"events:PutEvents", "*", ""},
		{"dynamodb:Query", "arn:aws:dynamodb" + account + "table/t/index/i", ""},
		{"logs:PutLogEvents", "arn:aws:logs" + account + "log-group:/g:log-stream:s", ""},
		{"logs:PutLogEvents", "arn:aws:logs" + account + "log-group:/g", "is not asked on"},
		{"iam:PassRole", "arn:aws:iam::123456789012:role/path/r", ""},
	} {
		got := misfit(data, c.action, c.resource)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s on %s: got %q, want %q", c.action, c.resource, got, c.want)
		}
	}
}
