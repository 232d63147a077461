package execution

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/telemetry"
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
	// LongestLife is how old an environment may become, used or not; 0: 2 hours.
	LongestLife time.Duration
	// Prestart is how many environments without a function are kept for each runtime in use; 0: none.
	Prestart int
	// Pressed tells whether the machine is short of memory: idle environments are then given up; nil: never.
	Pressed func() bool
	// Shares divides limits among the servers that share a store; nil: this one is alone.
	Shares Shares
	// MaxConcurrency is the number of invocations that may run at once in one account and Region, and of environments that are
	// kept for it; 0: 1,000, the default quota of an account.
	MaxConcurrency int
	// ProvisionedMemoryMB is the memory that functions with provisioned environments may have configured for these together; 0: any.
	ProvisionedMemoryMB int
	// Grace is how long running invocations may take to end at a shutdown; 0: 30 seconds.
	Grace time.Duration
	// Logger; nil: nothing is logged.
	Logger *slog.Logger
}

// Manager runs functions. See the package comment.
type Manager struct {
	config       Config
	metrics      *metrics
	initLimit    time.Duration // of the Init phase: ten seconds
	restoreLimit time.Duration // of the Restore phase
	exitPatience time.Duration
	longestWait  time.Duration
	limitWait    time.Duration
	firstShare   time.Duration
	crowd        int // see crowded
	starts       *starts
	generics     *generics
	lifetime     context.Context    // ends when running invocations must
	abort        context.CancelFunc // ends lifetime
	background   sync.WaitGroup     // environments that close, invocations that settle

	shutdownWithInternal, shutdownWithExternal time.Duration // see companions.go

	mu           sync.Mutex
	closing      bool
	running      sync.WaitGroup // invocations; Add under mu while not closing
	accounts     map[accountKey]*account
	uses         map[string]*use // by function ARN
	pools        map[poolKey]*pool
	environments map[*environment]struct{}
	provisions   map[provisionKey]*provision
	shares       map[string]*share // by name
}

type accountKey struct{ account, region string }

// account counts towards MaxConcurrency; its fields are guarded by Manager.mu.
type account struct {
	running      int
	shared       int // of running: those that share what no function has for itself
	environments int
	pace         pace   // of those that have nothing reserved
	share        *share // of the same; nil until it is needed
}

// use is that of a function, all versions together; its fields are guarded by Manager.mu. It is forgotten with the last pool.
type use struct {
	running, pools int
	pace           pace   // of what is reserved
	share          *share // of the same; nil until it is needed
}

type poolKey struct{ arn, version, revision, tenant string }

// pool holds the environments of one state of a function, and of one tenant if the function tells them apart; its fields are guarded
// by Manager.mu.
type pool struct {
	key         poolKey
	function    Function // as it was when the pool was made
	account     *account
	use         *use
	idle        []*environment // the last used is last
	provisioned []*environment // those of idle that are provisioned
	size        int            // idle and running
	claims      int            // invocations that wait to start one
	queue       queue
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
	if c.LongestLife == 0 {
		c.LongestLife = 2 * time.Hour
	}
	if c.Pressed == nil {
		c.Pressed = func() bool { return false }
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
	m := &Manager{
		config:               c,
		metrics:              newMetrics(),
		initLimit:            10 * time.Second,
		restoreLimit:         restoreLimit,
		exitPatience:         exitPatience,
		longestWait:          longestWait,
		limitWait:            limitWait,
		firstShare:           firstShare,
		shutdownWithInternal: shutdownWithInternal,
		shutdownWithExternal: shutdownWithExternal,
		lifetime:             lifetime,
		abort:                abort,
		accounts:             map[accountKey]*account{},
		uses:                 map[string]*use{},
		provisions:           map[provisionKey]*provision{},
		shares:               map[string]*share{},
		pools:                map[poolKey]*pool{},
		environments:         map[*environment]struct{}{},
	}
	m.generics = &generics{m: m, kinds: map[string]*kind{}}
	m.crowd = max(4, 2*runtime.GOMAXPROCS(0))
	m.starts = newStarts(m.crowd, m.generics.refill)
	return m, nil
}

// Invoke runs one event in an environment of f and returns when the function has answered, failed or timed out. The end of the
// context does not cut it short: Lambda does not stop a function because its caller is gone. An environment made from another
// Revision, or for another tenant, is never used.
func (m *Manager) Invoke(ctx context.Context, f Function, call Invocation) (Result, error) {
	ctx, span := telemetry.Child(ctx, "invoke")
	defer span.End()
	i := &invocation{Invocation: call, trace: ctx}
	begun, err := m.acquire(f, i)
	if err != nil {
		return Result{}, err
	}
	if call.Stream != nil {
		call.Stream.Begin()
	}
	return i.invoke(begun)
}

// Retire closes the environments of a version of a function, of all its versions for "": idle ones at once, running ones after their
// invocation. It does not wait. Provisioned ones are left to Provision: their versions do not change.
func (m *Manager) Retire(functionARN, version string) {
	m.retire(func(e *environment) bool {
		return e.function.ARN == functionARN && (version == "" || e.function.Version == version) && e.provision == nil
	})
}

// Directories are those of code, layers and images that environments have, or that will have those for which invocations wait, and
// provisioned ones.
func (m *Manager) Directories() map[string]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	used := map[string]bool{}
	use := func(f *Function) {
		used[f.CodeDir], used[f.LayerDir] = true, true
		if f.Image != nil {
			used[f.Image.RootDir] = true
		}
	}
	for _, p := range m.pools {
		use(&p.function)
	}
	for _, p := range m.provisions {
		use(&p.Function)
	}
	return used
}

// Run reclaims idle environments until ctx ends. Then no invocation begins, running ones have Grace to end, and Run returns when
// every environment is closed.
func (m *Manager) Run(ctx context.Context) error {
	tick := time.NewTicker(max(m.config.IdleTimeout/4, time.Millisecond))
	defer tick.Stop()
	pressure := time.NewTicker(pressurePeriod)
	defer pressure.Stop()
	for {
		select {
		case <-tick.C:
			m.reclaim(time.Now())
		case <-pressure.C:
			if m.config.Pressed() {
				m.relieve()
			}
		case <-ctx.Done():
			m.drain()
			return nil
		}
	}
}

// acquire gives an invocation an idle environment of f, or waits for one that is soon to be idle, or makes a new one, which is opened by
// its first invocation. The invocation may have begun when it returns.
func (m *Manager) acquire(f Function, i *invocation) (begun bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.poolOf(f, i.Tenant)
	if i.Event {
		return m.obtain(p, f, i)
	}
	if refusal := m.tooFast(p, &f); refusal != "" {
		m.metrics.throttles.Inc()
		return false, ErrThrottled{Reason: refusal}
	}
	if begun, err = m.obtain(p, f, i); err == nil {
		kept, _ := m.paceOf(i.pool, &f)
		kept.spend()
	}
	return begun, err
}

// obtain is acquire for an invocation that is not too fast, from the pool of f. m.mu is held, and given up meanwhile.
func (m *Manager) obtain(p *pool, f Function, i *invocation) (begun bool, err error) {
	var given *environment
	long := time.Duration(-1) // to wait; not known yet
	asked := false            // other servers
	for {
		if m.closing {
			if given != nil {
				m.remove(given)
			}
			return false, ErrClosed
		}
		e, refusal := m.admit(p, f, given, long < 0 && m.crowded(p))
		if refusal == elsewhere {
			if !asked {
				asked, given = true, nil
				m.ask(p, &f)
				p = m.poolOf(f, p.key.tenant) // it may have been forgotten meanwhile
				continue
			}
			refusal = limitReason(&f)
		}
		if long < 0 {
			long = m.patience(p, refusal != "")
		}
		switch {
		case e != nil:
			i.own(e)
			return false, nil
		case long > 0:
			w := newWaiter()
			if i.Stream == nil { // which begins first
				w.next, w.function = i, f
			}
			if given = m.wait(p, w, nil, long); w.begun {
				return true, nil
			}
			long = 0                      // once
			p = m.poolOf(f, p.key.tenant) // it may have been forgotten meanwhile
		case refusal != "":
			m.metrics.throttles.Inc()
			return false, ErrThrottled{Reason: refusal}
		default:
			if e, err = m.claim(p, f); err == nil {
				i.own(e)
			}
			return false, err
		}
	}
}

// admit gives an invocation an idle environment of p, or the one that is given, unless it has to be refused, or is better off when it
// waits. m.mu is held.
func (m *Manager) admit(p *pool, f Function, given *environment, wait bool) (e *environment, refusal string) {
	e = given
	if e == nil {
		e = m.takeIdle(p, &p.provisioned)
	}
	c := m.counted(p, &f, f.Reserved == nil && (e == nil || e.provision == nil))
	if refusal = m.refusal(p, f, c); refusal != "" {
		if e != nil {
			m.rest(e)
		}
		return nil, refusal
	}
	if e == nil && !wait {
		e = m.takeIdle(p, &p.idle)
	}
	if e != nil {
		m.enter(p, c)
		e.entered = time.Now()
		e.counts(c)
	}
	return e, ""
}

// enter counts an invocation. m.mu is held.
func (m *Manager) enter(p *pool, c count) {
	if c.shared {
		p.account.shared++
	}
	if c.share != nil {
		c.share.running++
	}
	p.account.running++
	p.use.running++
	m.running.Add(1)
	m.metrics.running.Inc()
}

// leave is the opposite of enter. m.mu is held.
func (m *Manager) leave(p *pool, c count) {
	if c.shared {
		p.account.shared--
	}
	if s := c.share; s != nil {
		if s.running--; s.wanted {
			m.config.Shares.Freed(s.name)
		}
	}
	p.account.running--
	p.use.running--
	m.metrics.running.Dec()
	m.running.Done()
}

// refusal is the reason why an invocation must wait, or "". One that finds no provisioned environment and whose function has reserved
// nothing shares with all such functions what is left of the account's concurrency
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html). m.mu is held.
func (m *Manager) refusal(p *pool, f Function, c count) string {
	switch {
	case f.Reserved != nil && p.use.running >= int(*f.Reserved):
		return limitReason(&f)
	case p.account.running >= m.config.MaxConcurrency,
		c.shared && p.account.shared >= m.config.MaxConcurrency-f.AccountReserved:
		return "ConcurrentInvocationLimitExceeded"
	case c.share.lacks(m.limitOf(&f)):
		return elsewhere
	}
	return ""
}

// add makes e known, as one of the environments of p. m.mu is held.
func (m *Manager) add(e *environment, p *pool) *environment {
	e.pool = p
	m.keep(p)
	p.size++
	p.account.environments++
	m.environments[e] = struct{}{}
	m.metrics.environments.Inc()
	return e
}

// keep remembers a pool that has an environment, or an invocation that waits for one. m.mu is held.
func (m *Manager) keep(p *pool) {
	if m.pools[p.key] != p {
		m.pools[p.key] = p
		m.uses[p.key.arn] = p.use
		p.use.pools++
	}
}

// forget is the opposite of keep, for a pool that has neither any more. m.mu is held.
func (m *Manager) forget(p *pool) {
	if p.size > 0 || p.claims > 0 || len(p.queue.waiting) > 0 {
		return
	}
	delete(m.pools, p.key)
	if p.use.pools--; p.use.pools == 0 {
		delete(m.uses, p.key.arn)
	}
}

// poolOf finds or makes the pool of f for a tenant. m.mu is held.
func (m *Manager) poolOf(f Function, tenant string) *pool {
	key := poolKey{f.ARN, f.Version, f.Revision, tenant}
	if p := m.pools[key]; p != nil {
		return p
	}
	a := m.accounts[accountKey{f.Account, f.Region}]
	if a == nil {
		a = &account{}
		m.accounts[accountKey{f.Account, f.Region}] = a
	}
	u := m.uses[f.ARN]
	if u == nil {
		u = &use{}
	}
	return &pool{key: key, function: f, account: a, use: u}
}

// takeIdle takes the environment of a list that was used last, or nil. One whose credentials are about to expire is closed instead:
// the process has them in its environment variables. m.mu is held.
func (m *Manager) takeIdle(p *pool, list *[]*environment) *environment {
	for n := len(*list); n > 0; n = len(*list) {
		e := (*list)[n-1]
		(*list)[n-1] = nil
		*list = (*list)[:n-1]
		if e.fresh(time.Now()) {
			return e
		}
		m.remove(e)
	}
	return nil
}

// release ends an invocation's ownership of e.
func (m *Manager) release(e *environment, reusable bool) {
	if turn := e.turn; turn != nil {
		e.turn = nil
		defer turn.end() // after e is there for others
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.give(e, reusable)
}

// give is release. m.mu is held.
func (m *Manager) give(e *environment, reusable bool) {
	defer m.leave(e.pool, e.count) // last: after it drain waits for what remove has begun
	m.settled(e, time.Now())
	if !reusable || e.retired || m.closing {
		m.remove(e)
		return
	}
	m.rest(e)
}

// settled notes that the invocation that owned e is over. m.mu is held.
func (m *Manager) settled(e *environment, now time.Time) {
	if !e.entered.IsZero() {
		e.pool.queue.took(now.Sub(e.entered))
	}
	if e.settling {
		e.settling = false
		e.pool.queue.settling.Add(-1)
	}
}

// rest makes e, which nobody owns any more, idle, or gives it to an invocation that waits. m.mu is held.
func (m *Manager) rest(e *environment) {
	e.idleSince = time.Now()
	if e.fresh(e.idleSince) && e.pool.queue.next(e) {
		return
	}
	list := e.list()
	*list = append(*list, e)
}

// list is where e is when it is idle.
func (e *environment) list() *[]*environment {
	if e.provision != nil {
		return &e.pool.provisioned
	}
	return &e.pool.idle
}

// remove forgets e, which nobody owns and no pool lists as idle, and closes it in the background. m.mu is held.
func (m *Manager) remove(e *environment) {
	delete(m.environments, e)
	m.metrics.environments.Dec()
	e.pool.account.environments--
	if e.provision != nil { // before the pool may be forgotten: the caller may be about to use it, and there must not be two
		m.replace(e)
	}
	e.pool.size--
	m.forget(e.pool)
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

// idle tells whether nobody owns e. m.mu is held.
func (e *environment) idle() bool { return slices.Contains(*e.list(), e) }

// removeIdle removes e if it is idle. m.mu is held.
func (m *Manager) removeIdle(e *environment) {
	list := e.list()
	if i := slices.Index(*list, e); i >= 0 {
		*list = slices.Delete(*list, i, i+1)
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
		for _, e := range slices.Concat(p.idle, p.provisioned) {
			if !e.fresh(now) {
				m.removeIdle(e)
			}
		}
	}
	m.generics.reclaim(now, false)
}

// resume takes up what is left of invocations.
func (m *Manager) resume() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for e := range m.environments {
		if s := e.api.session.Load(); s != nil {
			e.resume(s)
		}
	}
}

// drain is the end of Run.
func (m *Manager) drain() {
	m.mu.Lock()
	m.closing = true
	m.mu.Unlock()
	m.generics.close()
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
		m.resume()
		<-ended
	}
	m.background.Wait()
}
