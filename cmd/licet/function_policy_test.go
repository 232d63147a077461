package main

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	awsorganizations "github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// newFunction makes a function and gives its ARN.
func (l *laboratory) newFunction(name string) string {
	l.t.Helper()
	var code bytes.Buffer
	archive := zip.NewWriter(&code)
	if _, err := archive.Create("bootstrap"); err != nil {
		l.t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		l.t.Fatal(err)
	}
	l.iam(&awsiam.CreateRoleInput{RoleName: aws.String("of-" + name), AssumeRolePolicyDocument: aws.String(someTrust)})
	out := l.as(l.root, "lambda", "CreateFunction", &awslambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(l.callerARN("role/of-" + name)), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("x"),
		Code: &types.FunctionCode{ZipFile: code.Bytes()},
	})
	return *out.(*awslambda.CreateFunctionOutput).FunctionArn
}

// For a service that calls on its own account the function's policy alone decides, and its conditions on where the call comes from.
func TestServicesByFunctionPolicy(t *testing.T) {
	l := newLaboratory(t)
	arn := l.newFunction("f")
	organization := *l.as(l.root, "organizations", "CreateOrganization", &awsorganizations.CreateOrganizationInput{}).(*awsorganizations.CreateOrganizationOutput).Organization.Id
	const bucket, other = "arn:aws:s3:::bucket", "arn:aws:s3:::other"
	add := func(sid, service string, change func(*awslambda.AddPermissionInput)) {
		t.Helper()
		in := &awslambda.AddPermissionInput{
			FunctionName: aws.String("f"), StatementId: &sid, Action: aws.String("lambda:InvokeFunction"), Principal: &service,
		}
		change(in)
		l.as(l.root, "lambda", "AddPermission", in)
	}
	add("s3", "s3.amazonaws.com", func(in *awslambda.AddPermissionInput) {
		in.SourceArn, in.SourceAccount = aws.String(bucket), aws.String(defaultAccount)
	})
	add("sns", "sns.amazonaws.com", func(in *awslambda.AddPermissionInput) {
		in.SourceArn = aws.String("arn:aws:sns:us-east-1:" + defaultAccount + ":*")
	})
	add("events", "events.amazonaws.com", func(*awslambda.AddPermissionInput) {})
	add("org", "*", func(in *awslambda.AddPermissionInput) { in.PrincipalOrgID = &organization })
	invoke := func(name, service string, keys map[string]string) bool {
		t.Helper()
		made := l.internal(service, keys)
		ok, err := l.s.door.Permitted(t.Context(), made, &awslambda.InvokeInput{FunctionName: &name})
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	from := func(source, account string) map[string]string {
		return map[string]string{"aws:SourceArn": source, "aws:SourceAccount": account}
	}
	for _, c := range []struct {
		what, name, service string
		keys                map[string]string
		want                bool
	}{
		{"the bucket", "f", "s3.amazonaws.com", from(bucket, defaultAccount), true},
		{"another bucket", "f", "s3.amazonaws.com", from(other, defaultAccount), false},
		{"the bucket of another account", "f", "s3.amazonaws.com", from(bucket, otherAccount), false},
		{"a bucket that is not told", "f", "s3.amazonaws.com", nil, false},
		{"another service for the bucket", "f", "lambda.amazonaws.com", from(bucket, defaultAccount), false},
		{"a topic by a wildcard", "f", "sns.amazonaws.com", from("arn:aws:sns:us-east-1:"+defaultAccount+":topic", defaultAccount), true},
		{"a topic elsewhere", "f", "sns.amazonaws.com", from("arn:aws:sns:us-east-1:"+otherAccount+":topic", otherAccount), false},
		{"a rule without conditions", "f", "events.amazonaws.com", nil, true},
		// A service is in no organization, and identity policies of nobody count for it.
		{"a service that is not named", "f", "sqs.amazonaws.com", nil, false},
		// A grant is for the ARN that it was made for (lambda.md 1.4).
		{"the $LATEST version", "f:$LATEST", "events.amazonaws.com", nil, false},
		{"an alias", "f:live", "events.amazonaws.com", nil, false},
	} {
		if got := invoke(c.name, c.service, c.keys); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
	// A user of the organization comes in without policies of its own.
	ok, err := l.s.door.Permitted(t.Context(), l.call(l.callers[0], "lambda", "Invoke"), &awslambda.InvokeInput{FunctionName: aws.String("f")})
	if err != nil || !ok {
		t.Errorf("a user of the organization: got %v, %v", ok, err)
	}

	// A whole policy takes the place of all that, and denies.
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["s3.amazonaws.com","events.amazonaws.com"]},` +
		`"Action":"lambda:InvokeFunction","Resource":"` + arn + `*"},{"Effect":"Deny","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:*",` +
		`"Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"` + other + `"}}}]}`
	l.as(l.root, "lambda", "PutResourcePolicy", &awslambda.PutResourcePolicyInput{ResourceArn: &arn, Policy: &policy})
	for _, name := range []string{"f", "f:$LATEST"} {
		if !invoke(name, "s3.amazonaws.com", from(bucket, defaultAccount)) || invoke(name, "s3.amazonaws.com", from(other, defaultAccount)) ||
			!invoke(name, "events.amazonaws.com", nil) || invoke(name, "sns.amazonaws.com", nil) {
			t.Errorf("%s: the whole policy does not decide", name)
		}
	}
}

// internal is an invocation that a service makes on its own account.
func (l *laboratory) internal(name string, keys map[string]string) *service.Call {
	var internal service.Internal
	for k, v := range keys {
		internal.Keys.Set(k, v)
	}
	caller := principal.Caller{Principal: authz.Principal{Kind: authz.Service, ARN: name}}
	return l.s.door.Internal(caller, defaultAccount, "lambda", "Invoke", internal)
}
