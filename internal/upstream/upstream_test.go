package upstream

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
)

const account = "111122223333"

var data = sync.OnceValue(func() *awsdata.Data {
	d, err := awsdata.Load()
	if err != nil {
		panic(err)
	}
	return d
})

func services(t testing.TB, upstreams map[string]Upstream) *Services {
	t.Helper()
	s := New(Config{Data: data(), Upstreams: upstreams, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(s.Close)
	return s
}

func call(signingName, operation string) *service.Call {
	return &service.Call{
		RequestID: "r-1", Account: account, Region: "us-east-1", Partition: "aws", Service: signingName, Operation: operation,
		Caller: principal.Caller{Principal: authz.Principal{Kind: authz.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/dev"}},
	}
}

// posted is a request with a body.
func posted(method, target string, body string, headers ...string) *protocol.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return &protocol.Request{HTTP: r, Body: []byte(body)}
}

// targeted is a request of a JSON protocol, form one of a query protocol.
func targeted(target, body string) *protocol.Request {
	return posted("POST", "/", body, "X-Amz-Target", target, "Content-Type", "application/x-amz-json-1.1")
}

func formed(body string) *protocol.Request {
	return posted("POST", "/", body, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
}

// read reads a request for a service as the front door does, and finds what it needs.
func read(t testing.TB, s *Services, signingName string, r *protocol.Request) (in any, needs []service.Need, err error) {
	t.Helper()
	found, ok := s.Service(signingName)
	if !ok {
		t.Fatalf("there is no service %s", signingName)
	}
	codec := found.Codec.(protocol.Chooser).Choose(r.HTTP)
	op, err := codec.Operation(r)
	if err != nil {
		return nil, nil, err
	}
	if in, err = codec.Decode(r, op); err != nil {
		return nil, nil, err
	}
	needs, err = found.Otherwise.Needs(t.Context(), call(signingName, op.Name), in)
	return in, needs, err
}

// written writes needs as lines: action, resource with "~" before it if parts of it are not known, and the condition keys.
func written(needs []service.Need) []string {
	var lines []string
	for _, n := range needs {
		line := n.Action + " "
		if n.Doubt.Resource {
			line += "~"
		}
		line += n.Target.ARN
		var keys []string
		for name, v := range n.Target.Keys.All {
			keys = append(keys, name+"="+strings.Join(v.Values, ","))
		}
		slices.Sort(keys)
		lines = append(lines, strings.Join(append([]string{line}, keys...), " "))
	}
	return lines
}

func TestNeeds(t *testing.T) {
	const here = ":us-east-1:" + account + ":"
	const table = "arn:aws:dynamodb" + here + "table/"
	unknownKey := "~arn:aws:kms" + here + "key/" + strings.Repeat("?", 36)
	for _, test := range []struct {
		name, service string
		request       *protocol.Request
		want          []string
	}{
		// DynamoDB
		{"get item", "dynamodb", targeted("DynamoDB_20120810.GetItem", `{"TableName":"books","Key":{"id":{"S":"1"}}}`),
			[]string{"dynamodb:GetItem " + table + "books dynamodb:LeadingKeys=1"}},
		{"two attributes", "dynamodb", targeted("DynamoDB_20120810.GetItem", `{"TableName":"books","Key":{"id":{"S":"1"},"n":{"N":"2"}}}`),
			[]string{"dynamodb:GetItem " + table + "books"}},
		{"by ARN", "dynamodb", targeted("DynamoDB_20120810.GetItem", `{"TableName":"`+table+`books","ReturnConsumedCapacity":"TOTAL"}`),
			[]string{"dynamodb:GetItem " + table + "books dynamodb:ReturnConsumedCapacity=TOTAL"}},
		{"elsewhere", "dynamodb", targeted("DynamoDB_20120810.GetItem", `{"TableName":"arn:aws:dynamodb:eu-west-1:`+account+`:table/books"}`),
			[]string{"dynamodb:GetItem ~*"}},
		{"no table", "dynamodb", targeted("DynamoDB_20120810.GetItem", `{}`), []string{"dynamodb:GetItem ~" + table + "*"}},
		{"index", "dynamodb", targeted("DynamoDB_20120810.Query",
			`{"TableName":"books","IndexName":"by-title","KeyConditionExpression":"#t = :t","ExpressionAttributeValues":{":t":{"S":"x"}},"Select":"COUNT"}`),
			[]string{"dynamodb:Query " + table + "books/index/by-title dynamodb:Select=COUNT"}},
		{"one condition", "dynamodb", targeted("DynamoDB_20120810.Query",
			`{"TableName":"books","KeyConditionExpression":"#t = :t","ExpressionAttributeValues":{":t":{"S":"x"}}}`),
			[]string{"dynamodb:Query " + table + "books dynamodb:LeadingKeys=x"}},
		// Members that an operation does not have change nothing of what it is judged by but to ask for more.
		{"key that is none", "dynamodb", targeted("DynamoDB_20120810.Query",
			`{"TableName":"books","Key":{"id":{"S":"mine"}},"KeyConditionExpression":"id = :i","ExpressionAttributeValues":{":i":{"S":"theirs"}}}`),
			[]string{"dynamodb:Query " + table + "books dynamodb:LeadingKeys=theirs"}},
		{"index that is none", "dynamodb", targeted("DynamoDB_20120810.GetItem", `{"TableName":"books","IndexName":"i","EnclosingOperation":"TransactGetItems"}`),
			[]string{"dynamodb:GetItem " + table + "books"}},
		{"ARN that is none", "kinesis", targeted("Kinesis_20131202.PutRecord", `{"StreamName":"s","More":"arn:aws:kinesis`+here+`stream/mine"}`),
			[]string{"kinesis:PutRecord arn:aws:kinesis" + here + "stream/mine", "kinesis:PutRecord arn:aws:kinesis" + here + "stream/s"}},
		{"name that is none", "states", targeted("AWSStepFunctions.CreateStateMachine", `{"name":"m","stateMachineName":"mine"}`),
			[]string{"states:CreateStateMachine arn:aws:states" + here + "stateMachine:m", "states:CreateStateMachine arn:aws:states" + here + "stateMachine:mine"}},
		{"topic that is none", "sns", formed("Action=Unsubscribe&SubscriptionArn=arn:aws:sns" + here + "t:id&TopicArn=arn:aws:sns" + here + "mine"),
			[]string{"sns:Unsubscribe arn:aws:sns" + here + "t"}},
		{"topic of a list", "sns", formed("Action=ListTopics&TopicArn=arn:aws:sns" + here + "mine"), []string{"sns:ListTopics *"}},
		{"topic of another", "sns", formed("Action=CreateTopic&Name=t&TopicArn=arn:aws:sns" + here + "mine"),
			[]string{"sns:CreateTopic arn:aws:sns" + here + "mine", "sns:CreateTopic arn:aws:sns" + here + "t"}},
		{"secret of a list", "secretsmanager", targeted("secretsmanager.ListSecrets", `{"SecretId":"mine"}`), []string{"secretsmanager:ListSecrets *"}},
		{"service that is none", "kms", targeted("TrentService.Encrypt", `{"KeyId":"k","ViaService":"s3.us-east-1.amazonaws.com"}`),
			[]string{"kms:Encrypt arn:aws:kms" + here + "key/k kms:CallerAccount=" + account}},
		{"tags twice", "dynamodb", targeted("DynamoDB_20120810.CreateTable", `{"TableName":"books","Tags":[{"Key":"team","Value":"a"}],"TagList":[{"Key":"team","Value":"b"}]}`),
			[]string{"dynamodb:CreateTable " + table + "books"}},
		{"two conditions", "dynamodb", targeted("DynamoDB_20120810.Query",
			`{"TableName":"books","KeyConditionExpression":"a = :a AND b = :b","ExpressionAttributeValues":{":a":{"S":"x"},":b":{"S":"y"}}}`),
			[]string{"dynamodb:Query " + table + "books"}},
		{"list", "dynamodb", targeted("DynamoDB_20120810.ListTables", `{}`), []string{"dynamodb:ListTables *"}},
		{"create", "dynamodb", targeted("DynamoDB_20120810.CreateTable", `{"TableName":"books","Tags":[{"Key":"team","Value":"a"}]}`),
			[]string{"dynamodb:CreateTable " + table + "books aws:RequestTag/team=a aws:TagKeys=team"}},
		{"batch", "dynamodb", targeted("DynamoDB_20120810.BatchWriteItem",
			`{"RequestItems":{"b":[{"DeleteRequest":{"Key":{"id":{"S":"1"}}}}],"a":[{"PutRequest":{"Item":{"id":{"S":"1"}}}}]}}`),
			[]string{"dynamodb:BatchWriteItem " + table + "a", "dynamodb:BatchWriteItem " + table + "b dynamodb:LeadingKeys=1"}},
		{"transaction", "dynamodb", targeted("DynamoDB_20120810.TransactWriteItems",
			`{"TransactItems":[{"Put":{"TableName":"a"}},{"ConditionCheck":{"TableName":"b","Key":{"id":{"N":"1"}}}}]}`),
			[]string{
				"dynamodb:PutItem " + table + "a dynamodb:EnclosingOperation=TransactWriteItems",
				"dynamodb:ConditionCheckItem " + table + "b dynamodb:EnclosingOperation=TransactWriteItems dynamodb:LeadingKeys=1",
			}},
		{"PartiQL", "dynamodb", targeted("DynamoDB_20120810.ExecuteStatement", `{"Statement":"SELECT * FROM \"books\".\"by-title\" WHERE t = ?"}`),
			[]string{"dynamodb:PartiQLSelect " + table + "books/index/by-title"}},
		{"PartiQL with quotes", "dynamodb", targeted("DynamoDB_20120810.BatchExecuteStatement",
			`{"Statements":[{"Statement":"update books set t = 'x' where id = 1"},{"Statement":"INSERT INTO \"b.c\" VALUE {'id':'1'}"}]}`),
			[]string{
				"dynamodb:PartiQLUpdate " + table + "books dynamodb:EnclosingOperation=BatchExecuteStatement",
				"dynamodb:PartiQLInsert " + table + "b.c dynamodb:EnclosingOperation=BatchExecuteStatement",
			}},
		{"PartiQL of two tables", "dynamodb", targeted("DynamoDB_20120810.ExecuteStatement", `{"Statement":"SELECT 'x FROM \"a\" ' FROM \"b\""}`),
			[]string{
				"dynamodb:PartiQLSelect ~" + table + "*", "dynamodb:PartiQLInsert ~" + table + "*", "dynamodb:PartiQLUpdate ~" + table + "*",
				"dynamodb:PartiQLDelete ~" + table + "*",
			}},
		{"streams", "dynamodb", targeted("DynamoDBStreams_20120810.DescribeStream", `{"StreamArn":"`+table+`books/stream/2026-01-01T00:00:00.000"}`),
			[]string{"dynamodb:DescribeStream " + table + "books/stream/2026-01-01T00:00:00.000"}},
		// Queries
		{"publish", "sns", formed("Action=Publish&Version=2010-03-31&TopicArn=arn:aws:sns" + here + "t&Message=x"),
			[]string{"sns:Publish arn:aws:sns" + here + "t"}},
		{"publish many", "sns", formed("Action=PublishBatch&TopicArn=arn:aws:sns" + here + "t"), []string{"sns:Publish arn:aws:sns" + here + "t"}},
		{"by telephone", "sns", formed("Action=Publish&PhoneNumber=1"), []string{"sns:Publish *"}},
		{"subscription", "sns", formed("Action=Unsubscribe&SubscriptionArn=arn:aws:sns" + here + "t:id"), []string{"sns:Unsubscribe arn:aws:sns" + here + "t"}},
		{"new topic", "sns", formed("Action=CreateTopic&Name=t&Tags.member.1.Key=a&Tags.member.1.Value=b"),
			[]string{"sns:CreateTopic arn:aws:sns" + here + "t aws:RequestTag/a=b aws:TagKeys=a"}},
		{"subscribe", "sns", formed("Action=Subscribe&TopicArn=arn:aws:sns" + here + "t&Protocol=https&Endpoint=https://e"),
			[]string{"sns:Subscribe arn:aws:sns" + here + "t sns:Endpoint=https://e sns:Protocol=https"}},
		{"metrics", "monitoring", formed("Action=PutMetricData&Namespace=n"), []string{"cloudwatch:PutMetricData ~* cloudwatch:namespace=n"}},
		{"alarms", "monitoring", formed("Action=DeleteAlarms&AlarmNames.member.1=a&AlarmNames.member.2=b"),
			[]string{"cloudwatch:DeleteAlarms arn:aws:cloudwatch" + here + "alarm:a", "cloudwatch:DeleteAlarms arn:aws:cloudwatch" + here + "alarm:b"}},
		{"instances", "ec2", formed("Action=TerminateInstances&InstanceId.1=i-1&InstanceId.2=i-2"),
			[]string{"ec2:TerminateInstances arn:aws:ec2" + here + "instance/i-1", "ec2:TerminateInstances arn:aws:ec2" + here + "instance/i-2"}},
		{"by GET", "sns", posted("GET", "/?Action=ListTopics&Version=2010-03-31&X-Amz-Signature=x", ""), []string{"sns:ListTopics *"}},
		// KMS
		{"key", "kms", targeted("TrentService.Encrypt", `{"KeyId":"k-1","EncryptionContext":{"app":"x"}}`),
			[]string{"kms:Encrypt arn:aws:kms" + here + "key/k-1 kms:CallerAccount=" + account + " kms:EncryptionContext:app=x kms:EncryptionContextKeys=app"}},
		{"alias", "kms", targeted("TrentService.Encrypt", `{"KeyId":"alias/app"}`),
			[]string{"kms:Encrypt " + unknownKey + " kms:CallerAccount=" + account + " kms:RequestAlias=alias/app"}},
		{"alias by ARN", "kms", targeted("TrentService.Encrypt", `{"KeyId":"arn:aws:kms`+here+`alias/app"}`),
			[]string{"kms:Encrypt " + unknownKey + " kms:CallerAccount=" + account + " kms:RequestAlias=alias/app"}},
		{"ciphertext", "kms", targeted("TrentService.Decrypt", `{"CiphertextBlob":"AA=="}`),
			[]string{"kms:Decrypt " + unknownKey + " kms:CallerAccount=" + account}},
		{"two keys", "kms", targeted("TrentService.ReEncrypt", `{"SourceKeyId":"a","DestinationKeyId":"b"}`),
			[]string{"kms:ReEncryptFrom arn:aws:kms" + here + "key/a kms:CallerAccount=" + account, "kms:ReEncryptTo arn:aws:kms" + here + "key/b kms:CallerAccount=" + account}},
		// Secrets and parameters
		{"secret", "secretsmanager", targeted("secretsmanager.GetSecretValue", `{"SecretId":"app/db","VersionStage":"AWSCURRENT"}`),
			[]string{"secretsmanager:GetSecretValue ~arn:aws:secretsmanager" + here + "secret:app/db-?????? secretsmanager:VersionStage=AWSCURRENT"}},
		{"whole secret", "secretsmanager", targeted("secretsmanager.GetSecretValue", `{"SecretId":"arn:aws:secretsmanager`+here+`secret:db-a1B2c3"}`),
			[]string{"secretsmanager:GetSecretValue arn:aws:secretsmanager" + here + "secret:db-a1B2c3 secretsmanager:SecretId=arn:aws:secretsmanager" + here + "secret:db-a1B2c3"}},
		{"a name like it", "secretsmanager", targeted("secretsmanager.DeleteSecret", `{"SecretId":"db-a1B2c3"}`),
			[]string{"secretsmanager:DeleteSecret ~arn:aws:secretsmanager" + here + "secret:db-a1B2c3-??????"}},
		{"secrets by filter", "secretsmanager", targeted("secretsmanager.BatchGetSecretValue", `{"Filters":[]}`),
			[]string{"secretsmanager:BatchGetSecretValue *", "secretsmanager:GetSecretValue ~arn:aws:secretsmanager" + here + "secret:*"}},
		{"parameter", "ssm", targeted("AmazonSSM.GetParameter", `{"Name":"/app/db:3"}`), []string{"ssm:GetParameter arn:aws:ssm" + here + "parameter/app/db"}},
		{"parameters", "ssm", targeted("AmazonSSM.GetParameters", `{"Names":["a","arn:aws:ssm`+here+`parameter/b:1"]}`),
			[]string{"ssm:GetParameters arn:aws:ssm" + here + "parameter/a", "ssm:GetParameters arn:aws:ssm" + here + "parameter/b"}},
		{"path", "ssm", targeted("AmazonSSM.GetParametersByPath", `{"Path":"/app/","Recursive":true}`),
			[]string{"ssm:GetParametersByPath arn:aws:ssm" + here + "parameter/app ssm:Recursive=true"}},
		// Events and roles that are passed
		{"events", "events", targeted("AWSEvents.PutEvents", `{"Entries":[{"Source":"a","DetailType":"b"},{"EventBusName":"bus","Source":"c"}]}`),
			[]string{"events:PutEvents arn:aws:events" + here + "event-bus/default events:detail-type=b events:source=a", "events:PutEvents arn:aws:events" + here + "event-bus/bus events:source=c"}},
		{"target", "events", targeted("AWSEvents.PutTargets", `{"Rule":"r","EventBusName":"bus","Targets":[{"Id":"1","RoleArn":"arn:aws:iam::`+account+`:role/x"}]}`),
			[]string{"events:PutTargets arn:aws:events" + here + "rule/bus/r", "iam:PassRole arn:aws:iam::" + account + ":role/x iam:PassedToService=events.amazonaws.com"}},
		{"state machine", "states", targeted("AWSStepFunctions.CreateStateMachine", `{"name":"m","roleArn":"arn:aws:iam::`+account+`:role/x"}`),
			[]string{"states:CreateStateMachine arn:aws:states" + here + "stateMachine:m", "iam:PassRole arn:aws:iam::" + account + ":role/x iam:PassedToService=states.amazonaws.com"}},
		{"role by its name", "glue", targeted("AWSGlue.CreateCrawler", `{"Name":"c","Role":"service-role/x"}`),
			[]string{"glue:CreateCrawler *", "iam:PassRole arn:aws:iam::" + account + ":role/service-role/x iam:PassedToService=glue.amazonaws.com"}},
		{"role of a task by its name", "ecs", targeted("AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition", `{"family":"f","taskRoleArn":"x"}`),
			[]string{"ecs:RegisterTaskDefinition ~arn:aws:ecs" + here + "task-definition/*:*", "iam:PassRole arn:aws:iam::" + account + ":role/x iam:PassedToService=ecs-tasks.amazonaws.com"}},
		{"what is no role", "glue", targeted("AWSGlue.CreateCrawler", `{"Name":"c","Description":"Role"}`), []string{"glue:CreateCrawler *"}},
		{"execution", "states", targeted("AWSStepFunctions.DescribeExecution", `{"executionArn":"arn:aws:states`+here+`execution:m:e"}`),
			[]string{"states:DescribeExecution arn:aws:states" + here + "execution:m:e"}},
		{"stream", "kinesis", targeted("Kinesis_20131202.PutRecord", `{"StreamName":"s"}`), []string{"kinesis:PutRecord arn:aws:kinesis" + here + "stream/s"}},
		{"iterator", "kinesis", targeted("Kinesis_20131202.GetRecords", `{"ShardIterator":"x"}`), []string{"kinesis:GetRecords ~arn:aws:kinesis" + here + "stream/*"}},
		{"job", "glue", targeted("AWSGlue.GetTable", `{"DatabaseName":"d","Name":"t"}`),
			[]string{"glue:GetTable arn:aws:glue" + here + "catalog", "glue:GetTable arn:aws:glue" + here + "database/d", "glue:GetTable arn:aws:glue" + here + "table/d/t"}},
		// REST
		{"stage", "apigateway", posted("GET", "/restapis/a1/stages/prod", ""), []string{"apigateway:GET arn:aws:apigateway:us-east-1::/restapis/a1/stages/prod"}},
		{"route", "apigateway", posted("DELETE", "/v2/apis/a1/routes/r", ""), []string{"apigateway:DELETE arn:aws:apigateway:us-east-1::/apis/a1/routes/r"}},
		{"connection", "execute-api", posted("POST", "/@connections/c%3D", "hello"), []string{"execute-api:ManageConnections ~arn:aws:execute-api" + here + "*/*/POST/@connections/c="}},
		{"model", "bedrock", posted("POST", "/model/anthropic.x-v1%3A0/converse", `{"messages":[]}`), []string{"bedrock:InvokeModel arn:aws:bedrock:us-east-1::foundation-model/anthropic.x-v1:0"}},
		{"profile", "bedrock", posted("POST", "/model/us.anthropic.x-v1%3A0/invoke", `x`), []string{"bedrock:InvokeModel arn:aws:bedrock" + here + "inference-profile/us.anthropic.x-v1:0"}},
		{"topic", "iotdata", posted("POST", "/topics/a%2Fb?qos=1", "x"), []string{"iot:Publish arn:aws:iot" + here + "topic/a/b"}},
		{"shadow", "iotdata", posted("GET", "/things/x/shadow", ""), []string{"iot:GetThingShadow arn:aws:iot" + here + "thing/x"}},
		{"schedule", "scheduler", posted("POST", "/schedules/s", `{"Target":{"RoleArn":"arn:aws:iam::`+account+`:role/x"}}`),
			[]string{"scheduler:CreateSchedule arn:aws:scheduler" + here + "schedule/default/s", "iam:PassRole arn:aws:iam::" + account + ":role/x iam:PassedToService=scheduler.amazonaws.com"}},
		{"mail", "ses", posted("POST", "/v2/email/outbound-emails", `{"FromEmailAddress":"a@b"}`), []string{"ses:SendEmail ~arn:aws:ses" + here + "identity/*"}},
		// What the models do not have
		{"newer operation", "monitoring", posted("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", "\xa0", "Smithy-Protocol", "rpc-v2-cbor"),
			[]string{"cloudwatch:ListMetrics ~*"}},
		{"no action", "dynamodb", targeted("DynamoDB_20120810.Nothing", `{}`), []string{"dynamodb:Nothing *"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, needs, err := read(t, services(t, nil), test.service, test.request)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, written(needs)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// manyParts are parameters of a hundred parts each, which would take a hundred times the memory that they are long.
func manyParts() string {
	var b strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&b, "&%d%s=", i, strings.Repeat(".a", 100))
	}
	return b.String()
}

// What can be read in two ways is not judged, and not passed on.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name, service string
		request       *protocol.Request
		want          string
	}{
		{"member twice", "dynamodb", targeted("DynamoDB_20120810.GetItem", `{"TableName":"a","TableName":"b"}`), "there twice"},
		{"member in two cases", "dynamodb", targeted("DynamoDB_20120810.GetItem", `{"TableName":"a","tableName":"b"}`), "there twice"},
		{"deep member twice", "dynamodb", targeted("DynamoDB_20120810.TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"a","TableName":"b"}}]}`), "there twice"},
		{"two objects", "dynamodb", targeted("DynamoDB_20120810.GetItem", `{}{}`), "more than one value"},
		{"no object", "dynamodb", targeted("DynamoDB_20120810.GetItem", `[]`), "not an object"},
		{"not UTF-8", "dynamodb", targeted("DynamoDB_20120810.GetItem", "{\"TableName\":\"\xff\"}"), "not UTF-8"},
		{"too deep", "dynamodb", targeted("DynamoDB_20120810.PutItem", strings.Repeat(`{"a":`, 200)+"1"+strings.Repeat("}", 200)), "deep"},
		{"nothing to do", "dynamodb", targeted("DynamoDB_20120810.BatchGetItem", `{"RequestItems":{}}`), "names nothing"},
		{"another service's operation", "kms", targeted("DynamoDB_20120810.TagResource", `{}`), "no operation"},
		{"another service's path", "monitoring", posted("POST", "/service/DynamoDB_20120810/operation/TagResource", "", "Smithy-Protocol", "rpc-v2-cbor"), "no operation"},
		{"no target", "dynamodb", posted("POST", "/", `{}`), "no operation"},
		{"strange operation", "dynamodb", targeted("DynamoDB_20120810.Get*", `{}`), "no operation"},
		{"by GET", "dynamodb", posted("GET", "/", "", "X-Amz-Target", "DynamoDB_20120810.ListTables"), "no operation"},
		{"parameter twice", "sns", formed("Action=Publish&TopicArn=a&TopicArn=b"), "there twice"},
		{"member in body and URL", "scheduler", posted("POST", "/schedules/s?groupname=b", `{"GroupName":"a"}`), "there twice"},
		{"parameter in body and URL", "sns", posted("POST", "/?TopicArn=b", "Action=Publish&TopicArn=a", "Content-Type", "application/x-www-form-urlencoded"), "there twice"},
		{"body of another method", "sns", posted("PUT", "/?Action=ListTopics", "Action=DeleteTopic&TopicArn=a", "Content-Type", "application/x-www-form-urlencoded"), "no form"},
		{"body that is no form", "sns", posted("POST", "/?Action=ListTopics", `{"TopicArn":"a"}`, "Content-Type", "application/json"), "no form"},
		{"parameter with parts", "sns", formed("Action=Publish&A=1&A.b=2"), "has parts"},
		{"parameters with many parts", "sns", formed("Action=Publish" + manyParts()), "too many parts"},
		{"no action", "sns", formed("TopicArn=a"), "no operation"},
		{"unknown route", "apigateway", posted("PUT", "/nothing/there", ""), "knows no operation"},
		{"dots in a path", "apigateway", posted("GET", "/restapis/%2e%2e", ""), "knows no operation"},
		{"path of another operation", "eks", posted("DELETE", "/clusters/a%2Fnode-groups%2Fb", ""), "knows no operation"},
		{"path of another operation with a slash", "eks", posted("GET", "/clusters/a/node-groups/%2F", ""), "knows no operation"},
		{"empty part of a path", "apigateway", posted("GET", "//restapis", ""), "knows no operation"},
		{"strange encoding", "dynamodb", posted("POST", "/", "{}", "X-Amz-Target", "DynamoDB_20120810.GetItem", "Content-Encoding", "br"), "Content-Encoding"},
		{"bad gzip", "monitoring", posted("POST", "/", "x", "Content-Type", "application/x-www-form-urlencoded", "Content-Encoding", "gzip"), "EOF"},
		{"bad CBOR", "monitoring", posted("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", "\xff", "Smithy-Protocol", "rpc-v2-cbor"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, needs, err := read(t, services(t, nil), test.service, test.request)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want an error with %q", written(needs), err, test.want)
			}
		})
	}
}

// Keys of the service that the request does not say, and tags of what it acts on, are in doubt; others are not.
func TestDoubt(t *testing.T) {
	s := services(t, nil)
	for _, test := range []struct {
		service string
		request *protocol.Request
		doubted []string
		known   []string
	}{
		{"dynamodb", targeted("DynamoDB_20120810.GetItem", `{"TableName":"a"}`),
			[]string{"dynamodb:Attributes", "DYNAMODB:leadingkeys", "aws:ResourceTag/a"},
			[]string{"dynamodb:EnclosingOperation", "aws:RequestTag/a", "aws:TagKeys", "aws:SourceVpc", "kms:ViaService"}},
		{"dynamodb", targeted("DynamoDB_20120810.Scan", `{"TableName":"a"}`), []string{"dynamodb:Attributes"}, []string{"dynamodb:LeadingKeys"}},
		{"dynamodb", targeted("DynamoDB_20120810.CreateTable", `{"TableName":"a"}`), nil, []string{"aws:RequestTag/a", "aws:TagKeys"}},
		{"ec2", formed("Action=CreateVolume&TagSpecification.1.ResourceType=volume"), []string{"aws:RequestTag/a", "aws:TagKeys", "aws:ResourceTag/a", "ec2:ResourceTag/a"}, nil},
		{"dynamodb", targeted("DynamoDB_20120810.ListTables", `{}`), nil, []string{"aws:ResourceTag/a", "aws:ResourceAccount"}},
		{"kms", targeted("TrentService.Encrypt", `{"KeyId":"a"}`), []string{"kms:ResourceAliases"},
			[]string{"kms:ViaService", "kms:EncryptionContext:a", "kms:EncryptionContextKeys", "kms:RequestAlias", "kms:RecipientAttestation:PCR0"}},
	} {
		_, needs, err := read(t, s, test.service, test.request)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range test.doubted {
			if !needs[0].Doubt.Key(key) {
				t.Errorf("%v: %s is not in doubt", written(needs), key)
			}
		}
		for _, key := range test.known {
			if needs[0].Doubt.Key(key) {
				t.Errorf("%v: %s is in doubt", written(needs), key)
			}
		}
	}
}

// Every operation of the models finds its own route, and is judged by something.
func TestAllRoutes(t *testing.T) {
	s := services(t, nil)
	for _, name := range s.Names() {
		r, ok := s.remote(name)
		if !ok {
			t.Fatalf("there is no service %s", name)
		}
		for _, route := range r.routes {
			path, _, _ := strings.Cut(route.bound.URI, "?")
			for _, g := range route.segments {
				if g.label != "" {
					path = strings.Replace(strings.Replace(path, "{"+g.label+"}", "x", 1), "{"+g.label+"+}", "x", 1)
				}
			}
			got, _, ok := r.find(route.bound.Method, path, route.literals)
			if !ok {
				t.Errorf("%s %s: %s %s is not found", name, route.operation, route.bound.Method, path)
			} else if got.operation != route.operation && got.bound.Method+got.bound.URI != route.bound.Method+route.bound.URI {
				t.Errorf("%s: %s %s is %s %s, want %s %s", name, route.bound.Method, path, got.operation, got.bound.URI, route.operation, route.bound.URI)
			}
		}
	}
}

func TestNames(t *testing.T) {
	names := services(t, nil).Names()
	for _, want := range []string{"dynamodb", "sns", "monitoring", "states", "events", "iotdata", "s3vectors"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if slices.Contains(names, "nothing") || slices.Contains(names, "") || slices.Contains(names, "cloudwatch") {
		t.Error("there is too much")
	}
	if _, ok := services(t, nil).Service("nothing"); ok {
		t.Error("there is a service that AWS does not have")
	}
}

func TestRemark(t *testing.T) {
	s := services(t, nil)
	for _, test := range [][4]string{
		{"dynamodb", "dynamodb:GetItem", "*", "does not say which resource"},
		{"secretsmanager", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:1:secret:db-??????", "judged as arn:"},
		{"dynamodb", "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:1:table/books", ""},
		{"dynamodb", "dynamodb:ListTables", "*", ""},
		{"nothing", "dynamodb:GetItem", "*", ""},
	} {
		if got := s.Remark(test[0], test[1], test[2]); (got == "") != (test[3] == "") || !strings.Contains(got, test[3]) {
			t.Errorf("%v: got %q", test, got)
		}
	}
}
