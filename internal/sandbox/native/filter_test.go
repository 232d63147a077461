//go:build linux && (amd64 || arm64)

package native

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox/linux"
)

// x32Calls is where the numbers of the x32 ABI begin, which has the architecture of amd64: none may be let through.
const x32Calls = 0x40000000

// data is a struct seccomp_data.
type data struct {
	number, architecture uint32
	arguments            [6]uint64
}

// judge runs a filter as the kernel does (the part of the classic BPF that filters use).
func judge(t *testing.T, f filter, d data) uint32 {
	t.Helper()
	memory := binary.NativeEndian.AppendUint32(nil, d.number)
	memory = binary.NativeEndian.AppendUint32(memory, d.architecture)
	memory = binary.NativeEndian.AppendUint64(memory, 0) // instruction pointer
	for _, a := range d.arguments {
		memory = binary.NativeEndian.AppendUint64(memory, a)
	}
	var a uint32
	for pc := 0; pc < len(f); pc++ {
		switch i := f[pc]; i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = binary.NativeEndian.Uint32(memory[i.K:])
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= i.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			pc += int(map[bool]uint8{true: i.Jt, false: i.Jf}[a == i.K])
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			pc += int(map[bool]uint8{true: i.Jt, false: i.Jf}[a >= i.K])
		case unix.BPF_JMP | unix.BPF_JA:
			pc += int(i.K)
		case unix.BPF_RET | unix.BPF_K:
			return i.K
		default:
			t.Fatalf("instruction %d: %+v", pc, i)
		}
	}
	t.Fatal("the filter has no end")
	return 0
}

// want is the rules read one after the other.
func want(rules []linux.Rule, d data) uint32 {
	switch {
	case d.architecture != architecture:
		return unix.SECCOMP_RET_KILL_PROCESS
	case d.number >= x32Calls:
		return unix.SECCOMP_RET_ERRNO | uint32(linux.OtherCalls)
	}
	for _, r := range rules {
		for _, name := range r.Names {
			if number, ok := numberOf(name); !ok || number != d.number {
				continue
			}
			if c := r.When; c != nil && d.arguments[c.Argument]&c.Mask != c.Value {
				continue
			}
			if r.Errno == 0 {
				return unix.SECCOMP_RET_ALLOW
			}
			return unix.SECCOMP_RET_ERRNO | uint32(r.Errno)
		}
	}
	return unix.SECCOMP_RET_ERRNO | uint32(linux.OtherCalls)
}

func TestFilter(t *testing.T) {
	rules := linux.SystemCalls()
	f, err := newFilter(rules)
	if err != nil {
		t.Fatal(err)
	}
	if len(f) > 4096 { // BPF_MAXINSNS
		t.Errorf("the filter has %d instructions", len(f))
	}
	arguments := []uint64{0, 1, 2, 8, 10, 16, 17, 0x40000, 0xffffffff, unix.CLONE_NEWUSER | 17, unix.CLONE_NEWUSER << 32, 1<<64 - 1}
	for number := range uint32(700) {
		for _, a := range arguments {
			for _, abi := range []uint32{0, x32Calls} {
				d := data{abi | number, architecture, [6]uint64{a}}
				if got, want := judge(t, f, d), want(rules, d); got != want {
					t.Errorf("call %d(%#x): got %#x, want %#x", d.number, a, got, want)
				}
			}
		}
	}
}

// FuzzFilter holds the compiled filter against the rules, also of lists other than ours.
func FuzzFilter(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, uint32(0), true, uint64(0))
	f.Add([]byte{56, 0, 41}, numbers["clone"], true, uint64(unix.CLONE_NEWNS))
	f.Add([]byte{}, uint32(x32Calls), true, uint64(0))
	f.Add([]byte{1}, uint32(1), false, uint64(0))
	names := slices.Concat(slices.Collect(maps.Keys(numbers)), slices.Collect(maps.Keys(ownNumbers)))
	slices.Sort(names)
	f.Fuzz(func(t *testing.T, list []byte, number uint32, native bool, argument uint64) {
		var rules []linux.Rule
		used := map[string]bool{}
		for i, b := range list {
			name := names[(int(b)+i*7)%len(names)]
			if used[name] {
				continue
			}
			used[name] = true
			r := linux.Rule{Names: []string{name}}
			switch i % 3 {
			case 1:
				r.Errno = unix.EPERM
			case 2:
				r.When = &linux.Condition{Argument: i % 6, Mask: 1<<63 | uint64(b), Value: uint64(b)}
			}
			rules = append(rules, r)
		}
		compiled, err := newFilter(rules)
		if err != nil {
			t.Fatal(err)
		}
		d := data{number, architecture, [6]uint64{argument, argument, argument, argument, argument, argument}}
		if !native {
			d.architecture = unix.AUDIT_ARCH_I386
		}
		if got, want := judge(t, compiled, d), want(rules, d); got != want {
			t.Errorf("got %#x, want %#x", got, want)
		}
	})
}
