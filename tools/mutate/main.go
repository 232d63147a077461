// Command mutate changes a package in one place after another and runs tests on each change. A change that no test notices, a
// survivor, shows what the tests do not say. Run it from the module root:
//
//	go run ./tools/mutate -tests ./policy,./authz/... ./authz
//
// The changes (mutants) are listed in mutants.go. Each is type-checked first. All that can stand in one text are built together, with
// "go test -overlay" (schema.go): the working tree is never written. The tests of the package, and of those packages of -tests that
// depend on it, run alone once to see how long they take and which mutants they reach. Then each mutant meets the tests that reach it,
// the quickest first, with -short, one process at a time. It is killed when a test fails, or does not end in ten times its usual time.
//
// Survivors are printed in two lines: where they are, and the line to copy into the file of explained mutants if the change makes
// no difference:
//
//	authz/statement.go:31:5: len(s.Actions) > 0 => true
//		statement.go: if len(s.Actions) > 0 { :: len(s.Actions) > 0 => true :: REASON
//
// That file is testdata/mutants.txt of the package. Its lines name mutants by text, so that they outlive edits elsewhere. In the place
// of the change may stand a number: so many mutants of the line survive. In the place of the line, then, may stand a function, for
// those of its mutants that no other line explains:
//
//	statement.go: func (*statement).cost :: 4 :: what is compared first does not matter to the outcome
//
// Explained mutants run too: a line that names no mutant, or only killed ones, or gives another number, is an error. Empty lines and
// lines starting with # are comments.
//
// The exit status is 0 when every survivor is explained, 1 when not, 2 when the tool could not do its work.
//
// To add a kind of mutant: a case in enumerator.visit, with how it stands beside the original, and a line in testdata/kinds that has it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// config is what the flags say.
type config struct {
	pkg     string
	tests   []string
	files   []string
	list    bool
	verbose bool
}

func main() {
	var c config
	tests := flag.String("tests", "", "`packages` whose tests judge, with commas or spaces between them; default the package's own")
	files := flag.String("files", "", "`names` of files to mutate, with commas or spaces between them; default all of the package")
	flag.BoolVar(&c.list, "list", false, "print the mutants and stop")
	flag.BoolVar(&c.verbose, "v", false, "print the verdict on each mutant, and which test killed it")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: mutate [flags] PACKAGE")
		flag.PrintDefaults()
		os.Exit(2)
	}
	c.pkg = flag.Arg(0)
	list := func(text string) []string {
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	}
	c.tests, c.files = list(*tests), list(*files)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	unexplained, err := run(ctx, c, os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	case unexplained > 0:
		os.Exit(1)
	}
}

// run does what c says and tells how many survivors have no explanation.
func run(ctx context.Context, c config, out io.Writer) (unexplained int, err error) {
	p, err := load(ctx, c.pkg)
	if err != nil {
		return 0, err
	}
	explained, err := readExplained(filepath.Join(p.dir, "testdata", "mutants.txt"))
	if err != nil {
		return 0, err
	}
	for _, name := range c.files {
		if !slices.Contains(p.names, name) {
			return 0, fmt.Errorf("%s has no file %s", p.path, name)
		}
	}
	mutants, invalid := p.mutants(c.files)
	if c.list {
		for _, m := range mutants {
			fmt.Fprintln(out, m.describe(p))
		}
		return 0, nil
	}
	tmp, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tmp)
	j, err := newJury(ctx, p, c.tests, mutants, tmp)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	for i, m := range mutants {
		if i%100 == 0 {
			fmt.Fprintf(os.Stderr, "mutate: %d of %d, %s\n", i, len(mutants), m.file)
		}
		if m.verdict, err = j.try(ctx, m); err != nil {
			return 0, fmt.Errorf("try %s: %w", m.describe(p), err)
		}
		if c.verbose {
			fmt.Fprintf(out, "%s: %s %s\n", m.describe(p), m.verdict, m.killer)
		}
	}
	unexplained, err = report(out, c, p, mutants, explained)
	fmt.Fprintf(out, "%d more did not compile; %d needed a build of their own; %.0f a minute.\n", invalid,
		len(slices.DeleteFunc(slices.Clone(mutants), func(m *mutant) bool { return m.id != 0 })), float64(len(mutants))/time.Since(start).Minutes())
	return unexplained, err
}

// report prints the survivors without explanation, and the numbers of each file.
func report(out io.Writer, c config, p *pkg, mutants []*mutant, explained []*explanation) (unexplained int, err error) {
	counts := make(map[string]*tally)
	all := &tally{}
	for _, m := range mutants {
		if counts[m.file] == nil {
			counts[m.file] = &tally{}
		}
		var x *explanation
		if m.survived() {
			if x = explain(explained, m); x != nil {
				x.found++
			} else {
				fmt.Fprintf(out, "%s\n\t%s%sREASON\n", m.describe(p), m.key(), separator)
			}
		}
		counts[m.file].add(m, x)
		all.add(m, x)
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(out, "%s: %s\n", name, counts[name])
	}
	fmt.Fprintf(out, "%s: %s\n", p.path, all)
	var stale []string
	for _, x := range explained {
		file, _, _ := strings.Cut(x.place, ": ")
		if x.isStale() && (len(c.files) == 0 || slices.Contains(c.files, file)) {
			stale = append(stale, fmt.Sprintf("%s (%d survive)", x.text, x.found))
		}
	}
	if stale != nil {
		return all.unexplained, fmt.Errorf("explained mutants that do not exist or do not survive:\n\t%s", strings.Join(stale, "\n\t"))
	}
	return all.unexplained, nil
}

// tally counts the fates of mutants.
type tally struct{ mutants, killed, timedOut, explained, unexplained, notReached int }

func (t *tally) add(m *mutant, x *explanation) {
	t.mutants++
	switch {
	case m.verdict == killed:
		t.killed++
	case m.verdict == timedOut:
		t.timedOut++
	case x != nil:
		t.explained++
	default:
		t.unexplained++
	}
	if m.verdict == notReached {
		t.notReached++
	}
}

func (t *tally) String() string {
	return fmt.Sprintf("%d mutants: %d killed by a test, %d by time; %d survivors explained, %d unexplained (%d of all not reached)",
		t.mutants, t.killed, t.timedOut, t.explained, t.unexplained, t.notReached)
}
