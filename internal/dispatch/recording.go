package dispatch

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/service"
)

// recordings are the principals that are observed while the server enforces: their calls are judged and recorded, and let pass. They are
// kept in memory alone: a server that starts again enforces.
type recordings struct {
	mu sync.Mutex // held by those who change on
	// on is replaced, never changed; nil when nobody is observed, so that the warm path asks one pointer. The time is when the server's
	// own calls are refused again, of a recording that has ended; zero for those that are on.
	on atomic.Pointer[map[recorded]time.Time]
}

// Lateness is how long after the end of a recording the server's own calls for what ran before are still observed: the logs of functions
// are written up to a second later.
const Lateness = 2 * time.Second

// recorded is one role, or all principals of an account when role is "".
type recorded struct{ account, role string }

// Record begins or ends to observe the sessions of an account's role, named by its ARN, or with role "" all its principals.
func (d *Dispatcher) Record(account, role string, on bool) {
	r := &d.recordings
	r.mu.Lock()
	defer r.mu.Unlock()
	now := d.config.Now()
	next := make(map[recorded]time.Time)
	if old := r.on.Load(); old != nil {
		for of, until := range *old {
			if until.IsZero() || now.Before(until) {
				next[of] = until
			}
		}
	}
	this := recorded{account, role}
	if until, known := next[this]; on {
		next[this] = time.Time{}
	} else if known && until.IsZero() {
		next[this] = now.Add(Lateness)
	}
	if len(next) == 0 {
		r.on.Store(nil)
		return
	}
	r.on.Store(&next)
}

// Recording gives the roles of an account that are observed, sorted; "" among them stands for all its principals.
func (d *Dispatcher) Recording(account string) []string {
	roles := []string{}
	if on := d.recordings.on.Load(); on != nil {
		for r, until := range *on {
			if r.account == account && until.IsZero() {
				roles = append(roles, r.role)
			}
		}
	}
	slices.Sort(roles)
	return roles
}

// observes tells whether denials of a call's caller are let pass: those of needs that are of its own account. What another account's
// policies deny stays denied, those of its organization's management account among them: their owner has not asked for a recording.
func (d *Dispatcher) observes(c *service.Call) (passes func(need *service.Need, made *audit.Decision) bool, observed bool) {
	if d.config.Mode == Observe {
		return func(*service.Need, *audit.Decision) bool { return true }, true
	}
	on := d.recordings.on.Load()
	if on == nil || c.Caller.Account == "" {
		return nil, false
	}
	passing := func(of recorded) bool {
		until, known := (*on)[of]
		return known && (until.IsZero() || c.Internal != nil && c.Time.Before(until))
	}
	if !passing(recorded{c.Caller.Account, ""}) &&
		!(c.Caller.Kind == authz.AssumedRole && passing(recorded{c.Caller.Account, c.Caller.IssuerARN})) {
		return nil, false
	}
	return func(need *service.Need, made *audit.Decision) bool {
		return ownerOf(c, need) == c.Caller.Account && !deniedAbove(made)
	}, true
}

// deniedAbove tells whether policies of the organization deny, whatever others deny, too: a denial is reported by one type alone, and a
// Deny statement of the account's own would hide that an SCP does not allow.
func deniedAbove(made *audit.Decision) bool {
	if made.Applied.SCPs == nil && made.Applied.RCPs == nil {
		return false
	}
	return slices.ContainsFunc(authz.Compile(made.Applied).Trace(&made.Request).Types, func(t authz.TypeTrace) bool {
		above := t.Type == authz.ServiceControlPolicy || t.Type == authz.ResourceControlPolicy
		return above && (t.Verdict == authz.ExplicitDeny || t.Verdict == authz.ImplicitDeny)
	})
}

// ObservesAll tells whether the server observes everybody.
func (d *Dispatcher) ObservesAll() bool { return d.config.Mode == Observe }
