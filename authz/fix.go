package authz

import (
	"slices"
	"strings"

	"github.com/licet/licet/policy"
)

// Fix is the least that would let a denied request pass.
type Fix struct {
	// Changes to make, all of them, in the order in which they were found necessary.
	Changes []Change `json:"changes"`
	// Verified is true when the request, judged again with every change applied, is allowed.
	Verified bool `json:"verified"`
	// Note says what no change of policies can mend.
	Note string `json:"note,omitempty"`
}

// ChangeKind is what a Change does.
type ChangeKind string

// The kinds of change.
const (
	// AddStatement: no policy of the type allows the request, and Statement would.
	AddStatement ChangeKind = "add-statement"
	// RemoveStatement: a Deny statement must go.
	RemoveStatement ChangeKind = "remove-statement"
	// MeetCondition: an Allow statement lacks nothing but one condition. The request must meet it, or the statement give it up.
	MeetCondition ChangeKind = "meet-condition"
)

// Change is one step of a Fix.
type Change struct {
	Kind ChangeKind `json:"kind"`
	Type PolicyType `json:"type"`
	// Policy to change; nil when the statement may go into any policy of the type, or into a new one.
	Policy *Policy `json:"policy,omitempty"`
	// Level of the organization, for SCPs and RCPs.
	Level int `json:"level,omitempty"`
	// Statement is the JSON text to add: it allows exactly this request. For MeetCondition it is the other way to the same end.
	Statement string `json:"statement,omitempty"`
	// Sid and At point at the statement to remove, or whose condition fails.
	Sid string           `json:"sid,omitempty"`
	At  *policy.Position `json:"at,omitempty"`
	// Condition that failed, for MeetCondition.
	Condition *ConditionTrace `json:"condition,omitempty"`
	// Nearest is the Allow statement of the type that came closest to matching, for AddStatement; nil when none is about the service.
	Nearest *Nearest `json:"nearest,omitempty"`
}

// Nearest is a statement that nearly allows a request.
type Nearest struct {
	Policy Policy          `json:"policy"`
	Sid    string          `json:"sid,omitempty"`
	At     policy.Position `json:"at"`
	// Failed is the first element that did not match.
	Failed Mismatch `json:"failed"`
}

// maxChanges bounds the search. A request needs one change for each Deny that matches and each type that lacks an Allow.
const maxChanges = 64

// maxTried bounds how many statements are tried without their condition for one change: each is a decision by all policies.
const maxTried = 16

// SmallestFix finds what would let the request pass; nil when it passes. It decides again after each change, and changes only what
// the decision names, so that every change is necessary. It grants this action on this resource to this caller, no more. It does not
// propose to get round the caller's own policies by a grant in the resource's, which most resources do not have (iam.md D6).
func SmallestFix(req Request, p Policies) *Fix {
	s := fixer{req: req}
	d := s.decide(p)
	if d.Allowed {
		return nil
	}
	fix := &Fix{Changes: []Change{}}
	for len(fix.Changes) < maxChanges && !d.Allowed {
		change, changed, ok := s.next(p, d)
		if !ok {
			fix.Note = d.Note
			break
		}
		p, d = changed, s.decide(changed)
		fix.Changes = append(fix.Changes, change)
	}
	fix.Verified = d.Allowed
	return fix
}

type fixer struct{ req Request }

// decide makes a decision with its trace.
func (s fixer) decide(p Policies) Decision { return Compile(p).Trace(&s.req) }

// next finds one change and the policies with it made. It is false when none helps.
func (s fixer) next(p Policies, d Decision) (Change, Policies, bool) {
	if d.Explicit {
		return s.remove(p, d)
	}
	for _, typ := range []PolicyType{d.By, ResourceBasedPolicy} {
		if change, changed, ok := s.meetCondition(p, d, typ); ok {
			return change, changed, true
		}
	}
	return s.add(p, d)
}

// remove takes out the Deny statement that decided.
func (s fixer) remove(p Policies, d Decision) (Change, Policies, bool) {
	if d.Policy == nil || d.Policy.Document == nil {
		return Change{}, p, false
	}
	doc := *d.Policy.Document
	statement := doc.Statements[d.Statement]
	at := doc.Position(statement.Span.Start)
	change := Change{Kind: RemoveStatement, Type: d.By, Policy: d.Policy, Level: levelOfDeny(d), Sid: statement.Sid, At: &at}
	doc.Statements = slices.Delete(slices.Clone(doc.Statements), d.Statement, d.Statement+1)
	return change, p.with(*d.Policy, &doc), true
}

// levelOfDeny is the first level of the type that denied on which the policy that decided stands; 0 for types without levels.
func levelOfDeny(d Decision) int {
	for _, t := range d.Types {
		for _, pt := range t.Policies {
			if t.Type == d.By && pt.Verdict == ExplicitDeny && pt.Policy.Document == d.Policy.Document {
				return pt.Level
			}
		}
	}
	return 0
}

// meetCondition finds an Allow statement of the type that would help if it had one condition less.
func (s fixer) meetCondition(p Policies, d Decision, typ PolicyType) (Change, Policies, bool) {
	tried := 0
	for _, t := range d.Types {
		if t.Type != typ {
			continue
		}
		for _, pt := range t.Policies {
			for _, st := range pt.Statements {
				if st.Effect != policy.Allow || st.Failed == nil || st.Failed.Element != "Condition" {
					continue
				}
				if tried++; tried > maxTried {
					return Change{}, p, false
				}
				failed := len(st.Conditions) - 1
				changed := p.with(pt.Policy, withoutCondition(pt.Policy.Document, st.Index, failed))
				if s.helps(d, changed) {
					change := Change{Kind: MeetCondition, Type: typ, Policy: &pt.Policy, Level: pt.Level, Sid: st.Sid, At: &st.At,
						Condition: &st.Conditions[failed], Statement: statementFor(s.req, typ, pt.Policy.Document.Version)}
					return change, changed, true
				}
			}
		}
	}
	return Change{}, p, false
}

// helps tells whether the changed policies allow, or fail for another reason only: another type, or a later level of this one.
func (s fixer) helps(d Decision, changed Policies) bool {
	next := s.decide(changed)
	if next.Explicit {
		return false
	}
	return next.Allowed || next.By != d.By || firstLevelWithoutAllow(next) != firstLevelWithoutAllow(d)
}

func withoutCondition(doc *policy.Document, statement, condition int) *policy.Document {
	out := *doc
	out.Statements = slices.Clone(doc.Statements)
	st := &out.Statements[statement]
	st.Condition = slices.Delete(slices.Clone(st.Condition), condition, condition+1)
	return &out
}

// add lets the type that the denial names allow the request.
func (s fixer) add(p Policies, d Decision) (Change, Policies, bool) {
	version := policy.Version2012
	if old := p.only(d.By); old != nil && old.Document != nil && old.Document.Version != version {
		version = policy.Version2008
	}
	text := statementFor(s.req, d.By, version)
	doc, err := policy.Parse([]byte(`{"Version":"` + string(version) + `","Statement":[` + text + `]}`))
	if err != nil {
		return Change{}, p, false // the request names what no policy can
	}
	change := Change{Kind: AddStatement, Type: d.By, Statement: text, Nearest: nearest(s.req, d)}
	added := Policy{Name: "fix", Document: doc}
	switch d.By {
	case IdentityBasedPolicy:
		p.Identity = append(slices.Clone(p.Identity), added)
	case SessionPolicy:
		p.Session = append(slices.Clone(p.Session), added)
	case ServiceControlPolicy:
		change.Level = firstLevelWithoutAllow(d)
		p.SCPs = addAt(p.SCPs, change.Level, added)
	case ResourceControlPolicy:
		change.Level = firstLevelWithoutAllow(d)
		p.RCPs = addAt(p.RCPs, change.Level, added)
	case PermissionsBoundary:
		p.Boundary, change.Policy = extend(p.Boundary, added), p.Boundary
	case VPCEndpointPolicy:
		p.VPCEndpoint, change.Policy = extend(p.VPCEndpoint, added), p.VPCEndpoint
	default:
		p.Resource, change.Policy = extend(p.Resource, added), p.Resource
	}
	return change, p, s.helps(d, p)
}

// only is the policy of a type of which there is at most one.
func (p Policies) only(t PolicyType) *Policy {
	switch t {
	case PermissionsBoundary:
		return p.Boundary
	case VPCEndpointPolicy:
		return p.VPCEndpoint
	case ResourceBasedPolicy, RoleTrustPolicy:
		return p.Resource
	default:
		return nil
	}
}

// nearest finds the Allow statement that came furthest, of the type and on the level that denied.
func nearest(req Request, d Decision) *Nearest {
	var found *Nearest
	best, level := 0, firstLevelWithoutAllow(d)
	for _, t := range d.Types {
		for _, pt := range t.Policies {
			for _, st := range pt.Statements {
				if t.Type != d.By || pt.Level != level || st.Effect != policy.Allow || st.Failed == nil {
					continue
				}
				if n := nearness(req, st); n > best {
					best = n
					found = &Nearest{Policy: pt.Policy, Sid: st.Sid, At: st.At, Failed: *st.Failed}
				}
			}
		}
	}
	return found
}

// nearness is how far a statement came; 0 when it is about something else.
func nearness(req Request, st StatementTrace) int {
	service, _, _ := strings.Cut(strings.ToLower(req.Action), ":")
	switch st.Failed.Element {
	case "Action":
		if slices.ContainsFunc(st.Failed.Want, func(w string) bool { return strings.HasPrefix(strings.ToLower(w), service+":") }) {
			return 1
		}
		return 0
	case "Resource", "NotResource":
		return 2
	case "Condition":
		return 3 + len(st.Conditions)
	default:
		return 0
	}
}

// firstLevelWithoutAllow is the first level of the type that denied on which no policy allows; 0 for types without levels.
func firstLevelWithoutAllow(d Decision) int {
	level := 0
	if !d.By.hasLevels() {
		return level
	}
	for _, t := range d.Types {
		for _, pt := range t.Policies {
			if t.Type == d.By && pt.Verdict == Allowed && pt.Level == level {
				level++
			}
		}
	}
	return level
}

func addAt(levels [][]Policy, level int, p Policy) [][]Policy {
	if len(levels) == 0 {
		return [][]Policy{{p}}
	}
	levels = slices.Clone(levels)
	levels[level] = append(slices.Clone(levels[level]), p)
	return levels
}

// extend gives a policy the statements of another.
func extend(p *Policy, by Policy) *Policy {
	if p == nil {
		return &by
	}
	doc := *p.Document
	doc.Statements = append(slices.Clone(doc.Statements), by.Document.Statements...)
	return &Policy{ARN: p.ARN, Name: p.Name, Document: &doc}
}

// with replaces the document of a policy wherever the policy stands. Others may have the same document: equal texts are parsed once.
func (p Policies) with(old Policy, doc *policy.Document) Policies {
	swap := func(q Policy) Policy {
		if q == old {
			q.Document = doc
		}
		return q
	}
	one := func(q *Policy) *Policy {
		if q == nil {
			return nil
		}
		swapped := swap(*q)
		return &swapped
	}
	list := func(qs []Policy) []Policy {
		qs = slices.Clone(qs)
		for i := range qs {
			qs[i] = swap(qs[i])
		}
		return qs
	}
	levels := func(in [][]Policy) [][]Policy {
		in = slices.Clone(in)
		for i := range in {
			in[i] = list(in[i])
		}
		return in
	}
	p.Identity, p.Session = list(p.Identity), list(p.Session)
	p.Boundary, p.Resource, p.VPCEndpoint = one(p.Boundary), one(p.Resource), one(p.VPCEndpoint)
	p.SCPs, p.RCPs = levels(p.SCPs), levels(p.RCPs)
	return p
}
