package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// measureRecording loads one warm function by turns while its account is recorded and while it is not.
func (w *workshop) measureRecording(ctx context.Context) (err error) {
	all, err := w.languages()
	if err != nil {
		return err
	}
	s, _, err := w.startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, s.stop()) }()
	role, caller, err := s.employ(ctx)
	if err == nil {
		err = s.deploy(ctx, "echo", role, all[0])
	}
	if err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	req, err := signed(ctx, s.url+invocations("echo"), []byte(payload), caller, "lambda")
	if err != nil {
		return err
	}
	echo := target{req: req, pid: s.cmd.Process.Pid}
	fmt.Printf("%-34s %12s %12s %12s %12s   (target > 0.97)\n", "warm invocations, "+all[0].name, "not recorded", "recorded", "rate", "p50")
	for _, clients := range []int{1, 16} {
		if _, err := echo.sample(ctx, clients, w.length/3, []byte(payload)); err != nil {
			return err
		}
		var off, on []result
		var p50s []float64
		for range w.repetitions {
			before, err := echo.sample(ctx, clients, w.length, []byte(payload))
			if err != nil {
				return err
			}
			during, err := w.recorded(ctx, s, func() (result, error) { return echo.sample(ctx, clients, w.length, []byte(payload)) })
			if err != nil {
				return err
			}
			off, on, p50s = append(off, before), append(on, during), append(p50s, float64(before.p50)/float64(during.p50))
		}
		without, with := medians(off, off), medians(on, off)
		fmt.Printf("%-34s %12.0f %12.0f %12.3f %12.3f\n", fmt.Sprintf("%d clients, per second", clients), without.rate, with.rate, with.share, median(p50s))
	}
	fmt.Println()
	return nil
}

// recorded does something while all principals of the account are recorded.
func (w *workshop) recorded(ctx context.Context, s *server, do func() (result, error)) (r result, err error) {
	record := func(what string) error {
		if out, err := exec.CommandContext(ctx, w.licet, "record", what, "--data", s.data).CombinedOutput(); err != nil {
			return fmt.Errorf("licet record %s: %w: %s", what, err, out)
		}
		return nil
	}
	if err := record("start"); err != nil {
		return r, err
	}
	defer func() {
		err = firstError(err, record("stop"))
		time.Sleep(time.Second) // what the recording has left to do is not the next load's
	}()
	return do()
}
