package logs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
)

// tail begins a Live Tail session, and ends it.
func (s *server) tail(ctx context.Context, in sdk.StartLiveTailInput) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, err := s.client.StartLiveTail(ctx, &in)
	if err != nil {
		return err
	}
	return out.GetStream().Close()
}

func TestStartLiveTail(t *testing.T) {
	s := newServer(t)
	s.make("g", "s1", "s2")
	follow, stop := context.WithCancel(t.Context())
	followed := make(chan error, 1)
	go func() { followed <- s.logs.Follow(follow) }()
	defer func() {
		stop()
		if err := <-followed; err != nil {
			t.Error(err)
		}
	}()
	const arn = "arn:aws:logs:us-east-1:111111111111:log-group:g"
	out := must(s.client.StartLiveTail(t.Context(), &sdk.StartLiveTailInput{
		LogGroupIdentifiers: []string{arn}, LogStreamNamePrefixes: []string{"s1"}, LogEventFilterPattern: aws.String("1"),
	}))(s)
	events := out.GetStream()
	defer events.Close()
	start, ok := (<-events.Events()).(*types.StartLiveTailResponseStreamMemberSessionStart)
	if !ok || start.Value.LogGroupIdentifiers[0] != arn || *start.Value.LogEventFilterPattern != "1" || start.Value.LogStreamNames == nil {
		t.Fatalf("the first event is %+v", start)
	}
	s.put("g", "s1", 1, 2, 11)
	s.put("g", "s2", 12)
	var got []string
	for event := range events.Events() {
		update, ok := event.(*types.StartLiveTailResponseStreamMemberSessionUpdate)
		if !ok || update.Value.SessionMetadata.Sampled {
			t.Fatalf("event %+v", event)
		}
		for _, e := range update.Value.SessionResults {
			got = append(got, fmt.Sprint(*e.LogGroupIdentifier, *e.LogStreamName, *e.Message, *e.Timestamp-now.UnixMilli(), *e.IngestionTime-now.UnixMilli()))
		}
		if len(got) > 0 {
			s.logs.EndTails()
		}
	}
	if want := arn + "s111 0 " + arn + "s11111 0"; strings.Join(got, " ") != want {
		t.Errorf("events %v, want %s", got, want)
	}
	var end smithy.APIError
	if err := events.Err(); !errors.As(err, &end) || end.ErrorCode() != "SessionStreamingException" {
		t.Errorf("the session ends with %v", err)
	}
	s.call.Account = "222222222222"
	s.make("g")
	if err := s.tail(t.Context(), sdk.StartLiveTailInput{LogGroupIdentifiers: []string{strings.Replace(arn, "111111111111", "222222222222", 1)}}); err == nil {
		t.Error("a session begins when the server stops")
	}
}

func TestStartLiveTailErrors(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	const arn = "arn:aws:logs:us-east-1:111111111111:log-group:g"
	tail := func(in sdk.StartLiveTailInput) attempt {
		if in.LogGroupIdentifiers == nil {
			in.LogGroupIdentifiers = []string{arn}
		}
		return func(ctx context.Context) error { return s.tail(ctx, in) }
	}
	names := func(n int) []string { return strings.Split(strings.Repeat("s", n), "") }
	s.check([]refusal{
		{tail(sdk.StartLiveTailInput{}), "", ""},
		{tail(sdk.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}}), invalid, "must be ARNs"},
		{tail(sdk.StartLiveTailInput{LogGroupIdentifiers: []string{}}), invalid, "have length greater than or equal to 1"},
		{tail(sdk.StartLiveTailInput{LogGroupIdentifiers: []string{arn + ":*"}}), invalid, "regular expression pattern"},
		{tail(sdk.StartLiveTailInput{LogGroupIdentifiers: []string{arn + "2"}}), notFound, "log group"},
		{tail(sdk.StartLiveTailInput{LogGroupIdentifiers: strings.Split(strings.Repeat(arn+" ", 11), " ")[:11]}), invalid, "less than or equal to 10"},
		{tail(sdk.StartLiveTailInput{LogStreamNames: names(11)}), invalid, "less than or equal to 10"},
		{tail(sdk.StartLiveTailInput{LogStreamNames: names(1), LogStreamNamePrefixes: names(1)}), invalid, "mutually exclusive"},
		{tail(sdk.StartLiveTailInput{LogGroupIdentifiers: []string{arn, arn}, LogStreamNames: names(1)}), invalid, "one log group only"},
		{tail(sdk.StartLiveTailInput{LogEventFilterPattern: aws.String("a:")}), invalid, "Invalid filter pattern: Invalid character(s) in term ':'"},
	})
}
