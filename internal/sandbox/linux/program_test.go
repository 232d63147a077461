//go:build linux

package linux

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/licet/licet/internal/sandbox"
)

// TestInterpreterIsNotOpened: a script names its interpreter, which may be anything on the host. To open a pipe waits for a writer, and to open
// a device may do worse.
func TestInterpreterIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	code := filepath.Join(dir, "code")
	if err := errors.Join(syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600), os.Mkdir(code, 0o755)); err != nil {
		t.Fatal(err)
	}
	mounts := []sandbox.Mount{{Source: code, Target: "/var/task"}, {Source: dir, Target: "/opt"}}
	for _, c := range []struct {
		name, interpreter string
		want              error
	}{
		{"a pipe", "/opt/pipe", nil},
		{"of the sandbox's own /tmp", "/tmp/none", nil}, // which is not the host's
		{"a path that leads there", "/usr/../tmp/none", nil},
		{"none of the package", "/opt/none", syscall.ENOENT},
		{"of the working directory", "sh", nil},
		{"a program", "/bin/sh", nil},
		{"a program that is missing", "/usr/bin/no-such-program", syscall.ENOENT},
		{"below a program", "/bin/sh/x", syscall.ENOTDIR},
		{"below a file of the host", "/etc/passwd/x", nil},
		{"the host's /root", "/root", syscall.ENOENT},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(code, "bootstrap"), []byte("#!"+c.interpreter+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			checked := make(chan error, 1)
			go func() { checked <- CheckProgram(sandbox.Spec{Mounts: mounts}, "/var/task/bootstrap") }()
			select {
			case err := <-checked:
				if !errors.Is(err, c.want) || (err != nil) != errors.Is(err, sandbox.ErrExec) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the check waits for the host's pipe")
			}
		})
	}
}
