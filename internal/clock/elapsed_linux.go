package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// elapsed also counts the time in which the machine sleeps: clock_gettime(2), CLOCK_BOOTTIME.
func elapsed() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		panic(err) // Linux has it since 2.6.39
	}
	return time.Duration(now.Nano())
}
