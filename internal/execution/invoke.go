package execution

import (
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// exitPatience is how long a runtime that could not initialize may take to print why and to exit.
const exitPatience = 500 * time.Millisecond

// invocation is one run of an event in an environment, which it owns.
type invocation struct {
	*environment
	Invocation
	usage usage
	began time.Time
	out   outcome
	// broken is set when the sandbox can no longer be trusted. It does not change the outcome.
	broken error
}

// invoke runs an event and gives the environment back.
func (e *environment) invoke(call Invocation) (Result, error) {
	i := &invocation{environment: e, Invocation: call, usage: usage{memoryMB: e.function.MemoryMB}}
	if call.LogTail {
		e.log.beginTail()
	}
	settled, err := i.run()
	if err != nil {
		e.m.metrics.results[resultServer].Inc()
		e.m.release(e, false)
		return Result{}, err
	}
	result := Result{Payload: i.out.payload}
	if i.out.failed {
		result.FunctionError = unhandled
	}
	if !settled {
		e.m.background.Go(func() {
			i.settle()
			i.finish()
		})
		return result, nil
	}
	result.LogTail = i.finish()
	return result, nil
}

// run brings the event to its outcome. It returns false when the runtime has answered but not yet asked for its next event.
func (i *invocation) run() (settled bool, err error) {
	if i.sandbox == nil {
		if _, err := i.coldStart(i.m.initLimit); err != nil {
			return false, err
		}
	}
	i.began = time.Now()
	i.deadline.Reset(i.function.Timeout)
	if !i.alive() {
		initialized, err := i.initialize("invoke", i.deadline.C)
		if err != nil {
			return false, err
		}
		if !initialized {
			i.log.platform(startLine(i.RequestID, i.function.Version))
			return true, nil
		}
	}
	i.log.platform(startLine(i.RequestID, i.function.Version))
	deadline := i.began.Add(i.function.Timeout)
	i.process.events <- &event{Invocation: i.Invocation, invocationID: uuid.NewString(), deadline: deadline}
	s, why := i.wait(i.deadline.C, nil)
	if why != stepped {
		return true, i.fail(why)
	}
	i.out = s.outcome
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
	i.m.metrics.coldStarts.Inc()
	end, err := i.m.starts.begin(i.m.lifetime, i.function.ARN)
	if err != nil {
		return false, err
	}
	defer end()
	if err := i.open(); err != nil {
		return false, err
	}
	i.log.platformUntailed(initStartLine(i.function.Region, runtimeVersion(i.function.Runtime, i.command.Version)))
	limit := time.NewTimer(longest)
	defer limit.Stop()
	began := time.Now()
	initialized, err = i.initialize("init", limit.C)
	if initialized {
		i.usage.init = time.Since(began)
		i.m.metrics.initDuration.Observe(i.usage.init.Seconds())
	}
	return initialized, err
}

// initialize starts the runtime and waits until it asks for its first event. When the function fails in it, i.out tells how.
func (i *invocation) initialize(phase string, limit <-chan time.Time) (initialized bool, err error) {
	i.out = outcome{}
	began := time.Now()
	if err := i.start(); err != nil {
		out, ok := notStarted(i.RequestID, i.command.Args[0], err)
		if !ok {
			return false, err
		}
		i.out = out
	} else {
		s, why := i.wait(limit, nil)
		switch {
		case why == stepped && s.kind == ready:
			return true, nil
		case why == stepped:
			i.out = s.outcome
			i.patience.Reset(exitPatience)
			i.wait(limit, i.patience.C)
			i.stop()
		default:
			if err := i.fail(why); err != nil {
				return false, err
			}
		}
	}
	i.log.platform(initReportLine(time.Since(began), phase, &i.out))
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
	case <-limit:
		return step{}, expired
	case <-patience:
		return step{}, impatient
	case <-e.m.lifetime.Done():
		return step{}, aborted
	}
}

// fail gives the invocation the outcome of a process that ended or ran out of time; the process is gone afterwards.
func (i *invocation) fail(why reason) error {
	switch why {
	case exited:
		p := i.process
		i.process = nil
		if p.err != nil {
			out, ok := notStarted(i.RequestID, i.command.Args[0], p.err)
			i.out = out
			if !ok {
				return p.err
			}
			return nil
		}
		i.out = crashed(i.RequestID, p.exit)
	case expired:
		i.out = timedOut(i.RequestID, i.function.Timeout)
		i.stop()
	default:
		i.stop()
		return ErrClosed
	}
	return nil
}

// stop ends the process, if there is one.
func (i *invocation) stop() {
	if i.alive() {
		i.broken = errors.Join(i.broken, i.kill())
	}
}

// settle waits until the runtime, which has answered, asks for its next event: only then is the invocation over
// (lambda-runtime-environment.html, Invoke phase). What goes wrong here shows in the REPORT line and no longer in the answer.
func (i *invocation) settle() {
	_, why := i.wait(i.deadline.C, nil)
	if why == stepped {
		return
	}
	answer := i.out
	if err := i.fail(why); err != nil {
		i.broken = errors.Join(i.broken, err)
	}
	i.out.payload, i.out.failed = answer.payload, answer.failed
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
	if i.process != nil {
		i.process.output.drain()
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
	i.log.platform(endLine(i.RequestID))
	i.log.platform(reportLine(i.RequestID, i.usage, i.out.status, i.out.errorType))
	i.m.metrics.results[result].Inc()
	i.m.metrics.duration.Observe(i.usage.took.Seconds())
}
