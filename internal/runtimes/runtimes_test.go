package runtimes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func load(t *testing.T) *Set {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNames(t *testing.T) {
	want := []string{"nodejs16.x", "nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x", "nodejs26.x", "provided", "provided.al2", "provided.al2023",
		"python3.10", "python3.11", "python3.12", "python3.13", "python3.14", "python3.15", "python3.8", "python3.9"}
	if diff := cmp.Diff(want, load(t).Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if _, ok := load(t).Lookup("cobol85"); ok {
		t.Error("found a runtime that does not exist")
	}
}

// fakeInterpreter makes a runtime whose interpreters are scripts that know their version.
func fakeInterpreter(t *testing.T, versions map[string]string) (Runtime, string) {
	t.Helper()
	dir := t.TempDir()
	d := &description{Install: "cobol {version}", Args: []string{"{interpreter}", "/var/runtime/x"}, folder: "cobol"}
	for _, name := range []string{"{name}", "cobol"} {
		d.Interpreters = append(d.Interpreters, filepath.Join(dir, name))
	}
	for name, version := range versions {
		write(t, filepath.Join(dir, name), "#!/bin/sh\necho 'Cobol v"+version+"'\n")
	}
	s := &Set{versions: map[string]probe{}}
	return Runtime{Name: "cobol85", version: "8.5", description: d, set: s}, dir
}

func TestResolve(t *testing.T) {
	for name, test := range map[string]struct {
		versions map[string]string
		program  string
		version  string
		exact    bool
	}{
		"named":           {map[string]string{"cobol85": "8.5.1", "cobol": "9.0.0"}, "cobol85", "8.5.1", true},
		"general":         {map[string]string{"cobol": "8.5.0"}, "cobol", "8.5.0", true},
		"other version":   {map[string]string{"cobol": "9.0.0"}, "cobol", "9.0.0", false},
		"similar version": {map[string]string{"cobol": "8.50.0"}, "cobol", "8.50.0", false},
		"name that lies":  {map[string]string{"cobol85": "8.4.0", "cobol": "8.5.0"}, "cobol", "8.5.0", true},
	} {
		r, dir := fakeInterpreter(t, test.versions)
		got, err := r.Resolve()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := Command{Args: []string{filepath.Join(dir, test.program), "/var/runtime/x"}, Version: test.version, Exact: test.exact}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestResolveNotInstalled(t *testing.T) {
	r, dir := fakeInterpreter(t, nil)
	_, err := r.Resolve()
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "install cobol 8.5") {
		t.Errorf("got %v, want ErrNotInstalled with advice", err)
	}
	// Installed later, it is found without a restart; broken, it is told.
	write(t, filepath.Join(dir, "cobol"), "#!/bin/sh\nexit 1\n")
	if _, err := r.Resolve(); !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "ask ") {
		t.Errorf("broken interpreter: got %v", err)
	}
	write(t, filepath.Join(dir, "cobol"), "#!/bin/sh\necho 8.5.2\n")
	if c, err := r.Resolve(); err != nil || c.Version != "8.5.2" {
		t.Errorf("installed later: got %+v, %v", c, err)
	}
	write(t, filepath.Join(dir, "cobol"), "#!/bin/sh\necho 8.5.30\n")
	if c, err := r.Resolve(); err != nil || c.Version != "8.5.30" {
		t.Errorf("upgraded: got %+v, %v", c, err)
	}
}

func TestProvided(t *testing.T) {
	r, _ := load(t).Lookup("provided.al2023")
	c, err := r.Resolve() // needs no Install
	if err != nil {
		t.Fatal(err)
	}
	code, layer := t.TempDir(), t.TempDir()
	if _, err := c.WithProgram(code, ""); !errors.Is(err, ErrNoBootstrap) ||
		err.Error() != "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" {
		t.Errorf("no bootstrap: got %v", err)
	}
	write(t, filepath.Join(layer, "bootstrap"), "")
	if got, err := c.WithProgram(code, layer); err != nil || got.Args[0] != "/opt/bootstrap" {
		t.Errorf("in the layer: got %q, %v", got.Args, err)
	}
	write(t, filepath.Join(code, "bootstrap"), "")
	if got, err := c.WithProgram(code, layer); err != nil || got.Args[0] != "/var/task/bootstrap" {
		t.Errorf("in the code: got %q, %v", got.Args, err)
	}
	if r.NeedsHandler {
		t.Error("a provided runtime needs no handler")
	}
}

func TestInstall(t *testing.T) {
	s, dir := load(t), t.TempDir()
	r, _ := s.Lookup("python3.12")
	if _, err := r.Resolve(); err == nil {
		t.Error("resolved before Install")
	}
	if err := s.Install("relative"); err == nil {
		t.Error("installed in a relative path")
	}
	write(t, filepath.Join(dir, "python/bootstrap.py"), "old")
	for range 2 {
		if err := s.Install(dir); err != nil {
			t.Fatal(err)
		}
	}
	want, err := files.ReadFile("python/bootstrap.py")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "python/bootstrap.py"))
	if err != nil || string(got) != string(want) {
		t.Errorf("bootstrap is not replaced: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*/.new-*")); err != nil || len(left) > 0 {
		t.Errorf("left %q, %v", left, err)
	}
}

func TestEnvAt(t *testing.T) {
	c := Command{Env: []string{"DIR=/var/task", "LIST=/opt/lib:/var/task/lib", "TZ=:UTC", "EMPTY="}}
	got := c.EnvAt(func(p string) string { return strings.Replace(p, "/var/task", "/code", 1) })
	want := []string{"DIR=/code", "LIST=/opt/lib:/code/lib", "TZ=:UTC", "EMPTY="}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}
