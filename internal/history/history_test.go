package history

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

const second = time.Second

// op makes an operation that begins at a second and takes a half.
func op(at int, node string, kind Kind, old, value string, outcome Outcome) Operation {
	call := time.Duration(at) * second
	return Operation{Node: node, Key: "k", Kind: kind, Old: old, Value: value, Call: call, Return: call + second/2, Outcome: outcome}
}

// long makes an operation last until a second.
func long(o Operation, until int) Operation {
	o.Return = time.Duration(until) * second
	return o
}

func TestRegisters(t *testing.T) {
	tests := []struct {
		name string
		all  []Operation
		want string // in the violation; "": none

		stale time.Duration
	}{
		{name: "nothing", all: nil},
		{name: "never written", all: []Operation{op(1, "a", Read, "", "", Done)}},
		{name: "read elsewhere", all: []Operation{op(1, "a", Write, "", "x", Done), op(2, "b", Read, "", "x", Done)}},
		{name: "deleted", all: []Operation{op(1, "a", Write, "", "x", Done), op(2, "a", Write, "", "", Done), op(3, "b", Read, "", "", Done)}},
		{name: "at the same time, in either order", all: []Operation{
			long(op(1, "a", Write, "", "x", Done), 9), long(op(1, "b", Write, "", "y", Done), 9),
			op(2, "a", Read, "", "y", Done), op(3, "b", Read, "", "x", Done),
		}},
		{name: "stale read", all: []Operation{
			op(1, "a", Write, "", "x", Done), op(2, "a", Write, "", "y", Done), op(3, "b", Read, "", "x", Done),
		}, want: "not one register as of 3.500"},
		{name: "lost write", all: []Operation{op(1, "a", Write, "", "x", Done), op(2, "b", Read, "", "", Done)}, want: "as of 2.500"},
		{name: "new, then old", all: []Operation{
			op(1, "a", Write, "", "x", Done), long(op(2, "a", Write, "", "y", Done), 9),
			op(3, "b", Read, "", "y", Done), op(4, "a", Read, "", "x", Done),
		}, want: "as of 4.500"},
		{name: "nobody wrote it", all: []Operation{op(1, "a", Read, "", "x", Done)}, want: "as of 1.500"},
		{name: "unknown, and has happened", all: []Operation{op(1, "a", Write, "", "x", Unknown), op(5, "b", Read, "", "x", Done)}},
		{name: "unknown, and has not happened", all: []Operation{op(1, "a", Write, "", "x", Unknown), op(5, "b", Read, "", "", Done)}},
		{name: "unknown, and happens late", all: []Operation{
			op(1, "a", Write, "", "x", Unknown), op(5, "b", Read, "", "", Done), op(6, "b", Read, "", "x", Done),
		}},
		{name: "unknown, happens twice", all: []Operation{
			op(1, "a", Write, "", "x", Unknown), op(2, "b", Read, "", "x", Done), op(3, "b", Write, "", "y", Done),
			op(4, "b", Read, "", "y", Done), op(5, "b", Read, "", "x", Done),
		}, want: "as of 5.500"},
		{name: "unknown deletion", all: []Operation{
			op(1, "a", Write, "", "x", Done), op(2, "a", Write, "", "", Unknown), op(3, "a", Read, "", "x", Done), op(4, "a", Read, "", "", Done),
		}},
		{name: "refused, and has happened", all: []Operation{op(1, "a", Write, "", "x", Refused), op(2, "a", Read, "", "x", Done)}, want: "as of 2.500"},
		{name: "a read that failed says nothing", all: []Operation{op(1, "a", Write, "", "x", Done), op(2, "a", Read, "", "", Unknown)}},
		{name: "swapped", all: []Operation{
			op(1, "a", Swap, "", "x", Done), op(2, "b", Swap, "x", "y", Done), op(3, "a", Swap, "x", "z", Mismatch), op(4, "a", Read, "", "y", Done),
		}},
		{name: "two swaps of one value", all: []Operation{
			op(1, "a", Write, "", "x", Done), op(2, "a", Swap, "x", "y", Done), op(3, "b", Swap, "x", "z", Done),
		}, want: "as of 3.500"},
		{name: "mismatch of what is there", all: []Operation{op(1, "a", Write, "", "x", Done), op(2, "b", Swap, "x", "y", Mismatch)}, want: "as of 2.500"},
		{name: "mismatch because of a write that nobody saw", all: []Operation{
			op(1, "a", Write, "", "x", Done), op(2, "b", Write, "", "y", Unknown), op(3, "b", Swap, "x", "z", Mismatch), op(4, "b", Write, "", "w", Done),
		}},
		{name: "unknown swap that cannot have happened", all: []Operation{
			op(1, "a", Write, "", "x", Done), op(2, "b", Swap, "", "y", Unknown), op(3, "b", Read, "", "y", Done),
		}, want: "as of 3.500"},
		{name: "a value written twice", all: []Operation{op(1, "a", Write, "", "x", Done), op(2, "b", Write, "", "x", Done)}, want: "cannot be judged"},
		{name: "old, but not too old", stale: 2 * second, all: []Operation{
			op(1, "a", Write, "", "x", Done), op(2, "a", Write, "", "y", Done), op(4, "b", Read, "", "x", Done),
		}},
		{name: "too old", stale: second, all: []Operation{
			op(1, "a", Write, "", "x", Done), op(2, "a", Write, "", "y", Done), op(4, "b", Read, "", "x", Done),
		}, want: "as of 4.500"},
		{name: "older than what the same node has written", stale: 2 * second, all: []Operation{
			op(1, "a", Write, "", "x", Done), op(2, "a", Write, "", "y", Done), op(4, "a", Read, "", "x", Done),
		}, want: "as of 4.500"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			compare(t, CheckRegisters(tt.all, tt.stale, time.Minute), tt.want)
		})
	}
}

// compare wants one violation with a text, or none.
func compare(t *testing.T, got []string, want string) {
	t.Helper()
	if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0], want)) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Keys are judged by themselves.
func TestRegistersKeys(t *testing.T) {
	other := op(2, "a", Read, "", "", Done)
	other.Key = "other"
	compare(t, CheckRegisters([]Operation{op(1, "a", Write, "", "x", Done), other}, 0, time.Minute), "")
}

// Histories of a register that makes no mistakes are accepted, however many outcomes are not known. With an old value at their end they
// are not.
func TestRegistersRandom(t *testing.T) {
	for seed := range uint64(20) {
		history := simulate(rand.New(rand.NewPCG(seed, 0)))
		if got := CheckRegisters(history, 0, time.Minute); len(got) > 0 {
			t.Errorf("seed %d: %q", seed, got)
		}
		history = append(history, op(1001, "n", Write, "", "p", Done), op(1002, "n", Write, "", "q", Done), op(1003, "n", Read, "", "p", Done))
		if got := CheckRegisters(history, 0, time.Minute); len(got) != 1 {
			t.Errorf("seed %d: got %q for an old value", seed, got)
		}
	}
}

// simulate has five clients use a register for 300 steps. What an operation does happens in its middle; those of neighbours overlap. Of
// one in ten the outcome is not known, whether it happens or not.
func simulate(random *rand.Rand) (history []Operation) {
	value := ""
	for at := range 300 {
		o := Operation{
			Client: at % 5, Node: "n", Key: "k", Kind: Kind(random.IntN(3)), Value: strconv.Itoa(at), Outcome: Done,
			Call: time.Duration(10*at - random.IntN(20)), Return: time.Duration(10*at + random.IntN(20)),
		}
		happens := o.Kind != Read
		switch o.Kind {
		case Read:
			o.Value = value
		case Swap:
			o.Old = value
			if random.IntN(3) == 0 {
				o.Old, o.Outcome, happens = "nothing like it", Mismatch, false
			}
		}
		if random.IntN(10) == 0 {
			o.Outcome, happens = Unknown, happens && random.IntN(2) == 0
		}
		if happens {
			value = o.Value
		}
		history = append(history, o)
	}
	return history
}

// What several nodes remember makes histories with many reads at a time; they are judged all the same.
func TestRegistersStale(t *testing.T) {
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 0))
		var history []Operation
		values := []string{""}
		for at := range 3000 { // ten a second
			o := Operation{Client: at % 9, Node: fmt.Sprint("n", random.IntN(3)), Key: "k", Outcome: Done, Call: time.Duration(at) * second / 30}
			o.Return = o.Call + time.Duration(random.IntN(100))*time.Millisecond
			if at%3 == 0 {
				o.Kind, o.Value, o.Node = Write, strconv.Itoa(at), "n0"
				o.Return = o.Call + 20*time.Millisecond
				values = append(values, o.Value)
			} else if o.Node == "n0" {
				o.Value = values[len(values)-1]
			} else {
				o.Value = values[max(0, len(values)-1-random.IntN(9))] // up to 0.9 s old
			}
			history = append(history, o)
		}
		if got := CheckRegisters(history, second, time.Minute); len(got) > 0 {
			t.Errorf("seed %d: %q", seed, got)
		}
		history[2000].Kind, history[2000].Value, history[2000].Node = Read, values[600], "n1"
		if got := CheckRegisters(history, second, time.Minute); len(got) != 1 {
			t.Errorf("seed %d: got %q for a value that is much too old", seed, got)
		}
	}
}

// at is a time of a test.
func at(seconds float64) time.Duration { return time.Duration(seconds * float64(second)) }

func TestAccess(t *testing.T) {
	change := func(from, to float64, node string, allow bool, o Outcome) Change {
		return Change{"u", node, allow, at(from), at(to), o}
	}
	asked := func(from float64, node string, allowed bool) Decision {
		return Decision{"u", node, allowed, at(from), at(from + 0.1)}
	}
	allowed := change(1, 2, "a", true, Done)
	taken := change(5, 6, "a", false, Done)
	tests := []struct {
		name      string
		changes   []Change
		decisions []Decision
		want      string
	}{
		{"nobody is allowed at first", nil, []Decision{asked(1, "a", false)}, ""},
		{"allowed by nothing", nil, []Decision{asked(1, "a", true)}, "u allowed on a, but since 0.000–0.000 it was denied by a change on no node"},
		{"allowed before it was asked for", []Change{allowed}, []Decision{asked(0.5, "a", true)}, "denied by a change on no node"},
		{"allowed while it is asked for", []Change{allowed}, []Decision{asked(1.5, "a", true), asked(1.5, "b", true), asked(1.5, "b", false)}, ""},
		{"allowed afterwards", []Change{allowed}, []Decision{asked(2.1, "a", true), asked(2.1, "b", true), asked(2.1, "b", false), asked(9, "b", true)}, ""},
		{"denied afterwards on the same node", []Change{allowed}, []Decision{asked(2.1, "a", false)}, "0.100 s before"},
		{"denied after the bound on another", []Change{allowed}, []Decision{asked(3.1, "b", false)}, "1.100 s before"},
		{"allowed while it is taken", []Change{allowed, taken}, []Decision{asked(5.5, "a", true), asked(6.5, "b", true)}, ""},
		{"allowed after it was taken on the same node", []Change{allowed, taken}, []Decision{asked(6.1, "a", true)}, "denied by a change on a"},
		{"allowed after the bound on another", []Change{allowed, taken}, []Decision{asked(7.1, "b", true)}, "u allowed on b, but since 5.000–6.000"},
		{"given back", []Change{allowed, taken, change(8, 9, "b", true, Done)}, []Decision{asked(8.5, "c", true), asked(9.1, "b", true)}, ""},
		{"what another gave before does not count", []Change{allowed, taken, change(8, 9, "b", true, Done)}, []Decision{asked(7.5, "c", true)}, "denied by a change on a"},
		{"perhaps taken", []Change{allowed, change(5, 6, "a", false, Unknown)}, []Decision{asked(9, "a", true), asked(20, "a", false), asked(30, "b", true)}, ""},
		{"perhaps given late", []Change{change(1, 2, "a", true, Unknown), taken}, []Decision{asked(9, "a", true)}, ""},
		{"certainly not given", []Change{change(1, 2, "a", true, Refused)}, []Decision{asked(3, "a", true)}, "denied by a change on no node"},
		{"of others", []Change{{"other", "a", true, at(1), at(2), Done}}, []Decision{asked(3, "a", true)}, "denied by a change on no node"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			compare(t, CheckAccess(tt.changes, tt.decisions, second), tt.want)
		})
	}
}

func TestEvents(t *testing.T) {
	event := Event{"e", "a", at(1), at(2), Done}
	ran := Run{"e", "b", at(3), at(4), false}
	early := Run{"e", "b", at(0.5), at(4), false}
	broken := Run{"e", "b", at(3), at(4), true}
	unknown, refused := event, event
	unknown.Outcome, refused.Outcome = Unknown, Refused
	tests := []struct {
		name   string
		events []Event
		runs   []Run
		want   string
	}{
		{"ran", []Event{event}, []Run{ran}, ""},
		{"ran twice", []Event{event}, []Run{ran, broken, ran}, ""},
		{"lost", []Event{event}, nil, "e was acknowledged by a, and has not run"},
		{"broken off", []Event{event}, []Run{broken}, "e was acknowledged by a, and has not run"},
		{"perhaps sent", []Event{unknown}, nil, ""},
		{"perhaps sent, and ran", []Event{unknown}, []Run{ran}, ""},
		{"refused, and ran", []Event{refused}, []Run{ran}, "nobody had sent it"},
		{"ran before it was sent", []Event{event}, []Run{early}, "nobody had sent it"},
		{"of nobody", nil, []Run{ran}, "nobody had sent it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			compare(t, CheckEvents(tt.events, tt.runs), tt.want)
		})
	}
}

func TestLimit(t *testing.T) {
	run := func(from, to float64) Run { return Run{"r", "a", at(from), at(to), false} }
	tests := []struct {
		name string
		runs []Run
		want string
	}{
		{"none", nil, ""},
		{"as many as may", []Run{run(1, 5), run(2, 3), run(3, 4), run(5, 6), run(5, 6)}, ""},
		{"one more", []Run{run(1, 5), run(2, 3), run(2.5, 4)}, "2.500: 3 run at a time, and 2 may:\n  1.000–5.000 r on a"},
		{"in another order", []Run{run(2.5, 4), run(2, 3), run(1, 5)}, "3 run at a time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			compare(t, CheckLimit(tt.runs, 2), tt.want)
		})
	}
}
