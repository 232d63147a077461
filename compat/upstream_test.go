package compat

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// newDynalite starts a DynamoDB, and gives its URL and what ends it.
func newDynalite(t *testing.T) (url string, stop func()) {
	t.Helper()
	cmd := exec.Command("/usr/bin/node", "dynalite.mjs")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Kill() // it may have ended by itself; Wait tells
			_ = cmd.Wait()
		}
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dynalite: %v", err)
	}
	return strings.TrimSpace(line), stop
}

// dynamodb calls DynamoDB by the AWS CLI.
func (l *licet) dynamodb(t *testing.T, c aws.Credentials, args ...string) (string, error) {
	t.Helper()
	return l.command(t, c, "aws", append([]string{"--endpoint-url", l.url, "dynamodb"}, args...)...)
}

func (l *licet) newTable(t *testing.T, name string) {
	t.Helper()
	must(l.dynamodb(t, l.root, "create-table", "--table-name", name, "--billing-mode", "PAY_PER_REQUEST",
		"--attribute-definitions", "AttributeName=id,AttributeType=S", "--key-schema", "AttributeName=id,KeyType=HASH"))(t)
}

// writers put an item into one table and get it back, and ask for one of another: in JavaScript by @aws-sdk/client-dynamodb, in Python by
// boto3, with nothing but their environment.
const (
	writerJS = `const {DynamoDBClient, PutItemCommand, GetItemCommand} = require("@aws-sdk/client-dynamodb");
const client = new DynamoDBClient({maxAttempts: 1});
exports.handler = async (event) => {
  await client.send(new PutItemCommand({TableName: "books", Item: {id: {S: event.id}, title: {S: "Ficciones"}}}));
  const {Item} = await client.send(new GetItemCommand({TableName: "books", Key: {id: {S: event.id}}}));
  let denied = "nothing";
  try {
    await client.send(new GetItemCommand({TableName: "films", Key: {id: {S: event.id}}}));
  } catch (e) {
    denied = e.name + ": " + e.message;
  }
  return {title: Item.title.S, denied};
};
`
	writerPython = `import boto3
from botocore.exceptions import ClientError
client = boto3.client("dynamodb")
def handler(event, context):
    client.put_item(TableName="books", Item={"id": {"S": event["id"]}, "title": {"S": "Ficciones"}})
    item = client.get_item(TableName="books", Key={"id": {"S": event["id"]}})["Item"]
    denied = "nothing"
    try:
        client.get_item(TableName="films", Key={"id": {"S": event["id"]}})
    except ClientError as e:
        denied = e.response["Error"]["Code"] + ": " + e.response["Error"]["Message"]
    return {"title": item["title"]["S"], "denied": denied}
`
)

const tableARN = "arn:aws:dynamodb:us-east-1:" + account + ":table/"

// Functions use DynamoDB as far as their roles let them, and the DynamoDB is a real one.
func TestUpstream(t *testing.T) {
	t.Parallel()
	url, stop := newDynalite(t)
	l := newServer(t, "--upstream", "dynamodb="+url)
	l.newTable(t, "books")
	l.newTable(t, "films")
	r := l.newRole(t, trustLambda, allow("logs:*", "*"),
		`{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem"],"Resource":"`+tableARN+`books"}`)
	configure := func(in *lambda.CreateFunctionInput) {
		in.Role, in.MemorySize, in.Timeout = &r.arn, aws.Int32(1769), aws.Int32(60)
	}
	js := l.newFunction(t, "", configure, func(in *lambda.CreateFunctionInput) {
		in.Runtime = types.RuntimeNodejs20x
		in.Code = &types.FunctionCode{ZipFile: archive(t, append(npmPackage(t, "@aws-sdk/client-dynamodb"), file{name: "code.js", text: writerJS})...)}
	})
	python := l.newFunction(t, writerPython, configure)
	for _, f := range []function{js, python} {
		out, err := l.as(l.root).invoke(t, f.name, `{"id":"`+f.name+`"}`)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		want := map[string]string{
			"title":  "Ficciones",
			"denied": "AccessDeniedException: " + noPolicyAllows(r.sessionARN(f.name), "dynamodb:GetItem", tableARN+"films", "identity-based policy"),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if item := must(l.dynamodb(t, l.root, "get-item", "--table-name", "books", "--key", `{"id":{"S":"`+f.name+`"}}`))(t); !strings.Contains(item, "Ficciones") {
			t.Errorf("the table has %s", item)
		}
	}
	explained := must(l.command(t, l.root, l.binary, "explain", "--last", "--denied"))(t)
	if !strings.Contains(explained, `{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"`+tableARN+`films"}`) {
		t.Errorf("got %s", explained)
	}

	// A recording learns what a function needs there.
	t.Run("generate-policy", func(t *testing.T) {
		bare := l.newRole(t, trustLambda)
		f := l.newFunction(t, writerPython, configure, func(in *lambda.CreateFunctionInput) { in.Role = &bare.arn })
		must(l.command(t, l.root, l.binary, "record", "start", "--role", bare.name))(t)
		must(l.as(l.root).invoke(t, f.name, `{"id":"1"}`))(t)
		must(l.command(t, l.root, l.binary, "record", "stop", "--role", bare.name))(t)
		if _, err := l.as(l.root).invoke(t, f.name, `{"id":"1"}`); err == nil || !strings.Contains(err.Error(), "is not authorized to perform: dynamodb:PutItem") {
			t.Errorf("without a policy: got %v", err)
		}
		least := must(l.command(t, l.root, l.binary, "generate-policy", "--role", bare.name, "--generalize", "exact"))(t)
		for _, want := range []string{`"dynamodb:GetItem"`, `"dynamodb:PutItem"`, `"` + tableARN + `books"`, `"` + tableARN + `films"`} {
			if !strings.Contains(least, want) {
				t.Errorf("got no %s in %s", want, least)
			}
		}
		must(l.as(l.root).iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
			RoleName: &bare.name, PolicyName: aws.String("own"), PolicyDocument: &least,
		}))(t)
		must(l.as(l.root).invoke(t, f.name, `{"id":"1"}`))(t)
	})

	// Rows are told apart by their partition keys, batches and transactions by all of their tables.
	t.Run("policies", func(t *testing.T) {
		u := l.newUser(t,
			allow("dynamodb:*Item", tableARN+"books", `{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["`+js.name+`"]}}`),
			allow("dynamodb:DescribeTable", "*", `{"StringNotEquals":{"aws:ResourceTag/secret":"yes"}}`))
		get := func(id string) []string {
			return []string{"get-item", "--table-name", "books", "--key", `{"id":{"S":"` + id + `"}}`}
		}
		for _, test := range []struct {
			name string
			args []string
			want string // of the error; "" for none
		}{
			{"own row", get(js.name), ""},
			{"another row", get(python.name), "dynamodb:GetItem on resource: " + tableARN + "books because no identity-based policy"},
			{"row in doubt", []string{"put-item", "--table-name", "books", "--item", `{"id":{"S":"x"},"b":{"S":"x"}}`}, "condition key dynamodb:LeadingKeys"},
			{"tag in doubt", []string{"describe-table", "--table-name", "books"}, "condition key aws:ResourceTag/secret"},
			{"batch", []string{"batch-get-item", "--request-items", `{"books":{"Keys":[{"id":{"S":"` + js.name + `"}}]},"films":{"Keys":[{"id":{"S":"x"}}]}}`},
				"dynamodb:BatchGetItem on resource: " + tableARN + "films"},
			{"transaction", []string{"transact-get-items", "--transact-items", `[{"Get":{"TableName":"films","Key":{"id":{"S":"x"}}}}]`},
				"dynamodb:GetItem on resource: " + tableARN + "films"},
		} {
			_, err := l.dynamodb(t, u.credentials, test.args...)
			if (err != nil) != (test.want != "") || err != nil && (!strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "AccessDenied")) {
				t.Errorf("%s: got %v, want %q", test.name, err, test.want)
			}
		}
	})

	// Errors of the upstream come back as they are, and one that is gone is no silence.
	if _, err := l.dynamodb(t, l.root, "describe-table", "--table-name", "nothing"); err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("got %v", err)
	}
	stop()
	if _, err := l.dynamodb(t, l.root, "list-tables"); err == nil || !strings.Contains(err.Error(), "(ServiceUnavailable)") ||
		!strings.Contains(err.Error(), "did not answer") {
		t.Errorf("of an upstream that is gone: got %v", err)
	}
	if _, err := l.dynamodb(t, l.newUser(t).credentials, "list-tables"); err == nil || !strings.Contains(err.Error(), "(AccessDeniedException)") {
		t.Errorf("denied, and the upstream is gone: got %v", err)
	}
}

// Without an upstream, a call that is permitted is told so, in the words of each protocol; one that is denied, as AWS would.
func TestNoUpstream(t *testing.T) {
	t.Parallel()
	u := server.newUser(t, `{"Effect":"Allow","Action":["sns:Publish","ec2:DescribeInstances","dynamodb:ListTables","apigateway:GET","route53:ListHostedZones"],"Resource":"*"}`)
	for _, test := range []struct {
		service string
		allowed []string
		denied  []string
		code    string
	}{
		{"dynamodb", []string{"list-tables"}, []string{"scan", "--table-name", "t"}, "AccessDeniedException"},
		{"sns", []string{"publish", "--topic-arn", "arn:aws:sns:us-east-1:000000000000:t", "--message", "x"}, []string{"list-topics"}, "AuthorizationError"},
		{"ec2", []string{"describe-instances"}, []string{"start-instances", "--instance-ids", "i-1"}, "UnauthorizedOperation"},
		{"apigateway", []string{"get-rest-apis"}, []string{"create-rest-api", "--name", "x"}, "AccessDeniedException"},
		{"route53", []string{"list-hosted-zones"}, []string{"get-hosted-zone", "--id", "Z1"}, "AccessDenied"},
	} {
		run := func(args []string) error {
			_, err := server.command(t, u.credentials, "aws", append([]string{"--endpoint-url", server.url, test.service}, args...)...)
			return err
		}
		if err := run(test.allowed); err == nil || !strings.Contains(err.Error(), "(NotImplemented)") || !strings.Contains(err.Error(), "was permitted") ||
			!strings.Contains(err.Error(), "--upstream "+test.service+"=") {
			t.Errorf("%s %v: got %v", test.service, test.allowed, err)
		}
		if err := run(test.denied); err == nil || !strings.Contains(err.Error(), "("+test.code+")") || !strings.Contains(err.Error(), "because no identity-based policy allows the ") {
			t.Errorf("%s %v: got %v", test.service, test.denied, err)
		}
	}
}
