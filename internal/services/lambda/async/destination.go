package async

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/services/lambda/request"
)

// record is what a destination is told of an invocation (lambda.md 7.2).
type record struct {
	Version        string           `json:"version"`
	Timestamp      string           `json:"timestamp"`
	RequestContext requestContext   `json:"requestContext"`
	RequestPayload json.RawMessage  `json:"requestPayload"`
	Response       *responseContext `json:"responseContext,omitempty"`
	Payload        json.RawMessage  `json:"responsePayload,omitempty"`
}

type requestContext struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"` // always qualified
	Condition   string `json:"condition"`
	InvokeCount int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// errNoService says that a destination is of a service that this server does not have.
var errNoService = errors.New("this server does not have the service of the destination")

// record sends the record of an ended invocation to a destination, if there is one. It is tried once: what fails is counted and logged
// (AWS's metric DestinationDeliveryFailures).
func (d *delivery) record(ctx context.Context, target, condition string, last *execution.Result) {
	if target == "" {
		return
	}
	body, err := json.Marshal(d.newRecord(condition, last))
	if err == nil {
		err = d.send(ctx, target, body, nil)
	}
	if err != nil {
		d.failed(ctx, failureDestination, target, err)
	}
}

func (d *delivery) newRecord(condition string, last *execution.Result) record {
	r := d.event.Function
	if r.Qualifier == "" {
		r.Qualifier = request.Latest
	}
	rec := record{
		Version: "1.0", Timestamp: d.config.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: requestContext{
			RequestID: d.event.RequestID, FunctionARN: r.ARN(), Condition: condition, InvokeCount: d.event.Runs,
		},
		RequestPayload: d.payload,
	}
	if last == nil { // it never answered, or too long ago
		return rec
	}
	rec.Response = &responseContext{StatusCode: 200, ExecutedVersion: d.function.Version, FunctionError: last.FunctionError}
	rec.Payload = asJSON(last.Payload)
	return rec
}

// asJSON is what a function answered as JSON in UTF-8, which destinations want. A runtime of the function's own may answer anything; that is a
// text then (ours).
func asJSON(answer []byte) json.RawMessage {
	answer = bytes.ToValidUTF8(answer, []byte("\ufffd"))
	if json.Valid(answer) {
		return answer
	}
	text, err := json.Marshal(string(answer))
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return text
}

// deadLetter sends the event itself to the function's dead-letter queue, if there is one. What fails is counted and logged (AWS's metric
// DeadLetterErrors).
func (d *delivery) deadLetter(ctx context.Context, last *execution.Result) {
	if d.function.DeadLetter == "" {
		return
	}
	if err := d.send(ctx, d.function.DeadLetter, d.payload, d.reasons(last)); err != nil {
		d.failed(ctx, failureDeadLetter, d.function.DeadLetter, err)
	}
}

// maxReason is how much of an error's text a dead letter has, in bytes
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq).
const maxReason = 1024

// reasons are the attributes of a dead letter (lambda.md 7.2): the request, and of a function that failed the status of its answer and what
// it said.
func (d *delivery) reasons(last *execution.Result) map[string]string {
	reasons := map[string]string{"RequestID": d.event.RequestID}
	if last == nil {
		return reasons
	}
	reasons["ErrorCode"] = "200"
	var said struct {
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(last.Payload, &said); err != nil || said.Message == "" { // a runtime of the function's own may say anything
		said.Message = string(last.Payload)
	}
	if len(said.Message) > maxReason {
		said.Message = said.Message[:maxReason]
	}
	if said.Message = strings.ToValidUTF8(said.Message, ""); said.Message != "" {
		reasons["ErrorMessage"] = said.Message
	}
	return reasons
}

func (d *delivery) failed(ctx context.Context, what, target string, err error) {
	d.metrics.failures[what].Inc()
	d.config.Logger.ErrorContext(ctx, "What became of an event could not be written to its destination.", slog.String("kind", what),
		slog.String("destination", target), slog.String("function", d.event.Function.ARN()),
		slog.String("request_id", d.event.RequestID), slog.Any("err", err))
}

// send writes to a destination as the function's execution role. It never says that it did where it did not. The attributes are for those
// that take some.
func (d *delivery) send(ctx context.Context, target string, body []byte, attributes map[string]string) error {
	a, err := arn.Parse(target)
	if err != nil {
		return fmt.Errorf("parse destination: %w", err)
	}
	r := d.event.Function
	as := Role{ARN: d.function.Role, Function: r.FunctionARN(), Name: r.Name, Account: r.Account, Region: r.Region, TraceID: d.function.TraceID}
	switch a.Service {
	case "lambda": // asynchronously: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
		return d.config.Roles.Act(ctx, as, "lambda", "Invoke", &sdk.InvokeInput{
			FunctionName: &target, InvocationType: types.InvocationTypeEvent, Payload: body,
		})
	case "sqs":
		if a.Region != r.Region {
			return fmt.Errorf("the queue %s is of another region", target)
		}
		return d.config.Roles.Act(ctx, as, "sqs", "SendMessage", &sqs.SendMessageInput{
			QueueUrl:    aws.String("https://sqs." + a.Region + ".amazonaws.com/" + a.AccountID + "/" + a.Resource),
			MessageBody: aws.String(string(body)), MessageAttributes: messageAttributes(attributes),
		})
	case "s3":
		return d.config.Roles.Act(ctx, as, "s3", "PutObject", &s3.PutObjectInput{
			Bucket: aws.String(a.Resource), Key: aws.String(d.objectKey()),
			Body: bytes.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
		})
	case "sns", "events":
		return fmt.Errorf("%w: %s", errNoService, a.Service)
	}
	return fmt.Errorf("%s cannot be a destination", a.Service)
}

// objectKey is that of a record in a bucket (lambda.md 7.2). Of the UUID at its end nothing is said; the event's own is one.
func (d *delivery) objectKey() string {
	now := d.config.Now().UTC()
	return "aws/lambda/async/" + d.event.Function.Name + now.Format("/2006/01/02/2006-01-02T15.04.05-") + d.event.RequestID
}

func messageAttributes(attributes map[string]string) map[string]sqstypes.MessageAttributeValue {
	all := map[string]sqstypes.MessageAttributeValue{}
	for name, value := range attributes {
		kind := "String"
		if name == "ErrorCode" {
			kind = "Number"
		}
		all[name] = sqstypes.MessageAttributeValue{DataType: &kind, StringValue: aws.String(value)}
	}
	return all
}
