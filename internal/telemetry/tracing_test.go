package telemetry

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// row is what a collector sees of a span.
type row struct {
	Name, Trace, Parent, Code string
}

// collect is an OTLP/HTTP receiver; its answer gives what it got in the end.
func collect(t *testing.T) func() []row {
	t.Helper()
	got := make(chan *collector.ExportTraceServiceRequest, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var m collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &m)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		got <- &m
	}))
	t.Cleanup(s.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
	return func() (rows []row) {
		close(got)
		for m := range got {
			for _, rs := range m.ResourceSpans {
				for _, ss := range rs.ScopeSpans {
					for _, s := range ss.Spans {
						rows = append(rows, row{
							s.Name, hex.EncodeToString(s.TraceId), hex.EncodeToString(s.ParentSpanId), s.Status.GetMessage(),
						})
					}
				}
			}
		}
		return rows
	}
}

const (
	w3c  = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
)

func TestRequestContinuesTheCallersTrace(t *testing.T) {
	for _, test := range []struct {
		name          string
		header        map[string]string
		trace, parent string
	}{
		{"W3C", map[string]string{"Traceparent": w3c, "X-Amzn-Trace-Id": xray}, "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"},
		{"X-Ray", map[string]string{"X-Amzn-Trace-Id": xray}, "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := collect(t)
			tracing, err := Open(t.Context(), "test")
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			for name, value := range test.header {
				r.Header.Set(name, value)
			}
			ctx, span := tracing.Request(r)
			span.Call("lambda", "Invoke", "id")
			_, child := Child(ctx, "invoke")
			child.Fail("TooManyRequestsException")
			child.End()
			span.End()
			if err := tracing.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := rows()
			if len(got) != 2 {
				t.Fatalf("%d spans, want 2: %v", len(got), got)
			}
			got[0].Parent = "" // the id of the request's span, which is random
			want := []row{{"invoke", test.trace, "", "TooManyRequestsException"}, {"lambda.Invoke", test.trace, test.parent, ""}}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUnusableHeadersBeginATrace(t *testing.T) {
	for _, header := range []string{
		"", ";;=", "Root=1-5759e988-bd862e3fe1be46a994272793", "Parent=53995c3f42cd8ad8",
		"Root=1-5759e988-short;Parent=53995c3f42cd8ad8;Sampled=1", "Root=1-00000000-000000000000000000000000;Parent=53995c3f42cd8ad8",
	} {
		if got := fromXRay(header); got.IsValid() {
			t.Errorf("%q names the span %v", header, got)
		}
	}
}

func TestNothingIsAllocatedWithoutCollector(t *testing.T) {
	var tracing *Tracing
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Traceparent", w3c)
	if n := testing.AllocsPerRun(100, func() {
		ctx, span := tracing.Request(r)
		span.Call("lambda", "Invoke", "id")
		_, child := Child(ctx, "invoke")
		child.Fail("code")
		child.End()
		span.End()
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
	if err := tracing.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// FuzzFromXRay looks for headers that panic, or whose span has other ids than they name.
func FuzzFromXRay(f *testing.F) {
	f.Add("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	f.Add("Root=;Parent=;Root=1-;=;Sampled")
	f.Fuzz(func(t *testing.T, header string) {
		c := fromXRay(header)
		if c.HasSpanID() && !strings.Contains(header, c.SpanID().String()) || c.HasTraceID() && !strings.Contains(header, c.TraceID().String()[8:]) {
			t.Errorf("%q: got %s, %s", header, c.TraceID(), c.SpanID())
		}
	})
}
