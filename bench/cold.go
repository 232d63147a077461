package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const (
	coldStarts  = 20
	coldAtOnce  = 100
	settledTime = 12 * time.Second // an idle server has given memory back by then
)

// measureCold measures first answers: of each language one after another, and of many Go functions at once, both beside the same program
// without licet; then what the environments take that are idle after it.
func (w *workshop) measureCold(ctx context.Context) (err error) {
	all, err := w.languages()
	if err != nil {
		return err
	}
	fmt.Printf("%-34s %12s %12s %12s\n", "first answer of a cold function", "bare p50", "licet p50", "licet p99")
	for _, l := range all {
		bare, err := bareStarts(ctx, l)
		if err != nil {
			return fmt.Errorf("%s without licet: %w", l.name, err)
		}
		ours, err := w.sequentialStarts(ctx, l)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		fmt.Printf("%-34s %9.1f ms %9.1f ms %9.1f ms\n", fmt.Sprintf("%s, %d one after another", l.name, coldStarts),
			milliseconds(bare), milliseconds(median(ours)), milliseconds(quantile(ours, 99)))
	}
	return w.measureAtOnce(ctx, all[0])
}

// bareStarts is the median of bareStart, one after another.
func bareStarts(ctx context.Context, l language) (time.Duration, error) {
	var times []time.Duration
	for range coldStarts {
		took, err := bareStart(ctx, l)
		if err != nil {
			return 0, err
		}
		times = append(times, took)
	}
	return median(times), nil
}

// bareStart is the time from the start of a plain process to its first answer.
func bareStart(ctx context.Context, l language) (time.Duration, error) {
	start := time.Now()
	b, err := startBare(ctx, l.command, l.env)
	if err != nil {
		return 0, err
	}
	defer b.stop()
	got := b.invoke([]byte(payload))
	took := time.Since(start)
	if !bytes.Contains(got, []byte("xxx")) {
		return 0, fmt.Errorf("it answered %q", got)
	}
	return took, nil
}

// sequentialStarts invokes a function again and again that is changed before each, which makes its environments new.
func (w *workshop) sequentialStarts(ctx context.Context, l language) (times []time.Duration, err error) {
	s, _, err := w.startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = firstError(err, s.stop()) }()
	role, caller, err := s.employ(ctx)
	if err == nil {
		err = s.deploy(ctx, "echo", role, l)
	}
	if err != nil {
		return nil, err
	}
	for i := range coldStarts + 1 {
		if _, err := s.functions().UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
			FunctionName: aws.String("echo"), Environment: &types.Environment{Variables: map[string]string{"ROUND": strconv.Itoa(i)}},
		}); err != nil {
			return nil, err
		}
		took, err := s.first(ctx, "echo", caller)
		if err != nil {
			return nil, err
		}
		if i > 0 { // the first has the server's own first steps in it
			times = append(times, took)
		}
	}
	return times, nil
}

// first invokes a function once.
func (s *server) first(ctx context.Context, function string, caller aws.Credentials) (time.Duration, error) {
	req, err := signed(ctx, s.url+invocations(function), []byte(payload), caller, "lambda")
	if err != nil {
		return 0, err
	}
	r, err := load(ctx, 1, 0, []byte(payload), req)
	return r.p50, err
}

// measureAtOnce invokes many functions that are all cold.
func (w *workshop) measureAtOnce(ctx context.Context, l language) (err error) {
	s, _, err := w.startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, s.stop()) }()
	role, caller, err := s.employ(ctx)
	if err != nil {
		return err
	}
	for i := range coldAtOnce {
		if err := s.deploy(ctx, fmt.Sprintf("echo-%d", i), role, l); err != nil {
			return err
		}
	}
	bare, err := allAtOnce(func(int) (time.Duration, error) { return bareStart(ctx, l) })
	if err != nil {
		return fmt.Errorf("many programs without licet: %w", err)
	}
	time.Sleep(settledTime)
	before, err := s.memory()
	if err != nil {
		return err
	}
	ours, err := allAtOnce(func(i int) (time.Duration, error) { return s.first(ctx, fmt.Sprintf("echo-%d", i), caller) })
	if err != nil {
		return fmt.Errorf("many cold functions: %w", err)
	}
	fmt.Printf("%-34s %9.1f ms %9.1f ms %9.1f ms\n", fmt.Sprintf("go, %d at once", coldAtOnce),
		milliseconds(median(bare)), milliseconds(median(ours)), milliseconds(quantile(ours, 99)))
	fmt.Printf("%-34s %9.1f ms; licet's %.2f of it\n", "  p99 of bare programs at once",
		milliseconds(quantile(bare, 99)), float64(quantile(ours, 99))/float64(quantile(bare, 99)))
	time.Sleep(settledTime)
	after, err := s.memory()
	if err != nil {
		return err
	}
	fmt.Printf("%-34s %12.2f MiB beyond the runtime (target 2)\n\n", "memory of an idle environment", (after-before)/coldAtOnce)
	return nil
}

// allAtOnce makes many starts at the same time and sorts how long they took. None may fail.
func allAtOnce(start func(i int) (time.Duration, error)) ([]time.Duration, error) {
	times, errs := make([]time.Duration, coldAtOnce), make([]error, coldAtOnce)
	var all sync.WaitGroup
	for i := range coldAtOnce {
		all.Go(func() { times[i], errs[i] = start(i) })
	}
	all.Wait()
	slices.Sort(times)
	return times, errors.Join(errs...)
}

// memory of the server and of the processes below it but the runtimes themselves, in MiB. Pages that are shared count in parts.
func (s *server) memory() (float64, error) {
	total := 0.0
	for _, pid := range append(descendants(s.cmd.Process.Pid), s.cmd.Process.Pid) {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if os.IsNotExist(err) || strings.TrimSpace(string(name)) == "bootstrap" {
			continue
		}
		if err != nil {
			return 0, err
		}
		pages, err := os.ReadFile(filepath.Join(dir, "smaps_rollup"))
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(pages)) {
			if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
				kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
				if err != nil {
					return 0, err
				}
				total += kb / 1024
			}
		}
	}
	return total, nil
}

// descendants are the processes below one, as far as they are there still.
func descendants(pid int) (all []int) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil
	}
	for _, file := range files {
		list, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		for _, field := range strings.Fields(string(list)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(append(all, child), descendants(child)...)
			}
		}
	}
	return all
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// quantile of a sorted list, in percent.
func quantile(sorted []time.Duration, percent int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}
