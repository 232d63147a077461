// Command bench measures licet on this machine and prints each figure beside something measured in the same run: decisions beside
// those of the reference evaluator and of cedar-go, the server beside the same bootstrap without licet, a front that does nothing but
// verify signatures, and the load generator's own ceiling. Figures of different runs or machines do not compare; the ratios do.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// peers are the other processes of a measurement, started from this same binary so that each has its own.
var peers = map[string]func() error{"front": serveFront, "verify": serveVerify, "ceiling": serveCeiling, "loop": runLoop}

func main() {
	if len(os.Args) > 1 {
		if peer, ok := peers[os.Args[1]]; ok {
			if err := peer(); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
				os.Exit(1)
			}
			return
		}
	}
	repetitions := flag.Int("repetitions", 5, "how often each figure is measured; the median is printed")
	length := flag.Duration("length", 3*time.Second, "how long each repetition of a load lasts; one of decisions lasts a tenth")
	driver := flag.String("sandbox", "native", "the sandbox driver that licet runs with")
	only := flag.String("only", "", "measure nothing but \"decide\", \"identity\", \"functions\", \"queues\", \"cluster\", \"costs\", \"distance\" (a part of costs), \"server\", \"invoke\", \"recording\" or \"cold\" (parts of server); unset: all")
	flag.Parse()
	if err := run(context.Background(), options{*repetitions, *length, *driver, *only}); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	repetitions int
	length      time.Duration
	driver      string
	only        string // "", "decide", "identity", "functions", "queues", "cluster", "costs", "distance", "server", "invoke", "recording" or "cold"
}

// workshop holds what the measurements share.
type workshop struct {
	options
	dir       string
	licet     string // the binary under test
	bootstrap string // the function's executable
	self      string
}

func run(ctx context.Context, o options) error {
	if !slices.Contains([]string{"", "decide", "identity", "functions", "queues", "cluster", "costs", "distance", "server", "invoke", "recording", "cold"}, o.only) {
		return fmt.Errorf("-only %q is none of decide, identity, functions, queues, cluster, costs, distance, server, invoke, recording and cold", o.only)
	}
	fmt.Printf("%d CPUs, %s, medians of %d\n\n", runtime.NumCPU(), runtime.Version(), o.repetitions)
	if o.only == "" || o.only == "decide" {
		if err := o.measureDecisions(); err != nil {
			return fmt.Errorf("measure decisions: %w", err)
		}
	}
	if o.only == "decide" {
		return nil
	}
	return measureServer(ctx, o)
}

func measureServer(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "licet-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	w := &workshop{options: o, dir: dir, licet: filepath.Join(dir, "licet"), bootstrap: filepath.Join(dir, "bootstrap"), self: self}
	for target, pkg := range map[string]string{w.licet: "./cmd/licet", w.bootstrap: "./bench/bootstrap"} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", target, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	fmt.Printf("sandbox %s\n\n", o.driver)
	if o.only == "" || o.only == "functions" {
		if err := w.measureFunctions(ctx); err != nil {
			return fmt.Errorf("measure Lambda's API: %w", err)
		}
	}
	if o.only == "" || o.only == "identity" {
		if err := w.measureIdentity(ctx); err != nil {
			return fmt.Errorf("measure IAM and STS: %w", err)
		}
		if err := w.measureManyUsers(ctx); err != nil {
			return fmt.Errorf("measure many users: %w", err)
		}
	}
	if o.only == "" || o.only == "queues" {
		if err := w.measureQueues(ctx); err != nil {
			return fmt.Errorf("measure queues: %w", err)
		}
	}
	if o.only == "cluster" { // it has a target of its own
		if err := w.measureCluster(ctx); err != nil {
			return fmt.Errorf("measure three servers over one store: %w", err)
		}
	}
	if o.only == "costs" || o.only == "distance" {
		if err := w.measureCosts(ctx); err != nil {
			return fmt.Errorf("measure what operations cost: %w", err)
		}
	}
	if o.only == "" || o.only == "server" {
		if err := w.measureStart(ctx); err != nil {
			return fmt.Errorf("measure start: %w", err)
		}
	}
	if o.only == "" || o.only == "server" || o.only == "invoke" {
		if err := w.measureInvoke(ctx); err != nil {
			return fmt.Errorf("measure warm invocations: %w", err)
		}
	}
	if o.only == "" || o.only == "server" || o.only == "recording" {
		if err := w.measureRecording(ctx); err != nil {
			return fmt.Errorf("measure recording: %w", err)
		}
	}
	if o.only == "" || o.only == "server" || o.only == "cold" {
		if err := w.measureCold(ctx); err != nil {
			return fmt.Errorf("measure cold starts: %w", err)
		}
	}
	return nil
}

// median of a list, which it sorts.
func median[T int64 | float64 | time.Duration](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
