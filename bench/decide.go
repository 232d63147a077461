package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/reference"
	"github.com/licet/licet/internal/dispatch"
)

// evaluator is one of those that are measured beside each other.
type evaluator struct {
	name string
	// prepare does what is done once for many decisions, and returns what is measured: one decision, which says whether it allows.
	// It returns nil where the evaluator cannot be asked the question. An evaluator without prepare is still to be written.
	prepare func(*question) func() bool
	// compile returns what the evaluator keeps of policies; nil where it keeps the documents themselves.
	compile func(authz.Policies) any
}

// evaluators are the columns of the table. The first is ours.
func evaluators() []evaluator {
	return []evaluator{
		{name: "compiled", prepare: func(q *question) func() bool {
			set := authz.Compile(q.policies)
			if q.call == nil {
				return func() bool { return set.Decide(&q.request).Allowed }
			}
			return func() bool {
				req := q.request
				req.Context = dispatch.GlobalKeys(q.call)
				return set.Decide(&req).Allowed
			}
		}, compile: func(p authz.Policies) any { return authz.Compile(p) }},
		{name: "reference", prepare: func(q *question) func() bool {
			if q.call == nil {
				return func() bool { return reference.Decide(q.request, q.policies).Allowed }
			}
			return func() bool {
				req := q.request
				req.Context = dispatch.GlobalKeys(q.call)
				return reference.Decide(req, q.policies).Allowed
			}
		}},
		{name: "cedar-go", prepare: func(q *question) func() bool {
			c := q.cedar
			switch {
			case c == nil:
				return nil
			case q.call == nil:
				return c.allowed
			}
			return func() bool {
				built := cedarQuestion{policies: c.policies}
				built.entities, built.request = cedarRequest(q.call, q.request.Action, q.request.Resource)
				return built.allowed()
			}
		}},
	}
}

// cost of one decision. The zero cost stands for none measured.
type cost struct {
	ns, allocs float64
}

func (c cost) String() string {
	if c.ns == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f µs %7.0f", c.ns/1000, c.allocs)
}

// measureDecisions prints what a decision costs each evaluator, then what our policies cost to make ready.
func (o options) measureDecisions() error {
	all := evaluators()
	fmt.Printf("%-44s", "time and allocations of a decision")
	for _, e := range all {
		fmt.Printf(" %20s", e.name)
	}
	fmt.Printf("   target of %s\n", all[0].name)
	typical, err := typicalQuestions()
	if err != nil {
		return err
	}
	for _, q := range typical {
		costs, err := o.ask(q, all)
		if err != nil {
			return err
		}
		printCosts(q.name, costs, q.target)
	}
	if err := o.measureHostile(all); err != nil {
		return err
	}
	fmt.Printf("\ncedar-go %s answers rules that are translated by hand: see bench/cedar.go for how, and what it cannot say (-)\n\n",
		moduleVersion("github.com/cedar-policy/cedar-go"))
	return o.measureCompilation(all)
}

func typicalQuestions() ([]*question, error) {
	ten, err := company()
	if err != nil {
		return nil, err
	}
	lambda, err := invoke()
	if err != nil {
		return nil, err
	}
	return []*question{ten, fromCall(ten), lambda}, nil
}

func printCosts(name string, costs []cost, target string) {
	columns := make([]string, len(costs))
	for i, c := range costs {
		columns[i] = c.String()
	}
	printRow(name, columns, target)
}

func printRow(name string, columns []string, target string) {
	fmt.Printf("%-44s", name)
	for _, c := range columns {
		fmt.Printf(" %20s", c)
	}
	if target != "" {
		target = "   ≤ " + target
	}
	fmt.Println(target)
}

// ask measures one question with every evaluator.
func (o options) ask(q *question, all []evaluator) ([]cost, error) {
	decisions := make([]func(), len(all))
	for i, e := range all {
		var err error
		if decisions[i], err = e.decision(q); err != nil {
			return nil, err
		}
	}
	return o.inTurns(decisions), nil
}

// decision is what is measured: one decision. It is nil where the evaluator cannot be asked, and an error where it answers wrongly.
func (e evaluator) decision(q *question) (func(), error) {
	if e.prepare == nil {
		return nil, nil
	}
	decide := e.prepare(q)
	if decide == nil {
		return nil, nil
	}
	if got := decide(); got != q.allowed {
		return nil, fmt.Errorf("%s: %s answers allowed: %t, the right answer is %t", q.name, e.name, got, q.allowed)
	}
	return func() { decide() }, nil
}

// inTurns measures functions against each other: their repetitions take turns, so that what disturbs the machine for a while
// disturbs all of them. What takes as long as a repetition is measured once. The cost of nil is zero.
func (o options) inTurns(fs []func()) []cost {
	rounds := make([]int, len(fs))
	for i, f := range fs {
		if f != nil {
			rounds[i] = o.rounds(f)
		}
	}
	ns, allocs := make([][]float64, len(fs)), make([][]float64, len(fs))
	for n := range o.repetitions {
		for i, f := range fs {
			if f != nil && (n == 0 || rounds[i] > 1) {
				c := perRound(rounds[i], f)
				ns[i], allocs[i] = append(ns[i], c.ns), append(allocs[i], c.allocs)
			}
		}
	}
	costs := make([]cost, len(fs))
	for i, f := range fs {
		if f != nil {
			costs[i] = cost{median(ns[i]), median(allocs[i])}
		}
	}
	return costs
}

// rounds finds how often f must run to fill a repetition, which is a tenth of one of a load: once, at least.
func (o options) rounds(f func()) int {
	wanted := o.length / 10
	for n := 1; ; {
		start := time.Now()
		for range n {
			f()
		}
		took := max(time.Since(start), 1)
		if took >= wanted/10 {
			return max(1, int(float64(n)*float64(wanted)/float64(took)))
		}
		n *= int(min(100, 1+wanted/10/took))
	}
}

// perRound runs f a number of times and says what one of them costs.
func perRound(rounds int, f func()) cost {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range rounds {
		f()
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	n := float64(rounds)
	return cost{float64(took.Nanoseconds()) / n, float64(after.Mallocs-before.Mallocs) / n}
}

// moduleVersion is the version of a module that this program is built with.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of unknown version"
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "of unknown version"
}
