//go:build linux

package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/linux"
)

// starter starts the containers of one sandbox.
type starter struct {
	*launcher
	ground *linux.Ground
	count  int // of containers so far
}

// Close does nothing: the containers' files go with the sandbox's mount namespace.
func (*starter) Close() error { return nil }

// container is one process tree.
type container struct {
	ground *linux.Ground
	dir    string // of its files, in the box
	cmd    *exec.Cmd
	log    *os.File      // the runtime's own messages
	stop   chan struct{} // closed when the runtime has ended
}

// Files of a container.
const (
	stateDir = "state" // the runtime's own files
	logFile  = "log"
	pidFile  = "pid" // the program's number in the PID namespace
)

// script runs in the sandbox's mount namespace and a new PID namespace, and becomes the runtime. hidepid hides the runtime, the
// only process of another user, from those inside. A line of input says that it is in its cgroups; the end of input without it,
// that the start has failed.
const script = `exec 3>&2 2>>"$1"; shift
mount -t proc -o nosuid,nodev,noexec,hidepid=2 proc /proc && read -r go && exec 2>&3 3>&- "$@"
exit 125`

// Start starts the runtime and lets it go on when it is in its cgroups.
func (s *starter) Start(_ context.Context, p sandbox.Process) (linux.Task, error) {
	if err := linux.CheckProgram(s.ground.Spec, p.Args[0]); err != nil {
		return nil, err
	}
	s.count++
	c := &container{ground: s.ground, dir: filepath.Join(linux.BoxDir, "container-"+strconv.Itoa(s.count)), stop: make(chan struct{})}
	gate, err := s.fork(c, p)
	if err != nil {
		return nil, err
	}
	err = s.ground.Join(c.cmd.Process.Pid)
	if err == nil {
		_, err = gate.Write([]byte("\n"))
	}
	// What is left of standard input is at its end, as the program finds it.
	if err = errors.Join(err, gate.Close()); err != nil {
		err = errors.Join(err, c.cmd.Process.Kill())
		_ = c.cmd.Wait() // killed
		return nil, errors.Join(err, c.log.Close())
	}
	return c, nil
}

// fork writes the container's description and starts the shell that becomes the runtime. It returns the writing end of its input.
func (s *starter) fork(c *container, p sandbox.Process) (gate *os.File, err error) {
	description, err := json.Marshal(config(s.ground, p))
	if err != nil {
		return nil, fmt.Errorf("describe container: %v", err)
	}
	// The program gets this end as its standard input, which some runtimes give to its user: it must not be a file of the host.
	input, gate, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %v", err)
	}
	defer input.Close()
	log := filepath.Join(c.dir, logFile)
	args := append([]string{"sh", "-c", script, "sh", log, s.path}, s.options...)
	args = append(args, "--root", filepath.Join(c.dir, stateDir), "--log", log, "--log-format", "json",
		"run", "--pid-file", filepath.Join(c.dir, pidFile), "--bundle", c.dir, s.ground.Spec.ID)
	c.cmd = &exec.Cmd{
		Path: "/bin/sh", Args: args, Dir: "/", Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, Stdin: input,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL,
			Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS},
	}
	c.cmd.Stdout, c.cmd.Stderr = p.Stdout, p.Stderr
	err = s.ground.Enter(func() error {
		if err := os.Mkdir(c.dir, 0o755); err != nil { // a runtime enters it with no more rights than anyone
			return fmt.Errorf("make directory of the container: %v", err)
		}
		if err := os.WriteFile(filepath.Join(c.dir, "config.json"), description, 0o600); err != nil {
			return fmt.Errorf("describe container: %v", err)
		}
		if c.log, err = os.OpenFile(log, os.O_CREATE|os.O_TRUNC|os.O_RDONLY, 0o600); err != nil {
			return fmt.Errorf("make log of the runtime: %v", err)
		}
		if err := c.cmd.Start(); err != nil {
			return errors.Join(fmt.Errorf("start %s: %v", s.path, err), c.log.Close())
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, gate.Close())
	}
	return gate, nil
}

// Init is the runtime.
func (c *container) Init() int { return c.cmd.Process.Pid }

// Wait tells how it went.
func (c *container) Wait() (sandbox.Exit, error) {
	var watch sync.WaitGroup
	var strays error
	watch.Go(func() {
		if strays = c.endStrays(); strays != nil {
			_ = c.cmd.Process.Kill() // so that Wait does not wait for ever; fails only when it is gone
		}
	})
	waitErr := c.cmd.Wait()
	close(c.stop)
	watch.Wait()
	err := errors.Join(strays, c.clean())
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		return sandbox.Exit{}, errors.Join(err, fmt.Errorf("wait for process: %v", waitErr))
	}
	exit := exitOf(status)
	if exit.Code > 0 {
		err = errors.Join(err, runtimeError(c.log))
	}
	c.log.Close() // was only read
	return exit, err
}

// clean removes the container's files, its environment among them.
func (c *container) clean() error {
	return c.ground.Enter(func() error {
		if err := os.RemoveAll(c.dir); err != nil {
			return fmt.Errorf("remove files of the container: %v", err)
		}
		return nil
	})
}

// fatal are the signals n that exit status 128+n of a runtime stands for. The other numbers programs use as statuses of their own,
// as Lambda's Node.js runtime 128 and 129.
var fatal = map[syscall.Signal]bool{
	syscall.SIGINT: true, syscall.SIGQUIT: true, syscall.SIGILL: true, syscall.SIGTRAP: true, syscall.SIGABRT: true,
	syscall.SIGBUS: true, syscall.SIGFPE: true, syscall.SIGKILL: true, syscall.SIGUSR1: true, syscall.SIGSEGV: true,
	syscall.SIGUSR2: true, syscall.SIGPIPE: true, syscall.SIGALRM: true, syscall.SIGTERM: true, syscall.SIGXCPU: true,
	syscall.SIGXFSZ: true, syscall.SIGSYS: true,
}

func exitOf(status syscall.WaitStatus) sandbox.Exit {
	if status.Signaled() {
		return sandbox.Exit{Code: -1, Signal: int(status.Signal())}
	}
	code := status.ExitStatus()
	if signal := syscall.Signal(code - 128); fatal[signal] {
		return sandbox.Exit{Code: -1, Signal: int(signal)}
	}
	return sandbox.Exit{Code: code}
}
