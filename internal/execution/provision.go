package execution

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Provision asks for environments of a published version that are initialized before they are needed.
type Provision struct {
	Function Function
	Count    int
	// Asked tells one request from the next, which is tried anew if this one failed.
	Asked time.Time
	// Failure, if not "", is why there can be none, which is known beforehand.
	Failure string
}

// Provisioned is how far a Provision is.
type Provisioned struct {
	// Asked is that of the Provision.
	Asked time.Time
	// Ready is how many environments are initialized: idle ones and those that run an invocation.
	Ready int
	// Failure says why there are not as many as were asked for, and that no more are made; "" while they are made.
	Failure string
}

const (
	// startsAtOnce is how many environments of one Provision start at a time.
	startsAtOnce = 4
	// provisionedInitLimit is the least that an Init phase may take: lambda.md 7.6.
	provisionedInitLimit = 130 * time.Second
)

// initFailure is AWS's reason for a function that fails in its Init phase (recorded: serverless/serverless issue 7250). The other
// reasons are ours.
const initFailure = "FUNCTION_ERROR_INIT_FAILURE"

type provisionKey struct{ arn, version string }

// provision is a Provision and what was made for it; its fields are guarded by Manager.mu.
type provision struct {
	Provision
	environments map[*environment]bool // true: it is ready
	starting     int
	failure      string
}

// Provision makes this list, of all accounts, the environments that are provisioned. It does not wait: missing ones start in the
// background, those that are too many are closed when they are idle.
func (m *Manager) Provision(all []Provision) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closing {
		return
	}
	wanted := make(map[provisionKey]bool, len(all))
	for _, a := range all {
		wanted[provisionKey{a.Function.ARN, a.Function.Version}] = true
	}
	for key, p := range m.provisions {
		if !wanted[key] {
			m.shrink(p, 0)
			delete(m.provisions, key)
		}
	}
	for _, a := range all {
		m.provide(a)
	}
}

// Provisioned tells how far the Provision of a version is, and whether there is one.
func (m *Manager) Provisioned(functionARN, version string) (Provisioned, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.provisions[provisionKey{functionARN, version}]
	if p == nil {
		return Provisioned{}, false
	}
	return Provisioned{Asked: p.Asked, Ready: p.ready(), Failure: p.failure}, true
}

func (p *provision) ready() (n int) {
	for _, ready := range p.environments {
		if ready {
			n++
		}
	}
	return n
}

// provide is Provision for one version. m.mu is held.
func (m *Manager) provide(a Provision) {
	key := provisionKey{a.Function.ARN, a.Function.Version}
	p := m.provisions[key]
	switch {
	case p != nil && p.Function.Revision != a.Function.Revision:
		m.shrink(p, 0)
		p = nil
	case p != nil && p.Count == a.Count && p.Asked.Equal(a.Asked) && p.Failure == a.Failure:
		return
	}
	if p == nil {
		p = &provision{environments: map[*environment]bool{}}
		m.provisions[key] = p
	}
	p.Provision, p.failure = a, a.Failure
	if a.Failure != "" {
		m.shrink(p, 0)
		return
	}
	m.shrink(p, a.Count)
	if most := m.config.ProvisionedMemoryMB; most > 0 && m.provisionedMemory() > most {
		p.failure = fmt.Sprintf("The machine has no memory for %d environments of %d MB beside what else is provisioned.",
			a.Count, a.Function.MemoryMB)
		return
	}
	m.fill(p)
}

// provisionedMemory is what all that is provisioned, or will be, may use in MB. m.mu is held.
func (m *Manager) provisionedMemory() (sum int) {
	for _, p := range m.provisions {
		n := p.Count
		if p.failure != "" {
			n = len(p.environments)
		}
		sum += n * p.Function.MemoryMB
	}
	return sum
}

// fill starts environments that p lacks. m.mu is held.
func (m *Manager) fill(p *provision) {
	for !m.closing && p.failure == "" && p.starting < startsAtOnce && len(p.environments) < p.Count {
		e := newEnvironment(m, p.Function)
		e.provision = p
		m.add(e, m.poolOf(p.Function, ""))
		p.environments[e] = false
		p.starting++
		m.background.Go(func() { m.start(p, e) })
	}
}

// start initializes e, and then makes it idle.
func (m *Manager) start(p *provision, e *environment) {
	err := e.prepare()
	m.mu.Lock()
	defer m.mu.Unlock()
	p.starting--
	_, wanted := p.environments[e]
	switch {
	case err != nil:
		if wanted && !m.closing {
			delete(p.environments, e)
			p.failure = failureReason(err)
			m.config.Logger.Warn("A provisioned environment could not be started.",
				slog.String("function", e.function.ARN), slog.Any("err", err))
		}
		m.remove(e)
	case !wanted || m.closing:
		m.remove(e)
	default:
		p.environments[e] = true
		m.rest(e)
	}
	m.fill(p)
}

// errInit says that a function failed in its Init phase; its log says how.
var errInit = errors.New("the function could not be initialized")

// prepare opens e and runs its Init phase.
func (e *environment) prepare() error {
	turn := e.m.starts.line(e.function.ARN)
	defer turn.end()
	select {
	case <-turn.ready():
	case <-e.m.lifetime.Done():
		return ErrClosed
	}
	i := &invocation{environment: e, usage: usage{memoryMB: e.function.MemoryMB}}
	initialized, err := i.coldStart(max(provisionedInitLimit, e.function.Timeout))
	if err == nil && !initialized {
		err = errInit
	}
	return errors.Join(err, i.broken)
}

func failureReason(err error) string {
	if errors.Is(err, errInit) {
		return initFailure
	}
	if _, ok := errors.AsType[ErrRole](err); ok {
		return "The role defined for the function cannot be assumed by Lambda."
	}
	return "Lambda could not start an environment."
}

// shrink lets environments go until at most n are left: idle ones, then others, which are closed when they are free. m.mu is held.
func (m *Manager) shrink(p *provision, n int) {
	p.Count = min(p.Count, n)
	for _, e := range p.inOrder() {
		if len(p.environments) <= n {
			return
		}
		delete(p.environments, e)
		e.retired = true
		m.removeIdle(e)
	}
}

// inOrder lists the environments, the idle ones first.
func (p *provision) inOrder() []*environment {
	var idle, others []*environment
	for e := range p.environments {
		if e.idle() {
			idle = append(idle, e)
		} else {
			others = append(others, e)
		}
	}
	return append(idle, others...)
}

// replace starts another environment in the place of e, which was removed, if it is still wanted. m.mu is held.
func (m *Manager) replace(e *environment) {
	if _, wanted := e.provision.environments[e]; wanted {
		delete(e.provision.environments, e)
		m.fill(e.provision)
	}
}
