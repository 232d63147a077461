package logs

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/services/logs/subscription"
	"github.com/licet/licet/internal/store"
)

const someFunction = "arn:aws:lambda:us-east-1:111111111111:function:f"

// functions are functions that note what they get, or fail.
type functions struct {
	err  error
	to   []Destination
	got  []subscription.Message
	size []int
}

func (f *functions) Check(_ context.Context, to Destination) error {
	f.to = append(f.to, to)
	return f.err
}

func (f *functions) Call(_ context.Context, to Destination, payload []byte) error {
	if f.err != nil {
		return f.err
	}
	var in struct {
		AWSLogs struct{ Data []byte } `json:"awslogs"`
	}
	if err := json.Unmarshal(payload, &in); err != nil {
		return err
	}
	z, err := gzip.NewReader(bytes.NewReader(in.AWSLogs.Data))
	if err != nil {
		return err
	}
	var m subscription.Message
	if err := json.NewDecoder(z).Decode(&m); err != nil {
		return err
	}
	f.to, f.got, f.size = append(f.to, to), append(f.got, m), append(f.size, len(payload))
	return nil
}

// texts are the messages of each call so far, which it forgets.
func (f *functions) texts() string {
	var calls []string
	for _, m := range f.got {
		var texts []string
		for _, e := range m.Events {
			texts = append(texts, e.Message)
		}
		calls = append(calls, m.Stream+":"+strings.Join(texts, " "))
	}
	f.got = nil
	return strings.Join(calls, "|")
}

func (s *server) subscribe(group, name, pattern string) error {
	_, err := s.client.PutSubscriptionFilter(s.Context(), &sdk.PutSubscriptionFilterInput{
		LogGroupName: &group, FilterName: &name, FilterPattern: &pattern, DestinationArn: aws.String(someFunction),
	})
	return err
}

// rounds is a Deliver that runs when it is told to.
func (s *server) rounds() func() time.Duration {
	d := &delivery{Service: s.logs, pauses: make(map[string]pause)}
	return func() time.Duration {
		s.Helper()
		next, err := d.round(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		return next
	}
}

func TestSubscriptionFilters(t *testing.T) {
	s := newServer(t)
	s.make("g")
	for _, name := range []string{"b", "a/1", "a"} {
		if err := s.subscribe("g", name, "x"); err != nil {
			t.Fatal(err)
		}
	}
	want := []Destination{{Function: someFunction, Account: "111111111111", Region: "us-east-1", Source: "arn:aws:logs:us-east-1:111111111111:log-group:g:*"}}
	if diff := cmp.Diff(want, s.functions.to[:1]); diff != "" {
		t.Errorf("checked (-want +got):\n%s", diff)
	}
	s.call.Time = now.Add(time.Second)
	if err := s.subscribe("g", "a", "y"); err != nil {
		t.Fatal(err)
	}
	describe := func(in sdk.DescribeSubscriptionFiltersInput) string {
		in.LogGroupName = aws.String("g")
		return s.pages(func(token *string) (string, *string) {
			in.NextToken = token
			out := must(s.client.DescribeSubscriptionFilters(t.Context(), &in))(s)
			var names []string
			for _, f := range out.SubscriptionFilters {
				names = append(names, *f.FilterName)
			}
			return strings.Join(names, " "), out.NextToken
		})
	}
	if got := describe(sdk.DescribeSubscriptionFiltersInput{Limit: aws.Int32(2)}); got != "a a/1|b" {
		t.Errorf("filters: %s", got)
	}
	if got := describe(sdk.DescribeSubscriptionFiltersInput{FilterNamePrefix: aws.String("a")}); got != "a a/1" {
		t.Errorf("filters with a prefix: %s", got)
	}
	out := must(s.client.DescribeSubscriptionFilters(t.Context(), &sdk.DescribeSubscriptionFiltersInput{LogGroupName: aws.String("g")}))(s)
	filter := types.SubscriptionFilter{
		FilterName: aws.String("a"), FilterPattern: aws.String("y"), LogGroupName: aws.String("g"), DestinationArn: aws.String(someFunction),
		Distribution: types.DistributionByLogStream, CreationTime: at(0),
	}
	if diff := cmp.Diff(filter, out.SubscriptionFilters[0], cmpopts.IgnoreUnexported(filter)); diff != "" {
		t.Errorf("filter (-want +got):\n%s", diff)
	}
	remove := func() error {
		in := &sdk.DeleteSubscriptionFilterInput{LogGroupName: aws.String("g"), FilterName: aws.String("a")}
		_, err := s.client.DeleteSubscriptionFilter(t.Context(), in)
		return err
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	s.fails(remove(), notFound, "The specified subscription filter does not exist.")
	for i := range maxSubscriptions - 2 {
		if err := s.subscribe("g", fmt.Sprint(i), ""); err != nil {
			t.Fatal(err)
		}
	}
	s.fails(s.subscribe("g", "z", ""), "LimitExceededException", "Resource limit exceeded.")
	if err := s.subscribe("g", "0", "changed"); err != nil {
		t.Errorf("a filter of a group that has as many as it may: %v", err)
	}
}

func TestSubscriptionFilterErrors(t *testing.T) {
	s := newServer(t)
	s.make("/aws/lambda/f")
	s.make("g")
	put := func(change func(*sdk.PutSubscriptionFilterInput)) attempt {
		in := sdk.PutSubscriptionFilterInput{
			LogGroupName: aws.String("g"), FilterName: aws.String("n"), FilterPattern: aws.String(""), DestinationArn: aws.String(someFunction),
		}
		change(&in)
		return do(s.client.PutSubscriptionFilter, in)
	}
	to := func(arn string) attempt {
		return put(func(in *sdk.PutSubscriptionFilterInput) { in.DestinationArn = &arn })
	}
	const notExecutable = "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function."
	s.check([]refusal{
		{put(func(in *sdk.PutSubscriptionFilterInput) { in.LogGroupName = aws.String("none") }), notFound, "log group"},
		{put(func(in *sdk.PutSubscriptionFilterInput) { in.FilterPattern = aws.String("(") }), invalid, "Invalid character(s) in term '('"},
		{put(func(in *sdk.PutSubscriptionFilterInput) { in.Distribution = "x" }), invalid, "enum value set: [Random, ByLogStream]"},
		{put(func(in *sdk.PutSubscriptionFilterInput) { in.RoleArn = aws.String("arn:aws:iam::111111111111:role/r") }), invalid,
			"destinationArn for vendor lambda cannot be used with roleArn"},
		{put(func(in *sdk.PutSubscriptionFilterInput) { in.LogGroupName = aws.String("/aws/lambda/f") }), invalid,
			"The log group provided is reserved for the function logs of the destination function."},
		{put(func(in *sdk.PutSubscriptionFilterInput) { in.ApplyOnTransformedLogs = true }), notYet, "applyOnTransformedLogs"},
		{put(func(in *sdk.PutSubscriptionFilterInput) { in.EmitSystemFields = []string{"@aws.region"} }), notYet, "emitSystemFields"},
		{to("f"), invalid, "Invalid destinationArn"},
		{to("arn:aws:sns:us-east-1:111111111111:t"), invalid, "PutSubscriptionFilter operation cannot work with destinationArn for vendor sns"},
		{to("arn:aws:kinesis:us-east-1:111111111111:stream/s"), notYet, "kinesis"},
		{to("arn:aws:firehose:us-east-1:111111111111:deliverystream/s"), notYet, "firehose"},
		{to("arn:aws:lambda:us-east-1:222222222222:function:f"), invalid, notExecutable},
		{to(someFunction + ":alias"), "", ""},
	})
	s.functions.err = fmt.Errorf("%w: no", ErrRefused)
	s.fails(s.subscribe("g", "n", ""), invalid, notExecutable)
}

func TestDeliver(t *testing.T) {
	s := newServer(t)
	s.make("g", "s", "s2")
	if err := s.subscribe("g", "n", "[level = ERROR, word]"); err != nil {
		t.Fatal(err)
	}
	s.functions.to = nil
	s.say("g", "s", "ERROR a", "INFO b", "ERROR c")
	s.say("g", "s", "INFO d")
	round := s.rounds()
	if next := round(); next != idle {
		t.Errorf("back in %v", next)
	}
	events := must(s.client.FilterLogEvents(t.Context(), &sdk.FilterLogEventsInput{LogGroupName: aws.String("g")}))(s).Events
	event := func(i int, word string) subscription.Event {
		return subscription.Event{
			ID: *events[i].EventId, Timestamp: now.UnixMilli(), Message: "ERROR " + word, Fields: map[string]string{"level": "ERROR", "word": word},
		}
	}
	want := []subscription.Message{{
		Type: "DATA_MESSAGE", Owner: "111111111111", Group: "g", Stream: "s", Filters: []string{"n"},
		Events: []subscription.Event{event(0, "a"), event(2, "c")},
	}}
	if diff := cmp.Diff(want, s.functions.got); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
	if to := s.functions.to[0]; to.Function != someFunction || to.Account != "111111111111" || to.Source != "arn:aws:logs:us-east-1:111111111111:log-group:g:*" {
		t.Errorf("delivered to %+v", to)
	}
	s.functions.texts()
	round()
	s.say("g", "s2", "ERROR e")
	s.say("g", "s", "ERROR f")
	s.say("g", "s", "ERROR g")
	round()
	if got := s.functions.texts(); got != "s2:ERROR e|s:ERROR f ERROR g" {
		t.Errorf("delivered %s", got)
	}
}

// say puts events with messages at the present.
func (s *server) say(group, stream string, messages ...string) {
	s.Helper()
	in := &sdk.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream}
	for _, m := range messages {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Timestamp: aws.Int64(s.call.Time.UnixMilli()), Message: &m})
	}
	must(s.client.PutLogEvents(s.Context(), in))(s)
}

// A failure is tried again, a refusal is not: what came until the function is called again is dropped.
func TestDeliverFailures(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	if err := s.subscribe("g", "n", ""); err != nil {
		t.Fatal(err)
	}
	round := s.rounds()
	s.functions.err = errors.New("busy")
	s.say("g", "s", "a")
	if next := round(); next != failedPause {
		t.Errorf("after a failure back in %v", next)
	}
	s.functions.err = nil
	if round(); s.functions.texts() != "" {
		t.Error("tried again at once")
	}
	s.call.Time = s.call.Time.Add(failedPause)
	if round(); s.functions.texts() != "s:a" {
		t.Error("not tried again")
	}

	s.functions.err = fmt.Errorf("%w: gone", ErrRefused)
	s.say("g", "s", "b")
	round()
	s.functions.err = nil
	s.say("g", "s", "c")
	if next := round(); next != refusedPause || s.functions.texts() != "" {
		t.Errorf("after a refusal back in %v", next)
	}
	s.call.Time = s.call.Time.Add(refusedPause)
	round()
	s.say("g", "s", "d")
	round()
	if got := s.functions.texts(); got != "s:d" {
		t.Errorf("after the pause: %s", got)
	}

	s.functions.err = errors.New("busy")
	s.say("g", "s", "e")
	round()
	s.functions.err = nil
	s.call.Time = s.call.Time.Add(deliveryLife + time.Second)
	s.say("g", "s", "f")
	round()
	if got := s.functions.texts(); got != "s:f" {
		t.Errorf("a day later: %s", got)
	}
}

// What waits goes with what it waits for.
func TestDeliverToNobody(t *testing.T) {
	s := newServer(t)
	s.make("g", "s", "s2")
	s.make("h", "s")
	for _, group := range []string{"g", "h"} {
		if err := s.subscribe(group, "n", ""); err != nil {
			t.Fatal(err)
		}
	}
	s.say("g", "s", "a")
	s.say("g", "s2", "b")
	s.say("h", "s", "c")
	in := &sdk.DeleteLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s")}
	must(s.client.DeleteLogStream(t.Context(), in))(s)
	must(s.client.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: aws.String("h")}))(s)
	s.make("h", "s")
	s.rounds()()
	if got := s.functions.texts(); got != "s2:b" {
		t.Errorf("delivered %s", got)
	}
}

// A line that cannot be read keeps no other waiting.
func TestDeliverDamaged(t *testing.T) {
	s := newServer(t)
	for _, group := range []string{"g", "h"} {
		s.make(group, "s")
		if err := s.subscribe(group, "n", ""); err != nil {
			t.Fatal(err)
		}
		s.say(group, "s", group)
	}
	if err := s.logs.db.Update(t.Context(), func(tx store.Tx) error {
		items, err := tx.Scan("logs/event/", "", 1)
		if err != nil {
			return err
		}
		return tx.Put(items[0].Key, []byte{0xff})
	}); err != nil {
		t.Fatal(err)
	}
	round := s.rounds()
	if next := round(); next != failedPause || s.functions.texts() != "s:h" {
		t.Errorf("back in %v, and the other line was not delivered", next)
	}
}

// However large events are, no payload is larger than a function takes; an event that alone is too large is left out.
func TestDeliverSizes(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	if err := s.subscribe("g", "n", ""); err != nil {
		t.Fatal(err)
	}
	noise := func(n int) string {
		var b strings.Builder
		for x := uint64(1); b.Len() < n; x = x*6364136223846793005 + 1442695040888963407 {
			b.WriteByte(byte('!' + x>>57%90))
		}
		return b.String()
	}
	lines := slices.Repeat([]string{noise(1000)[:900] + "x"}, 1000)
	for i := range lines {
		lines[i] = fmt.Sprint(i) + noise(1000)[i%50:]
	}
	s.say("g", "s", lines...)
	s.say("g", "s", noise(1<<20-eventOverhead))
	s.say("g", "s", "last")
	s.rounds()()
	events := 0
	for i, m := range s.functions.got {
		events += len(m.Events)
		if s.functions.size[i] > subscription.MaxPayload {
			t.Errorf("payload of %d bytes", s.functions.size[i])
		}
	}
	if events < len(lines)+1 {
		t.Errorf("%d events were delivered, want %d at least", events, len(lines)+1)
	}
}

// Deliver is woken by events, and ends with its context.
func TestDeliverRuns(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	if err := s.subscribe("g", "n", ""); err != nil {
		t.Fatal(err)
	}
	called := make(chan string, 1)
	s.logs.functions = calls(called)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.logs.Deliver(ctx) }()
	for range 3 {
		s.say("g", "s", "a")
		if got := <-called; got != someFunction {
			t.Errorf("called %s", got)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// calls tells of the functions that are called.
type calls chan string

func (c calls) Check(context.Context, Destination) error { return nil }

func (c calls) Call(_ context.Context, to Destination, _ []byte) error {
	c <- to.Function
	return nil
}
