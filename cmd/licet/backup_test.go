package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/licet/licet/internal/backup"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
)

// sealed is a data directory whose store is sealed with its key.
func sealed(t *testing.T) (dataDir, store.DB) {
	t.Helper()
	dir := dataDir(t.TempDir())
	db, keys, err := dir.open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it may be closed
	if err := markKey(t.Context(), db, keys); err != nil {
		t.Fatal(err)
	}
	return dir, db
}

// A directory with another key than its store's is not whole.
func TestCheckTellsOfAnotherKey(t *testing.T) {
	dir, db := sealed(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wants := func(problem string) {
		t.Helper()
		report, err := backup.Check(t.Context(), string(dir), facts())
		if err != nil || len(report.Problems) != 1 || !strings.Contains(report.Problems[0], problem) {
			t.Errorf("got %v, %v, want %s", report.Problems, err, problem)
		}
	}
	if err := os.Remove(dir.path("key")); err != nil {
		t.Fatal(err)
	}
	wants("no such file")
	if _, err := secret.Load(dir.path("key")); err != nil { // makes one
		t.Fatal(err)
	}
	wants("not that of the store")
}

// A backup has the key of its store, also when that is replaced meanwhile.
func TestBackupWhileTheKeyIsReplaced(t *testing.T) {
	dir, db := sealed(t)
	// The copy of the certificate authority waits until the key has been replaced.
	if err := errors.Join(syscall.Mkfifo(dir.path("ca.pem"), 0o600), os.WriteFile(dir.path("ca-key.pem"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	replaced := make(chan error, 1)
	go func() {
		waiting, err := os.OpenFile(dir.path("ca.pem"), os.O_WRONLY, 0)
		if err == nil {
			err = errors.Join(replaceKey(t.Context(), dir, db), waiting.Close())
		}
		replaced <- err
	}()
	to := dataDir(t.TempDir() + "/backup")
	_, err := backup.Save(t.Context(), string(dir), string(to), facts())
	if err := errors.Join(err, <-replaced); err != nil {
		t.Fatal(err)
	}
	copied, _, err := to.open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := copied.Close(); err != nil {
		t.Error(err)
	}
}

// replaceKey does what licet key rotate does.
func replaceKey(ctx context.Context, dir dataDir, db store.DB) error {
	k, err := openKeyFile(dir, "")
	if err == nil {
		err = k.add(io.Discard)
	}
	if err == nil {
		err = k.use(ctx, io.Discard)
	}
	if err == nil {
		_, err = reseal(ctx, db, k.Keyring())
	}
	return err
}
