package execution

import (
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/sandbox"
)

// A runtime that answers in a mode that is none can ask for nothing any more. The caller does not wait for its end.
func TestLeftAfterRefusedMode(t *testing.T) {
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		id, payload, _ := p.next()
		p.call("POST", api+"/invocation/"+id+"/response", payload, "Lambda-Runtime-Function-Response-Mode", "other")
		return p.hang()
	})
	f := testFunction()
	f.Timeout = time.Hour
	if got := b.invoke(f, Invocation{Payload: []byte("1")}); got.FunctionError != unhandled {
		t.Errorf("got %+v", got)
	}
}

// An invocation whose runtime has answered, and never asks for its next event, ends all the same: with its time limit, with the process, and
// with the manager. Its report is written.
func TestLeft(t *testing.T) {
	for name, c := range map[string]struct {
		timeout time.Duration
		after   func(p *fakeProcess) sandbox.Exit // the answer
		stop    bool
		want    string
	}{
		"time limit": {2 * time.Second, (*fakeProcess).hang, false, "Status: timeout"}, // in which it answers
		"process":    {time.Minute, func(*fakeProcess) sandbox.Exit { return sandbox.Exit{Code: 1} }, false, "Status: error\tError Type: Runtime.ExitError"},
		"manager":    {time.Minute, (*fakeProcess).hang, true, "Billed"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(p *fakeProcess) sandbox.Exit {
				id, payload, _ := p.next()
				p.respond(id, payload)
				return c.after(p)
			})
			f := testFunction()
			f.Timeout = c.timeout
			if got := b.invoke(f, Invocation{Payload: []byte("1")}); string(got.Payload) != "1" || got.FunctionError != "" {
				t.Errorf("got %+v", got)
			}
			if c.stop {
				b.stop()
			}
			b.running.Wait()
			b.stop()
			if log := b.logs.text(t); strings.Count(log, "REPORT") != 1 || !strings.Contains(log, c.want) {
				t.Errorf("got %s, want a report with %s", log, c.want)
			}
		})
	}
}
