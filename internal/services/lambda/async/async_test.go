package async

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

const destination = "arn:aws:lambda:eu-central-1:111122223333:function:after:live"

func describe(in any) string {
	if m, ok := in.(*sqs.SendMessageInput); ok {
		text := *m.QueueUrl + " " + *m.MessageBody
		for _, name := range slices.Sorted(maps.Keys(m.MessageAttributes)) {
			a := m.MessageAttributes[name]
			text += fmt.Sprintf(" %s(%s)=%s", name, *a.DataType, *a.StringValue)
		}
		return text
	}
	if o, ok := in.(*s3.PutObjectInput); ok {
		body, err := io.ReadAll(o.Body)
		return fmt.Sprint(*o.Bucket, " ", *o.Key, " ", string(body), int64(len(body)) == *o.ContentLength, err)
	}
	i := in.(*sdk.InvokeInput)
	return string(i.InvocationType) + " " + *i.FunctionName + " " + string(i.Payload)
}

func failing(execution.Invocation) (execution.Result, error) {
	return execution.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"x"}`)}, nil
}

func full(execution.Invocation) (execution.Result, error) {
	return execution.Result{}, execution.ErrThrottled{Reason: "ConcurrentInvocationLimitExceeded"}
}

// TestDelivery: when a function runs, and what its destination is told in the end (lambda.md 7.2).
func TestDelivery(t *testing.T) {
	const (
		context = `{"version":"1.0","timestamp":"%s","requestContext":{"requestId":"one",` +
			`"functionArn":"arn:aws:lambda:eu-central-1:111122223333:function:f:$LATEST","condition":"%s","approximateInvokeCount":%d},` +
			`"requestPayload":{"n":"one"}`
		answered = `,"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":{"n":"one"}}`
		failed   = `,"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorType":"x"}}`
	)
	record := func(at, condition string, runs int, rest string) string {
		return fmt.Sprintf(context, at, condition, runs) + rest
	}
	broken := func(execution.Invocation) (execution.Result, error) {
		return execution.Result{}, errors.New("no sandbox")
	}
	both := Function{Version: "$LATEST", RetryLimit: 2, MaxAge: 6 * time.Hour, OnSuccess: destination, OnFailure: destination}
	with := func(change func(*Function)) Function {
		f := both
		change(&f)
		return f
	}
	for _, c := range []struct {
		name     string
		function Function
		run      func(execution.Invocation) (execution.Result, error)
		ran      []string // seconds
		told     string
	}{
		{"success", both, nil, []string{"0"}, record("2026-11-26T12:00:00.000Z", "Success", 1, answered)},
		{"errors", both, failing, []string{"0", "60", "180"}, record("2026-11-26T12:03:00.000Z", "RetriesExhausted", 3, failed)},
		{"one retry", with(func(f *Function) { f.RetryLimit = 1 }), failing, []string{"0", "60"},
			record("2026-11-26T12:01:00.000Z", "RetriesExhausted", 2, failed)},
		{"no retries", with(func(f *Function) { f.RetryLimit = 0 }), failing, []string{"0"},
			record("2026-11-26T12:00:00.000Z", "RetriesExhausted", 1, failed)},
		{"too old for a retry", with(func(f *Function) { f.MaxAge = 90 * time.Second }), failing, []string{"0", "60"},
			record("2026-11-26T12:01:30.000Z", "EventAgeExceeded", 2, "}")},
		{"throttled", with(func(f *Function) { f.MaxAge = 20 * time.Minute }), full,
			[]string{"0", "1", "3", "7", "15", "31", "63", "127", "255", "511", "811", "1111"},
			record("2026-11-26T12:20:00.000Z", "EventAgeExceeded", 0, "}")},
		{"cannot run", with(func(f *Function) { f.MaxAge = time.Minute }), broken, []string{"0", "1", "3", "7", "15", "31"},
			record("2026-11-26T12:01:00.000Z", "EventAgeExceeded", 0, "}")},
		{"no concurrency", with(func(f *Function) { f.Blocked = true }), nil, nil,
			record("2026-11-26T12:00:00.000Z", "ZeroReservedConcurrency", 0, "}")},
		{"a loop", with(func(f *Function) { f.Looping = true }), nil, nil, record("2026-11-26T12:00:00.000Z", "RecursiveInvocation", 0, "}")},
		{"success without a destination", with(func(f *Function) { f.OnSuccess = "" }), nil, []string{"0"}, ""},
		{"failure without a destination", with(func(f *Function) { f.OnFailure = "" }), failing, []string{"0", "60", "180"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, 0)
			h.functions["f"], h.run = c.function, c.run
			h.accept("f", "one")
			h.pass(7 * time.Hour)
			var want []string
			for _, second := range c.ran {
				want = append(want, second+"s f one")
			}
			if diff := cmp.Diff(want, h.ran); diff != "" {
				t.Errorf("ran (-want +got):\n%s", diff)
			}
			var told []string
			if c.told != "" {
				told = []string{"arn:aws:iam::111122223333:role/app for arn:aws:lambda:eu-central-1:111122223333:function:f: " +
					"lambda:Invoke Event " + destination + " " + c.told}
			}
			if diff := cmp.Diff(told, h.acts); diff != "" {
				t.Errorf("destination (-want +got):\n%s", diff)
			}
			if n, depth := h.left(), testutil.ToFloat64(h.queue.metrics.depth); n != 0 || depth != 0 || len(h.queue.lines) != 0 {
				t.Errorf("left: %d keys, depth %g, %d lines", n, depth, len(h.queue.lines))
			}
		})
	}
}

// An event keeps its request id, its trace and the name by which it was called over all of its runs.
func TestInvocation(t *testing.T) {
	h := newHarness(t, 0)
	h.functions["f:live"] = Function{Version: "7"}
	var got []execution.Invocation
	h.run = func(i execution.Invocation) (execution.Result, error) {
		got = append(got, i)
		return failing(i)
	}
	h.accept("f:live", "one")
	h.pass(time.Hour)
	want := execution.Invocation{RequestID: "one", TraceID: "Root=1-x;run", Payload: []byte(`{"n":"one"}`),
		InvokedARN: "arn:aws:lambda:eu-central-1:111122223333:function:f:live", Event: true}
	if diff := cmp.Diff([]execution.Invocation{want, want, want}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDestinations(t *testing.T) {
	for _, c := range []struct {
		target string
		deny   error
		acts   int
		failed float64
	}{
		{destination, nil, 1, 0},
		{destination, errors.New("denied"), 1, 1},
		{"arn:aws:sqs:eu-central-1:111122223333:q", nil, 1, 0},
		{"arn:aws:sqs:eu-central-1:111122223333:q", errors.New("denied"), 1, 1},
		{"arn:aws:sqs:eu-west-1:111122223333:q", nil, 0, 1},
		{"arn:aws:sns:eu-central-1:111122223333:t", nil, 0, 1},
		{"arn:aws:s3:::b", nil, 1, 0},
		{"arn:aws:s3:::b", errors.New("denied"), 1, 1},
		{"arn:aws:events:eu-central-1:111122223333:event-bus/b", nil, 0, 1},
		{"arn:aws:dynamodb:eu-central-1:111122223333:table/t", nil, 0, 1},
		{"kafka://topic", nil, 0, 1},
	} {
		h := newHarness(t, 0)
		h.functions["f"] = Function{Version: "$LATEST", OnFailure: c.target, DeadLetter: c.target, MaxAge: time.Hour}
		h.deny, h.run = c.deny, failing
		h.accept("f", "one")
		h.pass(time.Hour)
		if got := testutil.ToFloat64(h.queue.metrics.failures[failureDestination]); got != c.failed {
			t.Errorf("%s: %g failures of the destination, want %g", c.target, got, c.failed)
		}
		if got := testutil.ToFloat64(h.queue.metrics.failures[failureDeadLetter]); got != c.failed {
			t.Errorf("%s: %g failures of the dead-letter queue, want %g", c.target, got, c.failed)
		}
		if len(h.acts) != 2*c.acts || h.left() != 0 {
			t.Errorf("%s: written %q, %d keys left", c.target, h.acts, h.left())
		}
	}
}

// The body of a dead letter is the event itself.
func TestDeadLetter(t *testing.T) {
	h := newHarness(t, 0)
	h.functions["f"] = Function{Version: "$LATEST", DeadLetter: destination, Blocked: true}
	h.accept("f", "one")
	h.pass(0)
	if len(h.acts) != 1 || !strings.HasSuffix(h.acts[0], destination+` {"n":"one"}`) {
		t.Errorf("got %q", h.acts)
	}
}

// A bucket gets the record as an object.
func TestBucket(t *testing.T) {
	h := newHarness(t, 0)
	h.functions["f"] = Function{Version: "$LATEST", OnFailure: "arn:aws:s3:::b", MaxAge: time.Hour}
	h.run = failing
	h.accept("f", "one")
	h.pass(time.Hour)
	const want = "arn:aws:iam::111122223333:role/app for arn:aws:lambda:eu-central-1:111122223333:function:f: s3:PutObject " +
		"b aws/lambda/async/f/"
	if len(h.acts) != 1 || !strings.HasPrefix(h.acts[0], want) || !strings.Contains(h.acts[0], `-one {"version":"1.0",`) {
		t.Errorf("got %q, want %s…", h.acts, want)
	}
}

// A queue is told in attributes why the event is there, and a destination nothing but its record.
func TestQueues(t *testing.T) {
	const queue = "arn:aws:sqs:eu-central-1:111122223333:q"
	const sends = "arn:aws:iam::111122223333:role/app for arn:aws:lambda:eu-central-1:111122223333:function:f: sqs:SendMessage " +
		"https://sqs.eu-central-1.amazonaws.com/111122223333/q "
	for answer, want := range map[string]string{
		`{"errorMessage":"as told"}`: "as told", `"odd"`: `"odd"`, "\xffx": "x", "": "", strings.Repeat("a", 2000): strings.Repeat("a", 1024),
	} {
		h := newHarness(t, 0)
		h.functions["f"] = Function{Version: "$LATEST", DeadLetter: queue, OnFailure: queue, MaxAge: time.Hour}
		h.run = func(execution.Invocation) (execution.Result, error) {
			return execution.Result{FunctionError: "Unhandled", Payload: []byte(answer)}, nil
		}
		h.accept("f", "one")
		h.pass(time.Hour)
		if want != "" {
			want = " ErrorMessage(String)=" + want
		}
		if len(h.acts) != 2 || h.acts[0] != sends+`{"n":"one"} ErrorCode(Number)=200`+want+" RequestID(String)=one" {
			t.Errorf("%q: got %q", answer, h.acts)
		} else if !strings.HasPrefix(h.acts[1], sends+`{"version":"1.0",`) || !strings.HasSuffix(h.acts[1], "}") {
			t.Errorf("%q: got %q", answer, h.acts[1])
		}
	}
}

func TestAnswerThatIsNoJSON(t *testing.T) {
	for answer, want := range map[string]string{`{"a":1}`: `{"a":1}`, "null": "null", "": `""`, "a\"\n": `"a\"\n"`, "\xff": `"�"`,
		"{\"a\":\"\xff\"}": `{"a":"�"}`} {
		if got := asJSON([]byte(answer)); string(got) != want || !json.Valid(got) {
			t.Errorf("%q: got %s, want %s", answer, got, want)
		}
	}
}

// What is accepted survives: a server that ends in the middle of a run runs the event again, and knows how often it ran before.
func TestRestart(t *testing.T) {
	h := newHarness(t, 0)
	h.run = failing
	h.accept("f", "one")
	h.accept("g", "two")
	h.pass(time.Second)
	h.run = func(execution.Invocation) (execution.Result, error) { return execution.Result{}, execution.ErrClosed }
	h.pass(time.Minute)
	h.accept("f", "three")
	h.pass(time.Hour) // nothing begins any more
	h.run = failing
	h.ran = nil
	h.restart(0)
	if got := testutil.ToFloat64(h.queue.metrics.depth); got != 3 {
		t.Errorf("%g events after the restart, want 3", got)
	}
	h.run = nil
	h.pass(0)
	if len(h.ran) != 3 || h.left() != 0 {
		t.Errorf("ran %q, %d keys left", h.ran, h.left())
	}
}

func TestRunsAreCountedOverRestarts(t *testing.T) {
	h := newHarness(t, 0)
	h.run = failing
	h.accept("f", "one")
	for range 5 {
		h.pass(time.Minute)
		h.restart(0)
	}
	if diff := cmp.Diff([]string{"0s f one", "60s f one", "180s f one"}, h.ran); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRefused(t *testing.T) {
	h := newHarness(t, 0)
	refusal := errors.New("no such function")
	e := Event{Function: request.Function{Account: account, Region: region, Name: "f"}, RequestID: "one", Accepted: h.now}
	if err := h.queue.Accept(t.Context(), e, nil, func(store.Reader) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
	h.db.broken(errStore)
	if err := h.queue.Accept(t.Context(), e, nil, func(store.Reader) error { return nil }); !errors.Is(err, errStore) {
		t.Errorf("got %v", err)
	}
	h.db.broken(nil)
	h.pass(time.Hour)
	if len(h.ran) != 0 || h.left() != 0 || len(h.queue.lines) != 0 {
		t.Errorf("ran %q, %d keys and %d lines left", h.ran, h.left(), len(h.queue.lines))
	}
}

const queueARN = "arn:aws:sqs:eu-central-1:111122223333:q"

// While the store fails after the run, what came of it waits to be written: the function does not run again, and its destination hears once.
func TestStoreFails(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(execution.Invocation) (execution.Result, error)
		// what ran while the store failed, and all in all, and how often the destination heard of it.
		whileFailing, ran []string
		acts              int
	}{
		{"a run that succeeds", nil, []string{"0s f one"}, []string{"0s f one"}, 1},
		{"runs that fail", failing, []string{"0s f one"}, []string{"0s f one", "90s f one", "210s f one"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, 0)
			h.functions["f"] = Function{Version: "$LATEST", RetryLimit: 2, MaxAge: time.Hour, OnSuccess: queueARN, OnFailure: queueARN}
			h.run = c.run
			h.accept("f", "one")
			h.db.broken(errStore)
			h.pass(25 * time.Second)
			if diff := cmp.Diff(c.whileFailing, h.ran); diff != "" {
				t.Errorf("while the store fails (-want +got):\n%s", diff)
			}
			if got := testutil.ToFloat64(h.queue.metrics.troubles); got != 3 || h.left() != 2 {
				t.Errorf("%g troubles, %d keys left", got, h.left())
			}
			h.db.broken(nil)
			h.pass(time.Hour)
			if diff := cmp.Diff(c.ran, h.ran); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if len(h.acts) != c.acts || h.left() != 0 || len(h.queue.lines) != 0 {
				t.Errorf("acts %q, %d keys and %d lines left", h.acts, h.left(), len(h.queue.lines))
			}
		})
	}
}

// What was given up is told once, too, and a server that starts again knows nothing of what was not written.
func TestStoreFailsAndServerEnds(t *testing.T) {
	h := newHarness(t, 0)
	h.functions["f"] = Function{Version: "$LATEST", Blocked: true, OnFailure: queueARN}
	h.accept("f", "one")
	h.db.broken(errStore)
	h.pass(time.Minute)
	if len(h.acts) != 1 {
		t.Errorf("acts %q, want one", h.acts)
	}
	h.db.broken(nil)
	h.restart(0)
	h.pass(0)
	if len(h.acts) != 2 || len(h.ran) != 0 || h.left() != 0 {
		t.Errorf("acts %q, ran %q, %d keys left", h.acts, h.ran, h.left())
	}
}

// An event that makes the server panic neither ends it nor keeps others from running.
func TestPanic(t *testing.T) {
	h := newHarness(t, 0)
	h.run = func(i execution.Invocation) (execution.Result, error) {
		if i.RequestID == "bad" {
			panic("a bug")
		}
		return execution.Result{}, nil
	}
	h.accept("f", "bad")
	h.accept("f", "good")
	h.accept("g", "good")
	h.pass(15 * time.Second)
	slices.Sort(h.ran)
	if diff := cmp.Diff([]string{"0s f bad", "0s f good", "0s g good", "10s f bad"}, h.ran); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDeleted(t *testing.T) {
	h := newHarness(t, 0)
	h.functions["f:live"] = Function{Version: "1"}
	h.accept("f:live", "alias")
	h.accept("g", "stays")
	delete(h.functions, "f:live")
	h.pass(0)
	if got := testutil.ToFloat64(h.queue.metrics.ended[abandoned]); got != 1 || len(h.ran) != 1 {
		t.Errorf("%g abandoned, ran %q", got, h.ran)
	}
	// A line goes with its function, also while one of its events runs; one of the same name begins anew.
	f := request.Function{Partition: "aws", Region: region, Account: account, Name: "f"}
	h.run = func(i execution.Invocation) (execution.Result, error) {
		if i.RequestID == "runs" {
			if err := h.db.Update(t.Context(), func(tx store.Tx) error { return DeleteLine(tx, f) }); err != nil {
				t.Error(err)
			}
		}
		return failing(i)
	}
	h.ran = nil
	h.accept("f", "runs")
	h.pass(0)
	for i := range 100 {
		h.accept("f", fmt.Sprint("waits", i))
	}
	if err := h.db.Update(t.Context(), func(tx store.Tx) error { return DeleteLine(tx, f) }); err != nil {
		t.Fatal(err)
	}
	h.run = nil
	h.accept("f", "new")
	h.pass(time.Hour)
	if diff := cmp.Diff([]string{"0s f runs", "0s f new"}, h.ran); diff != "" {
		t.Errorf("ran (-want +got):\n%s", diff)
	}
	if n, depth := h.left(), testutil.ToFloat64(h.queue.metrics.depth); n != 0 || depth != 0 || len(h.queue.lines) != 0 {
		t.Errorf("left: %d keys, depth %g, %d lines", n, depth, len(h.queue.lines))
	}
}

// A function that is slow and has many events leaves workers to others, and no more run than there are workers.
func TestOthersAreNotKeptWaiting(t *testing.T) {
	const workers = 16
	h := newHarness(t, workers)
	var mu sync.Mutex
	running, most := map[string]int{}, 0
	release := make(chan struct{})
	began := make(chan string, 1000)
	h.run = func(i execution.Invocation) (execution.Result, error) {
		mu.Lock()
		running[i.InvokedARN[len(i.InvokedARN)-1:]]++
		sum := running["f"] + running["g"]
		most = max(most, sum)
		mu.Unlock()
		began <- i.RequestID
		<-release
		mu.Lock()
		defer mu.Unlock()
		running[i.InvokedARN[len(i.InvokedARN)-1:]]--
		return execution.Result{}, nil
	}
	for i := range 200 {
		h.accept("f", fmt.Sprintf("f%d", i))
	}
	start := func() {
		for range 10 {
			if _, err := h.queue.start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	start()
	h.accept("g", "g0")
	start()
	for other, own := false, 0; !other || own < workers/4; { // it begins while f fills what it may
		if id := <-began; id == "g0" {
			other = true
		} else {
			own++
		}
	}
	mu.Lock()
	if running["f"] < workers/4 || running["f"] > workers/2 {
		t.Errorf("%d events of f run, want at most half of the %d workers", running["f"], workers)
	}
	mu.Unlock()
	close(release)
	h.queue.runs.Wait()
	h.pass(time.Minute)
	if most > workers || h.left() != 0 || len(h.ran) != 201 {
		t.Errorf("%d ran at once with %d workers; %d runs; %d keys left", most, workers, len(h.ran), h.left())
	}
}

// A function with little concurrency works its line off without being asked in vain all the time.
func TestThrottledLine(t *testing.T) {
	h := newHarness(t, 64)
	var mu sync.Mutex
	running, refused := 0, 0
	h.run = func(i execution.Invocation) (execution.Result, error) {
		mu.Lock()
		if running == 2 {
			refused++
			mu.Unlock()
			return full(i)
		}
		running++
		mu.Unlock()
		for range 10 { // so that some overlap
			runtime.Gosched()
		}
		mu.Lock()
		defer mu.Unlock()
		running--
		return execution.Result{}, nil
	}
	const events = 300
	for i := range events {
		h.accept("f", fmt.Sprint(i))
	}
	h.pass(10 * time.Minute)
	if h.left() != 0 {
		t.Errorf("%d keys left after %d runs", h.left(), len(h.ran))
	}
	if refused > events {
		t.Errorf("%d of %d runs were refused", refused, len(h.ran))
	}
}

// Run delivers, and ends when what runs has ended.
func TestRun(t *testing.T) {
	h := newHarness(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	began, finished := make(chan struct{}), false
	h.run = func(execution.Invocation) (execution.Result, error) {
		close(began)
		<-ctx.Done()
		runtime.Gosched()
		finished = true
		return execution.Result{}, execution.ErrClosed
	}
	ended := make(chan error)
	go func() { ended <- h.queue.Run(ctx) }()
	h.accept("f", "one")
	<-began
	cancel()
	if err := <-ended; err != nil || !finished {
		t.Errorf("Run has ended before what runs, or with %v", err)
	}
	if h.left() != 2 {
		t.Errorf("%d keys left, want the event and its payload", h.left())
	}
}

// A line that counts too few events, as it may for a while, is not forgotten while one of them waits.
func TestUndercounted(t *testing.T) {
	h := newHarness(t, 1)
	h.accept("f", "one")
	h.accept("f", "two")
	for range 2 {
		h.queue.removed(&Event{Function: request.Function{Account: account, Region: region, Name: "f"}})
	}
	h.pass(0)
	if h.left() != 0 {
		t.Errorf("%d keys left", h.left())
	}
}

// Many accept, run and fail at once; every event ends once. It is for the race detector.
func TestConcurrent(t *testing.T) {
	h := newHarness(t, 8)
	var mu sync.Mutex
	ended := map[string]int{}
	done := make(chan struct{})
	const events = 200
	h.run = func(i execution.Invocation) (execution.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		if ended[i.RequestID]++; len(ended) == events {
			select {
			case <-done:
			default:
				close(done)
			}
		}
		return execution.Result{}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan error)
	go func() { running <- h.queue.Run(ctx) }()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range events / 4 {
				h.accept([]string{"f", "g"}[i%2], fmt.Sprintf("%d-%d", w, i))
			}
		})
	}
	wg.Wait()
	<-done
	cancel()
	if err := <-running; err != nil {
		t.Error(err)
	}
	for id, n := range ended {
		if n != 1 {
			t.Errorf("%s ran %d times", id, n)
		}
	}
	if h.left() != 0 {
		t.Errorf("%d keys left", h.left())
	}
}
