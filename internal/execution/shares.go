package execution

import (
	"context"
	"errors"
)

// Shares divides limits of concurrency among the servers that share a store: each holds a part of a limit and runs no more than that.
// *share.Keeper is one; it tells the Manager by Granted, Lower and Fence.
type Shares interface {
	// Ask tries to get so much of a limit that one more may run here than does, and is true when it was granted. It may wait for other servers.
	Ask(ctx context.Context, name string, limit int) bool
	// Freed tells that an invocation has ended under a limit of which others want more. It is quick.
	Freed(name string)
}

// ErrFenced says that an invocation was cut short because other servers may run others in its place: this one has lost touch with them.
var ErrFenced = errors.New("execution: other servers may use the function's concurrency")

// share is this server's part of a limit; its fields are guarded by Manager.mu.
type share struct {
	name    string
	limit   int // of which it is a part
	granted int
	running int
	// promised are those of granted that invocations have asked for, and are about to use.
	promised int
	wanted   bool // by others
	// fenced is closed when what runs must end; nil for a limit that does not end anything.
	fenced chan struct{}
}

// count is what an invocation counts as.
type count struct {
	shared bool            // one of account.shared
	share  *share          // nil when this server is alone, or for a provisioned environment
	fenced <-chan struct{} // closed when the invocation must end; nil for one that need not
}

// over tells whether what counts so must have ended.
func (c count) over() bool {
	select {
	case <-c.fenced:
		return true
	default:
		return false
	}
}

// elsewhere is the refusal of an invocation for which this server must ask others.
const elsewhere = "elsewhere"

// counted says as what an invocation of f counts. m.mu is held.
func (m *Manager) counted(p *pool, f *Function, shared bool) count {
	c := count{shared: shared}
	switch {
	case m.config.Shares == nil:
	case f.Reserved != nil:
		if p.use.share == nil {
			p.use.share = m.shareOf("function/"+f.ARN, true)
		}
		c.share = p.use.share
	case shared:
		if p.account.share == nil {
			p.account.share = m.shareOf("account/"+f.Account+"/"+f.Region, false)
		}
		c.share = p.account.share
	}
	if c.share != nil {
		c.fenced = c.share.fenced
	}
	return c
}

// limitOf is how many invocations that count as one of f may run at once, on all servers.
func (m *Manager) limitOf(f *Function) int {
	if f.Reserved != nil {
		return int(*f.Reserved)
	}
	return m.config.MaxConcurrency - f.AccountReserved
}

// limitReason is the reason why an invocation of f is refused.
func limitReason(f *Function) string {
	if f.Reserved != nil {
		return "ReservedFunctionConcurrentInvocationLimitExceeded"
	}
	return "ConcurrentInvocationLimitExceeded"
}

// shareOf finds or makes a share. m.mu is held.
func (m *Manager) shareOf(name string, ends bool) *share {
	s := m.shares[name]
	if s == nil {
		s = &share{name: name}
		if ends {
			s.fenced = make(chan struct{})
		}
		m.shares[name] = s
	}
	return s
}

// lacks tells whether one more cannot run without asking. m.mu is held.
func (s *share) lacks(limit int) bool {
	return s != nil && (s.limit != limit || s.running >= s.granted)
}

// ask asks other servers for one more. m.mu is held, and given up meanwhile.
func (m *Manager) ask(p *pool, f *Function) {
	s := m.counted(p, f, true).share
	m.mu.Unlock()
	granted := m.config.Shares.Ask(m.lifetime, s.name, m.limitOf(f))
	m.mu.Lock()
	if granted {
		s.promised--
	}
}

// Granted says that n invocations may run here under the limit of that name, while it is so high. If these are more than do and
// are promised, one is promised to the invocation that asks, and it is true.
func (m *Manager) Granted(name string, limit, n int) (promised bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.shares[name]
	if s == nil {
		return false // nobody asked
	}
	s.limit, s.granted = limit, n
	if promised = n > s.running+s.promised; promised {
		s.promised++
	}
	return promised
}

// Lower lowers how many may run here under a limit to what keep makes of how many may and how many do, though not below those that do
// and those that are promised.
func (m *Manager) Lower(name string, keep func(granted, running int) int) (granted int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.shares[name]
	if s == nil {
		return 0
	}
	s.granted = max(s.running, min(s.granted, max(s.running+s.promised, keep(s.granted, s.running))))
	return s.granted
}

// Wanted says whether others want more of a limit.
func (m *Manager) Wanted(name string, wanted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.shares[name]; s != nil {
		s.wanted = wanted
	}
}

// Fence ends what runs under reserved concurrency, which others may soon use, and lets nothing begin without asking. What shares the
// concurrency of its account runs on: there may be more of these for a while than the account's limit.
func (m *Manager) Fence() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.shares {
		s.granted = 0
		if s.fenced != nil {
			close(s.fenced)
			s.fenced = make(chan struct{})
		}
	}
	for e := range m.environments {
		if s := e.api.session.Load(); s != nil && e.count.share != nil && e.count.share.fenced != nil {
			e.resume(s)
		}
	}
}
