// Package stream carries the response of one invocation from the function to the caller while the function writes it.
//
// Nothing is collected: a part is taken when the caller is ready for it, so that a slow caller holds up the function and no memory
// grows. A caller who leaves does not stop the function; what it writes from then on is dropped. Limits are those of
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html: 200 MB, of which the first 6 MB go out as fast as
// they come, and the rest at 2 MB per second.
package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/licet/licet/internal/execution"
)

const (
	maxResponse = 200 << 20 // bytes
	burst       = 6 << 20   // bytes that are not slowed down
	rate        = 2 << 20   // bytes per second of the rest
)

// errTooLarge is what a function is told; the text is that of the Runtime API for responses that are not streamed.
var errTooLarge error = tooLarge(maxResponse)

type tooLarge int64

func (limit tooLarge) Error() string {
	return fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", int64(limit))
}

// Pipe is one response. Its writer is execution.Manager.Invoke, its reader one goroutine.
type Pipe struct {
	begun chan struct{}
	parts chan []byte
	taken chan struct{} // a part has been taken
	gone  chan struct{} // the caller takes nothing any more
	ended chan struct{} // closed when result and err are set
	leave sync.Once

	total  int64
	result execution.Result
	err    error
}

// New makes a pipe.
func New() *Pipe {
	return &Pipe{begun: make(chan struct{}), parts: make(chan []byte), taken: make(chan struct{}), gone: make(chan struct{}),
		ended: make(chan struct{})}
}

// Begin is execution.Stream's.
func (p *Pipe) Begin() { close(p.begun) }

// Write is execution.Stream's: it returns when the caller has the part, or is gone, or the invocation has ended.
func (p *Pipe) Write(part []byte) error {
	if p.total += int64(len(part)); p.total > maxResponse {
		return errTooLarge
	}
	select {
	case p.parts <- part:
	case <-p.gone:
		return nil
	case <-p.ended:
		return errors.New("the invocation has ended")
	}
	select {
	case <-p.taken:
	case <-p.gone:
	case <-p.ended:
	}
	return nil
}

// End says what came of the invocation.
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
// ctx has ended; the last two are those of a caller who has left.
func (p *Pipe) Copy(ctx context.Context, send func(part []byte) error) (execution.Result, error) {
	defer p.leave.Do(func() { close(p.gone) })
	pace := pace{}
	for {
		select {
		case part := <-p.parts:
			if err := pace.wait(ctx, len(part)); err != nil {
				return execution.Result{}, err
			}
			if err := send(part); err != nil {
				return execution.Result{}, err
			}
			select {
			case p.taken <- struct{}{}:
			case <-p.ended:
			}
		case <-p.ended:
			return p.result, p.err
		case <-ctx.Done():
			return execution.Result{}, ctx.Err()
		}
	}
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
