package compat

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spans is a collector of OpenTelemetry: how often it was told of each span, as "parent > name".
func spans(t *testing.T) (url string, counts func() map[string]int) {
	t.Helper()
	var mu sync.Mutex
	names, parents := make(map[string]string), make(map[string]string)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var m collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &m)
		}
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, rs := range m.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					names[string(s.SpanId)], parents[string(s.SpanId)] = s.Name, string(s.ParentSpanId)
				}
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		all := make(map[string]int)
		for id, name := range names {
			if parent := names[parents[id]]; parent == "lambda.Invoke" || parent == "invoke" {
				all[parent+" > "+name]++
			}
		}
		return all
	}
}

func TestTracing(t *testing.T) {
	url, counts := spans(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
	l := newServer(t)
	p := l.newUser(t, allow("lambda:InvokeFunction", "*"))
	f := l.newFunction(t, echo)
	for range 2 { // with the tail, the environment is free for the second when the first has its answer
		if got, _ := p.invokeTailed(t, f.name, `"x"`); string(got.Payload) != `"x"` {
			t.Fatalf("got %s", got.Payload)
		}
	}
	l.end(t) // which sends the last spans
	want := map[string]int{"lambda.Invoke > decide": 2, "lambda.Invoke > invoke": 2, "invoke > init": 1}
	if d := cmp.Diff(want, counts()); d != "" {
		t.Error(d)
	}
}
