package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
)

// attributes: a session of its own, and death with the thread that starts it (osthread).
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

func limitOpenFiles(pid int, n int64) error {
	limit := unix.Rlimit{Cur: uint64(n), Max: uint64(n)}
	return unix.Prlimit(pid, unix.RLIMIT_NOFILE, &limit, nil)
}

// usage of a running process. A zombie has none left: it counts as nothing.
func usage(pid int) (sandbox.Usage, error) {
	var u sandbox.Usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) {
		return u, nil
	}
	if err != nil {
		return u, err
	}
	// proc_pid_stat(5): fields 14 and 15, utime and stime, in ticks of 1/100 s; the fields after the name start with the third.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return u, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields)+2)
	}
	for _, f := range fields[11:13] {
		ticks, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return u, err
		}
		u.CPUNanos += ticks * int64(10*time.Millisecond)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return u, err
	}
	if _, rest, ok := bytes.Cut(status, []byte("\nVmHWM:")); ok {
		if f := bytes.Fields(rest); len(f) > 0 {
			kb, err := strconv.ParseInt(string(f[0]), 10, 64)
			if err != nil {
				return u, err
			}
			u.MemoryPeakBytes = kb << 10
		}
	}
	return u, nil
}

// killRest kills every process of the group (0 for none) or whose first environment has the directory, or one below it, as its
// TMPDIR ("" for no directory), and returns when none is left.
func killRest(group int, dir string) error {
	killed := map[int]bool{}
	for deadline := time.Now().Add(killTime); time.Now().Before(deadline); time.Sleep(killPause) {
		if group != 0 {
			// This one cannot be outrun by forking.
			if err := killNow(-group); err != nil {
				return err
			}
		}
		rest, err := findRest(group, dir)
		if err != nil {
			return err
		}
		for _, pid := range rest {
			killed[pid] = true
			if err := killNow(pid); err != nil {
				return err
			}
		}
		if len(rest) == 0 {
			// Where the server is the machine's or the container's init, orphans become its children.
			for pid := range killed {
				syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // ECHILD in all other cases
			}
			return nil
		}
	}
	return errKillTime
}

func killNow(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill %d: %v", pid, err)
	}
	return nil
}

// findRest lists the processes that killRest is for. Zombies are no processes any more: their environment is empty.
func findRest(group int, dir string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %v", err)
	}
	var found []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		// What has ended, or is another user's, cannot be read and is none of ours.
		env, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err != nil || len(env) == 0 {
			continue
		}
		pgid, err := syscall.Getpgid(pid)
		if err == nil && pgid == group || dir != "" && hasTMPDIR(env, dir) {
			found = append(found, pid)
		}
	}
	return found, nil
}

// hasTMPDIR says whether an environment as in proc_pid_environ(5) has the directory, or one below it, as TMPDIR.
func hasTMPDIR(env []byte, dir string) bool {
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if value, ok := bytes.CutPrefix(v, []byte("TMPDIR="+dir)); ok && (len(value) == 0 || value[0] == '/') {
			return true
		}
	}
	return false
}
