//go:build linux && (amd64 || arm64)

package native

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/linux"
)

// Files of the stage: its socket, and what Start sends.
const (
	socketFD = 3 + iota
	scriptFD
	stdoutFD
	stderrFD
	userFD    // the user namespace, where there is one
	networkFD // the network namespace, where it is not the host's
)

// script is three lists of system calls, with the memory that they need. The stage has it at scriptAt: a header of eight words (the
// lengths of the lists are the first, second and last of them, the rest is for the stage's own use), the calls of eight words each
// (number, six arguments, whether it may fail), and the memory.
type script struct {
	calls  []call
	counts [3]int
	memory []byte
}

// The lists: of the stage, of its child, which ends with execve, and of the stage that stays.
const (
	setup = iota
	child
	stay
)

// call is a system call; an argument of type string, []string or []byte is a pointer into the script's memory.
type call struct {
	name      string // for errors
	number    uintptr
	arguments [6]any
	mayFail   bool
}

// call adds to the list that is the last so far.
func (s *script) call(name string, number uintptr, arguments ...any) *call {
	c := call{name: name, number: number}
	copy(c.arguments[:], arguments)
	s.calls = append(s.calls, c)
	return &s.calls[len(s.calls)-1]
}

// end ends a list.
func (s *script) end(list int) {
	s.counts[list] = len(s.calls)
	for _, n := range s.counts[:list] {
		s.counts[list] -= n
	}
}

// bytes is the script as the stage maps it.
func (s *script) bytes() []byte {
	head := make([]uint64, 0, 8*(len(s.calls)+1))
	head = append(head, uint64(s.counts[setup]), uint64(s.counts[child]), 0, 0, 0, 0, 0, uint64(s.counts[stay]))
	base := uint64(scriptAt + 8*cap(head))
	for _, c := range s.calls {
		words := [8]uint64{0: uint64(c.number)}
		for i, a := range c.arguments {
			words[i+1] = s.word(base, a)
		}
		if c.mayFail {
			words[7] = 1
		}
		head = append(head, words[:]...)
	}
	b := make([]byte, 0, 8*len(head)+len(s.memory))
	for _, w := range head {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return append(b, s.memory...)
}

// word is an argument's value.
func (s *script) word(base uint64, argument any) uint64 {
	switch a := argument.(type) {
	case nil:
		return 0
	case int:
		return uint64(a)
	case uintptr:
		return uint64(a)
	case string:
		return s.put(base, append([]byte(a), 0))
	case []byte:
		return s.put(base, a)
	case []string:
		var pointers []byte
		for _, v := range a {
			pointers = binary.LittleEndian.AppendUint64(pointers, s.put(base, append([]byte(v), 0)))
		}
		return s.put(base, binary.LittleEndian.AppendUint64(pointers, 0))
	case filter:
		// struct sock_fprog: the number of instructions, and where they are.
		at := s.put(base, unsafe.Slice((*byte)(unsafe.Pointer(&a[0])), len(a)*int(unsafe.Sizeof(a[0]))))
		return s.put(base, binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(len(a))), at))
	}
	panic(fmt.Sprintf("a system call has no argument of type %T", argument))
}

// put adds to the memory, at a multiple of eight, and returns the address.
func (s *script) put(base uint64, b []byte) uint64 {
	for len(s.memory)%8 != 0 {
		s.memory = append(s.memory, 0)
	}
	at := base + uint64(len(s.memory))
	s.memory = append(s.memory, b...)
	return at
}

// newScript is what makes the stage, a process of root in the sandbox's mount namespace and cgroups, start a process.
func newScript(g *linux.Ground, p sandbox.Process, f filter) *script {
	s := &script{}
	s.namespaces(g)
	s.root()
	s.rights(g)
	s.files()
	s.call("set umask", unix.SYS_UMASK, 0o022)
	s.call("filter system calls", unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, f) // which allows what follows
	s.end(setup)
	s.user(g.IDs.User, g.IDs.Group)
	s.call("make session", unix.SYS_SETSID)
	dir := p.Dir
	if dir == "" {
		dir = "/"
	}
	s.call("change to directory "+dir, unix.SYS_CHDIR, dir)
	for _, program := range candidates(p) {
		s.call("execute "+program, unix.SYS_EXECVE, program, p.Args, p.Env).mayFail = true
	}
	s.end(child)
	// The init is another user, so that the program has no power over it.
	s.user(g.IDs.User+1, g.IDs.Group+1)
	s.call("die with the server", unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, int(unix.SIGKILL)) // a new user unset it
	s.call("forbid tracing", unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0)
	s.end(stay)
	return s
}

// namespaces: after the cgroups, which the cgroup namespace begins at.
func (s *script) namespaces(g *linux.Ground) {
	s.call("make namespaces", unix.SYS_UNSHARE, unix.CLONE_NEWNS|unix.CLONE_NEWIPC|unix.CLONE_NEWUTS|unix.CLONE_NEWCGROUP)
	s.call("detach mounts", unix.SYS_MOUNT, nil, "/", nil, unix.MS_PRIVATE|unix.MS_REC)
	s.call("set host name", unix.SYS_SETHOSTNAME, linux.HostName, len(linux.HostName))
	if g.Network != nil {
		s.call("enter network namespace", unix.SYS_SETNS, s.networkFD(g), unix.CLONE_NEWNET)
	}
}

// networkFD is one less where no user namespace comes before it.
func (s *script) networkFD(g *linux.Ground) int {
	if g.IDs.Namespace {
		return networkFD
	}
	return userFD
}

const mountFlags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// root makes the box's root the root, with a /proc of the PID namespace.
func (s *script) root() {
	root := filepath.Join(linux.BoxDir, linux.BoxRoot)
	s.call("make root a mount", unix.SYS_MOUNT, root, root, nil, unix.MS_BIND|unix.MS_REC)
	s.call("change to root", unix.SYS_CHDIR, root)
	s.call("change root", unix.SYS_PIVOT_ROOT, ".", ".")
	s.call("leave the host's root", unix.SYS_UMOUNT2, ".", unix.MNT_DETACH)
	s.call("change to root", unix.SYS_CHDIR, "/")
	s.call("mount /proc", unix.SYS_MOUNT, "proc", "/proc", "proc", mountFlags, "hidepid=2")
	for _, path := range linux.MaskedPaths {
		info, err := os.Stat(path)
		switch {
		case err != nil: // this kernel does not have it
		case info.IsDir():
			s.call("hide "+path, unix.SYS_MOUNT, "tmpfs", path, "tmpfs", mountFlags|unix.MS_RDONLY, "size=0")
		default:
			s.call("hide "+path, unix.SYS_MOUNT, "/dev/null", path, nil, unix.MS_BIND)
		}
	}
	for _, path := range linux.ReadonlyPaths {
		if _, err := os.Stat(path); err == nil {
			s.call("protect "+path, unix.SYS_MOUNT, path, path, nil, unix.MS_BIND|unix.MS_REC)
			s.call("protect "+path, unix.SYS_MOUNT, nil, path, nil, mountFlags|unix.MS_RDONLY|unix.MS_BIND|unix.MS_REMOUNT)
		}
	}
	s.call("protect root", unix.SYS_MOUNT, nil, "/", nil, unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_BIND|unix.MS_REMOUNT)
}

// rights takes the rights that cannot come back.
func (s *script) rights(g *linux.Ground) {
	if g.IDs.Namespace {
		s.call("enter user namespace", unix.SYS_SETNS, userFD, unix.CLONE_NEWUSER)
	}
	for c := range lastCapability() + 1 {
		s.call("drop capabilities", unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c)
	}
	s.call("leave groups", unix.SYS_SETGROUPS, 0)
	s.call("leave the server's keyring", unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING).mayFail = true // a kernel without keys
	s.call("forbid tracing", unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0)
	s.call("forbid new privileges", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
}

// user becomes a user with no capabilities.
func (s *script) user(user, group int) {
	s.call("set group", unix.SYS_SETRESGID, group, group, group)
	s.call("set user", unix.SYS_SETRESUID, user, user, user)
	s.call("give up capabilities", unix.SYS_CAPSET, capabilityHeader(), make([]byte, 24))
}

// capabilityHeader is a struct __user_cap_header_struct: capset(2), version 3.
func capabilityHeader() []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, unix.LINUX_CAPABILITY_VERSION_3), 0)
}

// lastCapability of this kernel (capabilities(7)).
func lastCapability() int {
	last := 0
	for last < 63 {
		if _, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_CAPBSET_READ, uintptr(last+1), 0, 0, 0, 0); errno != 0 {
			break
		}
		last++
	}
	return last
}

// files leaves the program its three and nothing else.
func (s *script) files() {
	s.call("close standard input", unix.SYS_CLOSE, 0).mayFail = true
	s.call("open /dev/null", unix.SYS_OPENAT, unix.AT_FDCWD, "/dev/null", unix.O_RDONLY)
	s.call("set standard output", unix.SYS_DUP3, stdoutFD, 1, 0)
	s.call("set standard error", unix.SYS_DUP3, stderrFD, 2, 0)
	s.call("close files", unix.SYS_CLOSE_RANGE, socketFD+1, 1<<31-1, 0)
	s.call("keep socket", unix.SYS_FCNTL, socketFD, unix.F_SETFD, unix.FD_CLOEXEC)
}

// candidates are the paths that a program may have: itself, or one in each directory of PATH (execvp(3)).
func candidates(p sandbox.Process) []string {
	name := p.Args[0]
	if strings.Contains(name, "/") {
		return []string{name}
	}
	var paths []string
	for _, v := range p.Env {
		path, ok := strings.CutPrefix(v, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(path) {
			paths = append(paths, filepath.Join("/", dir, name))
		}
	}
	if paths == nil {
		paths = []string{filepath.Join("/", name)}
	}
	return paths
}

// failed is the call that a report is about.
func (s *script) failed(r report) call {
	index := int(r.what)
	switch r.kind {
	case notBegun:
		index += s.counts[setup]
	case unsettled:
		index += s.counts[setup] + s.counts[child]
	}
	return s.calls[index]
}
