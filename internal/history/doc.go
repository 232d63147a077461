// Package history judges what clients of several servers have seen: whether it can be explained by one server that makes no mistakes.
//
// It reads recorded histories and nothing else: no clock, no network. All times of a history are by one clock, since its beginning; a
// history that is recorded on one machine has such a clock. Each check gives a sentence for each violation, with names and times that find it
// in the history; none means that the history is one that the promise allows.
//
//	CheckRegisters  each key behaves as one register (linearizability), by github.com/anishathalye/porcupine
//	CheckAccess     permissions are those of the last acknowledged change: at once on the server that made it, after a bound on others
//	CheckEvents     what was acknowledged ran at least once, and nothing ran that nobody sent
//	CheckLimit      never more runs at a time than allowed
//
// What is not known is never held against a server: an operation of unknown outcome may have happened at any time after its call, or not.
//
// To add a check: a function like these, and a table of histories that it must accept, and others that it must not.
package history

import (
	"fmt"
	"math"
	"time"
)

// Outcome is what a client knows of a change that it asked for.
type Outcome int

const (
	// Unknown: it may have happened, may happen yet, or never.
	Unknown Outcome = iota
	// Done: it was acknowledged.
	Done
	// Mismatch: it was refused because the register had another value than Operation.Old.
	Mismatch
	// Refused: it has not happened and never will.
	Refused
)

func (o Outcome) String() string {
	return [...]string{"unknown", "done", "mismatch", "refused"}[o]
}

// forever is after everything.
const forever = time.Duration(math.MaxInt64)

// span writes the time of a call, in seconds.
func span(from, to time.Duration) string {
	if to == forever {
		return fmt.Sprintf("%.3f–?", from.Seconds())
	}
	return fmt.Sprintf("%.3f–%.3f", from.Seconds(), to.Seconds())
}
