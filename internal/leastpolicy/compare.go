package leastpolicy

import (
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// Comparison is how the policies that there are differ from the least.
type Comparison struct {
	// Missing are permissions that requests need and the policies do not give.
	Missing []Permission `json:"missing"`
	// Unused are elements of Allow statements that no request needs.
	Unused []Element `json:"unused"`
	// Broad are elements that allow more than the requests need.
	Broad []Element `json:"broad"`
}

// Permission is an action on a resource.
type Permission struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
	// Denied tells that a Deny statement is what stands in the way.
	Denied bool `json:"denied,omitempty"`
}

// Element is a value in a statement.
type Element struct {
	Policy string          `json:"policy"`
	Sid    string          `json:"sid,omitempty"`
	At     policy.Position `json:"at"`
	// Element is "Statement", "Action", "NotAction", "Resource" or "NotResource".
	Element string `json:"element"`
	Value   string `json:"value,omitempty"`
	// Needed is what is seen of that which a broad element allows, sorted.
	Needed []string `json:"needed,omitempty"`
}

// Compare compares identity-based policies with what requests need, which is generalized as in least, the policy that Generate wrote.
func Compare(requests []authz.Request, present []authz.Policy, least *policy.Document) Comparison {
	c := Comparison{Missing: []Permission{}, Unused: []Element{}, Broad: []Element{}}
	set := authz.Compile(authz.Policies{Identity: present})
	for i := range requests {
		r := own(requests[i])
		if d := set.Decide(&r); !d.Allowed {
			p := Permission{Action: r.Action, Resource: r.Resource, Denied: d.Explicit}
			if !slices.Contains(c.Missing, p) {
				c.Missing = append(c.Missing, p)
			}
		}
	}
	needed := make(map[string]bool)
	for _, s := range least.Statements {
		for _, r := range s.Resource {
			needed[r.Value] = true
		}
	}
	for _, p := range present {
		if p.Document == nil {
			continue
		}
		lines := p.Document.Lines()
		for _, s := range p.Document.Statements {
			if s.Effect == policy.Allow {
				v := &view{comparison: &c, requests: requests, needed: needed, document: p.Document, statement: s, lines: lines,
					at: Element{Policy: nameOf(p), Sid: s.Sid}}
				v.compare()
			}
		}
	}
	return c
}

func nameOf(p authz.Policy) string {
	if p.ARN != "" {
		return p.ARN
	}
	return p.Name
}

// own is a request as the caller's account alone judges it: whether another account's policy allows it, too, is not for an
// identity-based policy to say.
func own(r authz.Request) authz.Request {
	r.ResourceAccount = r.Principal.Account
	return r
}

// view is one statement under comparison.
type view struct {
	comparison *Comparison
	requests   []authz.Request
	needed     map[string]bool // patterns of the least policy
	document   *policy.Document
	statement  policy.Statement
	lines      policy.Lines
	at         Element
}

func (v *view) compare() {
	if len(v.allowed(v.statement)) == 0 {
		v.comparison.Unused = append(v.comparison.Unused, v.element("Statement", policy.Text{Span: v.statement.Span}, nil))
		return
	}
	for _, e := range []struct {
		name   string
		values []policy.Text
		only   func(*policy.Statement, []policy.Text)
		read   func(authz.Request) string
	}{
		{"Action", v.statement.Action, func(s *policy.Statement, t []policy.Text) { s.Action = t }, func(r authz.Request) string { return r.Action }},
		{"Resource", v.statement.Resource, func(s *policy.Statement, t []policy.Text) { s.Resource = t }, func(r authz.Request) string { return r.Resource }},
	} {
		for _, value := range e.values {
			narrowed := v.statement
			e.only(&narrowed, []policy.Text{value})
			var seen []string
			for _, r := range v.allowed(narrowed) {
				seen = append(seen, e.read(r))
			}
			slices.Sort(seen)
			seen = slices.Compact(seen)
			switch {
			case len(seen) == 0:
				v.comparison.Unused = append(v.comparison.Unused, v.element(e.name, value, nil))
			case hasWildcard(value.Value) && !v.needed[value.Value]:
				v.comparison.Broad = append(v.comparison.Broad, v.element(e.name, value, seen))
			}
		}
	}
	if list := v.statement.NotAction; len(list) > 0 {
		v.comparison.Broad = append(v.comparison.Broad, v.element("NotAction", list[0], nil))
	}
	if list := v.statement.NotResource; len(list) > 0 {
		v.comparison.Broad = append(v.comparison.Broad, v.element("NotResource", list[0], nil))
	}
}

// allowed are the requests that the statement allows by itself.
func (v *view) allowed(s policy.Statement) (list []authz.Request) {
	doc := *v.document
	doc.Statements = []policy.Statement{s}
	set := authz.Compile(authz.Policies{Identity: []authz.Policy{{Name: "statement", Document: &doc}}})
	for i := range v.requests {
		r := own(v.requests[i])
		if set.Decide(&r).Allowed {
			list = append(list, r)
		}
	}
	return list
}

func (v *view) element(name string, value policy.Text, needed []string) Element {
	e := v.at
	e.Element, e.Value, e.Needed, e.At = name, value.Value, needed, v.lines.Position(value.Span.Start)
	return e
}

// hasWildcard tells whether a text has a star or question mark that stands for anything.
func hasWildcard(text string) bool {
	return strings.ContainsAny(strings.NewReplacer("${*}", "", "${?}", "").Replace(text), "*?")
}
