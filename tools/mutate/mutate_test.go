package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/kinds.txt")

// TestKinds compares the mutants of a package that has all kinds with testdata/kinds.txt.
func TestKinds(t *testing.T) {
	var out bytes.Buffer
	if _, err := run(t.Context(), config{pkg: "./testdata/kinds", list: true}, &out); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(out.String(), "testdata/kinds/", "")
	golden := filepath.Join("testdata", "kinds.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRun judges a package with a survivor, an explained survivor, and mutants that fail and that never end.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a test program for every mutant")
	}
	var out bytes.Buffer
	n, err := run(t.Context(), config{pkg: "./testdata/sample", workers: 2}, &out)
	if n != 1 || err != nil {
		t.Errorf("got %d, %v, want 1 unexplained survivor", n, err)
	}
	text := out.String()
	for _, want := range []string{
		"testdata/sample/sample.go:5:35: age > 17 => age >= 17\n" +
			"\tsample.go: func Adult(age int) bool { return age > 17 } :: age > 17 => age >= 17 :: REASON\n",
		"killed by a test, 1 by time; 2 survived, 1 of them unexplained.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestReportFindsStaleExplanations(t *testing.T) {
	m := &mutant{file: "a.go", source: "x", from: "1", to: "0", verdict: killed}
	for key, c := range map[string]config{m.key(): {}, "a.go: gone :: 1 => 0": {}} {
		if _, err := report(&bytes.Buffer{}, c, &pkg{}, []*mutant{m}, map[string]bool{key: true}, 0, 1); err == nil {
			t.Errorf("%s: no error", key)
		}
	}
	if _, err := report(&bytes.Buffer{}, config{file: "b"}, &pkg{}, nil, map[string]bool{m.key(): true}, 0, 1); err != nil {
		t.Errorf("with a filter: %v", err)
	}
}

func TestReadExplainedRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no reason":   "a.go: x :: 1 => 0",
		"REASON":      "a.go: x :: 1 => 0 :: REASON",
		"twice":       "a.go: x :: 1 => 0 :: r\na.go: x :: 1 => 0 :: s",
		"no mutation": "a.go: x",
	} {
		file := filepath.Join(t.TempDir(), "mutants.txt")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readExplained(file); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
