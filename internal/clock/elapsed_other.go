//go:build !linux

package clock

import "time"

// begin is before all that is measured. The boot is taken to have been long before.
var begin = time.Now()

func elapsed() time.Duration { return Settling + time.Since(begin) }
