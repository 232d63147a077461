package dispatch

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
)

// recordings are the principals that are observed while the server enforces: their calls are judged and recorded, and let pass. They are
// kept in memory alone: a server that starts again enforces.
type recordings struct {
	mu sync.Mutex // held by those who change on
	// on is replaced, never changed; nil when nobody is observed, so that the warm path asks one pointer.
	on atomic.Pointer[map[recorded]bool]
}

// recorded is one role, or all principals of an account when role is "".
type recorded struct{ account, role string }

// Record begins or ends to observe the sessions of an account's role, named by its ARN, or with role "" all its principals.
func (d *Dispatcher) Record(account, role string, on bool) {
	r := &d.recordings
	r.mu.Lock()
	defer r.mu.Unlock()
	next := make(map[recorded]bool)
	if old := r.on.Load(); old != nil {
		maps.Copy(next, *old)
	}
	if on {
		next[recorded{account, role}] = true
	} else {
		delete(next, recorded{account, role})
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
		for r := range *on {
			if r.account == account {
				roles = append(roles, r.role)
			}
		}
	}
	slices.Sort(roles)
	return roles
}

// observes tells whether denials of a call's caller are let pass: those of needs that are of its own account. What another account's
// policies deny stays denied: its owner has not asked for a recording.
func (d *Dispatcher) observes(c *service.Call) (passes func(need *service.Need) bool, observed bool) {
	if d.config.Mode == Observe {
		return func(*service.Need) bool { return true }, true
	}
	on := d.recordings.on.Load()
	if on == nil || c.Caller.Account == "" {
		return nil, false
	}
	all := (*on)[recorded{c.Caller.Account, ""}]
	if !all && !(c.Caller.Kind == authz.AssumedRole && (*on)[recorded{c.Caller.Account, c.Caller.IssuerARN}]) {
		return nil, false
	}
	return func(need *service.Need) bool { return ownerOf(c, need) == c.Caller.Account }, true
}

// ObservesAll tells whether the server observes everybody.
func (d *Dispatcher) ObservesAll() bool { return d.config.Mode == Observe }
