//go:build linux

package compat

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go"
)

// jumpVariable names the file from which a server of buildJumping reads by how many seconds its time of day is ahead.
const jumpVariable = "LICET_TEST_CLOCK"

// buildJumping builds a server whose time of day can jump: nothing on Linux gives one process another. time.Now of the Go that builds it is
// changed; what counts durations, and all of other programs, stays as it is.
func buildJumping(t *testing.T) (binary string) {
	t.Helper()
	dir := t.TempDir()
	root := strings.TrimSpace(string(must(exec.Command("go", "env", "GOROOT").Output())(t)))
	source := filepath.Join(root, "src", "time", "time.go")
	const before = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	text := must(os.ReadFile(source))(t)
	if bytes.Count(text, []byte(before)) != 1 {
		t.Fatalf("%s has no function that begins with\n%s\nIt has to be changed otherwise in this release of Go", source, before)
	}
	changed, overlay := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json")
	must(0, os.WriteFile(changed, bytes.Replace(text, []byte(before), []byte(before+"\tsec += jump()\n"), 1), 0o600))(t)
	must(0, os.WriteFile(overlay, must(json.Marshal(map[string]map[string]string{"Replace": {
		source: changed, filepath.Join(filepath.Dir(source), "jump.go"): must(filepath.Abs("testdata/jump.go"))(t),
	}}))(t), 0o600))(t)
	binary = filepath.Join(dir, "licet")
	must(0, build("../cmd/licet", binary, "-overlay", overlay))(t)
	return binary
}

// jumper is the time of day of a node. The zero value is the machine's.
type jumper struct {
	file string // "" if it cannot jump

	mu  sync.Mutex
	off time.Duration
	// right is since when it is right; it is not while off is not 0.
	right time.Duration
}

// newJumper is for a server that is started with its environment.
func newJumper(t *testing.T) *jumper {
	t.Helper()
	j := &jumper{file: filepath.Join(t.TempDir(), "clock")}
	must(0, os.WriteFile(j.file, make([]byte, 8), 0o600))(t)
	return j
}

// set lets it be ahead by whole seconds. now is the time of the test.
func (j *jumper) set(off, now time.Duration) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.off, j.right = off, now
	f, err := os.OpenFile(j.file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(off/time.Second)), 0) // at once: it is mapped into memory
	return errors.Join(err, f.Close())
}

// relearning is how long after a jump a client may still sign by the time of day that it has learned from the server's last answer to it.
const relearning = time.Minute

// wrong tells whether it was, at some time since, or a client may still believe so.
func (j *jumper) wrong(since time.Duration) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.off != 0 || j.right > 0 && j.right+relearning > since
}

// skewed tells whether a call that began at from was refused only for the node's time of day: nothing was decided about its caller.
func (n *clusterNode) skewed(from time.Duration, err error) bool {
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok || !n.clock.wrong(from) {
		return false
	}
	text := refusal.ErrorMessage()
	return refusal.ErrorCode() == "RequestTimeTooSkewed" || strings.HasPrefix(text, "Signature expired: ") || strings.HasPrefix(text, "Signature not yet current: ")
}

// jumps are what happens to the time of day of a node.
func (c *cluster) jumps() (all []fault) {
	for _, off := range []time.Duration{time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour} {
		all = append(all, fault{fmt.Sprintf("time of day off by %v", off), 4 * time.Second, func(n *clusterNode, d time.Duration) error {
			return during(d, func() error { return n.clock.set(off, c.now()) }, func() error { return n.clock.set(0, c.now()) })
		}, false})
	}
	return append(all, fault{"server started again a day ahead", 2 * time.Second, func(n *clusterNode, d time.Duration) error {
		return during(3*time.Second, func() error {
			if err := n.clock.set(24*time.Hour, c.now()); err != nil {
				return err
			}
			return c.killed(n, d)
		}, func() error { return n.clock.set(0, c.now()) })
	}, false})
}
