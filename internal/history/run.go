package history

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Event is something that a client asked to be done later.
type Event struct {
	Name, Node   string
	Call, Return time.Duration
	Outcome      Outcome
}

// Run is a function at work, as it tells itself.
type Run struct {
	// Name of the event.
	Name, Node string
	Begin, End time.Duration
	// Broken: it did not come to its end.
	Broken bool
}

// CheckEvents wants what was acknowledged to have run to its end at least once, and nothing to have run that was not sent before.
func CheckEvents(events []Event, runs []Run) (violations []string) {
	sent := map[string]Event{}
	for _, e := range events {
		if e.Outcome != Refused {
			sent[e.Name] = e
		}
	}
	ran := map[string]bool{}
	for _, r := range runs {
		if e, ok := sent[r.Name]; !ok || r.Begin < e.Call {
			violations = append(violations, fmt.Sprintf("%s %s ran on %s, and nobody had sent it", span(r.Begin, r.End), r.Name, r.Node))
		}
		ran[r.Name] = ran[r.Name] || !r.Broken
	}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if e := sent[name]; e.Outcome == Done && !ran[name] {
			violations = append(violations, fmt.Sprintf("%s %s was acknowledged by %s, and has not run", span(e.Call, e.Return), name, e.Node))
		}
	}
	return violations
}

// CheckLimit wants no more than limit runs at a time. A run that begins in the moment in which another ends is not beside it.
func CheckLimit(runs []Run, limit int) (violations []string) {
	runs = slices.SortedFunc(slices.Values(runs), func(a, b Run) int { return cmp.Compare(a.Begin, b.Begin) })
	var now []Run
	for _, r := range runs {
		now = slices.DeleteFunc(now, func(other Run) bool { return other.End <= r.Begin })
		now = append(now, r)
		if len(now) > limit {
			text := fmt.Sprintf("%.3f: %d run at a time, and %d may:", r.Begin.Seconds(), len(now), limit)
			for _, r := range now {
				text += fmt.Sprintf("\n  %s %s on %s", span(r.Begin, r.End), r.Name, r.Node)
			}
			violations = append(violations, text)
		}
	}
	return violations
}
