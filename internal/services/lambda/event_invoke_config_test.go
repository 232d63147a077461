package lambda

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const (
	queue = "arn:aws:sqs:eu-central-1:111122223333:q"
	topic = "arn:aws:sns:eu-central-1:111122223333:t"
)

func destinations(success, failure string) *types.DestinationConfig {
	var d types.DestinationConfig
	if success != "" {
		d.OnSuccess = &types.OnSuccess{Destination: aws.String(success)}
	}
	if failure != "" {
		d.OnFailure = &types.OnFailure{Destination: aws.String(failure)}
	}
	return &d
}

// shownDestinations always have both parts.
func shownDestinations(success, failure *string) *types.DestinationConfig {
	return &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: success}, OnFailure: &types.OnFailure{Destination: failure}}
}

func eventInvoke(name string) *sdk.PutFunctionEventInvokeConfigInput {
	return &sdk.PutFunctionEventInvokeConfigInput{FunctionName: aws.String(name)}
}

func (h *harness) eventInvoke(name string) *sdk.GetFunctionEventInvokeConfigOutput {
	h.t.Helper()
	return must[sdk.GetFunctionEventInvokeConfigOutput](h, &sdk.GetFunctionEventInvokeConfigInput{FunctionName: aws.String(name)})
}

func TestEventInvokeConfig(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.allowed["sqs:SendMessage "+queue] = true
	h.allowed["sns:Publish "+topic] = true
	in := eventInvoke("f")
	in.MaximumRetryAttempts = aws.Int32(0)
	in.DestinationConfig = destinations(topic, queue)
	put := must[sdk.PutFunctionEventInvokeConfigOutput](h, in)
	want := &sdk.GetFunctionEventInvokeConfigOutput{
		FunctionArn: aws.String(arnOfF + ":$LATEST"), LastModified: &h.now, MaximumRetryAttempts: aws.Int32(0),
		DestinationConfig: shownDestinations(aws.String(topic), aws.String(queue)),
	}
	sameJSON(t, put, want) // the members are the same
	sameJSON(t, h.eventInvoke("f"), want)
	sameJSON(t, h.eventInvoke("f:$LATEST"), want) // which is the function

	// Update merges, but for DestinationConfig.
	h.now = h.now.Add(time.Hour)
	up := &sdk.UpdateFunctionEventInvokeConfigInput{FunctionName: aws.String("f"), MaximumEventAgeInSeconds: aws.Int32(60)}
	want.LastModified, want.MaximumEventAgeInSeconds = &h.now, aws.Int32(60)
	sameJSON(t, must[sdk.UpdateFunctionEventInvokeConfigOutput](h, up), want)
	sameJSON(t, h.eventInvoke("f"), want)
	up = &sdk.UpdateFunctionEventInvokeConfigInput{FunctionName: aws.String("f"), DestinationConfig: destinations("", topic)}
	want.DestinationConfig = shownDestinations(nil, aws.String(topic))
	sameJSON(t, must[sdk.UpdateFunctionEventInvokeConfigOutput](h, up), want)

	// Put replaces.
	in = eventInvoke("f")
	in.MaximumEventAgeInSeconds = aws.Int32(21600)
	want.MaximumRetryAttempts, want.MaximumEventAgeInSeconds = nil, aws.Int32(21600)
	want.DestinationConfig = shownDestinations(nil, nil)
	sameJSON(t, must[sdk.PutFunctionEventInvokeConfigOutput](h, in), want)
	sameJSON(t, h.eventInvoke("f"), want)

	remove := &sdk.DeleteFunctionEventInvokeConfigInput{FunctionName: aws.String("f")}
	must[sdk.DeleteFunctionEventInvokeConfigOutput](h, remove)
	refuse[sdk.DeleteFunctionEventInvokeConfigOutput](h, remove, "ResourceNotFoundException", 404,
		"The function "+arnOfF+":$LATEST doesn't have an EventInvokeConfig")
}

// The function, versions and aliases have configurations of their own, which go with them.
func TestEventInvokeConfigsOfQualifiers(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.keepVersion("f", "1")
	h.keepAlias("f", alias{Name: "live", Version: "1"})
	for i, name := range []string{"f", "f:1", "f:live"} {
		in := eventInvoke(name)
		in.MaximumEventAgeInSeconds = aws.Int32(int32(100 + i))
		must[sdk.PutFunctionEventInvokeConfigOutput](h, in)
	}
	if got := *h.eventInvoke("f:live").MaximumEventAgeInSeconds; got != 102 {
		t.Errorf("got %d, want 102", got)
	}
	if got := h.lastNeeds[0].Target.ARN; got != arnOfF+":live" {
		t.Errorf("judged on %s", got)
	}
	list := &sdk.ListFunctionEventInvokeConfigsInput{FunctionName: aws.String("f"), MaxItems: aws.Int32(2)}
	var got []string
	for {
		out := must[sdk.ListFunctionEventInvokeConfigsOutput](h, list)
		for _, c := range out.FunctionEventInvokeConfigs {
			got = append(got, fmt.Sprint(*c.FunctionArn, " ", *c.MaximumEventAgeInSeconds))
		}
		if list.Marker = out.NextMarker; list.Marker == nil {
			break
		}
	}
	if want := []string{arnOfF + ":$LATEST 100", arnOfF + ":1 101", arnOfF + ":live 102"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	gone := func(name string) {
		t.Helper()
		refuse[sdk.GetFunctionEventInvokeConfigOutput](h, &sdk.GetFunctionEventInvokeConfigInput{FunctionName: aws.String(name)},
			"ResourceNotFoundException", 404, "The function arn:aws:lambda:eu-central-1:111122223333:function:"+name+
				" doesn't have an EventInvokeConfig")
	}
	must[sdk.DeleteAliasOutput](h, &sdk.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f:1")})
	gone("f:1")
	gone("f:live")
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
	h.create("f")
	gone("f:$LATEST")
	gone("f:live")
}

func TestDestinations(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.create("target")
	h.account = stranger
	there := h.newFunction("there")
	there.Role = aws.String(strings.Replace(role, account, stranger, 1))
	h.trusted[*there.Role] = true
	must[sdk.CreateFunctionOutput](h, there)
	h.account = account
	h.keepVersion("target", "1")
	const (
		target = "arn:aws:lambda:eu-central-1:111122223333:function:target"
		bus    = "arn:aws:events:eu-central-1:111122223333:event-bus/default"
		bucket = "arn:aws:s3:::b"
	)
	// What the execution role needs, and the text when it lacks it (lambda.md 3.1).
	for _, c := range []struct{ destination, need, call string }{
		{queue, "sqs:SendMessage " + queue, "SendMessage on " + queue},
		{topic, "sns:Publish " + topic, "Publish on " + topic},
		{target, "lambda:InvokeFunction " + target, "InvokeFunction on " + target},
		{target + ":1", "lambda:InvokeFunction " + target + ":1", "InvokeFunction on " + target + ":1"},
		{bus, "events:PutEvents " + bus, "PutEvents on " + bus},
		{bucket, "s3:PutObject " + bucket + "/*", "PutObject on " + bucket},
	} {
		in := eventInvoke("f")
		in.DestinationConfig = destinations("", c.destination)
		_, err := do[sdk.PutFunctionEventInvokeConfigOutput](h, in)
		wantError(t, err, "InvalidParameterValueException", 400, "The function execution role does not have permissions to call "+c.call)
		h.allowed[c.need] = true
		must[sdk.PutFunctionEventInvokeConfigOutput](h, in)
		if c.destination == bucket {
			continue
		}
		in.DestinationConfig = destinations(c.destination, "")
		must[sdk.PutFunctionEventInvokeConfigOutput](h, in)
	}
	// Whether another account has the function is not told.
	for _, theirs := range []string{"there", "missing"} {
		destination := "arn:aws:lambda:eu-central-1:" + stranger + ":function:" + theirs
		in := eventInvoke("f")
		in.DestinationConfig = destinations("", destination)
		refuse[sdk.PutFunctionEventInvokeConfigOutput](h, in, "InvalidParameterValueException", 400,
			"The function execution role does not have permissions to call InvokeFunction on "+destination)
	}
	const (
		invalid = "InvalidParameterValueException"
		itself  = "You can't specify the function as a destination for itself."
	)
	config := func(success, failure string) string {
		return "The provided destination config DestinationConfig(onSuccess=" + success + ", onFailure=" + failure + ") is invalid."
	}
	failing := func(arn string) string { return config("null", "OnFailure(destination="+arn+")") }
	for _, c := range []struct{ success, failure, message string }{
		{"", arnOfF, itself},
		{arnOfF + ":$LATEST", "", itself},
		{"", target + "2", "The destination ARN " + target + "2 is invalid."},
		{"", target + ":9", "The destination ARN " + target + ":9 is invalid."},
		{"", target + ":a:b", "The destination ARN " + target + ":a:b is invalid."},
		{bucket, queue, config("OnSuccess(destination="+bucket+")", "OnFailure(destination="+queue+")")},
		{"", bucket + "/key", failing(bucket + "/key")},
		{"", queue + ".fifo", failing(queue + ".fifo")},
		{"", topic + ".fifo", failing(topic + ".fifo")},
		{"", "arn:aws:dynamodb:eu-central-1:111122223333:table/t", failing("arn:aws:dynamodb:eu-central-1:111122223333:table/t")},
		{"", "arn:aws:sqs:us-east-1:111122223333:q", failing("arn:aws:sqs:us-east-1:111122223333:q")},
		{"", "arn:aws:sqs:eu-central-1::q", failing("arn:aws:sqs:eu-central-1::q")},
		{"", "arn:aws-cn:sqs:eu-central-1:111122223333:q", failing("arn:aws-cn:sqs:eu-central-1:111122223333:q")},
		{"", "arn:aws:events:eu-central-1:111122223333:rule/r", failing("arn:aws:events:eu-central-1:111122223333:rule/r")},
		{"", "arn:aws:lambda:eu-central-1:111122223333:layer:l", failing("arn:aws:lambda:eu-central-1:111122223333:layer:l")},
		{"", "kafka://topic", failing("kafka://topic")},
	} {
		in := eventInvoke("f")
		in.DestinationConfig = destinations(c.success, c.failure)
		refuse[sdk.PutFunctionEventInvokeConfigOutput](h, in, invalid, 400, c.message)
	}
	in := eventInvoke("f")
	in.DestinationConfig = destinations("q", "")
	refuse[sdk.PutFunctionEventInvokeConfigOutput](h, in, "ValidationException", 400, "1 validation error detected: Value 'q' at "+
		"'destinationConfig.onSuccess.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: "+
		`$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:`+
		`([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)`)
	in.DestinationConfig = &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: aws.String("")}} // none
	must[sdk.PutFunctionEventInvokeConfigOutput](h, in)
}

func TestEventInvokeConfigRefusals(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	age := func(name string, seconds int32) *sdk.PutFunctionEventInvokeConfigInput {
		in := eventInvoke(name)
		in.MaximumEventAgeInSeconds = &seconds
		return in
	}
	retries := eventInvoke("f")
	retries.MaximumRetryAttempts = aws.Int32(3)
	const missing = "The function doesn't exist."
	for _, c := range []struct {
		in      any
		code    string
		status  int
		message string
	}{
		{eventInvoke("f"), "InvalidParameterValueException", 400, "You must specify at least one of error handling or destination setting."},
		{&sdk.UpdateFunctionEventInvokeConfigInput{FunctionName: aws.String("f")}, "InvalidParameterValueException", 400,
			"You must specify at least one of error handling or destination setting."},
		{age("missing", 60), "ResourceNotFoundException", 404, missing},
		{age("f:9", 60), "ResourceNotFoundException", 404, missing},
		{age("f:live", 60), "ResourceNotFoundException", 404, missing},
		{&sdk.UpdateFunctionEventInvokeConfigInput{FunctionName: aws.String("f:9"), MaximumRetryAttempts: aws.Int32(1)},
			"ResourceNotFoundException", 404, missing},
		{&sdk.UpdateFunctionEventInvokeConfigInput{FunctionName: aws.String("f"), MaximumRetryAttempts: aws.Int32(1)},
			"ResourceNotFoundException", 404, "The function " + arnOfF + ":$LATEST doesn't have an EventInvokeConfig"},
		{&sdk.GetFunctionEventInvokeConfigInput{FunctionName: aws.String("missing")}, "ResourceNotFoundException", 404,
			"The function arn:aws:lambda:eu-central-1:111122223333:function:missing:$LATEST doesn't have an EventInvokeConfig"},
		{&sdk.ListFunctionEventInvokeConfigsInput{FunctionName: aws.String("missing")}, "ResourceNotFoundException", 404, missing},
		{&sdk.ListFunctionEventInvokeConfigsInput{FunctionName: aws.String("f:1")}, "InvalidParameterValueException", 400, notOnFunctions},
		{age("f", 59), "ValidationException", 400, "1 validation error detected: Value '59' at 'maximumEventAgeInSeconds' failed to " +
			"satisfy constraint: Member must have value greater than or equal to 60"},
		{age("f", 21601), "ValidationException", 400, "1 validation error detected: Value '21601' at 'maximumEventAgeInSeconds' failed " +
			"to satisfy constraint: Member must have value less than or equal to 21600"},
		{retries, "ValidationException", 400, "1 validation error detected: Value '3' at 'maximumRetryAttempts' failed to satisfy " +
			"constraint: Member must have value less than or equal to 2"},
	} {
		_, err := h.attempt(c.in)
		wantError(t, err, c.code, c.status, c.message)
	}
}
