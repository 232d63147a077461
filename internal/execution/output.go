package execution

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// maxLine is the longest line of a log (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html gave
// events 256 KB); a longer one is split.
const maxLine = 256 << 10

// maxDrain bounds what drain takes over: Linux lets a process make its pipe no larger than this.
const maxDrain = 1 << 20

// output carries what a process prints into its environment's log, line by line. Stdout and stderr share one pipe, which keeps
// their order. The writing end is given to the driver as a file, so that the process holds it itself: what it printed before it
// answered is then in the pipe when the answer arrives, and drain finds it there.
type output struct {
	log    *logStream
	tell   func(at time.Time, line string) // lets subscribers know of a line
	all    bool                            // the log shows lines of every level
	in     *os.File                        // writing end; closed by finish
	out    *os.File
	raw    syscall.RawConn // of out
	ending atomic.Bool     // no more waiting for room in the log
	copied chan struct{}   // closed when copy has returned

	mu     sync.Mutex // held from reading the pipe to appending to the log
	buffer []byte
	line   []byte // a line that has begun
}

// newOutput makes the pipe. log and tell may be set later, but before copy.
func newOutput(log *logStream, tell func(at time.Time, line string)) (*output, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe for output: %v", err)
	}
	// A program expects a blocking stdout; only our end is for the poller.
	raw, err := out.SyscallConn()
	if err == nil {
		err = syscall.SetNonblock(int(in.Fd()), false)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare pipe for output: %v", err), in.Close(), out.Close())
	}
	return &output{log: log, tell: tell, in: in, out: out, raw: raw, copied: make(chan struct{}), buffer: make([]byte, 16<<10)}, nil
}

// copy runs until the pipe ends. When the log is full it waits, and so does the process that prints.
func (o *output) copy() {
	defer close(o.copied)
	for more := true; more; {
		o.log.waitForRoom(&o.ending)
		err := o.raw.Read(func(fd uintptr) bool {
			n, err := o.take(fd)
			more = n > 0
			return !errors.Is(err, syscall.EAGAIN)
		})
		more = more && err == nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
}

// drain takes over what the process printed before the call, also a line without an end, and never waits for the process or the
// log's writer.
func (o *output) drain() {
	_ = o.raw.Control(func(fd uintptr) { // fails only when the pipe is closed, and then copy has taken all
		for taken := 0; taken < maxDrain; {
			n, err := o.take(fd)
			if n <= 0 || err != nil {
				return
			}
			taken += n
		}
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
}

// finish is called when the process has ended: it waits until all output is in the log. A stray process that kept the pipe gets
// one second.
func (o *output) finish() error {
	o.ending.Store(true)
	o.log.wakeWaiters()
	err := o.in.Close()
	_ = o.out.SetReadDeadline(time.Now().Add(time.Second))
	<-o.copied
	return errors.Join(err, o.out.Close())
}

// take reads once, without waiting, and appends whole lines to the log. n is 0 at the end of the pipe and negative on an error.
func (o *output) take(fd uintptr) (n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		if n, err = syscall.Read(int(fd), o.buffer); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if n > 0 {
		o.split(o.buffer[:n])
	}
	return n, err
}

// split cuts data into lines. o.mu is held.
func (o *output) split(data []byte) {
	now := time.Now()
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			end = len(data) - 1
		}
		room := maxLine - 1 - len(o.line)
		part := data[:min(end+1, room)]
		data = data[len(part):]
		o.line = append(o.line, part...)
		if part[len(part)-1] == '\n' || len(o.line) == maxLine-1 {
			o.emit(now)
		}
	}
}

// emit hands a line to the log. A carriage return inside it is how a runtime writes a line end that belongs to the event, such as
// those of a stack trace; one before the line's end is only another spelling of that.
func (o *output) emit(now time.Time) {
	o.line = append(bytes.TrimRight(o.line, "\r\n"), '\n')
	for i, c := range o.line {
		if c == '\r' {
			o.line[i] = '\n'
		}
	}
	line := string(o.line)
	if o.all || o.log.shows(line) {
		o.log.print(now, line)
	}
	o.tell(now, line)
	o.line = o.line[:0]
	if cap(o.line) > 1<<14 {
		o.line = nil // one long line must not cost memory for as long as the environment lives
	}
}

// flush ends a begun line. o.mu is held.
func (o *output) flush() {
	if len(o.line) > 0 {
		o.emit(time.Now())
	}
}
