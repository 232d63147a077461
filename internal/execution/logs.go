package execution

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/internal/execution/platform"
)

// Sizes and times of log shipping.
const (
	batchBytes = 256 << 10              // a batch is written as soon as it is this large …
	batchDelay = 200 * time.Millisecond // … or this old
	busyDelay  = time.Second            // the same of a stream whose lines do not pause, and while environments start: each batch is a transaction
	fullBytes  = 1 << 20                // from here on the process that prints has to wait
	dropBytes  = 4 << 20                // from here on lines of the platform are dropped
	writeLimit = 10 * time.Second       // for one batch
	tailBytes  = 4096                   // of LogTail (lambda.md 7.1)
	// eventBytes counts for each event beside its message, as in PutLogEvents (API_PutLogEvents): empty lines must not take more
	// memory than others, and a batch of them must not exceed 10,000 events.
	eventBytes = 26
)

// logStream is the log of one environment: a queue of lines, which ship writes in batches, and the tail that an invocation asked
// for. It is safe for concurrent use.
type logStream struct {
	function    Function
	stream      string
	writer      LogWriter // nil: lines go to the tail only
	credentials *credentials
	metrics     *metrics
	failed      func(error) // told of every batch that could not be written
	rush        func() bool // whether environments start, which need the processors more; nil: never
	json        bool        // the form of platform events; lines of the function are as it printed them
	// lowest levels that a JSON log shows, of the function's lines and of platform events.
	application, system platform.Level

	mu      sync.Mutex
	room    sync.Cond // on mu: the queue became shorter, or a waiter has a reason to stop waiting
	queue   []LogEvent
	bytes   int
	tail    []byte
	tailing bool
	closed  bool
	scratch []byte        // of event
	wake    chan struct{} // capacity 1: the queue is no longer empty, has a full batch, or is closed
}

func newLogStream(f Function, stream string, w LogWriter, m *metrics, failed func(error)) *logStream {
	l := &logStream{function: f, stream: stream, writer: w, metrics: m, failed: failed, wake: make(chan struct{}, 1),
		json: f.JSONLogs, application: platform.LevelOf(f.ApplicationLogLevel), system: platform.LevelOf(f.SystemLogLevel)}
	l.room.L = &l.mu
	return l
}

// shows tells whether the level of a function's line is one that the log shows.
func (l *logStream) shows(line string) bool {
	return !l.json || l.application == platform.Trace || platform.LineLevel(line) >= l.application
}

// print appends a line of the function or of an extension; the caller has waited for room.
func (l *logStream) print(at time.Time, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.append(at, line, true)
}

// event appends the line of a platform event, if the log has one for it. It never waits.
func (l *logStream) event(at time.Time, e platform.Event) {
	tailed := tails(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.json {
		if level, ok := e.Level(); !ok || level < l.system {
			return
		}
		record, _ := e.In(platform.Telemetry2025January) // an event with a level is for all
		l.append(at, string(platform.Render(at, e.Type(), record))+"\n", tailed)
		return
	}
	if l.scratch = e.AppendText(l.scratch[:0]); len(l.scratch) > 0 {
		l.append(at, string(l.scratch), tailed)
	}
}

// tails tells whether LogTail shows an event: not the start of an initialization, and nothing of what ends with a snapshot, or begins with
// one, which comes before any invocation.
func tails(e platform.Event) bool {
	switch e := e.(type) {
	case *platform.InitStart, *platform.RestoreStart, *platform.RestoreRuntimeDone, *platform.RestoreReport:
		return false
	case *platform.InitReport:
		return e.Status != platform.Success || e.InitializationType != platform.SnapStart
	}
	return true
}

// append is under mu.
func (l *logStream) append(at time.Time, line string, tailed bool) {
	if l.tailing && tailed {
		l.tail = append(l.tail, line...)
		if len(l.tail) > 16*tailBytes {
			l.tail = append(l.tail[:0], l.tail[len(l.tail)-tailBytes:]...)
		}
	}
	if l.writer == nil {
		return
	}
	if l.bytes >= dropBytes {
		l.metrics.logDropped.Inc()
		return
	}
	before := l.bytes
	l.queue = append(l.queue, LogEvent{Time: at, Message: line})
	l.bytes += len(line) + eventBytes
	if before == 0 || before < batchBytes && l.bytes >= batchBytes {
		l.signal()
	}
}

func (l *logStream) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// beginTail starts to keep what is appended; endTail returns the last of it.
func (l *logStream) beginTail() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail, l.tailing = nil, true
}

func (l *logStream) endTail() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	tail := l.tail[max(0, len(l.tail)-tailBytes):]
	l.tail, l.tailing = nil, false
	return tail
}

// waitForRoom returns when the queue has room, stop is set, or the stream is closed.
func (l *logStream) waitForRoom(stop *atomic.Bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.bytes >= fullBytes && !l.closed && !stop.Load() {
		l.room.Wait()
	}
}

// wakeWaiters lets waitForRoom look at stop again.
func (l *logStream) wakeWaiters() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.room.Broadcast()
}

// close ends ship after the last batch. Nothing is appended afterwards.
func (l *logStream) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.room.Broadcast()
	l.signal()
}

// ship writes batches in order until the stream is closed and empty. A batch that cannot be written is counted and dropped: each
// is tried once, so a writer that is always denied costs one try a batch. After close the first failure drops all that is left.
func (l *logStream) ship() {
	delay := time.NewTimer(batchDelay)
	defer delay.Stop()
	var written time.Time
	for {
		<-l.wake
		long := delayAfter(time.Since(written))
		delay.Reset(long)
		l.gather(delay.C)
		if long < busyDelay && l.rush != nil && l.rush() {
			delay.Reset(busyDelay - long)
			l.gather(delay.C)
		}
		for {
			batch, closed := l.take()
			if len(batch) == 0 && closed {
				return
			}
			if len(batch) == 0 {
				break
			}
			if err := l.write(batch); err != nil && closed {
				return
			}
			written = time.Now()
			if !l.due() { // what came meanwhile waits for more: else a slow writer would write without end, a few lines at a time
				l.wakeForRest()
				break
			}
		}
	}
}

// gather waits for more lines until the time is over.
func (l *logStream) gather(over <-chan time.Time) {
	for !l.due() {
		select {
		case <-over:
			return
		case <-l.wake:
		}
	}
}

// wakeForRest has ship come back for lines that take has left, of which nothing else tells it.
func (l *logStream) wakeForRest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes > 0 {
		l.signal()
	}
}

// delayAfter is how long a batch waits for more lines when its first came so long after the batch before it.
func delayAfter(pause time.Duration) time.Duration {
	if pause < batchDelay {
		return busyDelay
	}
	return batchDelay
}

// due tells that there is no reason to wait for more lines.
func (l *logStream) due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes >= batchBytes || l.closed
}

// take removes the next batch: lines until batchBytes are reached, at least one.
func (l *logStream) take() (batch []LogEvent, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, size := 0, 0
	for n < len(l.queue) {
		more := len(l.queue[n].Message) + eventBytes
		if n > 0 && size+more > batchBytes {
			break
		}
		size += more
		n++
	}
	batch, l.queue = l.queue[:n:n], l.queue[n:]
	if len(l.queue) == 0 {
		l.queue = nil
	}
	l.bytes -= size
	l.room.Broadcast()
	inOrder(batch)
	return batch, l.closed
}

// inOrder lets no line be older than the one before it, as two that came at the same moment may be, or those around a change of the
// machine's clock: the whole batch would be refused (API_PutLogEvents, "must be in chronological order").
func inOrder(batch []LogEvent) {
	for i := 1; i < len(batch); i++ {
		if before := batch[i-1].Time; batch[i].Time.UnixNano() < before.UnixNano() {
			batch[i].Time = before
		}
	}
}

func (l *logStream) write(batch []LogEvent) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	keys, err := l.credentials.get(ctx)
	if err == nil {
		err = l.writer.Write(ctx, l.function, keys, l.stream, batch)
	}
	if err != nil {
		l.metrics.logFailed.Inc()
		l.failed(err)
	}
	return err
}
