package logs

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/logs/pattern"
	"github.com/licet/licet/internal/store/storetest"
)

// benched is a service with a group of one stream, and a batch for it.
func benched(b *testing.B, events int) (*Service, *service.Call, *sdk.PutLogEventsInput) {
	s := New(Config{
		DB: storetest.New(b), Room: func() bool { return true }, Partition: "aws", Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	c := &service.Call{Time: now, Account: "111111111111", Region: "us-east-1", Partition: "aws"}
	g := aws.String("g")
	if _, err := s.createLogGroup(b.Context(), c, &sdk.CreateLogGroupInput{LogGroupName: g}); err != nil {
		b.Fatal(err)
	}
	if _, err := s.createLogStream(b.Context(), c, &sdk.CreateLogStreamInput{LogGroupName: g, LogStreamName: g}); err != nil {
		b.Fatal(err)
	}
	in := &sdk.PutLogEventsInput{LogGroupName: g, LogStreamName: g}
	for i := range events {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{
			Timestamp: at(int64(i)), Message: aws.String(fmt.Sprintf(`{"level": "INFO", "requestId": "%d", "message": "this and that", "latency": %d}`, i, i)),
		})
	}
	return s, c, in
}

func BenchmarkPutLogEvents(b *testing.B) {
	for _, events := range []int{1, 100, 5000} {
		b.Run(fmt.Sprint(events), func(b *testing.B) {
			s, c, in := benched(b, events)
			for b.Loop() {
				if _, err := s.putLogEvents(b.Context(), c, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFilterLogEvents(b *testing.B) {
	s, c, in := benched(b, 5000)
	for range 10 {
		if _, err := s.putLogEvents(b.Context(), c, in); err != nil {
			b.Fatal(err)
		}
	}
	for name, text := range map[string]string{"all": "", "term": "none", "regex": "%no+ne%", "JSON": "{ $.latency < 0 }"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := s.filterLogEvents(b.Context(), c, &sdk.FilterLogEventsInput{LogGroupName: in.LogGroupName, FilterPattern: &text})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	const message = `{"level": "INFO", "requestId": "1", "nested": {"a": [1, 2, {"b": "c"}]}, "message": "this and that", "latency": 5}`
	for _, text := range []string{"none -other", "%no+ne%", "[level, id = none, ...]", `{ $.latency > 9 && $.level = "ERR*" }`} {
		p, err := pattern.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(message)
			}
		})
	}
}
