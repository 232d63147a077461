package edge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
)

// visits is a service of one operation, which requests for the host "open.test" make without anybody being authenticated.
type visits struct{ operation, open *protocol.Operation }

type visit struct{}

func newVisits() visits {
	o := protocol.Operation{Name: "Visit", Input: reflect.TypeFor[visit](), Output: reflect.TypeFor[visit]()}
	open := o
	open.Open = true
	return visits{&o, &open}
}

func (v visits) Operation(r *protocol.Request) (*protocol.Operation, error) {
	if r.HTTP.Host == "open.test" {
		return v.open, nil
	}
	return v.operation, nil
}

func (visits) Decode(*protocol.Request, *protocol.Operation) (any, error) { return &visit{}, nil }

// Encode writes a part of an answer, and breaks it off if the path says so.
func (visits) Encode(w http.ResponseWriter, _ *protocol.Operation, _ any, id string) error {
	w.Header().Set("X-Amzn-Requestid", id)
	_, _ = io.WriteString(w, "part")
	if err := http.NewResponseController(w).Flush(); err != nil {
		return err
	}
	panic(http.ErrAbortHandler)
}

func (visits) EncodeError(w http.ResponseWriter, err *awserr.Error, id string) {
	protocol.Answer(w, err.Status, "text/plain", []byte(err.Code), id)
}

// A codec may say of a request that nobody is authenticated: then no signature counts, good or bad. The host may be one for which licet's own
// pages are not there. An answer that the codec breaks off is cut off for the client, and no panic.
func TestOpenRequests(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	v, callers := newVisits(), make(chan authz.PrincipalKind, 1)
	op := service.OpBy("Visit", func(context.Context, *service.Call, *visit) ([]service.Need, error) {
		everybody := document(t, "everybody", `{"Effect":"Allow","Principal":"*","Action":"x:Visit","Resource":"*"}`)
		return []service.Need{{Action: "x:Visit", Target: service.Target{ARN: "arn:aws:x:::y", Account: account, Policy: &everybody}}}, nil
	}, func(_ context.Context, c *service.Call, _ *visit) (*visit, error) {
		callers <- c.Caller.Kind
		return &visit{}, nil
	})
	admit := func(_ context.Context, c *service.Call, _ *visit) error { c.Account = account; return nil }
	d, err := dispatch.New(dispatch.Config{
		Services: []service.Service{{
			API:   &protocol.API{SigningName: "visits", SignedAs: "lambda", Operations: []protocol.Operation{*v.operation}},
			Codec: v, Operations: []service.Operation{service.Public(op, admit)},
			Denial: func(string) error { return awserr.New("AccessDenied", 403, "no") },
		}},
		Policies: w, Organizations: w, KnownAction: func(string) bool { return true }, Log: w.log, Mode: dispatch.Enforce, Now: w.config.Now,
		Region: region, Partition: "aws",
	})
	if err != nil {
		t.Fatal(err)
	}
	config := w.config
	config.Dispatcher, config.Gatherer, config.Logger = d, prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	config.ServiceOf = func(r *http.Request, _ string) string {
		if strings.HasSuffix(r.Host, ".test") {
			return "visits"
		}
		return ""
	}
	if w.Server, err = New(config); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(w.Server)
	t.Cleanup(front.Close)
	w.url = front.URL
	for name, c := range map[string]struct {
		host, key, authorization string
		want                     authz.PrincipalKind // "" for a refusal
	}{
		"open":                      {"open.test", "", "", authz.Anonymous},
		"open, signed":              {"open.test", "USER", "", authz.Anonymous},
		"open, with something else": {"open.test", "", "Bearer x", authz.Anonymous},
		"signed":                    {"shut.test", "USER", "", authz.User},
		"not signed":                {"shut.test", "", "", authz.Anonymous},
		"signed by nobody we know":  {"shut.test", "STRANGER", "", ""},
		"with something else":       {"shut.test", "", "Bearer x", ""},
	} {
		q := request{method: "POST", path: "/_licet/health", body: "b", service: "lambda", key: c.key}
		r := w.makeFor(c.host, q)
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if c.want == "" {
			if resp.StatusCode != http.StatusForbidden || len(callers) > 0 {
				t.Errorf("%s: got %s %s", name, resp.Status, body)
			}
			continue
		}
		if string(body) != "part" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%s: got %s %q, %v, want an answer that is cut off", name, resp.Status, body, err)
		}
		if got := <-callers; got != c.want {
			t.Errorf("%s: got caller %s, want %s", name, got, c.want)
		}
	}
	if n := testutil.ToFloat64(w.panics); n != 0 {
		t.Errorf("%v answers that were broken off count as panics", n)
	}
	if got := w.do(page("/_licet/health")); got.status != http.StatusOK {
		t.Errorf("the page of another host: got %d %s", got.status, got.body)
	}
}
