package compat

import (
	"crypto/tls"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/internal/tlscert"
)

// TestTLS: AWS's clients trust a server with an authority of its own by what licet env prints, and nobody else does.
func TestTLS(t *testing.T) {
	t.Parallel()
	l := newServer(t, "--tls", "--tls-host", "licet.example.com")
	env, err := l.env()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(l.url, "https://127.0.0.1:") {
		t.Fatalf("the server is at %s", l.url)
	}
	vars := os.Environ()
	for name, value := range env {
		vars = append(vars, name+"="+value)
	}
	for _, client := range []struct {
		name    string
		command []string
	}{
		{"AWS CLI", []string{"/usr/bin/aws", "--endpoint-url", l.url, "sts", "get-caller-identity"}},
		{"boto3", []string{"/usr/bin/python3", "-c", "import boto3\nprint(boto3.client('sts', endpoint_url='" + l.url + "').get_caller_identity()['Arn'])\n" +
			"s = boto3.client('s3', endpoint_url='" + l.url + "')\ns.create_bucket(Bucket='over-tls')\ns.put_object(Bucket='over-tls', Key='k', Body=b'x' * 3000000)\n" +
			"assert len(s.get_object(Bucket='over-tls', Key='k')['Body'].read()) == 3000000"}},
		{"SDK for JavaScript", []string{"/usr/bin/env", "node", "--input-type=module", "-e", "import { IAMClient, GetUserCommand } from '@aws-sdk/client-iam'\n" +
			"console.log((await new IAMClient({}).send(new GetUserCommand({}))).User.Arn)"}},
		{"licet", []string{l.binary, "explain", "--last"}}, // of what the others asked
	} {
		cmd := exec.CommandContext(t.Context(), client.command[0], client.command[1:]...)
		cmd.Env, cmd.Dir = vars, "."
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), ":root") && client.name != "licet" {
			t.Errorf("%s: %v\n%s", client.name, err, out)
		}
	}
	pool, err := tlscert.Pool(env["AWS_CA_BUNDLE"])
	if err != nil {
		t.Fatal(err)
	}
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: &l.url,
		Credentials: credentials.NewStaticCredentialsProvider(l.root.AccessKeyID, l.root.SecretAccessKey, ""),
		HTTPClient: &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
		}},
	}
	queue := must(sqs.NewFromConfig(config).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")}))(t)
	if !strings.HasPrefix(*queue.QueueUrl, l.url+"/") {
		t.Errorf("the queue is at %s", *queue.QueueUrl)
	}
	must(s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }).PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("over-tls"), Key: aws.String("go"), Body: strings.NewReader(strings.Repeat("x", 2_000_000)),
	}))(t)
	// aws:SecureTransport is true (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport).
	must(iam.NewFromConfig(config).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("u")}))(t)
	must(iam.NewFromConfig(config).PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: aws.String("u"), PolicyName: aws.String("p"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`),
	}))(t)
	key := must(iam.NewFromConfig(config).CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("u")}))(t).AccessKey
	as := config.Copy()
	as.Credentials = credentials.NewStaticCredentialsProvider(*key.AccessKeyId, *key.SecretAccessKey, "")
	must(iam.NewFromConfig(as).ListUsers(t.Context(), nil))(t)

	config.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}}
	if _, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a client that was not told to trust the server: %v", err)
	}
	if resp, err := http.Get("http" + strings.TrimPrefix(l.url, "https") + "/_licet/health"); err == nil { // what Go's server tells who speaks HTTP
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: %s, %v", resp.Status, err)
		}
	}
}
