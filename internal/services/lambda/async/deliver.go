package async

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/store"
)

// Delays (lambda.md 7.2): the first after an error of the function, which doubles for the second; the least and the most when it could
// not run.
const (
	retryDelay = time.Minute
	leastDelay = time.Second
	mostDelay  = 5 * time.Minute
)

// ending is how a delivery went.
type ending int

const (
	ran       ending = iota // the function ran
	throttled               // there was no room for it
	other
)

// Reasons why an event is given up: the condition of its record (lambda.md 7.2), of which the first is none.
const (
	succeeded        = "Success"
	retriesExhausted = "RetriesExhausted"
	eventAgeExceeded = "EventAgeExceeded"
	zeroConcurrency  = "ZeroReservedConcurrency"
	recursive        = "RecursiveInvocation" // ours: lambda.md 7.3 tells only that the event goes to its failure destination
)

// deliver runs the function with an event, if it may run, and sees to what follows. An error means that the event is where it was.
func (q *Queue) deliver(ctx context.Context, e *Event) (ending, error) {
	if write := q.unwritten(e); write != nil {
		return other, q.conclude(ctx, e, write)
	}
	payload, err := q.payload(ctx, e)
	if errors.Is(err, store.ErrNotFound) { // deleted with its function, or ended by another server
		q.missing(e)
		return other, nil
	}
	if err != nil {
		return other, fmt.Errorf("read payload: %w", err)
	}
	f, err := q.config.Functions.Function(ctx, e)
	if errors.Is(err, store.ErrNotFound) {
		return other, q.abandon(ctx, e)
	}
	if err != nil {
		return other, fmt.Errorf("find function: %w", err)
	}
	age := q.config.Now().Sub(e.Accepted)
	q.metrics.age.Observe(age.Seconds())
	d := &delivery{Queue: q, event: e, function: &f, payload: payload}
	switch {
	case f.Blocked:
		return other, d.giveUp(ctx, zeroConcurrency, nil)
	case f.Looping:
		return other, d.giveUp(ctx, recursive, nil)
	case age >= f.MaxAge:
		return other, d.giveUp(ctx, eventAgeExceeded, nil)
	}
	return d.run(ctx)
}

// abandon ends an event whose function, version or alias is not there any more. Nobody is left to say where it should go.
func (q *Queue) abandon(ctx context.Context, e *Event) error {
	q.metrics.ended[abandoned].Inc()
	q.config.Logger.WarnContext(ctx, "An event is dropped: its function, version or alias was deleted.",
		slog.String("function", e.Function.ARN()), slog.String("request_id", e.RequestID))
	return q.remove(ctx, e)
}

// delivery is one event with its function.
type delivery struct {
	*Queue
	event    *Event
	function *Function
	payload  []byte
}

// run runs the function once.
func (d *delivery) run(ctx context.Context) (ending, error) {
	e, f := d.event, d.function
	result, err := f.Run(ctx, execution.Invocation{
		RequestID: e.RequestID, InvokedARN: e.Function.ARN(), Payload: d.payload, TraceID: f.TraceID, Tenant: e.Tenant,
		Event: true,
	})
	var limit execution.ErrThrottled
	switch {
	case errors.Is(err, execution.ErrClosed):
		return other, errClosed
	case errors.As(err, &limit):
		d.metrics.throttles.Inc()
		return throttled, d.delay(ctx)
	case err != nil:
		d.metrics.failures[failureSystem].Inc()
		d.config.Logger.WarnContext(ctx, "A function could not run with an event.",
			slog.String("function", e.Function.ARN()), slog.String("request_id", e.RequestID), slog.Any("err", err))
		return other, d.delay(ctx)
	}
	e.Runs++
	switch {
	case result.FunctionError == "":
		d.metrics.ended[succeeded].Inc()
		d.record(ctx, f.OnSuccess, succeeded, &result)
		return ran, d.conclude(ctx, d.end)
	case e.Runs > f.RetryLimit:
		d.metrics.failures[failureFunction].Inc()
		return ran, d.giveUp(ctx, retriesExhausted, &result)
	}
	d.metrics.failures[failureFunction].Inc()
	return ran, d.conclude(ctx, d.again)
}

// conclude writes what came of the event. What waits to be written does not keep what the event carries.
func (d *delivery) conclude(ctx context.Context, write func(context.Context) error) error {
	d.payload = nil
	return d.Queue.conclude(ctx, d.event, write)
}

// end removes the event, which was dealt with.
func (d *delivery) end(ctx context.Context) error { return d.remove(ctx, d.event) }

// again puts the event back whose run has failed.
func (d *delivery) again(ctx context.Context) error {
	return d.putBack(ctx, func(later *Event) {
		later.Runs, later.Delays = d.event.Runs, 0
		later.Due = d.after(retryDelay << (d.event.Runs - 1))
	})
}

// conclude writes what came of an event that was dealt with. When the store fails, the next delivery writes it, in the place of another run.
func (q *Queue) conclude(ctx context.Context, e *Event, write func(context.Context) error) error {
	err := write(ctx)
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.lineOf(e); err != nil {
		l.unwritten[q.key(e)] = write
	} else {
		delete(l.unwritten, q.key(e))
	}
	return err
}

// unwritten is what is still to be written of an event that was dealt with; nil for another.
func (q *Queue) unwritten(e *Event) func(context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lineOf(e).unwritten[q.key(e)]
}

// delay puts the event back that could not be run.
func (d *delivery) delay(ctx context.Context) error {
	wait := mostDelay
	if n := d.event.Delays; n < 9 { // 512 s are more than enough
		wait = min(wait, leastDelay<<n)
	}
	return d.putBack(ctx, func(later *Event) {
		later.Delays++
		later.Due = d.after(wait)
	})
}

// after is when the event is due again: when it is too old at the latest.
func (d *delivery) after(wait time.Duration) time.Time {
	due, end := d.config.Now().Add(wait), d.event.Accepted.Add(d.function.MaxAge)
	if due.After(end) {
		return end
	}
	return due
}

func (d *delivery) putBack(ctx context.Context, change func(*Event)) error {
	return d.Queue.putBack(ctx, d.event, change)
}

// giveUp ends an event that the function has not dealt with. A dead-letter queue and a destination are independent of each other
// (https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html: "in addition to or instead of").
func (d *delivery) giveUp(ctx context.Context, condition string, last *execution.Result) error {
	d.metrics.ended[condition].Inc()
	d.deadLetter(ctx, last)
	d.record(ctx, d.function.OnFailure, condition, last)
	return d.conclude(ctx, d.end)
}
