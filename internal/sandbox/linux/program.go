//go:build linux

package linux

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
)

// machines are the ELF machines that this one runs.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// CheckProgram finds what execve would refuse, with its error. The runtimes report that in words of their own, and crun on the
// program's standard error, where it cannot be told from the program's output. What it cannot see (a name in PATH) it lets pass.
func CheckProgram(spec sandbox.Spec, program string) error {
	if !filepath.IsAbs(program) {
		return nil
	}
	if err := executable(spec, program); err != nil {
		return fmt.Errorf("%s: %w: %w", program, err, sandbox.ErrExec)
	}
	return nil
}

func executable(spec sandbox.Spec, program string) error {
	f, err := openInside(spec, program, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return errnoOf(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return errnoOf(err)
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return syscall.EACCES
	}
	switch begin, err := bufio.NewReader(f).Peek(4); {
	case err != nil && !errors.Is(err, io.EOF):
		return errnoOf(err)
	case strings.HasPrefix(string(begin), "#!"):
		return checkScript(spec, f)
	case string(begin) == elf.ELFMAG:
		return checkELF(spec, f)
	default:
		return syscall.ENOEXEC
	}
}

// checkScript looks for the interpreter of a script (execve(2), "Interpreter scripts").
func checkScript(spec sandbox.Spec, f *os.File) error {
	if _, err := f.Seek(int64(len("#!")), io.SeekStart); err != nil {
		return errnoOf(err)
	}
	line, _ := bufio.NewReader(io.LimitReader(f, 4096)).ReadString('\n') // a last line needs no end
	words := strings.Fields(line)
	if len(words) == 0 {
		return syscall.ENOEXEC
	}
	return present(spec, words[0])
}

// checkELF looks at the machine, and for the loader of a dynamically linked program.
func checkELF(spec sandbox.Spec, f *os.File) error {
	program, err := elf.NewFile(f)
	if err != nil || program.Machine != machines[runtime.GOARCH] {
		return syscall.ENOEXEC
	}
	for _, p := range program.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		loader, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil {
			return syscall.ENOEXEC
		}
		return present(spec, strings.TrimRight(string(loader), "\x00"))
	}
	return nil
}

// ownDirectories are those that a sandbox makes itself: what is in them is not known out here.
var ownDirectories = [...]string{"dev", "etc", "proc", "tmp"}

// present looks for a file that a program names. It opens none for reading: a stranger may have named anything, and of a device or a
// pipe of the host that would do something. Of the host there is only what the sandbox shows.
func present(spec sandbox.Spec, file string) error {
	file = filepath.Clean(file)
	first, _, _ := strings.Cut(strings.TrimPrefix(file, "/"), "/")
	switch {
	case !filepath.IsAbs(file), slices.Contains(ownDirectories[:], first):
		return nil
	case spec.RootDir == "" && hostPath(spec.Mounts, file) == file && !slices.Contains(hostPrograms[:], first):
		return syscall.ENOENT
	}
	f, err := openInside(spec, file, unix.O_PATH)
	if err != nil {
		return errnoOf(err)
	}
	return f.Close()
}

// openInside opens a file by its path inside. Links of another root file system lead nowhere out of it.
func openInside(spec sandbox.Spec, path string, flags int) (*os.File, error) {
	host := hostPath(spec.Mounts, path)
	if spec.RootDir == "" || host != path {
		return os.OpenFile(host, flags, 0)
	}
	root, err := os.Open(spec.RootDir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	fd, err := unix.Openat2(int(root.Fd()), path, &unix.OpenHow{
		Flags: uint64(flags) | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// hostPath is where a path inside is outside: below a mount, or, as the root is made of the host's programs, the same.
func hostPath(mounts []sandbox.Mount, inside string) string {
	for _, m := range mounts {
		if rest, ok := strings.CutPrefix(inside, m.Target); ok && (rest == "" || rest[0] == '/') {
			return m.Source + rest
		}
	}
	return inside
}

// errnoOf drops the host's path from an error.
func errnoOf(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
