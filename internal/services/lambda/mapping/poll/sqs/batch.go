package sqs

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/services/lambda/mapping/filter"
	"github.com/licet/licet/internal/services/lambda/mapping/poll"
)

// maxPayload of an invocation (lambda.md 7.1).
const maxPayload = 6_291_456

// record is a message as the function gets it: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html, the example events.
type record struct {
	MessageID     string               `json:"messageId"`
	ReceiptHandle string               `json:"receiptHandle"`
	Body          string               `json:"body"`
	Attributes    map[string]string    `json:"attributes"`
	Message       map[string]attribute `json:"messageAttributes"`
	AttributesMD5 string               `json:"md5OfMessageAttributes,omitempty"`
	BodyMD5       string               `json:"md5OfBody"`
	EventSource   string               `json:"eventSource"`
	SourceARN     string               `json:"eventSourceARN"`
	Region        string               `json:"awsRegion"`
}

type attribute struct {
	StringValue  *string  `json:"stringValue,omitempty"`
	BinaryValue  []byte   `json:"binaryValue,omitempty"`
	StringValues []string `json:"stringListValues"`
	BinaryValues [][]byte `json:"binaryListValues"`
	DataType     string   `json:"dataType"`
}

func (q *queue) record(m *types.Message) record {
	r := record{
		MessageID: aws.ToString(m.MessageId), ReceiptHandle: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body),
		Attributes: m.Attributes, Message: map[string]attribute{}, AttributesMD5: aws.ToString(m.MD5OfMessageAttributes),
		BodyMD5: aws.ToString(m.MD5OfBody), EventSource: "aws:sqs", SourceARN: q.arn, Region: q.region,
	}
	for name, a := range m.MessageAttributes {
		r.Message[name] = attribute{
			StringValue: a.StringValue, BinaryValue: a.BinaryValue, StringValues: []string{}, BinaryValues: [][]byte{}, DataType: aws.ToString(a.DataType),
		}
	}
	return r
}

// item is a message with its record.
type item struct {
	message types.Message
	record  json.RawMessage
}

// process calls the function with what the filters let through of a batch, and deletes what is done with. It tells whether all went well.
func (q *queue) process(ctx context.Context, batch []types.Message) bool {
	var done []types.Message
	var items []item
	for i := range batch {
		text, err := json.Marshal(q.record(&batch[i]))
		if err != nil { // of texts and bytes it cannot be
			q.Result(q.Problem("SQS", "ReceiveMessage", err))
			return false
		}
		if q.matches(text, aws.ToString(batch[i].Body)) {
			items = append(items, item{batch[i], text})
		} else {
			done = append(done, batch[i])
		}
	}
	q.Count(poll.FilteredOut, len(done))
	good := true
	for part := range parts(items) {
		deleted, ok := q.call(ctx, part)
		done, good = append(done, deleted...), good && ok
		if q.fifo && len(deleted) < len(part) {
			break // what comes after must not overtake
		}
	}
	return q.remove(ctx, done) && good
}

// matches tells whether a filter lets a message through. Its body is matched as what it says if that is a JSON object or list, and as a text else:
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html.
func (q *queue) matches(text []byte, body string) bool {
	if len(q.filters) == 0 {
		return true
	}
	value, err := filter.Decode(text)
	event, ok := value.(map[string]any)
	if err != nil || !ok {
		return false
	}
	if parsed, err := filter.Decode([]byte(body)); err == nil {
		switch parsed.(type) {
		case map[string]any, []any:
			event["body"] = parsed
		}
	}
	return slices.ContainsFunc(q.filters, func(p *filter.Pattern) bool { return p.Match(event) })
}

// frame is what a payload has beside its records.
const frame = `{"Records":[]}`

// parts cuts a batch where it would be larger than a payload may be.
func parts(items []item) func(yield func([]item) bool) {
	return func(yield func([]item) bool) {
		first, size := 0, len(frame)
		for i := range items {
			if n := len(items[i].record) + 1; i > first && size+n > maxPayload {
				if !yield(items[first:i]) {
					return
				}
				first, size = i, len(frame)+n
			} else {
				size += n
			}
		}
		if first < len(items) {
			yield(items[first:])
		}
	}
}

// call calls the function with messages, and gives those that are done with.
func (q *queue) call(ctx context.Context, items []item) (done []types.Message, good bool) {
	payload, traces := []byte(`{"Records":[`), []string(nil)
	for i := range items {
		if i > 0 {
			payload = append(payload, ',')
		}
		payload = append(payload, items[i].record...)
		if trace := items[i].message.Attributes["AWSTraceHeader"]; trace != "" {
			traces = append(traces, trace)
		}
	}
	answer, err := q.Invoke(ctx, append(payload, "]}"...), traces)
	if recursive(err) && len(items) > 1 {
		return q.callEach(ctx, items)
	}
	done, good = q.judge(ctx, items, answer, err)
	q.Count(poll.Invoked, len(items))
	q.Count(poll.FailedInvoke, len(items)-len(done))
	return done, good
}

// recursive tells that a function was not called because a message is in a loop.
func recursive(err error) bool {
	e, ok := errors.AsType[*awserr.Error](err)
	return ok && e.Code == "RecursiveInvocationException"
}

// judge notes how a call went, and gives the messages that are done with.
func (q *queue) judge(ctx context.Context, items []item, answer poll.Answer, err error) (done []types.Message, good bool) {
	e, _ := errors.AsType[*awserr.Error](err)
	switch {
	case recursive(err):
		q.Result(poll.Recursive)
		return nil, false
	case e != nil && e.Status == http.StatusTooManyRequests:
		now := q.Moment()
		q.Result(poll.Throttled)
		q.Rest(now, 0)
		return nil, false
	case e != nil && e.Code == "ResourceNotFoundException":
		q.Result(poll.NoFunction)
		return nil, false
	case err != nil:
		q.Logger().WarnContext(ctx, "A function could not run with messages.", "err", err)
		q.Result(poll.FunctionFailed)
		return nil, false
	case answer.Failed:
		q.Result(poll.FunctionFailed)
		return nil, false
	}
	failed, ok := map[string]bool(nil), true
	if q.partial {
		failed, ok = failures(answer.Payload, items)
	}
	if !ok {
		q.Result(poll.FunctionFailed)
		return nil, false
	}
	for i := range items {
		if !failed[aws.ToString(items[i].message.MessageId)] {
			done = append(done, items[i].message)
		}
	}
	q.Result(poll.OK)
	return done, true
}

// callEach is call for a batch with a message that goes round in a loop: the others are not to suffer for it.
func (q *queue) callEach(ctx context.Context, items []item) (done []types.Message, good bool) {
	good = true
	for i := range items {
		deleted, ok := q.call(ctx, items[i:i+1])
		done, good = append(done, deleted...), good && ok
		if q.fifo && len(deleted) == 0 {
			break
		}
	}
	return done, good
}

// failures reads which messages a function reports as failed; not ok when all have, because the report is none:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html ("Success and failure conditions"). No answer, null, an object
// without a list and an empty list are successes.
func failures(answer []byte, items []item) (failed map[string]bool, ok bool) {
	if len(answer) == 0 {
		return nil, true
	}
	var report struct {
		BatchItemFailures []map[string]any `json:"batchItemFailures"`
	}
	if json.Unmarshal(answer, &report) != nil {
		return nil, false
	}
	failed = map[string]bool{}
	for _, f := range report.BatchItemFailures {
		id, isText := f["itemIdentifier"].(string)
		if !isText || !slices.ContainsFunc(items, func(i item) bool { return aws.ToString(i.message.MessageId) == id }) {
			return nil, false
		}
		failed[id] = true
	}
	return failed, true
}
