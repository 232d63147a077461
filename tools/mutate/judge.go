package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verdict is what the tests made of a mutant.
type verdict string

const (
	killed     verdict = "killed"
	timedOut   verdict = "killed by time"
	lived      verdict = "survived"
	notReached verdict = "survived, no test reaches it"
)

func (m *mutant) survived() bool { return m.verdict == lived || m.verdict == notReached }

// jury is the tests that judge, the quickest first.
type jury struct {
	p     *pkg
	tmp   string
	tests []*test
}

// judge is a package whose tests depend on the mutated one.
type judge struct{ path, dir string }

// test is one test function of a judge.
type test struct {
	judge
	program string
	name    string
	took    time.Duration
	reached []byte // a 1 for the id of each mutant that the test reaches; may end early
}

// batched is the time up to which tests are not worth a process of their own.
const batched = 100 * time.Millisecond

// newJury finds the judges among the packages, builds them with all mutants, and runs each test with none. All must pass.
func newJury(ctx context.Context, p *pkg, patterns []string, mutants []*mutant, tmp string) (*jury, error) {
	j := &jury{p: p, tmp: tmp}
	judges, err := findJudges(ctx, p, patterns)
	if err != nil {
		return nil, err
	}
	overlay, err := p.overlay(tmp, p.schemata(mutants))
	if err != nil {
		return nil, err
	}
	for i, judge := range judges {
		program := filepath.Join(tmp, strconv.Itoa(i)+".test")
		if out, err := judge.build(ctx, program, overlay); err != nil {
			return nil, fmt.Errorf("build tests of %s with all mutants: %w\n%s", judge.path, err, out)
		}
		if err := j.rehearse(ctx, judge, program); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(j.tests, func(a, b *test) int { return cmp.Compare(a.took, b.took) })
	return j, nil
}

// findJudges gives the packages whose tests depend on p, p first.
func findJudges(ctx context.Context, p *pkg, patterns []string) ([]judge, error) {
	type listed struct {
		ImportPath, Dir string
		Deps            []string
	}
	packages, err := goList[listed](ctx, append([]string{"-test", "-json=ImportPath,Dir,Deps", p.path}, patterns...)...)
	if err != nil {
		return nil, err
	}
	var judges []judge
	for _, l := range packages {
		// "p.test" is the test program of p. What was compiled anew for it is listed as "q [p.test]".
		path, ok := strings.CutSuffix(l.ImportPath, ".test")
		depends := slices.ContainsFunc(l.Deps, func(d string) bool { return d == p.path || strings.HasPrefix(d, p.path+" [") })
		if ok && depends && !slices.Contains(judges, judge{path, l.Dir}) {
			judges = append(judges, judge{path, l.Dir})
		}
	}
	if len(judges) == 0 {
		return nil, fmt.Errorf("no tests depend on %s", p.path)
	}
	return judges, nil
}

// build makes the test program.
func (j judge) build(ctx context.Context, program, overlay string) ([]byte, error) {
	return exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-o", program, "-overlay", overlay, j.path).CombinedOutput()
}

// rehearse runs each test of a program without a mutant.
func (j *jury) rehearse(ctx context.Context, judge judge, program string) error {
	cmd := exec.CommandContext(ctx, program, "-test.list", "^(Test|Fuzz|Example)")
	cmd.Dir = judge.dir
	names, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("list tests of %s: %w", judge.path, err)
	}
	reached := filepath.Join(j.tmp, "reached")
	for name := range strings.FieldsSeq(string(names)) {
		t := &test{judge: judge, program: program, name: name}
		start := time.Now()
		if out, err := runTests(ctx, []*test{t}, 10*time.Minute, reachedVariable+"="+reached); err != nil {
			return fmt.Errorf("%s of %s without a mutant: %w\n%s", name, judge.path, err, out)
		}
		t.took = time.Since(start)
		if t.reached, err = os.ReadFile(reached); err != nil {
			return err
		}
		j.tests = append(j.tests, t)
	}
	return nil
}

// runTests runs tests of one program, on one core and with bounded memory, for mutants that never stop to allocate.
func runTests(ctx context.Context, tests []*test, timeout time.Duration, variable string) (string, error) {
	var names []string
	for _, t := range tests {
		names = append(names, t.name)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", `ulimit -v 6000000; exec "$@"`, "sh", tests[0].program,
		"-test.run=^("+strings.Join(names, "|")+")$", "-test.short", "-test.failfast", "-test.timeout="+timeout.String())
	cmd.Dir = tests[0].dir
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=400", variable)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// try runs the tests that reach the mutant until one fails.
func (j *jury) try(ctx context.Context, m *mutant) (verdict, error) {
	tests := j.tests
	if m.id == 0 {
		own, err := j.withOnly(ctx, m)
		if err != nil {
			return "", err
		}
		tests = own
	} else {
		tests = slices.DeleteFunc(slices.Clone(tests), func(t *test) bool { return m.id >= len(t.reached) || t.reached[m.id] == 0 })
	}
	if len(tests) == 0 {
		return notReached, nil
	}
	for batch := range batches(tests) {
		timeout := 3 * time.Second
		for _, t := range batch {
			timeout += 10 * t.took
		}
		out, err := runTests(ctx, batch, timeout, wantedVariable+"="+strconv.Itoa(m.id))
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case err == nil:
			continue
		case !errors.As(err, &exit):
			return "", err
		case strings.Contains(out, "panic: test timed out"):
			return timedOut, nil
		default:
			m.killer = killerOf(out, batch)
			return killed, nil
		}
	}
	return lived, nil
}

// batches puts quick tests of one program together.
func batches(tests []*test) func(yield func([]*test) bool) {
	return func(yield func([]*test) bool) {
		quick := make(map[string][]*test)
		var programs []string
		for _, t := range tests {
			if t.took > batched {
				continue
			}
			if quick[t.program] == nil {
				programs = append(programs, t.program)
			}
			quick[t.program] = append(quick[t.program], t)
		}
		for _, p := range programs {
			if !yield(quick[p]) {
				return
			}
		}
		for _, t := range tests {
			if t.took > batched && !yield([]*test{t}) {
				return
			}
		}
	}
}

// withOnly builds the programs with this mutant alone. Any test may reach it.
func (j *jury) withOnly(ctx context.Context, m *mutant) ([]*test, error) {
	overlay, err := j.p.overlay(j.tmp, map[string][]byte{m.file: m.apply(j.p.source[m.file])})
	if err != nil {
		return nil, err
	}
	programs := make(map[string]string)
	var tests []*test
	for _, t := range j.tests {
		if programs[t.program] == "" {
			programs[t.program] = t.program + ".one"
			if out, err := t.build(ctx, t.program+".one", overlay); err != nil {
				return nil, fmt.Errorf("build %s: %w\n%s", t.path, err, out)
			}
		}
		own := *t
		own.program = programs[t.program]
		tests = append(tests, &own)
	}
	return tests, nil
}

// killerOf finds in the output of tests which of them failed.
func killerOf(out string, batch []*test) string {
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			name, _, _ := strings.Cut(rest, " ")
			return name
		}
	}
	return "a panic in " + batch[0].name
}
