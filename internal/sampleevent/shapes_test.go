package sampleevent

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// shapes are the events as AWS's own library for Go knows them.
var shapes = map[string]any{
	"s3/put": events.S3Event{}, "s3/delete": events.S3Event{}, "s3/batch": events.S3BatchJobEvent{}, "s3/object-lambda": events.S3ObjectLambdaEvent{},
	"sns": events.SNSEvent{}, "ses": events.SimpleEmailEvent{}, "events": events.EventBridgeEvent{}, "logs": events.CloudwatchLogsEvent{},
	"apigateway/rest": events.APIGatewayProxyRequest{}, "apigateway/http": events.APIGatewayV2HTTPRequest{},
	"apigateway/websocket":          events.APIGatewayWebsocketProxyRequest{},
	"apigateway/authorizer-token":   events.APIGatewayCustomAuthorizerRequest{},
	"apigateway/authorizer-request": events.APIGatewayCustomAuthorizerRequestTypeRequest{},
	"function-url":                  events.LambdaFunctionURLRequest{}, "elasticloadbalancing": events.ALBTargetGroupRequest{},
	"cognito-idp/pre-sign-up": events.CognitoEventUserPoolsPreSignup{}, "cognito-idp/post-confirmation": events.CognitoEventUserPoolsPostConfirmation{},
	"cognito-idp/pre-token-generation": events.CognitoEventUserPoolsPreTokenGen{}, "cognito-idp/custom-message": events.CognitoEventUserPoolsCustomMessage{},
	"cognito-idp/pre-authentication":      events.CognitoEventUserPoolsPreAuthentication{},
	"cognito-idp/post-authentication":     events.CognitoEventUserPoolsPostAuthentication{},
	"cognito-idp/pre-token-generation-v2": events.CognitoEventUserPoolsPreTokenGenV2_0{},
	"cognito-idp/define-auth-challenge":   events.CognitoEventUserPoolsDefineAuthChallenge{},
	"cognito-idp/create-auth-challenge":   events.CognitoEventUserPoolsCreateAuthChallenge{},
	"cognito-idp/verify-auth-challenge":   events.CognitoEventUserPoolsVerifyAuthChallenge{},
	"cognito-idp/migrate-user":            events.CognitoEventUserPoolsMigrateUser{},
	"apigateway/authorizer-http":          events.APIGatewayV2CustomAuthorizerV2Request{},
	"cognito-sync":                        events.CognitoEvent{}, "config": events.ConfigEvent{}, "codecommit": events.CodeCommitEvent{},
	"codepipeline": events.CodePipelineJobEvent{}, "lex": events.LexEvent{}, "connect": events.ConnectEvent{},
	"secretsmanager": events.SecretsManagerSecretRotationEvent{}, "firehose": events.KinesisFirehoseEvent{},
	"sqs": events.SQSEvent{}, "kinesis": events.KinesisEvent{}, "dynamodb": events.DynamoDBEvent{}, "kafka": events.KafkaEvent{},
	"mq/activemq": events.ActiveMQEvent{}, "mq/rabbitmq": events.RabbitMQEvent{},
}

// newer are fields that the documentation has and the library has not.
var newer = map[string][]string{
	"cognito-idp/custom-message": {"request.linkParameter"},
	"codepipeline/job":           {"CodePipeline.job.data.encryptionKey.id", "CodePipeline.job.data.encryptionKey.type"},
	"function-url/request":       {"requestContext.routeKey", "requestContext.stage", "routeKey"},
}

// What a service sends, AWS's library reads: every field is one that it knows, of the type that it expects.
func TestEventsAreThoseOfAWSLibrary(t *testing.T) {
	used := map[string]bool{}
	for _, e := range All() {
		name := e.Name
		if _, ok := shapes[name]; !ok {
			name, _, _ = strings.Cut(name, "/")
		}
		shape, ok := shapes[name]
		if !ok {
			continue
		}
		used[name] = true
		text := e.JSON(Values{})
		into := reflect.New(reflect.TypeOf(shape)).Interface()
		if err := json.Unmarshal(text, into); err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		back, err := json.Marshal(into)
		if err != nil {
			t.Fatal(err)
		}
		var ours, theirs any
		if err := json.Unmarshal(text, &ours); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(back, &theirs); err != nil {
			t.Fatal(err)
		}
		var lost []string
		compare("", ours, theirs, &lost)
		var want []string
		for _, way := range newer[e.Name] {
			if slices.ContainsFunc(lost, func(l string) bool { return strings.HasPrefix(l, way+": ") }) {
				lost = slices.DeleteFunc(lost, func(l string) bool { return strings.HasPrefix(l, way+": ") })
			} else {
				want = append(want, way)
			}
		}
		if diff := cmp.Diff(lost, want, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: fields that the library does not read the same: -got +want:\n%s", e.Name, diff)
		}
	}
	for name := range shapes {
		if !used[name] {
			t.Errorf("there is no event %s", name)
		}
	}
}

// compare notes the ways to what ours has and theirs has not, or otherwise. What is empty on one side may be missing on the other.
func compare(way string, ours, theirs any, lost *[]string) {
	switch o := ours.(type) {
	case map[string]any:
		them, _ := theirs.(map[string]any)
		names := []string{}
		for name := range o {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			match := them[name]
			for other, v := range them { // encoding/json reads names of any case
				if strings.EqualFold(other, name) {
					match = v
				}
			}
			compare(way+"."+name, o[name], match, lost)
		}
	case []any:
		them, _ := theirs.([]any)
		for i := range o {
			var match any
			if i < len(them) {
				match = them[i]
			}
			compare(fmt.Sprintf("%s.%d", way, i), o[i], match, lost)
		}
	case nil: // a service's null is the zero value of the library's type
	default:
		empty := func(v any) bool { return v == nil || reflect.ValueOf(v).IsZero() }
		if !reflect.DeepEqual(ours, theirs) && !sameTime(ours, theirs) && !(empty(ours) && empty(theirs)) {
			*lost = append(*lost, fmt.Sprintf("%s: %v, not %v", strings.TrimPrefix(way, "."), ours, theirs))
		}
	}
}

// sameTime tells whether two texts are the same moment: the library does not keep how many digits a second has.
func sameTime(a, b any) bool {
	parse := func(v any) (time.Time, bool) {
		text, ok := v.(string)
		if !ok {
			return time.Time{}, false
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		return at, err == nil
	}
	x, ok := parse(a)
	y, also := parse(b)
	return ok && also && x.Equal(y)
}
