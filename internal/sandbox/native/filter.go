//go:build linux && (amd64 || arm64)

package native

import (
	"fmt"
	"math"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox/linux"
)

// filter is a program of the classic BPF that judges system calls (seccomp(2)).
type filter []unix.SockFilter

// Offsets in struct seccomp_data.
const (
	numberOffset       = 0
	architectureOffset = 4
	argumentsOffset    = 16
)

// span is a range of call numbers, up to the next span, that are judged alike.
type span struct {
	from  uint32
	judge filter
}

// newFilter compiles rules: a search tree over ranges of numbers. The kernel runs it once for each call that is always let through, and
// remembers (seccomp_cache_prepare in the kernel's seccomp.c); the others pay for it every time. Calls of the x32 ABI, which has the
// architecture of amd64, have numbers above all others, and so no rules.
func newFilter(rules []linux.Rule) (filter, error) {
	verdicts, err := verdictsOf(rules)
	if err != nil {
		return nil, err
	}
	other := refuse(linux.OtherCalls)
	spans := []span{{0, other}}
	add := func(from uint32, judge filter) {
		switch last := &spans[len(spans)-1]; {
		case last.from == from:
			last.judge = judge
		case !slices.Equal(last.judge, judge):
			spans = append(spans, span{from, judge})
		}
	}
	for number := range uint32(len(verdicts)) {
		judge := verdicts[number]
		if judge == nil {
			judge = other
		}
		add(number, judge)
	}
	add(uint32(len(verdicts)), other)
	return append(filter{
		load(architectureOffset),
		jump(unix.BPF_JEQ, architecture, 1, 0),
		answer(unix.SECCOMP_RET_KILL_PROCESS),
		load(numberOffset),
	}, search(spans)...), nil
}

// verdictsOf gives each call that has rules its program, by number.
func verdictsOf(rules []linux.Rule) ([]filter, error) {
	conditions := map[uint32][]linux.Condition{}
	var verdicts []filter
	set := func(number uint32, judge filter) {
		if n := int(number) + 1 - len(verdicts); n > 0 {
			verdicts = append(verdicts, make([]filter, n)...)
		}
		verdicts[number] = judge
	}
	for _, r := range rules {
		for _, name := range r.Names {
			number, known := numberOf(name)
			switch {
			case !known: // another architecture's
			case r.When == nil && r.Errno == 0:
				set(number, filter{answer(unix.SECCOMP_RET_ALLOW)})
			case r.When == nil:
				set(number, refuse(r.Errno))
			case r.Errno != 0:
				return nil, fmt.Errorf("rule of %s: a condition can only let a call through", name)
			default:
				conditions[number] = append(conditions[number], *r.When)
				set(number, allowWhen(conditions[number]))
			}
		}
	}
	return verdicts, nil
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jump(test uint16, value uint32, ifTrue, ifFalse uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, Jt: ifTrue, Jf: ifFalse, K: value}
}

func answer(value uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value}
}

func refuse(errno syscall.Errno) filter {
	return filter{answer(unix.SECCOMP_RET_ERRNO | uint32(errno))}
}

// allowWhen lets a call through when one of the conditions is true. Each compares the two halves of its argument.
func allowWhen(conditions []linux.Condition) filter {
	var f filter
	for _, c := range conditions {
		low := uint32(argumentsOffset + 8*c.Argument)
		f = append(f,
			load(low), unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: uint32(c.Mask)},
			jump(unix.BPF_JEQ, uint32(c.Value), 0, 4),
			load(low+4), unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: uint32(c.Mask >> 32)},
			jump(unix.BPF_JEQ, uint32(c.Value>>32), 0, 1),
			answer(unix.SECCOMP_RET_ALLOW),
		)
	}
	return append(f, refuse(linux.OtherCalls)...)
}

// search finds the span of the number that was loaded.
func search(spans []span) filter {
	if len(spans) == 1 {
		return spans[0].judge
	}
	middle := len(spans) / 2
	low, high := search(spans[:middle]), search(spans[middle:])
	f := filter{jump(unix.BPF_JGE, spans[middle].from, uint8(len(low)), 0)}
	if len(low) > math.MaxUint8 {
		f = filter{jump(unix.BPF_JGE, spans[middle].from, 0, 1), {Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(len(low))}}
	}
	return slices.Concat(f, low, high)
}
