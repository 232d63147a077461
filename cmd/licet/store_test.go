package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShownPlace(t *testing.T) {
	for place, want := range map[string]string{
		"/data/licet.db":                               "/data/licet.db",
		"postgres://u@h/d":                             "postgres://u@h/d",
		"postgres://u:hush@h:1/d?search_path=s":        "postgres://u:xxxxx@h:1/d?search_path=s",
		"postgresql://h/d?password=hush&user=u":        "postgresql://h/d?password=xxxxx&user=u",
		"postgres://h/d?sslpassword=hush":              "postgres://h/d?sslpassword=xxxxx",
		"postgres://u:hush@h:port/d":                   "a PostgreSQL database",
		"postgres://u:hush%zz@h/d":                     "a PostgreSQL database",
		"postgres://u@h/d?host=%2Frun%2Fpostgresql%2F": "postgres://u@h/d?host=%2Frun%2Fpostgresql%2F",
	} {
		if got := shownPlace(place); got != want {
			t.Errorf("%s: got %s, want %s", place, got, want)
		}
	}
}

// A directory remembers where its store is, and forgets it.
func TestPlace(t *testing.T) {
	dir := dataDir(t.TempDir())
	const url = "postgres://u:p@h/d"
	var got []string
	for _, set := range []string{"", embedded, url, url, embedded} {
		if set != "" {
			if err := dir.setPlace(set); err != nil {
				t.Fatal(err)
			}
		}
		place, err := dir.place()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, place)
		if err := dir.wantFile(); (err != nil) != (place == url) || err != nil && strings.Contains(err.Error(), "u:p") {
			t.Errorf("a file is wanted, the store is in %s: %v", place, err)
		}
	}
	file := filepath.Join(string(dir), "licet.db")
	if diff := cmp.Diff([]string{file, file, url, url, file}, got); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

// A store that cannot be opened is not remembered in the place of the one before.
func TestPlaceThatFails(t *testing.T) {
	dir := dataDir(t.TempDir())
	const before = "postgres://u:p@h/d"
	if err := dir.setPlace(before); err != nil {
		t.Fatal(err)
	}
	if _, _, err := dir.open(t.Context(), "postgres://u@127.0.0.1:1/d"); err == nil {
		t.Error("opened a database that is not there")
	}
	if place, err := dir.place(); place != before || err != nil {
		t.Errorf("the store is in %s, %v, want %s", place, err, before)
	}
	db, _, err := dir.open(t.Context(), embedded)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if place, err := dir.place(); place != dir.path("licet.db") || err != nil {
		t.Errorf("the store is in %s, %v, want the file", place, err)
	}
}

// A command that comes before the first server makes what it needs where that one will look for it.
func TestFirstChoice(t *testing.T) {
	dir := dataDir(t.TempDir())
	const url = "postgres://u:hush@h/d"
	for _, step := range []struct{ name, variable, file, want, wantErr string }{
		{"nothing", "", "", "", ""},
		{"a database", url, "", url, ""},
		{"neither", "hush", "", "", "$LICET_STORE: want a URL"},
		{"a store is remembered", url, storeFile, "", ""},
		{"there is a file", url, "licet.db", "", ""},
	} {
		t.Setenv(storeVariable, step.variable)
		if step.file != "" {
			if err := os.WriteFile(dir.path(step.file), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := dir.firstChoice()
		if got != step.want || (err == nil) != (step.wantErr == "") || err != nil && (!strings.Contains(err.Error(), step.wantErr) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: got %q, %v, want %q, %q", step.name, got, err, step.want, step.wantErr)
		}
		if step.file != "" {
			if err := os.Remove(dir.path(step.file)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A file that says nothing does not stand for an empty store.
func TestPlaceUnreadable(t *testing.T) {
	dir := dataDir(t.TempDir())
	for _, text := range []string{"", "\n", "postg", "file.db"} {
		if err := os.WriteFile(dir.path(storeFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if place, err := dir.place(); err == nil || !strings.Contains(err.Error(), "--store") {
			t.Errorf("%q: the store is in %q, %v; want an error that names --store", text, place, err)
		}
	}
	if err := dir.setPlace(embedded); err != nil {
		t.Fatal(err)
	}
	if place, err := dir.place(); place != dir.path("licet.db") || err != nil {
		t.Errorf("the store is in %s, %v", place, err)
	}
}

// What cannot be a side of a copy is refused before anything is made.
func TestStoreCopyErrors(t *testing.T) {
	dir := t.TempDir()
	none, empty := filepath.Join(dir, "none"), t.TempDir()
	for name, test := range map[string]struct{ from, to, want string }{
		"no source":       {none, filepath.Join(dir, "to"), "no such file"},
		"empty directory": {empty, filepath.Join(dir, "to"), "is no data directory with a store in it"},
		"another file":    {"store_test.go", filepath.Join(dir, "to"), "open store"},
	} {
		err := copyStore(t.Context(), test.from, test.to, t.Output(), t.Output())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	if made, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(made) > 0 {
		t.Errorf("made %v, %v", made, err)
	}
}
