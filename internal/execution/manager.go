package execution

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/licet/licet/internal/sandbox"
)

// Config of a Manager.
type Config struct {
	// Driver makes the sandboxes. Required; the caller closes it after Run has returned.
	Driver sandbox.Driver
	// Runtimes and Credentials are required.
	Runtimes    Runtimes
	Credentials Credentials
	// Logs receives the functions' logs; nil: they are kept for LogTail only.
	Logs LogWriter
	// Endpoint serves AWS's services to functions, on a listener in each sandbox that AWS_ENDPOINT_URL names; nil: there is none.
	Endpoint http.Handler
	// Network of the sandboxes; "": sandbox.NetworkNone.
	Network sandbox.Network
	// IdleTimeout is how long an environment is kept without an invocation; 0: 5 minutes.
	IdleTimeout time.Duration
	// MaxConcurrency is the number of invocations that may run at once in one account and Region, and of environments that are
	// kept for it; 0: 1,000, the default quota of an account.
	MaxConcurrency int
	// Grace is how long running invocations may take to end at a shutdown; 0: 30 seconds.
	Grace time.Duration
	// Logger; nil: nothing is logged.
	Logger *slog.Logger
}

// Manager runs functions. See the package comment.
type Manager struct {
	config     Config
	metrics    *metrics
	initLimit  time.Duration      // of the Init phase: ten seconds
	lifetime   context.Context    // ends when running invocations must
	abort      context.CancelFunc // ends lifetime
	background sync.WaitGroup     // environments that close, invocations that settle

	mu           sync.Mutex
	closing      bool
	running      sync.WaitGroup // invocations; Add under mu while not closing
	accounts     map[accountKey]*account
	pools        map[poolKey]*pool
	environments map[*environment]struct{}
}

type accountKey struct{ account, region string }

// account counts towards MaxConcurrency; its fields are guarded by Manager.mu.
type account struct{ running, environments int }

type poolKey struct{ arn, version, revision string }

// pool holds the environments of one state of a function; its fields are guarded by Manager.mu.
type pool struct {
	key     poolKey
	account *account
	idle    []*environment // the last used is last
	size    int            // idle and running
}

// New makes a Manager. It can be used at once, but only while Run runs are idle environments reclaimed and is shutdown orderly.
func New(c Config) (*Manager, error) {
	if c.Driver == nil || c.Runtimes == nil || c.Credentials == nil {
		return nil, errors.New("execution: Driver, Runtimes and Credentials are required")
	}
	if c.Network == "" {
		c.Network = sandbox.NetworkNone
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 5 * time.Minute
	}
	if c.MaxConcurrency == 0 {
		c.MaxConcurrency = 1000
	}
	if c.Grace == 0 {
		c.Grace = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	lifetime, abort := context.WithCancel(context.Background())
	return &Manager{
		config:       c,
		metrics:      newMetrics(),
		initLimit:    10 * time.Second,
		lifetime:     lifetime,
		abort:        abort,
		accounts:     map[accountKey]*account{},
		pools:        map[poolKey]*pool{},
		environments: map[*environment]struct{}{},
	}, nil
}

// Invoke runs one event in an environment of f and returns when the function has answered, failed or timed out. The end of the
// context does not cut it short: Lambda does not stop a function because its caller is gone. An environment made from another
// Revision is never used.
func (m *Manager) Invoke(_ context.Context, f Function, call Invocation) (Result, error) {
	e, err := m.acquire(f)
	if err != nil {
		return Result{}, err
	}
	return e.invoke(call)
}

// Retire closes the environments of a version of a function, of all its versions for "": idle ones at once, running ones after their
// invocation. It does not wait.
func (m *Manager) Retire(functionARN, version string) {
	m.retire(func(e *environment) bool {
		return e.function.ARN == functionARN && (version == "" || e.function.Version == version)
	})
}

// Run reclaims idle environments until ctx ends. Then no invocation begins, running ones have Grace to end, and Run returns when
// every environment is closed.
func (m *Manager) Run(ctx context.Context) error {
	tick := time.NewTicker(max(m.config.IdleTimeout/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			m.reclaim(time.Now())
		case <-ctx.Done():
			m.drain()
			return nil
		}
	}
}

// acquire takes an idle environment of f or makes a new one, which is opened by its first invocation.
func (m *Manager) acquire(f Function) (*environment, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closing {
		return nil, ErrClosed
	}
	p := m.poolOf(f)
	if p.account.running >= m.config.MaxConcurrency {
		m.metrics.throttles.Inc()
		return nil, ErrThrottled{Reason: "ConcurrentInvocationLimitExceeded"}
	}
	e := m.takeIdle(p)
	if e == nil {
		if p.account.environments >= m.config.MaxConcurrency {
			m.evict(p.account)
		}
		e = newEnvironment(m, f)
		e.pool = p
		p.size++
		p.account.environments++
		m.pools[p.key] = p
		m.environments[e] = struct{}{}
		m.metrics.environments.Inc()
	}
	p.account.running++
	m.running.Add(1)
	m.metrics.running.Inc()
	return e, nil
}

// poolOf finds or makes the pool of f. A new one is remembered when it gets its first environment. m.mu is held.
func (m *Manager) poolOf(f Function) *pool {
	key := poolKey{f.ARN, f.Version, f.Revision}
	if p := m.pools[key]; p != nil {
		return p
	}
	a := m.accounts[accountKey{f.Account, f.Region}]
	if a == nil {
		a = &account{}
		m.accounts[accountKey{f.Account, f.Region}] = a
	}
	return &pool{key: key, account: a}
}

// takeIdle takes the environment that was used last, or nil. One whose credentials are about to expire is closed instead: the
// process has them in its environment variables. m.mu is held.
func (m *Manager) takeIdle(p *pool) *environment {
	for n := len(p.idle); n > 0; n = len(p.idle) {
		e := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		if e.renew.IsZero() || time.Now().Before(e.renew) {
			return e
		}
		m.remove(e)
	}
	return nil
}

// release ends an invocation's ownership of e.
func (m *Manager) release(e *environment, reusable bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.running.Done() // last: after it drain waits for what remove has begun
	e.pool.account.running--
	m.metrics.running.Dec()
	if !reusable || e.retired || m.closing {
		m.remove(e)
		return
	}
	e.idleSince = time.Now()
	e.pool.idle = append(e.pool.idle, e)
}

// remove forgets e, which nobody owns and no pool lists as idle, and closes it in the background. m.mu is held.
func (m *Manager) remove(e *environment) {
	delete(m.environments, e)
	m.metrics.environments.Dec()
	e.pool.account.environments--
	if e.pool.size--; e.pool.size == 0 {
		delete(m.pools, e.pool.key)
	}
	m.background.Go(func() {
		if err := e.close(); err != nil {
			m.config.Logger.Error("An environment could not be removed.",
				slog.String("function", e.function.ARN), slog.Any("err", err))
		}
	})
}

// retire closes the idle ones among the chosen environments, and marks the others to be closed on release.
func (m *Manager) retire(chosen func(*environment) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for e := range m.environments {
		if chosen(e) {
			e.retired = true
			m.removeIdle(e)
		}
	}
}

// removeIdle removes e if it is idle. m.mu is held.
func (m *Manager) removeIdle(e *environment) {
	if i := slices.Index(e.pool.idle, e); i >= 0 {
		e.pool.idle = slices.Delete(e.pool.idle, i, i+1)
		m.remove(e)
	}
}

// evict removes the environment of a that has been idle the longest. m.mu is held.
func (m *Manager) evict(a *account) {
	var oldest *environment
	for _, p := range m.pools {
		if p.account == a && len(p.idle) > 0 && (oldest == nil || p.idle[0].idleSince.Before(oldest.idleSince)) {
			oldest = p.idle[0]
		}
	}
	if oldest != nil {
		m.removeIdle(oldest)
	}
}

// reclaim removes environments that have been idle for too long.
func (m *Manager) reclaim(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.pools {
		for len(p.idle) > 0 && now.Sub(p.idle[0].idleSince) >= m.config.IdleTimeout {
			m.removeIdle(p.idle[0])
		}
	}
}

// drain is the end of Run.
func (m *Manager) drain() {
	m.mu.Lock()
	m.closing = true
	m.mu.Unlock()
	m.retire(func(*environment) bool { return true })

	ended := make(chan struct{})
	go func() { // ends below: abort makes every invocation end
		m.running.Wait()
		close(ended)
	}()
	grace := time.NewTimer(m.config.Grace)
	defer grace.Stop()
	select {
	case <-ended:
		m.abort()
	case <-grace.C:
		m.abort()
		<-ended
	}
	m.background.Wait()
}
