package sqs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// zero stands in inputs for a 0 that was given: the SDK's structs have no other difference between that and nothing. See Protocols.
const zero = math.MinInt32

// seconds reads a member that may be absent.
func seconds(given int32, preset time.Duration) time.Duration {
	switch given {
	case 0:
		return preset
	case zero:
		return 0
	}
	return time.Duration(given) * time.Second
}

// asGiven is a member as the client wrote it.
func asGiven(n int32) int32 {
	if n == zero {
		return 0
	}
	return n
}

// senderOf is the unique id of who calls: of a role's session with its name.
func senderOf(c *service.Call) string {
	p := &c.Caller.Principal
	switch {
	case p.Kind == authz.AssumedRole:
		return p.ID + ":" + p.SessionName
	case p.ID != "":
		return p.ID
	case p.Account != "":
		return p.Account
	}
	return p.ARN
}

func (s *Service) sendMessage(ctx context.Context, c *service.Call, in *sdk.SendMessageInput) (*sdk.SendMessageOutput, error) {
	q, err := s.of(ctx, c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	entry := types.SendMessageBatchRequestEntry{
		MessageBody: in.MessageBody, DelaySeconds: in.DelaySeconds, MessageAttributes: in.MessageAttributes,
		MessageSystemAttributes: in.MessageSystemAttributes, MessageDeduplicationId: in.MessageDeduplicationId,
		MessageGroupId: in.MessageGroupId,
	}
	if q.FIFO && in.MessageGroupId == nil {
		return nil, missing("MessageGroupId")
	}
	m, _, refused := s.message(c, q.Queue, &entry)
	if refused != nil {
		return nil, refused
	}
	sent, err := s.send(ctx, q.Queue, []*queue.Message{m})
	if err != nil {
		return nil, err
	}
	return &sdk.SendMessageOutput{
		MessageId: &sent[0].ID, SequenceNumber: sequence(q.Queue, sent[0]), MD5OfMessageBody: aws.String(digest(m.Body)),
		MD5OfMessageAttributes: attributesDigest(m.Attributes), MD5OfMessageSystemAttributes: traceDigest(in.MessageSystemAttributes),
	}, nil
}

// send keeps messages, and gives them as they are kept.
func (s *Service) send(ctx context.Context, q *queue.Queue, drafts []*queue.Message) ([]*queue.Message, error) {
	if !s.room() {
		// A status that clients try again; code and text are ours.
		return nil, awserr.New("ServiceUnavailable", http.StatusServiceUnavailable, "There is no room for messages now.")
	}
	var sent []*queue.Message
	err := s.db.Update(ctx, func(tx store.Tx) error {
		sent = nil // it may run twice, and the queue sets ids and numbers
		for _, draft := range drafts {
			m := *draft
			sent = append(sent, &m)
		}
		return queue.Send(tx, q, s.now(), sent...)
	})
	return sent, answer(err, "")
}

// message makes a message of an entry, and tells how much of the limits it takes. The error is about this message.
func (s *Service) message(c *service.Call, q *queue.Queue, in *types.SendMessageBatchRequestEntry) (*queue.Message, int, *awserr.Error) {
	body := aws.ToString(in.MessageBody)
	if body == "" {
		return nil, 0, missing("MessageBody")
	}
	if !validContents(body) {
		return nil, 0, invalidContents()
	}
	m := &queue.Message{ID: newID(), Sent: s.now().UnixMilli(), Sender: senderOf(c), Content: queue.Content{Body: body}}
	size := len(body)
	var refused *awserr.Error
	if m.Attributes, refused = readMessageAttributes(in.MessageAttributes, &size); refused != nil {
		return nil, size, refused
	}
	trace, refused := traceOf(in.MessageSystemAttributes)
	if refused != nil {
		return nil, size, refused
	}
	if m.Trace = trace; trace == "" && len(c.TraceID) <= maxTrace { // that of the request, as the pages on X-Ray have it
		m.Trace = c.TraceID
	}
	if size > q.MaxSize {
		return nil, size, invalidValue("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.MaxSize)
	}
	delay := seconds(in.DelaySeconds, q.Delay)
	if delay < 0 || delay > 900*time.Second {
		return nil, size, badValue(asGiven(in.DelaySeconds), "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
	}
	m.Due = m.Sent + delay.Milliseconds()
	return m, size, orderOf(q, in, m)
}

// idShape is that of message group ids and deduplication ids (API_SendMessage).
var idShape = regexp.MustCompile("^[a-zA-Z0-9!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]{1,128}$")

// orderOf reads what says of a message's place in a FIFO queue. Standard queues take groups, too: they keep tenants apart, which here
// changes nothing (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html).
func orderOf(q *queue.Queue, in *types.SendMessageBatchRequestEntry, m *queue.Message) *awserr.Error {
	const reason = "%s can only include alphanumeric and punctuation characters. 1 to 128 in length."
	const otherType = "The request include parameter that is not valid for this queue type."
	if in.MessageGroupId != nil && !idShape.MatchString(*in.MessageGroupId) {
		return badValue(*in.MessageGroupId, "MessageGroupId", fmt.Sprintf(reason, "MessageGroupId"))
	}
	if in.MessageDeduplicationId != nil && !idShape.MatchString(*in.MessageDeduplicationId) {
		return badValue(*in.MessageDeduplicationId, "MessageDeduplicationId", fmt.Sprintf(reason, "MessageDeduplicationId"))
	}
	m.Group, m.Deduplication = aws.ToString(in.MessageGroupId), aws.ToString(in.MessageDeduplicationId)
	if !q.FIFO {
		if in.MessageDeduplicationId != nil {
			return badValue(m.Deduplication, "MessageDeduplicationId", otherType)
		}
		return nil
	}
	if n := in.DelaySeconds; n != 0 && n != zero {
		return badValue(n, "DelaySeconds", otherType)
	}
	if in.MessageGroupId == nil {
		return invalidValue("The request must contain the parameter MessageGroupId.")
	}
	if m.Deduplication == "" {
		if !q.Deduplicate {
			return invalidValue("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
		}
		hash := sha256.Sum256([]byte(m.Body))
		m.Deduplication = hex.EncodeToString(hash[:])
	}
	return nil
}

// sequence is the number of a message in a FIFO queue: 20 digits, of which those of later messages are larger (API_SendMessage).
func sequence(q *queue.Queue, m *queue.Message) *string {
	if !q.FIFO {
		return nil
	}
	return aws.String(sequenceOf(m))
}

// sequenceOf adds to the message's own number one that makes it as long as AWS's.
func sequenceOf(m *queue.Message) string {
	const base = 10_000_000_000_000_000_000
	return strconv.FormatUint(base+m.Number, 10)
}

// validContents tells whether a text has only the characters that messages may (API_SendMessage).
func validContents(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return true
}
