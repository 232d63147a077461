package execution

import (
	"errors"
	"net/http"
	"time"

	"github.com/licet/licet/internal/execution/platform"
)

// A version with SnapStart has no snapshot here: each environment initializes, and then goes through the Restore phase as if it had been
// made from one (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, Restore phase). A runtime that has something
// to do in it asks restore/next instead of invocation/next at the end of its initialization, and invocation/next at the end of the phase
// (https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-custom.html).

// restoreLimit is how long a Restore phase may take.
const restoreLimit = 10 * time.Second

// States of a runtime that takes part in a Restore phase, in the words of the official agent (core/runtime_state_names.go).
const (
	restoreReady state = "RestoreReady"
	restoring    state = "Restoring"
	restoreError state = "RuntimeRestoreErrorState"
)

// restores tells whether the environment has a Restore phase. A provisioned one has none: its runtime is told that it is provisioned.
func (e *environment) restores() bool { return e.initializationType() == platform.SnapStart }

// initLimit is how long an Init phase before an invocation may take: that before a snapshot is no part of one (lambda.md 7.6).
func (e *environment) initLimit() time.Duration {
	if e.restores() {
		return max(provisionedInitLimit, e.function.Timeout)
	}
	return e.m.initLimit
}

// restore runs the Restore phase of an environment that has one and is initialized. An error says that it did not become ready; unless
// it is an ErrSnapStart, the server failed.
func (i *invocation) restore() error {
	if !i.restores() {
		return nil
	}
	began := time.Now()
	i.stage = stageRestore
	i.tellRestoreStart()
	billed, err := i.runRestore()
	if err != nil {
		return err
	}
	i.tellRuntimeEnd()
	i.usage.restored = &platform.Restored{Duration: platform.Milliseconds(time.Since(began)), Billed: platform.Billed(billed)}
	i.tellRestoreReport()
	if i.out.status != "" {
		return ErrSnapStart{Timeout: i.out.status == statusTimeout}
	}
	i.clock() // of which this was no part
	return nil
}

// runRestore lets the runtime do its part, which may be nothing. When it fails in it, i.out tells how, and no process is left.
func (i *invocation) runRestore() (took time.Duration, err error) {
	limit := time.NewTimer(i.m.restoreLimit)
	defer limit.Stop()
	began := time.Now()
	if !i.process.release() {
		return 0, nil
	}
	s, why := i.wait(limit.C, nil)
	took = time.Since(began)
	switch {
	case why != stepped:
		err = i.fail(why)
	case s.kind == restoreError:
		i.out = s.outcome
		i.patience.Reset(i.m.exitPatience)
		i.wait(limit.C, i.patience.C)
		i.stop(afterError)
	}
	return took, err
}

// giveUp ends an invocation that did not begin because of err, and gives up its environment. Whoever takes a stream, which has begun, gets
// the failure of a Restore phase as its end.
func (i *invocation) giveUp(err error) (Result, error) {
	failed, restoring := errors.AsType[ErrSnapStart](err)
	result := resultServer
	if restoring {
		result = resultFunction
	}
	i.m.metrics.results[result].Inc()
	i.m.release(i.environment, false)
	if restoring && i.Stream != nil {
		return Result{FunctionError: unhandled, ErrorType: failed.Code()}, nil
	}
	return Result{}, err
}

func (i *invocation) tellRestoreStart() {
	f := &i.function
	version, arn := i.runtime()
	i.tell(&platform.RestoreStart{RuntimeVersion: version, RuntimeVersionARN: arn, FunctionName: f.Name, FunctionVersion: f.Version,
		InstanceID: i.log.stream, InstanceMaxMemory: int64(f.MemoryMB) << 20})
}

func (i *invocation) tellRestoreRuntimeDone() {
	status, errorType := i.status()
	i.tell(&platform.RestoreRuntimeDone{Status: status, ErrorType: errorType})
}

func (i *invocation) tellRestoreReport() {
	status, errorType := i.status()
	took := i.usage.restored
	i.tell(&platform.RestoreReport{Status: status, ErrorType: errorType,
		Metrics: platform.RestoreReportMetrics{Duration: took.Duration, Billed: took.Billed}})
}

// asksRestore is a runtime that has initialized and asks to be restored.
func (s *session) asksRestore() *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != started {
		return notAllowed(s.state, ready) // the agent, too, names the state that comes later (rapi/handler/restorenext.go)
	}
	s.state = restoreReady
	s.steps <- step{kind: restoreReady}
	return nil
}

// release answers a runtime that asked to be restored; false when none did.
func (s *session) release() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != restoreReady {
		return false
	}
	s.state = restoring
	close(s.restored)
	return true
}

// nextRestore is the long poll that ends when the environment has been restored. Its answer says nothing more.
func nextRestore(w http.ResponseWriter, r *http.Request, s *session) {
	if refused := s.asksRestore(); refused != nil {
		refuse(w, refused)
		return
	}
	select {
	case <-s.restored:
		w.WriteHeader(http.StatusOK)
	case <-s.ended:
		panic(http.ErrAbortHandler) // close the connection: there is nobody left to answer
	case <-r.Context().Done():
	}
}

// failRestore takes the error of a runtime that could not go on after it was restored. Nobody is told more of it than its type, as with
// the official agent (rapi/handler/restoreerror.go): the runtime's log has the rest.
func failRestore(w http.ResponseWriter, r *http.Request, s *session) {
	if refused := s.to(restoreError, restoring); refused != nil {
		refuse(w, refused)
		return
	}
	s.steps <- step{kind: restoreError, outcome: outcome{failed: true, status: statusError,
		errorType: errorTypeOf(r.Header.Get("Lambda-Runtime-Function-Error-Type"))}}
	accept(w)
}
