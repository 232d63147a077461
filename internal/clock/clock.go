// Package clock is the time that a server goes by when it keeps, retries and deletes.
//
// A time of day can jump: set by hand, by a service that has lost its way, by a host. What is decided by one that jumped cannot be taken back: an
// event that is too old by it is dropped, and one that is due in a year waits. So a Clock does not follow a jump of its source of more than
// Tolerance before it has lasted for Patience; until then it goes on as the clock does that counts from the boot. A jump that is taken back
// leaves no trace. Smaller steps are followed at once, and every one within Settling of the machine's boot: the clock may only then be set.
//
// The source is a clock that all have who share what is kept (store.Clocked), so that they agree however wrong that of one machine is; for a
// server that is alone, the machine's. What a source shows when the server starts is believed.
//
// Requests are not judged by it: signatures, sessions and conditions of policies go by the machine's time of day, as their clients do.
//
// It does no I/O but what the source does. A *Clock is safe for concurrent use. Nothing of it outlives the process.
package clock

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// Tolerance is by how much the source may step and is followed at once, and how far a machine's time of day may be from the clock before
	// it is told.
	Tolerance = time.Minute
	// Patience is how long a larger step must last before it is believed.
	Patience = time.Hour
	// Settling is for how long after the boot of the machine every step is believed.
	Settling = 10 * time.Minute
)

// Config is what a Clock needs.
type Config struct {
	// Source is the time of day that the clock follows. Unset: Wall.
	Source func() time.Time
	// Wall is the machine's time of day. Unset: time.Now.
	Wall func() time.Time
	// Elapsed is the time since the machine's boot, by a clock that never jumps. Unset: the machine's.
	Elapsed func() time.Duration
	// Logger is required.
	Logger *slog.Logger
}

// Clock is a time of day that does not jump.
type Clock struct {
	config Config

	mu sync.Mutex
	// shown is what the clock showed at the time at after the boot.
	shown time.Time
	at    time.Duration
	// jump is how far the source is from the clock since the time since; 0 for not far.
	jump  time.Duration
	since time.Duration
}

// New makes a clock that shows what its source does.
func New(c Config) *Clock {
	if c.Wall == nil {
		c.Wall = time.Now
	}
	if c.Source == nil {
		c.Source = c.Wall
	}
	if c.Elapsed == nil {
		c.Elapsed = elapsed
	}
	return &Clock{config: c, shown: c.Source().Round(0), at: c.Elapsed()}
}

// Now is the time. It has no monotonic reading.
func (c *Clock) Now() time.Time {
	now, _ := c.look()
	return now
}

// look also gives how far the source is from the clock, if it is too far to be followed.
func (c *Clock) look() (now time.Time, jump time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	source, at := c.config.Source().Round(0), c.config.Elapsed()
	expected := c.shown.Add(at - c.at)
	switch step := source.Sub(expected); {
	case step.Abs() <= Tolerance, at < Settling:
		c.jump, expected = 0, source
	case c.jump == 0 || (step-c.jump).Abs() > Tolerance: // it has jumped, or once more
		c.jump, c.since = step, at
	case at-c.since >= Patience:
		c.jump, expected = 0, source
	}
	c.shown, c.at = expected, at
	return expected, c.jump
}

// Off is how far the machine's time of day is ahead of the clock.
func (c *Clock) Off() time.Duration { return c.config.Wall().Round(0).Sub(c.Now()) }

// lookEvery is how often Run looks.
const lookEvery = time.Second

// Run notices jumps, and logs them, until ctx ends.
func (c *Clock) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	jumped, astray := false, false
	for {
		if _, jump := c.look(); jumped != (jump != 0) {
			if jumped = !jumped; jumped {
				c.config.Logger.WarnContext(ctx, "The time of day has jumped. Nothing is retried or deleted by it until it has lasted.",
					slog.Duration("jump", jump), slog.Duration("patience", Patience))
			} else {
				c.config.Logger.InfoContext(ctx, "The time of day is followed again.")
			}
		}
		if off := c.Off(); astray != (off.Abs() > Tolerance) {
			if astray = !astray; astray {
				c.config.Logger.WarnContext(ctx, "This machine's time of day is not the one that the server goes by. What clients sign may be refused.",
					slog.Duration("off", off))
			} else {
				c.config.Logger.InfoContext(ctx, "This machine's time of day is right again.")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Collectors are the clock's metrics.
func (c *Clock) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "licet_clock_off_seconds", Help: "How far this machine's time of day is ahead of the one that the server goes by.",
		}, func() float64 { return c.Off().Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "licet_clock_jump_seconds", Help: "How far the source of the server's time has jumped, while that is not believed.",
		}, func() float64 {
			_, jump := c.look()
			return jump.Seconds()
		}),
	}
}
