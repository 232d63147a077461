package execution

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/licet/licet/internal/execution/extension"
	"github.com/licet/licet/internal/execution/platform"
	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/telemetry"
)

// exitPatience is how long a runtime that could not initialize may take to print why and to exit (Manager.exitPatience).
const exitPatience = 500 * time.Millisecond

// invocation is one run of an event in an environment, which it owns.
type invocation struct {
	*environment
	Invocation
	// trace has the span that this belongs to, and nothing else that counts; nil: none.
	trace context.Context
	usage usage
	began time.Time
	out   outcome
	phase string // in which the runtime is initialized
	stage stage
	// when the answer began and ended to come; zero without one
	answering, answered time.Time
	// broken is set when the sandbox can no longer be trusted. It does not change the outcome.
	broken error
}

// usage is what an invocation's report tells of it.
type usage struct {
	took       time.Duration
	init       time.Duration      // 0 when there was no Init phase, or a failed one
	restored   *platform.Restored // nil when there was no Restore phase
	spans      []platform.Span
	memoryMB   int
	peakMemory int64 // bytes
}

// stage says which ends are still to be told.
type stage int

const (
	stageOver    stage = iota // none
	stageInit                 // that of the runtime's initialization, and how extensions came out of it
	stageReady                // only how extensions came out of it
	stageRestore              // that of the runtime's work after it was restored
	stageInvoke               // that of the runtime's work on the event
)

// own gives an invocation its environment.
func (i *invocation) own(e *environment) {
	i.environment = e
	i.usage.memoryMB = e.function.MemoryMB
}

// invoke runs an event, which may have begun, and gives the environment back.
func (i *invocation) invoke(begun bool) (Result, error) {
	run := i.run
	if begun {
		run = i.await
	}
	settled, err := run()
	if err != nil {
		return i.giveUp(err)
	}
	result := Result{Payload: i.out.payload}
	if i.out.failed {
		result.FunctionError, result.ErrorType = unhandled, i.out.code
	}
	if !settled {
		i.leave()
		return result, nil
	}
	result.LogTail = i.finish()
	return result, nil
}

// run brings the event to its outcome. It returns false when the runtime has answered but not yet asked for its next event.
func (i *invocation) run() (settled bool, err error) {
	i.beginTail()
	if i.sandbox == nil {
		if _, err := i.coldStart(i.initLimit()); err != nil {
			return false, err
		}
	}
	if _, err := i.credentials.get(i.m.lifetime); err != nil {
		return false, fmt.Errorf("renew credentials for %s: %w", i.function.ARN, err)
	}
	if i.clock(); !i.alive() {
		i.stop(afterError)
		initialized, err := i.initialize(platform.PhaseInvoke, i.deadline.C)
		if initialized {
			err = i.restore()
		}
		if err != nil {
			return false, err
		}
		if !initialized {
			i.tellStart()
			return true, nil
		}
	}
	ev := i.present()
	if i.process.extensions.Any() {
		if i.process.deserted() {
			return true, i.fail(deserted)
		}
		i.process.extensions.Invoke(extension.Event{
			RequestID: i.RequestID, InvokedARN: i.InvokedARN, TraceID: i.TraceID, Deadline: ev.deadline})
	}
	i.process.events <- ev
	return i.await()
}

// beginWarm is the part of run before the runtime has the event, where a runtime asks for it and there are no extensions.
func (i *invocation) beginWarm() *event {
	i.beginTail()
	i.clock()
	return i.present()
}

func (i *invocation) beginTail() {
	if i.LogTail {
		i.log.beginTail()
	}
}

// clock begins the time that the function may take.
func (i *invocation) clock() {
	i.began = time.Now()
	i.deadline.Reset(i.function.Timeout)
}

// present tells that the event is about to be the runtime's.
func (i *invocation) present() *event {
	i.tellStart()
	i.stage = stageInvoke
	return &event{Invocation: i.Invocation, invocationID: uuid.NewString(), deadline: i.began.Add(i.function.Timeout)}
}

// await is the part of run after the runtime was given the event.
func (i *invocation) await() (settled bool, err error) {
	s, why := i.wait(i.deadline.C, nil)
	if why != stepped {
		return true, i.fail(why)
	}
	i.out, i.answering, i.answered = s.outcome, s.answering, s.answered
	if i.LogTail { // the tail has the REPORT line, which needs the end
		i.settle()
		return true, nil
	}
	i.settling = true
	i.pool.queue.settling.Add(1)
	return false, nil
}

// coldStart makes the environment and runs its Init phase, which has a time limit. A function that fails in it is
// initialized once more, as part of the invocation
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, Init phase).
func (i *invocation) coldStart(longest time.Duration) (initialized bool, err error) {
	_, span := telemetry.Child(i.trace, "init")
	defer span.End()
	i.m.metrics.coldStarts.Inc()
	opened := time.Now()
	if err := i.open(); err != nil {
		return false, err
	}
	limit := time.NewTimer(longest)
	defer limit.Stop()
	began := time.Now()
	initialized, err = i.initialize(platform.PhaseInit, limit.C)
	if !initialized {
		return false, err
	}
	took := time.Since(began)
	i.m.metrics.initDuration.Observe(took.Seconds())
	if !i.restores() { // else it came before the snapshot
		i.usage.init = took
	}
	if err := i.restore(); err != nil {
		return false, err
	}
	i.m.started(i.environment, time.Since(opened))
	return true, nil
}

// initialize starts extensions and runtime and waits until all ask for their first event. When the function fails in it, i.out tells
// how.
func (i *invocation) initialize(phase string, limit <-chan time.Time) (initialized bool, err error) {
	i.out, i.phase, i.stage = outcome{}, phase, stageInit
	began := time.Now()
	i.begin()
	i.tellInitStart()
	if initialized, err = i.startExtensions(limit); initialized {
		initialized, err = i.startRuntime(limit)
	}
	if err == nil {
		i.tellInitReport(time.Since(began))
	}
	if initialized {
		i.process.telemetry.Seal()
	}
	return initialized, err
}

// startRuntime is the part of initialize after extensions have registered.
func (i *invocation) startRuntime(limit <-chan time.Time) (initialized bool, err error) {
	if err := i.start(); err != nil {
		out, ok := notStarted(i.RequestID, i.command.Args, err)
		if !ok {
			return false, err
		}
		i.out = out
		i.stop(afterError)
		return false, nil
	}
	s, why := i.wait(limit, nil)
	if why == stepped && (s.kind == ready || s.kind == restoreReady) {
		i.process.extensions.Seal()
		i.tellRuntimeEnd()
		if why = i.gather(limit, (*extension.Set).Settled); why == stepped {
			i.tellExtensions()
			i.stage = stageOver
			return true, nil
		}
	}
	if why != stepped {
		return false, i.fail(why)
	}
	i.out = s.outcome
	i.patience.Reset(i.m.exitPatience)
	i.wait(limit, i.patience.C)
	i.stop(afterError)
	return false, nil
}

// reason says why wait returned.
type reason int

const (
	stepped   reason = iota // the runtime took a step
	exited                  // the process ended without one
	expired                 // the time limit passed
	impatient               // patience is at its end
	aborted                 // the manager stops
	deserted                // an extension ended
	fencedOff               // other servers may use its concurrency
)

// wait waits for the runtime's next step.
func (e *environment) wait(limit, patience <-chan time.Time) (step, reason) {
	select {
	case s := <-e.process.steps:
		return s, stepped
	case <-e.process.ended:
		select {
		case s := <-e.process.steps: // it took a step before it ended
			return s, stepped
		default:
			return step{}, exited
		}
	case e.process.gone = <-e.process.lost:
		return step{}, deserted
	case <-limit:
		return step{}, expired
	case <-patience:
		return step{}, impatient
	case <-e.m.lifetime.Done():
		return step{}, aborted
	case <-e.fenced:
		return step{}, fencedOff
	}
}

// fail gives the invocation the outcome of a process that ended or ran out of time; every process is gone afterwards.
func (i *invocation) fail(why reason) error {
	p := i.process
	switch why {
	case exited:
		if p.err == nil {
			i.out = crashed(i.RequestID, p.exit, p.extensions.Fault())
			if p.streaming() {
				i.out.cut(codeTruncated)
			}
			break
		}
		out, ok := notStarted(i.RequestID, i.command.Args, p.err)
		if !ok {
			return p.err
		}
		i.out = out
	case deserted:
		if p.gone.err != nil && !errors.Is(p.gone.err, sandbox.ErrExec) {
			return p.gone.err
		}
		i.out = extensionFailed(i.RequestID, p.extensions.Fault(), p.gone)
	case expired:
		i.out = timedOut(i.RequestID, i.function.Timeout)
		if p.streaming() {
			i.out.cut(codeTimedOut)
		}
		i.stop(afterExpiry)
		return nil
	case fencedOff:
		i.stage = stageOver
		i.stop(spindown)
		return ErrFenced
	default:
		i.stage = stageOver // nobody knows what would have come of it
		i.stop(spindown)
		return ErrClosed
	}
	i.stop(afterError)
	return nil
}

// stop ends what runs, if anything does. While extensions can still hear it, it tells what came of the stage that this cuts short.
func (i *invocation) stop(why string) {
	if i.process != nil {
		i.tellRuntimeEnd()
		if i.stage == stageReady {
			i.tellExtensions()
		}
		i.stage = stageOver
		i.broken = errors.Join(i.broken, i.kill(why))
	}
}

// settle waits until the runtime, which has answered, and the extensions ask for their next event: only then is the invocation over
// (lambda-runtime-environment.html, Invoke phase). What goes wrong here shows in the REPORT line and no longer in the answer.
func (i *invocation) settle() {
	_, why := i.wait(i.deadline.C, nil)
	if why == stepped {
		i.tellRuntimeEnd()
		why = i.settleExtensions()
	}
	if why == stepped {
		return
	}
	answer := i.out
	if err := i.fail(why); err != nil {
		i.broken = errors.Join(i.broken, err)
	}
	i.out.payload, i.out.failed, i.out.code = answer.payload, answer.failed, answer.code
}

// finish writes the report, returns the tail of the log and gives the environment back.
func (i *invocation) finish() (tail []byte) {
	i.report()
	if i.LogTail {
		tail = i.log.endTail()
	}
	if i.broken != nil {
		i.m.config.Logger.Error("An environment is given up.", slog.String("function", i.function.ARN), slog.Any("err", i.broken))
	}
	i.m.release(i.environment, i.broken == nil)
	return tail
}

// report writes the last lines of the invocation's log and counts it.
func (i *invocation) report() {
	i.usage.took = time.Since(i.began)
	i.deadline.Stop()
	i.expiry.Stop()
	if i.process != nil {
		i.process.output.drain()
		for _, c := range i.process.companions {
			c.output.drain()
		}
	}
	result := resultOK
	switch {
	case i.out.status == statusTimeout:
		i.usage.took = i.function.Timeout
		result = resultTimeout
	case i.out.failed || i.out.status != "":
		result = resultFunction
	}
	i.usage.peakMemory = i.memory()
	i.tellReport()
	i.m.metrics.results[result].Inc()
	i.m.metrics.duration.Observe(i.usage.took.Seconds())
}
