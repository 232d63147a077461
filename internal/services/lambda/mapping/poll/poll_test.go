package poll

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

const key = "lambda/111122223333/us-east-1/mapping/1"

// world has one mapping, and keeps what is written of it.
type world struct {
	mu      sync.Mutex
	mapping Mapping
	enabled bool
	results []string
	fn      func([]string)
	denied  error
	begun   int
	calls   int
}

func (w *world) Enabled(context.Context) (map[string]Mapping, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.enabled {
		return nil, nil
	}
	return map[string]Mapping{key: w.mapping}, nil
}

func (w *world) Poll(context.Context, string) (Mapping, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mapping, w.enabled, nil
}

func (w *world) SetResult(_ context.Context, _, result string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.results = append(w.results, result)
	return nil
}

func (w *world) Watch(fn func([]string)) func() { w.fn = fn; return func() {} }
func (w *world) Key(changed string) bool        { return changed == key }

func (w *world) AsRole(context.Context, Role, string, string, any) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	return nil, w.denied
}

func (w *world) Invoke(context.Context, Event) (Answer, error) { return Answer{}, nil }

// change changes the world and tells of a key.
func (w *world) change(key string, do func()) {
	w.mu.Lock()
	do()
	w.mu.Unlock()
	w.fn([]string{key})
	synctest.Wait()
}

// source calls until it is stopped, resting after failures.
func (w *world) source(ctx context.Context, p *Poller) error {
	w.mu.Lock()
	w.begun++
	w.mu.Unlock()
	for failures := 0; ctx.Err() == nil; {
		now := p.Moment()
		if _, err := p.Read(ctx, "ReceiveMessage", nil); err != nil {
			p.Result(p.Problem("SQS", "ReceiveMessage", err))
			p.Rest(now, failures)
			failures++
			continue
		}
		p.Result(OK)
		select {
		case <-now.Done():
		case <-ctx.Done():
		}
	}
	return nil
}

func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{mapping: Mapping{
			Function: request.Function{Partition: "aws", Account: "111122223333", Region: "us-east-1", Name: "f"}, Service: "sqs",
			Config: types.EventSourceMappingConfiguration{
				EventSourceArn: aws.String("arn:aws:sqs:us-east-1:111122223333:q"), EventSourceMappingArn: aws.String("arn"), BatchSize: aws.Int32(1),
			},
		}}
		room := New(Config{
			Lead:     func(ctx context.Context, _ string, work func(context.Context) error) error { return work(ctx) },
			Mappings: w, RoleOf: func(context.Context, request.Function) (string, error) { return "role", nil }, Doors: w,
			Merge: func([]string) string { return "" }, Sources: map[string]Source{"sqs": w.source}, Logger: slog.New(slog.DiscardHandler),
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- room.Run(ctx) }()
		synctest.Wait()
		expect := func(when string, begun, calls int) {
			t.Helper()
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.begun != begun || w.calls != calls {
				t.Errorf("%s: begun %d times, %d calls; want %d, %d", when, w.begun, w.calls, begun, calls)
			}
		}
		expect("disabled", 0, 0)
		w.change(key, func() { w.enabled = true })
		expect("enabled", 1, 1)
		w.change(key, func() {}) // such as its tags
		expect("unchanged", 1, 1)
		w.change("iam/111122223333/user/u", func() {})
		expect("another's permissions", 1, 1)
		w.change("iam/111122223333/role/r", func() { w.denied = awserr.New("AccessDenied", 403, "no") })
		expect("refused", 1, 2)
		time.Sleep(3500 * time.Millisecond) // 1 s and 2 s
		synctest.Wait()
		expect("resting", 1, 4)
		w.change("sqs/queue/111122223333/us-east-1/q", func() { w.denied = nil })
		expect("allowed again", 1, 5)
		time.Sleep(time.Second)
		synctest.Wait()
		w.change(key, func() { w.mapping.Config.BatchSize = aws.Int32(2) })
		expect("changed", 2, 6)
		w.change(key, func() { w.enabled = false })
		w.change("iam/111122223333/role/r", func() {})
		expect("disabled again", 2, 6)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		want := []string{"OK", "PROBLEM: The function execution role does not have permissions to call ReceiveMessage on SQS", "OK", "OK"}
		if diff := cmp.Diff(w.results, want); diff != "" {
			t.Errorf("results: -got +want:\n%s", diff)
		}
	})
}

func TestProblem(t *testing.T) {
	p := &Poller{room: &Room{config: Config{Logger: slog.New(slog.DiscardHandler)}}, Mapping: Mapping{
		Config: types.EventSourceMappingConfiguration{EventSourceMappingArn: aws.String("arn")},
	}}
	p.work = t.Context()
	for want, err := range map[string]error{
		cannotAssume:  errors.Join(ErrAssume, awserr.New("AccessDenied", 403, "no")),
		NoFunction:    store.ErrNotFound,
		internalError: errors.New("disk"),
		"PROBLEM: Error occurred while ReceiveMessage. SQS Error Code: X. SQS Error Message: m": awserr.New("X", 400, "m"),
	} {
		if got := p.Problem("SQS", "ReceiveMessage", err); got != want {
			t.Errorf("%v: got %s, want %s", err, got, want)
		}
	}
}
