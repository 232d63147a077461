package sqs

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

func (s *Service) deleteMessage(ctx context.Context, c *service.Call, in *sdk.DeleteMessageInput) (*sdk.DeleteMessageOutput, error) {
	q, err := s.of(ctx, c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.ReceiptHandle) == "" {
		return nil, missing("ReceiptHandle")
	}
	each, err := s.deleteAll(ctx, q.Queue, []string{*in.ReceiptHandle})
	if err == nil && each[0] != nil {
		err = each[0]
	}
	return &sdk.DeleteMessageOutput{}, err
}

// parseAll reads handles. good are the indexes of those that are of this queue.
func parseAll(q *queue.Queue, texts []string) (handles []queue.Handle, good []int, each []*awserr.Error) {
	each = make([]*awserr.Error, len(texts))
	for i, text := range texts {
		h, err := q.ParseHandle(text)
		if err != nil {
			each[i] = forClient(err, text)
			continue
		}
		handles, good = append(handles, h), append(good, i)
	}
	return handles, good, each
}

// onHandles does something with the messages of handles in one transaction. Each has its error; check, which may be nil, finds those that are
// asked for wrongly.
func (s *Service) onHandles(
	ctx context.Context, q *queue.Queue, texts []string, check func(i int) *awserr.Error,
	do func(tx store.Tx, handles []queue.Handle, asked []int) ([]error, error),
) ([]*awserr.Error, error) {
	handles, asked, each := parseAll(q, texts)
	if check != nil {
		parsed, of := handles, asked
		handles, asked = nil, nil
		for i, h := range parsed {
			if each[of[i]] = check(of[i]); each[of[i]] == nil {
				handles, asked = append(handles, h), append(asked, of[i])
			}
		}
	}
	if len(handles) == 0 {
		return each, nil
	}
	var results []error
	err := s.db.Update(ctx, func(tx store.Tx) (err error) {
		results, err = do(tx, handles, asked)
		return err
	})
	if err != nil {
		return nil, answer(err, "")
	}
	for i, result := range results {
		each[asked[i]] = forClient(result, texts[asked[i]])
	}
	return each, nil
}

// deleteAll deletes messages by their handles. One that is not there, or was received again, is no error: it succeeds and deletes nothing
// (API_DeleteMessage).
func (s *Service) deleteAll(ctx context.Context, q *queue.Queue, texts []string) ([]*awserr.Error, error) {
	return s.onHandles(ctx, q, texts, nil, func(tx store.Tx, handles []queue.Handle, _ []int) ([]error, error) {
		results, err := queue.DeleteMessages(tx, q, s.now(), handles...)
		for i, result := range results {
			if errors.Is(result, queue.ErrNoMessage) {
				results[i] = nil
			}
		}
		return results, err
	})
}
