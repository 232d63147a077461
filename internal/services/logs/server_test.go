package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/json"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/logs/logsapi"
	"github.com/licet/licet/internal/store/storetest"
)

// server is the service behind an SDK client that opens no connection. It permits everything, and notes what would be needed.
type server struct {
	*testing.T
	service service.Service
	logs    *Service
	client  *sdk.Client
	call    service.Call
	needs   []string
	// functions are those that subscription filters call.
	functions *functions
}

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// at is a time in milliseconds, some after now.
func at(ms int64) *int64 { return aws.Int64(now.UnixMilli() + ms) }

func newServer(t *testing.T) *server {
	api := logsapi.API()
	s := &server{T: t, functions: &functions{}, call: service.Call{
		Time: now, Account: "111111111111", Region: "us-east-1", Partition: "aws", Service: "logs",
	}}
	s.logs = New(Config{
		DB: storetest.New(t), Room: func() bool { return true }, Functions: s.functions, Partition: "aws",
		Now: func() time.Time { return s.call.Time }, Logger: slog.New(slog.DiscardHandler),
	})
	s.call.Caller.Account = s.call.Account
	s.service = s.logs.Definition(api, json.New(api, json.Version11))
	s.client = sdk.New(sdk.Options{
		Region: "us-east-1", HTTPClient: s, Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
		BaseEndpoint: aws.String("http://logs.test"),
	})
	return s
}

// Do answers a request of the SDK's client.
func (s *server) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	op, out, err := s.serve(&protocol.Request{HTTP: r, Body: body})
	if stream, ok := out.(*protocol.Stream); ok && err == nil {
		return s.stream(r.Context(), op, stream), nil
	}
	if err == nil {
		err = s.service.Codec.Encode(w, op, out, "request")
	}
	if err != nil {
		var e *awserr.Error
		if !errors.As(err, &e) {
			s.Errorf("an error that is not for clients: %v", err)
			e = awserr.Internal(err)
		}
		s.service.Codec.EncodeError(w, e, "request")
	}
	return w.Result(), nil
}

// stream answers with events.
func (s *server) stream(ctx context.Context, op *protocol.Operation, stream *protocol.Stream) *http.Response {
	r, w := io.Pipe()
	answer := pipe{ResponseRecorder: httptest.NewRecorder(), w: w}
	go func() {
		err := s.service.Codec.(protocol.StreamCodec).EncodeHead(answer, op, stream.Output, "request")
		if err == nil {
			events := protocol.NewEvents(answer, func() error { return nil })
			var e *awserr.Error
			if err = stream.Send(ctx, events); errors.As(err, &e) {
				err = events.Fail(e)
			}
		}
		w.CloseWithError(err)
	}()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: r}
}

// pipe is an answer that is read while it is written.
type pipe struct {
	*httptest.ResponseRecorder
	w *io.PipeWriter
}

func (p pipe) Write(b []byte) (int, error) { return p.w.Write(b) }

// serve gives the operation that is asked for, and its output.
func (s *server) serve(r *protocol.Request) (*protocol.Operation, any, error) {
	op, err := s.service.Codec.Operation(r)
	if err != nil {
		return nil, nil, err
	}
	in, err := s.service.Codec.Decode(r, op)
	if err != nil {
		return nil, nil, err
	}
	c := s.call
	c.Operation = op.Name
	for _, row := range s.service.Operations {
		if row.Name != op.Name {
			continue
		}
		needs, err := row.Needs(r.HTTP.Context(), &c, in)
		if err != nil {
			return nil, nil, err
		}
		s.needs = nil
		for _, n := range needs {
			s.needs = append(s.needs, n.Action+" "+n.Target.ARN+keysText(n))
		}
		out, err := row.Handle(r.HTTP.Context(), &c, in)
		return op, out, err
	}
	return nil, nil, awserr.NotImplemented("logs", op.Name)
}

func keysText(n service.Need) string {
	var b strings.Builder
	for _, name := range []string{"aws:ResourceTag/team", "aws:RequestTag/team", "aws:TagKeys"} {
		if v, ok := n.Target.Keys.Get(name); ok {
			fmt.Fprintf(&b, " %s=%s", name, strings.Join(v.Values, ","))
		}
	}
	return b.String()
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

// fails checks the error of a call: its code and a part of its text.
func (s *server) fails(err error, code, text string) {
	s.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), text) {
		s.Errorf("got %v, want %s: …%s…", err, code, text)
	}
	want := http.StatusBadRequest
	if code == "NotImplemented" {
		want = http.StatusNotImplemented
	}
	var status interface{ HTTPStatusCode() int }
	if errors.As(err, &status) && status.HTTPStatusCode() != want {
		s.Errorf("status %d of %v, want %d", status.HTTPStatusCode(), err, want)
	}
}

func (s *server) createStream(group, stream string) error {
	_, err := s.client.CreateLogStream(s.Context(), &sdk.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &stream})
	return err
}

// make makes a group with streams.
func (s *server) make(group string, streams ...string) {
	s.Helper()
	must(s.client.CreateLogGroup(s.Context(), &sdk.CreateLogGroupInput{LogGroupName: &group}))(s)
	for _, st := range streams {
		if err := s.createStream(group, st); err != nil {
			s.Fatal(err)
		}
	}
}

func (s *server) retain(group string, days int32) error {
	_, err := s.client.PutRetentionPolicy(s.Context(), &sdk.PutRetentionPolicyInput{LogGroupName: &group, RetentionInDays: &days})
	return err
}

// put puts events at some milliseconds after now, whose messages say which.
func (s *server) put(group, stream string, times ...int64) *sdk.PutLogEventsOutput {
	s.Helper()
	in := &sdk.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream}
	for _, ms := range times {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Timestamp: at(ms), Message: aws.String(fmt.Sprint(ms))})
	}
	return must(s.client.PutLogEvents(s.Context(), in))(s)
}

// get gets events of stream s of group g as one text, and the tokens.
func (s *server) get(in sdk.GetLogEventsInput) (text, backward, forward string) {
	s.Helper()
	in.LogGroupName, in.LogStreamName = aws.String("g"), aws.String("s")
	out := must(s.client.GetLogEvents(s.Context(), &in))(s)
	var list []string
	for _, e := range out.Events {
		list = append(list, *e.Message)
	}
	return strings.Join(list, " "), *out.NextBackwardToken, *out.NextForwardToken
}

// filter gets events of group g as one text, with their streams, and the token.
func (s *server) filter(in sdk.FilterLogEventsInput) (text string, token *string) {
	s.Helper()
	in.LogGroupName = aws.String("g")
	out := must(s.client.FilterLogEvents(s.Context(), &in))(s)
	var list []string
	for _, e := range out.Events {
		list = append(list, *e.LogStreamName+":"+*e.Message)
	}
	return strings.Join(list, " "), out.NextToken
}

// pages joins the texts of pages until there is no further token.
func (s *server) pages(next func(token *string) (text string, further *string)) string {
	s.Helper()
	var texts []string
	var token *string
	for range 200 {
		var text string
		text, token = next(token)
		texts = append(texts, text)
		if token == nil {
			return strings.Join(texts, "|")
		}
	}
	s.Fatal("pages without end")
	return ""
}
