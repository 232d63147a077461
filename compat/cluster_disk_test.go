//go:build linux

package compat

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/internal/history"
)

// slowSync is how much longer each sync takes of a disk that is slow.
const slowSync = 500 * time.Millisecond

// slowly has the syncs of processes, and of their children, take longer for a while: strace delays their answers.
func slowly(d time.Duration, processes ...int) error {
	// Programs that the processes start are others', such as functions.
	args := []string{"--follow-forks", "--detach-on=execve", "--quiet=all", "--output=/dev/null", "--trace=fsync,fdatasync", fmt.Sprintf(
		"--inject=fsync,fdatasync:delay_exit=%d", slowSync.Microseconds())}
	for _, pid := range processes {
		args = append(args, "--attach="+strconv.Itoa(pid))
	}
	var log bytes.Buffer
	cmd := exec.Command("strace", args...)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		return err
	}
	time.Sleep(d)
	if err := cmd.Process.Signal(os.Interrupt); err != nil { // it lets go of them
		return errors.Join(fmt.Errorf("strace has ended: %w\n%s", err, &log), cmd.Wait())
	}
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && !exit.Exited() { // it ends by the signal
		return nil
	}
	if err != nil {
		return fmt.Errorf("strace: %w\n%s", err, &log)
	}
	return nil
}

// slowDatabase is a disk of the database that is slow. What is acknowledged by then has waited for it.
func (c *cluster) slowDatabase(_ *clusterNode, d time.Duration) error {
	all, err := c.database.Processes()
	if err != nil {
		return err
	}
	from := c.now()
	if err := slowly(d, all...); err != nil {
		return err
	}
	c.slow = append(c.slow, span{from, c.now()})
	return nil
}

// span is a time of the test.
type span struct{ from, to time.Duration }

// goesOn wants changes to have been acknowledged while the database's disk was slow: each waits for it, and none for ever.
func (c *cluster) goesOn() (violations []string) {
	for _, s := range c.slow {
		done := 0
		for _, e := range c.seen.events {
			if e.Outcome == history.Done && e.Return > s.from && e.Return < s.to {
				done++
			}
		}
		if done == 0 {
			violations = append(violations, fmt.Sprintf("%.3f–%.3f: nothing was acknowledged", s.from.Seconds(), s.to.Seconds()))
		}
	}
	return violations
}

// hang are changes that were never answered. (Invocations may last that long.)
func (c *cluster) hang() (violations []string) {
	for _, e := range c.seen.events {
		if took := e.Return - e.Call; strings.HasPrefix(e.Name, "put-") && took >= patientTimeout {
			violations = append(violations, fmt.Sprintf("%.3f: %s on %s had no answer after %v", e.Call.Seconds(), e.Name, e.Node, took))
		}
	}
	return violations
}
