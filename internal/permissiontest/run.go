package permissiontest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/landscape"
)

// Decider says how calls would be decided. It is asked by many goroutines.
type Decider interface {
	// Explain decides a call. The error says what in the call names nothing, or that nobody could be asked.
	Explain(ctx context.Context, c landscape.Call) (landscape.Answer, error)
}

// Verdict is how a case ended.
type Verdict string

// The verdicts. All but Passed are failures.
const (
	Passed Verdict = "passed"
	// Failed: the decision is not as expected.
	Failed Verdict = "failed"
	// Unsure: it depends on what is not known.
	Unsure Verdict = "unsure"
	// Broken: the case could not be decided, for it names what is not there.
	Broken Verdict = "broken"
)

// Result is how a case ended, and why.
type Result struct {
	Test    string
	Case    Case
	Verdict Verdict
	// Reason is a sentence; "" for one that passed.
	Reason string
	// Answer is what was decided, unless the case is Broken.
	Answer landscape.Answer
}

// Offline decides in what a file declares.
type Offline struct {
	*landscape.Landscape
	Now time.Time
}

// Explain decides a call.
func (o Offline) Explain(_ context.Context, c landscape.Call) (landscape.Answer, error) {
	return o.Landscape.Explain(c, o.Now)
}

// Run decides the cases of a file whose tests select, in the order of the file. progress, if there is one, is called after each with how many
// are done, by any goroutine. When ctx ends the error is its cause.
func Run(ctx context.Context, f *File, by Decider, chosen func(test string) bool, progress func(done, all int)) ([]Result, error) {
	var results []Result
	for _, t := range f.Tests {
		if !chosen(t.Name) {
			continue
		}
		for _, c := range t.Cases {
			results = append(results, Result{Test: t.Name, Case: c})
		}
	}
	var next, done atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(results) {
					return
				}
				results[i].run(ctx, by)
				if n := int(done.Add(1)); progress != nil {
					progress(n, len(results))
				}
			}
		})
	}
	workers.Wait()
	return results, context.Cause(ctx)
}

func (r *Result) run(ctx context.Context, by Decider) {
	answer, err := by.Explain(ctx, r.Case.Call)
	if err != nil {
		r.Verdict, r.Reason = Broken, err.Error()
		return
	}
	r.Answer = answer
	r.Verdict, r.Reason = judge(r.Case, answer)
}

// judge compares a decision with what a case expects.
func judge(c Case, a landscape.Answer) (Verdict, string) {
	d := a.Decision
	switch {
	case a.Unsure != nil:
		return Unsure, "It depends on what is not known: " + strings.Join(a.Unsure, "; ") + "."
	case c.Want == Can && !d.Allowed:
		return Failed, "It is denied."
	case c.Want != Can && d.Allowed:
		return Failed, "It is allowed."
	case c.By != "" && c.By != d.By:
		return Failed, fmt.Sprintf("It is decided by the %s policy.", d.By)
	case c.Want == Missing && a.MaybeDenied != nil:
		return Unsure, "A statement may deny it, which depends on what is not known: " + strings.Join(a.MaybeDenied, "; ") + "."
	case c.Want == Missing && d.Explicit:
		return Failed, "Nothing is missing: a statement denies it."
	case c.Want == Missing && !onlyAdds(a.Fix):
		return Failed, "It takes more to allow it than another statement."
	}
	return Passed, ""
}

// onlyAdds tells whether statements that allow the call are all that a fix has.
func onlyAdds(f *authz.Fix) bool {
	if f == nil || !f.Verified || len(f.Changes) == 0 {
		return false
	}
	for _, c := range f.Changes {
		if c.Kind != authz.AddStatement {
			return false
		}
	}
	return true
}

// Summary counts results.
type Summary struct {
	Tests, Cases, Passed, Failed, Unsure, Broken int
}

// OK tells whether all passed, and there were any.
func (s Summary) OK() bool { return s.Cases > 0 && s.Passed == s.Cases }

// Sum counts results.
func Sum(results []Result) (s Summary) {
	tests := make(map[[2]string]bool)
	for _, r := range results {
		tests[[2]string{r.Case.At.File, r.Test}] = true
		s.Cases++
		switch r.Verdict {
		case Passed:
			s.Passed++
		case Failed:
			s.Failed++
		case Unsure:
			s.Unsure++
		default: // also one that was not run
			s.Broken++
		}
	}
	s.Tests = len(tests)
	return s
}

func (s Summary) String() string {
	text := fmt.Sprintf("%d %s in %d %s: %d as expected", s.Cases, plural(s.Cases, "call"), s.Tests, plural(s.Tests, "test"), s.Passed)
	for _, part := range []struct {
		n    int
		what string
	}{{s.Failed, "not"}, {s.Unsure, "unsure"}, {s.Broken, "broken"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return text
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
