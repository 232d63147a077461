package authz

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/licet/licet/policy"
)

// Set is a compiled set of policies. It is immutable and safe for concurrent use. The zero Set is that of the zero Policies.
type Set struct {
	policies Policies
	// groups has one for each type of policy, nil where there are none.
	groups [typeCount]*group
}

// Compile makes the form of policies that decides fast. It takes time and memory linear in the length of their texts. The documents
// must not be changed afterwards.
func Compile(p Policies) *Set { return compile(p, manyStatements) }

// compile is Compile with indices for every group of that many statements.
func compile(p Policies, many int) *Set {
	return &Set{policies: p, groups: [typeCount]*group{
		rcpType:      compileLevels(ResourceControlPolicy, p.RCPs, many),
		scpType:      compileLevels(ServiceControlPolicy, p.SCPs, many),
		endpointType: compileOne(VPCEndpointPolicy, p.VPCEndpoint, many),
		resourceType: compileOne(ResourceBasedPolicy, p.Resource, many),
		identityType: compileGroup(IdentityBasedPolicy, [][]Policy{p.Identity}, many),
		boundaryType: compileOne(PermissionsBoundary, p.Boundary, many),
		sessionType:  compileSession(p.Session, many),
	}}
}

// Policies gives what the set was compiled from.
func (s *Set) Policies() Policies { return s.policies }

// WithResource is s with the resource-based policy of another set in the place of its own, and nothing else of that; without any
// when r is nil. It compiles nothing: a server keeps a set for each caller and one for each resource.
func (s *Set) WithResource(r *Set) Set {
	if r == nil {
		r = &Set{}
	}
	out := *s
	out.groups[resourceType], out.policies.Resource, out.policies.Trust = r.groups[resourceType], r.policies.Resource, r.policies.Trust
	return out
}

// WithOrganization is s with the SCPs of one set and the RCPs of another in the place of its own, and nothing else of those; without
// any where they are nil. Like WithResource it compiles nothing: a server keeps one set of each for an account.
func (s *Set) WithOrganization(scps, rcps *Set) Set {
	var none Set
	if scps == nil {
		scps = &none
	}
	if rcps == nil {
		rcps = &none
	}
	out := *s
	out.groups[scpType], out.policies.SCPs = scps.groups[scpType], scps.policies.SCPs
	out.groups[rcpType], out.policies.RCPs = rcps.groups[rcpType], rcps.policies.RCPs
	return out
}

// group holds the compiled policies of one type. What its statements are made of stands in lists that all of them share, one for each
// kind of thing, so that a large policy is a few allocations.
type group struct {
	policies []Policy
	// namesPrincipals tells whether statements of the type have a Principal element.
	namesPrincipals bool
	levels          int
	// levelOf gives the level of each policy, and notes what is said of a level on which nothing allows.
	levelOf []int
	notes   []string
	// lost is the index of a policy without a document, which denies everything; -1 when there is none.
	lost int

	statements  []statement
	deny, allow index

	keys       []conditionKey
	principals []principal
	globs      []glob
	atoms      []atom
	steps      []step
	columns    []column

	literals  []string
	programs  []program
	templates []template
	texts     []text
	numbers   []number
	dates     []date
	blobs     []blob
	networks  []network
}

// conditionKey is a key that the group asks for.
type conditionKey struct {
	name string
	hash uint32
}

// span is a part of one of the lists of a group.
type span struct{ lo, hi uint32 }

// statement is a compiled statement.
type statement struct {
	policy, index      uint32 // where it stands
	level              uint32
	deny               bool
	who                presence
	action             presence
	resource           presence
	principals         span
	actions, resources span // of globs
	// steps are what must hold, the cheapest first: their order does not matter to whether all of them do. Those from indexed on are
	// conditions that the columns of the group know.
	steps   span
	indexed uint32
}

// step is an element of a statement, or one of its conditions.
type step struct {
	element elementKind
	atom    uint32 // of a condition
	place   uint32 // in the order of the text, in which explanations go
}

type elementKind uint8

const (
	principalElement elementKind = iota
	actionElement
	resourceElement
	conditionElement
)

// presence tells which element of a pair such as Action and NotAction a statement has.
type presence uint8

const (
	noElement presence = iota
	element
	notElement
)

// index finds the statements of one effect that an action may match.
type index struct {
	// exact holds, by lower-case name, the statements that list the action itself.
	exact map[string][]wordOfSet
	// patterns hold those that list actions with wildcards, by service; under "" where wildcards stand before the colon.
	patterns map[string][]actionPattern
	// others holds the rest, a bit for each: those with NotAction, or that cannot be understood. Without an index it holds all.
	others []uint64
	// empty tells that there is no statement of the effect.
	empty bool
}

// actionPattern is a pattern with the statements that list it: policies repeat a few of them.
type actionPattern struct {
	glob
	statements []wordOfSet
}

// wordOfSet is a word of a set of statements: the bits of those from 64*word on.
type wordOfSet struct {
	word uint32
	bits uint64
}

// with is the set with one more statement, the last.
func with(set []wordOfSet, id uint32) []wordOfSet {
	if n := len(set); n == 0 || set[n-1].word != id/64 {
		set = append(set, wordOfSet{word: id / 64})
	}
	set[len(set)-1].bits |= 1 << (id % 64)
	return set
}

// compiler makes a group.
type compiler struct {
	group *group
	// variables tells whether the document at hand has policy variables.
	variables bool
	keys      map[string]uint32 // by folded name
	atoms     map[string]uint32 // by nameOf
	actions   map[string]glob
	room      []byte // that patterns are written in
}

func compileOne(t PolicyType, p *Policy, many int) *group {
	if p == nil {
		return nil
	}
	return compileGroup(t, [][]Policy{{*p}}, many)
}

func compileSession(policies []Policy, many int) *group {
	if policies == nil {
		return nil
	}
	return compileGroup(SessionPolicy, [][]Policy{policies}, many)
}

func compileLevels(t PolicyType, levels [][]Policy, many int) *group {
	if levels == nil {
		return nil
	}
	g := compileGroup(t, levels, many)
	for i := range g.notes {
		g.notes[i] = fmt.Sprintf("nothing allows it on level %d of the organization", i)
	}
	return g
}

// compileGroup compiles the policies of one type, which must allow on every level.
func compileGroup(t PolicyType, levels [][]Policy, many int) *group {
	g := &group{namesPrincipals: t.namesPrincipals(), levels: len(levels), notes: make([]string, len(levels)), lost: -1}
	c := compiler{group: g, keys: make(map[string]uint32), atoms: make(map[string]uint32), actions: make(map[string]glob)}
	for level, policies := range levels {
		if len(policies) == 0 {
			g.notes[level] = "no policy is attached"
		}
		for _, p := range policies {
			g.policies, g.levelOf = append(g.policies, p), append(g.levelOf, level)
			if p.Document == nil {
				g.lost = len(g.policies) - 1
				continue
			}
			c.variables = p.Document.Version == policy.Version2012
			for i := range p.Document.Statements {
				c.statement(&p.Document.Statements[i], statement{
					policy: uint32(len(g.policies) - 1), index: uint32(i), level: uint32(level),
				})
			}
		}
	}
	byName := len(g.statements) >= many
	g.indexStatements(byName)
	if byName && len(g.statements) <= mostStatements {
		g.makeColumns(min(fewUsers, many))
	}
	return g
}

// statement compiles a statement; s tells where it stands.
func (c *compiler) statement(from *policy.Statement, s statement) {
	g := c.group
	s.deny = from.Effect != policy.Allow
	switch {
	case from.Principal != nil:
		s.who = element
		s.principals = c.principals(from.Principal)
	case from.NotPrincipal != nil:
		s.who = notElement
		s.principals = c.principals(from.NotPrincipal)
	}
	actions, resources := from.Action, from.Resource
	if from.NotAction != nil {
		actions = from.NotAction
	}
	if from.NotResource != nil {
		resources = from.NotResource
	}
	s.action = presenceOf(from.NotAction != nil, len(actions) > 0)
	s.resource = presenceOf(from.NotResource != nil, len(resources) > 0)
	s.actions = c.actionPatterns(actions)
	s.resources = c.patterns(resources, resourceDialect)

	s.steps.lo = uint32(len(g.steps))
	if g.namesPrincipals || s.who != noElement {
		g.steps = append(g.steps, step{element: principalElement, place: 0})
	}
	g.steps = append(g.steps, step{element: actionElement, place: 1}, step{element: resourceElement, place: 2})
	for i := range from.Condition {
		g.steps = append(g.steps, step{element: conditionElement, atom: c.atom(&from.Condition[i]), place: uint32(3 + i)})
	}
	s.steps.hi = uint32(len(g.steps))
	s.indexed = s.steps.hi
	slices.SortStableFunc(g.steps[s.steps.lo:s.steps.hi], func(a, b step) int { return cmp.Compare(g.cost(a, &s), g.cost(b, &s)) })
	g.statements = append(g.statements, s)
}

// cost estimates the work of a step. Who asks and for what action comes first, because it decides most often.
func (g *group) cost(st step, s *statement) int {
	switch st.element {
	case principalElement:
		return 0
	case actionElement:
		return 1
	case resourceElement:
		return 2 + g.costOf(s.resources)
	default:
		switch a := &g.atoms[st.atom]; a.family {
		case likeFamily:
			return 2 + g.costOf(a.span)
		case foldFamily, binaryFamily:
			return 2 + 4*int(a.hi-a.lo)
		default:
			return 2 + int(a.hi-a.lo)
		}
	}
}

// costOf estimates the work of matching patterns: comparisons of a few bytes each.
func (g *group) costOf(patterns span) int {
	cost := 0
	for _, p := range g.globs[patterns.lo:patterns.hi] {
		switch p.kind {
		case globExact, globPrefix, globSuffix:
			cost += 1 + len(g.literals[p.lo])/16
		case globSplit:
			cost += 4 * int(p.hi-p.lo)
		case globProgram, globTemplate, globPartial:
			cost += 16
		}
	}
	return cost
}

// presenceOf counts an empty list as no element: neither says anything (docs/DIFFERENCES.md).
func presenceOf(not, any bool) presence {
	switch {
	case !any:
		return noElement
	case not:
		return notElement
	default:
		return element
	}
}

// actionPatterns compiles patterns of actions, those with wildcards first, which match most. Equal ones become equal globs.
func (c *compiler) actionPatterns(patterns []policy.Text) span {
	lo := uint32(len(c.group.globs))
	var exact []glob
	for _, p := range patterns {
		text := lowerASCII(p.Value)
		compiled, ok := c.actions[text]
		if !ok {
			compiled = c.action(text)
			c.actions[text] = compiled
		}
		if compiled.kind == globExact {
			exact = append(exact, compiled)
		} else {
			c.group.globs = append(c.group.globs, compiled)
		}
	}
	c.group.globs = append(c.group.globs, exact...)
	return span{lo, uint32(len(c.group.globs))}
}

// action compiles a pattern of actions, in lower case: letters compare without regard to case. A pattern without a colon cannot be
// understood, but for "*" (iam.md A1). There are no variables.
func (c *compiler) action(text string) glob {
	if text != "*" && !strings.Contains(text, ":") {
		return glob{kind: globUnknown}
	}
	variables := c.variables
	c.variables = false
	defer func() { c.variables = variables }()
	return c.pattern(text, plainDialect)
}

// key gives the index of a condition key.
func (c *compiler) key(name string) uint32 {
	folded := FoldKey(name)
	if i, ok := c.keys[folded]; ok {
		return i
	}
	i := uint32(len(c.group.keys))
	c.group.keys = append(c.group.keys, conditionKey{name: name, hash: hashKey(name)})
	c.keys[folded] = i
	return i
}

// indexStatements makes the two indices.
func (g *group) indexStatements(byName bool) {
	for _, ix := range []*index{&g.deny, &g.allow} {
		ix.others, ix.empty = make([]uint64, (len(g.statements)+63)/64), true
		if byName {
			ix.exact, ix.patterns = make(map[string][]wordOfSet), make(map[string][]actionPattern)
		}
		places := make(map[glob]int)
		for i := range g.statements {
			if s := &g.statements[i]; s.deny == (ix == &g.deny) {
				ix.add(g, s, uint32(i), places)
			}
		}
	}
}

// add adds a statement; places are those of the patterns that are there.
func (ix *index) add(g *group, s *statement, id uint32, places map[glob]int) {
	ix.empty = false
	if ix.exact == nil || s.action != element {
		ix.others[id/64] |= 1 << (id % 64)
		return
	}
	for _, a := range g.globs[s.actions.lo:s.actions.hi] {
		switch a.kind {
		case globUnknown:
			ix.others[id/64] |= 1 << (id % 64)
		case globExact:
			name := g.literals[a.lo]
			ix.exact[name] = with(ix.exact[name], id)
		default:
			service := g.serviceOf(a)
			at, ok := places[a]
			if !ok {
				at = len(ix.patterns[service])
				places[a] = at
				ix.patterns[service] = append(ix.patterns[service], actionPattern{glob: a})
			}
			p := &ix.patterns[service][at]
			p.statements = with(p.statements, id)
		}
	}
}

// serviceOf is the service whose actions alone a pattern matches; "" where the pattern does not say it.
func (g *group) serviceOf(a glob) string {
	start := ""
	switch {
	case a.kind == globPrefix, a.kind == globSplit && !a.openStart:
		start = g.literals[a.lo]
	case a.kind == globProgram:
		start = g.programs[a.lo].prefix
	}
	service, _, ok := strings.Cut(start, ":")
	if !ok {
		return ""
	}
	return service
}
