//go:build linux && (amd64 || arm64)

package native

import (
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/sandboxtest"
)

func conformance(users bool) sandboxtest.Config {
	return sandboxtest.Config{Isolates: true, New: func(t *testing.T, dir string) sandbox.Driver {
		return newDriver(t, Config{Dir: dir, WithoutUsers: !users})
	}}
}

func newDriver(t testing.TB, c Config) sandbox.Driver {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the native driver needs root: run the tests as root to test it")
	}
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestConformance(t *testing.T) {
	t.Run("with user namespaces", func(t *testing.T) { sandboxtest.Run(t, conformance(true)) })
	t.Run("without user namespaces", func(t *testing.T) { sandboxtest.Run(t, conformance(false)) })
}

// TestFailedStart: the step that failed is in the error, and the sandbox is still of use.
func TestFailedStart(t *testing.T) {
	d := newDriver(t, Config{Dir: t.TempDir()})
	s, err := d.Create(t.Context(), sandbox.Spec{ID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Start(t.Context(), sandbox.Process{Args: []string{"/bin/sh"}, Dir: "/no/such/directory"})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "change to directory /no/such/directory") {
		t.Errorf("got %v, want the directory that is not there", err)
	}
	p, err := s.Start(t.Context(), sandbox.Process{Args: []string{"/bin/sh", "-c", "exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	if exit, err := p.Wait(t.Context()); exit.Code != 3 || err != nil {
		t.Errorf("after it: got %+v, %v", exit, err)
	}
}

// TestInit: the stage that stays cannot be looked into by the program, whose user it is.
func TestInit(t *testing.T) {
	d := newDriver(t, Config{Dir: t.TempDir()})
	s, err := d.Create(t.Context(), sandbox.Spec{ID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	const script = `for f in environ maps mem fd/3 root exe; do head -c 1 /proc/1/$f && echo "read $f"; done 2>/dev/null
kill -TERM 1; kill -KILL 1; kill -STOP 1; echo alive $$; (sleep 0.1 & ); i=0
while set -- /proc/[0-9]*; [ $# -gt 1 ] && [ $i -lt 500 ]; do sleep 0.02; i=$((i + 1)); done; echo $#`
	var out strings.Builder
	p, err := s.Start(t.Context(), sandbox.Process{Args: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The shell is left of what was started: the stage, which is hidden, has reaped the orphan.
	if got, want := out.String(), "alive 2\n1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOtherABI: the kernel also runs programs for another kind of machine, whose calls have numbers that mean others here. None is let
// through.
func TestOtherABI(t *testing.T) {
	// exit(0), by the machine that runs it: the kernel wants to know the version of ARM's calls, too (elf.h, EF_ARM_EABI_VER5).
	other := map[elf.Machine]struct {
		machine elf.Machine
		flags   uint32
		code    []uint32
	}{
		elf.EM_X86_64:  {elf.EM_386, 0, []uint32{0x9040c031, 0x80cddb31}},                      // xor %eax, %eax; inc %eax; nop; xor %ebx, %ebx; int $0x80
		elf.EM_AARCH64: {elf.EM_ARM, 0x05000000, []uint32{0xe3a00000, 0xe3a07001, 0xef000000}}, // mov r0, #0; mov r7, #1; svc #0
	}[machine]
	const headerSize, segmentSize, address = 52, 32, 0x10000
	size := headerSize + segmentSize + 4*uint32(len(other.code))
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	content := block(
		elf.Header32{
			Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS32), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
			Type:  uint16(elf.ET_EXEC), Machine: uint16(other.machine), Version: uint32(elf.EV_CURRENT), Flags: other.flags,
			Entry: address + headerSize + segmentSize, Phoff: headerSize, Ehsize: headerSize, Phentsize: segmentSize, Phnum: 1,
		},
		elf.Prog32{Type: uint32(elf.PT_LOAD), Vaddr: address, Filesz: size, Memsz: size, Flags: uint32(elf.PF_R | elf.PF_X), Align: blockSize},
		other.code,
	)
	if err := os.WriteFile(program, content, 0o755); err != nil {
		t.Fatal(err)
	}
	switch err := exec.CommandContext(t.Context(), program).Run(); {
	case errors.Is(err, syscall.ENOEXEC):
		t.Skip("this kernel runs no programs for another kind of machine")
	case err != nil:
		t.Fatal(err)
	}
	d := newDriver(t, Config{Dir: t.TempDir()})
	s, err := d.Create(t.Context(), sandbox.Spec{ID: "x", Mounts: []sandbox.Mount{{Source: dir, Target: "/var/task"}}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Start(t.Context(), sandbox.Process{Args: []string{"/bin/sh", "-c", "exec /var/task/program"}})
	if err != nil {
		t.Fatal(err)
	}
	if exit, err := p.Wait(t.Context()); exit.Signal != int(unix.SIGSYS) || err != nil {
		t.Errorf("got %+v, %v, want SIGSYS", exit, err)
	}
}

func TestCrash(t *testing.T) { sandboxtest.Crash(t, "TestCrash", conformance(true)) }

// BenchmarkStart measures a restart in a sandbox, BenchmarkCreate a whole one, BenchmarkSandbox all of a life.
func BenchmarkStart(b *testing.B) {
	s := newSandbox(b, newDriver(b, Config{Dir: b.TempDir()}))
	for b.Loop() {
		runTrue(b, s)
	}
}

func BenchmarkCreate(b *testing.B) {
	d := newDriver(b, Config{Dir: b.TempDir()})
	for b.Loop() {
		if err := newSandbox(b, d).Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSandbox(b *testing.B) {
	d := newDriver(b, Config{Dir: b.TempDir()})
	for b.Loop() {
		s := newSandbox(b, d)
		runTrue(b, s)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func newSandbox(b *testing.B, d sandbox.Driver) sandbox.Sandbox {
	b.Helper()
	s, err := d.Create(b.Context(), sandbox.Spec{ID: "x", Listeners: []sandbox.ListenerSpec{{Name: "a", Port: 9001}}})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func runTrue(b *testing.B, s sandbox.Sandbox) {
	b.Helper()
	p, err := s.Start(b.Context(), sandbox.Process{Args: []string{"/usr/bin/true"}})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
}
