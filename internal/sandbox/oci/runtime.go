//go:build linux

package oci

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
)

// notExecutable are words of crun and runc for a program that is not there or cannot be executed.
var notExecutable = [...]string{"executable file", "open executable", "exec: \"", "exec format error", "Exec format error",
	"exec user process", "execve", "is a directory"}

// runtimeError reads what a runtime has to say about a container that did not start, or nil. A program's own failure leaves no
// error in the runtime's log.
func runtimeError(log io.Reader) error {
	var messages []string
	for scanner := bufio.NewScanner(log); scanner.Scan(); {
		line := struct{ Level, Msg string }{}
		if json.Unmarshal(scanner.Bytes(), &line) != nil {
			line.Level, line.Msg = "error", scanner.Text() // of the shell before the runtime
		}
		if line.Level == "error" || line.Level == "fatal" {
			messages = append(messages, line.Msg)
		}
	}
	if len(messages) == 0 {
		return nil
	}
	message := strings.Join(messages, "; ")
	for _, words := range notExecutable {
		if strings.Contains(message, words) {
			return fmt.Errorf("%w: %s", sandbox.ErrExec, message)
		}
	}
	return fmt.Errorf("start container: %s", message)
}

// program waits until the program has begun and returns its process id on the host, or 0 when it has ended.
func (r *run) program() (int, error) {
	for {
		pid, begun, err := r.look()
		if begun || err != nil {
			return pid, err
		}
		select {
		case <-r.stop:
			return 0, nil
		case <-time.After(pollTime):
		}
	}
}

// look finds the program's process. The runtime writes its id, as the PID namespace has it, into a file.
func (r *run) look() (pid int, begun bool, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/root%s", r.cmd.Process.Pid, filepath.Join(boxDir, boxPID)))
	inside := strings.TrimSpace(string(b))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || err == nil && inside == "" {
		return 0, false, nil // or the runtime has just ended
	}
	if err != nil {
		return 0, false, fmt.Errorf("find process: %v", err)
	}
	pids, err := r.group.processes()
	if err != nil {
		return 0, true, fmt.Errorf("find process: %v", err)
	}
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue // ended meanwhile
		}
		// proc_pid_status(5): the last of NSpid is the id in the innermost namespace.
		_, rest, _ := strings.Cut(string(status), "\nNSpid:")
		line, _, _ := strings.Cut(rest, "\n")
		if f := strings.Fields(line); len(f) > 1 && f[len(f)-1] == inside {
			return pid, true, nil
		}
	}
	return 0, true, nil
}

// endStrays kills what the program leaves behind when it ends: the runtimes stay until the last process inside has ended. It
// returns when the runtime has ended.
func (r *run) endStrays() error {
	pid, err := r.program()
	if err == nil && pid != 0 {
		err = awaitEnd(pid)
	}
	if err != nil {
		return fmt.Errorf("watch process: %w", err)
	}
	return r.killRest()
}

// pollTime is how often a condition without an event is looked at.
const pollTime = 2 * time.Millisecond

// awaitEnd returns when a process has ended.
func awaitEnd(pid int) error {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close()
	connection, err := f.SyscallConn()
	if err != nil {
		return err
	}
	// A pidfd becomes readable when the process has ended: pidfd_open(2).
	return connection.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
	})
}

// killRest kills all processes but the runtime, until the runtime ends. The group is there for as long.
func (r *run) killRest() error {
	for moved := false; ; {
		select {
		case <-r.stop:
			return nil
		case <-time.After(pollTime):
		}
		pids, err := r.group.processes()
		if err != nil {
			return err
		}
		rest := slices.DeleteFunc(pids, func(pid int) bool { return pid == r.cmd.Process.Pid })
		if len(rest) == 0 {
			continue
		}
		if !moved {
			// From now on nobody forks, but the runtime may still need threads.
			if err := r.group.release(r.cmd.Process.Pid); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
			moved = true
		}
		if err := r.group.kill(rest); err != nil {
			return err
		}
	}
}
