package logs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestGetLogEvents(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	text, _, forward := s.get(sdk.GetLogEventsInput{})
	if text != "" {
		t.Errorf("events of an empty stream: %s", text)
	}
	s.put("g", "s", 1, 2, 3, 4, 5)
	type input = sdk.GetLogEventsInput
	for _, test := range []struct {
		name string
		in   input
		want string
	}{
		{"since the stream was empty", input{NextToken: &forward, StartFromHead: aws.Bool(true)}, "1 2 3 4 5"},
		{"all", input{}, "1 2 3 4 5"},
		{"newest", input{Limit: aws.Int32(2)}, "4 5"},
		{"oldest", input{Limit: aws.Int32(2), StartFromHead: aws.Bool(true)}, "1 2"},
		{"start is in, end is not", input{StartTime: at(2), EndTime: at(4)}, "2 3"},
		{"newest in a range", input{StartTime: at(2), EndTime: at(5), Limit: aws.Int32(2)}, "3 4"},
		{"empty range", input{StartTime: at(9)}, ""},
	} {
		if got, _, _ := s.get(test.in); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestGetLogEventsTokens(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	s.put("g", "s", 1, 2, 3, 4, 5)
	head, limit := aws.Bool(true), aws.Int32(2)
	_, backward, forward := s.get(sdk.GetLogEventsInput{Limit: limit})
	for _, want := range []string{"2 3", "1", "", ""} {
		before := backward
		var text string
		text, backward, _ = s.get(sdk.GetLogEventsInput{Limit: limit, NextToken: &backward})
		if text != want || text == "" && backward != before {
			t.Errorf("backward: %q with token %s, want %q, and at the end the token sent, %s", text, backward, want, before)
		}
	}
	_, _, again := s.get(sdk.GetLogEventsInput{NextToken: &forward, StartFromHead: head})
	if again != forward {
		t.Errorf("forward at the end: token %s, want the one sent, %s", again, forward)
	}
	s.put("g", "s", 6, 7, 8)
	for _, want := range []string{"6 7", "8", ""} {
		var text string
		text, _, forward = s.get(sdk.GetLogEventsInput{Limit: limit, NextToken: &forward, StartFromHead: head})
		if text != want {
			t.Errorf("forward: %q, want %q", text, want)
		}
	}
	s.put("g", "s", 0, 9) // an event that comes late has its place by its time
	if got, _, _ := s.get(sdk.GetLogEventsInput{}); got != "0 1 2 3 4 5 6 7 8 9" {
		t.Errorf("all: %s", got)
	}
}

func TestPageBytes(t *testing.T) {
	s := newServer(t)
	s.make("g", "s", "s2")
	large := strings.Repeat("x", 400<<10)
	for i, st := range []string{"s", "s2", "s", "s2", "s"} {
		must(s.client.PutLogEvents(t.Context(), &sdk.PutLogEventsInput{
			LogGroupName: aws.String("g"), LogStreamName: &st,
			LogEvents: []types.InputLogEvent{{Timestamp: at(int64(i)), Message: aws.String(fmt.Sprint(i) + large)}},
		}))(s)
	}
	text, _, _ := s.get(sdk.GetLogEventsInput{})
	if got := strings.ReplaceAll(text, large, ""); got != "2 4" {
		t.Errorf("newest in 1 MiB: %s, want events 2 and 4", got)
	}
	got := s.pages(func(token *string) (string, *string) { return s.filter(sdk.FilterLogEventsInput{NextToken: token}) })
	if got := strings.ReplaceAll(got, large, ""); got != "s:0 s2:1|s:2 s2:3|s:4" {
		t.Errorf("pages of 1 MiB: %s", got)
	}
}

func TestFilterLogEvents(t *testing.T) {
	s := newServer(t)
	s.make("g", "a1", "a2", "b")
	s.put("g", "a1", 1, 4, 7)
	s.put("g", "a2", 2, 5, 8)
	s.put("g", "b", 3, 4, 9)
	type input = sdk.FilterLogEventsInput
	for _, test := range []struct {
		name string
		in   input
		want string
	}{
		{"all", input{}, "a1:1 a2:2 b:3 a1:4 b:4 a2:5 a1:7 a2:8 b:9"},
		{"pages", input{Limit: aws.Int32(4)}, "a1:1 a2:2 b:3 a1:4|b:4 a2:5 a1:7 a2:8|b:9"},
		{"full pages", input{Limit: aws.Int32(3)}, "a1:1 a2:2 b:3|a1:4 b:4 a2:5|a1:7 a2:8 b:9"},
		{"prefix", input{LogStreamNamePrefix: aws.String("a"), Limit: aws.Int32(4)}, "a1:1 a2:2 a1:4 a2:5|a1:7 a2:8"},
		{"names", input{LogStreamNames: []string{"b", "a1"}}, "a1:1 b:3 a1:4 b:4 a1:7 b:9"},
		{"a name twice", input{LogStreamNames: []string{"b", "b"}}, "b:3 b:4 b:9"},
		{"times, both included", input{StartTime: at(3), EndTime: at(7)}, "b:3 a1:4 b:4 a2:5 a1:7"},
		{"from the end", input{StartTime: at(2), StartFromHead: aws.Bool(false), Limit: aws.Int32(5)},
			"b:9 a2:8 a1:7 a2:5 b:4|a1:4 b:3 a2:2"},
		{"pattern", input{FilterPattern: aws.String("?4 ?9"), Limit: aws.Int32(2)}, "a1:4 b:4|b:9"},
		{"pattern that nothing matches", input{FilterPattern: aws.String("x")}, ""},
		{"empty pattern", input{FilterPattern: aws.String(""), EndTime: at(1)}, "a1:1"},
	} {
		got := s.pages(func(token *string) (string, *string) {
			test.in.NextToken = token
			return s.filter(test.in)
		})
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestPutLogEventsRejects(t *testing.T) {
	const day = 24 * 3600 * 1000
	type info = types.RejectedLogEventsInfo
	for _, test := range []struct {
		name      string
		retention int32
		at        []int64
		want      *info
		kept      string
	}{
		{"none", 0, []int64{-14 * day, -14*day + 5}, nil, "-1209600000 -1209599995"},
		{"too old", 0, []int64{-14*day - 2, -14*day - 1, -14 * day}, &info{TooOldLogEventEndIndex: aws.Int32(2)}, "-1209600000"},
		{"too new", 0, []int64{1, 7200_000, 7200_001, 7200_002}, &info{TooNewLogEventStartIndex: aws.Int32(2)}, "1 7200000"},
		{"expired", 1, []int64{-day - 1, -day, 0}, &info{ExpiredLogEventEndIndex: aws.Int32(1)}, "-86400000 0"},
		{"all kinds", 3, []int64{-15 * day, -4 * day, 0, 8000_000}, &info{
			TooOldLogEventEndIndex: aws.Int32(1), ExpiredLogEventEndIndex: aws.Int32(2), TooNewLogEventStartIndex: aws.Int32(3),
		}, "0"},
		{"all", 0, []int64{-20 * day}, &info{TooOldLogEventEndIndex: aws.Int32(1)}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			s.make("g", "s")
			if test.retention > 0 {
				if err := s.retain("g", test.retention); err != nil {
					t.Fatal(err)
				}
			}
			got := s.put("g", "s", test.at...).RejectedLogEventsInfo
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreUnexported(info{})); diff != "" {
				t.Errorf("rejected (-want +got):\n%s", diff)
			}
			if got, _, _ := s.get(sdk.GetLogEventsInput{}); got != test.kept {
				t.Errorf("kept %s, want %s", got, test.kept)
			}
		})
	}
}

func TestRetention(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	s.make("forever", "s")
	const hour = 3600 * 1000
	s.put("g", "s", -30*hour, -25*hour)
	s.put("g", "s", -23*hour, -hour)
	s.put("forever", "s", -30*hour)
	if err := s.retain("g", 1); err != nil {
		t.Fatal(err)
	}
	const want = "-82800000 -3600000"
	if got, _, _ := s.get(sdk.GetLogEventsInput{}); got != want {
		t.Errorf("GetLogEvents: %s, want %s", got, want)
	}
	if got, _ := s.filter(sdk.FilterLogEventsInput{}); strings.ReplaceAll(got, "s:", "") != want {
		t.Errorf("FilterLogEvents: %s, want %s", got, want)
	}
	if err := s.logs.Expire(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	must(s.client.DeleteRetentionPolicy(t.Context(), &sdk.DeleteRetentionPolicyInput{LogGroupName: aws.String("g")}))(s)
	if got, _, _ := s.get(sdk.GetLogEventsInput{}); got != want {
		t.Errorf("after Expire there are %s, want %s", got, want)
	}
	out := must(s.client.FilterLogEvents(t.Context(), &sdk.FilterLogEventsInput{LogGroupName: aws.String("forever")}))(s)
	if len(out.Events) != 1 {
		t.Errorf("a group without retention has %d events after Expire, want 1", len(out.Events))
	}
}

// What expires is no longer counted, however much of it there is, and neither is what is deleted.
func TestStoredBytes(t *testing.T) {
	s := newServer(t)
	s.make("g", "s", "s2")
	const hour = 3600 * 1000
	stored := func() int64 {
		t.Helper()
		return *must(s.client.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{}))(s).LogGroups[0].StoredBytes
	}
	for i := range 3 * expirePage {
		s.put("g", "s", int64(i)-300*hour)
	}
	s.put("g", "s", 1000, 1001)
	s.put("g", "s2", 1002)
	size := func(messages ...string) (n int64) {
		for _, m := range messages {
			n += int64(len(m) + eventOverhead)
		}
		return n
	}
	kept := size("1000", "1001", "1002")
	if got, want := stored(), kept+3*expirePage*size("-1079999999"); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
	if err := s.retain("g", 3); err != nil {
		t.Fatal(err)
	}
	if err := s.logs.Expire(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if got := stored(); got != kept {
		t.Errorf("%d bytes are left, want %d", got, kept)
	}
	streams := must(s.client.DescribeLogStreams(t.Context(), &sdk.DescribeLogStreamsInput{LogGroupName: aws.String("g")}))(s).LogStreams
	if got := *streams[0].FirstEventTimestamp; got != *at(1000) {
		t.Errorf("the first event is of %d, want %d", got, *at(1000))
	}
	must(s.client.DeleteLogStream(t.Context(), &sdk.DeleteLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s")}))(s)
	if got, want := stored(), size("1002"); got != want {
		t.Errorf("%d bytes after a stream is deleted, want %d", got, want)
	}
	if err := s.logs.Expire(t.Context(), now.Add(30*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := stored(); got != 0 {
		t.Errorf("%d bytes a month later", got)
	}
}

// TestNoRoom refuses events while the disk is nearly full, and takes them again.
func TestNoRoom(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	full := true
	s.logs.room = func() bool { return !full }
	in := &sdk.PutLogEventsInput{
		LogGroupName: aws.String("g"), LogStreamName: aws.String("s"),
		LogEvents: []types.InputLogEvent{{Timestamp: at(0), Message: aws.String("one")}},
	}
	var unavailable *types.ServiceUnavailableException
	if _, err := s.client.PutLogEvents(t.Context(), in); !errors.As(err, &unavailable) {
		t.Errorf("got %v, want ServiceUnavailableException", err)
	}
	full = false
	if _, err := s.client.PutLogEvents(t.Context(), in); err != nil {
		t.Error(err)
	}
}

// Whatever the bounds of a page, and whichever way it is read, the pages together are the events that the pattern means, once each
// and in order.
func TestPages(t *testing.T) {
	s := newServer(t)
	random := rand.New(rand.NewPCG(1, 2))
	var want []string
	s.make("g", "a", "b", "c")
	for range 30 {
		stream := string(rune('a' + random.IntN(3)))
		times := make([]int64, 1+random.IntN(5))
		for i := range times {
			times[i] = int64(random.IntN(200_000))
		}
		slices.Sort(times)
		s.put("g", stream, times...)
		for _, ms := range times {
			if strings.Contains(fmt.Sprint(ms), "7") {
				want = append(want, fmt.Sprintf("%06d", ms))
			}
		}
	}
	slices.Sort(want)
	for _, backward := range []bool{false, true} {
		for _, bounds := range [][2]int{{1, 1 << 20}, {3, 1 << 20}, {2, 100}, {100, 1}, {100, 200}, {100, 1 << 20}} {
			var got []string
			s.pages(func(token *string) (string, *string) {
				p := s.page(sdk.FilterLogEventsInput{
					FilterPattern: aws.String("7"), NextToken: token, StartFromHead: aws.Bool(!backward), StartTime: at(0),
				}, bounds[0], bounds[1])
				for _, e := range p.Events {
					got = append(got, fmt.Sprintf("%06s", *e.Message))
				}
				return "", p.NextToken
			})
			if backward {
				slices.Reverse(got)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("limit %d, patience %d, backward %v:\n%s", bounds[0], bounds[1], backward, diff)
			}
		}
	}
}

// page reads a page of group g with bounds of its own.
func (s *server) page(in sdk.FilterLogEventsInput, limit, patience int) *sdk.FilterLogEventsOutput {
	s.Helper()
	p, err := newFilterPage(&in)
	if err != nil {
		s.Fatal(err)
	}
	p.limit, p.patience = limit, patience
	in.LogGroupName = aws.String("g")
	if err := s.logs.readFilterPage(s.Context(), &s.call, byName(&s.call, in.LogGroupName), &in, p); err != nil {
		s.Fatal(err)
	}
	return filterOutput(p)
}
