// Package stream carries the response of one invocation from the function to the caller while the function writes it.
//
// Nothing is collected: a part is taken when the caller is ready for it, so that a slow caller holds up the function and no memory
// grows. A caller who leaves does not stop the function; what it writes from then on is dropped. Limits are those of
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html: the first 6 MB go out as fast as they come, and the
// rest at 2 MB per second.
package stream

import (
	"context"
	"errors"
	"time"

	"github.com/licet/licet/internal/execution"
)

const (
	burst = 6 << 20 // bytes that are not slowed down
	rate  = 2 << 20 // bytes per second of the rest
)

// errOver is what a writer is told when the caller is gone, or the invocation has ended.
var errOver = errors.New("nobody takes the response any more")

// Pipe is one response. Its writer is execution.Manager.Invoke, its reader one goroutine.
type Pipe struct {
	begun  chan struct{}
	part   []byte // a copy of the one at hand, which a slow caller may still take when its writer has ended
	parts  chan []byte
	taken  chan struct{}   // capacity 1: the part is with the caller
	caller context.Context // ends when the caller takes nothing any more
	leave  context.CancelFunc
	ended  chan struct{} // closed when result and err are set

	contentType string // set before the first part is sent

	result execution.Result
	err    error
}

// New makes a pipe for a caller who is gone when ctx ends.
func New(ctx context.Context) *Pipe {
	p := &Pipe{begun: make(chan struct{}), parts: make(chan []byte), taken: make(chan struct{}, 1), ended: make(chan struct{})}
	p.caller, p.leave = context.WithCancel(ctx)
	return p
}

// Begin is execution.Stream's.
func (p *Pipe) Begin() { close(p.begun) }

// Type is execution.Stream's.
func (p *Pipe) Type(contentType string) { p.contentType = contentType }

// ContentType is that of the response; "" for none. It is known while Copy sends a part, and after it.
func (p *Pipe) ContentType() string { return p.contentType }

// Write is execution.Stream's: it returns when the caller has the part, or is gone, or the invocation has ended. After an error it is not
// called again.
func (p *Pipe) Write(part []byte) error {
	p.part = append(p.part[:0], part...)
	select {
	case p.parts <- p.part:
	case <-p.caller.Done():
		return errOver
	case <-p.ended:
		return errOver
	}
	select {
	case <-p.taken:
		return nil
	case <-p.ended: // and with it the one who writes, whom the caller must not hold up
		return errOver
	}
}

// End says what came of the invocation. It must be called, once.
func (p *Pipe) End(result execution.Result, err error) {
	p.result, p.err = result, err
	close(p.ended)
}

// Begun waits until an environment has the event, or returns why none has.
func (p *Pipe) Begun() error {
	select {
	case <-p.begun:
		return nil
	case <-p.ended:
	}
	select {
	case <-p.begun: // it has ended since
		return nil
	default:
		return p.err
	}
}

// Copy hands on the parts until the invocation has ended, and returns its result. An error is the invocation's, the receiver's, or that
// the caller is gone. It is called at most once.
func (p *Pipe) Copy(send func(part []byte) error) (execution.Result, error) {
	defer p.leave()
	pace := &pace{}
	for {
		select {
		case part := <-p.parts:
			if err := p.take(part, pace, send); err != nil {
				return execution.Result{}, err
			}
		case <-p.ended:
			return p.result, p.err
		case <-p.caller.Done():
			return execution.Result{}, p.caller.Err()
		}
	}
}

func (p *Pipe) take(part []byte, pace *pace, send func([]byte) error) error {
	defer func() { p.taken <- struct{}{} }() // has room
	if err := pace.wait(p.caller, len(part)); err != nil {
		return err
	}
	return send(part)
}

// pace slows down what is more than the burst.
type pace struct {
	sent int64
	free time.Time // when what was sent beyond the burst is paid for
}

// wait waits until n bytes more may go out.
func (p *pace) wait(ctx context.Context, n int) error {
	slow := min(int64(n), p.sent+int64(n)-burst)
	p.sent += int64(n)
	if slow <= 0 {
		return nil
	}
	now := time.Now()
	if p.free.Before(now) {
		p.free = now
	}
	p.free = p.free.Add(time.Duration(slow) * time.Second / rate)
	timer := time.NewTimer(p.free.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
