package execution

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/sandbox"
)

const id = "11111111-2222-3333-4444-555555555555"

// plain makes the times in a log comparable.
func plain(log string) string {
	log = regexp.MustCompile(`Billed Duration: \d+ ms`).ReplaceAllString(log, "Billed Duration: N ms")
	log = regexp.MustCompile(`\d+\.\d\d ms`).ReplaceAllString(log, "N ms")
	return regexp.MustCompile(`runtime:[0-9a-f]{64}`).ReplaceAllString(log, "runtime:HASH")
}

const initStart = "INIT_START Runtime Version: provided:al2023\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:HASH\n"

// exitError is the payload of a process that ended.
func exitError(how string) string {
	return `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + id + ` Error: Runtime ` + how + `"}`
}

// report is the REPORT line after plain; extra follows the memory.
func report(extra string) string {
	return "REPORT RequestId: " + id +
		"\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t" + extra + "\n"
}

const (
	startOf = "START RequestId: " + id + " Version: $LATEST\n"
	endOf   = "END RequestId: " + id + "\n"
)

func TestInvokeReusesWarmEnvironment(t *testing.T) {
	b := newBench(t, serve(func(p *fakeProcess, payload string) string {
		p.print("got %s\n", payload)
		return payload
	}))
	for i := range 3 {
		got := b.invoke(testFunction(), Invocation{RequestID: id, Payload: []byte(fmt.Sprint(i)), LogTail: true})
		want := Result{Payload: []byte(fmt.Sprint(i)), LogTail: []byte(startOf + fmt.Sprintf("got %d\n", i) + endOf + report(""))}
		if i == 0 {
			want.LogTail = []byte(startOf + "got 0\n" + endOf + report("Init Duration: N ms\t"))
		}
		got.LogTail = []byte(plain(string(got.LogTail)))
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("invocation %d (-got +want):\n%s", i, diff)
		}
	}
	if created, _ := b.driver.counts(); created != 1 {
		t.Errorf("got %d sandboxes, want 1", created)
	}
	b.stop()
	want := initStart
	for i := range 3 {
		extra := ""
		if i == 0 {
			extra = "Init Duration: N ms\t"
		}
		want += startOf + fmt.Sprintf("got %d\n", i) + endOf + report(extra)
	}
	if diff := cmp.Diff(plain(b.logs.text(t)), want); diff != "" {
		t.Errorf("log (-got +want):\n%s", diff)
	}
}

// failures are functions that fail, with what Invoke answers and what the log says. LogTail has the log without INIT_START.
var failures = []struct {
	name    string
	timeout time.Duration
	program func(*fakeProcess) sandbox.Exit
	want    string // payload
	log     string
}{
	{
		name: "handler error",
		program: func(p *fakeProcess) sandbox.Exit {
			id, _, _ := p.next()
			p.call("POST", api+"/invocation/"+id+"/error", `{"errorMessage":"no"}`, "Lambda-Runtime-Function-Error-Type", "E")
			p.next()
			return sandbox.Exit{}
		},
		want: `{"errorMessage":"no"}`,
		log:  startOf + endOf + report("Init Duration: N ms\t"),
	},
	{
		name:    "timeout",
		timeout: 200 * time.Millisecond,
		program: func(p *fakeProcess) sandbox.Exit {
			p.print("unfinished") // before the time is measured
			p.next()
			return p.hang()
		},
		want: `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ` + id + ` Error: Task timed out after 0.20 seconds"}`,
		log:  startOf + "unfinished\n" + endOf + report("Init Duration: N ms\tStatus: timeout"),
	},
	{
		name:    "exit status",
		program: func(p *fakeProcess) sandbox.Exit { p.next(); p.print("bye\n"); return sandbox.Exit{Code: 127} },
		want:    exitError("exited with error: exit status 127"),
		log:     startOf + "bye\n" + endOf + report("Init Duration: N ms\tStatus: error\tError Type: Runtime.ExitError"),
	},
	{
		name:    "exit without a reason",
		program: func(p *fakeProcess) sandbox.Exit { p.next(); return sandbox.Exit{} },
		want:    exitError("exited without providing a reason"),
		log:     startOf + endOf + report("Init Duration: N ms\tStatus: error\tError Type: Runtime.ExitError"),
	},
	{
		name:    "signal",
		program: func(p *fakeProcess) sandbox.Exit { p.next(); return sandbox.Exit{Code: -1, Signal: 11} },
		want:    exitError("exited with error: signal: segmentation fault"),
		log:     startOf + endOf + report("Init Duration: N ms\tStatus: error\tError Type: Runtime.ExitError"),
	},
	{
		name: "out of memory",
		program: func(p *fakeProcess) sandbox.Exit {
			p.next()
			return sandbox.Exit{Code: -1, Signal: 9, OutOfMemory: true}
		},
		want: exitError("exited with error: signal: killed"),
		log:  startOf + endOf + report("Init Duration: N ms\tStatus: error\tError Type: Runtime.OutOfMemory"),
	},
	{
		name: "init error",
		program: func(p *fakeProcess) sandbox.Exit {
			p.call("POST", api+"/init/error", fmt.Sprintf(`{"run":%d}`, p.run),
				"Lambda-Runtime-Function-Error-Type", "Runtime.ImportModuleError")
			p.print("run %d\n", p.run)
			return sandbox.Exit{Code: 1}
		},
		want: `{"run":2}`,
		log: "run 1\nINIT_REPORT Init Duration: N ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n" +
			"run 2\nINIT_REPORT Init Duration: N ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError\n" +
			startOf + endOf + report("Status: error\tError Type: Runtime.ImportModuleError"),
	},
	{
		name: "init error too large",
		program: func(p *fakeProcess) sandbox.Exit {
			resp, body := p.call("POST", api+"/init/error", strings.Repeat("x", maxResponse+1), "Lambda-Runtime-Function-Error-Type", "Runtime.Broken")
			p.print("%d %s", resp.StatusCode, body)
			return sandbox.Exit{Code: 1}
		},
		want: `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":` +
			`"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`,
		log: initTooLarge + "INIT_REPORT Init Duration: N ms\tPhase: init\tStatus: error\tError Type: Runtime.Broken\n" +
			initTooLarge + "INIT_REPORT Init Duration: N ms\tPhase: invoke\tStatus: error\tError Type: Runtime.Broken\n" +
			startOf + endOf + report("Status: error\tError Type: Runtime.Broken"),
	},
	{
		name:    "exit during init",
		program: func(*fakeProcess) sandbox.Exit { return sandbox.Exit{Code: 3} },
		want:    exitError("exited with error: exit status 3"),
		log: "INIT_REPORT Init Duration: N ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n" +
			"INIT_REPORT Init Duration: N ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n" +
			startOf + endOf + report("Status: error\tError Type: Runtime.ExitError"),
	},
	{
		name:    "init timeout",
		timeout: 100 * time.Millisecond,
		program: func(p *fakeProcess) sandbox.Exit { return p.hang() },
		want:    `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ` + id + ` Error: Task timed out after 0.10 seconds"}`,
		log: "INIT_REPORT Init Duration: N ms\tPhase: init\tStatus: timeout\n" +
			"INIT_REPORT Init Duration: N ms\tPhase: invoke\tStatus: timeout\n" +
			startOf + endOf + report("Status: timeout"),
	},
	{
		name: "response too large",
		program: func(p *fakeProcess) sandbox.Exit {
			id, _, _ := p.next()
			resp, body := p.call("POST", api+"/invocation/"+id+"/response", strings.Repeat("x", maxResponse+1))
			p.print("%d %s", resp.StatusCode, body)
			p.next()
			return sandbox.Exit{}
		},
		want: `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":` +
			`"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`,
		log: startOf +
			`413 {"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}` +
			"\n" + endOf + report("Init Duration: N ms\t"),
	},
}

const initTooLarge = `413 {"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}` + "\n"

func TestInvokeFailures(t *testing.T) {
	for _, test := range failures {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, test.program)
			b.exitPatience = time.Minute // whatever the machine does
			if test.name == "init timeout" {
				b.initLimit = 100 * time.Millisecond
			}
			f := testFunction()
			if test.timeout != 0 {
				f.Timeout = test.timeout
			}
			got := b.invoke(f, Invocation{RequestID: id, LogTail: true})
			got.LogTail = []byte(plain(string(got.LogTail)))
			want := Result{Payload: []byte(test.want), FunctionError: "Unhandled", LogTail: []byte(test.log)}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("result (-got +want):\n%s", diff)
			}
			b.stop()
			if diff := cmp.Diff(plain(b.logs.text(t)), initStart+test.log); diff != "" {
				t.Errorf("log (-got +want):\n%s", diff)
			}
		})
	}
}

func TestTimeoutKeepsSandbox(t *testing.T) {
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		if p.run == 1 {
			p.sandbox.tmp["file"] = "kept"
			p.next()
			return p.hang()
		}
		return serve(func(p *fakeProcess, _ string) string { return fmt.Sprintf("%d %s", p.run, p.sandbox.tmp["file"]) })(p)
	})
	f := testFunction()
	f.Timeout = 100 * time.Millisecond
	if got := b.invoke(f, Invocation{}); got.FunctionError != "Unhandled" {
		t.Errorf("got FunctionError %q, want Unhandled", got.FunctionError)
	}
	b.mu.Lock()
	for e := range b.environments {
		e.function.Timeout = time.Minute // whatever the machine does
	}
	b.mu.Unlock()
	got := b.invoke(f, Invocation{RequestID: id, LogTail: true})
	if diff := cmp.Diff(string(got.Payload), "2 kept"); diff != "" {
		t.Errorf("payload after a timeout (-got +want):\n%s", diff)
	}
	// The new process is initialized within the invocation: no INIT_START and no Init Duration.
	if diff := cmp.Diff(plain(string(got.LogTail)), startOf+endOf+report("")); diff != "" {
		t.Errorf("log after a timeout (-got +want):\n%s", diff)
	}
}

func TestInitIsTriedAgainInInvocation(t *testing.T) {
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		if p.run == 1 {
			return sandbox.Exit{Code: 1}
		}
		return serve(echo)(p)
	})
	got := b.invoke(testFunction(), Invocation{RequestID: id, Payload: []byte("1"), LogTail: true})
	got.LogTail = []byte(plain(string(got.LogTail)))
	want := Result{Payload: []byte("1"), LogTail: []byte(
		"INIT_REPORT Init Duration: N ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n" + startOf + endOf + report(""))}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("result (-got +want):\n%s", diff)
	}
}

func TestProcessThatEndsWhileIdleIsStartedAgain(t *testing.T) {
	quit := make(chan struct{})
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		id, _, _ := p.next()
		p.respond(id, fmt.Sprint(p.run))
		go p.next()
		<-quit
		return sandbox.Exit{}
	})
	for i := 1; i <= 2; i++ {
		if got := b.invoke(testFunction(), Invocation{LogTail: true}); string(got.Payload) != fmt.Sprint(i) {
			t.Errorf("got %s, want %d", got.Payload, i)
		}
		quit <- struct{}{}
		for e := range b.environments {
			<-e.process.ended
		}
	}
}

func TestConcurrency(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	b := newBench(t, serve(func(p *fakeProcess, payload string) string {
		arrived <- struct{}{}
		<-leave
		return payload
	}), func(c *Config) { c.MaxConcurrency = 3 })
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() { b.invoke(testFunction(), Invocation{}) })
	}
	for range 3 {
		<-arrived
	}
	_, err := b.Invoke(t.Context(), testFunction(), Invocation{})
	var throttled ErrThrottled
	if !errors.As(err, &throttled) || throttled.Reason != "ConcurrentInvocationLimitExceeded" {
		t.Errorf("got %v, want ErrThrottled", err)
	}
	other := testFunction()
	other.Account = "111111111111"
	other.ARN = "arn:aws:lambda:us-east-1:111111111111:function:fn"
	calls.Go(func() { b.invoke(other, Invocation{}) }) // another account has its own limit
	<-arrived
	close(leave)
	calls.Wait()
	if created, _ := b.driver.counts(); created != 4 {
		t.Errorf("got %d sandboxes, want 4", created)
	}
}

func TestIdleEnvironmentsCountTowardsLimit(t *testing.T) {
	b := newBench(t, serve(echo), func(c *Config) { c.MaxConcurrency = 2 })
	for i := range 4 {
		f := testFunction()
		f.ARN += fmt.Sprint(i)
		b.invoke(f, Invocation{LogTail: true}) // the tail is there when the invocation no longer counts
	}
	first, second := <-b.driver.closed, <-b.driver.closed
	if want := b.driver.created; first != want[0].ID && first != want[1].ID || second != want[0].ID && second != want[1].ID {
		t.Errorf("closed %s and %s, want the oldest", first, second)
	}
}

func TestRevisionAndRetire(t *testing.T) {
	arrived, leave := make(chan struct{}, 1), make(chan struct{})
	b := newBench(t, serve(func(p *fakeProcess, payload string) string {
		if payload == "wait" {
			arrived <- struct{}{}
			<-leave
		}
		return payload
	}))
	f := testFunction()
	b.invoke(f, Invocation{LogTail: true}) // it is idle again when the tail is there
	changed := f
	changed.Revision = "r2"
	b.invoke(changed, Invocation{LogTail: true})
	if created, live := b.driver.counts(); created != 2 || live != 2 {
		t.Errorf("got %d sandboxes made and %d live, want 2 and 2", created, live)
	}
	var calls sync.WaitGroup
	calls.Go(func() { b.invoke(f, Invocation{Payload: []byte("wait")}) })
	<-arrived
	b.Retire(f.ARN, "")
	if got, want := <-b.driver.closed, b.driver.created[1].ID; got != want {
		t.Errorf("closed %s, want the idle %s", got, want)
	}
	close(leave)
	calls.Wait()
	if got, want := <-b.driver.closed, b.driver.created[0].ID; got != want {
		t.Errorf("closed %s, want %s after its invocation", got, want)
	}
}

// A change of $LATEST leaves the environments of published versions; the end of the function leaves none.
func TestRetireVersion(t *testing.T) {
	b := newBench(t, serve(echo))
	latest, published, other := testFunction(), testFunction(), testFunction()
	published.Version, published.Revision = "1", "r9"
	other.ARN += "2"
	for _, f := range []Function{latest, published, other} {
		b.invoke(f, Invocation{LogTail: true}) // it is idle again when the tail is there
	}
	b.Retire(latest.ARN, "$LATEST")
	if got, want := <-b.driver.closed, b.driver.created[0].ID; got != want {
		t.Errorf("closed %s, want %s of $LATEST", got, want)
	}
	if b.invoke(published, Invocation{}); len(b.driver.closed) != 0 {
		t.Errorf("closed %s too", <-b.driver.closed)
	}
	b.Retire(latest.ARN, "")
	if got, want := <-b.driver.closed, b.driver.created[1].ID; got != want {
		t.Errorf("closed %s, want %s of the version", got, want)
	}
	if created, live := b.driver.counts(); created != 3 || live != 1 {
		t.Errorf("got %d sandboxes made and %d live, want 3 and the one of another function", created, live)
	}
}

func TestIdleTimeout(t *testing.T) {
	b := newBench(t, serve(echo), func(c *Config) { c.IdleTimeout = 20 * time.Millisecond })
	b.invoke(testFunction(), Invocation{})
	<-b.driver.closed
}

func TestCredentials(t *testing.T) {
	issued := 0
	b := newBench(t, serve(func(p *fakeProcess, _ string) string { return p.env("AWS_ACCESS_KEY_ID") }), func(c *Config) {
		c.Credentials = func(context.Context, Function) (principal.Credentials, error) {
			issued++
			expires := time.Now().Add(time.Hour)
			if issued == 1 {
				expires = time.Now().Add(time.Millisecond)
			}
			return principal.Credentials{AccessKeyID: fmt.Sprintf("ASIA%d", issued), Expires: expires}, nil
		}
	})
	if got := b.invoke(testFunction(), Invocation{LogTail: true}); string(got.Payload) != "ASIA1" {
		t.Errorf("got %s, want ASIA1", got.Payload)
	}
	time.Sleep(time.Millisecond) // the credentials' own lifetime
	for range 2 {
		if got := b.invoke(testFunction(), Invocation{LogTail: true}); string(got.Payload) != "ASIA2" { // it is idle again with the tail
			t.Errorf("got %s, want ASIA2: environments with expiring credentials are replaced", got.Payload)
		}
	}
}

func TestRenewal(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct{ life, want time.Duration }{
		{12 * time.Hour, 11*time.Hour + 45*time.Minute},
		{time.Hour, 45 * time.Minute},
		{20 * time.Minute, 15 * time.Minute},
	} {
		if got := renewal(now, now.Add(test.life)).Sub(now); got != test.want {
			t.Errorf("life %v: got renewal after %v, want %v", test.life, got, test.want)
		}
	}
	if got := renewal(now, time.Time{}); !got.IsZero() {
		t.Errorf("got %v for credentials that do not expire, want zero", got)
	}
}

func TestServerErrors(t *testing.T) {
	broken := errors.New("broken")
	role := ErrRole{Role: "arn:aws:iam::000000000000:role/r", Err: broken}
	b := newBench(t, serve(echo), func(c *Config) {
		c.Credentials = func(context.Context, Function) (principal.Credentials, error) { return principal.Credentials{}, role }
	})
	_, err := b.Invoke(t.Context(), testFunction(), Invocation{})
	var got ErrRole
	if !errors.As(err, &got) || got != role {
		t.Errorf("got %v, want ErrRole", err)
	}
	for _, set := range []func(*fakeDriver){
		func(d *fakeDriver) { d.createIt = broken },
		func(d *fakeDriver) { d.startIt = broken },
	} {
		b := newBench(t, serve(echo))
		set(b.driver)
		if _, err := b.Invoke(t.Context(), testFunction(), Invocation{}); !errors.Is(err, broken) {
			t.Errorf("got %v, want the driver's error", err)
		}
	}
}

func TestBackgroundWorkAfterResponse(t *testing.T) {
	leave := make(chan struct{})
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		id, payload, _ := p.next()
		p.respond(id, payload)
		<-leave
		p.print("afterwards\n")
		p.next()
		return sandbox.Exit{}
	})
	got := b.invoke(testFunction(), Invocation{RequestID: id, Payload: []byte("1")}) // while the runtime still works
	if diff := cmp.Diff(got, Result{Payload: []byte("1")}); diff != "" {
		t.Errorf("result (-got +want):\n%s", diff)
	}
	close(leave)
	b.running.Wait() // not cut short by the end
	b.stop()
	want := initStart + startOf + "afterwards\n" + endOf + report("Init Duration: N ms\t")
	if diff := cmp.Diff(plain(b.logs.text(t)), want); diff != "" {
		t.Errorf("log (-got +want):\n%s", diff)
	}
}

func TestCrashAfterResponseKeepsAnswer(t *testing.T) {
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		id, payload, _ := p.next()
		p.respond(id, payload)
		return sandbox.Exit{Code: 1}
	})
	got := b.invoke(testFunction(), Invocation{RequestID: id, Payload: []byte("1"), LogTail: true})
	got.LogTail = []byte(plain(string(got.LogTail)))
	want := Result{Payload: []byte("1"),
		LogTail: []byte(startOf + endOf + report("Init Duration: N ms\tStatus: error\tError Type: Runtime.ExitError"))}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("result (-got +want):\n%s", diff)
	}
}

func TestCallerGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := newBench(t, serve(func(_ *fakeProcess, payload string) string { cancel(); return payload }))
	got, err := b.Invoke(ctx, testFunction(), Invocation{Payload: []byte("1")})
	if err != nil || string(got.Payload) != "1" {
		t.Errorf("got %s, %v, want the function's answer", got.Payload, err)
	}
}

// TestDrain: an invocation that ends within the grace period is answered.
func TestDrain(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	b := newBench(t, hold(arrived, leave), func(c *Config) { c.Grace = time.Minute })
	var calls sync.WaitGroup
	calls.Go(func() {
		if got := b.invoke(testFunction(), Invocation{}); string(got.Payload) != "on-demand" {
			t.Errorf("got %s, want the answer of an invocation that ends in time", got.Payload)
		}
	})
	<-arrived
	calls.Go(b.stop)
	for closing := false; !closing; runtime.Gosched() {
		b.mu.Lock()
		closing = b.closing
		b.mu.Unlock()
	}
	close(leave)
	calls.Wait()
	if _, err := b.Invoke(t.Context(), testFunction(), Invocation{}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed after Run", err)
	}
}

// TestDrainCutsShort: one that does not is cut short.
func TestDrainCutsShort(t *testing.T) {
	arrived := make(chan struct{})
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		p.next()
		close(arrived)
		return p.hang()
	})
	ended := make(chan error, 1)
	go func() {
		_, err := b.Invoke(context.Background(), testFunction(), Invocation{})
		ended <- err
	}()
	<-arrived
	b.stop()
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed for an invocation that is cut short", err)
	}
}

func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	b := newBench(t, serve(echo))
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() { b.invoke(testFunction(), Invocation{}) })
	}
	calls.Wait()
	b.stop()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	}
	if len(b.pools) != 0 || len(b.environments) != 0 {
		t.Errorf("got %d pools and %d environments, want none", len(b.pools), len(b.environments))
	}
}

func TestEnvironmentVariables(t *testing.T) {
	vars := make(chan []string, 1)
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		vars <- p.Env
		return serve(echo)(p)
	})
	f := testFunction()
	f.Env = map[string]string{"NAME": "value", "TZ": "Europe/Paris", "AWS_REGION": "ignored"}
	b.invoke(f, Invocation{})
	var e *environment
	for e = range b.environments {
	}
	want := []string{
		"AWS_ACCESS_KEY_ID=ASIAEXAMPLE", "AWS_DEFAULT_REGION=us-east-1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_FUNCTION_NAME=fn", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/fn", "AWS_LAMBDA_LOG_STREAM_NAME=" + e.log.stream,
		"AWS_LAMBDA_RUNTIME_API=" + e.runtimeAddress, "AWS_REGION=us-east-1", "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_SESSION_TOKEN=token", "AWS_XRAY_CONTEXT_MISSING=LOG_ERROR", "AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000",
		"GOMAXPROCS=1",
		"LAMBDA_RUNTIME_DIR=/var/runtime", "LAMBDA_TASK_ROOT=/var/task", "LANG=en_US.UTF-8", "NAME=value",
		"PATH=/usr/bin:/bin", "PWD=/var/task", "SHLVL=0", "TZ=Europe/Paris",
		"_AWS_XRAY_DAEMON_ADDRESS=127.0.0.1", "_AWS_XRAY_DAEMON_PORT=2000", "_HANDLER=h",
	}
	if diff := cmp.Diff(<-vars, want); diff != "" {
		t.Errorf("variables (-got +want):\n%s", diff)
	}
	if !regexp.MustCompile(`^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).MatchString(e.log.stream) {
		t.Errorf("got log stream %s", e.log.stream)
	}
}

// TestProcessors: a function has as many as its memory buys, unless its own variables say otherwise.
func TestProcessors(t *testing.T) {
	all := int64(runtime.NumCPU())
	for memory, want := range map[int]int64{128: 1, 1769: 1, 1771: min(2, all), 3538: min(2, all), 10240: min(6, all)} {
		if got := (&Function{MemoryMB: memory}).processors(); got != want {
			t.Errorf("%d MB: got %d, want %d", memory, got, want)
		}
	}
	b := newBench(t, serve(func(p *fakeProcess, _ string) string { return p.env("GOMAXPROCS") }))
	f := testFunction()
	f.Env = map[string]string{"GOMAXPROCS": "3"}
	if got := b.invoke(f, Invocation{}); string(got.Payload) != "3" {
		t.Errorf("got %s, want the function's own", got.Payload)
	}
}

func TestMetrics(t *testing.T) {
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		id, _, _ := p.next()
		p.respond(id, "")
		p.next()
		return sandbox.Exit{}
	})
	f := testFunction()
	b.invoke(f, Invocation{LogTail: true}) // it is idle again when the tail is there
	b.invoke(f, Invocation{})              // the process ends without an answer
	b.stop()
	got := map[string]float64{}
	for result, c := range b.metrics.results {
		got[result] = testutil.ToFloat64(c)
	}
	want := map[string]float64{resultOK: 1, resultFunction: 1, resultTimeout: 0, resultServer: 0}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("invocations (-got +want):\n%s", diff)
	}
	if n := testutil.ToFloat64(b.metrics.running); n != 0 {
		t.Errorf("got %v running invocations, want 0", n)
	}
	if n := len(b.Collectors()); n != 9 {
		t.Errorf("got %d collectors, want 9", n)
	}
}

func TestSpec(t *testing.T) {
	b := newBench(t, serve(echo))
	f := testFunction()
	f.LayerDir = "/layers"
	f.MemoryMB = 3538
	b.invoke(f, Invocation{})
	got := b.driver.created[0]
	if !strings.HasPrefix(got.ID, "f-") || len(got.ID) > 64 {
		t.Errorf("got id %q", got.ID)
	}
	want := sandbox.Spec{
		ID:        got.ID,
		Mounts:    []sandbox.Mount{{Source: "/code", Target: "/var/task"}, {Source: "/layers", Target: "/opt"}},
		Limits:    sandbox.Limits{MemoryBytes: 3538 << 20, CPUMillis: 2000, Processes: 1024, OpenFiles: 1024, TmpBytes: 512 << 20},
		Network:   sandbox.NetworkNone,
		Listeners: []sandbox.ListenerSpec{{Name: "runtime", Port: 9001}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("spec (-got +want):\n%s", diff)
	}
}
