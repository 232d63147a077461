package clock_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/licet/licet/internal/clock"
)

// machine has clocks that tests move.
type machine struct {
	source, wall time.Time
	elapsed      time.Duration
}

func newClock() (*machine, *clock.Clock) {
	m := &machine{source: start, wall: start, elapsed: 24 * time.Hour}
	return m, clock.New(clock.Config{
		Source: func() time.Time { return m.source }, Wall: func() time.Time { return m.wall }, Elapsed: func() time.Duration { return m.elapsed },
		Logger: slog.New(slog.DiscardHandler),
	})
}

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// pass lets time pass.
func (m *machine) pass(d time.Duration) {
	m.source, m.wall, m.elapsed = m.source.Add(d), m.wall.Add(d), m.elapsed+d
}

func TestJumps(t *testing.T) {
	const day = 24 * time.Hour
	// step is a jump of the source after a while, and what the clock then shows beyond the time that has passed.
	type step struct{ after, jump, want time.Duration }
	for name, steps := range map[string][]step{
		"small steps are followed":           {{time.Second, time.Minute, time.Minute}, {time.Second, -time.Minute, 0}, {time.Second, -time.Minute, -time.Minute}},
		"forward, and back":                  {{time.Second, day, 0}, {59 * time.Minute, 0, 0}, {time.Minute / 2, -day, 0}, {2 * time.Hour, 0, 0}},
		"back, and forward":                  {{time.Second, -day, 0}, {30 * time.Minute, day, 0}, {2 * time.Hour, 0, 0}},
		"forward, and it lasts":              {{time.Second, day, 0}, {59 * time.Minute, 0, 0}, {time.Minute, 0, day}, {time.Second, 0, day}},
		"back, and it lasts":                 {{time.Second, -day, 0}, {time.Hour, 0, -day}, {time.Second, 0, -day}},
		"one more counts from its own start": {{time.Second, day, 0}, {30 * time.Minute, day, 0}, {59 * time.Minute, 0, 0}, {time.Minute, 0, 2 * day}},
		"not back to where it was":           {{time.Second, day, 0}, {30 * time.Minute, time.Minute - day, time.Minute}, {time.Hour, 0, time.Minute}},
		"nobody looked when it jumped":       {{10 * time.Hour, day, 0}, {time.Hour, 0, day}},
	} {
		t.Run(name, func(t *testing.T) {
			m, c := newClock()
			passed := time.Duration(0)
			for i, s := range steps {
				m.pass(s.after)
				passed += s.after
				m.source = m.source.Add(s.jump)
				if got := c.Now().Sub(start) - passed; got.Round(time.Minute) != s.want {
					t.Errorf("step %d: the clock is %v ahead, want %v", i, got, s.want)
				}
			}
		})
	}
}

// A machine without a battery has its clock set after it has started.
func TestBoot(t *testing.T) {
	m := &machine{source: start, elapsed: time.Minute}
	c := clock.New(clock.Config{Source: func() time.Time { return m.source }, Elapsed: func() time.Duration { return m.elapsed }, Logger: slog.New(slog.DiscardHandler)})
	m.pass(time.Minute)
	m.source = m.source.AddDate(50, 0, 0)
	if got := c.Now(); !got.Equal(m.source) {
		t.Errorf("the clock shows %v, want %v", got, m.source)
	}
}

// A machine's own time of day is not what the clock goes by when there is another source.
func TestOff(t *testing.T) {
	m, c := newClock()
	for _, off := range []time.Duration{0, -time.Second, time.Hour, -time.Hour} {
		m.wall = m.source.Add(off)
		if c.Off() != off || !c.Now().Equal(m.source) {
			t.Errorf("off %v, time %v with a time of day that is %v ahead", c.Off(), c.Now(), off)
		}
	}
}
