//go:build linux && (amd64 || arm64)

package native

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/linux"
)

// process is a stage and, once it has begun, its program.
type process struct {
	ground *linux.Ground
	cmd    *exec.Cmd // the stage: the init of the PID namespace
	socket *net.UnixConn
	inside int // the program's number in the PID namespace
}

// report is what the stage says on its socket.
type report struct {
	kind, what, errno uint64
}

// reportSize is that of a report in bytes.
const reportSize = 24

// Kinds of reports.
const (
	begun     = iota // what: the program's number
	ended            // what: its status (wait(2))
	broken           // what: the index of the call that failed, in the setup list
	notBegun         // the same in the child's list
	unsettled        // the same in the init's list
)

// send gives the stage its script and files, of which the first is left free for the script.
func (p *process) send(script []byte, files []*os.File) error {
	memory, err := memoryFile("licet-script", script)
	if err != nil {
		return err
	}
	defer memory.Close()
	files[0] = memory
	fds := make([]int, len(files))
	for i, f := range files {
		fds[i] = int(f.Fd())
	}
	_, _, err = p.socket.WriteMsgUnix(binary.LittleEndian.AppendUint64(nil, uint64(len(script))), unix.UnixRights(fds...), nil)
	return err
}

// begun waits until the program runs.
func (p *process) begun(ctx context.Context, s *script) error {
	stop := context.AfterFunc(ctx, func() { _ = p.socket.SetReadDeadline(time.Unix(1, 0)) }) // ends the wait below
	defer stop()
	r, err := p.receive()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("start program: the stage has ended: %v", err)
	case r.kind == begun:
		p.inside = int(r.what)
		return p.socket.SetReadDeadline(time.Time{})
	}
	failed := s.failed(r)
	err = fmt.Errorf("%s: %w", failed.name, syscall.Errno(r.errno))
	if failed.number == unix.SYS_EXECVE {
		err = fmt.Errorf("%w: %w", err, sandbox.ErrExec)
	}
	return err
}

func (p *process) receive() (report, error) {
	b := make([]byte, reportSize)
	n, err := p.socket.Read(b)
	if err != nil || n != len(b) {
		return report{}, errors.Join(err, fmt.Errorf("%d bytes from the stage", n))
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	return report{word(0), word(1), word(2)}, nil
}

// makeUserNamespace makes the stage begin a user namespace, whose ids are the host's from base on, and wait there. To start a process in
// a new one (CLONE_NEWUSER) would be simpler, but then os/exec copies the server's page tables, which takes longer than all the rest.
func (p *process) makeUserNamespace(base int) (*os.File, error) {
	s := &script{}
	s.call("make user namespace", unix.SYS_UNSHARE, unix.CLONE_NEWUSER)
	s.call("report", unix.SYS_WRITE, socketFD, make([]byte, reportSize), reportSize) // begun, all zero
	s.call("wait for the end", unix.SYS_READ, socketFD, make([]byte, 1), 1)
	s.end(setup)
	if err := p.send(s.bytes(), make([]*os.File, 1)); err != nil {
		return nil, err
	}
	if err := p.begun(context.Background(), s); err != nil {
		return nil, err
	}
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	mapping := fmt.Appendf(nil, "0 %d %d\n", base, linux.IDCount) // user_namespaces(7)
	for _, file := range []string{"uid_map", "gid_map"} {
		if err := os.WriteFile(dir+file, mapping, 0); err != nil {
			return nil, err
		}
	}
	return os.Open(dir + "ns/user")
}

// Init is the stage.
func (p *process) Init() int { return p.cmd.Process.Pid }

// Program is found by its number.
func (p *process) Program() (int, error) { return p.ground.Find(p.Init(), p.inside) }

// Wait waits for the stage, which ends with the program, and with which the kernel ends all others.
func (p *process) Wait() (sandbox.Exit, error) {
	_ = p.cmd.Wait() // says how the stage ended, which its report tells better
	defer p.socket.Close()
	r, err := p.receive()
	if err != nil || r.kind != ended {
		return sandbox.Exit{Code: -1, Signal: int(syscall.SIGKILL)}, nil // the stage was killed, and with it the program
	}
	status := syscall.WaitStatus(r.what)
	if status.Signaled() {
		return sandbox.Exit{Code: -1, Signal: int(status.Signal())}, nil
	}
	return sandbox.Exit{Code: status.ExitStatus()}, nil
}

// abandon ends a stage whose program has not begun.
func (p *process) abandon() error {
	err := p.cmd.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	_ = p.cmd.Wait() // killed
	return errors.Join(err, p.socket.Close())
}
