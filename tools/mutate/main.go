// Command mutate changes a package in one place after another and runs tests on each change. A change that no test notices, a
// survivor, shows what the tests do not say. Run it from the module root:
//
//	go run ./tools/mutate -tests ./policy,./authz/... ./authz
//
// The changes (mutants) are listed in mutants.go. Each is type-checked first, then built and tested with "go test -overlay": the
// working tree is never written. The package's own tests judge first, then the other packages of -tests that depend on it. A mutant
// is killed when a test fails, or the tests do not end in ten times their usual time.
//
// Survivors are printed in two lines: where they are, and the line to copy into the file of explained mutants if the change makes
// no difference:
//
//	authz/statement.go:31:5: len(s.Actions) > 0 => true
//		statement.go: if len(s.Actions) > 0 { :: len(s.Actions) > 0 => true :: REASON
//
// That file is testdata/mutants.txt of the package. Its lines name mutants by text, so that they outlive edits elsewhere. Explained
// mutants run too: a line that names no mutant, or only killed ones, is an error. Empty lines and lines starting with # are comments.
//
// The exit status is 0 when every survivor is explained, 1 when not, 2 when the tool could not do its work.
//
// To add a kind of mutant: a case in enumerator.visit, and a line in testdata/sample with its survivor or killer.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// config is what the flags say.
type config struct {
	pkg     string
	tests   []string
	file    string
	workers int
	list    bool
	verbose bool
}

func main() {
	var c config
	tests := flag.String("tests", "", "comma-separated `packages` whose tests judge; default the package's own")
	flag.StringVar(&c.file, "file", "", "mutate only files whose name contains `text`; explanations are then not checked")
	flag.IntVar(&c.workers, "workers", runtime.NumCPU(), "tests to run at the same time, each on one core")
	flag.BoolVar(&c.list, "list", false, "print the mutants and stop")
	flag.BoolVar(&c.verbose, "v", false, "print killed mutants too")
	flag.Parse()
	if flag.NArg() != 1 || c.workers < 1 {
		fmt.Fprintln(os.Stderr, "usage: mutate [flags] PACKAGE")
		flag.PrintDefaults()
		os.Exit(2)
	}
	c.pkg = flag.Arg(0)
	c.tests = strings.FieldsFunc(*tests, func(r rune) bool { return r == ',' || r == ' ' })
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
	mutants, invalid := p.mutants(c.file)
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
	j, err := newJury(ctx, p, c.tests, tmp)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := j.judgeAll(ctx, mutants, c.workers); err != nil {
		return 0, err
	}
	return report(out, c, p, mutants, explained, invalid, time.Since(start))
}

// judgeAll runs the tests on every mutant and keeps each verdict in the mutant.
func (j *jury) judgeAll(ctx context.Context, mutants []*mutant, workers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan *mutant)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for m := range queue {
				verdict, err := j.judge(ctx, i, m)
				if err != nil {
					cancel(fmt.Errorf("judge %s: %w", m.describe(j.p), err))
				}
				m.verdict = verdict
			}
		})
	}
	for i, m := range mutants {
		if i%50 == 0 {
			fmt.Fprintf(os.Stderr, "mutate: %d of %d\n", i, len(mutants))
		}
		if ctx.Err() != nil {
			break
		}
		queue <- m
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}

func report(out io.Writer, c config, p *pkg, mutants []*mutant, explained map[string]bool, invalid int, took time.Duration) (int, error) {
	count := make(map[verdict]int)
	unexplained := 0
	survived := make(map[string]bool)
	for _, m := range mutants {
		count[m.verdict]++
		if m.verdict == lived {
			survived[m.key()] = true
		}
		switch {
		case m.verdict == lived && !explained[m.key()]:
			unexplained++
			fmt.Fprintf(out, "%s\n\t%s%sREASON\n", m.describe(p), m.key(), separator)
		case c.verbose:
			fmt.Fprintf(out, "%s: %s\n", m.describe(p), m.verdict)
		}
	}
	fmt.Fprintf(out, "%s: %d mutants: %d killed by a test, %d by time; %d survived, %d of them unexplained. %d more did not compile. "+
		"%.0f a minute.\n", p.path, len(mutants), count[killed], count[timedOut], count[lived], unexplained,
		invalid+count[notCompiled], float64(len(mutants))/took.Minutes())
	if c.file != "" {
		return unexplained, nil
	}
	var stale []string
	for key := range explained {
		if !survived[key] {
			stale = append(stale, key)
		}
	}
	if stale != nil {
		return unexplained, fmt.Errorf("explained mutants that do not exist or do not survive:\n\t%s", strings.Join(stale, "\n\t"))
	}
	return unexplained, nil
}
