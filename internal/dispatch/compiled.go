package dispatch

import (
	"slices"
	"sync"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// keptText bounds what the two caches keep, each, in bytes of the policies' texts. What is compiled is several times as large.
const keptText = 8 << 20

// compiled keeps compiled policies: a set for each caller, and one for each resource-based policy. It is never stale: a set is used
// only where the policies at hand are the very ones that it was made from. Documents do not change, so that their pointers tell.
// Safe for concurrent use.
type compiled struct {
	callers   cache[callerKey]
	resources cache[resourceKey]
}

func newCompiled(limit int) *compiled {
	return &compiled{callers: newCache[callerKey](limit), resources: newCache[resourceKey](limit)}
}

// callerKey is whose policies a set was made from. Sessions of a role have its policies, but may each have session policies of their
// own, of which the first tells them apart well enough: what differs behind it is made anew.
type callerKey struct {
	account, id string
	session     authz.Policy
}

// resourceKey is all that the set of a resource is made from.
type resourceKey struct {
	policy        authz.Policy
	exists, trust bool
}

// ofCaller gives the set of a caller's policies.
func (c *compiled) ofCaller(caller *principal.Caller, p *authz.Policies) *authz.Set {
	key := callerKey{account: caller.Account, id: caller.ID}
	if len(p.Session) > 0 {
		key.session = p.Session[0]
	}
	if s := c.callers.get(key); s != nil && samePolicies(s.Policies(), p) {
		return s
	}
	s := authz.Compile(*p)
	c.callers.put(key, s, size(p))
	return s
}

// ofResource gives the set that has a resource's policy only, if there is one.
func (c *compiled) ofResource(t *service.Target) *authz.Set {
	key := resourceKey{trust: t.Trust}
	if t.Policy != nil {
		key.policy, key.exists = *t.Policy, true
	}
	if s := c.resources.get(key); s != nil {
		return s
	}
	p := authz.Policies{Trust: t.Trust}
	if t.Policy != nil {
		own := *t.Policy // the caller may change its own
		p.Resource = &own
	}
	s := authz.Compile(p)
	c.resources.put(key, s, size(&p))
	return s
}

// samePolicies tells whether two callers' policies are the same in all that a decision can show: documents, names and ARNs, level by
// level, and whether there are any.
func samePolicies(a authz.Policies, b *authz.Policies) bool {
	return slices.Equal(a.Identity, b.Identity) &&
		samePolicy(a.Boundary, b.Boundary) &&
		(a.Session == nil) == (b.Session == nil) && slices.Equal(a.Session, b.Session) &&
		sameLevels(a.SCPs, b.SCPs) && sameLevels(a.RCPs, b.RCPs) &&
		samePolicy(a.VPCEndpoint, b.VPCEndpoint)
}

func samePolicy(a, b *authz.Policy) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func sameLevels(a, b [][]authz.Policy) bool {
	return (a == nil) == (b == nil) && slices.EqualFunc(a, b, slices.Equal[[]authz.Policy])
}

// size is what policies count for: the length of their texts, and something for what there is besides.
func size(p *authz.Policies) int {
	const besides = 1024
	n := besides
	add := func(policies ...authz.Policy) {
		for i := range policies {
			n += besides / 4
			if d := policies[i].Document; d != nil {
				n += len(d.Source)
			}
		}
	}
	add(p.Identity...)
	add(p.Session...)
	for _, level := range slices.Concat(p.SCPs, p.RCPs) {
		add(level...)
	}
	for _, one := range []*authz.Policy{p.Boundary, p.Resource, p.VPCEndpoint} {
		if one != nil {
			add(*one)
		}
	}
	return n
}

// cache keeps sets up to a limit of their sizes. When that is reached some go, whichever: a set that is still in use is made again.
type cache[K comparable] struct {
	limit int

	mu   sync.RWMutex
	sets map[K]sized
	used int
}

type sized struct {
	set  *authz.Set
	size int
}

func newCache[K comparable](limit int) cache[K] {
	return cache[K]{limit: limit, sets: make(map[K]sized)}
}

// get gives the set that was kept last under a key; nil when there is none.
func (c *cache[K]) get(key K) *authz.Set {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.sets[key].set
}

// put keeps a set in the place of the one that was kept under its key.
func (c *cache[K]) put(key K, s *authz.Set, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
	for other := range c.sets {
		if c.used+size <= c.limit {
			break
		}
		c.remove(other)
	}
	c.sets[key] = sized{s, size}
	c.used += size
}

func (c *cache[K]) remove(key K) {
	c.used -= c.sets[key].size
	delete(c.sets, key)
}
