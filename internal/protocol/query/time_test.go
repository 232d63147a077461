package query

import (
	"testing"
	"time"

	smithytime "github.com/aws/smithy-go/time"
)

// TestDateTime: times are written as the SDK writes them.
func TestDateTime(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))
	for _, fraction := range []time.Duration{0, 1, 999_999, time.Millisecond, 20 * time.Millisecond, 300 * time.Millisecond, time.Second - 1} {
		for _, value := range []time.Time{at.Add(fraction), at.Add(fraction).AddDate(-3000, 0, 0), {}} {
			if got, want := string(appendDateTime(nil, value)), smithytime.FormatDateTime(value); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}
