package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/store"
)

// Poller is what the Source of one mapping has of the room. Its methods are safe for concurrent use.
type Poller struct {
	Mapping
	room *Room
	key  string
	// prefixes of keys on which the poller depends.
	prefixes []string
	// life ends when the poller is to stop, ctx when this server is to stop polling; work outlives both.
	life context.Context
	stop context.CancelFunc
	ctx  context.Context
	work context.Context

	mu     sync.Mutex
	moment *moment
	// result is the last one, written the one that the store has.
	result, written string
	// noted tells the writer of results. Capacity 1.
	noted chan struct{}
}

// moment is the time between two changes of what a poller depends on.
type moment struct {
	ctx context.Context
	end context.CancelFunc
}

func newMoment() *moment {
	ctx, end := context.WithCancel(context.Background())
	return &moment{ctx, end}
}

func (r *Room) newPoller(ctx context.Context, key string, m Mapping) *Poller {
	p := &Poller{Mapping: m, room: r, key: key, moment: newMoment(), noted: make(chan struct{}, 1)}
	p.life, p.stop = context.WithCancel(ctx)
	p.work = context.WithoutCancel(ctx)
	p.prefixes = []string{
		"iam/" + m.Function.Account + "/role", "iam/" + m.Function.Account + "/policy/", "organizations/",
		"lambda/" + m.Function.Account + "/" + m.Function.Region + "/function/" + m.Function.Name,
		"lambda/" + m.Function.Account + "/" + m.Function.Region + "/of/" + m.Function.Name + "/",
	}
	if m.Config.EventSourceArn != nil && m.Service == "sqs" {
		if parts := strings.Split(*m.Config.EventSourceArn, ":"); len(parts) == 6 {
			p.prefixes = append(p.prefixes, "sqs/queue/"+parts[4]+"/"+parts[3]+"/"+parts[5])
		}
	}
	if m.Config.LastProcessingResult != nil {
		p.result, p.written = *m.Config.LastProcessingResult, *m.Config.LastProcessingResult
	}
	return p
}

func (p *Poller) dependsOn(key string, several bool) bool {
	for _, prefix := range p.prefixes {
		if strings.HasPrefix(key, prefix) || several && strings.HasPrefix(prefix, key) {
			return true
		}
	}
	return false
}

// poke ends the moment.
func (p *Poller) poke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moment.end()
	p.moment = newMoment()
}

// run polls until ctx ends. A Source that fails is begun again. It may be called again when it has returned.
func (p *Poller) run(ctx context.Context, source Source) {
	ctx, end := context.WithCancel(ctx)
	p.ctx = ctx
	results := make(chan struct{})
	go func() {
		defer close(results)
		p.writeResults()
	}()
	for failures := 0; p.ctx.Err() == nil; failures++ {
		now := p.Moment()
		if err := p.safely(source); err != nil {
			p.Logger().ErrorContext(p.work, "A poller failed, and is begun again.", slog.Any("err", err))
		}
		p.Rest(now, failures)
	}
	end()
	<-results
	p.writeResult() // of what was read before
	p.mu.Lock()
	p.result, p.written = "", "" // what another server will have written is not known
	p.mu.Unlock()
}

func (p *Poller) safely(source Source) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return source(p.ctx, p)
}

// Logger names the mapping.
func (p *Poller) Logger() *slog.Logger {
	return p.room.config.Logger.With(slog.String("mapping", *p.Config.EventSourceMappingArn), slog.String("function", p.Function.ARN()))
}

// Moment gives a context that ends when something changes that the poller depends on. It is to be asked for before what may fail, or wait.
func (p *Poller) Moment() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moment.ctx
}

// mostRest is the longest that a poller rests.
const mostRest = time.Minute

// Rest waits after failures, of which there were so many before, until the moment or the poller ends at the latest.
func (p *Poller) Rest(now context.Context, before int) {
	wait := mostRest
	if before < 6 {
		wait = time.Second << before
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-now.Done():
	case <-p.ctx.Done():
	}
}

// Read makes a call of the source with the session of the execution role.
func (p *Poller) Read(ctx context.Context, operation string, in any) (any, error) {
	role, err := p.room.config.RoleOf(ctx, p.Function)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", p.Function.ARN(), err)
	}
	return p.room.config.Doors.AsRole(ctx, Role{
		ARN: role, Function: p.Function.FunctionARN(), Name: p.Function.Name, Account: p.Function.Account, Region: p.Function.Region,
	}, p.Service, operation, in)
}

// Invoke calls the function with a batch of events, whose traces are given.
func (p *Poller) Invoke(ctx context.Context, payload []byte, traces []string) (Answer, error) {
	m := p.room.metrics
	m.running.Inc()
	defer m.running.Dec()
	answer, err := p.room.config.Doors.Invoke(ctx, Event{Function: p.Function, Payload: payload, TraceID: p.room.config.Merge(traces)})
	result := invocationOK
	switch e, _ := errors.AsType[*awserr.Error](err); {
	case e != nil && e.Status == http.StatusTooManyRequests:
		result = invocationThrottled
	case err != nil:
		result = invocationRefused
	case answer.Failed:
		result = invocationFailed
	}
	m.invocations[result].Inc()
	return answer, err
}

// Result notes how the last batch went.
func (p *Poller) Result(result string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result = result
	if p.result == p.written {
		return
	}
	select {
	case p.noted <- struct{}{}:
	default:
	}
}

// Results, as LastProcessingResult has them. The first two are known (lambda.md 5.4), the others ours.
const (
	OK             = "OK"
	FunctionFailed = "PROBLEM: Function call failed"
	Throttled      = "PROBLEM: Function call was throttled"
	Recursive      = "PROBLEM: Function call was stopped in a recursive loop"
	NoFunction     = "PROBLEM: Function does not exist"
	cannotAssume   = "PROBLEM: The role defined for the function cannot be assumed by Lambda."
	internalError  = "PROBLEM: Internal error"
)

// Problem says what kept the poller from an operation of its source, which has the name source in texts. The texts are those of the operations
// on mappings (lambda.md 5.3).
func (p *Poller) Problem(source, operation string, err error) string {
	e, ok := errors.AsType[*awserr.Error](err)
	switch {
	case errors.Is(err, ErrAssume):
		return cannotAssume
	case errors.Is(err, store.ErrNotFound):
		return NoFunction
	case ok && e.Status == http.StatusForbidden:
		return "PROBLEM: The function execution role does not have permissions to call " + operation + " on " + source
	case ok && e.Sender():
		return "PROBLEM: Error occurred while " + operation + ". " + source + " Error Code: " + e.Code + ". " + source + " Error Message: " + e.Message
	}
	p.Logger().ErrorContext(p.work, "A source could not be read.", slog.String("operation", operation), slog.Any("err", err))
	return internalError
}

// resultPause is the least time between two results that are written.
const resultPause = time.Second

// writeResults keeps the last result in the store until the poller ends.
func (p *Poller) writeResults() {
	for {
		select {
		case <-p.ctx.Done():
			p.writeResult()
			return
		case <-p.noted:
		}
		p.writeResult()
		timer := time.NewTimer(resultPause)
		select {
		case <-timer.C:
		case <-p.ctx.Done():
			timer.Stop()
		}
	}
}

func (p *Poller) writeResult() {
	p.mu.Lock()
	result, written := p.result, p.written
	p.mu.Unlock()
	if result == written {
		return
	}
	err := p.room.config.Mappings.SetResult(p.work, p.key, result)
	if err != nil {
		p.Logger().ErrorContext(p.work, "The result of a mapping could not be written.", slog.Any("err", err))
		return
	}
	p.mu.Lock()
	p.written = result
	p.mu.Unlock()
}
