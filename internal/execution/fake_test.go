package execution

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/runtimes"
	"github.com/licet/licet/internal/sandbox"
)

// fakeDriver makes sandboxes in which the "process" is a goroutine that runs program.
type fakeDriver struct {
	t       testing.TB
	program func(*fakeProcess) sandbox.Exit

	mu       sync.Mutex
	live     map[string]*fakeSandbox
	created  []sandbox.Spec
	createIt error                 // of Create
	startIt  error                 // of Start
	fitIt    error                 // of Fit
	started  func(sandbox.Process) // called before Start returns; nil: nothing is
	closed   chan string
}

func newFakeDriver(t testing.TB, program func(*fakeProcess) sandbox.Exit) *fakeDriver {
	return &fakeDriver{t: t, program: program, live: map[string]*fakeSandbox{}, closed: make(chan string, 1000)}
}

func (d *fakeDriver) Name() string                { return "fake" }
func (d *fakeDriver) Check(context.Context) error { return nil }
func (d *fakeDriver) Close() error                { return nil }

func (d *fakeDriver) Create(_ context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.createIt != nil {
		return nil, d.createIt
	}
	s := &fakeSandbox{driver: d, spec: spec, tmp: map[string]string{}, listeners: map[string]net.Listener{}}
	for _, l := range spec.Listeners {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		s.listeners[l.Name] = listener
	}
	if d.live[spec.ID] != nil {
		d.t.Errorf("sandbox id %s is used twice", spec.ID)
	}
	d.live[spec.ID] = s
	d.created = append(d.created, spec)
	return s, nil
}

func (d *fakeDriver) counts() (created, live int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.created), len(d.live)
}

type fakeSandbox struct {
	driver    *fakeDriver
	spec      sandbox.Spec
	tmp       map[string]string // /tmp: one process at a time uses it
	listeners map[string]net.Listener

	mu        sync.Mutex
	processes []*fakeRunning
}

// fakeRunning is a process that was started.
type fakeRunning struct {
	kill    context.CancelFunc
	signals chan int
	done    chan struct{}
	exit    sandbox.Exit // valid when done is closed
}

func (s *fakeSandbox) Listener(name string) (net.Listener, string) {
	return s.listeners[name], s.listeners[name].Addr().String()
}
func (s *fakeSandbox) Path(target string) string { return target }
func (s *fakeSandbox) Usage() (sandbox.Usage, error) {
	return sandbox.Usage{MemoryPeakBytes: 40 << 20}, nil
}

func (s *fakeSandbox) Dial(ctx context.Context, port int) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

func (s *fakeSandbox) Fit(_ context.Context, l sandbox.Limits, mounts []sandbox.Mount) error {
	if s.driver.fitIt != nil {
		return s.driver.fitIt
	}
	s.driver.mu.Lock()
	defer s.driver.mu.Unlock()
	s.spec.Limits, s.spec.Mounts = l, append(slices.Clone(s.spec.Mounts), mounts...)
	return nil
}

func (s *fakeSandbox) Start(_ context.Context, p sandbox.Process) (sandbox.Running, error) {
	if s.driver.startIt != nil {
		return nil, s.driver.startIt
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, kill := context.WithCancel(context.Background())
	r := &fakeRunning{kill: kill, signals: make(chan int, 1), done: make(chan struct{})}
	s.processes = append(s.processes, r)
	process := &fakeProcess{Process: p, ctx: ctx, signals: r.signals, sandbox: s, run: len(s.processes)}
	process.client.Transport = &http.Transport{}
	go func() {
		defer close(r.done)
		r.exit = s.driver.program(process)
		if ctx.Err() != nil {
			r.exit = sandbox.Exit{Code: -1, Signal: 9}
		}
		kill() // what it still asks for ends with it
		process.client.CloseIdleConnections()
	}()
	if s.driver.started != nil {
		s.driver.started(p)
	}
	return r, nil
}

func (r *fakeRunning) Wait(ctx context.Context) (sandbox.Exit, error) {
	select {
	case <-r.done:
		return r.exit, nil
	case <-ctx.Done():
		return sandbox.Exit{}, ctx.Err()
	}
}

func (r *fakeRunning) Kill() error {
	r.kill()
	return nil
}

func (r *fakeRunning) Signal(signal int) error {
	select {
	case <-r.done:
		return sandbox.ErrEnded
	case r.signals <- signal:
		return nil
	}
}

func (s *fakeSandbox) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.processes {
		r.kill()
	}
	return nil
}

func (s *fakeSandbox) Close() error {
	_ = s.Kill()
	for _, l := range s.listeners {
		l.Close()
	}
	for _, r := range s.processes {
		<-r.done
	}
	s.driver.mu.Lock()
	defer s.driver.mu.Unlock()
	delete(s.driver.live, s.spec.ID)
	s.driver.closed <- s.spec.ID
	return nil
}

// fakeProcess is what a program sees: its environment, and a client of the Runtime API.
type fakeProcess struct {
	sandbox.Process
	ctx     context.Context // ends when the process is killed, or has ended
	signals <-chan int
	sandbox *fakeSandbox
	run     int // 1 for the first process of the sandbox
	client  http.Client
}

func (p *fakeProcess) env(name string) string {
	for _, v := range p.Env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

func (p *fakeProcess) print(format string, args ...any) { fmt.Fprintf(p.Stdout, format, args...) }

// call makes a request to the Runtime API; the answer's body is read and closed.
func (p *fakeProcess) call(method, path, body string, header ...string) (*http.Response, string) {
	r, err := http.NewRequestWithContext(p.ctx, method, "http://"+p.env("AWS_LAMBDA_RUNTIME_API")+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp, string(text)
}

const api = "/2018-06-01/runtime"

// next waits for an event; ok is false when the process is killed.
func (p *fakeProcess) next() (id, payload string, ok bool) {
	resp, body := p.call("GET", api+"/invocation/next", "")
	if resp == nil {
		return "", "", false
	}
	return resp.Header.Get("Lambda-Runtime-Aws-Request-Id"), body, true
}

func (p *fakeProcess) respond(id, body string) {
	p.call("POST", api+"/invocation/"+id+"/response", body)
}

// hang blocks until the process is killed.
func (p *fakeProcess) hang() sandbox.Exit {
	<-p.ctx.Done()
	return sandbox.Exit{}
}

// serve makes a program of a handler that always answers.
func serve(handle func(p *fakeProcess, payload string) string) func(*fakeProcess) sandbox.Exit {
	return func(p *fakeProcess) sandbox.Exit {
		for {
			id, payload, ok := p.next()
			if !ok {
				return sandbox.Exit{}
			}
			p.respond(id, handle(p, payload))
		}
	}
}

func echo(_ *fakeProcess, payload string) string { return payload }

// fakeRuntimes knows every runtime.
type fakeRuntimes struct{}

func (fakeRuntimes) Command(string) (runtimes.Command, error) {
	return runtimes.Command{
		Args: []string{"/var/task/bootstrap"},
		Env:  []string{"PATH=/usr/bin:/bin", "LANG=en_US.UTF-8", "TZ=:UTC"},
	}, nil
}

// fakeLogs keeps what is written, by stream.
type fakeLogs struct {
	mu     sync.Mutex
	fail   error
	writes int
	events map[string][]LogEvent
	block  chan struct{} // non-nil: writes wait until it is closed
}

func (l *fakeLogs) Write(ctx context.Context, f Function, c principal.Credentials, stream string, events []LogEvent) error {
	if l.block != nil {
		select {
		case <-l.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes++
	if l.fail != nil {
		return l.fail
	}
	if l.events == nil {
		l.events = map[string][]LogEvent{}
	}
	l.events[stream] = append(l.events[stream], events...)
	return nil
}

// text is the whole log of the only stream.
func (l *fakeLogs) text(t testing.TB) string {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.events) != 1 {
		t.Fatalf("got %d log streams, want 1", len(l.events))
	}
	var b bytes.Buffer
	for _, events := range l.events {
		if !slices.IsSortedFunc(events, func(a, b LogEvent) int { return a.Time.Compare(b.Time) }) {
			t.Error("log events are not in order of time")
		}
		for _, e := range events {
			b.WriteString(e.Message)
		}
	}
	return b.String()
}

// bench is a manager with its fakes.
type bench struct {
	*Manager
	t      testing.TB
	driver *fakeDriver
	logs   *fakeLogs
	stop   func() // ends Run and waits for it; may be called again
}

func testCredentials(context.Context, Function) (principal.Credentials, error) {
	return principal.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"}, nil
}

// newBench starts a manager for program. At the end of the test it is stopped, and nothing may be left of it.
func newBench(t testing.TB, program func(*fakeProcess) sandbox.Exit, change ...func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, driver: newFakeDriver(t, program), logs: &fakeLogs{}}
	c := Config{Driver: b.driver, Runtimes: fakeRuntimes{}, Credentials: testCredentials, Logs: b.logs, Grace: 50 * time.Millisecond}
	for _, f := range change {
		f(&c)
	}
	var err error
	if b.Manager, err = New(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() {
		b.stop()
		if _, live := b.driver.counts(); live != 0 {
			t.Errorf("%d sandboxes are left", live)
		}
	})
	return b
}

func testFunction() Function {
	return Function{
		ARN: "arn:aws:lambda:us-east-1:000000000000:function:fn", Account: "000000000000", Region: "us-east-1", Name: "fn",
		Version: "$LATEST", Revision: "r1", Role: "arn:aws:iam::000000000000:role/r", Runtime: "provided.al2023", Handler: "h",
		Timeout: time.Minute, MemoryMB: 128, EphemeralMB: 512, CodeDir: "/code", LogGroup: "/aws/lambda/fn",
	}
}

// invoke fails the test when the function could not be run.
func (b *bench) invoke(f Function, call Invocation) Result {
	b.t.Helper()
	if call.RequestID == "" {
		call.RequestID = "11111111-2222-3333-4444-555555555555"
	}
	r, err := b.Invoke(context.Background(), f, call)
	if err != nil {
		b.t.Errorf("Invoke: %v", err)
	}
	return r
}
