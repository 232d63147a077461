package history

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Kind is what an Operation does.
type Kind int

const (
	Read Kind = iota
	// Write sets a value whatever was there.
	Write
	// Swap sets a value if the register has Old.
	Swap
)

// Operation is one call on a register. A register that is not there has the value "", which all have at first. No other value is written
// twice to the same key.
type Operation struct {
	Client int
	Node   string
	Key    string
	Kind   Kind
	// Old is what a Swap wants to find.
	Old string
	// Value is what was read, or is written.
	Value        string
	Call, Return time.Duration
	// Outcome of a Read that gave no value is Unknown.
	Outcome Outcome
}

func (o Operation) String() string {
	var what string
	switch o.Kind {
	case Read:
		what = fmt.Sprintf("read %q", o.Value)
	case Write:
		what = fmt.Sprintf("write %q", o.Value)
	case Swap:
		what = fmt.Sprintf("swap %q for %q", o.Old, o.Value)
	}
	return fmt.Sprintf("%s client %d on %s: %s, %v", span(o.Call, o.Return), o.Client, o.Node, what, o.Outcome)
}

// register is one register to porcupine. What is refused, and reads of nothing, are not given to it.
var register = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, _ any) (bool, any) {
		o := input.(Operation)
		switch {
		case o.Kind == Read:
			return state == o.Value, state
		case o.Kind == Write:
			return true, o.Value
		case o.Outcome == Mismatch:
			return state != o.Old, state
		case state == o.Old:
			return true, o.Value
		}
		return o.Outcome == Unknown, state
	},
}

// CheckRegisters wants every key to behave as one register. A read may give what was there up to stale before it began, but nothing that is
// older than a change which the same node acknowledged before; with 0 this is linearizability. A key whose history is not judged within
// patience is a violation, too.
func CheckRegisters(all []Operation, stale, patience time.Duration) (violations []string) {
	byKey := map[string][]Operation{}
	for _, o := range all {
		byKey[o.Key] = append(byKey[o.Key], o)
	}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		if v := checkRegister(key, byKey[key], stale, patience); v != "" {
			violations = append(violations, v)
		}
	}
	return violations
}

// age lets reads begin as early as what they give may be old. One that begins earlier may be explained by all that explains one which does not.
func age(all []Operation, stale time.Duration) []Operation {
	if stale == 0 {
		return all
	}
	changed := map[string][]time.Duration{} // by node, in order
	for _, o := range all {
		if o.Kind != Read && o.Outcome == Done {
			changed[o.Node] = append(changed[o.Node], o.Return)
		}
	}
	for _, returns := range changed {
		slices.Sort(returns)
	}
	aged := slices.Clone(all)
	for i := range aged {
		o := &aged[i]
		if o.Kind != Read {
			continue
		}
		earliest := o.Call - stale
		if before, _ := slices.BinarySearch(changed[o.Node], o.Call); before > 0 {
			earliest = max(earliest, changed[o.Node][before-1]+1) // after it, and not beside it
		}
		o.Call = earliest
	}
	return aged
}

// condense makes reads few and short, so that there is less to try. A value that is written once is there for one stretch of time, which
// begins no sooner than its write. Two reads of it that overlap can be explained by one moment which is in both, if they can be explained.
func condense(all []Operation) (some []Operation) {
	writes := map[string]int{}
	begun := map[string]time.Duration{}
	for _, o := range all {
		if o.Kind != Read && o.Outcome != Refused {
			writes[o.Value]++
			begun[o.Value] = o.Call
		}
	}
	last := map[string]int{} // where in some the last read of a value is
	for _, o := range slices.SortedFunc(slices.Values(all), func(a, b Operation) int { return cmp.Compare(a.Return, b.Return) }) {
		once := writes[o.Value] == 1
		if o.Value == "" {
			once = writes[o.Value] == 0 // it was there at first
		}
		if o.Kind == Read && o.Outcome == Done && once {
			o.Call = min(o.Return, max(o.Call, begun[o.Value]))
			if i, found := last[o.Value]; found && o.Call <= some[i].Return {
				some[i].Call = max(some[i].Call, o.Call)
				continue
			}
			last[o.Value] = len(some)
		}
		some = append(some, o)
	}
	return some
}

func checkRegister(key string, all []Operation, stale, patience time.Duration) string {
	written := map[string]bool{"": true}
	for _, o := range all {
		if o.Kind != Read && o.Value != "" && written[o.Value] {
			return fmt.Sprintf("%s: the value %q is written twice, so that the history cannot be judged", key, o.Value)
		}
		written[o.Value] = written[o.Value] || o.Kind != Read
	}
	some := condense(age(all, stale))
	switch judge(some, patience) {
	case porcupine.Ok:
		return ""
	case porcupine.Unknown:
		return fmt.Sprintf("%s: %d operations could not be judged within %v", key, len(all), patience)
	}
	// A history of which a prefix cannot be explained cannot be either: the last operation of the shortest such prefix is the one to look at.
	ends := make([]time.Duration, 0, len(all))
	for _, o := range all {
		ends = append(ends, o.Return)
	}
	slices.Sort(ends)
	first, _ := slices.BinarySearchFunc(ends, 0, func(end time.Duration, _ int) int {
		if judge(until(some, end), patience/10) == porcupine.Ok {
			return -1
		}
		return 1
	})
	return fmt.Sprintf("%s is not one register as of %.3f:\n%s", key, ends[first].Seconds(), around(all, ends[first]))
}

// until is the history as it was known at a time.
func until(all []Operation, now time.Duration) (known []Operation) {
	for _, o := range all {
		if o.Return > now {
			o.Return, o.Outcome = forever, Unknown
		}
		if o.Call <= now {
			known = append(known, o)
		}
	}
	return known
}

// shown is how many operations before a violation are told of.
const shown = 25

func around(all []Operation, now time.Duration) string {
	all = until(all, now)
	slices.SortFunc(all, func(a, b Operation) int { return cmp.Compare(a.Call, b.Call) })
	var b strings.Builder
	for _, o := range all[max(0, len(all)-shown):] {
		fmt.Fprintf(&b, "  %v\n", o)
	}
	return b.String()
}

// judge asks porcupine. It is given as few operations of unknown outcome as can be, for it has to think of every time at which they may have
// happened. A value that somebody saw was written before that. One that nobody saw explains nothing but a mismatch: neither is given then.
func judge(all []Operation, patience time.Duration) porcupine.CheckResult {
	seen := map[string]time.Duration{} // when a value was first seen
	for _, o := range all {
		value := o.Value
		if o.Kind == Swap {
			value = o.Old
		}
		if first, ok := seen[value]; o.Kind != Write && o.Outcome == Done && (!ok || o.Return < first) {
			seen[value] = o.Return
		}
	}
	unseen := func(o Operation) bool {
		_, found := seen[o.Value]
		return o.Outcome == Unknown && !found && o.Value != ""
	}
	var hidden time.Duration = forever // the call of the first that nobody saw
	for _, o := range all {
		if unseen(o) {
			hidden = min(hidden, o.Call)
		}
	}
	var asked []porcupine.Operation
	for _, o := range all {
		switch {
		case o.Outcome == Refused, o.Kind == Read && o.Outcome == Unknown, unseen(o), o.Outcome == Mismatch && o.Return >= hidden:
			continue
		case o.Outcome == Unknown && o.Value == "": // a deletion looks like any other
			o.Return = forever
		case o.Outcome == Unknown:
			o.Return = max(o.Call, seen[o.Value])
		}
		asked = append(asked, porcupine.Operation{ClientId: o.Client, Input: o, Call: int64(o.Call), Return: int64(o.Return)})
	}
	return porcupine.CheckOperationsTimeout(register, asked, patience)
}
