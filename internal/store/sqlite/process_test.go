package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
)

// TestMain lets the test binary be another process that writes: with childEnv set it adds one to the number at "n" and puts
// "<name>/<i>" in the same transaction, as often as it is told, and prints i after each.
func TestMain(m *testing.M) {
	args := strings.Split(os.Getenv(childEnv), "\n")
	if len(args) != 3 {
		os.Exit(m.Run())
	}
	if err := child(args[0], args[1], args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const childEnv = "SQLITE_TEST_CHILD"

func child(path, name, times string) error {
	db, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	for i := range n {
		if err := add(db, fmt.Sprintf("%s/%d", name, i)); err != nil {
			return err
		}
		fmt.Println(i)
	}
	return db.Close()
}

func add(db store.DB, key string) error {
	return db.Update(context.Background(), func(tx store.Tx) error {
		n, err := store.GetJSON[int](tx, "n")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return errors.Join(store.PutJSON(tx, "n", n+1), tx.Put(key, nil))
	})
}

func startChild(t *testing.T, path, name string, times int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{path, name, strconv.Itoa(times)}, "\n"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// count reads the number at "n".
func count(t *testing.T, db store.DB) (n int) {
	t.Helper()
	if err := db.View(t.Context(), func(r store.Reader) (err error) {
		n, err = store.GetJSON[int](r, "n")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Several processes make the same new file and write to it at once: nothing is lost.
func TestProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	const children, times = 3, 15
	var cmds []*exec.Cmd
	for i := range children {
		cmd, out := startChild(t, path, fmt.Sprint("child", i), times)
		go func() {
			for out.Scan() {
			}
		}()
		cmds = append(cmds, cmd)
	}
	db := open(t, path)
	defer db.Close()
	for i := range times {
		if err := add(db, fmt.Sprint("mine/", i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if got, want := count(t, db), (children+1)*times; got != want {
		t.Errorf("counted %d writes, want %d", got, want)
	}
}

// A process is killed while it writes: what it had acknowledged is there, and transactions are whole.
func TestKilledProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	cmd, out := startChild(t, path, "child", 1<<30)
	acknowledged := 0
	for range 20 {
		if !out.Scan() {
			t.Fatal("the child ended early")
		}
		acknowledged++
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for out.Scan() {
		acknowledged++
	}
	_ = cmd.Wait() // killed
	db := open(t, path)
	defer db.Close()
	n := count(t, db)
	if n < acknowledged {
		t.Errorf("%d writes are there, %d were acknowledged", n, acknowledged)
	}
	if err := db.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan("child/", "", 0)
		if len(items) != n {
			t.Errorf("%d keys for %d counted transactions", len(items), n)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// The files as they are at any moment, without a clean end, hold what was acknowledged.
func TestFilesHoldTheAcknowledged(t *testing.T) {
	dir, copied := t.TempDir(), t.TempDir()
	db := open(t, filepath.Join(dir, "db"))
	defer db.Close()
	for i := range 5 {
		if err := add(db, fmt.Sprint("k", i)); err != nil {
			t.Fatal(err)
		}
	}
	// The index beside the log (db-shm) is rebuilt, as after a loss of power.
	for _, name := range []string{"db", "db-wal"} {
		// Another process copies: closing the file here would drop this process's locks on it.
		cp := exec.CommandContext(t.Context(), "cp", filepath.Join(dir, name), filepath.Join(copied, name))
		if out, err := cp.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	again := open(t, filepath.Join(copied, "db"))
	defer again.Close()
	if got := count(t, again); got != 5 {
		t.Errorf("the copy has %d writes, want 5", got)
	}
}
