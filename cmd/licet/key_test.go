package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/backup"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// What is sealed in a store, wherever in a record it is, is sealed anew; what only looks like it is left alone.
func TestReseal(t *testing.T) {
	db := storetest.New(t)
	var f secret.File
	f.Add(time.Now())
	f.Keys[0].State = secret.Seals
	keys := f.Keyring()
	type record struct {
		Name   string
		Sealed []byte
		More   []struct{ Seed []byte }
	}
	values := map[string]record{}
	for _, purpose := range secret.Stored {
		r := record{Name: purpose, More: make([]struct{ Seed []byte }, 2)}
		var err error
		if r.Sealed, err = keys.Seal(purpose, []byte("secret of "+purpose)); err == nil {
			r.More[1].Seed, err = keys.Seal(purpose, []byte("x"))
		}
		if err != nil {
			t.Fatal(err)
		}
		values["a/"+purpose] = r
	}
	values["b"] = record{Name: "nothing", Sealed: bytes.Repeat([]byte("x"), 100)}
	if err := db.Update(t.Context(), func(tx store.Tx) error {
		for key, r := range values {
			if err := store.PutJSON(tx, key, r); err != nil {
				return err
			}
		}
		return tx.Put("raw", []byte("no JSON"))
	}); err != nil {
		t.Fatal(err)
	}
	old := f.Keys[0].ID()
	f.Add(time.Now())
	f.Turn(1, time.Now())
	keys.Use(&f)
	want := 2 * len(secret.Stored)
	for _, step := range []struct{ sealed, left int }{{want, 0}, {0, 0}} {
		n, err := reseal(t.Context(), db, keys)
		if err != nil || n != step.sealed {
			t.Fatalf("sealed %d anew, %v; want %d", n, err, step.sealed)
		}
		counts, err := countSealed(t.Context(), db, keys)
		if err != nil || counts[old] != 0 || counts[f.Keys[0].ID()] != want {
			t.Fatalf("counted %v, %v", counts, err)
		}
	}
	f.Drop(1)
	keys.Use(&f)
	if err := db.View(t.Context(), func(r store.Reader) error {
		for _, purpose := range secret.Stored {
			now, err := store.GetJSON[record](r, "a/"+purpose)
			if err != nil {
				return err
			}
			plain, err := keys.Open(purpose, now.Sealed)
			if err != nil || string(plain) != "secret of "+purpose {
				t.Errorf("%s: %q, %v", purpose, plain, err)
			}
		}
		now, err := store.GetJSON[record](r, "b")
		if err == nil && !bytes.Equal(now.Sealed, values["b"].Sealed) {
			t.Error("what is not sealed was changed")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestCheckKey(t *testing.T) {
	db := storetest.New(t)
	right, wrong := secret.New([secret.KeySize]byte{1}), secret.New([secret.KeySize]byte{2})
	for range 2 {
		if err := checkKey(t.Context(), db, right); err != nil {
			t.Fatal(err)
		}
		if err := markKey(t.Context(), db, right); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkKey(t.Context(), db, wrong); err == nil || !strings.Contains(err.Error(), "not that of the store") {
		t.Errorf("another key: %v", err)
	}
}

// A server whose file is from before the key was replaced would seal with a key that is to go.
func TestCheckKeyOfAnOlderFile(t *testing.T) {
	db := storetest.New(t)
	var f secret.File
	f.Add(time.Now())
	f.Keys[0].State = secret.Seals
	if err := markKey(t.Context(), db, f.Keyring()); err != nil {
		t.Fatal(err)
	}
	f.Add(time.Now())
	older := f.Keyring()
	f.Turn(1, time.Now())
	for name, keys := range map[string]*secret.Keyring{"older": older, "newer": f.Keyring()} {
		if err := checkKey(t.Context(), db, keys); err != nil {
			t.Errorf("%s, while the store is sealed with the old key: %v", name, err)
		}
	}
	if _, err := reseal(t.Context(), db, f.Keyring()); err != nil {
		t.Fatal(err)
	}
	if err := checkKey(t.Context(), db, f.Keyring()); err != nil {
		t.Errorf("newer: %v", err)
	}
	if err := checkKey(t.Context(), db, older); err == nil || !strings.Contains(err.Error(), "older than the store") {
		t.Errorf("older: %v", err)
	}
}

// A server that runs takes no key file that is not the store's: it could open nothing any more, and what it sealed would be lost.
func TestFollowNoOtherKey(t *testing.T) {
	dir := dataDir(t.TempDir())
	db, keys, err := dir.open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := markKey(t.Context(), db, keys); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	log := &lastWords{end: cancel}
	s := &server{db: db, keys: keys, logger: slog.New(slog.NewTextHandler(log, nil)), node: node.New(node.Config{})}
	s.directory = directory.New(directory.Config{DB: db, Keyring: keys})
	defer s.directory.Close()
	ids := keys.IDs()
	var other secret.File
	other.Add(time.Now())
	other.Keys[0].State = secret.Seals
	if err := other.Write(dir.path("key")); err != nil {
		t.Fatal(err)
	}
	if err := s.followKey(ctx, dir.path("key")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(keys.IDs(), ids) || !strings.Contains(log.String(), "not that of the store") {
		t.Errorf("keys %v, want %v; the log has\n%s", keys.IDs(), ids, log)
	}
}

// lastWords is a log whose first line ends the one who writes it.
type lastWords struct {
	strings.Builder
	end func()
}

func (l *lastWords) Write(b []byte) (int, error) {
	l.end()
	return l.Builder.Write(b)
}

// sealedDir is a data directory whose store knows its key.
func sealedDir(t *testing.T) dataDir {
	t.Helper()
	dir := dataDir(t.TempDir())
	db, keys, err := dir.open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(markKey(t.Context(), db, keys), db.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// wantOpen opens a directory with what --key-file says, and wants an error with a text; "" for none.
func (d dataDir) wantOpen(t *testing.T, keyFile, want string) {
	t.Helper()
	db, _, err := d.openWith(t.Context(), "", keyFile)
	switch {
	case err == nil && want == "":
		err = db.Close()
	case err != nil && want != "" && strings.Contains(err.Error(), want):
		err = nil
	case err == nil:
		err = errors.Join(errors.New("it opened"), db.Close())
	}
	if err != nil {
		t.Errorf("with --key-file %q: %v; want %q", keyFile, err, want)
	}
}

// Whoever opens the store of a directory is told when the key is missing, of which no other takes the place, or is another.
func TestOpenWithAnotherKey(t *testing.T) {
	dir := sealedDir(t)
	kept := filepath.Join(t.TempDir(), "kept")
	if err := os.Rename(dir.path("key"), kept); err != nil {
		t.Fatal(err)
	}
	dir.wantOpen(t, "", "put the file back")
	if _, err := os.Lstat(dir.path("key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key was made: %v", err)
	}
	if _, err := secret.Load(dir.path("key")); err != nil {
		t.Fatal(err)
	}
	dir.wantOpen(t, "", "not that of the store")
	if err := os.Rename(kept, dir.path("key")); err != nil {
		t.Fatal(err)
	}
	dir.wantOpen(t, "", "")
}

// A key file that is kept apart is remembered when it has opened the store, is only read, and is never made.
func TestKeyFile(t *testing.T) {
	dir, apart := sealedDir(t), t.TempDir()
	kept, other := filepath.Join(apart, "kept"), filepath.Join(apart, "other")
	for _, path := range []string{kept, other} {
		dir.wantOpen(t, path, "is not there")
	}
	if _, err := secret.Load(other); err != nil {
		t.Fatal(err)
	}
	dir.wantOpen(t, other, "not that of the store")
	dir.wantOpen(t, "", "") // nothing of it is remembered
	if err := errors.Join(os.Rename(dir.path("key"), kept), os.Chmod(kept, 0o400), os.Chmod(apart, 0o500)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(apart, 0o700) }) // for the directory to be removed
	dir.wantOpen(t, kept, "")
	dir.wantOpen(t, "", "") // it is remembered
	if err := withDirectory(t.Context(), dir, func(context.Context, *directory.Directory) error { return nil }); err != nil {
		t.Errorf("another command: %v", err)
	}
	if _, err := os.Lstat(dir.path("key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory has a key: %v", err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	needs := func(context.Context, store.DB) (map[string][]blob.Name, error) { return nil, nil }
	if report, err := backup.Save(t.Context(), string(dir), copied, backup.Facts{Needs: needs, Fits: checkKey}); err != nil || !report.OK() {
		t.Errorf("backup: %+v, %v", report, err)
	}
	if _, err := os.Lstat(filepath.Join(copied, "key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the backup has a key: %v", err)
	}
	dataDir(copied).wantOpen(t, "", "")
	if err := errors.Join(os.Chmod(apart, 0o700), os.Rename(kept, dir.path("key"))); err != nil {
		t.Fatal(err)
	}
	dir.wantOpen(t, "", "is not there")
	if report, err := backup.Check(t.Context(), copied, backup.Facts{Needs: needs, Fits: checkKey}); err != nil || report.OK() {
		t.Errorf("a backup whose key is gone: %+v, %v", report, err)
	}
	dir.wantOpen(t, dir.path("key"), "") // back again
	dir.wantOpen(t, "", "")
}

// A copy of a key file is used when it is where servers read it.
func TestKeyFileOfAnother(t *testing.T) {
	dir, copied := sealedDir(t), filepath.Join(t.TempDir(), "copy")
	install := func(from, to string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	install(dir.path("key"), copied)
	change := func(fn func(*keyFile) error) error { return changeKeyFile(dir, copied, fn) }
	use := func(k *keyFile) error { return k.use(t.Context(), io.Discard) }
	if err := change(func(k *keyFile) error { return k.add(io.Discard) }); err != nil {
		t.Fatal(err)
	}
	if err := change(use); err == nil || !strings.Contains(err.Error(), "Copy "+copied+" there") {
		t.Errorf("use, before it is copied: %v", err)
	}
	install(copied, dir.path("key"))
	if err := change(use); err != nil {
		t.Fatal(err)
	}
	reseal := func(k *keyFile) error { return k.reseal(t.Context(), io.Discard) }
	if err := change(reseal); err == nil || !strings.Contains(err.Error(), "Copy "+copied+" there") {
		t.Errorf("reseal, before it is copied: %v", err)
	}
	install(copied, dir.path("key"))
	if err := change(reseal); err != nil {
		t.Fatal(err)
	}
	dir.wantOpen(t, "", "")
	if err := os.Remove(copied); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.Load(copied); err != nil {
		t.Fatal(err)
	}
	if err := change(func(k *keyFile) error { return k.add(io.Discard) }); err == nil || !strings.Contains(err.Error(), "copy that again") {
		t.Errorf("a file that is no copy: %v", err)
	}
}

// What a crash left is removed when nobody can be at work on it.
func TestSweep(t *testing.T) {
	dir, now := dataDir(t.TempDir()), time.Now()
	for name, age := range map[string]time.Duration{
		".store-123": 2 * time.Hour, ".key-9": 2 * time.Hour, ".endpoint-ca-1": 2 * time.Hour, // left
		".store-456": time.Minute, "store": 2 * time.Hour, ".key-x": 2 * time.Hour, ".other-1": 2 * time.Hour, "key": 2 * time.Hour,
	} {
		if err := errors.Join(os.WriteFile(dir.path(name), nil, 0o600), os.Chtimes(dir.path(name), now, now.Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir.path(".node-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := dir.sweep(now.Add(3 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, err := os.ReadDir(string(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{".key-x", ".node-1", ".other-1", ".store-456", "key", "store"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
}

// Of two commands that changed a file at once, one would lose the key of the other.
func TestOneCommandChangesTheKeyFile(t *testing.T) {
	dir := dataDir(t.TempDir())
	if _, err := secret.Load(dir.path("key")); err != nil {
		t.Fatal(err)
	}
	if err := changeKeyFile(dir, "", func(*keyFile) error {
		err := changeKeyFile(dir, "", func(*keyFile) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "at work") {
			t.Errorf("a second one: %v", err)
		}
		return readKeyFile(dir, "", func(*keyFile) error { return nil })
	}); err != nil {
		t.Fatal(err)
	}
	if err := changeKeyFile(dir, "", func(*keyFile) error { return nil }); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// A key is used when all servers have it, and others go when all seal with it. A server that is gone is told when it starts (checkKey).
func TestServersThatLackAKey(t *testing.T) {
	nodes := []node.Listed{
		{ID: "a", Description: node.Description{Host: "h1", Keys: []string{"k1", "k0"}}},
		{ID: "b", Description: node.Description{Host: "h2", Keys: []string{"k0", "k1"}}},
		{ID: "c", Description: node.Description{Host: "h3", Keys: []string{"k0"}}},
		{ID: "d", Description: node.Description{Host: "h4"}}, // an earlier release
		{ID: "e", Description: node.Description{Host: "h5"}, Gone: true},
	}
	for name, of := range map[string]struct{ got, want []string }{
		"has":   {otherwise(nodes, has("k1")), []string{"c on h3", "d on h4"}},
		"seals": {otherwise(nodes, sealsWith("k1")), []string{"b on h2", "c on h3", "d on h4"}},
	} {
		if !slices.Equal(of.got, of.want) {
			t.Errorf("%s: got %q, want %q", name, of.got, of.want)
		}
	}
}

// A key goes only when nothing needs it.
func TestRetireRefuses(t *testing.T) {
	dir := dataDir(t.TempDir())
	db, keys, err := dir.open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := markKey(t.Context(), db, keys); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	k, err := openKeyFile(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	old := k.Keys[0].ID()
	refused := func(id string, now bool, why string) {
		t.Helper()
		if err := k.retire(t.Context(), id, now, io.Discard); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("retire %s: got %v, want %q", id, err, why)
		}
	}
	refused("x", true, "no key")
	refused(old, true, "seals")
	if err := k.use(t.Context(), io.Discard); err == nil {
		t.Error("used a key that was not added")
	}
	if err := k.add(io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := k.add(io.Discard); err == nil {
		t.Error("added a second one")
	}
	if err := k.use(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	refused(old, false, "sessions")
	refused(old, true, "would be lost")
	if err := k.reseal(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	refused(old, false, "sessions")
	if err := k.retire(t.Context(), old, true, io.Discard); err != nil {
		t.Error(err)
	}
	if again, err := openKeyFile(dir, ""); err != nil || len(again.Keys) != 1 || again.Find(old) >= 0 {
		t.Errorf("in the file: %v, %v", again.Keys, err)
	}
}
