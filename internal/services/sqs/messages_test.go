package sqs

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

func TestMessageLife(t *testing.T) {
	s := newServer(t)
	q := s.create("q", "VisibilityTimeout", "10")
	s.send(q, "a", "b", strings.Repeat("c", 5000))
	s.counts(q, "3 0 0")
	first := s.gets(q, "a b "+strings.Repeat("c", 5000))
	s.counts(q, "0 3 0")
	s.gets(q, "")
	s.remove(q, first[0], first[2])
	s.counts(q, "0 1 0")
	s.pass(10 * time.Second)
	again := s.gets(q, "b")
	if n := again[0].Attributes["ApproximateReceiveCount"]; n != "2" || again[0].Attributes["SentTimestamp"] != first[1].Attributes["SentTimestamp"] {
		t.Errorf("got %v", again[0].Attributes)
	}
	s.remove(q, first[1]) // an older handle: no error, and no deletion
	s.counts(q, "0 1 0")
	s.remove(q, again[0], again[0])
	s.counts(q, "0 0 0")
	s.empty("sqs/message/", "sqs/content/", "sqs/due/")
}

func TestVisibility(t *testing.T) {
	s := newServer(t)
	q := s.create("q")
	s.send(q, "a")
	m := s.gets(q, "a")[0]
	change := func(seconds int32) error {
		_, err := s.client.ChangeMessageVisibility(s.Context(), &sdk.ChangeMessageVisibilityInput{
			QueueUrl: q, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds,
		})
		return err
	}
	if err := change(100); err != nil {
		t.Fatal(err)
	}
	s.pass(99 * time.Second)
	s.gets(q, "")
	if err := change(0); err != nil {
		t.Fatal(err)
	}
	got := s.receive(q, func(in *sdk.ReceiveMessageInput) { in.VisibilityTimeout = 1 })
	if bodies(got) != "a" {
		t.Errorf("after a change to 0: got %q", bodies(got))
	}
	s.fails(change(5), 400, "InvalidParameterValue", "Message does not exist or is not available for visibility timeout change.")
	m = got[0]
	s.fails(change(43201), 400, "InvalidParameterValue", "Must be between 0 and 43200")
	s.fails(change(-1), 400, "InvalidParameterValue", "Must be between 0 and 43200")
	s.pass(time.Second)
	if err := change(5); err != nil { // it was not received again
		t.Error(err)
	}
	s.fails(change(43200), 400, "InvalidParameterValue", "Total VisibilityTimeout")
	m.ReceiptHandle = aws.String("bad")
	s.fails(change(5), 404, "ReceiptHandleIsInvalid", "bad")
	other := s.create("other")
	m.ReceiptHandle = got[0].ReceiptHandle
	_, err := s.client.DeleteMessage(s.Context(), &sdk.DeleteMessageInput{QueueUrl: other, ReceiptHandle: m.ReceiptHandle})
	s.fails(err, 404, "ReceiptHandleIsInvalid", "")
	s.remove(q, m)
	s.fails(change(5), 400, "InvalidParameterValue", "Message does not exist")
}

// A 0 that is given is not the same as nothing, in either protocol.
func TestGivenZeros(t *testing.T) {
	s := newServer(t)
	q := s.create("q", "DelaySeconds", "60", "ReceiveMessageWaitTimeSeconds", "20")
	post := func(target, contentType, body string) string {
		r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, *q, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		if target != "" {
			r.Header.Set("X-Amz-Target", "AmazonSQS."+target)
		}
		resp, err := s.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b strings.Builder
		_ = resp.Write(&b)
		return b.String()
	}
	const form, json = "application/x-www-form-urlencoded", "application/x-amz-json-1.0"
	post("SendMessage", json, `{"QueueUrl":"`+*q+`","MessageBody":"json","DelaySeconds":0}`)
	post("SendMessage", json, `{"QueueUrl":"`+*q+`","MessageBody":"later"}`)
	post("", form, "Action=SendMessage&Version=2012-11-05&MessageBody=query&DelaySeconds=0")
	post("", form, "Action=SendMessage&Version=2012-11-05&MessageBody=later")
	post("SendMessageBatch", json, `{"QueueUrl":"`+*q+`","Entries":[{"Id":"1","MessageBody":"later"},{"Id":"2","MessageBody":"batch","DelaySeconds":0}]}`)
	post("", form, "Action=SendMessageBatch&Version=2012-11-05&SendMessageBatchRequestEntry.2.Id=a&SendMessageBatchRequestEntry.2.MessageBody=later"+
		"&SendMessageBatchRequestEntry.4.Id=b&SendMessageBatchRequestEntry.4.MessageBody=form&SendMessageBatchRequestEntry.4.DelaySeconds=0")
	s.counts(q, "4 0 4")
	got := post("ReceiveMessage", json, `{"QueueUrl":"`+*q+`","VisibilityTimeout":0,"MaxNumberOfMessages":10}`)
	if n := strings.Count(got, `"ReceiptHandle"`); n != 4 {
		t.Errorf("received %d: %s", n, got)
	}
	s.counts(q, "4 0 4")
	s.gets(q, "json query batch form")
	if got := post("ReceiveMessage", json, `{"QueueUrl":"`+*q+`","WaitTimeSeconds":0}`); !strings.Contains(got, "200 OK") {
		t.Errorf("got %s", got)
	}
	got = post("", form, "Action=ReceiveMessage&Version=2012-11-05&MaxNumberOfMessages=0")
	if !strings.Contains(got, "Value 0 for parameter MaxNumberOfMessages is invalid.") || !strings.Contains(got, "<Code>InvalidParameterValue</Code>") {
		t.Errorf("got %s", got)
	}
	got = post("", form, "Action=ReceiveMessage&Version=2012-11-05&QueueUrl=http://x/111111111111/none")
	if !strings.Contains(got, "does not exist for this wsdl version.") {
		t.Errorf("got %s", got)
	}
}

func TestDelay(t *testing.T) {
	s := newServer(t)
	q := s.create("q", "DelaySeconds", "5")
	s.send(q, "a")
	must(s.client.SendMessage(s.Context(), &sdk.SendMessageInput{QueueUrl: q, MessageBody: aws.String("b"), DelaySeconds: 2}))(s)
	s.counts(q, "0 0 2")
	s.gets(q, "")
	s.pass(2 * time.Second)
	s.gets(q, "b")
	s.counts(q, "0 1 1")
	s.pass(3 * time.Second)
	s.gets(q, "a")
	_, err := s.client.SendMessage(s.Context(), &sdk.SendMessageInput{QueueUrl: q, MessageBody: aws.String("b"), DelaySeconds: 901})
	s.fails(err, 400, "InvalidParameterValue", "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.")
}

// The digests are those of localstack's recorded answers of AWS.
func TestMessageAttributes(t *testing.T) {
	s := newServer(t)
	q := s.create("q")
	text := func(v string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &v}
	}
	sent := must(s.client.SendMessage(s.Context(), &sdk.SendMessageInput{
		QueueUrl: q, MessageBody: aws.String("msg"), MessageAttributes: map[string]types.MessageAttributeValue{
			"General": text("Kenobi"), "Hello": text("There"), "Help.Me": text("Me"),
		},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-a")},
		},
	}))(s)
	if *sent.MD5OfMessageBody != "6e2baaf3b97dbeef01c0043275f9a0e7" || *sent.MD5OfMessageAttributes != "4c360f3fdafd970e05fae2f149d997f5" ||
		sent.MD5OfMessageSystemAttributes == nil {
		t.Errorf("got %+v", sent)
	}
	for names, want := range map[string]string{
		"": "", "All": "4c360f3fdafd970e05fae2f149d997f5", ".*": "4c360f3fdafd970e05fae2f149d997f5", "None": "",
		"General Hello": "fca026605781cb4126a1e9044df24232", "Hello None": "a311262e065454b75da111d535b8dacd",
		"Hel.*": "83fee93c1bcd8b9a5a923ffacdc636c7",
	} {
		m := s.receive(q, func(in *sdk.ReceiveMessageInput) {
			in.MessageAttributeNames = strings.Fields(names)
		})[0]
		if got := aws.ToString(m.MD5OfMessageAttributes); got != want || (want == "") != (len(m.MessageAttributes) == 0) {
			t.Errorf("%q: got %s, %v", names, got, m.MessageAttributes)
		}
		if m.Attributes["AWSTraceHeader"] != "Root=1-a" || m.Attributes["SenderId"] != account {
			t.Errorf("system attributes: got %v", m.Attributes)
		}
		must(s.client.ChangeMessageVisibility(s.Context(), &sdk.ChangeMessageVisibilityInput{QueueUrl: q, ReceiptHandle: m.ReceiptHandle}))(s)
	}
	s.receive(q)
	must(s.client.SendMessage(s.Context(), &sdk.SendMessageInput{
		QueueUrl: q, MessageBody: aws.String("test"), MessageAttributes: map[string]types.MessageAttributeValue{"attr1": {
			DataType: aws.String("Binary"), BinaryValue: []byte("traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01"),
		}},
	}))(s)
	if m := s.receive(q)[0]; *m.MD5OfMessageAttributes != "8cbe4db156db8a94db8b801b7addb984" {
		t.Errorf("binary: got %s", *m.MD5OfMessageAttributes)
	}
}

func TestSendRefusals(t *testing.T) {
	s := newServer(t)
	q := s.create("q", "MaximumMessageSize", "1024")
	f := s.create("f.fifo", "FifoQueue", "true")
	attribute := func(name, kind, value string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{name: {DataType: &kind, StringValue: &value}}
	}
	many := map[string]types.MessageAttributeValue{}
	for _, c := range "abcdefghijk" {
		many[string(c)] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String("x")}
	}
	body := aws.String("x")
	for _, test := range []struct {
		in         *sdk.SendMessageInput
		code, text string
	}{
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: aws.String("")}, "MissingParameter", "The request must contain the parameter MessageBody."},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: aws.String("\x00")}, "InvalidMessageContents", "Invalid characters found."},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: aws.String("a\ufffe")}, "InvalidMessageContents", "Invalid characters found."},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: aws.String(strings.Repeat("x", 1025))}, "InvalidParameterValue",
			"One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: aws.String(strings.Repeat("x", 1015)), MessageAttributes: attribute("abc", "String", "d")},
			"InvalidParameterValue", "Message must be shorter than 1024 bytes."},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: body, MessageAttributes: attribute("ErrorDetails", "String", "")}, "InvalidParameterValue",
			"Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'."},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: body, MessageAttributes: attribute("a", "Number", "x")}, "InvalidParameterValue", "to a number"},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: body, MessageAttributes: attribute("a", "Number", "Inf")}, "InvalidParameterValue", "to a number"},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: body, MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String(strings.Repeat("x", 1025))},
		}}, "InvalidParameterValue", "AWSTraceHeader"},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: body, MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"Other": {DataType: aws.String("String"), StringValue: aws.String("x")},
		}}, "InvalidParameterValue", "Other"},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: body, MessageAttributes: attribute("a", "Text", "x")}, "InvalidParameterValue", "type prefixes"},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: body, MessageAttributes: attribute("aws.x", "String", "x")}, "InvalidParameterValue", "name"},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: body, MessageAttributes: many}, "InvalidParameterValue", "[11] exceeds the allowed maximum [10]"},
		{&sdk.SendMessageInput{QueueUrl: q, MessageBody: body, MessageDeduplicationId: body}, "InvalidParameterValue", "not valid for this queue type"},
		{&sdk.SendMessageInput{QueueUrl: f, MessageBody: body}, "MissingParameter", "The request must contain the parameter MessageGroupId."},
		{&sdk.SendMessageInput{QueueUrl: f, MessageBody: body, MessageGroupId: body}, "InvalidParameterValue",
			"The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"},
		{&sdk.SendMessageInput{QueueUrl: f, MessageBody: body, MessageGroupId: aws.String("a b"), MessageDeduplicationId: body},
			"InvalidParameterValue", "Value a b for parameter MessageGroupId is invalid."},
		{&sdk.SendMessageInput{QueueUrl: f, MessageBody: body, MessageGroupId: body, MessageDeduplicationId: body, DelaySeconds: 2}, "InvalidParameterValue",
			"Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type."},
		{&sdk.SendMessageInput{QueueUrl: aws.String("http://x/111111111111/none"), MessageBody: body}, "AWS.SimpleQueueService.NonExistentQueue",
			"The specified queue does not exist."},
	} {
		_, err := s.client.SendMessage(s.Context(), test.in)
		s.fails(err, 400, test.code, test.text)
	}
	_, err := s.client.SendMessage(s.Context(), &sdk.SendMessageInput{QueueUrl: aws.String("x"), MessageBody: body})
	s.fails(err, 404, "InvalidAddress", "The address x is not valid for this endpoint.")
	s.sqs.room = func() bool { return false }
	_, err = s.client.SendMessage(s.Context(), &sdk.SendMessageInput{QueueUrl: q, MessageBody: body})
	s.fails(err, 503, "ServiceUnavailable", "no room")
	s.empty("sqs/message/")
}

func TestBatches(t *testing.T) {
	s := newServer(t)
	q := s.create("q", "MaximumMessageSize", "1024")
	entry := func(id, body string) types.SendMessageBatchRequestEntry {
		return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
	}
	send := func(entries ...types.SendMessageBatchRequestEntry) (*sdk.SendMessageBatchOutput, error) {
		return s.client.SendMessageBatch(s.Context(), &sdk.SendMessageBatchInput{
			QueueUrl: q, Entries: append([]types.SendMessageBatchRequestEntry{}, entries...),
		})
	}
	out := must(send(entry("1", "a"), entry("2", strings.Repeat("x", 1025)), entry("3", "\x01"), entry("4", "b")))(s)
	if len(out.Successful) != 2 || *out.Successful[1].Id != "4" || *out.Successful[1].MD5OfMessageBody != "92eb5ffee6ae2fec3ad71c777531578f" {
		t.Errorf("got %+v", out.Successful)
	}
	if len(out.Failed) != 2 || *out.Failed[0].Code != "InvalidParameterValue" || !out.Failed[0].SenderFault || *out.Failed[1].Code != "InvalidMessageContents" {
		t.Errorf("got %+v", out.Failed)
	}
	_, err := send()
	s.fails(err, 400, "AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request.")
	var many []types.SendMessageBatchRequestEntry
	for _, c := range "abcdefghijk" {
		many = append(many, entry(string(c), "x"))
	}
	_, err = send(many...)
	s.fails(err, 400, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent 11.")
	_, err = send(entry("a:b", "x"))
	s.fails(err, 400, "AWS.SimpleQueueService.InvalidBatchEntryId", "alphanumeric")
	_, err = send(entry("a", "x"), entry("a", "y"))
	s.fails(err, 400, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id a repeated.")
	must(s.client.SetQueueAttributes(s.Context(), &sdk.SetQueueAttributesInput{
		QueueUrl: q, Attributes: map[string]string{"MaximumMessageSize": "1048576"},
	}))(s)
	_, err = send(entry("a", strings.Repeat("x", 1<<20)), entry("b", "y"))
	s.fails(err, 400, "AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")

	got := s.gets(q, "a b")
	changed := must(s.client.ChangeMessageVisibilityBatch(s.Context(), &sdk.ChangeMessageVisibilityBatchInput{
		QueueUrl: q, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("1"), ReceiptHandle: got[0].ReceiptHandle}, {Id: aws.String("2"), ReceiptHandle: aws.String("x")},
			{Id: aws.String("3"), ReceiptHandle: got[1].ReceiptHandle, VisibilityTimeout: 50_000},
		},
	}))(s)
	if len(changed.Successful) != 1 || len(changed.Failed) != 2 || *changed.Failed[0].Code != "ReceiptHandleIsInvalid" || *changed.Failed[1].Id != "3" {
		t.Errorf("got %+v", changed)
	}
	s.counts(q, "1 1 0")
	deleted := must(s.client.DeleteMessageBatch(s.Context(), &sdk.DeleteMessageBatchInput{
		QueueUrl: q, Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("1"), ReceiptHandle: got[0].ReceiptHandle}, {Id: aws.String("2"), ReceiptHandle: got[1].ReceiptHandle},
			{Id: aws.String("3"), ReceiptHandle: aws.String("bad")},
		},
	}))(s)
	if len(deleted.Successful) != 2 || len(deleted.Failed) != 1 {
		t.Errorf("got %+v", deleted)
	}
	s.counts(q, "0 0 0")
}

func TestRetention(t *testing.T) {
	s := newServer(t)
	q := s.create("q", "MessageRetentionPeriod", "60")
	s.send(q, "a", "b")
	s.gets(q, "a b")
	s.pass(30 * time.Second)
	s.send(q, "c", strings.Repeat("d", 3000))
	s.pass(30 * time.Second)
	got := s.receive(q)
	if diff := cmp.Diff(bodies(got), "c "+strings.Repeat("d", 3000)); diff != "" {
		t.Error(diff)
	}
	s.counts(q, "0 2 0")
	s.pass(30 * time.Second)
	if err := s.sqs.expire(s.Context()); err != nil {
		t.Fatal(err)
	}
	s.counts(q, "0 0 0")
	s.empty("sqs/message/", "sqs/content/", "sqs/due/")
}
