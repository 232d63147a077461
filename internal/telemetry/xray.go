package telemetry

import (
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// fromXRay reads Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1. A header without both ids names no span
// that could be continued.
func fromXRay(header string) trace.SpanContext {
	var config trace.SpanContextConfig
	for part := range strings.SplitSeq(header, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "Root":
			at, random, _ := strings.Cut(strings.TrimPrefix(value, "1-"), "-")
			if len(at) == 8 { // or it is another id, with its parts elsewhere
				config.TraceID, _ = trace.TraceIDFromHex(at + random) // zero, which is not valid, for what is none
			}
		case "Parent":
			config.SpanID, _ = trace.SpanIDFromHex(value)
		case "Sampled":
			if value == "1" {
				config.TraceFlags = trace.FlagsSampled
			}
		}
	}
	config.Remote = true
	return trace.NewSpanContext(config)
}
