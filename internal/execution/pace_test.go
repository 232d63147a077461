package execution

import (
	"errors"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var p pace
	take := func(after time.Duration, concurrency int) (n int) {
		now = now.Add(after)
		for p.allows(now, concurrency) {
			p.spend()
			n++
		}
		return n
	}
	for _, c := range []struct {
		after       time.Duration
		concurrency int
		want        int
	}{
		{0, 2, 20}, {0, 2, 0}, {50 * time.Millisecond, 2, 1}, {24 * time.Millisecond, 2, 0}, {26 * time.Millisecond, 2, 1},
		{time.Hour, 2, 20}, {0, 3, 10}, {-time.Second, 3, 0}, {1100 * time.Millisecond, 1, 1},
	} {
		if got := take(c.after, c.concurrency); got != c.want {
			t.Errorf("%v later, concurrency %d: got %d, want %d", c.after, c.concurrency, got, c.want)
		}
	}
}

// What is too fast is refused before anything runs, by its own pace: that of what the function has reserved, or the account's. Events are not.
func TestTooFast(t *testing.T) {
	b := newBench(t, serve(echo))
	reserved, shared := testFunction(), testFunction()
	reserved.ARN, reserved.Reserved = reserved.ARN+"-reserved", new(int32)
	*reserved.Reserved = 1
	refused := func(f Function, want string, event bool) {
		t.Helper()
		var throttled ErrThrottled
		if _, err := b.Invoke(t.Context(), f, Invocation{RequestID: id, Event: event}); err != nil && !errors.As(err, &throttled) {
			t.Errorf("got %v", err)
		}
		if throttled.Reason != want {
			t.Errorf("got %q, want %q", throttled.Reason, want)
		}
	}
	full := pace{spent: 1e9, at: time.Now().Add(time.Hour)}
	refused(reserved, "", false)
	b.mu.Lock()
	b.uses[reserved.ARN].pace = full
	b.mu.Unlock()
	refused(reserved, "ReservedFunctionInvocationRateLimitExceeded", false)
	refused(reserved, "", true)
	refused(shared, "", false)
	b.mu.Lock()
	b.accounts[accountKey{shared.Account, shared.Region}].pace = full
	b.mu.Unlock()
	refused(shared, "FunctionInvocationRateLimitExceeded", false)
	*reserved.Reserved = 0
	refused(reserved, "ReservedFunctionConcurrentInvocationLimitExceeded", false)
}
