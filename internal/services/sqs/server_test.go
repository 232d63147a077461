package sqs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/json"
	"github.com/licet/licet/internal/protocol/query"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/sqsapi"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// server is the service behind an SDK client that opens no connection. It permits everything, and notes what would be needed.
type server struct {
	*testing.T
	db      store.DB
	service service.Service
	sqs     *Service
	client  *sdk.Client
	call    service.Call

	mu    sync.Mutex
	time  time.Time
	needs []string
}

const account = "111111111111"

func newServer(t *testing.T) *server {
	api := sqsapi.API()
	s := &server{T: t, db: storetest.New(t), time: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), call: service.Call{
		Account: account, Region: "us-east-1", Partition: "aws", Service: "sqs", Host: "sqs.test",
	}}
	s.sqs = New(Config{
		DB: s.db, Room: func() bool { return true }, URL: func() string { return "http://server" }, Partition: "aws", Now: s.now,
		Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(s.sqs.Close)
	s.call.Caller.Account = account
	s.service = s.sqs.Definition(api, NewProtocols(json.New(api, json.Version10), query.New(api)))
	s.client = sdk.New(sdk.Options{
		Region: "us-east-1", HTTPClient: s, Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
		BaseEndpoint: aws.String("http://sqs.test"),
	})
	return s
}

func (s *server) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.time
}

// pass lets time pass.
func (s *server) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.time = s.time.Add(d)
}

// Do answers a request of the SDK's client.
func (s *server) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	codec := s.service.Codec.(protocol.Chooser).Choose(r)
	op, out, err := s.serve(codec, &protocol.Request{HTTP: r, Body: body})
	if err == nil {
		err = codec.Encode(w, op, out, "request")
	}
	if err != nil {
		if r.Context().Err() != nil {
			return nil, r.Context().Err()
		}
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok {
			s.Errorf("an error that is not for clients: %v", err)
			e = awserr.Internal(err)
		}
		codec.EncodeError(w, e, "request")
	}
	return w.Result(), nil
}

func (s *server) serve(codec protocol.Codec, r *protocol.Request) (*protocol.Operation, any, error) {
	op, err := codec.Operation(r)
	if err != nil {
		return nil, nil, err
	}
	in, err := codec.Decode(r, op)
	if err != nil {
		return nil, nil, err
	}
	c := s.call
	c.Operation, c.Time = op.Name, s.now()
	for _, row := range s.service.Operations {
		if row.Name == op.Name {
			out, err := s.run(r.HTTP.Context(), &c, row, in)
			return op, out, err
		}
	}
	return nil, nil, awserr.NotImplemented("sqs", op.Name)
}

func (s *server) run(ctx context.Context, c *service.Call, row service.Operation, in any) (any, error) {
	needs, err := row.Needs(ctx, c, in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.needs = nil
	for _, n := range needs {
		text := n.Action + " " + n.Target.ARN
		for _, name := range []string{"aws:ResourceTag/team", "aws:RequestTag/team", "aws:TagKeys"} {
			if v, ok := n.Target.Keys.Get(name); ok {
				text += fmt.Sprintf(" %s=%s", name, strings.Join(v.Values, ","))
			}
		}
		if n.Target.Policy != nil {
			text += " policy"
		}
		s.needs = append(s.needs, text)
	}
	s.mu.Unlock()
	return row.Handle(ctx, c, in)
}

// must gives the answer of a call that has to succeed.
func must[Out any](out *Out, err error) func(*server) *Out {
	return func(s *server) *Out {
		s.Helper()
		if err != nil {
			s.Fatal(err)
		}
		return out
	}
}

// fails checks the error of a call: its code in the query protocol, which clients see, its status and a part of its text.
func (s *server) fails(err error, status int, code, text string) {
	s.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), text) {
		s.Errorf("got %v, want %s: …%s…", err, code, text)
	}
	var answered interface{ HTTPStatusCode() int }
	if errors.As(err, &answered) && answered.HTTPStatusCode() != status {
		s.Errorf("status %d of %v, want %d", answered.HTTPStatusCode(), err, status)
	}
}

// create makes a queue and gives its URL.
func (s *server) create(name string, attributes ...string) *string {
	s.Helper()
	return must(s.client.CreateQueue(s.Context(), &sdk.CreateQueueInput{QueueName: &name, Attributes: pairs(attributes)}))(s).QueueUrl
}

func pairs(list []string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

func arnOf(name string) string { return "arn:aws:sqs:us-east-1:" + account + ":" + name }

// send sends messages of which each is its own body.
func (s *server) send(url *string, bodies ...string) {
	s.Helper()
	for _, body := range bodies {
		must(s.client.SendMessage(s.Context(), &sdk.SendMessageInput{QueueUrl: url, MessageBody: &body}))(s)
	}
}

// sendTo sends to a group of a FIFO queue.
func (s *server) sendTo(url *string, group string, bodies ...string) {
	s.Helper()
	for _, body := range bodies {
		must(s.client.SendMessage(s.Context(), &sdk.SendMessageInput{
			QueueUrl: url, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: &body,
		}))(s)
	}
}

// receive receives up to 10 messages, with all that they have.
func (s *server) receive(url *string, changes ...func(*sdk.ReceiveMessageInput)) []types.Message {
	s.Helper()
	in := &sdk.ReceiveMessageInput{
		QueueUrl: url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	}
	for _, change := range changes {
		change(in)
	}
	return must(s.client.ReceiveMessage(s.Context(), in))(s).Messages
}

func bodies(messages []types.Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, *m.Body)
	}
	return strings.Join(all, " ")
}

// gets checks what a receive gives.
func (s *server) gets(url *string, want string) []types.Message {
	s.Helper()
	got := s.receive(url)
	if bodies(got) != want {
		s.Errorf("received %q, want %q", bodies(got), want)
	}
	return got
}

func (s *server) remove(url *string, messages ...types.Message) {
	s.Helper()
	for _, m := range messages {
		must(s.client.DeleteMessage(s.Context(), &sdk.DeleteMessageInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle}))(s)
	}
}

func (s *server) attributes(url *string, names ...types.QueueAttributeName) map[string]string {
	s.Helper()
	return must(s.client.GetQueueAttributes(s.Context(), &sdk.GetQueueAttributesInput{QueueUrl: url, AttributeNames: names}))(s).Attributes
}

// counts checks how many messages can be received, are in flight and are delayed.
func (s *server) counts(url *string, want string) {
	s.Helper()
	a := s.attributes(url, "All")
	got := a["ApproximateNumberOfMessages"] + " " + a["ApproximateNumberOfMessagesNotVisible"] + " " + a["ApproximateNumberOfMessagesDelayed"]
	if got != want {
		s.Errorf("counts %s, want %s", got, want)
	}
}

// empty checks that nothing of a kind is left in the store.
func (s *server) empty(prefixes ...string) {
	s.Helper()
	for _, prefix := range prefixes {
		if err := s.db.View(s.Context(), func(r store.Reader) error {
			items, err := r.Scan(prefix, "", 0)
			for _, item := range items {
				s.Errorf("left in the store: %s", item.Key)
			}
			return err
		}); err != nil {
			s.Fatal(err)
		}
	}
}
