package subscription

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/internal/execution/platform"
)

// The paths of the two APIs.
const (
	telemetryPath = "/2022-07-01/telemetry"
	logsPath      = "/2020-08-15/logs"
)

// maxBody bounds what is read of a request.
const maxBody = 256 << 10

// api is one of the two.
type api struct {
	name    string                     // of the API, in texts
	schemas func(platform.Schema) bool // that it knows
	schema  platform.Schema            // unless one is asked for; "": one has to be
	invalid string                     // type of validation errors
	methods []string                   // by which it delivers
}

var (
	telemetryAPI = &api{"Telemetry", platform.Schema.Telemetry, "", "ValidationError", []string{http.MethodPost}}
	logsAPI      = &api{"Logs", platform.Schema.Logs, platform.Logs2020August, "Logs.ValidationError",
		[]string{http.MethodPost, http.MethodPut}}
)

// request is the body of a subscription.
type request struct {
	Schema      platform.Schema `json:"schemaVersion"`
	Types       []string        `json:"types"`
	Destination struct {
		Protocol string `json:"protocol"`
		URI      string `json:"URI"`
		Method   string `json:"method"`
		Port     int    `json:"port"` // of a TCP destination without URI
	} `json:"destination"`
	Buffering struct {
		MaxItems  *int `json:"maxItems"`
		MaxBytes  *int `json:"maxBytes"`
		TimeoutMs *int `json:"timeoutMs"`
	} `json:"buffering"`
}

func (a *api) subscribe(s *Stream, w http.ResponseWriter, r *http.Request, extension string) {
	sub, err := a.read(s, http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		answer(w, http.StatusBadRequest, failure{a.invalid, err.Error()})
		return
	}
	sub.name = extension
	added, open := s.subscribe(sub)
	if !open {
		answer(w, http.StatusForbidden,
			failure{a.name + ".SubscriptionClosed", a.name + " API subscription is closed already"})
		return
	}
	if added {
		e := &platform.Subscription{Name: extension, State: "Subscribed", Types: sub.kinds, ByLogsAPI: a == logsAPI}
		s.config.Log(e)
		s.Event(time.Now(), e)
	}
	answer(w, http.StatusOK, "OK")
}

// failure is the body of an error.
type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a connection that broke is the client's to notice
}

// read makes a subscriber of a request. Its error says all that is wrong.
func (a *api) read(s *Stream, body io.Reader) (*subscriber, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("request body cannot be read: %v", err)
	}
	var q request
	if err := json.Unmarshal(data, &q); err != nil {
		return nil, fmt.Errorf("request body is not valid: %v", err)
	}
	q.Schema = cmp.Or(q.Schema, a.schema)
	c := &checks{}
	c.check(a.schemas(q.Schema), "schemaVersion %q is not supported", q.Schema)
	where := c.destination(a, s.config.Reserved, &q)
	c.check(len(q.Types) > 0, "types should not be empty")
	for _, t := range q.Types {
		c.check(t == kindPlatform || t == kindFunction || t == kindExtension, "type %q is not supported", t)
	}
	// The limits are those of telemetry-api.html, "Configuring memory usage and buffering".
	sub := &subscriber{schema: q.Schema, kinds: unique(q.Types), wake: make(chan struct{}, 1), buffering: buffering{
		items:   c.within("maxItems", q.Buffering.MaxItems, 1000, 10_000, 10_000),
		bytes:   c.within("maxBytes", q.Buffering.MaxBytes, 256<<10, 1<<20, 256<<10),
		timeout: time.Duration(c.within("timeoutMs", q.Buffering.TimeoutMs, 25, 30_000, 1000)) * time.Millisecond,
	}}
	if len(c.wrong) > 0 {
		return nil, c
	}
	dial := func(ctx context.Context) (net.Conn, error) { return s.config.Dial(ctx, where.port) }
	if where.url == "" {
		sub.destination = &tcpDestination{dial: dial}
	} else {
		sub.destination = newHTTPDestination(where.method, where.url, dial)
	}
	return sub, nil
}

func unique(types []string) []string {
	var kinds []string
	for _, t := range types {
		if !slices.Contains(kinds, t) {
			kinds = append(kinds, t)
		}
	}
	return kinds
}

// place is what is asked for as destination.
type place struct {
	method, url string // "" for TCP
	port        int
}

// checks collects what is wrong.
type checks struct{ wrong []string }

func (c *checks) Error() string { return strings.Join(c.wrong, "; ") }

func (c *checks) check(ok bool, format string, args ...any) bool {
	if !ok {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
	return ok
}

func (c *checks) within(name string, asked *int, least, most, unset int) int {
	if asked == nil {
		return unset
	}
	c.check(least <= *asked && *asked <= most, "%s should be between %d and %d", name, least, most)
	return *asked
}

// hosts are the names of the sandbox.
var hosts = []string{"sandbox.localdomain", "sandbox", "localhost", "127.0.0.1"}

func (c *checks) destination(a *api, reserved []int, q *request) place {
	d := &q.Destination
	where := place{method: cmp.Or(strings.ToUpper(d.Method), http.MethodPost), url: d.URI, port: d.Port}
	ok := true
	switch strings.ToUpper(d.Protocol) {
	case "HTTP":
		c.check(slices.Contains(a.methods, where.method), "method %q is not supported", d.Method)
		where.port, ok = c.portOf(d.URI, "http")
	case "TCP":
		where.url = ""
		if d.URI != "" {
			where.port, ok = c.portOf(d.URI, "tcp")
		}
	default:
		ok = c.check(false, "protocol %q is not supported", d.Protocol)
	}
	if ok {
		c.check(0 < where.port && where.port <= 65535, "port %d is not valid", where.port)
		c.check(!slices.Contains(reserved, where.port), "port %d is reserved", where.port)
	}
	return where
}

// portOf is the port of a URI in the sandbox.
func (c *checks) portOf(uri, scheme string) (port int, ok bool) {
	if !c.check(uri != "", "URI is not provided") {
		return 0, false
	}
	u, err := url.Parse(uri)
	if !c.check(err == nil && u.Scheme == scheme, "URI %q is not valid", uri) {
		return 0, false
	}
	c.check(slices.Contains(hosts, u.Hostname()), "URI host should be %s", hosts[0])
	if !c.check(u.Port() != "", "URI port is not provided") {
		return 0, false
	}
	port, err = strconv.Atoi(u.Port())
	return port, c.check(err == nil, "URI port %q is not valid", u.Port())
}
