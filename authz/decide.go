package authz

import (
	"math/bits"
	"strings"
	"sync"
)

// Decide says whether the policies let the request pass, and which statement decided. The decision has no trace (Decision.Types):
// that is what Explain is for, which takes the same way with everything written down. Decide allocates nothing, as long as no
// condition compares without regard to case, or as booleans, with a text that several variables make up.
//
// It never fails: what cannot be decided is denied.
func (s *Set) Decide(req *Request) (d Decision) {
	sc := scratches.Get().(*scratch)
	defer scratches.Put(sc)
	e := evaluation{set: s, req: req, scratch: sc}
	e.decide(&d)
	return d
}

// decide asks each type of policy, in the order in which denials are reported, and combines what they say in d, which is zero. (What
// returns a Decision copies it, which for most of them takes longer than to make it.) An explicit denial ends it: "If the enforcement
// code finds even one explicit deny that applies, the code returns a final decision of Deny" (iam.md D1, D2).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
func (e *evaluation) decide(d *Decision) {
	e.begin()
	var v verdicts
	for i := range v {
		v[i].typ = typeIndex(i)
		e.ask(&v[i])
		if v[i].verdict == ExplicitDeny && e.trace == nil {
			break
		}
	}
	c := combination{e: e, v: &v, d: d}
	c.decide()
	if e.trace != nil {
		d.Types = e.traced(&c, &v)
	}
}

// typeIndex numbers the types of policy in the order of evaluation, which is the order in which a denial is reported (iam.md D2, M3).
type typeIndex uint8

const (
	rcpType typeIndex = iota
	scpType
	endpointType
	resourceType
	identityType
	boundaryType
	sessionType
	typeCount
)

// verdicts holds what each type of policy says, each on its own.
type verdicts [typeCount]verdictOf

// verdictOf is what one type of policy says.
type verdictOf struct {
	typ typeIndex
	// verdict is "" for a type that says nothing: NotApplicable.
	verdict Verdict
	group   *group
	// deny and allow are the statements that decided: 1 + their index in the group, 0 for none.
	deny, allow uint32
	// kind is how the statement allow named the caller: of those that allow, the first whose grant the fewest other policies limit.
	kind MatchKind
	// level is the first level of the organization on which nothing has allowed yet.
	level int
}

// ask lets one type of policy speak, if it binds the caller. Nobody acts without the types that a caller must have.
func (e *evaluation) ask(v *verdictOf) {
	g := e.set.groups[v.typ]
	if e.trace != nil {
		e.trace.types = append(e.trace.types, TypeTrace{Type: e.typeOf(v.typ)})
	}
	switch {
	case g == nil && !e.req.Principal.needs(v.typ), exemption(&e.req.Principal, v.typ) != "":
	case g == nil:
		v.verdict = ImplicitDeny
	default:
		v.group = g
		e.judge(v)
	}
}

// needs tells which types of policy a caller needs, so that none of them is a denial: identity-based ones and, in a session of
// GetFederationToken, those of the session, which has the permissions that these name, and none without (iam.md D7).
func (p *Principal) needs(i typeIndex) bool {
	return i == identityType || i == sessionType && p.Kind == FederatedUser
}

// typeOf names a type of policy. The resource's policy is a role's trust policy where sts actions are judged by it; other policies
// without which nobody has access, such as those of KMS keys, are called resource-based.
func (e *evaluation) typeOf(i typeIndex) PolicyType {
	if e.isTrust(i) {
		return RoleTrustPolicy
	}
	return typeNames[i]
}

func (e *evaluation) isTrust(i typeIndex) bool {
	return i == resourceType && e.set.policies.Trust && strings.HasPrefix(e.action(), "sts:")
}

// typeNames are the types of policy in the order of evaluation.
var typeNames = [typeCount]PolicyType{
	ResourceControlPolicy, ServiceControlPolicy, VPCEndpointPolicy, ResourceBasedPolicy, IdentityBasedPolicy, PermissionsBoundary,
	SessionPolicy,
}

// absences are what is said of a type that has no policy.
var absences = [typeCount]string{
	"no resource-control policies", "no service-control policies", "no vpc-endpoint policy", "no resource-based policy",
	"no policy is attached", "no permissions-boundary policy", "no session policy",
}

// noteOn says why a type of policy does not allow, where no statement says it; "" where one does.
func (e *evaluation) noteOn(v *verdictOf) string {
	g, caller := e.set.groups[v.typ], &e.req.Principal
	note := exemption(caller, v.typ)
	switch {
	case note != "":
		return note
	case g == nil && v.typ == sessionType && caller.needs(v.typ):
		return "no session policy was passed to GetFederationToken"
	case g == nil && e.isTrust(v.typ):
		return "no role-trust policy"
	case g == nil:
		return absences[v.typ]
	case v.verdict != ImplicitDeny:
		return ""
	case g.levels == 0:
		return "no policy is attached"
	default:
		return g.notes[v.level]
	}
}

// exemption says why a type of policy does not bind this kind of caller; "" when it does.
func exemption(p *Principal, i typeIndex) string {
	own := i == identityType || i == boundaryType || i == sessionType
	switch {
	case p.ServiceLinked && (i == scpType || i == rcpType):
		// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html and …_rcps.html: neither restricts
		// service-linked roles (iam.md D10).
		return "service-linked roles are exempt"
	case own && i != sessionType && p.isRoot(): // iam.md D3
		return "the account root needs no permission"
	case (own || i == scpType) && !p.hasAccount(): // iam.md D13, D14, T3
		return "the caller is no identity of an account"
	default:
		return ""
	}
}

// isRoot tells the root user, and the federated user whom a root user has made: session policies alone limit these.
func (p *Principal) isRoot() bool {
	return p.Kind == Root || p.Kind == FederatedUser && strings.HasSuffix(p.IssuerARN, ":root")
}

// evaluation is one request being compared with policies.
type evaluation struct {
	set *Set
	req *Request
	// typ and group are what is being evaluated; trust tells that it is a role's trust policy.
	typ   typeIndex
	trust bool
	group *group
	// indexed tells that the columns of the group know what is left of the statements.
	indexed bool
	scratch *scratch
	// trace, if set, is written down.
	trace *trace
}

// scratch is the memory that evaluations share, one after the other.
type scratch struct {
	// outcomes hold 1 + the truth of each atom of the group that was evaluated, keys what is known of each of its keys.
	outcomes []uint8
	keys     []keyValue
	// ruledOut, candidates and listed have a bit for each statement of the group.
	ruledOut, candidates, listed []uint64
	// values are what stands at the parts of the template at hand.
	values []string
	bytes  []byte
	places places
	// raw and folded are the last action and its lower-case form, service what that names before its colon.
	raw, folded, service string
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// enter makes ready for a group.
func (e *evaluation) enter(g *group) {
	e.group = g
	sc := e.scratch
	if len(sc.outcomes) < len(g.atoms) {
		sc.outcomes = make([]uint8, len(g.atoms))
	}
	clear(sc.outcomes[:len(g.atoms)])
	if len(sc.keys) < len(g.keys) {
		sc.keys = make([]keyValue, len(g.keys))
	}
	for i := range g.keys {
		sc.keys[i].state = notLookedUp
	}
}

// begin makes ready for a request. The last action is remembered in lower case, for a server is asked the same again and again.
func (e *evaluation) begin() {
	if sc := e.scratch; sc.raw != e.req.Action {
		sc.raw, sc.folded = e.req.Action, lowerASCII(e.req.Action)
		sc.service, _, _ = strings.Cut(sc.folded, ":")
	}
}

// action is that of the request, in lower case.
func (e *evaluation) action() string { return e.scratch.folded }

// bounded tells whether the caller has a permissions boundary.
func (e *evaluation) bounded() bool { return e.set.policies.Boundary != nil }

// judge evaluates the policies of one type.
func (e *evaluation) judge(v *verdictOf) {
	g := v.group
	e.typ, e.trust = v.typ, e.isTrust(v.typ)
	e.enter(g)
	if e.trace != nil {
		e.traceAll(v)
	} else {
		e.search(v)
	}
	switch {
	case g.lost >= 0 || v.deny != 0:
		v.verdict = ExplicitDeny
	case g.levels > 0 && v.level == g.levels:
		v.verdict = Allowed
	default:
		v.verdict = ImplicitDeny
	}
}

// search looks for the first Deny that matches and, if there is none, for those that allow.
func (e *evaluation) search(v *verdictOf) {
	e.sweep()
	g := v.group
	for c := e.candidates(&g.deny); e.next(&c); {
		s := &g.statements[c.id]
		if matched, kind := e.matches(s, c.listed); matched {
			v.see(s, c.id, kind)
			return
		}
	}
	for c := e.candidates(&g.allow); !v.settled() && e.next(&c); {
		s := &g.statements[c.id]
		if matched, kind := e.matches(s, c.listed); matched {
			v.see(s, c.id, kind)
		}
	}
}

// candidates are statements that may match, one after the other in the order of the text.
type candidates struct {
	// id is the statement at hand; listed tells that it lists the action itself.
	id     uint32
	listed bool
	rest   uint64 // of the word
	word   int
}

// candidates finds the statements of an index that the action may match and that have not been ruled out.
func (e *evaluation) candidates(ix *index) candidates {
	sc := e.scratch
	if ix.empty {
		sc.candidates = sc.candidates[:0]
		return candidates{word: -1}
	}
	sc.candidates = append(sc.candidates[:0], ix.others...)
	sc.listed = appendZeros(sc.listed[:0], len(ix.others))
	if ix.exact != nil {
		sc.list(ix.exact[sc.folded])
		e.match(ix.patterns[""])
		e.match(ix.patterns[sc.service])
	}
	for w, out := range sc.ruledOut {
		sc.candidates[w] &^= out
	}
	return candidates{word: -1}
}

// match lists the statements of the patterns that the action matches.
func (e *evaluation) match(patterns []actionPattern) {
	for i := range patterns {
		if p := &patterns[i]; e.glob(&p.glob, e.action()) == yes {
			e.scratch.list(p.statements)
		}
	}
}

// list makes statements that list the action candidates.
func (sc *scratch) list(statements []wordOfSet) {
	for _, in := range statements {
		sc.candidates[in.word] |= in.bits
		sc.listed[in.word] |= in.bits
	}
}

func (e *evaluation) next(c *candidates) bool {
	for c.rest == 0 {
		if c.word++; c.word == len(e.scratch.candidates) {
			return false
		}
		c.rest = e.scratch.candidates[c.word]
	}
	i := bits.TrailingZeros64(c.rest)
	c.rest &= c.rest - 1
	c.id = uint32(c.word*64 + i)
	c.listed = e.scratch.listed[c.word]>>i&1 != 0
	return true
}

// see takes in a statement that matches. Statements come in the order of their levels.
func (v *verdictOf) see(s *statement, id uint32, kind MatchKind) {
	switch {
	case s.deny:
		if v.deny == 0 {
			v.deny = id + 1
		}
		return
	case v.allow == 0, kind.strength() > v.kind.strength():
		v.allow, v.kind = id+1, kind
	}
	if int(s.level) == v.level {
		v.level++
	}
}

// settled tells whether no further Allow can matter.
func (v *verdictOf) settled() bool {
	return v.level == v.group.levels && (v.kind == MatchDirect || v.typ != resourceType)
}
