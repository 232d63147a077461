package lambda

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/async"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

const (
	// maxEvent and maxLegacyEvent are the payloads that Invoke and InvokeAsync take for asynchronous invocations (lambda.md 7.1).
	maxEvent       = 1 << 20
	maxLegacyEvent = 256 << 10

	// The defaults of a function without an event invoke configuration (lambda.md 7.2).
	defaultRetries  = 2
	defaultEventAge = 6 * time.Hour
)

// arrival is an event that comes for an asynchronous invocation.
type arrival struct {
	payload []byte
	limit   int    // of the payload's size
	tenant  string // "" for none
}

// accept takes the event of an asynchronous invocation in. Afterwards it is durable.
func (s *Service) accept(ctx context.Context, c *service.Call, r request.Function, a arrival) error {
	payload, limit := a.payload, a.limit
	if len(payload) > limit { // recorded from AWS, with the limit of its time: ASFHyP3/hyp3, issue 2241
		return fault.EntityTooLarge("%d byte payload is too large for the Event invocation type (limit %d bytes)", len(payload), limit)
	}
	if err := checkPayload(payload); err != nil {
		return err
	}
	f, err := s.invocable(ctx, r)
	if err != nil {
		return err
	}
	if err := checkTenant(f.version, a.tenant); err != nil {
		return err
	}
	if err := s.checkRunnable(f.version); err != nil {
		return err
	}
	if !s.Room() { // the text is ours
		return awserr.New("ServiceException", http.StatusInternalServerError, "There is no room for events now.")
	}
	event := async.Event{Function: r, RequestID: c.RequestID, Tenant: a.tenant}
	if len(c.TraceID) <= maxTrace { // a longer one would not be carried on, and what is kept must be small
		event.TraceID = c.TraceID
	}
	return s.events.Accept(ctx, event, orEmpty(payload), func(reader store.Reader) error { return checkFunction(reader, inFull(r)) })
}

// orEmpty is what functions see of an invocation without a payload (recorded).
func orEmpty(payload []byte) []byte {
	if len(payload) == 0 {
		return []byte("{}")
	}
	return payload
}

// OpenEvents finds the events that wait since before the start. It comes before the first call.
func (s *Service) OpenEvents(ctx context.Context) error { return s.events.Open(ctx) }

// RunEvents runs functions with the events of asynchronous invocations until ctx ends, and returns when those that run have ended: the
// Runner must end, too.
func (s *Service) RunEvents(ctx context.Context) error { return s.events.Run(ctx) }

// Collectors are the service's metrics, to be registered once.
func (s *Service) Collectors() []prometheus.Collector {
	return slices.Concat(s.events.Collectors(), s.urls.Collectors(), s.pollers.Collectors())
}

// callable shows functions to the queue of events.
type callable struct{ *Service }

// Function finds the version that runs now: that of an alias is drawn for each run.
func (s callable) Function(ctx context.Context, e *async.Event) (async.Function, error) {
	r := e.Function
	f, err := s.find(ctx, r)
	if err == nil {
		f, err = s.route(ctx, f)
	}
	if err != nil {
		return async.Function{}, err
	}
	config, err := s.eventInvokeConfig(ctx, r)
	if err != nil {
		return async.Function{}, err
	}
	own, err := s.ownConcurrency(ctx, r)
	if err != nil {
		return async.Function{}, err
	}
	trace, looping := f.function.step(e.TraceID, e.RequestID, e.Accepted)
	called := async.Function{
		TraceID: trace, Looping: looping,
		Version: f.version.Number, Role: f.version.Role, Blocked: own.Reserved != nil && *own.Reserved == 0,
		RetryLimit: defaultRetries, MaxAge: defaultEventAge,
		OnSuccess: config.OnSuccessARN, OnFailure: config.OnFailureARN, DeadLetter: f.version.DeadLetter,
		Run: func(ctx context.Context, i execution.Invocation) (execution.Result, error) {
			run, err := s.runnable(ctx, f)
			if err != nil {
				return execution.Result{}, err
			}
			return s.Runner.Invoke(ctx, run, i)
		},
	}
	if config.RetryLimit != nil {
		called.RetryLimit = int(*config.RetryLimit)
	}
	if config.MaxAge != nil {
		called.MaxAge = time.Duration(aws.ToInt32(config.MaxAge)) * time.Second
	}
	return called, nil
}

// eventInvokeConfig reads the configuration of a function, version or alias; the zero value where it has none.
func (s *Service) eventInvokeConfig(ctx context.Context, r request.Function) (config eventInvokeConfig, err error) {
	err = s.DB.View(ctx, func(reader store.Reader) error {
		config, err = store.GetJSON[eventInvokeConfig](reader, eventInvokeKey(r))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return eventInvokeConfig{}, fmt.Errorf("read the event invoke configuration of %s: %w", r.ARN(), err)
	}
	return config, nil
}
