package terraform

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/landscape"
)

// state is what is gathered while a plan is read.
type state struct {
	roles, users map[string]*landscape.Principal // by name
	groups       map[string]*group               // by name
	members      map[string][]string             // names of a user's groups
	managed      map[string]landscape.Policy     // by ARN
	owners       map[string]*landscape.Resource  // by ARN
	statements   map[string][]any                // of functions and layers, by ARN
	// own are policies in the arguments of a resource, apart those that are resources themselves, which go before them. By ARN.
	own, apart map[string]landscape.Policy
	destroyed  map[string]bool // ARNs of what loses its policy
	// elsewhere are, by the role, its policies that are resources of their own: inline ones by name, managed ones by ARN. What a plan tells of
	// the role has them as they are now, which is not as they will be.
	elsewhere map[string]map[string]bool
	documents map[*instance]string // data sources that were written
	sids      map[[2]string]bool   // ARNs with the Sids of their statements
	anybodys  bool                 // a policy is given to nobody knows whom
	// nobodys are policies of which nobody knows which resource of a type they are of, by the type; loose are such statements for functions.
	nobodys map[string]string
	loose   []any
}

// group is what its members have.
type group struct{ policies []landscape.Policy }

func newState() state {
	return state{
		roles: make(map[string]*landscape.Principal), users: make(map[string]*landscape.Principal), groups: make(map[string]*group),
		members: make(map[string][]string), managed: make(map[string]landscape.Policy), owners: make(map[string]*landscape.Resource),
		statements: make(map[string][]any), own: make(map[string]landscape.Policy), apart: make(map[string]landscape.Policy),
		destroyed: make(map[string]bool), elsewhere: make(map[string]map[string]bool), documents: make(map[*instance]string),
		sids: make(map[[2]string]bool), nobodys: make(map[string]string),
	}
}

// policyOf is the policy in an argument; ok is false when there is none.
func (p *plan) policyOf(r *instance, b block, argument, name, arn string) (policy landscape.Policy, ok bool) {
	text := p.valueText(b, argument)
	if text == "" {
		return policy, false
	}
	if member(b.unknown, argument) == true && !isDocument(text) { // it refers to something that it has in it
		text = landscape.Unknown(b.address + "." + argument)
	}
	return p.parsed(r, text, name, arn), true
}

func isDocument(text string) bool {
	var d map[string]any
	return json.Unmarshal([]byte(text), &d) == nil && d["Statement"] != nil
}

func (p *plan) parsed(r *instance, text, name, arn string) landscape.Policy {
	var tree any
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		if !landscape.IsUnknown(text) {
			p.fail(r, "%s is not JSON: %v", name, err)
		}
		p.note(r, "The policy %s is known only after the plan was applied: refer to names in it, not to ARNs that AWS makes, "+
			"or write it as data aws_iam_policy_document", name)
		return landscape.Anything(name, text)
	}
	policy, err := landscape.NewPolicy(name, arn, tree)
	if err != nil {
		p.fail(r, "%s: %v", name, err)
	}
	return policy
}

func (p *plan) role(r *instance) {
	who := p.principal(r, authz.AssumedRole, p.roles)
	if trust, ok := p.policyOf(r, r.block(), "assume_role_policy", "trust policy of "+r.Address, ""); ok {
		who.Trust = &trust
	}
	elsewhere := p.elsewhere[p.text(r, "name")]
	for _, b := range r.block().blocks("inline_policy") {
		own := p.valueText(b, "name")
		if !r.configured("inline_policy") && (b.unknown == true || elsewhere["inline "+own]) {
			continue
		}
		if policy, ok := p.policyOf(r, b, "policy", r.Address+"/"+landscape.Shown(own), ""); ok {
			who.Policies = append(who.Policies, policy)
		}
	}
	if !r.configured("managed_policy_arns") && member(r.unknown, "managed_policy_arns") == true {
		return
	}
	for _, arn := range p.listed(r.block(), "managed_policy_arns") {
		if r.configured("managed_policy_arns") || !elsewhere[arn] {
			who.Policies = append(who.Policies, p.attached(r, arn))
		}
	}
}

// noteElsewhere gathers elsewhere, by the names that the plan has before and after.
func (p *plan) noteElsewhere() {
	for i := range p.doc.ResourceChanges {
		c := &p.doc.ResourceChanges[i]
		for _, values := range []map[string]any{c.Change.Before, c.Change.After} {
			what := "inline " + asText(values["name"])
			switch c.Type {
			case "aws_iam_role_policy":
			case "aws_iam_role_policy_attachment":
				what = asText(values["policy_arn"])
			default:
				continue
			}
			role := asText(values["role"])
			if p.elsewhere[role] == nil {
				p.elsewhere[role] = make(map[string]bool)
			}
			p.elsewhere[role][what] = true
		}
	}
}

func (p *plan) user(r *instance) { p.principal(r, authz.User, p.users) }

// principal is a role or user with what they have in common.
func (p *plan) principal(r *instance, kind authz.PrincipalKind, among map[string]*landscape.Principal) *landscape.Principal {
	name := p.text(r, "name")
	who := &landscape.Principal{At: landscape.Place{File: p.file}, Kind: kind, ARN: p.text(r, "arn"), Names: []string{r.Address}, Tags: p.tags(r)}
	if !landscape.IsUnknown(name) && name != "" {
		who.Names = append(who.Names, name)
	}
	if arn := p.text(r, "permissions_boundary"); arn != "" {
		boundary := p.attached(r, arn)
		who.Boundary = &boundary
	}
	among[name] = who
	p.out.Principals = append(p.out.Principals, who)
	return who
}

func (p *plan) group(r *instance) { p.groups[p.text(r, "name")] = &group{} }

// managedPolicy is a policy that can be attached: one of the plan's, or one that exists.
func (p *plan) managedPolicy(r *instance) {
	arn := p.text(r, "arn")
	if policy, ok := p.policyOf(r, r.block(), "policy", r.Address, arn); ok && arn != "" {
		policy.ARN = arn
		p.managed[arn] = policy
	}
}

// attached is a managed policy by its ARN: AWS's, the plan's, or one that is not known.
func (p *plan) attached(r *instance, arn string) landscape.Policy {
	if policy, ok := p.managed[arn]; ok {
		return policy
	}
	short := arn[strings.LastIndexByte(arn, '/')+1:]
	if p.ManagedPolicy != nil {
		if text, ok := p.ManagedPolicy(strings.Replace(arn, "arn:"+p.Partition+":iam::aws:", "arn:aws:iam::aws:", 1)); ok {
			p.managed[arn] = p.parsed(r, text, short, arn)
			return p.managed[arn]
		}
	}
	p.note(r, "The managed policy %s is not declared here", arn)
	return landscape.Anything(landscape.Shown(short), "the managed policy "+landscape.Shown(arn)+" is not declared here")
}

// inline reads a resource that gives one principal a document.
func inline(whom string) func(*plan, *instance) {
	return func(p *plan, r *instance) {
		name := r.Address
		if own := p.text(r, "name"); own != "" && !landscape.IsUnknown(own) {
			name += "/" + own
		}
		if policy, ok := p.policyOf(r, r.block(), "policy", name, ""); ok {
			p.give(r, whom, p.text(r, whom), policy)
		}
	}
}

// attachment reads a resource that gives one principal a managed policy.
func attachment(whom string) func(*plan, *instance) {
	return func(p *plan, r *instance) { p.give(r, whom, p.text(r, whom), p.attached(r, p.text(r, "policy_arn"))) }
}

// attachments is aws_iam_policy_attachment: a policy for several.
func (p *plan) attachments(r *instance) {
	policy := p.attached(r, p.text(r, "policy_arn"))
	for _, whom := range []string{"role", "user", "group"} {
		for _, name := range p.listed(r.block(), whom+"s") {
			p.give(r, whom, name, policy)
		}
	}
}

// give gives a policy to a role, user or group.
func (p *plan) give(r *instance, whom, name string, policy landscape.Policy) {
	who, g := p.roles[name], p.groups[name]
	switch whom {
	case "user":
		who, g = p.users[name], nil
	case "group":
		who = nil
	default:
		g = nil
	}
	switch {
	case who != nil:
		who.Policies = append(who.Policies, policy)
	case g != nil:
		g.policies = append(g.policies, policy)
	case landscape.IsUnknown(name):
		p.note(r, "To which %s the policy %s is given is not known", whom, policy.Name)
		for _, who := range p.out.Principals { // it may be anybody's
			if !p.anybodys {
				who.Policies = append(who.Policies, landscape.Anything(policy.Name, "to which "+whom+" it is given"))
			}
		}
		p.anybodys = true
		p.out.Given = append(p.out.Given, landscape.Given{Kind: cmp.Or(kindOf[whom], authz.User), Name: name, Policy: policy})
	default:
		p.note(r, "The %s %s, which gets the policy %s, is not declared here", whom, name, policy.Name)
		if kind, ok := kindOf[whom]; ok {
			p.out.Given = append(p.out.Given, landscape.Given{Kind: kind, Name: name, Policy: policy})
		}
	}
}

// kindOf are the kinds of principals; groups are none.
var kindOf = map[string]authz.PrincipalKind{"role": authz.AssumedRole, "user": authz.User}

func (p *plan) userGroups(r *instance) {
	user := p.text(r, "user")
	p.members[user] = append(p.members[user], p.listed(r.block(), "groups")...)
}

func (p *plan) groupUsers(r *instance) {
	for _, user := range p.listed(r.block(), "users") {
		p.members[user] = append(p.members[user], p.text(r, "group"))
	}
}

// enroll gives users what their groups have.
func (p *plan) enroll() {
	for user, groups := range p.members {
		who := p.users[user]
		if who == nil {
			continue
		}
		for _, name := range groups {
			if g := p.groups[name]; g != nil {
				who.Policies = append(who.Policies, g.policies...)
				continue
			}
			what := landscape.Shown(cmp.Or(name, "that is not named"))
			who.Policies = append(who.Policies, landscape.Anything("group "+what, "the group "+what+" is not declared here"))
		}
	}
}
