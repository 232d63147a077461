package sqs

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/services/lambda/mapping/poll"
	"github.com/licet/licet/internal/services/lambda/request"
)

// large is a FIFO queue with two messages that are too large for one invocation, and a function that reports the first as failed.
type large struct {
	deleted chan int

	mu       sync.Mutex
	received bool
	calls    int
}

func (l *large) Enabled(context.Context) (map[string]poll.Mapping, error) {
	return map[string]poll.Mapping{"key": {
		Function: request.Function{Account: "111122223333", Region: "us-east-1", Name: "f"}, Service: "sqs",
		Config: lambdatypes.EventSourceMappingConfiguration{
			EventSourceArn: aws.String("arn:aws:sqs:us-east-1:111122223333:q.fifo"), EventSourceMappingArn: aws.String("arn"), BatchSize: aws.Int32(2),
			FunctionResponseTypes: []lambdatypes.FunctionResponseType{lambdatypes.FunctionResponseTypeReportBatchItemFailures},
		},
	}}, nil
}

func (l *large) Poll(context.Context, string) (m poll.Mapping, ok bool, err error) {
	return m, false, nil
}
func (l *large) SetResult(context.Context, string, string) error { return nil }
func (l *large) Watch(func([]string)) (stop func())              { return func() {} }
func (l *large) Key(string) bool                                 { return false }

func (l *large) AsRole(ctx context.Context, _ poll.Role, _, operation string, in any) (any, error) {
	if operation == "DeleteMessageBatch" {
		l.deleted <- len(in.(*sdk.DeleteMessageBatchInput).Entries)
		return &sdk.DeleteMessageBatchOutput{}, nil
	}
	l.mu.Lock()
	before := l.received
	l.received = true
	l.mu.Unlock()
	if before {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	body := aws.String(strings.Repeat("x", maxPayload*2/3))
	return &sdk.ReceiveMessageOutput{Messages: []types.Message{
		{MessageId: aws.String("first"), Body: body}, {MessageId: aws.String("second"), Body: body},
	}}, nil
}

func (l *large) Invoke(context.Context, poll.Event) (poll.Answer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if l.calls == 1 {
		return poll.Answer{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"first"}]}`)}, nil
	}
	return poll.Answer{}, nil
}

// What follows a message that failed waits with it, also when the two do not fit into one invocation.
func TestOrderOverParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &large{deleted: make(chan int, 10)}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		room := poll.New(poll.Config{
			Lead:     func(ctx context.Context, _ string, work func(context.Context) error) error { return work(ctx) },
			Mappings: l, RoleOf: func(context.Context, request.Function) (string, error) { return "role", nil },
			Merge: func([]string) string { return "" }, Doors: l, Sources: map[string]poll.Source{"sqs": Run}, Logger: slog.New(slog.DiscardHandler),
		})
		if err := room.Run(ctx); err != nil {
			t.Fatal(err)
		}
		close(l.deleted)
		for n := range l.deleted {
			t.Errorf("%d messages were deleted", n)
		}
		if l.calls != 1 {
			t.Errorf("the function was called %d times", l.calls)
		}
	})
}
