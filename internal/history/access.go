package history

import (
	"fmt"
	"time"
)

// Change grants or takes a permission. Changes of one subject are not concurrent: who makes them waits for the outcome, or for as long as it
// takes to be Unknown.
type Change struct {
	Subject, Node string
	Allow         bool
	Call, Return  time.Duration
	Outcome       Outcome
}

// Decision is what a subject got for a call that needs the permission. One that failed for other reasons, such as a server that cannot
// decide, is none.
type Decision struct {
	Subject, Node string
	Allowed       bool
	Call, Return  time.Duration
}

func word(allow bool) string {
	if allow {
		return "allowed"
	}
	return "denied"
}

// CheckAccess wants every decision to follow a change that may have been in force: an acknowledged change is in force for calls that begin
// later on the same node, and on others for those that begin later by more than the bound. At first nobody is allowed anything.
//
// That an allowed call is explained is the promise that authorization never falls open; that a denied one is, that a server which knows too
// little says so and does not deny.
func CheckAccess(changes []Change, decisions []Decision, bound time.Duration) (violations []string) {
	bySubject := map[string][]Change{}
	for _, c := range changes {
		if c.Outcome != Refused {
			bySubject[c.Subject] = append(bySubject[c.Subject], c)
		}
	}
	for _, d := range decisions {
		if latest, ok := explained(bySubject[d.Subject], d, bound); !ok {
			violations = append(violations, fmt.Sprintf("%s %s %s on %s, but since %s it was %s by a change on %s, which was acknowledged %.3f s before",
				span(d.Call, d.Return), d.Subject, word(d.Allowed), d.Node, span(latest.Call, latest.Return), word(latest.Allow), latest.Node,
				(d.Call-latest.Return).Seconds()))
		}
	}
	return violations
}

// explained looks for a change that explains a decision. Without one it gives the change that rules out all others.
func explained(changes []Change, d Decision, bound time.Duration) (latest Change, ok bool) {
	latest = Change{Node: "no node", Outcome: Done} // the beginning
	for _, c := range changes {
		margin := bound
		if c.Node == d.Node {
			margin = 0
		}
		if c.Outcome == Done && c.Return+margin < d.Call && c.Return >= latest.Return {
			latest = c
		}
	}
	if latest.Allow == d.Allowed {
		return latest, true
	}
	for _, c := range changes {
		// One of unknown outcome may come into force after any other.
		if c.Allow == d.Allowed && c.Call <= d.Return && (c.Outcome == Unknown || c.Return > latest.Call) {
			return c, true
		}
	}
	return latest, false
}
