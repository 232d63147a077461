package main

import (
	"context"
	"os"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/licet/licet/internal/telemetry"
)

// lastSpansTimeout is how long a collector may take, when the server stops, to accept what is left.
const lastSpansTimeout = 5 * time.Second

// openTracing makes spans for the collector that the environment names; nil when it names none.
func (s *server) openTracing(ctx context.Context) (*telemetry.Tracing, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return nil, nil
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		s.logger.Warn("Spans could not be sent.", "err", err)
	}))
	tracing, err := telemetry.Open(ctx, version)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), lastSpansTimeout)
		defer cancel()
		if err := tracing.Close(ctx); err != nil { // nobody else loses by it
			s.logger.Warn("The last spans could not be sent.", "err", err)
		}
		return nil
	})
	return tracing, nil
}
