package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/services/lambda/mapping/filter"
)

func itemsOf(ids ...string) (all []item) {
	for _, id := range ids {
		all = append(all, item{message: types.Message{MessageId: aws.String(id)}, record: json.RawMessage(`{}`)})
	}
	return all
}

// The conditions are those of the page on error handling, but for the last, which is safer than to lose a message.
func TestFailures(t *testing.T) {
	for answer, want := range map[string]any{
		``: nil, `null`: nil, `{}`: nil, `{"batchItemFailures":null}`: nil, `{"batchItemFailures":[]}`: nil, `{"other":1}`: nil,
		`{"batchItemFailures":[{"itemIdentifier":"b"}]}`: "b",
		`{`: "all", `{"batchItemFailures":[{"itemIdentifier":""}]}`: "all", `{"batchItemFailures":[{"itemIdentifier":null}]}`: "all",
		`{"batchItemFailures":[{"id":"b"}]}`: "all", `{"batchItemFailures":[{"itemIdentifier":"c"}]}`: "all", `{"batchItemFailures":[null]}`: "all",
		`{"batchItemFailures":"b"}`: "all", `"text"`: "all", `[]`: "all", `{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":1}]}`: "all",
	} {
		failed, ok := failures([]byte(answer), itemsOf("a", "b"))
		switch {
		case want == "all" && ok, want != "all" && !ok, want == "b" && (len(failed) != 1 || !failed["b"]), want == nil && len(failed) > 0:
			t.Errorf("%s: got %v, %t", answer, failed, ok)
		}
	}
}

func TestParts(t *testing.T) {
	var all []item
	for _, size := range []int{maxPayload / 2, maxPayload / 3, maxPayload / 3, maxPayload + 1, 10} {
		all = append(all, item{record: json.RawMessage(strings.Repeat("x", size))})
	}
	var got []int
	for part := range parts(all) {
		got = append(got, len(part))
	}
	if diff := cmp.Diff(got, []int{2, 1, 1, 1}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, body string
		want          bool
	}{
		{`{"body":{"a":[1]}}`, `{"a":1}`, true},
		{`{"body":{"a":[1]}}`, `text`, false},
		{`{"body":["text"]}`, `text`, true},
		{`{"body":["text"]}`, `{"a":1}`, false},
		{`{"body":[{"prefix":"{"}]}`, `{"a":1}`, false},
		{`{"body":["5"]}`, `5`, true},
		{`{"eventSource":["aws:sqs"]}`, `text`, true},
		{`{"messageAttributes":{"kind":{"stringValue":["x"]}}}`, `text`, true},
	} {
		pattern, err := filter.Parse(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		q := &queue{filters: []*filter.Pattern{pattern}}
		text, err := json.Marshal(q.record(&types.Message{
			Body: &c.body, MessageAttributes: map[string]types.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String("x")}},
		}))
		if err != nil {
			t.Fatal(err)
		}
		if got := q.matches(text, c.body); got != c.want {
			t.Errorf("%s of %s: got %t", c.pattern, c.body, got)
		}
	}
}

func TestSlots(t *testing.T) {
	now := time.Unix(0, 0)
	s := newSlots(scaleOf(&lambdatypes.EventSourceMappingConfiguration{ScalingConfig: &lambdatypes.ScalingConfig{MaximumConcurrency: aws.Int32(7)}}), func() time.Time { return now })
	ended, end := context.WithCancel(t.Context())
	end()
	var got []string
	for i := range 12 {
		for s.taken < s.limit && s.take(t.Context()) {
		}
		got = append(got, fmt.Sprint(s.taken))
		if s.take(ended) {
			t.Error("more than the limit")
		}
		if i%2 == 0 { // not twice in a moment
			now = now.Add(time.Minute / 300)
		}
		s.grow()
	}
	if diff := cmp.Diff(strings.Join(got, " "), "5 6 6 7 7 7 7 7 7 7 7 7"); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	for range 5 {
		s.shrink()
	}
	if s.limit != 1 {
		t.Errorf("after failures: %d", s.limit)
	}
}

// The numbers are those of the page on scaling; each provisioned poller has ten batches under way.
func TestScale(t *testing.T) {
	limited := func(most int32) *lambdatypes.EventSourceMappingConfiguration {
		return &lambdatypes.EventSourceMappingConfiguration{ScalingConfig: &lambdatypes.ScalingConfig{MaximumConcurrency: &most}}
	}
	provisioned := func(least, most *int32) *lambdatypes.EventSourceMappingConfiguration {
		return &lambdatypes.EventSourceMappingConfiguration{
			ProvisionedPollerConfig: &lambdatypes.ProvisionedPollerConfig{MinimumPollers: least, MaximumPollers: most},
		}
	}
	for name, c := range map[string]struct {
		config *lambdatypes.EventSourceMappingConfiguration
		want   scale
	}{
		"standard":               {&lambdatypes.EventSourceMappingConfiguration{}, scale{5, 1, 1250, time.Minute / 300}},
		"MaximumConcurrency 2":   {limited(2), scale{2, 1, 2, time.Minute / 300}},
		"MaximumConcurrency 900": {limited(900), scale{5, 1, 900, time.Minute / 300}},
		"provisioned":            {provisioned(aws.Int32(3), aws.Int32(4)), scale{30, 30, 40, time.Minute / 1000}},
		"provisioned at least":   {provisioned(aws.Int32(5), nil), scale{50, 50, 2000, time.Minute / 1000}},
		"provisioned at most":    {provisioned(nil, aws.Int32(9)), scale{20, 20, 90, time.Minute / 1000}},
	} {
		if got := scaleOf(c.config); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	now := time.Unix(0, 0)
	s := newSlots(scale{3, 3, 4, time.Second}, func() time.Time { return now })
	for s.taken < s.limit && s.take(t.Context()) {
	}
	s.grow()
	s.shrink()
	if s.taken != 3 || s.limit != 3 {
		t.Errorf("%d of %d are taken after a failure, want 3 of 3", s.taken, s.limit)
	}
}
