package compat

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestExamples plays the stories of examples/: each step must answer as its text says.
func TestExamples(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	walk := exec.CommandContext(ctx, "examples/image-resize/walk.sh")
	walk.Dir = ".."
	walk.Env = append(os.Environ(), "LICET_BINARY="+server.binary, "LICET_DEMO_FLAGS="+os.Getenv("LICET_COMPAT_FLAGS"))
	walk.Cancel = func() error { return walk.Process.Signal(syscall.SIGTERM) } // it stops its server then
	walk.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	walk.Stdout, walk.Stderr = &out, &out
	if err := walk.Run(); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}
