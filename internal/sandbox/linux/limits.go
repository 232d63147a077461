//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
)

// setting is a limit of a cgroup: its file and value on v1 and on v2. Without a file there is none; "?" before it says that some
// kernels lack it.
type setting struct{ controller, v1, v1Value, v2, v2Value string }

// set writes limits of the group.
func (g *group) set(settings ...setting) error {
	for _, s := range settings {
		dir, v2 := g.dir(s.controller)
		file, value := s.v1, s.v1Value
		if v2 {
			file, value = s.v2, s.v2Value
		}
		if file == "" {
			continue
		}
		file, optional := strings.CutPrefix(file, "?")
		err := os.WriteFile(filepath.Join(dir, file), []byte(value), 0)
		if err != nil && !(optional && errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("set cgroup limit: %v", err)
		}
	}
	return nil
}

// MaskedPaths show what belongs to the host; ReadonlyPaths must not be written even by a user that could.
var (
	MaskedPaths = [...]string{"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kallsyms", "/proc/kcore", "/proc/keys",
		"/proc/kmsg", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats"}
	ReadonlyPaths = [...]string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

// What every process gets.
const (
	// CoreLimit is the size of core files in bytes: 1, not 0, because it also keeps the kernel from giving memory, with credentials in
	// it, to a program of the host (core(5), coredump_pipe in the kernel's fs/coredump.c).
	CoreLimit = 1
	// OOMScore is the oom_score_adj: should the host itself run out of memory, functions go before the server.
	OOMScore = 500
)

// cpuPeriod is the kernel's usual period in microseconds; its least quota is one millisecond.
const cpuPeriod = 100_000

// tmpFiles is how many files /tmp may have. A file takes at least a page, so that as many files as pages are enough for everyone.
func tmpFiles(l sandbox.Limits) int64 { return l.TmpBytes/4096 + 16 }

// tmpFileBytes is what the kernel itself needs for a file of a tmpfs, and a little more.
const tmpFileBytes = 1280

// limit sets the limits of one sandbox, but for the number of its processes.
func (g *group) limit(l sandbox.Limits) error {
	// The kernel counts /tmp as memory; watchMemory has the limit without it.
	memory := strconv.FormatInt(l.MemoryBytes+l.TmpBytes+tmpFiles(l)*tmpFileBytes, 10)
	quota, period := strconv.FormatInt(max(1000, l.CPUMillis*cpuPeriod/1000), 10), strconv.Itoa(cpuPeriod)
	// On v1 the limit with swap is never below the one without: it goes up first, and cannot go down before.
	_ = g.set(setting{"memory", "?memory.memsw.limit_in_bytes", memory, "", ""})
	return g.set(
		setting{"memory", "memory.limit_in_bytes", memory, "memory.max", memory},
		setting{"memory", "?memory.memsw.limit_in_bytes", memory, "?memory.swap.max", "0"},
		// v1 counts what sockets hold only when asked to; all of the host share that, otherwise.
		setting{"memory", "?memory.kmem.tcp.limit_in_bytes", strconv.FormatInt(l.MemoryBytes, 10), "", ""},
		setting{"cpu", "cpu.cfs_period_us", period, "cpu.max", quota + " " + period},
		setting{"cpu", "cpu.cfs_quota_us", quota, "", ""},
	)
}

// allow sets how many processes and threads the sandbox may have.
func (g *group) allow(processes int64) error {
	count := strconv.FormatInt(processes, 10)
	return g.set(setting{"pids", "pids.max", count, "pids.max", count})
}

// limitAll sets the limits of all sandboxes together: three quarters of the memory, and of the processes that the host can have, so
// that the server and the host go on when many functions take all they may.
func (c *cgroups) limitAll() error {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return fmt.Errorf("ask for the host's memory: %v", err)
	}
	memory, count := int64(info.Totalram)*int64(info.Unit), int64(math.MaxInt64)
	for _, file := range []string{"/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"} {
		n, err := number(file)
		if err != nil {
			return fmt.Errorf("ask for the host's processes: %v", err)
		}
		count = min(count, n)
	}
	// In a container the first group that is mounted is the container's, with limits of its own.
	outer := &group{cgroups: &cgroups{controllers: c.controllers}}
	memoryDir, v2 := outer.dir("memory")
	file := "memory.limit_in_bytes"
	if v2 {
		file = "memory.max"
	}
	if n, err := number(filepath.Join(memoryDir, file)); err == nil { // else there is none, or it is "max"
		memory = min(memory, n)
	}
	pidsDir, _ := outer.dir("pids")
	if n, err := number(filepath.Join(pidsDir, "pids.max")); err == nil {
		count = min(count, n)
	}
	most, processes := strconv.FormatInt(memory/4*3, 10), strconv.FormatInt(count/4*3, 10)
	return (&group{cgroups: c}).set(
		setting{"memory", "memory.limit_in_bytes", most, "memory.max", most},
		setting{"pids", "pids.max", processes, "pids.max", processes},
	)
}
