package query_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol/protocoltest"
	"github.com/licet/licet/internal/protocol/query"
	"github.com/licet/licet/internal/services/sqs/sqsapi"
)

const sqsVersion = "&Version=2012-11-05"

// The requests are of the form that botocore 1.29 sends.
func TestDecodeFlat(t *testing.T) {
	codec := query.New(sqsapi.API())
	ignore := cmpopts.IgnoreUnexported(
		sqs.CreateQueueInput{}, sqs.SendMessageBatchInput{}, types.SendMessageBatchRequestEntry{}, types.MessageAttributeValue{},
		sqs.ReceiveMessageInput{}, sqs.UntagQueueInput{},
	)
	for body, want := range map[string]any{
		"Action=CreateQueue&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=a&Tag.1.Value=b": &sqs.CreateQueueInput{
			QueueName: aws.String("q"), Attributes: map[string]string{"DelaySeconds": "5"}, Tags: map[string]string{"a": "b"},
		},
		"Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=x+y" +
			"&SendMessageBatchRequestEntry.3.Id=b&SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n" +
			"&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=Binary" +
			"&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.BinaryValue=AAE%3D": &sqs.SendMessageBatchInput{
			Entries: []types.SendMessageBatchRequestEntry{
				{Id: aws.String("a"), MessageBody: aws.String("x y"), MessageAttributes: map[string]types.MessageAttributeValue{
					"n": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1}},
				}},
				{Id: aws.String("b")},
			},
		},
		"Action=ReceiveMessage&AttributeName.1=All&MessageAttributeName.1=a&MessageAttributeName.2=b&WaitTimeSeconds=3": &sqs.ReceiveMessageInput{
			//lint:ignore SA1019 older clients have no other member
			AttributeNames: []types.QueueAttributeName{"All"}, MessageAttributeNames: []string{"a", "b"}, WaitTimeSeconds: 3,
		},
		"Action=UntagQueue&TagKey.1=a": &sqs.UntagQueueInput{TagKeys: []string{"a"}},
		"Action=UntagQueue&TagKey=":    &sqs.UntagQueueInput{TagKeys: []string{}},
	} {
		got, err := decode(codec, post(body+sqsVersion))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if diff := cmp.Diff(got, want, ignore); diff != "" {
			t.Errorf("%s (-got +want):\n%s", body, diff)
		}
	}
	for _, body := range []string{"Attribute.1.Name=a", "Attribute.x.Name=a&Attribute.x.Value=b", "Attribute.1.Value=b"} {
		if got, err := decode(codec, post("Action=CreateQueue&"+body+sqsVersion)); err == nil {
			t.Errorf("%s: got %+v, want an error", body, got)
		}
	}
	long := "Action=SendMessage&MessageBody=" + strings.Repeat("%C3%A4", 500_000) + sqsVersion
	if _, err := decode(codec, post(long)); err != nil {
		t.Errorf("a message of a megabyte: %v", err)
	}
	if _, err := decode(codec, post(long+strings.Repeat("a", 2<<20))); err == nil {
		t.Error("a request of 5 MB: no error")
	}
}

func TestEncodeFlat(t *testing.T) {
	codec := query.New(sqsapi.API())
	for name, test := range map[string]struct {
		out  any
		want string
	}{
		"ListQueues": {&sqs.ListQueuesOutput{QueueUrls: []string{"a", "b<"}}, "<QueueUrl>a</QueueUrl><QueueUrl>b&lt;</QueueUrl>"},
		"GetQueueAttributes": {
			&sqs.GetQueueAttributesOutput{Attributes: map[string]string{"B": "2", "A": "1"}},
			"<Attribute><Name>A</Name><Value>1</Value></Attribute><Attribute><Name>B</Name><Value>2</Value></Attribute>",
		},
		"ReceiveMessage": {
			&sqs.ReceiveMessageOutput{Messages: []types.Message{{
				Body: aws.String("x"), Attributes: map[string]string{"SenderId": "s"},
				MessageAttributes: map[string]types.MessageAttributeValue{"n": {DataType: aws.String("String"), StringValue: aws.String("v")}},
			}}},
			"<Message><Attribute><Name>SenderId</Name><Value>s</Value></Attribute><Body>x</Body><MessageAttribute><Name>n</Name><Value>" +
				"<DataType>String</DataType><StringValue>v</StringValue></Value></MessageAttribute></Message>",
		},
		"SendMessageBatch": {
			&sqs.SendMessageBatchOutput{
				Failed: []types.BatchResultErrorEntry{}, Successful: []types.SendMessageBatchResultEntry{{Id: aws.String("1")}},
			},
			"<SendMessageBatchResultEntry><Id>1</Id></SendMessageBatchResultEntry>",
		},
	} {
		op, err := codec.Operation(post("Action=" + name + sqsVersion))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := codec.Encode(w, op, test.out, protocoltest.RequestID); err != nil {
			t.Fatal(err)
		}
		if got := w.Body.String(); !strings.Contains(got, "<"+name+"Result>"+test.want+"</"+name+"Result>") {
			t.Errorf("%s: got %s", name, got)
		}
	}
	w := httptest.NewRecorder()
	codec.EncodeError(w, awserr.New("QueueDoesNotExist", http.StatusBadRequest, "m"), protocoltest.RequestID)
	if !strings.Contains(w.Body.String(), "<Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>") {
		t.Errorf("error: got %s", w.Body)
	}
}
