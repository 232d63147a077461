package subscription

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/execution/platform"
)

// box is a sandbox in which ports can be listened at.
type box struct {
	*Stream
	t      *testing.T
	mu     sync.Mutex
	ports  map[int]*pipeListener // guarded by mu
	dialed []int
	logged []platform.Event
}

func newBox(t *testing.T) *box {
	b := &box{t: t, ports: map[int]*pipeListener{}}
	b.Stream = New(Config{JSONLogs: true, Reserved: []int{9001, 4566},
		Log: func(e platform.Event) { b.logged = append(b.logged, e) },
		Dial: func(_ context.Context, port int) (net.Conn, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.dialed = append(b.dialed, port)
			l := b.ports[port]
			if l == nil {
				return nil, errors.New("connection refused")
			}
			ours, theirs := net.Pipe()
			l.connections <- theirs
			return ours, nil
		}})
	t.Cleanup(b.End)
	return b
}

// pipeListener accepts what a box dials.
type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (b *box) listen(port int) *pipeListener {
	l := &pipeListener{make(chan net.Conn, 10), make(chan struct{})}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ports[port] = l
	return l
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// posted is what a subscriber's server got.
type posted struct {
	request string // method and path
	records []string
	after   time.Duration
}

// serve runs an HTTP server that answers with the next status of a list, and then with 200.
func (b *box) serve(port int, statuses ...int) <-chan posted {
	got, began := make(chan posted, 100), time.Now()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var records []json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&records); err != nil || r.Header.Get("Content-Type") != "application/json" {
			b.t.Errorf("got a body that is no array: %v", err)
		}
		p := posted{request: r.Method + " " + r.Host + r.URL.Path, after: time.Since(began)}
		for _, record := range records {
			p.records = append(p.records, string(record))
		}
		got <- p
		if len(statuses) > 0 {
			w.WriteHeader(statuses[0])
			statuses = statuses[1:]
		}
	})}
	l := b.listen(port)
	go s.Serve(l)
	b.t.Cleanup(func() { s.Close() })
	return got
}

// ask subscribes, and returns status and body.
func (b *box) ask(path, body, extension string) string {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest("PUT", path, strings.NewReader(body)), extension)
	return fmt.Sprint(w.Code, " ", strings.TrimSpace(w.Body.String()))
}

const (
	httpBody = `{"schemaVersion": "2022-12-13", "types": ["platform", "function"], "buffering": {"timeoutMs": 100},
		"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/path"}}`
	logsBody = `{"types": ["function"], "destination": {"protocol": "HTTP", "URI": "http://sandbox:8081", "method": "PUT"}}`
)

// messages strips the times of records.
func messages(records []string) (kinds []string) {
	for _, record := range records {
		var r struct {
			Time   string
			Type   string
			Record json.RawMessage
		}
		if err := json.Unmarshal([]byte(record), &r); err != nil || r.Time == "" {
			kinds = append(kinds, "not a record: "+record)
			continue
		}
		kinds = append(kinds, r.Type+" "+string(r.Record))
	}
	return kinds
}

func TestDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		got := b.serve(8080)
		b.Event(time.Now(), &platform.InitRuntimeDone{Phase: "init", Status: "success"}) // before the subscription
		b.ExtensionLine(time.Now(), "hello\n")                                           // not asked for
		if answer := b.ask("/2022-07-01/telemetry/", httpBody, "agent"); answer != `200 "OK"` {
			t.Fatal(answer)
		}
		b.FunctionLine(time.Now(), "plain <text>\n")
		b.FunctionLine(time.Now(), `{"level":"INFO","message":"object"}`+"\n")
		b.FunctionLine(time.Now(), `{"level"`+"\n")
		first := <-got
		want := []string{`platform.initRuntimeDone {"initializationType":"","phase":"init","status":"success"}`,
			`platform.telemetrySubscription {"name":"agent","state":"Subscribed","types":["platform","function"]}`,
			`function "plain \u003ctext\u003e"`, `function {"level":"INFO","message":"object"}`, `function "{\"level\""`}
		if diff := cmp.Diff(messages(first.records), want); diff != "" {
			t.Errorf("records (-got +want):\n%s", diff)
		}
		if first.request != "POST sandbox.localdomain:8080/path" || first.after != 100*time.Millisecond {
			t.Errorf("got %s after %v", first.request, first.after)
		}
		b.Seal()
		b.FunctionLine(time.Now(), "late\n")
		if diff := cmp.Diff(messages((<-got).records), []string{`function "late"`}); diff != "" {
			t.Errorf("records after the start (-got +want):\n%s", diff)
		}
		b.Hurry()
		now := time.Now()
		b.FunctionLine(time.Now(), "last\n")
		if last := <-got; len(last.records) != 1 || time.Since(now) != 0 {
			t.Errorf("got %v after %v, want it at once", last.records, time.Since(now))
		}
		if len(b.dialed) != 1 || b.dialed[0] != 8080 || len(b.logged) != 1 {
			t.Errorf("got connections to %v and %d events for the log, want one each", b.dialed, len(b.logged))
		}
	})
}

func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		got := b.serve(8080, 500, 302, 200)
		b.ask(telemetryPath, httpBody, "agent")
		for try, after := range []time.Duration{100, 150, 250} {
			p := <-got
			if p.after != after*time.Millisecond || len(p.records) != 1 {
				t.Errorf("try %d: got %d records after %v, want %d ms", try, len(p.records), p.after, after)
			}
		}
		b.FunctionLine(time.Now(), "next\n")
		if p := <-got; !strings.Contains(p.records[0], "next") {
			t.Errorf("got %v after the retries", p.records)
		}
	})
}

// The end of a run, which ends a delivery by TCP, may come at any moment of it.
func TestTCPEnds(t *testing.T) {
	for range 1000 {
		ours, theirs := net.Pipe()
		d := &tcpDestination{dial: func(context.Context) (net.Conn, error) { return ours, nil }}
		ctx, cancel := context.WithCancel(t.Context())
		var others sync.WaitGroup
		others.Go(cancel)
		others.Go(func() { _ = theirs.Close() }) // no error for a pipe
		if err := d.send(ctx, [][]byte{[]byte("{}")}); err == nil {
			t.Error("nobody has read what was sent")
		}
		d.close()
		others.Wait()
	}
}

// The answer of a subscriber costs bounded memory.
func TestLongAnswer(t *testing.T) {
	for size, delivered := range map[int]bool{1 << 10: true, 1 << 20: false} {
		ours, theirs := net.Pipe()
		d := newHTTPDestination(http.MethodPost, "http://sandbox.localdomain:8080", func(context.Context) (net.Conn, error) { return ours, nil })
		go func() {
			defer theirs.Close()
			if _, err := http.ReadRequest(bufio.NewReader(theirs)); err != nil {
				t.Error(err)
			}
			fmt.Fprintf(theirs, "HTTP/1.1 200 OK\r\nX-Long: %s\r\nContent-Length: 0\r\n\r\n", strings.Repeat("x", size)) // it may be cut off
		}()
		if err := d.send(t.Context(), [][]byte{[]byte("{}")}); (err == nil) != delivered {
			t.Errorf("an answer with a header of %d bytes: got %v", size, err)
		}
		d.close()
	}
}

// A subscriber that does not listen costs bounded memory, and is told what it missed when it does.
func TestDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		b.ask(telemetryPath, httpBody, "agent")
		line := strings.Repeat("x", 100<<10) + "\n"
		b.FunctionLine(time.Now(), line)
		time.Sleep(time.Second) // it is being tried
		for range 8 {
			b.FunctionLine(time.Now(), line)
		}
		time.Sleep(time.Minute) // no try is made any more: only what fits is there
		for range 8 {
			b.FunctionLine(time.Now(), line)
		}
		got := b.serve(8080)
		time.Sleep(time.Minute)
		b.FunctionLine(time.Now(), "last\n") // what was dropped is told with the next record
		received, dropped := 0, 0
		for last := false; !last; {
			for _, kind := range messages((<-got).records) {
				rest, drops := strings.CutPrefix(kind, "platform.logsDropped ")
				if !drops {
					received++
					last = last || kind == `function "last"`
					continue
				}
				var lost platform.LogsDropped
				if err := json.Unmarshal([]byte(rest), &lost); err != nil || lost.Reason != fallenBehind || lost.Bytes < 100<<10 {
					t.Errorf("got %s, %v", kind, err)
				}
				dropped += lost.Records
			}
		}
		if all := 1 + 1 + 8 + 8 + 1; received+dropped != all || dropped < 9 {
			t.Errorf("got %d records and the news of %d dropped ones, of %d", received, dropped, all)
		}
	})
}

func TestTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		l := b.listen(8082)
		body := `{"schemaVersion": "2025-01-29", "types": ["extension"], "destination": {"protocol": "TCP", "port": 8082}}`
		if answer := b.ask(telemetryPath, body, "agent"); answer != `200 "OK"` {
			t.Fatal(answer)
		}
		read := func(lines int) (got []string) {
			c, _ := l.Accept()
			r := bufio.NewReader(c)
			for range lines {
				line, err := r.ReadString('\n')
				if err != nil {
					t.Error(err)
				}
				got = append(got, line)
			}
			c.Close()
			return messages(got)
		}
		b.ExtensionLine(time.Now(), "one\n")
		b.ExtensionLine(time.Now(), "two\n")
		if diff := cmp.Diff(read(2), []string{`extension "one"`, `extension "two"`}); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
		b.ExtensionLine(time.Now(), "three\n") // over a new connection
		if diff := cmp.Diff(read(1), []string{`extension "three"`}); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
	})
}

func TestLogsAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		got := b.serve(8081)
		if answer := b.ask(logsPath, logsBody, "agent"); answer != `200 "OK"` {
			t.Fatal(answer)
		}
		if answer := b.ask(logsPath, logsBody, "agent"); answer != `200 "OK"` || len(b.subscribers) != 1 {
			t.Errorf("a second time: got %s and %d subscribers", answer, len(b.subscribers))
		}
		b.FunctionLine(time.Now(), `{"json":1}`+"\n")
		p := <-got
		if diff := cmp.Diff(messages(p.records), []string{`function "{\"json\":1}"`}); diff != "" || p.request != "PUT sandbox:8081/" {
			t.Errorf("%s (-got +want):\n%s", p.request, diff)
		}
		closed := `403 {"errorType":"Telemetry.SubscriptionClosed","errorMessage":"Telemetry API subscription is closed already"}`
		if answer := b.ask(telemetryPath, httpBody, "other"); answer != closed {
			t.Errorf("by the other API: got %s", answer)
		}
		b.Seal()
		closed = `403 {"errorType":"Logs.SubscriptionClosed","errorMessage":"Logs API subscription is closed already"}`
		if answer := b.ask(logsPath, logsBody, "late"); answer != closed {
			t.Errorf("too late: got %s", answer)
		}
	})
}

func TestNobodyListens(t *testing.T) {
	b := newBox(t)
	for range 1000 {
		b.FunctionLine(time.Now(), strings.Repeat("x", 1<<10))
	}
	if b.earlySize > earlyBytes {
		t.Errorf("got %d bytes kept", b.earlySize)
	}
	b.Seal()
	at, e := time.Now(), &platform.Start{}
	if n := testing.AllocsPerRun(100, func() {
		b.Event(at, e)
		b.FunctionLine(at, "line\n")
	}); n != 0 || b.Any() || b.early != nil {
		t.Errorf("got %v allocations for nobody", n)
	}
}

func TestRefusals(t *testing.T) {
	b := newBox(t)
	telemetry := func(destination, more string) string {
		return `{"schemaVersion": "2022-07-01", "types": ["platform"], "destination": ` + destination + more + `}`
	}
	good := `{"protocol": "HTTP", "URI": "http://sandbox:80"}`
	tests := []struct{ path, body, want string }{
		{telemetryPath, `{"schemaVersion": "2022-07-01", "types": [], "destination": {"protocol": "HTTP", "URI": "http://sandbox"}}`,
			"URI port is not provided; types should not be empty"},
		{telemetryPath, `{`, "request body is not valid: unexpected end of JSON input"},
		{telemetryPath, `[]`, "request body is not valid: json: cannot unmarshal array into Go value of type subscription.request"},
		{telemetryPath, `{}`, `schemaVersion "" is not supported; protocol "" is not supported; types should not be empty`},
		{telemetryPath, telemetry(`{"protocol": "HTTP"}`, ""), "URI is not provided"},
		{telemetryPath, telemetry(`{"protocol": "TCP"}`, ""), "port 0 is not valid"},
		{telemetryPath, telemetry(`{"protocol": "TCP", "port": 70000}`, ""), "port 70000 is not valid"},
		{telemetryPath, telemetry(`{"protocol": "TCP", "URI": "http://sandbox:1"}`, ""), `URI "http://sandbox:1" is not valid`},
		{telemetryPath, telemetry(`{"protocol": "HTTP", "URI": "https://sandbox:1"}`, ""), `URI "https://sandbox:1" is not valid`},
		{telemetryPath, telemetry(`{"protocol": "HTTP", "URI": "http://10.0.0.1:80"}`, ""), "URI host should be sandbox.localdomain"},
		{telemetryPath, telemetry(`{"protocol": "HTTP", "URI": "http://sandbox:9001"}`, ""), "port 9001 is reserved"},
		{telemetryPath, telemetry(`{"protocol": "HTTP", "URI": "http://127.0.0.1:4566"}`, ""), "port 4566 is reserved"},
		{telemetryPath, telemetry(`{"protocol": "HTTP", "URI": "http://sandbox:80", "method": "PUT"}`, ""),
			`method "PUT" is not supported`},
		{telemetryPath, telemetry(good, `, "types": ["other"]`), `type "other" is not supported`},
		{telemetryPath, telemetry(good, `, "schemaVersion": "2020-08-15"`), `schemaVersion "2020-08-15" is not supported`},
		{telemetryPath, telemetry(good, `, "buffering": {"maxItems": 999, "maxBytes": 1048577, "timeoutMs": 24}`),
			"maxItems should be between 1000 and 10000; maxBytes should be between 262144 and 1048576; " +
				"timeoutMs should be between 25 and 30000"},
	}
	for _, test := range tests {
		message, err := json.Marshal(test.want)
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf(`400 {"errorType":"ValidationError","errorMessage":%s}`, message)
		if diff := cmp.Diff(b.ask(test.path, test.body, "agent"), want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.body, diff)
		}
	}
	if got := b.ask(logsPath, `{"types": ["platform"], "destination": {"protocol": "UDP"}}`, "agent"); got !=
		`400 {"errorType":"Logs.ValidationError","errorMessage":"protocol \"UDP\" is not supported"}` {
		t.Errorf("got %s of the Logs API", got)
	}
	for _, path := range []string{telemetryPath + "/more", logsPath + "x"} {
		if got := b.ask(path, httpBody, "agent"); !strings.HasPrefix(got, "404") {
			t.Errorf("%s: got %s", path, got)
		}
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest("POST", telemetryPath, strings.NewReader(httpBody)), "agent")
	if len(b.subscribers) != 0 || w.Code != 405 || w.Header().Get("Allow") != "PUT" {
		t.Errorf("got %d subscribers and status %d of refused requests", len(b.subscribers), w.Code)
	}
}

// End does not wait for a subscriber that hangs.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		l := b.listen(8080)
		b.ask(telemetryPath, httpBody, "agent")
		c, _ := l.Accept()
		defer c.Close()
		if _, err := io.ReadAtLeast(c, make([]byte, 1), 1); err != nil { // it is being delivered
			t.Error(err)
		}
		began := time.Now()
		b.End()
		b.End()
		b.FunctionLine(time.Now(), "late\n")
		if took := time.Since(began); took != 0 {
			t.Errorf("End took %v", took)
		}
	})
}

func FuzzSubscribe(f *testing.F) {
	f.Add([]byte(httpBody), true)
	f.Add([]byte(logsBody), false)
	f.Fuzz(func(t *testing.T, body []byte, telemetry bool) {
		api := logsAPI
		if telemetry {
			api = telemetryAPI
		}
		sub, err := api.read(New(Config{Reserved: []int{9001}}), strings.NewReader(string(body)))
		if err == nil && (len(sub.kinds) == 0 || len(sub.kinds) > 3 || sub.buffering.items > 10_000 || sub.buffering.bytes > 1<<20 ||
			sub.buffering.timeout < 25*time.Millisecond) {
			t.Errorf("%s: got %+v", body, sub)
		}
	})
}
