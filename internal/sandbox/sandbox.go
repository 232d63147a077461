// Package sandbox is the contract of the places where function code runs.
//
// A Driver makes sandboxes; a Sandbox runs process trees side by side, in isolation that the driver's package documents. The
// package knows nothing of Lambda, roles or requests. Drivers and sandboxes are safe for concurrent use. When Close returns,
// no process, mount, cgroup, namespace or file of the sandbox is left. After a crash of the server, a new Driver removes what the
// old one left. Drivers are in the folders below and pass sandboxtest.
//
// To add a driver: a folder that passes sandboxtest, and one case in cmd/licet.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
)

// The errors on which a caller may act.
var (
	// ErrExec: the program of a Process is missing or cannot be executed. It comes from Start, or, where the driver learns it
	// later, from Wait.
	ErrExec = errors.New("program cannot be executed")
	// ErrEnded: there is no process to signal any more.
	ErrEnded = errors.New("process has ended")
	// ErrClosed: the sandbox or its driver was closed.
	ErrClosed = errors.New("sandbox is closed")
)

// Network says what a sandbox may reach beside its own listeners.
type Network string

// The choices of network.
const (
	// NetworkNone: nothing but the sandbox's own loopback. It is the default.
	NetworkNone Network = "none"
	// NetworkHost: the host's network as it is.
	NetworkHost Network = "host"
)

// Spec describes a sandbox. Host paths are absolute. A zero limit means the driver's default, which is never "unlimited" for
// memory and processes.
type Spec struct {
	// ID is unique among live sandboxes: [a-z0-9-]{1,64}.
	ID string
	// RootDir is the root file system, read-only inside; "" for the host's programs and libraries (/usr, /bin, /lib …) without
	// its data.
	RootDir string
	// Mounts are shown read-only inside. The code runs as a user that owns none of them: what it must read has to be readable
	// for everyone.
	Mounts []Mount
	// Later are targets that Fit may mount at: until then empty directories. Only without RootDir.
	Later []string
	// Limits bound what the processes may use.
	Limits Limits
	// Network beyond the listeners.
	Network Network
	// Listeners that code inside reaches over TCP at their Address.
	Listeners []ListenerSpec
}

// Mount shows a host directory or file inside the sandbox, read-only, nosuid, nodev.
type Mount struct {
	Source string
	Target string
}

// Limits of a sandbox.
type Limits struct {
	// MemoryBytes for all processes together, without the files in /tmp; more kills them (Exit.OutOfMemory).
	MemoryBytes int64
	// CPUMillis is the share of CPU time: 1000 is one full CPU.
	CPUMillis int64
	// Processes and threads together, and open files for each process.
	Processes int64
	OpenFiles int64
	// TmpBytes is the size of /tmp, which is private and lives as long as the sandbox, across restarts of the process.
	TmpBytes int64
}

// OrDefault replaces zero limits: 128 MB of memory, one CPU, 1,024 processes and open files, 512 MB of /tmp, which are the least
// that Lambda gives a function (lambda.md 8).
func (l Limits) OrDefault() Limits {
	set := func(v *int64, value int64) {
		if *v == 0 {
			*v = value
		}
	}
	set(&l.MemoryBytes, 128<<20)
	set(&l.CPUMillis, 1000)
	set(&l.Processes, 1024)
	set(&l.OpenFiles, 1024)
	set(&l.TmpBytes, 512<<20)
	return l
}

// Validate says whether the limits can be meant.
func (l Limits) Validate() error {
	if min(l.MemoryBytes, l.CPUMillis, l.Processes, l.OpenFiles, l.TmpBytes) < 0 {
		return fmt.Errorf("limits %+v: negative", l)
	}
	return nil
}

// ListenerSpec asks for a TCP listener on the sandbox's loopback.
type ListenerSpec struct {
	Name string
	// Port inside, when the sandbox has its own network; a driver without one picks a free port.
	Port int
}

var validID = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// Validate says whether a driver can understand the spec.
func (s Spec) Validate() error {
	if !validID.MatchString(s.ID) {
		return fmt.Errorf("sandbox id %q: want 1 to 64 of a-z, 0-9 and -", s.ID)
	}
	if s.RootDir != "" && !filepath.IsAbs(s.RootDir) {
		return fmt.Errorf("root directory %q is not absolute", s.RootDir)
	}
	for _, m := range s.Mounts {
		if !filepath.IsAbs(m.Source) || !filepath.IsAbs(m.Target) || filepath.Clean(m.Target) != m.Target || m.Target == "/" {
			return fmt.Errorf("mount of %q at %q: want clean absolute paths", m.Source, m.Target)
		}
	}
	for _, target := range s.Later {
		if s.RootDir != "" || !filepath.IsAbs(target) || filepath.Clean(target) != target || target == "/" {
			return fmt.Errorf("place for a mount at %q: want a clean absolute path, and no root directory", target)
		}
	}
	if err := s.Limits.Validate(); err != nil {
		return err
	}
	switch s.Network {
	case "", NetworkNone, NetworkHost:
	default:
		return fmt.Errorf("network %q: want %q or %q", s.Network, NetworkNone, NetworkHost)
	}
	names := map[string]bool{}
	for _, l := range s.Listeners {
		if l.Port < 0 || l.Port > 65535 || names[l.Name] {
			return fmt.Errorf("listener %q at port %d: want a port and a name of its own", l.Name, l.Port)
		}
		names[l.Name] = true
	}
	return nil
}

// Process is a program to run inside. Paths are those inside the sandbox where the driver has an own file system; drivers
// without one translate the targets of Spec.Mounts in Args and Dir (see Sandbox.Path).
type Process struct {
	// Args[0] is the program: a path, or a name to find in the PATH of Env.
	Args []string
	// Env is the whole environment, "NAME=value". A driver may add HOME and TMPDIR where they are not set.
	Env []string
	// Dir is the working directory; "" for /.
	Dir string
	// Stdout and Stderr receive the output; nil discards it. Writes to them may block the process, never the driver. When both
	// are the same writer, its Write is not called twice at a time. Once a Write fails, the rest is discarded.
	// An *os.File is given to the process as it is, so that what was printed is in it at once; the driver does not close it.
	Stdout io.Writer
	Stderr io.Writer
}

// Exit says how a process ended.
type Exit struct {
	// Code is the exit status, or -1 when a signal ended it.
	Code int
	// Signal is the signal's number, or 0.
	Signal int
	// OutOfMemory is true when the memory limit killed it.
	OutOfMemory bool
}

// Usage is what a sandbox has used since it was made.
type Usage struct {
	// MemoryPeakBytes is the most memory in use at one time, at most the limit, where the driver can tell.
	MemoryPeakBytes int64
	CPUNanos        int64
}

// Driver makes sandboxes.
type Driver interface {
	// Name for logs and the doctor: "native", "oci", "process".
	Name() string
	// Create prepares a sandbox: file system, network, listeners, limits. Nothing runs in it yet.
	Create(ctx context.Context, spec Spec) (Sandbox, error)
	// Check says whether the driver can work on this machine; the error tells a person what is missing and what to do.
	Check(ctx context.Context) error
	// Close removes every sandbox that is left.
	Close() error
}

// Sandbox is one isolated place. Its processes share its files, network and limits; where the driver isolates, each process tree
// sees only its own processes.
type Sandbox interface {
	// Listener returns the listener of that name in Spec.Listeners, and the host:port by which code inside reaches it. The
	// sandbox closes it. It is nil for a name that is not there.
	Listener(name string) (l net.Listener, address string)
	// Dial connects to a TCP port at 127.0.0.1 as code inside does.
	Dial(ctx context.Context, port int) (net.Conn, error)
	// Path gives the path by which code inside sees the target of a mount, a path below it, or /tmp: itself where the driver
	// has an own file system.
	Path(target string) string
	// Fit gives a sandbox, also one in which processes run, its limits anew, but for OpenFiles, and shows mounts at targets of
	// Spec.Later. After an error the sandbox is good for nothing but Close.
	Fit(ctx context.Context, l Limits, mounts []Mount) error
	// Start runs a process beside those that run. ctx bounds the start alone, not the life of the process.
	Start(ctx context.Context, p Process) (Running, error)
	// Kill ends all processes at once (SIGKILL). It returns before they are gone: use Running.Wait.
	Kill() error
	// Usage of all processes together.
	Usage() (Usage, error)
	// Close kills what runs and removes the sandbox.
	Close() error
}

// Running is a process that was started, with all that it starts.
type Running interface {
	// Wait returns when the process, and every process it left behind, has ended and its output is delivered. Any number of
	// callers may wait, also after the end.
	Wait(ctx context.Context) (Exit, error)
	// Kill ends the process and what it started (SIGKILL). It returns before they are gone. It does nothing after the end.
	Kill() error
	// Signal sends a signal to the process, or returns ErrEnded.
	Signal(signal int) error
}
