package notification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

func pointer[T any](v T) *T { return &v }

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		rule       Rule
		event, key string
		want       bool
	}{
		{Rule{Events: []string{"s3:ObjectCreated:*"}}, "ObjectCreated:Put", "k", true},
		{Rule{Events: []string{"s3:ObjectCreated:Put"}}, "ObjectCreated:Copy", "k", false},
		{Rule{Events: []string{"s3:ObjectRemoved:*", "s3:ObjectCreated:Copy"}}, "ObjectCreated:Copy", "k", true},
		{Rule{Events: []string{"s3:ObjectCreated:*"}, Prefix: pointer("a/"), Suffix: pointer(".txt")}, "ObjectCreated:Put", "a/b.txt", true},
		{Rule{Events: []string{"s3:ObjectCreated:*"}, Prefix: pointer("a/"), Suffix: pointer(".txt")}, "ObjectCreated:Put", "b.txt", false},
		{Rule{Events: []string{"s3:ObjectCreated:*"}, Suffix: pointer(".txt")}, "ObjectCreated:Put", "b.jpg", false},
		{Rule{Events: []string{"s3:ObjectCreated:*"}, Prefix: pointer("")}, "ObjectCreated:Put", "b.jpg", true},
	} {
		if c.rule.matches(c.event, c.key) != c.want {
			t.Errorf("%+v, %s of %s: want %v", c.rule, c.event, c.key, c.want)
		}
	}
}

// TestOverlapping has the examples of
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html#notification-how-to-filtering-examples-invalid.
func TestOverlapping(t *testing.T) {
	rule := func(event string, prefix, suffix *string) Rule {
		return Rule{Events: []string{event}, Prefix: prefix, Suffix: suffix}
	}
	const all = "s3:ObjectCreated:*"
	for name, c := range map[string]struct {
		a, b Rule
		want bool
	}{
		"same":                   {rule(all, nil, nil), rule(all, nil, nil), true},
		"one in the other":       {rule(all, nil, nil), rule("s3:ObjectCreated:Put", nil, nil), true},
		"different events":       {rule("s3:ObjectCreated:Put", nil, nil), rule("s3:ObjectCreated:Copy", nil, nil), false},
		"overlapping prefixes":   {rule(all, pointer("images"), nil), rule(all, pointer("images/a"), nil), true},
		"different prefixes":     {rule(all, pointer("images/"), nil), rule(all, pointer("logs/"), nil), false},
		"overlapping suffixes":   {rule(all, nil, pointer("jpg")), rule(all, nil, pointer("pg")), true},
		"different suffixes":     {rule(all, pointer("images/"), pointer(".jpg")), rule(all, pointer("images/"), pointer(".png")), false},
		"a prefix and a suffix":  {rule(all, pointer("images"), nil), rule(all, nil, pointer("jpg")), true},
		"all and some":           {rule(all, nil, nil), rule(all, pointer("x"), nil), true},
		"different in one alone": {rule(all, pointer("a"), pointer("jpg")), rule(all, pointer("b"), pointer("jpg")), false},
	} {
		config := Configuration{Rules: []Rule{c.a, c.b}}
		if config.Overlapping() != c.want {
			t.Errorf("%s: want %v", name, c.want)
		}
	}
}

// TestRecord compares a record with one of the form that AWS was seen to send.
func TestRecord(t *testing.T) {
	e := Event{
		Name: "ObjectCreated:Put", Bucket: "bucket", Region: "us-west-2", Time: time.Date(1970, 1, 1, 0, 0, 0, 1e6, time.UTC), Principal: "AIDAJDPLRKLG7UEXAMPLE",
		SourceIP: "127.0.0.1", RequestID: "C3D13FE58DE4C810", Key: "dir/Happy Face+ü.jpg", Size: pointer(int64(1024)), ETag: "d41d8cd98f00b204e9800998ecf8427e",
		Version: "096fKKXTRTtl3on89fVO.nfljtsv6qko", Sequencer: "0055AED6DCD90281E5",
	}
	got, err := e.payload("testConfigRule", "A3NL1KOZZKExample", "aws")
	want := `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2","eventTime":"1970-01-01T00:00:00.001Z",` +
		`"eventName":"ObjectCreated:Put","userIdentity":{"principalId":"AWS:AIDAJDPLRKLG7UEXAMPLE"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},` +
		`"responseElements":{"x-amz-request-id":"C3D13FE58DE4C810","x-amz-id-2":"C3D13FE58DE4C810"},"s3":{"s3SchemaVersion":"1.0",` +
		`"configurationId":"testConfigRule","bucket":{"name":"bucket","ownerIdentity":{"principalId":"A3NL1KOZZKExample"},"arn":"arn:aws:s3:::bucket"},` +
		`"object":{"key":"dir/Happy+Face%2B%C3%BC.jpg","size":1024,"eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko",` +
		`"sequencer":"0055AED6DCD90281E5"}}}]}`
	if diff := cmp.Diff(string(got), want); diff != "" || err != nil {
		t.Errorf("%v, -got +want:\n%s", err, diff)
	}
	tagged := Event{Name: "ObjectTagging:Put", Key: "k"}
	if got, err := tagged.payload("", "", ""); err != nil || !strings.Contains(string(got), `"eventVersion":"2.3"`) || strings.Contains(string(got), "sequencer") {
		t.Errorf("got %s, %v", got, err)
	}
}

// targets fail as they are told to, by the number of the trial.
type targets struct {
	fail func(d Delivery, trial int) error

	mu    sync.Mutex
	tried map[string]int
	taken []string
}

func (f *targets) Check(context.Context, Delivery) error { return nil }

func (f *targets) Deliver(_ context.Context, d Delivery) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tried[d.Bucket]++
	if err := f.fail(d, f.tried[d.Bucket]); err != nil {
		return err
	}
	f.taken = append(f.taken, d.Bucket)
	return nil
}

func (f *targets) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.taken)
}

// TestQueue: every event arrives once its target takes it, whatever happens before, and what a target refuses goes.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.New(t)
		f := &targets{tried: map[string]int{}, fail: func(d Delivery, trial int) error {
			switch {
			case d.Bucket == "refused":
				return fmt.Errorf("%w: no", ErrRefused)
			case d.Bucket == "panics" && trial == 1:
				panic("once")
			case trial < 3 && d.Bucket != "panics":
				return errors.New("not now")
			}
			return nil
		}}
		config := &Configuration{Rules: []Rule{{ID: "x", Kind: Function, Target: "arn", Events: []string{"s3:ObjectCreated:*"}}}}
		put := func(names ...string) {
			for i, name := range names {
				if err := db.Update(t.Context(), func(tx store.Tx) error {
					return Note(tx, config, &Event{Name: "ObjectCreated:Put", Bucket: name, Time: time.Now(), Made: time.Now()}, fmt.Sprintf("%s-%d", name, i), "", "aws")
				}); err != nil {
					t.Fatal(err)
				}
			}
		}
		put("before")
		q := New(db, f, time.Now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- q.Run(ctx) }()
		put("refused", "panics", "a", "b")
		q.wake()
		for f.count() < 4 {
			time.Sleep(rest)
		}
		time.Sleep(2 * rest)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(f.tried, map[string]int{"before": 3, "refused": 1, "panics": 2, "a": 3, "b": 3}); diff != "" || len(f.taken) != 4 {
			t.Errorf("taken %v, tried -got +want:\n%s", f.taken, diff)
		}
		if err := db.View(t.Context(), func(r store.Reader) error {
			left, err := r.Scan("s3/", "", 0)
			if len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTestEvent(t *testing.T) {
	got, err := TestPayload("b", "id", time.Unix(0, 0))
	var text map[string]string
	if err := errors.Join(err, json.Unmarshal(got, &text)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, map[string]string{
		"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "1970-01-01T00:00:00.000Z", "Bucket": "b", "RequestId": "id", "HostId": "id",
	}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
