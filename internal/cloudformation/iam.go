package cloudformation

import (
	"cmp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/landscape"
)

// declarers read what others refer to: principals, and policies that can be attached.
var declarers = map[string]func(*stack, *resource){
	"AWS::IAM::ManagedPolicy": (*stack).managedPolicy,
	"AWS::IAM::Group":         (*stack).group,
	"AWS::IAM::Role":          (*stack).role,
	"AWS::IAM::User":          (*stack).user,
}

func (s *stack) role(r *resource) {
	p := s.principal(r, authz.AssumedRole)
	if n := s.prop(r, "AssumeRolePolicyDocument"); n != nil {
		trust := s.policy(n, "trust policy of "+r.id, s.value(n))
		p.Trust = &trust
	}
}

func (s *stack) user(r *resource) {
	p := s.principal(r, authz.User)
	for _, item := range s.each(s.prop(r, "Groups")) {
		name, ok := item.(string)
		if !ok {
			name = landscape.Unknown("a group of " + r.id)
		}
		s.enroll(p.ARN, s.groupARN(name))
	}
}

// principal is a role or user with what they have in common.
func (s *stack) principal(r *resource, kind authz.PrincipalKind) *landscape.Principal {
	p := &landscape.Principal{At: s.at(r.at), Kind: kind, ARN: r.arnOf(s), Names: []string{r.id}, Tags: s.tags(s.prop(r, "Tags"))}
	if name := r.nameOf(s); name != r.id && !landscape.IsUnknown(name) {
		p.Names = append(p.Names, name)
	}
	p.Policies = s.ownPolicies(r)
	if n := s.prop(r, "PermissionsBoundary"); n != nil {
		boundary := s.attached(n, s.text(n))
		p.Boundary = &boundary
	}
	s.principals[p.ARN] = p
	s.out.Principals = append(s.out.Principals, p)
	return p
}

func (s *stack) group(r *resource) {
	g := &group{policies: s.ownPolicies(r)}
	if r.unsure { // its members may have none of it
		for i, p := range g.policies {
			g.policies[i] = landscape.Anything(p.Name, "whether "+r.id+" is there")
		}
	}
	s.groups[r.arnOf(s)] = g
}

// enroll makes a user a member of a group.
func (s *stack) enroll(user, group string) { s.members[user] = append(s.members[user], group) }

// ownPolicies are those in the properties of a user, group or role.
func (s *stack) ownPolicies(r *resource) (list []landscape.Policy) {
	n := s.prop(r, "ManagedPolicyArns")
	for _, item := range s.each(n) {
		if arn, ok := item.(string); ok {
			list = append(list, s.attached(n, arn))
		} else {
			list = append(list, landscape.Anything("a managed policy of "+r.id, "which it is"))
		}
	}
	n = s.prop(r, "Policies")
	for _, item := range s.each(n) {
		policy, ok := item.(map[string]any)
		if !ok {
			list = append(list, landscape.Anything("a policy of "+r.id, textOf(item)))
			continue
		}
		name, _ := policy["PolicyName"].(string)
		list = append(list, s.policy(n, r.id+"/"+landscape.Shown(name), policy["PolicyDocument"]))
	}
	return list
}

// optional marks the statements of a document whose resource may not be there.
func (s *stack) optional(r *resource, document any) any {
	doc, ok := document.(map[string]any)
	if !r.unsure || !ok {
		return document
	}
	out := make(map[string]any, len(doc))
	for name, value := range doc {
		out[name] = value
	}
	statements := []any{}
	for _, st := range statementsOf(doc) {
		statements = append(statements, landscape.Optional(st, "whether "+r.id+" is there"))
	}
	out["Statement"] = statements
	return out
}

// statementsOf are those of a document, which has one or a list.
func statementsOf(doc map[string]any) []any {
	if list, several := doc["Statement"].([]any); several {
		return list
	}
	return []any{doc["Statement"]}
}

// each is a value as a list: what is not known is an item that is not.
func (s *stack) each(n *yaml.Node) []any {
	switch v := s.value(n).(type) {
	case nil, removed:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func textOf(v any) string {
	if text, ok := v.(string); ok {
		return landscape.Shown(text)
	}
	return "what it is"
}

// document reads the policy document of a resource.
func (s *stack) document(r *resource, n *yaml.Node, name string) landscape.Policy {
	return s.policy(n, name, s.optional(r, s.value(n)))
}

func (s *stack) policy(n *yaml.Node, name string, document any) landscape.Policy {
	p, err := landscape.NewPolicy(name, "", document)
	if err != nil {
		s.fail(n, "%s: %v", name, err)
	}
	return p
}

// attached is a managed policy by its ARN: AWS's, the template's, or one that is not known.
func (s *stack) attached(n *yaml.Node, arn string) landscape.Policy {
	if p, ok := s.managed[arn]; ok {
		return p
	}
	if r := s.byARN("AWS::IAM::ManagedPolicy", arn); r != nil {
		s.managedPolicy(r)
		return s.managed[arn]
	}
	short := arn[strings.LastIndexByte(arn, '/')+1:]
	if s.ManagedPolicy != nil {
		if text, ok := s.ManagedPolicy(strings.Replace(arn, "arn:"+s.Partition+":iam::aws:", "arn:aws:iam::aws:", 1)); ok {
			p, err := landscape.ParsePolicy(short, arn, []byte(text))
			if err != nil {
				s.fail(n, "%s: %v", short, err)
			}
			s.managed[arn] = p
			return p
		}
	}
	s.note(n, "The managed policy %s is not declared here", arn)
	return landscape.Anything(landscape.Shown(short), "the managed policy "+landscape.Shown(arn)+" is not declared here")
}

// byARN finds a declared resource of a type.
func (s *stack) byARN(kind, arn string) *resource {
	for _, r := range s.order {
		if r.kind == kind && r.arnOf(s) == arn {
			return r
		}
	}
	return nil
}

func (s *stack) managedPolicy(r *resource) {
	arn := r.arnOf(s)
	if _, done := s.managed[arn]; done {
		return
	}
	p := s.document(r, s.prop(r, "PolicyDocument"), r.id)
	p.ARN = arn
	s.managed[arn] = p
}

// attachManaged gives a managed policy to whom its own properties name.
func (s *stack) attachManaged(r *resource) { s.give(r, s.managed[r.arnOf(s)]) }

// inline is AWS::IAM::Policy: one document for several.
func (s *stack) inline(r *resource) {
	name := cmp.Or(s.text(s.prop(r, "PolicyName")), r.id)
	s.give(r, s.document(r, s.prop(r, "PolicyDocument"), r.id+"/"+landscape.Shown(name)))
}

// inlineOf is AWS::IAM::RolePolicy and its like: a document for one.
func inlineOf(property, kind string) func(*stack, *resource) {
	return func(s *stack, r *resource) {
		name := r.id + "/" + landscape.Shown(s.text(s.prop(r, "PolicyName")))
		s.giveTo(s.prop(r, property), kind, s.document(r, s.prop(r, "PolicyDocument"), name))
	}
}

// give gives a policy to the roles, users and groups that properties name.
func (s *stack) give(r *resource, p landscape.Policy) {
	for property, kind := range map[string]string{"Roles": "AWS::IAM::Role", "Users": "AWS::IAM::User", "Groups": "AWS::IAM::Group"} {
		s.giveTo(s.prop(r, property), kind, p)
	}
}

func (s *stack) giveTo(n *yaml.Node, kind string, p landscape.Policy) {
	for _, item := range s.each(n) {
		name, ok := item.(string)
		if !ok || landscape.IsUnknown(name) {
			s.note(n, "To whom the policy %s is given is not known", p.Name)
			// It may be anybody's.
			for _, who := range s.out.Principals {
				who.Policies = append(who.Policies, landscape.Anything(p.Name, "to whom it is given"))
			}
			// Users have what their groups have.
			whom := landscape.Given{Kind: cmp.Or(kindOf[kind], authz.User), Name: landscape.Unknown("to whom it is given"), Policy: p}
			s.out.Given = append(s.out.Given, whom)
			return
		}
		arn := s.namedARN(kind, name)
		switch who, g := s.principals[arn], s.groups[arn]; {
		case who != nil:
			who.Policies = append(who.Policies, p)
		case g != nil:
			g.policies = append(g.policies, p)
		default:
			s.note(n, "%s, who gets the policy %s, is not declared here", name, p.Name)
			s.out.Given = append(s.out.Given, landscape.Given{Kind: kindOf[kind], Name: name, Policy: p})
		}
	}
}

// kindOf are the kinds of principals; groups are none.
var kindOf = map[string]authz.PrincipalKind{"AWS::IAM::Role": authz.AssumedRole, "AWS::IAM::User": authz.User}

// namedARN is the ARN of a declared principal by its name, whatever its path.
func (s *stack) namedARN(kind, name string) string {
	for _, r := range s.order {
		if r.kind == kind && r.nameOf(s) == name {
			return r.arnOf(s)
		}
	}
	return name
}

func (s *stack) groupARN(name string) string { return s.namedARN("AWS::IAM::Group", name) }

func (s *stack) addToGroup(r *resource) {
	group := s.groupARN(s.text(s.prop(r, "GroupName")))
	if r.unsure {
		group = landscape.Unknown("whether " + r.id + " is there")
	}
	n := s.prop(r, "Users")
	for _, item := range s.each(n) {
		name, ok := item.(string)
		if ok && !landscape.IsUnknown(name) {
			s.enroll(s.namedARN("AWS::IAM::User", name), group)
			continue
		}
		s.note(n, "Whom %s adds to a group is not known", r.id)
		for arn, p := range s.principals {
			if p.Kind == authz.User {
				s.enroll(arn, landscape.Unknown("whom "+r.id+" adds"))
			}
		}
	}
}
