package execution

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/licet/licet/internal/execution/extension"
	"github.com/licet/licet/internal/execution/platform"
	"github.com/licet/licet/internal/execution/subscription"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/runtimes"
	"github.com/licet/licet/internal/sandbox"
)

// Ports inside a sandbox (lambda.md 7.6; 4566 is the server's own port).
const (
	runtimePort  = 9001
	endpointPort = 4566
)

// stopLimit is how long a killed process may take to be gone before its sandbox is given up.
const stopLimit = 10 * time.Second

// environment is one execution environment: a sandbox, what it listens on, its log, and the process that runs in it, if any. All
// but what Manager.mu guards belongs to its owner (see the package comment) and is written by open and start only.
type environment struct {
	m        *Manager
	function Function
	pool     *pool
	// provision is what the environment was made for; nil: for an invocation.
	provision *provision
	// retired, idleSince and count are guarded by m.mu.
	retired   bool
	idleSince time.Time
	born      time.Time
	count     count // what the invocation that runs counts as
	entered   time.Time
	fenced    <-chan struct{} // closed when the invocation must end; nil for one that need not; its owner's
	settling  bool            // counts as one of queue.settling; its owner's
	turn      *turn           // of the start; its owner's; nil when it is over

	id             string // 32 hexadecimal digits
	sandbox        sandbox.Sandbox
	runtimeAddress string // host:port of the Runtime API as code inside reaches it
	endpoint       string // the same of the AWS endpoint; "" for none
	command        runtimes.Command
	credentials    *credentials
	log            *logStream
	api            runtimeAPI
	lane           *lane
	servers        []*http.Server
	goroutines     sync.WaitGroup // of servers, log and processes
	process        *process       // nil when none runs
	prestarted     *generic       // waits to be told that it is the runtime; nil: there is none
	deadline       *time.Timer    // of the invocation
	patience       *time.Timer    // see startRuntime
	expiry         *time.Timer    // of what is left of an invocation; calls resume
	told           events
	peak           int64 // bytes of memory
	peakRead       time.Time
}

// counts notes as what the invocation counts that owns e from now on. m.mu is held.
func (e *environment) counts(c count) {
	e.count, e.fenced = c, c.fenced
}

// process is one run of the runtime and of the extensions beside it.
type process struct {
	*session
	sandbox.Running // nil until extensions have registered
	output          *output
	exit            sandbox.Exit // valid when ended is closed
	err             error        // valid when ended is closed: the driver lost the process
	companions      []*companion
	lost            chan *companion // those that ended; nil without companions
	gone            *companion      // the one for which reason deserted was given
}

func newEnvironment(m *Manager, f Function) *environment {
	id := make([]byte, 16)
	rand.Read(id) // never fails
	e := &environment{m: m, function: f, id: hex.EncodeToString(id), born: time.Now(), deadline: time.NewTimer(0), patience: time.NewTimer(0)}
	e.expiry = time.AfterFunc(forever, func() { e.resume(e.api.session.Load()) })
	e.expiry.Stop()
	e.log = newLogStream(f, streamName(f, e.id, time.Now()), m.config.Logs, m.metrics, func(err error) {
		m.config.Logger.Debug("Log lines of a function could not be written.",
			slog.String("function", f.ARN), slog.Any("err", err))
	})
	e.log.rush = m.starts.busy
	return e
}

// streamName is that of an environment's log stream. In a group of their own functions are told apart by it
// (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html).
func streamName(f Function, id string, now time.Time) string {
	name := ""
	if f.LogGroup != "/aws/lambda/"+f.Name {
		name = f.Name
	}
	return fmt.Sprintf("%s%s[%s]%s", now.UTC().Format("2006/01/02/"), name, f.Version, id)
}

// open makes the sandbox and starts to listen. After an error, close still has to be called.
func (e *environment) open() (err error) {
	c, ctx := &e.m.config, e.m.lifetime
	obtain := func(ctx context.Context) (principal.Credentials, error) { return c.Credentials(ctx, e.function) }
	if e.credentials, err = newCredentials(ctx, obtain, e.function.SnapStart); err != nil {
		return fmt.Errorf("make credentials for %s: %w", e.function.ARN, err)
	}
	if e.command, err = e.m.commandOf(&e.function); err != nil {
		return err
	}
	if e.sandbox, err = e.place(ctx); err != nil {
		return fmt.Errorf("create sandbox for %s: %w", e.function.ARN, err)
	}
	l, address := e.sandbox.Listener("runtime")
	e.runtimeAddress = address
	if e.function.SnapStart {
		e.api.credentials = e.credentials
	}
	e.lane = newLane(&e.api, newLimitedListener(l, maxConnections), &e.goroutines, c.Logger)
	e.goroutines.Go(func() { e.listened(e.lane.Serve()) })
	e.serve(e.lane.others, &e.api)
	if c.Endpoint != nil {
		l, address := e.sandbox.Listener("aws")
		e.endpoint = address
		e.serve(newLimitedListener(l, maxConnections), oneLargeUpload(c.Endpoint))
	}
	e.log.credentials = e.credentials
	if c.Logs != nil {
		e.goroutines.Go(e.log.ship)
	}
	return nil
}

// fresh tells whether e, which is idle, is good for another invocation: its credentials are, and it is not too old.
func (e *environment) fresh(now time.Time) bool {
	return e.credentials.serve(now) && now.Sub(e.born) < e.m.config.LongestLife
}

// cpuMillis is one CPU for each 1,769 MB (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html), but never less than
// one: AWS gives a starting environment more than its share, and a limit here cannot be lifted for that time.
func (f *Function) cpuMillis() int64 { return max(1000, int64(f.MemoryMB)*1000/1769) }

func (e *environment) spec() sandbox.Spec {
	f := &e.function
	spec := sandbox.Spec{
		ID:      "f-" + e.id,
		Mounts:  slices.Clone(e.command.Mounts),
		Network: e.m.config.Network,
		Limits: sandbox.Limits{
			MemoryBytes: int64(f.MemoryMB) << 20,
			CPUMillis:   f.cpuMillis(),
			Processes:   1024, // with OpenFiles: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
			OpenFiles:   1024,
			TmpBytes:    int64(f.EphemeralMB) << 20,
		},
		Listeners: []sandbox.ListenerSpec{{Name: "runtime", Port: runtimePort}},
	}
	if f.Image != nil {
		spec.RootDir = f.Image.RootDir
	} else {
		spec.Mounts = append(spec.Mounts, sandbox.Mount{Source: f.CodeDir, Target: taskRoot})
	}
	if f.LayerDir != "" {
		spec.Mounts = append(spec.Mounts, sandbox.Mount{Source: f.LayerDir, Target: layerRoot})
	}
	if e.m.config.Endpoint != nil {
		spec.Listeners = append(spec.Listeners, sandbox.ListenerSpec{Name: "aws", Port: endpointPort})
	}
	return spec
}

func (e *environment) serve(l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(e.m.config.Logger.Handler(), slog.LevelDebug)}
	e.servers = append(e.servers, s)
	e.goroutines.Go(func() { e.listened(s.Serve(l)) })
}

// listened notes the end of a listener.
func (e *environment) listened(err error) {
	if !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		e.m.config.Logger.Debug("A listener of an environment ended.", slog.String("function", e.function.ARN), slog.Any("err", err))
	}
}

// begin makes the process of the runtime known to the Runtime API. It runs after start.
func (e *environment) begin() {
	f := &e.function
	extensions := extension.New(extension.Function{Name: f.Name, Version: f.Version, Handler: f.Handler, Account: f.Account})
	telemetry := subscription.New(subscription.Config{
		Dial: e.sandbox.Dial, Reserved: []int{runtimePort, endpointPort}, JSONLogs: f.JSONLogs,
		Log: func(event platform.Event) { e.log.event(time.Now(), event) }})
	e.process = &process{session: newSession(extensions, telemetry)}
	if e.restores() {
		e.process.restored = make(chan struct{})
	}
	e.api.session.Store(e.process.session)
}

// start starts the runtime.
func (e *environment) start() error {
	if err := e.function.Image.check(); err != nil {
		return err
	}
	command, err := e.command.WithProgram(e.function.CodeDir, e.function.LayerDir)
	if err != nil {
		return err
	}
	e.command = command
	p := e.process
	if p.output, err = e.newOutput(); err != nil {
		return err
	}
	e.goroutines.Go(p.output.copy)
	running, err := e.launch(p.output)
	if err != nil {
		return errors.Join(fmt.Errorf("start runtime of %s: %w", e.function.ARN, err), p.output.finish())
	}
	p.Running = running
	e.goroutines.Go(func() {
		p.exit, p.err = p.Wait(context.Background()) // kill and close see to it that it returns
		p.err = errors.Join(p.err, p.output.finish())
		close(p.ended)
		e.resume(p.session)
	})
	return nil
}

// alive tells whether a runtime is there to take an event.
func (e *environment) alive() bool {
	if e.process == nil {
		return false
	}
	select {
	case <-e.process.ended:
		return false
	default:
		return true
	}
}

// kill ends runtime and extensions, by a Shutdown phase if there are extensions, and waits until all are gone, with their output in
// the log.
func (e *environment) kill(why string) error {
	p := e.process
	e.process = nil
	e.shutdown(p, why)
	p.extensions.End()
	defer p.telemetry.End() // after the last line that is printed
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	var err error
	for _, c := range p.companions {
		err = errors.Join(err, e.end(c.Running, c.ended, limit.C))
	}
	if p.Running == nil {
		close(p.ended)
		return err
	}
	select {
	case <-p.ended: // and what there was to say of it has been said
		return err
	default:
	}
	if err := errors.Join(err, e.end(p.Running, p.ended, limit.C)); err != nil {
		return err
	}
	return p.err
}

// end kills one process and waits until it is gone.
func (e *environment) end(r sandbox.Running, ended <-chan struct{}, limit <-chan time.Time) error {
	if err := r.Kill(); err != nil {
		return fmt.Errorf("kill process of %s: %w", e.function.ARN, err)
	}
	select {
	case <-ended:
		return nil
	case <-limit:
		return fmt.Errorf("process of %s is still there %v after it was killed", e.function.ARN, stopLimit)
	}
}

// memory is the peak of memory used. While a process runs it is read from the sandbox at most ten times a second.
func (e *environment) memory() int64 {
	if now := time.Now(); e.process == nil || now.Sub(e.peakRead) > 100*time.Millisecond {
		e.peakRead = now
		if u, err := e.sandbox.Usage(); err == nil {
			e.peak = max(e.peak, u.MemoryPeakBytes)
		}
	}
	return e.peak
}

// close ends what runs, removes the sandbox, writes the rest of the log and waits for every goroutine of the environment.
func (e *environment) close() error {
	var err error
	if e.process != nil && e.process.extensions.Any() {
		err = e.kill(spindown)
	}
	if e.sandbox != nil {
		err = errors.Join(err, e.sandbox.Close())
	}
	if e.lane != nil {
		err = errors.Join(err, e.lane.Close())
	}
	for _, s := range e.servers {
		err = errors.Join(err, s.Close())
	}
	if g := e.prestarted; g != nil { // it was never launched
		err = errors.Join(err, g.output.in.Close(), g.output.out.Close())
	}
	if p := e.process; p != nil {
		if p.Running != nil {
			<-p.ended
		}
		p.telemetry.End()
	}
	e.log.close()
	e.goroutines.Wait()
	return err
}
