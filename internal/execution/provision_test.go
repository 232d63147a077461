package execution

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/sandbox"
)

// hold is a program whose invocations tell that they have arrived, and end when leave is closed.
func hold(arrived chan<- struct{}, leave <-chan struct{}) func(*fakeProcess) sandbox.Exit {
	return serve(func(p *fakeProcess, payload string) string {
		arrived <- struct{}{}
		<-leave
		return p.env("AWS_LAMBDA_INITIALIZATION_TYPE")
	})
}

func (b *bench) refused(f Function, reason string) {
	b.t.Helper()
	_, err := b.Invoke(context.Background(), f, Invocation{})
	if throttled, ok := errors.AsType[ErrThrottled](err); !ok || throttled.Reason != reason {
		b.t.Errorf("version %s: got %v, want to be throttled for %s", f.Version, err, reason)
	}
}

const (
	reservedLimit = "ReservedFunctionConcurrentInvocationLimitExceeded"
	accountLimit  = "ConcurrentInvocationLimitExceeded"
)

func reserving(f Function, n int32) Function {
	f.Reserved, f.AccountReserved = &n, int(n)
	return f
}

func TestReservedConcurrency(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	b := newBench(t, hold(arrived, leave))
	f := testFunction()
	b.refused(reserving(f, 0), reservedLimit)
	var calls sync.WaitGroup
	calls.Go(func() { b.invoke(f, Invocation{}) }) // before anything was reserved: it counts all the same
	<-arrived
	published := reserving(f, 2)
	published.Version = "1"
	calls.Go(func() { b.invoke(published, Invocation{}) }) // all versions share what is reserved
	<-arrived
	b.refused(published, reservedLimit)
	b.refused(reserving(f, 2), reservedLimit)
	calls.Go(func() { b.invoke(reserving(f, 3), Invocation{}) })
	<-arrived
	close(leave)
	calls.Wait()
	b.running.Wait() // also for what settles
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.pools {
		if e.use.running != 0 || e.account.running != 0 || e.account.shared != 0 {
			t.Errorf("got %+v of function and %+v of account after all invocations", *e.use, *e.account)
		}
	}
}

func TestUnreservedConcurrency(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	b := newBench(t, hold(arrived, leave), func(c *Config) { c.MaxConcurrency = 3 })
	other := testFunction()
	other.AccountReserved = 2
	var calls sync.WaitGroup
	calls.Go(func() { b.invoke(other, Invocation{}) })
	<-arrived
	b.refused(other, accountLimit)
	f := reserving(testFunction(), 2)
	f.ARN += "2"
	for range 2 {
		calls.Go(func() { b.invoke(f, Invocation{}) })
		<-arrived
	}
	b.refused(f, reservedLimit)
	other.AccountReserved = 0
	b.refused(other, accountLimit) // what was reserved no longer is, but it still runs
	close(leave)
	calls.Wait()
}

// provided waits until a Provision has come to its end.
func (b *bench) provided(f Function, ready int, failure string) {
	b.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		got, ok := b.Provisioned(f.ARN, f.Version)
		if ok && got.Ready == ready && got.Failure == failure {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("got %+v, %v, want %d ready, failure %q", got, ok, ready, failure)
		}
		time.Sleep(time.Millisecond)
	}
}

func published() Function {
	f := testFunction()
	f.Version = "1"
	return f
}

func TestProvision(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	b := newBench(t, hold(arrived, leave), func(c *Config) { c.MaxConcurrency = 3 })
	f := published()
	b.Provision([]Provision{{Function: f, Count: 2}})
	b.provided(f, 2, "")
	b.Provision([]Provision{{Function: f, Count: 2}}) // changes nothing
	b.Retire(f.ARN, "$LATEST")                        // nor does a change of $LATEST
	if created, live := b.driver.counts(); created != 2 || live != 2 {
		t.Errorf("got %d sandboxes made and %d live, want 2 and 2", created, live)
	}
	f.AccountReserved = 2 // that which is provisioned
	var calls sync.WaitGroup
	types := make(chan string, 3)
	for range 3 {
		calls.Go(func() { types <- string(b.invoke(f, Invocation{}).Payload) })
		<-arrived
	}
	b.refused(f, accountLimit)
	b.provided(f, 2, "") // they are ready when they run, too
	close(leave)
	calls.Wait()
	got := []string{<-types, <-types, <-types}
	slices.Sort(got)
	if s := strings.Join(got, " "); s != "on-demand provisioned-concurrency provisioned-concurrency" {
		t.Errorf("got %s", s)
	}
	if created, _ := b.driver.counts(); created != 3 {
		t.Errorf("got %d sandboxes, want 3", created)
	}
}

func TestProvisionFewer(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	b := newBench(t, hold(arrived, leave))
	f := published()
	b.Provision([]Provision{{Function: f, Count: 3}})
	b.provided(f, 3, "")
	var calls sync.WaitGroup
	calls.Go(func() { b.invoke(f, Invocation{}) })
	<-arrived
	b.Provision([]Provision{{Function: f, Count: 1}})
	b.provided(f, 1, "")
	<-b.driver.closed
	<-b.driver.closed
	b.Provision(nil)
	if got, ok := b.Provisioned(f.ARN, f.Version); ok {
		t.Errorf("got %+v after the end", got)
	}
	select {
	case id := <-b.driver.closed:
		t.Errorf("closed %s while it ran", id)
	default:
	}
	close(leave)
	calls.Wait()
	<-b.driver.closed
}

func TestProvisionOutlivesIdleTimeout(t *testing.T) {
	b := newBench(t, serve(echo), func(c *Config) { c.IdleTimeout = 20 * time.Millisecond })
	f := published()
	b.Provision([]Provision{{Function: f, Count: 1}})
	b.provided(f, 1, "")
	b.invoke(testFunction(), Invocation{})
	if got, want := <-b.driver.closed, b.driver.created[1].ID; got != want {
		t.Errorf("closed %s, want %s, which is not provisioned", got, want)
	}
	b.provided(f, 1, "")
	if _, live := b.driver.counts(); live != 1 {
		t.Errorf("got %d sandboxes, want 1", live)
	}
}

func TestProvisionIsReplaced(t *testing.T) {
	var mu sync.Mutex
	issued := 0
	b := newBench(t, serve(func(p *fakeProcess, _ string) string {
		return p.env("AWS_ACCESS_KEY_ID") + " " + p.env("AWS_LAMBDA_INITIALIZATION_TYPE")
	}), func(c *Config) {
		c.IdleTimeout = 20 * time.Millisecond
		c.Credentials = func(context.Context, Function) (principal.Credentials, error) {
			mu.Lock()
			defer mu.Unlock()
			issued++
			expires := time.Now().Add(time.Hour)
			if issued == 1 {
				expires = time.Now()
			}
			return principal.Credentials{AccessKeyID: fmt.Sprintf("ASIA%d", issued), Expires: expires}, nil
		}
	})
	f := published()
	b.Provision([]Provision{{Function: f, Count: 1}})
	<-b.driver.closed // its credentials had expired
	b.provided(f, 1, "")
	if got := b.invoke(f, Invocation{}); string(got.Payload) != "ASIA2 provisioned-concurrency" {
		t.Errorf("got %s, want ASIA2, provisioned", got.Payload)
	}
	changed := f
	changed.Revision = "r2"
	b.Provision([]Provision{{Function: changed, Count: 1}})
	<-b.driver.closed
	b.provided(f, 1, "")
	if got := b.invoke(changed, Invocation{}); string(got.Payload) != "ASIA3 provisioned-concurrency" {
		t.Errorf("got %s, want ASIA3, provisioned", got.Payload)
	}
}

func TestProvisionFails(t *testing.T) {
	asked := time.Unix(1_700_000_000, 0)
	f := published()
	t.Run("init", func(t *testing.T) {
		var mu sync.Mutex
		broken := true
		b := newBench(t, func(p *fakeProcess) sandbox.Exit {
			mu.Lock()
			defer mu.Unlock()
			if broken {
				return sandbox.Exit{Code: 1}
			}
			mu.Unlock()
			defer mu.Lock()
			return serve(echo)(p)
		})
		b.Provision([]Provision{{Function: f, Count: 1, Asked: asked}})
		b.provided(f, 0, "FUNCTION_ERROR_INIT_FAILURE")
		mu.Lock()
		broken = false
		mu.Unlock()
		b.Provision([]Provision{{Function: f, Count: 1, Asked: asked}}) // not asked anew
		b.provided(f, 0, "FUNCTION_ERROR_INIT_FAILURE")
		b.Provision([]Provision{{Function: f, Count: 1, Asked: asked.Add(1)}})
		b.provided(f, 1, "")
	})
	t.Run("role", func(t *testing.T) {
		b := newBench(t, serve(echo), func(c *Config) {
			c.Credentials = func(context.Context, Function) (principal.Credentials, error) {
				return principal.Credentials{}, ErrRole{Role: f.Role, Err: errors.New("no")}
			}
		})
		b.Provision([]Provision{{Function: f, Count: 1}})
		b.provided(f, 0, "The role defined for the function cannot be assumed by Lambda.")
	})
	t.Run("driver", func(t *testing.T) {
		b := newBench(t, serve(echo))
		b.driver.createIt = errors.New("broken")
		b.Provision([]Provision{{Function: f, Count: 1}})
		b.provided(f, 0, "Lambda could not start an environment.")
	})
	t.Run("memory", func(t *testing.T) {
		b := newBench(t, serve(echo), func(c *Config) { c.ProvisionedMemoryMB = 300 })
		other := f
		other.ARN += "2"
		b.Provision([]Provision{{Function: f, Count: 1}, {Function: other, Count: 2}})
		b.provided(f, 1, "")
		b.provided(other, 0, "The machine has no memory for 2 environments of 128 MB beside what else is provisioned.")
		b.Provision([]Provision{{Function: f, Count: 1}, {Function: other, Count: 1}})
		b.provided(other, 1, "")
	})
	t.Run("beforehand", func(t *testing.T) {
		b := newBench(t, serve(echo))
		b.Provision([]Provision{{Function: f, Count: 1}})
		b.provided(f, 1, "")
		b.Provision([]Provision{{Function: f, Count: 1, Failure: "impossible"}})
		b.provided(f, 0, "impossible")
		<-b.driver.closed
		b.Provision([]Provision{{Function: f, Count: 1}})
		b.provided(f, 1, "")
	})
}

// What is no longer wanted when it has started is closed, and nothing takes its place.
func TestProvisionEndsWhileItStarts(t *testing.T) {
	started, leave := make(chan struct{}, 1), make(chan struct{})
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		started <- struct{}{}
		<-leave
		return serve(echo)(p)
	})
	b.Provision([]Provision{{Function: published(), Count: 1}})
	<-started
	b.Provision(nil)
	close(leave)
	<-b.driver.closed
	b.mu.Lock() // the start has ended
	defer b.mu.Unlock()
	if len(b.environments) != 0 || len(b.provisions) != 0 {
		t.Errorf("got %d environments and %d provisions, want none", len(b.environments), len(b.provisions))
	}
}

func TestProvisionEndsWithManager(t *testing.T) {
	started := make(chan struct{})
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		close(started)
		return p.hang()
	})
	f := published()
	b.Provision([]Provision{{Function: f, Count: 1}})
	<-started
	b.stop() // nothing may be left of it
	b.Provision([]Provision{{Function: f, Count: 2}})
	if created, _ := b.driver.counts(); created != 1 {
		t.Errorf("got %d sandboxes, want 1", created)
	}
}

// What is refused leaves the provisioned environment that it would have taken.
func TestProvisionAndReservation(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	b := newBench(t, hold(arrived, leave))
	f := reserving(published(), 1)
	b.Provision([]Provision{{Function: f, Count: 2}})
	b.provided(f, 2, "")
	var calls sync.WaitGroup
	calls.Go(func() { b.invoke(f, Invocation{}) })
	<-arrived
	b.refused(f, reservedLimit)
	more := reserving(published(), 2)
	calls.Go(func() {
		if got := b.invoke(more, Invocation{}); string(got.Payload) != "provisioned-concurrency" {
			t.Errorf("got %s", got.Payload)
		}
	})
	<-arrived
	close(leave)
	calls.Wait()
	if created, _ := b.driver.counts(); created != 2 {
		t.Errorf("got %d sandboxes, want 2", created)
	}
}

// A provisioned environment whose credentials are old when an invocation wants it makes room for another one; what a function runs is
// counted together before and after.
func TestProvisionRenewedByInvocation(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	b := newBench(t, hold(arrived, leave))
	f := reserving(published(), 2)
	b.Provision([]Provision{{Function: f, Count: 1}})
	b.provided(f, 1, "")
	b.mu.Lock()
	for e := range b.environments {
		e.credentials.renew = time.Now()
	}
	b.mu.Unlock()
	var calls sync.WaitGroup
	calls.Go(func() { b.invoke(f, Invocation{}) }) // finds it old
	<-arrived
	b.provided(f, 1, "")
	calls.Go(func() {
		if got := b.invoke(f, Invocation{}); string(got.Payload) != "provisioned-concurrency" {
			t.Errorf("got %s, want the new provisioned environment to be used", got.Payload)
		}
	})
	<-arrived
	b.refused(f, reservedLimit)
	close(leave)
	calls.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	for e := range b.environments {
		if b.pools[e.pool.key] != e.pool || b.uses[f.ARN] != e.pool.use {
			t.Error("an environment is in a pool that nobody finds")
		}
	}
}

// Whatever happens at a time, the numbers are right in the end.
func TestProvisionInDisorder(t *testing.T) {
	b := newBench(t, serve(echo), func(c *Config) { c.IdleTimeout, c.MaxConcurrency = 20*time.Millisecond, 8 })
	f := published()
	var calls sync.WaitGroup
	for worker := range 4 {
		calls.Go(func() {
			for i := range 40 {
				run := f
				run.AccountReserved = i % 5
				if worker == 0 {
					limit := int32(i % 4)
					run.Reserved = &limit
				}
				if _, err := b.Invoke(context.Background(), run, Invocation{Payload: []byte(fmt.Sprint(i))}); err != nil {
					if _, ok := errors.AsType[ErrThrottled](err); !ok {
						t.Error(err)
					}
				}
			}
		})
	}
	for i := range 40 {
		revision := f
		revision.Revision = fmt.Sprintf("r%d", i/10)
		b.Provision([]Provision{{Function: revision, Count: i % 6}})
		if i%7 == 0 {
			b.Retire(f.ARN, "")
		}
	}
	calls.Wait()
	b.running.Wait() // answers come before the end
	b.Provision([]Provision{{Function: f, Count: 2}})
	b.provided(f, 2, "")
	b.mu.Lock()
	defer b.mu.Unlock()
	total := 0
	for _, p := range b.pools {
		total += p.size
		if p.account.running != 0 || p.account.shared != 0 || p.use.running != 0 || len(p.idle)+len(p.provisioned) > p.size {
			t.Errorf("got %d and %d environments, %+v and %+v when nothing runs", p.size, len(p.idle)+len(p.provisioned), *p.account, *p.use)
		}
	}
	if a := b.accounts[accountKey{f.Account, f.Region}]; total != len(b.environments) || total != a.environments {
		t.Errorf("got %d environments in pools, %d of the account, %d in all", total, a.environments, len(b.environments))
	}
}
