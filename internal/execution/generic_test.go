package execution

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
)

// beginnings notes how processes begin, and makes those that are started beforehand become functions as our bootstraps do.
type beginnings struct {
	mu   sync.Mutex
	envs [][]string // of all processes, as they were started
	made chan struct{}
}

func newBeginnings() *beginnings { return &beginnings{made: make(chan struct{}, 100)} }

func (b *beginnings) program(then func(*fakeProcess) sandbox.Exit) func(*fakeProcess) sandbox.Exit {
	return func(p *fakeProcess) sandbox.Exit {
		b.mu.Lock()
		b.envs = append(b.envs, p.Env)
		b.mu.Unlock()
		if p.env("_HANDLER") != "" {
			return then(p)
		}
		b.made <- struct{}{}
		resp, body := p.call("GET", api+"/licet/environment", "")
		if resp == nil {
			return sandbox.Exit{}
		}
		p.Env = nil
		if err := json.Unmarshal([]byte(body), &p.Env); err != nil {
			return sandbox.Exit{Code: 1}
		}
		return then(p)
	}
}

// wait until an environment was started beforehand, and can be taken.
func (b *beginnings) wait(of *bench) {
	of.t.Helper()
	select {
	case <-b.made:
	case <-time.After(10 * time.Second):
		of.t.Fatal("nothing is started beforehand")
	}
	making := func() bool {
		of.generics.mu.Lock()
		defer of.generics.mu.Unlock()
		return of.generics.making
	}
	for making() {
		time.Sleep(time.Millisecond)
	}
}

func prestart(c *Config) { c.Prestart = 1 }

// another is a function of the same runtime.
func another(name string) Function {
	f := testFunction()
	f.Name, f.ARN, f.CodeDir = name, "arn:aws:lambda:us-east-1:000000000000:function:"+name, "/code-of-"+name
	f.Env = map[string]string{"OWN": name}
	f.MemoryMB = 256
	return f
}

// sandboxOf is the live sandbox that shows a function's code.
func (d *fakeDriver) sandboxOf(t *testing.T, f Function) sandbox.Spec {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.live {
		if slices.Contains(s.spec.Mounts, sandbox.Mount{Source: f.CodeDir, Target: taskRoot}) {
			return s.spec
		}
	}
	t.Fatalf("%s has no sandbox", f.Name)
	return sandbox.Spec{}
}

func TestPrestarted(t *testing.T) {
	starts := newBeginnings()
	b := newBench(t, starts.program(serve(func(p *fakeProcess, _ string) string { return p.env("OWN") + p.env("_HANDLER") })), prestart)
	b.invoke(testFunction(), Invocation{})
	starts.wait(b)
	for _, name := range []string{"a", "b", "c"} { // each in one of its own
		f := another(name)
		if got := b.invoke(f, Invocation{}); string(got.Payload) != name+"h" || got.FunctionError != "" {
			t.Errorf("%s: got %+v", name, got)
		}
		if spec := b.driver.sandboxOf(t, f); !strings.HasPrefix(spec.ID, "g-") || spec.Limits.MemoryBytes != 256<<20 || len(spec.Mounts) != 1 {
			t.Errorf("%s does not run in a fitted environment that was started beforehand: %+v", name, spec)
		}
		starts.wait(b)
	}
	starts.mu.Lock()
	defer starts.mu.Unlock()
	if len(starts.envs) != 5 {
		t.Errorf("%d processes were started, want 5: one as usual, one for each other function, and one to come", len(starts.envs))
	}
	for _, env := range starts.envs[1:] {
		var names []string
		for _, v := range env {
			name, _, _ := strings.Cut(v, "=")
			names = append(names, name)
		}
		if diff := cmp.Diff(names, []string{"PATH", "LANG", "TZ", "AWS_LAMBDA_RUNTIME_API"}); diff != "" {
			t.Errorf("what a process knows before it is a function's (-got +want):\n%s", diff)
		}
	}
}

func TestExpect(t *testing.T) {
	starts := newBeginnings()
	b := newBench(t, starts.program(serve(echo)), prestart)
	b.Expect(testFunction().Runtime)
	starts.wait(b)
	b.invoke(testFunction(), Invocation{Payload: []byte("1")})
	if spec := b.driver.sandboxOf(t, testFunction()); !strings.HasPrefix(spec.ID, "g-") {
		t.Error("the first function does not run in what was started beforehand")
	}
	starts.wait(b)
}

// TestToldOnce: no code of the function can ask for its environment again, and none that started as usual at all.
func TestToldOnce(t *testing.T) {
	starts := newBeginnings()
	b := newBench(t, starts.program(serve(func(p *fakeProcess, _ string) string {
		_, body := p.call("GET", api+"/licet/environment", "")
		return body
	})), prestart)
	for _, f := range []Function{testFunction(), another("a")} {
		want := "404 page not found\n"
		if got := b.invoke(f, Invocation{}); string(got.Payload) != want {
			t.Errorf("%s: got %s", f.Name, got.Payload)
		}
		starts.wait(b)
	}
}

// TestUsualStart: what an interpreter reads at its start, and what does not fit.
func TestUsualStart(t *testing.T) {
	starts := newBeginnings()
	b := newBench(t, starts.program(serve(echo)), prestart)
	b.invoke(testFunction(), Invocation{})
	starts.wait(b)
	for _, name := range []string{"PYTHONHASHSEED", "NODE_OPTIONS", "LD_PRELOAD", "PATH", "LANG", "TZ", "AWS_LAMBDA_EXEC_WRAPPER"} {
		f := another(name)
		f.Env = map[string]string{name: "x"}
		b.invoke(f, Invocation{})
		if spec := b.driver.sandboxOf(t, f); !strings.HasPrefix(spec.ID, "f-") {
			t.Errorf("with %s it does not start as usual", name)
		}
	}
	b.driver.fitIt = errors.New("no")
	b.invoke(another("unfit"), Invocation{})
	if spec := b.driver.sandboxOf(t, another("unfit")); !strings.HasPrefix(spec.ID, "f-") {
		t.Error("what does not fit is used")
	}
}

// TestPrestartedRestarts: after a failure the runtime starts as usual in the same sandbox.
func TestPrestartedRestarts(t *testing.T) {
	starts := newBeginnings()
	b := newBench(t, starts.program(func(p *fakeProcess) sandbox.Exit {
		if id, payload, ok := p.next(); ok && payload != "crash" {
			p.respond(id, payload)
			p.next()
			return p.hang()
		}
		return sandbox.Exit{Code: 1}
	}), prestart)
	b.invoke(testFunction(), Invocation{Payload: []byte("1")})
	starts.wait(b)
	f := another("a")
	if got := b.invoke(f, Invocation{Payload: []byte("crash")}); got.FunctionError == "" {
		t.Errorf("got %+v of a process that ended", got)
	}
	if got := b.invoke(f, Invocation{Payload: []byte("2")}); string(got.Payload) != "2" {
		t.Errorf("after it: got %+v", got)
	}
	if spec := b.driver.sandboxOf(t, f); !strings.HasPrefix(spec.ID, "g-") {
		t.Error("the sandbox was given up")
	}
}

// TestPressure: the idle ones go first, those that are no function's then, a running one never.
func TestPressure(t *testing.T) {
	starts, entered, leave := newBeginnings(), make(chan struct{}), make(chan struct{})
	b := newBench(t, starts.program(serve(func(_ *fakeProcess, payload string) string {
		if payload == "stay" {
			entered <- struct{}{}
			<-leave
		}
		return payload
	})), prestart)
	b.invoke(testFunction(), Invocation{})
	starts.wait(b)
	done := make(chan Result, 1)
	go func() {
		got, _ := b.Invoke(context.Background(), another("busy"), Invocation{RequestID: id, Payload: []byte("stay")})
		done <- got
	}()
	<-entered
	starts.wait(b)
	for range 2 { // the idle one, and the one that is no function's
		b.relieveOne()
	}
	b.relieve()
	if _, live := b.driver.counts(); live != 1 {
		t.Errorf("%d environments are left, want the one that runs", live)
	}
	close(leave)
	if got := <-done; string(got.Payload) != "stay" {
		t.Errorf("got %+v of the one that ran", got)
	}
}

// relieveOne gives up until an environment is closed: the last invocation may still settle, and what is made beforehand be on its way.
func (b *bench) relieveOne() {
	for {
		b.relieve()
		select {
		case <-b.driver.closed:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestNothingBeforehandUnderPressure: what would be given up at once is not made.
func TestNothingBeforehandUnderPressure(t *testing.T) {
	starts := newBeginnings()
	b := newBench(t, starts.program(serve(echo)), prestart, func(c *Config) { c.Pressed = func() bool { return true } })
	b.Expect(testFunction().Runtime)
	b.generics.mu.Lock()
	defer b.generics.mu.Unlock()
	if b.generics.making {
		t.Error("one is made")
	}
}

func TestLongestLife(t *testing.T) {
	b := newBench(t, serve(func(p *fakeProcess, _ string) string { return p.sandbox.spec.ID }))
	first := b.invoke(testFunction(), Invocation{LogTail: true}).Payload
	b.mu.Lock()
	for e := range b.environments {
		e.born = e.born.Add(-b.config.LongestLife)
	}
	b.mu.Unlock()
	if second := b.invoke(testFunction(), Invocation{}).Payload; string(second) == string(first) {
		t.Error("an environment that is too old is used")
	}
	<-b.driver.closed
}
