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

// TestAllKindsInOneText: all mutants of a file can be built together, but for the entries of maps.
func TestAllKindsInOneText(t *testing.T) {
	p, err := load(t.Context(), "./testdata/kinds")
	if err != nil {
		t.Fatal(err)
	}
	mutants, _ := p.mutants(nil)
	var alone []string
	for _, m := range mutants {
		if m.id == 0 {
			alone = append(alone, m.change())
		}
	}
	if diff := cmp.Diff([]string{`"one": 1 => removed`, `"two": 2 => removed`}, alone); diff != "" {
		t.Errorf("mutants with a build of their own (-want +got):\n%s", diff)
	}
	if text := p.schemata(mutants)["kinds.go"]; !p.compiles(0, text) {
		t.Errorf("does not compile:\n%s", text)
	}
}

// TestCompose nests mutants of one place, the longer outside, and lets one end before the next starts.
func TestCompose(t *testing.T) {
	wrap := func(on string) (string, string) { return on + "<", ">" }
	at := func(id, start, end int) *mutant { return &mutant{id: id, schema: schema{start, end, wrap}} }
	got := string(compose([]byte("abcdef"), []*mutant{at(1, 1, 2), at(2, 0, 4), at(3, 4, 6), at(4, 1, 2), at(5, 3, 4)}))
	want := "mutantOn(2)<a" + "mutantOn(1)<mutantOn(4)<b>>" + "c" + "mutantOn(5)<d>>" + "mutantOn(3)<ef>"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRun judges a package with a survivor, explained survivors, one of them in a function that no test calls, mutants that need a
// build of their own, and mutants that fail and that never end.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds test programs")
	}
	var out bytes.Buffer
	n, err := run(t.Context(), config{pkg: "./testdata/sample"}, &out)
	if n != 1 || err != nil {
		t.Errorf("got %d, %v, want 1 unexplained survivor", n, err)
	}
	text := out.String()
	for _, want := range []string{
		"testdata/sample/sample.go:13:35: age > 17 => age >= 17\n" +
			"\tsample.go: func Adult(age int) bool { return age > 17 } :: age > 17 => age >= 17 :: REASON\n",
		"sample.go: 16 mutants: 10 killed by a test, 1 by time; 4 survivors explained, 1 unexplained (1 of all not reached)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestReportFindsStaleExplanations(t *testing.T) {
	m := &mutant{file: "a.go", source: "x", function: "f", from: "1", to: "0", verdict: killed}
	lived := &mutant{file: "a.go", source: "y", function: "f", from: "2", to: "3", verdict: lived}
	for line, stale := range map[string]bool{
		m.key() + " :: killed": true, lived.key() + " :: why": false, "a.go: gone :: 1 => 0 :: why": true, "a.go: func f :: 1 :: why": false,
		"a.go: func f :: 2 :: why": true, "a.go: y :: 1 :: why": false, "b.go: y :: 1 => 2 :: another file": false,
	} {
		x, err := parseExplanation(line)
		if err != nil {
			t.Fatal(err)
		}
		_, err = report(&bytes.Buffer{}, config{files: []string{"a.go"}}, &pkg{}, []*mutant{m, lived}, []*explanation{x})
		if got := err != nil; got != stale {
			t.Errorf("%s: got %v, want stale %v", line, err, stale)
		}
	}
}

func TestReadExplainedRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no reason":      "a.go: x :: 1 => 0",
		"REASON":         "a.go: x :: 1 => 0 :: REASON",
		"a number twice": "a.go: func f :: 1 :: r\na.go: func f :: 2 :: s",
		"twice":          "a.go: x :: 1 => 0 :: r\na.go: x :: 1 => 0 :: s",
		"no mutation":    "a.go: x",
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
