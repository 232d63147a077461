package main

import (
	"context"
	"encoding/json"
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
	killed      verdict = "killed"
	timedOut    verdict = "killed by time"
	lived       verdict = "survived"
	notCompiled verdict = "not compiled"
)

// jury is the packages whose tests judge, the mutated package first.
type jury struct {
	p       *pkg
	judges  []string
	timeout map[string]time.Duration
	tmp     string
}

// newJury finds the judges among the packages, and runs their tests on the unchanged package. They must pass.
func newJury(ctx context.Context, p *pkg, patterns []string, tmp string) (*jury, error) {
	j := &jury{p: p, timeout: make(map[string]time.Duration), tmp: tmp}
	type listed struct {
		ImportPath string
		Deps       []string
	}
	packages, err := goList[listed](ctx, append([]string{"-test", "-json=ImportPath,Deps", p.path}, patterns...)...)
	if err != nil {
		return nil, err
	}
	for _, l := range packages {
		// "p.test" is the test program of p. What was compiled anew for it is listed as "q [p.test]".
		judge, ok := strings.CutSuffix(l.ImportPath, ".test")
		depends := slices.ContainsFunc(l.Deps, func(d string) bool { return d == p.path || strings.HasPrefix(d, p.path+" [") })
		if ok && depends && !slices.Contains(j.judges, judge) {
			j.judges = append(j.judges, judge)
		}
	}
	if len(j.judges) == 0 {
		return nil, fmt.Errorf("no tests depend on %s", p.path)
	}
	if own := slices.Index(j.judges, p.path); own > 0 {
		j.judges[0], j.judges[own] = j.judges[own], j.judges[0]
	}
	for _, judge := range j.judges {
		if err := j.rehearse(ctx, judge); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// rehearse runs the tests on the unchanged package: they must pass, and tell how long they take.
func (j *jury) rehearse(ctx context.Context, judge string) error {
	out, err := j.test(ctx, judge, 10*time.Minute)
	if err != nil {
		return fmt.Errorf("tests of %s on the unchanged package: %w\n%s", judge, err, out)
	}
	fields := strings.Fields(out) // ok PACKAGE 0.210s
	if len(fields) < 3 {
		return fmt.Errorf("tests of %s: want their time, got %q", judge, out)
	}
	took, err := time.ParseDuration(fields[2])
	if err != nil {
		return fmt.Errorf("tests of %s: want their time: %w", judge, err)
	}
	j.timeout[judge] = 3*time.Second + 10*took
	return nil
}

// judge runs the tests on the mutant until one fails. Workers have numbers, so that their files differ.
func (j *jury) judge(ctx context.Context, worker int, m *mutant) (verdict, error) {
	original := filepath.Join(j.p.dir, m.file)
	mutated := filepath.Join(j.tmp, strconv.Itoa(worker)+".go")
	overlay := filepath.Join(j.tmp, strconv.Itoa(worker)+".json")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{original: mutated}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(mutated, m.apply(j.p.source[m.file]), 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		return "", err
	}
	for _, judge := range j.judges {
		out, err := j.test(ctx, judge, j.timeout[judge], "-overlay="+overlay)
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case err == nil:
			continue
		case strings.Contains(out, "FAIL\t"+judge+" ["):
			return notCompiled, nil
		case strings.Contains(out, "panic: test timed out"):
			return timedOut, nil
		case strings.Contains(out, "FAIL\t"+judge+"\t"):
			return killed, nil
		default: // neither a failed test nor a failed build: no verdict
			return "", fmt.Errorf("%w\n%s", err, out)
		}
	}
	return lived, nil
}

// test runs the tests of one package on one core and with bounded memory, for mutants that never stop to allocate. The time is that
// of the tests alone, without the compiler.
func (j *jury) test(ctx context.Context, judge string, timeout time.Duration, flags ...string) (string, error) {
	args := append([]string{
		"-c", `ulimit -v 6000000; exec "$@"`, "sh",
		"go", "test", "-vet=off", "-count=1", "-failfast", "-p=1", "-ldflags=-s -w", "-timeout=" + timeout.String(),
	}, flags...)
	cmd := exec.CommandContext(ctx, "sh", append(args, judge)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}
