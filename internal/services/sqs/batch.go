package sqs

import (
	"context"
	"errors"
	"net/http"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
)

const maxBatch = 10

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkEntries checks how many entries a batch has, and their ids. kind is how AWS's text calls them.
func checkEntries[E any](entries []E, kind string, id func(E) *string) error {
	if len(entries) == 0 {
		return awserr.New("EmptyBatchRequest", http.StatusBadRequest, "There should be at least one %s in the request.", kind)
	}
	if len(entries) > maxBatch {
		return awserr.New("TooManyEntriesInBatchRequest", http.StatusBadRequest,
			"Maximum number of entries per request are %d. You have sent %d.", maxBatch, len(entries))
	}
	seen := map[string]bool{}
	for _, e := range entries {
		text := aws.ToString(id(e))
		if !entryID.MatchString(text) {
			return awserr.New("InvalidBatchEntryId", http.StatusBadRequest,
				"A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[text] {
			return awserr.New("BatchEntryIdsNotDistinct", http.StatusBadRequest, "Id %s repeated.", text)
		}
		seen[text] = true
	}
	return nil
}

// failed is an entry's error. Its code is that of the query protocol, in both.
func failed(id *string, e *awserr.Error) types.BatchResultErrorEntry {
	code := e.Code
	if older, ok := entryCodes[code]; ok {
		code = older
	}
	return types.BatchResultErrorEntry{Id: id, Code: aws.String(code), Message: aws.String(e.Message), SenderFault: e.Sender()}
}

var entryCodes = map[string]string{
	"InvalidParameterValueException":    "InvalidParameterValue",
	"MissingRequiredParameterException": "MissingParameter",
	"UnsupportedOperation":              "AWS.SimpleQueueService.UnsupportedOperation",
}

func (s *Service) sendMessageBatch(
	ctx context.Context, c *service.Call, in *sdk.SendMessageBatchInput,
) (*sdk.SendMessageBatchOutput, error) {
	q, err := s.of(ctx, c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkEntries(in.Entries, "SendMessageBatchRequestEntry",
		func(e types.SendMessageBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	out := &sdk.SendMessageBatchOutput{Successful: []types.SendMessageBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}
	var drafts []*queue.Message
	total := 0
	for i := range in.Entries {
		e := &in.Entries[i]
		m, size, refused := s.message(c, q.Queue, e)
		total += size
		switch {
		case refused == nil:
			drafts = append(drafts, m)
			out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{
				Id: e.Id, MD5OfMessageBody: aws.String(digest(m.Body)), MD5OfMessageAttributes: attributesDigest(m.Attributes),
				MD5OfMessageSystemAttributes: traceDigest(e.MessageSystemAttributes),
			})
		case q.FIFO && (e.MessageGroupId == nil || e.MessageDeduplicationId == nil && !q.Deduplicate):
			return nil, refused // of the request, as recorded
		default:
			out.Failed = append(out.Failed, failed(e.Id, refused))
		}
	}
	if total > maxMessage {
		return nil, awserr.New("BatchRequestTooLong", http.StatusBadRequest,
			"Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessage, total)
	}
	if len(drafts) == 0 {
		return out, nil
	}
	sent, err := s.send(ctx, q.Queue, drafts)
	if err != nil {
		return nil, err
	}
	for i, m := range sent {
		out.Successful[i].MessageId, out.Successful[i].SequenceNumber = &m.ID, sequence(q.Queue, m)
	}
	return out, nil
}

func (s *Service) deleteMessageBatch(
	ctx context.Context, c *service.Call, in *sdk.DeleteMessageBatchInput,
) (*sdk.DeleteMessageBatchOutput, error) {
	q, err := s.of(ctx, c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkEntries(in.Entries, "DeleteMessageBatchRequestEntry",
		func(e types.DeleteMessageBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	texts := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		texts[i] = aws.ToString(e.ReceiptHandle)
	}
	each, err := s.deleteAll(ctx, q.Queue, texts)
	if err != nil {
		return nil, err
	}
	out := &sdk.DeleteMessageBatchOutput{Successful: []types.DeleteMessageBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}
	for i, refused := range each {
		if refused == nil {
			out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: in.Entries[i].Id})
		} else {
			out.Failed = append(out.Failed, failed(in.Entries[i].Id, refused))
		}
	}
	return out, nil
}

func (s *Service) changeMessageVisibilityBatch(
	ctx context.Context, c *service.Call, in *sdk.ChangeMessageVisibilityBatchInput,
) (*sdk.ChangeMessageVisibilityBatchOutput, error) {
	q, err := s.of(ctx, c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkEntries(in.Entries, "ChangeMessageVisibilityBatchRequestEntry",
		func(e types.ChangeMessageVisibilityBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	asked := make([]visibility, len(in.Entries))
	for i, e := range in.Entries {
		asked[i] = visibility{aws.ToString(e.ReceiptHandle), e.VisibilityTimeout}
	}
	each, err := s.changeAll(ctx, q.Queue, asked)
	if err != nil {
		return nil, err
	}
	out := &sdk.ChangeMessageVisibilityBatchOutput{
		Successful: []types.ChangeMessageVisibilityBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{},
	}
	for i, refused := range each {
		if refused == nil {
			out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: in.Entries[i].Id})
		} else {
			out.Failed = append(out.Failed, failed(in.Entries[i].Id, refused))
		}
	}
	return out, nil
}

// forClient gives an error of one handle as the client's.
func forClient(err error, handle string) *awserr.Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*awserr.Error](answer(err, handle)); ok {
		return e
	}
	return awserr.Internal(err)
}
