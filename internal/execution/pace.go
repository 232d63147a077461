package execution

import "time"

// perConcurrency is how many invocations a second are allowed for each unit of concurrency
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, invocation requests per function per Region: synchronous ones;
// asynchronous ones have no such limit).
const perConcurrency = 10

// pace limits invocations in a second, of a function or of all those in an account that share their concurrency. After a pause as many
// as are allowed in a second may come at once. Zero is good.
type pace struct {
	spent float64 // of what is allowed
	at    time.Time
}

// allows tells whether another invocation is allowed, of so many in a second.
func (p *pace) allows(now time.Time, concurrency int) bool {
	allowed := float64(perConcurrency * concurrency)
	if passed := now.Sub(p.at); passed > 0 {
		p.spent = max(0, min(p.spent, allowed)-passed.Seconds()*allowed)
		p.at = now
	}
	return p.spent+1 <= allowed
}

// spend counts one.
func (p *pace) spend() { p.spent++ }

// paceOf is the pace that an invocation keeps, and the concurrency that it is of. m.mu is held.
func (m *Manager) paceOf(p *pool, f *Function) (kept *pace, concurrency int) {
	if f.Reserved != nil {
		return &p.use.pace, int(*f.Reserved)
	}
	return &p.account.pace, m.config.MaxConcurrency - f.AccountReserved
}

// tooFast is the reason why an invocation is refused for being one of too many in a second, or "". Where there is no concurrency at all,
// that is the reason, and not this. m.mu is held.
func (m *Manager) tooFast(p *pool, f *Function) string {
	switch kept, concurrency := m.paceOf(p, f); {
	case concurrency <= 0, kept.allows(time.Now(), concurrency):
		return ""
	case f.Reserved != nil:
		return "ReservedFunctionInvocationRateLimitExceeded"
	default:
		return "FunctionInvocationRateLimitExceeded"
	}
}
