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
	"strconv"
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
			return fmt.Errorf("%w: %w: %s", sandbox.ErrExec, errnoIn(message), message)
		}
	}
	return fmt.Errorf("start container: %s", message)
}

// errnoIn finds the system's error in a runtime's message. Without one the program is missing: only that do runtimes tell without it.
func errnoIn(message string) syscall.Errno {
	message = strings.ToLower(message)
	for _, e := range []syscall.Errno{syscall.ENOEXEC, syscall.EACCES, syscall.EISDIR} {
		if strings.Contains(message, e.Error()) {
			return e
		}
	}
	return syscall.ENOENT
}

// Program waits until the program has begun.
func (c *container) Program() (int, error) {
	for {
		pid, begun, err := c.look()
		if begun || err != nil {
			return pid, err
		}
		select {
		case <-c.stop:
			return 0, nil
		case <-time.After(pollTime):
		}
	}
}

// look finds the program's process. The runtime writes its number in the PID namespace into a file.
func (c *container) look() (pid int, begun bool, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/root%s", c.Init(), filepath.Join(c.dir, pidFile)))
	text := strings.TrimSpace(string(b))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || err == nil && text == "" {
		return 0, false, nil // or the runtime has just ended
	}
	inside := 0
	if err == nil {
		inside, err = strconv.Atoi(text)
	}
	if err == nil {
		pid, err = c.ground.Find(c.Init(), inside)
	}
	if err != nil {
		return 0, true, fmt.Errorf("find process: %v", err)
	}
	return pid, true, nil
}

// endStrays kills what the program leaves behind when it ends: the runtimes stay until the last process inside has ended. It
// returns when the runtime has ended.
func (c *container) endStrays() error {
	pid, err := c.Program()
	if err == nil && pid != 0 {
		err = awaitEnd(pid)
	}
	if err != nil {
		return fmt.Errorf("watch process: %w", err)
	}
	return c.killRest()
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

// killRest kills all processes but the runtime, until the runtime ends. It may still need threads.
func (c *container) killRest() error {
	for moved := false; ; moved = true {
		select {
		case <-c.stop:
			return nil
		case <-time.After(pollTime):
		}
		if !moved {
			if err := c.ground.Leave(c.Init()); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
		}
		if err := c.ground.KillMembers(c.Init()); err != nil {
			return err
		}
	}
}
