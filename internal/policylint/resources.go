package policylint

import (
	"slices"
	"strings"

	"github.com/licet/licet/policy"
)

// arnParts is how many parts an ARN has between colons, the last of which may have colons of its own.
const arnParts = 6

// resources checks that resources are of types that their service has.
func (c *checker) resources(s *policy.Statement) {
	for _, t := range slices.Concat(s.Resource, s.NotResource) {
		parts := strings.SplitN(t.Value, ":", arnParts)
		if len(parts) < arnParts || parts[0] != "arn" || parts[5] == "" || strings.ContainsAny(parts[2], "*?$") || parts[2] == "" {
			continue // "*", or one of those that package policy reports
		}
		types := c.byService()[parts[2]]
		if types == nil {
			if c.data.Names(parts[2]) == nil {
				c.note(policy.Error, "INVALID_SERVICE", t.Span, "No service has ARNs of %q%s", brief(parts[2]), meant(parts[2], c.data.Services()))
			}
			continue
		}
		if c.isOne(parts, types) || c.reported(t.Span) {
			continue
		}
		c.unfit(t, parts, types)
	}
}

// reported tells whether package policy has found an error in an element.
func (c *checker) reported(at policy.Span) bool {
	return slices.ContainsFunc(c.findings, func(f Finding) bool { return f.Span == at && f.Severity == policy.Error })
}

// isOne tells whether an ARN may be of one of the types.
func (c *checker) isOne(parts []string, types []template) bool {
	pattern := patternOf(strings.Join(parts, ":"))
	return slices.ContainsFunc(types, func(t template) bool { return c.overlap(pattern, t) })
}

// unfit says what keeps an ARN from being of any type.
func (c *checker) unfit(t policy.Text, parts []string, types []template) {
	with := func(field int, value string) bool {
		other := slices.Clone(parts)
		other[field] = value
		return c.isOne(other, types)
	}
	const region, account = 3, 4
	switch service := parts[2]; {
	case with(region, "*") && parts[region] == "":
		c.note(policy.Error, "MISSING_ARN_REGION", t.Span, "The ARN of this resource of %s has a Region; write one, or *.", service)
	case with(region, ""):
		c.note(policy.Error, "ARN_REGION_NOT_ALLOWED", t.Span, "The ARN of this resource of %s has no Region; leave that field empty.", service)
	case with(account, "*") && parts[account] == "":
		c.note(policy.Error, "MISSING_ARN_ACCOUNT", t.Span, "The ARN of this resource of %s has an account; write its twelve digits, or *.", service)
	case with(account, ""):
		c.note(policy.Error, "ARN_ACCOUNT_NOT_ALLOWED", t.Span, "The ARN of this resource of %s has no account; leave that field empty.", service)
	default:
		c.note(policy.Error, "INVALID_ARN_RESOURCE", t.Span, "No resource of %s has such an ARN%s.", service, example(service, c))
	}
}

// example shows what the ARNs of a service look like.
func example(service string, c *checker) string {
	var shown []string
	for _, t := range c.byService()[service] {
		if len(shown) < 3 && !slices.Contains(shown, t.text) {
			shown = append(shown, t.text)
		}
	}
	return "; they are such as " + strings.Join(shown, ", ")
}

// matches reports actions none of whose resource types the statement names. AWS saves such a policy, and it has no effect on them.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html (resource types
// column: an action without any needs the resource *)
func (c *checker) matches(s *policy.Statement, actions []named) {
	if len(s.Resource) == 0 {
		return
	}
	patterns := make([][]token, len(s.Resource))
	for i, r := range s.Resource {
		if strings.Trim(r.Value, "*") == "" || len(strings.SplitN(r.Value, ":", arnParts)) < arnParts {
			return // anything, or an ARN that is not whole, about which package policy speaks
		}
		patterns[i] = patternOf(r.Value)
	}
	for _, a := range actions {
		formats, _ := c.data.ResourceFormats(a.Service + ":" + a.Name)
		types := make([]template, len(formats))
		for i, f := range formats {
			types[i] = templateOf(f)
		}
		if len(types) < len(a.ResourceTypes) || slices.ContainsFunc(patterns, func(p []token) bool {
			return slices.ContainsFunc(types, func(t template) bool { return c.overlap(p, t) })
		}) {
			continue
		}
		severity, effect := policy.Warning, "allows"
		if s.Effect == policy.Deny {
			severity, effect = policy.SecurityWarning, "denies"
		}
		if len(types) == 0 {
			c.note(severity, ResourceOfOtherType, a.text.Span,
				"%s:%s cannot be limited to resources, and the statement never %s it; give it a statement with the Resource *.", a.Service, a.Name, effect)
			continue
		}
		c.note(severity, ResourceOfOtherType, a.text.Span,
			"%s:%s acts on %s, which none of the resources is, and the statement never %s it.", a.Service, a.Name, alternatives(types), effect)
	}
}

func alternatives(types []template) string {
	var texts []string
	for _, t := range types[:min(3, len(types))] {
		texts = append(texts, t.text)
	}
	text := strings.Join(texts, " or ")
	if len(types) > 3 {
		text += " or others"
	}
	return text
}
