package lockfile

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMain is also the other process.
func TestMain(m *testing.M) {
	if name := os.Getenv("LOCKFILE_TAKE"); name != "" {
		if _, err := Take(name); errors.Is(err, ErrHeld) {
			os.Exit(3)
		} else if err != nil {
			os.Exit(4)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// other tries to take the lock in another process.
func other(t *testing.T, name string, wantExit int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LOCKFILE_TAKE="+name)
	_ = cmd.Run() // its end tells
	if got := cmd.ProcessState.ExitCode(); got != wantExit {
		t.Errorf("another process ended with %d, want %d", got, wantExit)
	}
}

func TestTake(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	l, err := Take(name)
	if err != nil {
		t.Fatal(err)
	}
	other(t, name, 3)
	if _, err := Take(name); !errors.Is(err, ErrHeld) {
		t.Errorf("got %v, want that it is held", err)
	}
	other(t, name, 3) // it still is: the second try has not given it back
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	other(t, name, 0)
	again, err := Take(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// A process that has the file open has no part in the lock, however it came by it.
func TestInherited(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	l, err := Take(name)
	if err != nil {
		t.Fatal(err)
	}
	heir := exec.Command("sleep", "60")
	heir.ExtraFiles = []*os.File{l.file}
	if err := heir.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = heir.Process.Kill() // it sleeps
		_ = heir.Wait()
	}()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	other(t, name, 0)
}

func TestNoFolder(t *testing.T) {
	name := filepath.Join(t.TempDir(), "missing", "lock")
	for range 2 { // the failed one is not held
		if _, err := Take(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	}
}
