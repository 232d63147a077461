package requirements

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/landscape"
)

const (
	function = "arn:aws:lambda:eu-west-1:111122223333:function:work"
	role     = "arn:aws:iam::111122223333:role/worker"
)

// lines are calls as "principal action resource", the function shown as "f" and its group as "g".
func lines(all []landscape.Call) (out []string) {
	shorter := strings.NewReplacer(function, "f", "arn:aws:logs:eu-west-1:111122223333:log-group:", "g ")
	for _, c := range all {
		out = append(out, shorter.Replace(c.Principal+" "+c.Action+" "+landscape.Shown(c.Resource)))
	}
	return out
}

func TestFunction(t *testing.T) {
	const stream = ":log-stream:2026/01/01/[$LATEST]00000000000000000000000000000000"
	for name, c := range map[string]struct {
		f    Function
		want []string
	}{
		"plain": {Function{}, []string{"f logs:CreateLogGroup g /aws/lambda/work:log-stream:",
			"f logs:CreateLogStream g /aws/lambda/work" + stream, "f logs:PutLogEvents g /aws/lambda/work" + stream}},
		"its own group": {Function{LogGroup: "mine", LogGroupDeclared: true}, []string{
			"f logs:CreateLogStream g mine" + stream, "f logs:PutLogEvents g mine" + stream}},
		"everything": {
			Function{
				LogGroupDeclared: true, VPC: true, Tracing: true, DeadLetter: "arn:aws:sqs:eu-west-1:111122223333:dead",
				Destinations: []string{"arn:aws:sns:eu-west-1:111122223333:t", "arn:aws:lambda:eu-west-1:111122223333:function:next",
					"arn:aws:events:eu-west-1:111122223333:event-bus/default", "arn:aws:s3:::bucket", landscape.Unknown("import"), "kafka://topic"},
			},
			[]string{
				"f logs:CreateLogStream g /aws/lambda/work" + stream, "f logs:PutLogEvents g /aws/lambda/work" + stream,
				"f ec2:CreateNetworkInterface *", "f ec2:DescribeNetworkInterfaces *", "f ec2:DescribeSubnets *", "f ec2:DeleteNetworkInterface *",
				"f ec2:AssignPrivateIpAddresses *", "f ec2:UnassignPrivateIpAddresses *",
				"f xray:PutTraceSegments *", "f xray:PutTelemetryRecords *", "f sqs:SendMessage arn:aws:sqs:eu-west-1:111122223333:dead",
				"f sns:Publish arn:aws:sns:eu-west-1:111122223333:t", "f lambda:InvokeFunction arn:aws:lambda:eu-west-1:111122223333:function:next",
				"f events:PutEvents arn:aws:events:eu-west-1:111122223333:event-bus/default",
				"f s3:PutObject arn:aws:s3:::bucket/aws/lambda/async/object", "f s3:ListBucket arn:aws:s3:::bucket", "f sqs:SendMessage <import>",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.f.ARN, c.f.Role = function, role
			want := append([]string{"lambda.amazonaws.com sts:AssumeRole " + role}, c.want...)
			if diff := cmp.Diff(want, lines(c.f.Calls())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestMapping(t *testing.T) {
	const network = "f ec2:CreateNetworkInterface *|f ec2:DescribeNetworkInterfaces *|f ec2:DescribeVpcs *|f ec2:DeleteNetworkInterface *|" +
		"f ec2:DescribeSubnets *|f ec2:DescribeSecurityGroups *"
	const stream = "arn:aws:kinesis:eu-west-1:111122223333:stream/s"
	const read = "f kinesis:DescribeStream " + stream + "|f kinesis:DescribeStreamSummary " + stream + "|f kinesis:GetRecords " + stream +
		"|f kinesis:GetShardIterator " + stream + "|f kinesis:ListShards " + stream
	const secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-abcdef"
	for name, c := range map[string]struct {
		m    Mapping
		want string
	}{
		"queue": {Mapping{Source: "arn:aws:sqs:eu-west-1:111122223333:q", OnFailure: "arn:aws:sns:eu-west-1:111122223333:t"},
			"f sqs:ReceiveMessage arn:aws:sqs:eu-west-1:111122223333:q|f sqs:DeleteMessage arn:aws:sqs:eu-west-1:111122223333:q|" +
				"f sqs:GetQueueAttributes arn:aws:sqs:eu-west-1:111122223333:q|f sns:Publish arn:aws:sns:eu-west-1:111122223333:t"},
		"stream":  {Mapping{Source: stream}, read},
		"fan-out": {Mapping{Source: stream + "/consumer/c:1"}, "f kinesis:SubscribeToShard " + stream + "/consumer/c:1|" + read},
		"table": {Mapping{Source: "arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/x"},
			"f dynamodb:DescribeStream arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/x|" +
				"f dynamodb:GetRecords arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/x|" +
				"f dynamodb:GetShardIterator arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/x|f dynamodb:ListStreams *"},
		"broker": {Mapping{Source: "arn:aws:mq:eu-west-1:111122223333:broker:b", Access: [][2]string{{"BASIC_AUTH", secret}, {"VIRTUAL_HOST", "/"}}},
			"f mq:DescribeBroker arn:aws:mq:eu-west-1:111122223333:broker:b|" + network + "|f secretsmanager:GetSecretValue " + secret},
		"own Kafka": {Mapping{Access: [][2]string{{"VPC_SUBNET", landscape.Unknown("subnet")}, {"SASL_SCRAM_256_AUTH", secret}}},
			network + "|f secretsmanager:GetSecretValue " + secret},
		"import": {Mapping{Source: landscape.Unknown("import")}, "f sqs:ReceiveMessage <import>"},
	} {
		t.Run(name, func(t *testing.T) {
			c.m.Function = function
			if diff := cmp.Diff(c.want, strings.Join(lines(c.m.Calls()), "|")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestInvoke(t *testing.T) {
	c := Invoke("s3.amazonaws.com", function, "arn:aws:s3:::photos", "111122223333", "photos")
	text, err := c.Context.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"aws:SourceAccount":{"values":["111122223333"]},"aws:SourceArn":{"values":["arn:aws:s3:::photos"]}}`
	if got := lines([]landscape.Call{c})[0]; got != "s3.amazonaws.com lambda:InvokeFunction f" || string(text) != want {
		t.Errorf("got %s %s", got, text)
	}
}
