// Package telemetry tells an OpenTelemetry collector how requests spend their time: spans from the front door to the sandbox.
//
// It never decides anything, and nothing waits for the collector: spans that it does not take in time are dropped. What a span says
// of a request is its service, operation, request id and error code, never its content. Where nobody collects, the zero values of
// this package do nothing and allocate nothing.
//
// Everything here is safe for concurrent use. A request continues the trace that its caller names: by traceparent
// (https://www.w3.org/TR/trace-context/), else by X-Amzn-Trace-Id
// (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader). The collector and the sampler are
// configured by the variables that every OpenTelemetry program knows
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
//
// To measure one more step: Child and a deferred End.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope names this program as the source of spans.
const scope = "github.com/licet/licet"

// Tracing sends spans to a collector. A nil *Tracing makes none.
type Tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// Open makes a Tracing that sends to the collector that OTEL_EXPORTER_OTLP_ENDPOINT, or its form for traces, names. It does not wait
// for it.
func Open(ctx context.Context, version string) (*Tracing, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("make exporter of spans: %w", err)
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "licet"), attribute.String("service.version", version)),
		resource.WithFromEnv()) // which may name the service otherwise
	if err != nil {
		return nil, errors.Join(fmt.Errorf("describe this server: %w", err), exporter.Shutdown(ctx))
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return &Tracing{provider: provider, tracer: provider.Tracer(scope)}, nil
}

// Close sends what is left, as long as ctx lasts.
func (t *Tracing) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last spans: %w", err)
	}
	return nil
}

// Request begins the span of a request. The context that it returns is for what the request makes the server do.
func (t *Tracing) Request(r *http.Request) (context.Context, Span) {
	ctx := r.Context()
	if t == nil {
		return ctx, Span{}
	}
	before := propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	if !trace.SpanContextFromContext(before).IsValid() {
		before = trace.ContextWithRemoteSpanContext(ctx, fromXRay(r.Header.Get("X-Amzn-Trace-Id")))
	}
	ctx, span := t.tracer.Start(before, "request", trace.WithSpanKind(trace.SpanKindServer))
	return ctx, Span{span}
}

// Child begins the span of a step within the one of ctx. Without one, or when that is not recorded, it gives ctx back.
func Child(ctx context.Context, name string) (context.Context, Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, Span{}
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, name)
	return ctx, Span{span}
}

// Span is one step of a request. The zero Span does nothing.
type Span struct{ span trace.Span }

// Call says what is asked of the server.
func (s Span) Call(service, operation, requestID string) {
	if s.span == nil || !s.span.IsRecording() {
		return
	}
	s.span.SetName(service + "." + operation)
	s.span.SetAttributes(attribute.String("rpc.system", "aws-api"), attribute.String("rpc.service", service),
		attribute.String("rpc.method", operation), attribute.String("aws.request_id", requestID))
}

// Fail says that the step failed, with AWS's code of the error.
func (s Span) Fail(code string) {
	if s.span != nil {
		s.span.SetStatus(codes.Error, code)
	}
}

// End ends the span.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}
