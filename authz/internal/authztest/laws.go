package authztest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// CheckLaws makes a request and policies from the bytes and checks that decide obeys what must hold whatever they are: laws of a
// single decision, changes that must never allow more, and changes that must not matter. It stops at the first law that is broken.
func CheckLaws(t testing.TB, decide func(authz.Request, authz.Policies) authz.Decision, data []byte) {
	t.Helper()
	newCheck(t, decide, data).all()
}

// check is one request with policies under examination.
type check struct {
	testing.TB
	decide   func(authz.Request, authz.Policies) authz.Decision
	g        *Generator
	req      authz.Request
	policies authz.Policies
	// before is what decide says of them as they are.
	before authz.Decision
	// tried counts how often each law was tried.
	tried map[string]int
}

func newCheck(t testing.TB, decide func(authz.Request, authz.Policies) authz.Decision, data []byte) *check {
	c := &check{TB: t, decide: decide, g: NewGenerator(data), tried: map[string]int{}}
	c.req, c.policies = c.g.Request(), c.g.Policies()
	c.before = decide(c.req, c.policies)
	return c
}

func (c *check) all() {
	c.Helper()
	c.decisionIsSound()
	c.changesNeverWiden()
	c.limitsNeverWiden()
	c.grantsAreNeeded()
	c.statementsAreEquivalent()
	c.documentsAreEquivalent()
	c.policiesAreEquivalent()
	c.requestsAreEquivalent()
}

func (c *check) broken(law string, now authz.Decision, req authz.Request, p authz.Policies) {
	c.Helper()
	c.Fatalf("the law is broken: %s\n\n%s for\n%s\n%s for\n%s", law, Outcome(c.before), Describe(c.req, c.policies), Outcome(now),
		Describe(req, p))
}

// same wants the decision that there was, by the same type of policy.
func (c *check) same(law string, req authz.Request, p authz.Policies) {
	c.Helper()
	c.tried[law]++
	now := c.decide(req, p)
	if now.Allowed != c.before.Allowed || now.Explicit != c.before.Explicit || now.By != c.before.By {
		c.broken(law, now, req, p)
	}
}

// never wants no permission that there was not, and every explicit denial that there was.
func (c *check) never(law string, p authz.Policies) authz.Decision {
	c.Helper()
	c.tried[law]++
	now := c.decide(c.req, p)
	if now.Allowed && !c.before.Allowed || c.before.Explicit && !now.Explicit {
		c.broken(law, now, c.req, p)
	}
	return now
}

// decisionIsSound checks what the parts of a decision say of each other.
func (c *check) decisionIsSound() {
	c.Helper()
	d, sound := c.before, true
	switch {
	case d.Explicit:
		sound = !d.Allowed && d.Policy != nil && d.By != ""
	case d.Allowed:
		sound = d.Policy != nil && d.By != "" || c.req.Principal.Kind == authz.Root
	default:
		sound = d.Policy == nil && d.By != ""
	}
	if d.Policy != nil {
		doc, effect := d.Policy.Document, policy.Allow
		if d.Explicit {
			effect = policy.Deny
		}
		if doc == nil {
			sound = sound && d.Explicit && d.Statement == -1
		} else {
			sound = sound && d.Statement >= 0 && d.Statement < len(doc.Statements) && doc.Statements[d.Statement].Effect == effect
		}
	}
	sound = sound && d.CrossAccount == crossesAccounts(c.req)
	sound = sound && (d.Message(c.req) == "") == d.Allowed
	if !sound {
		c.Fatalf("the decision contradicts itself: %+v, for\n%s", d, Describe(c.req, c.policies))
	}
}

var arnAccount = regexp.MustCompile(`(?s)\Aarn:[^:]*:[^:]*:[^:]*:([0-9]{12})(:|\z)`)

// ownerOf is the account of a resource: as the request says, as its ARN says, or the caller's.
func ownerOf(req authz.Request) string {
	if req.ResourceAccount != "" {
		return req.ResourceAccount
	}
	if m := arnAccount.FindStringSubmatch(req.Resource); m != nil {
		return m[1]
	}
	return req.Principal.Account
}

func crossesAccounts(req authz.Request) bool {
	return hasAccount(req.Principal.Kind) && ownerOf(req) != req.Principal.Account
}

func hasAccount(kind authz.PrincipalKind) bool {
	switch kind {
	case authz.Root, authz.User, authz.AssumedRole, authz.FederatedUser:
		return true
	default:
		return false
	}
}

// changesNeverWiden adds denials and takes permissions away, one at a time, anywhere.
func (c *check) changesNeverWiden() {
	c.Helper()
	for i, at := range places(&c.policies) {
		if at.policy.Document == nil {
			continue
		}
		statements := at.policy.Document.Statements
		deny := c.g.Statement(policy.Deny, at.hasPrincipal())
		law := "adding a Deny never allows"
		changed := c.with(i, append(slices.Clone(statements), deny))
		if now := c.never(law, changed); !now.Explicit {
			c.same("a Deny that does not match changes nothing", c.req, changed)
		}
		for j, s := range statements {
			if s.Effect == policy.Allow {
				c.never("removing an Allow never allows", c.with(i, slices.Delete(slices.Clone(statements), j, j+1)))
			}
		}
	}
	if !c.before.Explicit {
		isDeny := func(s policy.Statement) bool { return s.Effect == policy.Deny }
		c.same("Denies that do not match change nothing", c.req, edited(c.policies, func(at place) {
			at.policy.Document = remade(at.policy.Document, slices.DeleteFunc(slices.Clone(at.policy.Document.Statements), isDeny))
		}))
	}
}

// limitsNeverWiden adds policies of the kinds that only limit.
func (c *check) limitsNeverWiden() {
	c.Helper()
	limit, withPrincipal := c.g.one(false), c.g.one(true)
	if c.policies.Boundary == nil {
		p := c.policies
		p.Boundary = limit
		c.never("a permissions boundary never allows", p)
	}
	// A federated-user session has no permissions without a session policy: there it is what grants them (iam.md D7).
	if c.policies.Session == nil && c.req.Principal.Kind != authz.FederatedUser {
		p := c.policies
		p.Session = []authz.Policy{*limit}
		c.never("a session policy never allows", p)
		p.Session = []authz.Policy{}
		c.never("a session that is given no policy is allowed no more", p)
	}
	if c.policies.VPCEndpoint == nil {
		p := c.policies
		p.VPCEndpoint = withPrincipal
		c.never("a VPC endpoint policy never allows", p)
	}
	// No levels at all deny, unless they are nil: there one more level is the first.
	if p := c.policies; p.SCPs == nil || len(p.SCPs) > 0 {
		p.SCPs = append(slices.Clone(p.SCPs), []authz.Policy{*limit})
		c.never("one more level of SCPs never allows", p)
	}
	if p := c.policies; p.RCPs == nil || len(p.RCPs) > 0 {
		p.RCPs = append(slices.Clone(p.RCPs), []authz.Policy{*withPrincipal})
		c.never("one more level of RCPs never allows", p)
	}
	// Policies for actions of STS become role trust policies, which need no Resource element.
	if p := c.policies; !strings.HasPrefix(strings.ToLower(c.req.Action), "sts:") {
		p.Trust = true
		c.never("a resource whose policy must allow is no more open", p)
	}
}

// grantsAreNeeded takes away what nobody is allowed without (iam.md D3, D4, D5, D9, D10, D12).
func (c *check) grantsAreNeeded() {
	c.Helper()
	caller := c.req.Principal
	isRoot, crossAccount := caller.Kind == authz.Root, c.before.CrossAccount
	denies := func(law string, applies bool, change func(*authz.Policies)) {
		c.Helper()
		if !applies {
			return
		}
		c.tried[law]++
		p := c.policies
		change(&p)
		if now := c.decide(c.req, p); now.Allowed {
			c.broken(law, now, c.req, p)
		}
	}
	nothing := []authz.Policy{}
	none := authz.Policy{Name: "none", Document: &policy.Document{Version: policy.Version2012, HasVersion: true}}
	denies("without identity-based and resource-based policies nobody but root is allowed", !isRoot || crossAccount,
		func(p *authz.Policies) { p.Identity, p.Resource = nil, nil })
	denies("without the resource's policy it is closed to other accounts, and where it must allow",
		crossAccount || c.policies.Trust || !hasAccount(caller.Kind), func(p *authz.Policies) { p.Resource = nil })
	denies("without identity-based policies other accounts are closed", crossAccount && !isRoot,
		func(p *authz.Policies) { p.Identity = nil })
	denies("a boundary that allows nothing limits what identity-based policies allow", !isRoot,
		func(p *authz.Policies) { p.Boundary, p.Resource = &none, nil })
	denies("session policies that allow nothing limit what identity-based policies allow", !isRoot,
		func(p *authz.Policies) { p.Session, p.Resource = nothing, nil })
	denies("a level without SCPs denies", hasAccount(caller.Kind) && !caller.ServiceLinked,
		func(p *authz.Policies) { p.SCPs = append(slices.Clone(p.SCPs), nothing) })
	denies("a level without RCPs denies", !caller.ServiceLinked,
		func(p *authz.Policies) { p.RCPs = append(slices.Clone(p.RCPs), nothing) })
	denies("a VPC endpoint policy that allows nothing denies", true, func(p *authz.Policies) { p.VPCEndpoint = &none })
	denies("a policy without a document denies", true, func(p *authz.Policies) { p.Resource = &authz.Policy{Name: "lost"} })
}

// with gives the policies with other statements in the document of the place.
func (c *check) with(index int, statements []policy.Statement) authz.Policies {
	p := clone(c.policies)
	at := places(&p)[index]
	at.policy.Document = remade(at.policy.Document, statements)
	return p
}

// edited gives the policies, each of which edit may have changed. Policies without a document are left alone.
func edited(p authz.Policies, edit func(place)) authz.Policies {
	p = clone(p)
	for _, at := range places(&p) {
		if at.policy.Document != nil {
			edit(at)
		}
	}
	return p
}

// remade is a document with other statements, parsed anew so that all positions are those of its text.
func remade(doc *policy.Document, statements []policy.Statement) *policy.Document {
	changed := *doc
	changed.Statements = statements
	if len(statements) == 0 {
		changed.Source = nil
		return &changed
	}
	return parsed(string(policy.Print(&changed)))
}

// clone copies everything but the documents.
func clone(p authz.Policies) authz.Policies {
	single := func(q *authz.Policy) *authz.Policy {
		if q == nil {
			return nil
		}
		copied := *q
		return &copied
	}
	levels := func(in [][]authz.Policy) [][]authz.Policy {
		out := slices.Clone(in)
		for i := range out {
			out[i] = slices.Clone(out[i])
		}
		return out
	}
	p.Identity, p.Session = slices.Clone(p.Identity), slices.Clone(p.Session)
	p.SCPs, p.RCPs = levels(p.SCPs), levels(p.RCPs)
	p.Boundary, p.Resource, p.VPCEndpoint = single(p.Boundary), single(p.Resource), single(p.VPCEndpoint)
	return p
}
