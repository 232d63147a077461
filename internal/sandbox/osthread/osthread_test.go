package osthread

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestDoRunsOnOneThread(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("threads are told apart by /proc/thread-self, which only Linux has")
	}
	thread, err := New(func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 20 {
		err := thread.Do(func() error {
			id, err := os.Readlink("/proc/thread-self")
			seen[id] = true
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 1 {
		t.Errorf("functions ran on %d threads, want 1", len(seen))
	}
	for id := range seen {
		if first := filepath.Dir(filepath.Dir(id)); filepath.Base(id) == first {
			t.Errorf("the thread is the process's first, %s", id)
		}
	}
	thread.Close()
	if err := thread.Do(func() error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("Do after Close: got %v, want ErrClosed", err)
	}
}

func TestNewReportsSetup(t *testing.T) {
	broken := errors.New("broken")
	if _, err := New(func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of setup", err)
	}
}

func TestDoReturnsErrors(t *testing.T) {
	thread, err := New(func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer thread.Close()
	broken := errors.New("broken")
	if err := thread.Do(func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the function", err)
	}
}
