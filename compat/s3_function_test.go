package compat

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// upper reads an object, writes what it has in capitals behind it, and tells what was refused.
const upper = `import boto3
from botocore.exceptions import ClientError
s3 = boto3.client('s3')
def handler(event, context):
    try:
        text = s3.get_object(Bucket=event['bucket'], Key=event['key'])['Body'].read().decode()
        s3.put_object(Bucket=event['bucket'], Key=event['key'] + '.upper', Body=text.upper().encode() * 3_000_000)
        return len(s3.list_objects_v2(Bucket=event['bucket'])['Contents'])
    except ClientError as e:
        return e.response['Error']['Code'] + ': ' + e.response['Error']['Message']
`

// upperInNode is the same in JavaScript.
const upperInNode = `const { S3Client, GetObjectCommand, PutObjectCommand, ListObjectsV2Command } = require("@aws-sdk/client-s3");
const s3 = new S3Client({ forcePathStyle: true });
exports.handler = async ({ bucket, key }) => {
  try {
    const text = await (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body.transformToString();
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key + ".upper", Body: text.toUpperCase().repeat(3_000_000) }));
    return (await s3.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents.length;
  } catch (e) {
    return e.name + ": " + e.message;
  }
};
`

// TestS3FromFunction: functions in Python and Node use buckets from inside their sandboxes, as far as their roles may.
func TestS3FromFunction(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*lambda.CreateFunctionInput){
		"python": func(*lambda.CreateFunctionInput) {},
		"node": func(in *lambda.CreateFunctionInput) {
			in.Runtime, in.Handler = types.RuntimeNodejs20x, aws.String("index.handler")
			in.Code.ZipFile = archive(t, append(npmPackage(t, "@aws-sdk/client-s3"), file{name: "index.js", text: upperInNode})...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := server.s3Of(server.root)
			b := newBucket(t, c)
			putObject(t, c, b, "k", "text")
			arn := "arn:aws:s3:::" + b
			r := server.newRole(t, trustLambda, allow("s3:GetObject", arn+"/*"), allow("s3:ListBucket", arn))
			f := server.newFunction(t, upper, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn }, change)
			event := fmt.Sprintf(`{"bucket":%q,"key":"k"}`, b)
			session := "arn:aws:sts::" + account + ":assumed-role/" + r.name + "/" + f.name
			want, err := json.Marshal("AccessDenied: " + s3Denied(session, "s3:PutObject", b+"/k.upper").Message)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := server.as(server.root).invoke(t, f.name, event); !sameJSON(got, string(want)) {
				t.Errorf("got %s, %v, want %s", got, err, want)
			}
			server.permitRole(t, r, allow("s3:*", arn+"/*"), allow("s3:ListBucket", arn))
			if got, err := server.as(server.root).invoke(t, f.name, event); got != "2" {
				t.Errorf("got %s, %v", got, err)
			}
			if got, err := getObject(t.Context(), c, b, "k.upper"); err != nil || len(got) != 12_000_000 || got[:8] != "TEXTTEXT" {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
}

// TestS3Destination: the record of an event that failed is an object in a bucket, written with the execution role. A role that may no longer
// write is refused, and that is in the decision log.
func TestS3Destination(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	root, ctx := l.as(l.root), t.Context()
	objects := l.s3Of(l.root)
	bucket := newBucket(t, objects)
	r := l.newRole(t, trustLambda, allow("s3:PutObject", "arn:aws:s3:::"+bucket+"/*"))
	f := l.newFunction(t, obedient, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
	must(root.lambda.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: &f.name, MaximumRetryAttempts: aws.Int32(0), DestinationConfig: &types.DestinationConfig{
			OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:s3:::" + bucket)},
		},
	}))(t)
	written := func() []string {
		var keys []string
		for _, o := range must(objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket}))(t).Contents {
			keys = append(keys, *o.Key)
		}
		return keys
	}
	id := root.invokeEvent(t, f.name, `{"fail":true}`)
	if !eventually(t, func() bool { return len(written()) == 1 }) {
		t.Fatal("there is no record")
	}
	key := written()[0]
	if !regexp.MustCompile(`^aws/lambda/async/` + f.name + `/\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-` + id + `$`).MatchString(key) {
		t.Errorf("got the key %s", key)
	}
	text := must(getObject(ctx, objects, bucket, key))(t)
	var record struct {
		RequestContext struct{ RequestID, Condition string }
	}
	if err := json.Unmarshal([]byte(text), &record); err != nil || record.RequestContext.RequestID != id ||
		record.RequestContext.Condition != "RetriesExhausted" {
		t.Errorf("got %s, %v", text, err)
	}

	l.permitRole(t, r, allow("s3:GetObject", "*"))
	root.invokeEvent(t, f.name, `{"fail":true}`)
	if !eventually(t, func() bool {
		return strings.Contains(l.page(t, "/_licet/metrics"), "licet_async_failures_total{kind=\"destination\"} 1\n")
	}) {
		t.Error("a role that may not write is not counted")
	}
	if got := written(); len(got) != 1 {
		t.Errorf("got %q after the permission was taken away", got)
	}
}
