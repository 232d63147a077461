//go:build linux && (amd64 || arm64)

package native

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/linux"
)

// Supported says whether New can make a driver on this kind of machine.
const Supported = true

// New makes a driver, after it has removed what a crashed server left. Its errors tell a person what is missing.
func New(c Config) (sandbox.Driver, error) {
	code, err := stageCode()
	if err != nil {
		return nil, err
	}
	f, err := newFilter(linux.SystemCalls())
	if err != nil {
		return nil, fmt.Errorf("compile the filter of system calls: %v", err)
	}
	stage, err := stageFile(executable(code))
	if err != nil {
		return nil, err
	}
	l := &launcher{stage: stage, filter: f, users: map[int]*os.File{}}
	d, err := linux.New(linux.Config{Dir: c.Dir, CgroupParent: c.CgroupParent, WithoutUsers: c.WithoutUsers, Launcher: l})
	if err != nil {
		return nil, err
	}
	return d, nil
}

type launcher struct {
	stage  *os.File // the executable
	filter filter

	mu    sync.Mutex
	users map[int]*os.File // user namespaces by the first of their ids, for the next sandbox with the same ones
}

// Name is "native".
func (*launcher) Name() string { return "native" }

// Close forgets the user namespaces.
func (l *launcher) Close() error {
	errs := []error{l.stage.Close()}
	for _, f := range l.users {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Open makes /dev and the first stage.
func (l *launcher) Open(g *linux.Ground) (linux.Starter, error) {
	s := &starter{launcher: l, ground: g}
	if err := g.MakeDevices(); err != nil {
		return nil, err
	}
	var err error
	if g.IDs.Namespace {
		if s.user, err = l.userNamespace(g); err != nil {
			return nil, err
		}
	}
	if s.waiting, err = s.fork(); err != nil {
		return nil, err
	}
	return s, nil
}

// userNamespace of a sandbox's ids, which are no other's as long as it is there. A process has to be in it while it is made.
func (l *launcher) userNamespace(g *linux.Ground) (*os.File, error) {
	l.mu.Lock()
	kept := l.users[g.IDs.Base]
	l.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	p, err := l.run(g, &syscall.SysProcAttr{})
	if err != nil {
		return nil, fmt.Errorf("make user namespace: %v", err)
	}
	f, err := p.makeUserNamespace(g.IDs.Base)
	if err = errors.Join(err, p.abandon()); err != nil {
		return nil, fmt.Errorf("make user namespace: %v", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users[g.IDs.Base] = f
	return f, nil
}

// run starts the stage in a sandbox's mount namespace. It waits for its script.
func (l *launcher) run(g *linux.Ground, attributes *syscall.SysProcAttr) (*process, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make socket: %v", err)
	}
	theirs, ours := os.NewFile(uintptr(pair[0]), "stage"), os.NewFile(uintptr(pair[1]), "server")
	defer theirs.Close()
	socket, err := net.FileConn(ours)
	if err = errors.Join(err, ours.Close()); err != nil {
		return nil, fmt.Errorf("make socket: %v", err)
	}
	attributes.Setsid, attributes.Pdeathsig = true, syscall.SIGKILL
	p := &process{ground: g, socket: socket.(*net.UnixConn), cmd: &exec.Cmd{
		Path: fmt.Sprintf("/proc/self/fd/%d", l.stage.Fd()), Args: []string{"licet-sandbox"}, Env: []string{}, Dir: "/",
		ExtraFiles: []*os.File{theirs}, SysProcAttr: attributes}}
	if err := g.Enter(p.cmd.Start); err != nil {
		return nil, errors.Join(fmt.Errorf("start stage: %v", err), socket.Close())
	}
	return p, nil
}

// starter starts the processes of one sandbox.
type starter struct {
	*launcher
	ground  *linux.Ground
	user    *os.File // the user namespace, which is the launcher's; nil for none
	waiting *process // the next one's stage; nil when it has to be made
}

// fork starts a stage as the init of a PID namespace, in the sandbox's cgroups.
func (s *starter) fork() (*process, error) {
	p, err := s.run(s.ground, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID})
	if err != nil {
		return nil, err
	}
	if err := s.limit(p.cmd.Process.Pid); err != nil {
		return nil, errors.Join(err, p.abandon())
	}
	return p, nil
}

// limit puts a stage, and so all that come from it, under the sandbox's limits.
func (s *starter) limit(pid int) error {
	set := func(resource int, n uint64) error {
		return unix.Prlimit(pid, resource, &unix.Rlimit{Cur: n, Max: n}, nil)
	}
	err := errors.Join(
		set(unix.RLIMIT_NOFILE, uint64(s.ground.Spec.Limits.OpenFiles)),
		set(unix.RLIMIT_CORE, linux.CoreLimit),
		os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), fmt.Append(nil, linux.OOMScore), 0),
	)
	if err != nil {
		return fmt.Errorf("limit process: %v", err)
	}
	return s.ground.Join(pid)
}

// Close ends the stage that waits.
func (s *starter) Close() error {
	if s.waiting == nil {
		return nil
	}
	return s.waiting.abandon()
}

// Start gives the waiting stage its script.
func (s *starter) Start(ctx context.Context, p sandbox.Process) (linux.Task, error) {
	stage := s.waiting
	s.waiting = nil
	if stage == nil {
		var err error
		if stage, err = s.fork(); err != nil {
			return nil, err
		}
	}
	if err := s.begin(ctx, stage, p); err != nil {
		return nil, errors.Join(err, stage.abandon())
	}
	return stage, nil
}

func (s *starter) begin(ctx context.Context, stage *process, p sandbox.Process) error {
	script := newScript(s.ground, p, s.filter)
	files := []*os.File{nil, p.Stdout.(*os.File), p.Stderr.(*os.File)}
	for _, f := range files[1:] {
		if err := give(f, s.ground.IDs); err != nil {
			return err
		}
	}
	for _, f := range []*os.File{s.user, s.ground.Network} {
		if f != nil {
			files = append(files, f)
		}
	}
	if err := stage.send(script.bytes(), files); err != nil {
		return fmt.Errorf("start program: %v", err)
	}
	return stage.begun(ctx, script)
}

// give makes a pipe the user's, who may open it anew as /dev/stdout.
func give(f *os.File, ids linux.IDs) error {
	info, err := f.Stat()
	if err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		err = f.Chown(ids.HostUser(), ids.HostGroup())
	}
	if err != nil {
		return fmt.Errorf("give output to the process: %v", err)
	}
	return nil
}
