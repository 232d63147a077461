package landscape

import (
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// open are the condition keys of one call that have values which are not known.
type open struct {
	keys  map[string]bool // in lower case; one that ends with a slash is every key that starts so
	given *authz.Context  // those of the call, whose values are known unless their own name is among keys
	// asked are those that policies ask for.
	asked map[string]bool
}

// callKeys are keys that calls have by what a landscape does not know: where they come from, the identifiers that IAM makes up, and the
// organization. A call that gives one has it. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
var callKeys = []string{
	"aws:userid", "aws:sourceip", "aws:useragent", "aws:principalorgid", "aws:principalorgpaths", "aws:principalorgmasteraccountid",
	"aws:resourceorgid", "aws:resourceorgpaths",
}

// serviceKeys are those of a call that a service makes for somebody.
var serviceKeys = []string{"aws:sourceorgid", "aws:sourceorgpaths", "aws:resourceorgid", "aws:resourceorgpaths"}

func (o *open) add(key string) {
	if o.keys == nil {
		o.keys = make(map[string]bool)
	}
	o.keys[strings.ToLower(key)] = true
}

// has tells whether the value of a key is not known, and keeps that it was asked for.
func (o *open) has(key string) bool {
	if len(o.keys) == 0 {
		return false
	}
	folded := strings.ToLower(key)
	family, _, tagged := strings.Cut(folded, "/")
	if !o.keys[folded] {
		_, given := o.given.Get(key)
		if given || !tagged || !o.keys[family+"/"] {
			return false
		}
	}
	if o.asked == nil {
		o.asked = make(map[string]bool)
	}
	o.asked[key] = true
	return true
}

// in tells whether a text has a policy variable whose value is not known.
func (o *open) in(text string) (found bool) {
	o.variables(text, func(string) { found = true })
	return found
}

// variables calls fn with each variable of a text that is open, as it is written.
func (o *open) variables(text string, fn func(variable string)) {
	for {
		_, rest, is := strings.Cut(text, "${")
		if !is {
			return
		}
		name, after, _ := strings.Cut(rest, "}")
		key, _, _ := strings.Cut(name, ",") // a default: ${aws:PrincipalTag/team, 'none'}
		if o.has(strings.TrimSpace(key)) {
			fn("${" + name + "}")
		}
		text = after
	}
}

// reading is what a policy says at least or at most to a caller, where keys of the call are open. fill tells that the policy is one that
// names principals: a statement of which nobody knows whom it names may name the caller.
func (o *open) reading(p authz.Policy, who *authz.Principal, most, fill bool) authz.Policy {
	d := p.Document
	if d == nil {
		return p
	}
	if !fill && !slices.ContainsFunc(d.Statements, o.bears) {
		return p
	}
	out := *d
	out.Statements = nil
	for _, s := range d.Statements {
		if o.bears(s) && !o.settle(&s, most == (s.Effect == policy.Allow)) {
			continue
		}
		if fill && s.Principal == nil && s.NotPrincipal == nil {
			s.Principal = naming(who)
		}
		out.Statements = append(out.Statements, s)
	}
	p.Document = &out
	return p
}

// naming names a caller as directly as it can be, which leaves the fewest other policies to limit a grant.
func naming(who *authz.Principal) *policy.Principals {
	kind := "AWS"
	if who.Kind == authz.Service {
		kind = "Service"
	}
	return &policy.Principals{Entries: []policy.PrincipalEntry{{Type: kind, Value: policy.Text{Value: who.ARN}}}}
}

// bears tells whether anything in a statement depends on an open key.
func (o *open) bears(s policy.Statement) (found bool) {
	for _, c := range s.Condition {
		found = found || o.has(c.Key.Value)
		for _, v := range c.Values {
			found = found || o.in(v.Value)
		}
	}
	for _, r := range slices.Concat(s.Resource, s.NotResource) {
		found = found || o.in(r.Value)
	}
	return found
}

// settle makes a statement match as much as it may, or, unless it is wide, only what it surely does; false when that is nothing.
func (o *open) settle(s *policy.Statement, wide bool) bool {
	var conditions []policy.Condition
	for _, c := range s.Condition {
		if o.has(c.Key.Value) || slices.ContainsFunc(c.Values, func(t policy.Text) bool { return o.in(t.Value) }) {
			if !wide {
				return false
			}
			continue
		}
		conditions = append(conditions, c)
	}
	s.Condition = conditions
	isOpen := func(t policy.Text) bool { return o.in(t.Value) }
	if slices.ContainsFunc(s.NotResource, isOpen) {
		if !wide {
			return false
		}
		if s.NotResource = slices.DeleteFunc(slices.Clone(s.NotResource), isOpen); len(s.NotResource) == 0 {
			s.NotResource, s.Resource = nil, []policy.Text{{Value: "*"}}
		}
	}
	var resources []policy.Text
	for _, r := range s.Resource {
		switch {
		case !isOpen(r):
		case !wide:
			continue
		default:
			o.variables(r.Value, func(v string) { r.Value = strings.Replace(r.Value, v, "*", 1) })
		}
		resources = append(resources, r)
	}
	if len(s.Resource) > 0 && len(resources) == 0 {
		return false
	}
	s.Resource = resources
	return true
}
