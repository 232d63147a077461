//go:build !linux

package process

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/licet/licet/internal/sandbox"
)

// attributes: a session of its own.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// limitOpenFiles cannot limit another process here; the system's own limit holds.
func limitOpenFiles(int, int64) error { return nil }

// usage of a running process cannot be read here.
func usage(int) (sandbox.Usage, error) { return sandbox.Usage{}, nil }

// killRest kills what is left of a process group (0 for none) and returns when nothing is. There is no way to find processes
// that left their group here, so dir is of no use.
func killRest(group int, _ string) error {
	if group == 0 {
		return nil
	}
	for deadline := time.Now().Add(killTime); time.Now().Before(deadline); time.Sleep(killPause) {
		err := syscall.Kill(-group, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return nil
		}
		// EPERM is macOS's word for a group of zombies, which nobody has waited for yet.
		if err != nil && !errors.Is(err, syscall.EPERM) {
			return fmt.Errorf("kill process group %d: %v", group, err)
		}
	}
	return errKillTime
}
