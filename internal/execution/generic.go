package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/licet/licet/internal/runtimes"
	"github.com/licet/licet/internal/sandbox"
)

// genericLife is how long a generic environment is kept for a runtime of which no function starts.
const genericLife = 15 * time.Minute

// generic is an execution environment that is not yet any function's: a sandbox, in which the runtime's bootstrap waits to be told
// which function it is for, if the runtime has a bootstrap of ours. It knows no code, credentials or log. It becomes the environment
// of one function, or is closed.
type generic struct {
	sandbox sandbox.Sandbox
	command runtimes.Command
	running sandbox.Running // nil for a runtime whose program comes with the function
	output  *output         // of running
	ended   chan struct{}   // closed when running is gone
}

// generics keeps some for each runtime of which a function has started lately.
type generics struct {
	m *Manager

	mu     sync.Mutex
	closed bool
	making bool // one at a time
	kinds  map[string]*kind
}

// kind is what is there for one runtime.
type kind struct {
	idle   []*generic
	used   time.Time
	failed bool // no more are made until a function starts again
}

// take gives a generic environment for a start of f, or nil, and sees to it that there is one for the next.
func (g *generics) take(f *Function, command runtimes.Command) *generic {
	if g.m.config.Prestart == 0 || !startsAsAny(f, command) {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	k := g.use(f.Runtime)
	for len(k.idle) > 0 {
		first := k.idle[0]
		k.idle = k.idle[1:]
		if first.alive() && reflect.DeepEqual(first.command, command) { // the interpreter may have been replaced
			return first
		}
		g.m.discard(first)
	}
	return nil
}

// use notes that functions of a runtime start. What it should have is made when nothing starts. g.mu is held.
func (g *generics) use(runtime string) *kind {
	k := g.kinds[runtime]
	if k == nil {
		k = &kind{}
		g.kinds[runtime] = k
	}
	k.used, k.failed = time.Now(), false
	return k
}

// Expect says that a function of a runtime may start soon. It does not wait.
func (m *Manager) Expect(runtime string) {
	if m.config.Prestart == 0 {
		return
	}
	g := m.generics
	g.mu.Lock()
	g.use(runtime)
	g.mu.Unlock()
	g.refill()
}

// refill makes what is missing, one after the other, while no function starts and there is memory.
func (g *generics) refill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.making || g.m.starts.busy() || g.m.config.Pressed() {
		return
	}
	for runtime, k := range g.kinds {
		if len(k.idle) < g.m.config.Prestart && !k.failed {
			g.making = true
			g.m.background.Go(func() { g.add(runtime) })
			return
		}
	}
}

// add makes one for a runtime.
func (g *generics) add(runtime string) {
	made, err := g.m.newGeneric(runtime)
	g.mu.Lock()
	g.making = false
	k := g.kinds[runtime]
	switch {
	case err != nil:
		if k != nil {
			k.failed = true
		}
		g.m.config.Logger.Warn("An environment could not be made beforehand.", slog.String("runtime", runtime), slog.Any("err", err))
	case g.closed || k == nil:
		g.m.discard(made)
	default:
		k.idle = append(k.idle, made)
	}
	g.mu.Unlock()
	g.refill()
}

// reclaim closes those of runtimes that are not used. Under pressure it closes all.
func (g *generics) reclaim(now time.Time, pressed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for runtime, k := range g.kinds {
		if pressed || now.Sub(k.used) >= genericLife {
			g.drop(runtime)
		}
	}
}

// close closes all, and lets no more be made.
func (g *generics) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for runtime := range g.kinds {
		g.drop(runtime)
	}
}

// drop forgets a runtime. g.mu is held.
func (g *generics) drop(runtime string) {
	for _, idle := range g.kinds[runtime].idle {
		g.m.discard(idle)
	}
	delete(g.kinds, runtime)
}

// startsAsAny tells whether the interpreter of f starts as that of any function: nothing that it reads at its start is the function's.
func startsAsAny(f *Function, command runtimes.Command) bool {
	if f.Runtime == "" {
		return false
	}
	if len(command.Programs) > 0 {
		return true // it starts with the function
	}
	for name := range f.Env {
		for _, prefix := range []string{"PYTHON", "NODE_", "UV_", "LD_", "LC_", "LANG", "GLIBC_", "MALLOC_", "OPENSSL_", "SSL_", "ICU_"} {
			if strings.HasPrefix(name, prefix) {
				return false
			}
		}
		switch name {
		case "PATH", "TZ", "TZDIR", "HOME", "TMPDIR", "LOCPATH", "NLSPATH", "_HANDLER", "AWS_LAMBDA_EXEC_WRAPPER":
			return false
		}
	}
	return true
}

// newGeneric makes a sandbox for functions of a runtime, and starts the bootstrap in it.
func (m *Manager) newGeneric(runtime string) (*generic, error) {
	command, err := m.config.Runtimes.Command(runtime)
	if err != nil {
		return nil, fmt.Errorf("resolve runtime %s: %w", runtime, err)
	}
	spec := (&environment{m: m, command: command, function: Function{Runtime: runtime}}).spec()
	spec.ID = "g-" + strings.ReplaceAll(uuid.NewString(), "-", "")
	spec.Mounts, spec.Later = command.Mounts, []string{taskRoot, layerRoot}
	g := &generic{command: command, ended: make(chan struct{})}
	if g.sandbox, err = m.config.Driver.Create(m.lifetime, spec); err != nil {
		return nil, fmt.Errorf("create sandbox for %s: %w", runtime, err)
	}
	if len(command.Programs) > 0 {
		return g, nil
	}
	if err := g.start(m.lifetime); err != nil {
		return nil, errors.Join(fmt.Errorf("start runtime %s: %w", runtime, err), g.close())
	}
	m.background.Go(func() { // ends with the process, which an environment or discard ends
		_, _ = g.running.Wait(context.Background()) // whoever owns the process reports its error
		close(g.ended)
	})
	return g, nil
}

// start starts the bootstrap with what every function of the runtime has in its environment. Without _HANDLER it asks for the rest.
func (g *generic) start(ctx context.Context) (err error) {
	if g.output, err = newOutput(nil, nil); err != nil {
		return err
	}
	_, address := g.sandbox.Listener("runtime")
	env := append(g.command.EnvAt(g.sandbox.Path), "AWS_LAMBDA_RUNTIME_API="+address)
	g.running, err = g.sandbox.Start(ctx, sandbox.Process{Args: g.command.Args, Env: env, Stdout: g.output.in, Stderr: g.output.in})
	return err
}

func (g *generic) alive() bool {
	select {
	case <-g.ended:
		return false
	default:
		return true
	}
}

// close removes a generic environment that did not become a function's.
func (g *generic) close() error {
	err := g.sandbox.Close()
	if g.output != nil {
		err = errors.Join(err, g.output.in.Close(), g.output.out.Close())
	}
	return err
}

// discard closes a generic environment in the background.
func (m *Manager) discard(g *generic) {
	m.background.Go(func() {
		if err := g.close(); err != nil {
			m.config.Logger.Error("An environment that was made beforehand could not be removed.", slog.Any("err", err))
		}
	})
}

// place gives e its sandbox: one that was made beforehand, fitted to the function, or a new one.
func (e *environment) place(ctx context.Context) (sandbox.Sandbox, error) {
	spec := e.spec()
	g := e.m.generics.take(&e.function, e.command)
	if g == nil {
		return e.m.config.Driver.Create(ctx, spec)
	}
	own := spec.Mounts[:0:0]
	for _, mount := range spec.Mounts {
		if mount.Target == taskRoot || mount.Target == layerRoot {
			own = append(own, mount)
		}
	}
	if err := g.sandbox.Fit(ctx, spec.Limits, own); err != nil {
		e.m.config.Logger.Warn("An environment that was made beforehand did not fit.",
			slog.String("function", e.function.ARN), slog.Any("err", err))
		e.m.discard(g)
		return e.m.config.Driver.Create(ctx, spec)
	}
	if g.running != nil {
		e.prestarted = g
		e.api.told.Store(&told{variables: make(chan []string, 1)})
	}
	return g.sandbox, nil
}

// newOutput is that of the process that launch starts.
func (e *environment) newOutput() (*output, error) {
	tell := e.process.telemetry.FunctionLine
	if e.prestarted == nil {
		return newOutput(e.log, tell)
	}
	o := e.prestarted.output
	o.log, o.tell = e.log, tell
	return o, nil
}

// launch starts the runtime's process, or tells the one that was started beforehand which function it is for.
func (e *environment) launch(out *output) (sandbox.Running, error) {
	if g := e.prestarted; g != nil {
		e.prestarted = nil
		e.api.told.Load().variables <- e.variables() // has room
		return g.running, nil
	}
	return e.sandbox.Start(e.m.lifetime, sandbox.Process{
		Args: e.command.Args, Env: e.variables(), Dir: e.function.dir(), Stdout: out.in, Stderr: out.in,
	})
}

// told is what a bootstrap that was started beforehand waits for.
type told struct{ variables chan []string }

// tell answers the bootstrap with the environment variables of its function, once: a JSON array of "NAME=value".
func (a *runtimeAPI) tell(w http.ResponseWriter, r *http.Request) {
	waiting := a.told.Load()
	if waiting == nil {
		http.NotFound(w, r)
		return
	}
	select {
	case variables := <-waiting.variables:
		a.told.Store(nil)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(variables) // a connection that broke shows as a process that ends or does not answer
	case <-r.Context().Done():
	}
}
