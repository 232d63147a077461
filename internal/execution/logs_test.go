package execution

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/licet/licet/internal/execution/platform"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/sandbox"
)

// TestOutputBelongsToInvocation prints right before each answer: the lines must be in the tail of this invocation.
func TestOutputBelongsToInvocation(t *testing.T) {
	b := newBench(t, serve(func(p *fakeProcess, payload string) string {
		p.print("one %s\n", payload)
		fmt.Fprintf(p.Stderr, "two %s", payload) // a line without an end, on stderr
		return payload
	}))
	b.invoke(testFunction(), Invocation{LogTail: true})
	for i := range 500 {
		got := b.invoke(testFunction(), Invocation{RequestID: id, Payload: []byte(fmt.Sprint(i)), LogTail: true})
		want := startOf + fmt.Sprintf("one %d\ntwo %d\n", i, i) + endOf + report("")
		if diff := cmp.Diff(plain(string(got.LogTail)), want); diff != "" {
			t.Fatalf("invocation %d, tail (-got +want):\n%s", i, diff)
		}
	}
}

func TestTailIsTheLast4096Bytes(t *testing.T) {
	b := newBench(t, serve(func(p *fakeProcess, _ string) string {
		p.print("%s", strings.Repeat("0123456789abcde\n", 10000))
		return ""
	}))
	got := string(b.invoke(testFunction(), Invocation{RequestID: id, LogTail: true}).LogTail)
	printed, rest, found := strings.Cut(got, "END RequestId")
	if !found || len(got) != 4096 || !strings.HasSuffix(strings.Repeat("0123456789abcde\n", 10000), printed) {
		t.Errorf("got a tail of %d bytes: %.40q … END%s", len(got), printed, rest)
	}
}

// TestEndlessOutput prints more than every buffer holds while the log cannot be written: the function has to wait, the server's
// memory stays bounded, and when the log can be written again nothing is missing.
func TestEndlessOutput(t *testing.T) {
	const lines, length = 30000, 100 // 3 MB
	line := strings.Repeat("x", length-1) + "\n"
	printed := make(chan struct{})
	b := newBench(t, serve(func(p *fakeProcess, _ string) string {
		for range lines {
			p.print("%s", line)
		}
		close(printed)
		return ""
	}))
	b.logs.block = make(chan struct{})
	done := make(chan Result)
	go func() { done <- b.invoke(testFunction(), Invocation{RequestID: id}) }()
	var queued int
	for queued < fullBytes { // until the queue is full
		time.Sleep(time.Millisecond)
		b.mu.Lock()
		for e := range b.environments {
			e.log.mu.Lock()
			queued = e.log.bytes
			e.log.mu.Unlock()
		}
		b.mu.Unlock()
	}
	select {
	case <-printed:
		t.Error("the function printed 3 MB while its log was full, want it to wait")
	default:
	}
	if queued > fullBytes+maxDrain {
		t.Errorf("got %d bytes queued, want at most %d", queued, fullBytes+maxDrain)
	}
	close(b.logs.block)
	<-done
	b.stop()
	if got := strings.Count(b.logs.text(t), line); got != lines {
		t.Errorf("got %d lines in the log, want %d", got, lines)
	}
	if n := testutil.ToFloat64(b.metrics.logDropped); n != 0 {
		t.Errorf("got %v lines dropped, want 0", n)
	}
}

func TestDeniedLogs(t *testing.T) {
	b := newBench(t, serve(func(p *fakeProcess, payload string) string { p.print("line\n"); return payload }))
	b.logs.fail = errors.New("denied")
	for range 100 {
		got := b.invoke(testFunction(), Invocation{Payload: []byte("1"), LogTail: true}) // one environment, and one log, for all
		if string(got.Payload) != "1" || got.FunctionError != "" {
			t.Errorf("got %+v, want success without logs", got)
		}
	}
	b.stop()
	if b.logs.writes == 0 || b.logs.writes > 50 {
		t.Errorf("got %d writes of 301 lines, want one for each batch", b.logs.writes)
	}
	if got := testutil.ToFloat64(b.metrics.logFailed); got != float64(b.logs.writes) {
		t.Errorf("got %v failed writes counted, want %d", got, b.logs.writes)
	}
}

func TestPlatformLinesNeverWait(t *testing.T) {
	m := newMetrics()
	l := newLogStream(testFunction(), "stream", &fakeLogs{}, m, nil) // nothing ships
	const size = 1 << 10
	end := &platform.End{RequestID: strings.Repeat("x", size-eventBytes-len("END RequestId: \n"))}
	for range 2 * dropBytes / size {
		l.event(time.Now(), end)
	}
	if l.bytes != dropBytes {
		t.Errorf("got %d bytes queued, want %d", l.bytes, dropBytes)
	}
	if got, want := testutil.ToFloat64(m.logDropped), float64(dropBytes/size); got != want {
		t.Errorf("got %v lines dropped, want %v", got, want)
	}
}

func TestBatches(t *testing.T) {
	l := newLogStream(testFunction(), "stream", &fakeLogs{}, newMetrics(), nil)
	for _, size := range []int{batchBytes / 2, batchBytes / 2, eventBytes + 1, maxLine, eventBytes + 1} {
		l.print(time.Now(), strings.Repeat("x", size-eventBytes))
	}
	var got []int
	for batch, _ := l.take(); len(batch) > 0; batch, _ = l.take() {
		got = append(got, len(batch))
	}
	if diff := cmp.Diff(got, []int{2, 1, 1, 1}); diff != "" {
		t.Errorf("lines in each batch (-got +want):\n%s", diff)
	}
	if l.bytes != 0 {
		t.Errorf("got %d bytes left, want 0", l.bytes)
	}
	// PutLogEvents takes no more than 10,000 events.
	for range 20_000 {
		l.print(time.Now(), "\n")
	}
	if batch, _ := l.take(); len(batch) > 10_000 || len(batch) < 5_000 {
		t.Errorf("got %d empty lines in a batch", len(batch))
	}
}

// TestClockSetBack: a batch is in order of time although the clock was set back, or lines have crossed.
func TestClockSetBack(t *testing.T) {
	l := newLogStream(testFunction(), "stream", &fakeLogs{}, newMetrics(), nil)
	began := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, seconds := range []int{10, 3, 7, 11} {
		l.print(began.Add(time.Duration(seconds)*time.Second), fmt.Sprintf("%d\n", seconds))
	}
	batch, _ := l.take()
	var got []string
	for _, e := range batch {
		got = append(got, fmt.Sprintf("%s at %g s", strings.TrimSpace(e.Message), e.Time.Sub(began).Seconds()))
	}
	if diff := cmp.Diff(got, []string{"10 at 10 s", "3 at 10 s", "7 at 10 s", "11 at 11 s"}); diff != "" {
		t.Errorf("lines (-got +want):\n%s", diff)
	}
}

// TestStrayWriter keeps the pipe open after the end of the process, as a process that escaped would.
func TestStrayWriter(t *testing.T) {
	stray := make(chan int, 1)
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		p.next()
		fd, err := syscall.Dup(int(p.Stdout.(*os.File).Fd()))
		if err != nil {
			t.Error(err)
		}
		stray <- fd
		return sandbox.Exit{Code: 1}
	})
	if got := b.invoke(testFunction(), Invocation{}); got.FunctionError == "" {
		t.Errorf("got %+v, want a failure", got)
	}
	if err := syscall.Close(<-stray); err != nil {
		t.Error(err)
	}
}

func untold(time.Time, string) {}

// TestCarriageReturns are line ends inside an event, as the runtimes write those of a stack trace.
func TestCarriageReturns(t *testing.T) {
	l := newLogStream(testFunction(), "stream", &fakeLogs{}, newMetrics(), nil)
	o := &output{log: l, tell: untold}
	o.split([]byte("one\rtwo\nthree\r\n"))
	var got []string
	for _, e := range l.queue {
		got = append(got, e.Message)
	}
	if diff := cmp.Diff(got, []string{"one\ntwo\n", "three\n"}); diff != "" {
		t.Errorf("events: -got +want:\n%s", diff)
	}
}

// FuzzSplit compares the lines of output that comes in pieces with those of the whole.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("one\ntwo\n\nthree"), 3)
	f.Add(bytes.Repeat([]byte("x"), 3*maxLine), maxLine+1)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		if piece <= 0 {
			piece = 1
		}
		l := newLogStream(testFunction(), "stream", &fakeLogs{}, newMetrics(), nil)
		o := &output{log: l, tell: untold}
		for rest := data; len(rest) > 0; {
			n := min(piece, len(rest))
			o.split(rest[:n])
			rest = rest[n:]
		}
		o.flush()
		var got []byte
		for _, e := range l.queue {
			ends := strings.Count(e.Message, "\n")
			if len(e.Message) > maxLine || !strings.HasSuffix(e.Message, "\n") || ends != 1 && !bytes.Contains(data, []byte("\r")) {
				t.Errorf("got line %.20q… of %d bytes", e.Message, len(e.Message))
			}
			got = append(got, e.Message...)
		}
		joined := func(lines []byte) []byte {
			return bytes.ReplaceAll(bytes.ReplaceAll(lines, []byte("\n"), nil), []byte("\r"), nil)
		}
		if !bytes.Equal(joined(got), joined(data)) && l.bytes < dropBytes {
			t.Error("the lines are not what was printed")
		}
	})
}

// slowLog takes a while for each batch.
type slowLog struct{ batches, events atomic.Int64 }

func (s *slowLog) Write(_ context.Context, _ Function, _ principal.Credentials, _ string, events []LogEvent) error {
	time.Sleep(5 * time.Millisecond)
	s.batches.Add(1)
	s.events.Add(int64(len(events)))
	return nil
}

// Lines that come while a batch is written are the next batch's, and wait for others, too: with a writer that is slower than they come there
// would be no end of small batches.
func TestSlowWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowLog{}
		l := newLogStream(Function{}, "stream", w, newMetrics(), func(err error) { t.Error(err) })
		l.credentials = &credentials{}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			l.ship()
		}()
		const lines = 5000
		for range lines {
			l.print(time.Now(), "line\n")
			time.Sleep(time.Millisecond)
		}
		if w.batches.Load() > 6 {
			t.Errorf("got %d batches in five seconds, want one a second", w.batches.Load())
		}
		time.Sleep(2 * busyDelay)
		if w.events.Load() != lines {
			t.Errorf("got %d lines after a pause, want %d", w.events.Load(), lines)
		}
		l.close()
		<-ended
	})
}

// More than one batch is written at once; what is left over comes with the next.
func TestSeveralBatchesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowLog{}
		l := newLogStream(Function{}, "stream", w, newMetrics(), func(err error) { t.Error(err) })
		l.credentials = &credentials{}
		line := strings.Repeat("x", 1000)
		for range 2*batchBytes/1000 + 50 {
			l.print(time.Now(), line)
		}
		begun := time.Now()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			l.ship()
		}()
		time.Sleep(batchDelay)
		if w.events.Load() < 2*batchBytes/(1000+eventBytes)-2 {
			t.Errorf("got %d lines in %d batches, want two batches at once", w.events.Load(), w.batches.Load())
		}
		time.Sleep(busyDelay)
		if want := int64(2*batchBytes/1000 + 50); w.events.Load() != want {
			t.Errorf("got %d lines after %v, want %d", w.events.Load(), time.Since(begun), want)
		}
		l.close()
		<-ended
	})
}

// Lines wait while environments start, but not without end.
func TestLogsInARush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowLog{}
		l := newLogStream(Function{}, "stream", w, newMetrics(), func(err error) { t.Error(err) })
		l.credentials = &credentials{}
		var rush atomic.Bool
		l.rush = rush.Load
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			l.ship()
		}()
		for _, test := range []struct {
			rush bool
			wait time.Duration
		}{{true, busyDelay}, {false, batchDelay}} {
			time.Sleep(busyDelay) // a pause
			rush.Store(test.rush)
			before := w.events.Load()
			l.print(time.Now(), "line\n")
			time.Sleep(test.wait - time.Millisecond)
			if got := w.events.Load() - before; got != 0 {
				t.Errorf("rush %v: got %d lines before %v", test.rush, got, test.wait)
			}
			time.Sleep(50 * time.Millisecond)
			if got := w.events.Load() - before; got != 1 {
				t.Errorf("rush %v: got %d lines after %v, want 1", test.rush, got, test.wait)
			}
		}
		l.close()
		<-ended
	})
}

func TestDelayAfter(t *testing.T) {
	for _, test := range []struct{ pause, want time.Duration }{
		{time.Hour, batchDelay},
		{batchDelay, batchDelay},
		{batchDelay - 1, busyDelay},
		{0, busyDelay},
	} {
		if got := delayAfter(test.pause); got != test.want {
			t.Errorf("delayAfter(%v) = %v, want %v", test.pause, got, test.want)
		}
	}
}
