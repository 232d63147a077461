package execution

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
)

// otherServers leave so much of each limit to this one, whole when it asks.
type otherServers struct {
	manager *Manager

	mu    sync.Mutex
	leave map[string]int
	asked []string
	freed []string
}

func (o *otherServers) Ask(_ context.Context, name string, limit int) bool {
	o.mu.Lock()
	o.asked = append(o.asked, fmt.Sprint(name, " of ", limit))
	n := o.leave[name]
	o.mu.Unlock()
	used := o.manager.Lower(name, func(_, running int) int { return running })
	return o.manager.Granted(name, limit, max(n, used))
}

func (o *otherServers) Freed(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.freed = append(o.freed, name)
}

// told gives what this server has asked since it was called last.
func (o *otherServers) told() (asked []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	asked, o.asked = o.asked, nil
	return asked
}

const (
	ofAccount  = "account/000000000000/us-east-1"
	ofFunction = "function/arn:aws:lambda:us-east-1:000000000000:function:fn"
)

// newShared is a bench that shares limits with other servers.
func newShared(t *testing.T, arrived, leave chan struct{}) (*bench, *otherServers) {
	o := &otherServers{leave: map[string]int{}}
	b := newBench(t, hold(arrived, leave), func(c *Config) { c.Shares = o })
	o.manager = b.Manager
	return b, o
}

// begin invokes and waits until the function runs. The result comes on the channel.
func (b *bench) begin(f Function, arrived chan struct{}) <-chan error {
	b.t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, err := b.Invoke(context.Background(), f, Invocation{RequestID: "1", Event: true})
		ended <- err
	}()
	<-arrived
	return ended
}

// end lets functions go until the one has ended: one that was cut short may still be there to take what was meant for it.
func end(leave chan<- struct{}, ended <-chan error) error {
	for {
		select {
		case leave <- struct{}{}:
		case err := <-ended:
			return err
		}
	}
}

// An invocation runs under what this server holds of a limit, and others are asked for what is missing.
func TestSharedLimits(t *testing.T) {
	for _, c := range []struct {
		f            Function
		name, reason string
		limit        int
	}{
		{testFunction(), ofAccount, "ConcurrentInvocationLimitExceeded", 1000},
		{reserving(testFunction(), 5), ofFunction, "ReservedFunctionConcurrentInvocationLimitExceeded", 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			arrived, leave := make(chan struct{}), make(chan struct{})
			b, o := newShared(t, arrived, leave)
			once := []string{fmt.Sprint(c.name, " of ", c.limit)}
			b.refused(c.f, c.reason)
			if diff := cmp.Diff(once, o.told()); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			o.leave[c.name] = 2
			first := b.begin(c.f, arrived)
			second := b.begin(c.f, arrived)
			if diff := cmp.Diff(once, o.told()); diff != "" {
				t.Errorf("asked for two (-want +got):\n%s", diff)
			}
			b.refused(c.f, c.reason)
			if diff := cmp.Diff(once, o.told()); diff != "" {
				t.Errorf("asked for a third (-want +got):\n%s", diff)
			}
			// Nothing can be given up that is used.
			if got := b.Lower(c.name, func(granted, running int) int { return granted - running }); got != 2 {
				t.Errorf("2 of 2 run, kept %d", got)
			}
			b.Wanted(c.name, true)
			leave <- struct{}{}
			leave <- struct{}{}
			if err := errors.Join(<-first, <-second); err != nil {
				t.Fatal(err)
			}
			b.running.Wait()
			if diff := cmp.Diff([]string{c.name, c.name}, o.freed); diff != "" {
				t.Errorf("freed (-want +got):\n%s", diff)
			}
			if got := b.Lower(c.name, func(granted, running int) int { return granted - 1 }); got != 1 {
				t.Errorf("none of 2 runs, one is given up, kept %d", got)
			}
			// Of a limit that has changed nothing is known.
			f := c.f
			if f.Reserved != nil {
				f = reserving(f, 3)
			} else {
				f.AccountReserved = 1
			}
			o.leave[c.name] = 0
			b.refused(f, c.reason)
			if len(o.told()) != 1 {
				t.Error("did not ask about a limit that has changed")
			}
		})
	}
}

// Reserved concurrency that others may use is not used any more. What shares the account's runs on.
func TestFence(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	defer close(leave)
	b, o := newShared(t, arrived, leave)
	o.leave[ofFunction], o.leave[ofAccount] = 5, 5
	reserved, shared := reserving(testFunction(), 5), testFunction()
	shared.Version, shared.Revision = "1", "r2"
	ends, stays := b.begin(reserved, arrived), b.begin(shared, arrived)
	b.Fence()
	if err := <-ends; !errors.Is(err, ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	o.leave[ofFunction], o.leave[ofAccount] = 0, 0
	o.told()
	b.refused(reserved, limitReason(&reserved))
	b.refused(shared, limitReason(&shared))
	if asked := o.told(); len(asked) != 2 {
		t.Errorf("asked %q, want once for each", asked)
	}
	if err := end(leave, stays); err != nil {
		t.Errorf("without reserved concurrency: %v", err)
	}
	o.leave[ofFunction] = 1
	again := b.begin(reserved, arrived)
	if err := end(leave, again); err != nil {
		t.Errorf("after it was granted again: %v", err)
	}
}

// What is provisioned is of this server alone, unless the function has reserved concurrency.
func TestProvisionedIsNotShared(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	b, o := newShared(t, arrived, leave)
	f := testFunction()
	f.Version = "1"
	b.Provision([]Provision{{Function: f, Count: 1}})
	b.provided(f, 1, "")
	ended := b.begin(f, arrived)
	if asked := o.told(); len(asked) != 0 {
		t.Errorf("asked %q", asked)
	}
	b.refused(f, limitReason(&f))
	if err := end(leave, ended); err != nil {
		t.Error(err)
	}
}

// An invocation that has just answered when it may run no more ends, too, though its runtime never asks for another event. Which of the two comes first
// differs from one time to the next.
func TestFenceMeetsAnAnswer(t *testing.T) {
	for range 20 {
		answered := make(chan struct{})
		o := &otherServers{leave: map[string]int{ofFunction: 5}}
		b := newBench(t, func(p *fakeProcess) sandbox.Exit {
			id, payload, _ := p.next()
			p.respond(id, payload)
			close(answered)
			return p.hang()
		}, func(c *Config) { c.Shares = o })
		o.manager = b.Manager
		f := reserving(testFunction(), 5)
		f.Timeout = time.Hour
		invoked := make(chan error, 1)
		go func() {
			_, err := b.Invoke(context.Background(), f, Invocation{RequestID: "1", Payload: []byte("1")})
			invoked <- err
		}()
		<-answered
		b.Fence()
		if err := <-invoked; err != nil && !errors.Is(err, ErrFenced) {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { b.running.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Fatal("it still runs")
		}
		b.stop()
	}
}

// An invocation that waits to start when it may run no more does not run afterwards.
func TestFenceMeetsAStart(t *testing.T) {
	starting, gate := make(chan struct{}), make(chan struct{})
	o := &otherServers{leave: map[string]int{ofFunction: 5, ofAccount: 5}}
	ran := make(chan struct{}, 1)
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		if p.env("AWS_LAMBDA_FUNCTION_NAME") == "slow" {
			close(starting)
			<-gate
			return serve(echo)(p)
		}
		return serve(func(p *fakeProcess, payload string) string {
			ran <- struct{}{}
			<-p.ctx.Done()
			return payload
		})(p)
	}, func(c *Config) { c.Shares = o })
	o.manager = b.Manager
	b.starts = newStarts(1, b.generics.refill)
	b.starts.share = time.Minute // whatever the machine does
	invoke := func(f Function) <-chan error {
		ended := make(chan error, 1)
		go func() {
			_, err := b.Invoke(context.Background(), f, Invocation{RequestID: "1", Payload: []byte("1")})
			ended <- err
		}()
		return ended
	}
	slow := testFunction()
	slow.Name, slow.ARN = "slow", slow.ARN+"-slow"
	first := invoke(slow)
	<-starting
	second := invoke(reserving(testFunction(), 5))
	for waits := false; !waits; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		waits = b.shares[ofFunction] != nil && b.shares[ofFunction].running == 1
		b.mu.Unlock()
	}
	b.Fence()
	close(gate)
	select {
	case err := <-second:
		if !errors.Is(err, ErrFenced) {
			t.Errorf("got %v, want ErrFenced", err)
		}
	case <-ran:
		t.Error("it runs")
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
}
