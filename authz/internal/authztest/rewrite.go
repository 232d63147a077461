package authztest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// rewriting puts one or more statements in the place of one; nil when there is nothing to rewrite in it.
type rewriting struct {
	law     string
	rewrite func(c *check, doc *policy.Document, s policy.Statement) []policy.Statement
}

// rewritings are the changes of statements that must not matter.
//
// A list of which any may match is split into statements with one each: Action, Resource and Principal always; the values of a
// condition unless its operator is negated, where none may match, or ForAllValues, under which each value of the request may match
// another. The lists of NotAction, NotResource and NotPrincipal cannot be split: none of them may match.
var rewritings = []rewriting{
	{"a statement for each action is the same", func(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
		return split(s, s.Action, func(s *policy.Statement, one policy.Text) { s.Action = []policy.Text{one} })
	}},
	{"a statement for each resource is the same", func(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
		return split(s, s.Resource, func(s *policy.Statement, one policy.Text) { s.Resource = []policy.Text{one} })
	}},
	{"a statement for each principal is the same", splitPrincipals},
	{"a statement for each value of a condition is the same", splitValues},
	{"a negated condition for each value is the same", spreadValues},
	{"the order of elements in lists does not matter", reverseLists},
	{"a Sid does not matter", func(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
		s.Sid = "Renamed" + s.Sid
		return []policy.Statement{s}
	}},
	{"the letter case of actions does not matter", swapActions},
	{"the letter case of condition keys does not matter", swapKeys},
	{`{"AWS": "*"} is "*"`, starInMap},
	{"the account's id is the ARN of its root", rootForAccount},
	{"two stars are one", doubleStars},
	{"a variable is its value", resolveVariables},
	{"StringLike without wildcards is StringEquals", equalsForLike},
}

// equalsForLike is about what only looks like a wildcard: in the value of a variable, or escaped.
func equalsForLike(_ *check, doc *policy.Document, s policy.Statement) []policy.Statement {
	for i, condition := range s.Condition {
		op, ok := policy.ParseOperator(condition.Operator.Value)
		if !ok || op.Name != "StringLike" && op.Name != "StringNotLike" || slices.ContainsFunc(condition.Values, hasWildcard(doc)) {
			continue
		}
		op.Name = strings.TrimSuffix(op.Name, "Like") + "Equals"
		isTaken := func(c policy.Condition) bool {
			return c.Operator.Value == op.String() && c.Key.Value == condition.Key.Value
		}
		if slices.ContainsFunc(s.Condition, isTaken) {
			continue
		}
		s.Condition = slices.Clone(s.Condition)
		s.Condition[i].Operator.Value = op.String()
		return []policy.Statement{s}
	}
	return nil
}

func hasWildcard(doc *policy.Document) func(policy.Text) bool {
	return func(text policy.Text) (found bool) {
		rewriteParts(doc, text.Value, func(p policy.Part) policy.Part {
			found = found || p.Kind == policy.Literal && strings.ContainsAny(p.Text, "*?")
			return p
		})
		return found
	}
}

// muddlings make statements that cannot be understood of statements that perhaps can: they must never allow more.
var muddlings = []rewriting{
	{"an operator that nobody knows never allows", muddleOperator},
	{"a malformed variable in conditions never allows", muddleValues},
	{"a malformed variable in resources never allows", muddleResources},
	{"no action, or none of a service, never allows", muddleActions},
}

func muddleOperator(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
	s.Condition = slices.Clone(s.Condition)
	for i := range s.Condition {
		s.Condition[i].Operator.Value += "Unheard"
	}
	return []policy.Statement{s}
}

func muddleValues(_ *check, doc *policy.Document, s policy.Statement) []policy.Statement {
	s.Condition = slices.Clone(s.Condition)
	for i, condition := range s.Condition {
		if op, _ := policy.ParseOperator(condition.Operator.Value); hasVariables(op.Name) && doc.Version == policy.Version2012 {
			s.Condition[i].Values = mapped(condition.Values, func(text string) string { return text + "${}" })
		}
	}
	return []policy.Statement{s}
}

func muddleResources(_ *check, doc *policy.Document, s policy.Statement) []policy.Statement {
	if doc.Version != policy.Version2012 {
		return nil
	}
	muddle := func(text string) string { return text + "${}" }
	s.Resource, s.NotResource = mapped(s.Resource, muddle), mapped(s.NotResource, muddle)
	return []policy.Statement{s}
}

func muddleActions(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
	switch {
	case len(s.Action) == 1:
		s.Action = []policy.Text{}
	case len(s.NotAction) == 1:
		s.NotAction = []policy.Text{}
	default:
		muddle := func(string) string { return "GetObject" }
		s.Action, s.NotAction = mapped(s.Action, muddle), mapped(s.NotAction, muddle)
	}
	return []policy.Statement{s}
}

// hasVariables tells whether variables are replaced in the values of the operator.
func hasVariables(operator string) bool {
	return operator == "Bool" || strings.HasPrefix(operator, "String") || strings.HasPrefix(operator, "Arn")
}

func (c *check) statementsAreEquivalent() {
	c.Helper()
	for _, r := range rewritings {
		if changed, ok := c.rewritten(r); ok {
			c.same(r.law, c.req, changed)
		}
	}
	for _, r := range muddlings {
		if changed, ok := c.rewritten(r); ok {
			c.never(r.law, changed)
		}
	}
	req := c.req
	req.Context = c.withValuesApart()
	if changed, ok := c.rewritten(rewriting{rewrite: valuesApart}); ok {
		c.same("a condition for each value of the request is the same", req, changed)
	}
}

// valueKey is the key that holds one value of a list.
func valueKey(name string, i int) string {
	return fmt.Sprintf("law:Value%d/%s", i, authz.FoldKey(name))
}

// withValuesApart is the request's context, with a key more for each value of a list.
func (c *check) withValuesApart() authz.Context {
	var keys authz.Context
	keys.Merge(c.req.Context)
	for name, v := range c.req.Context.All {
		for i, value := range v.Values {
			keys.SetList(valueKey(name, i), value)
		}
	}
	return keys
}

// valuesApart compares each value of a list on its own: under ForAllValues all conditions must hold, under ForAnyValue a statement for
// each value may match.
func valuesApart(c *check, _ *policy.Document, s policy.Statement) []policy.Statement {
	for i, condition := range s.Condition {
		op, ok := policy.ParseOperator(condition.Operator.Value)
		got, _ := c.req.Context.Get(condition.Key.Value)
		if !ok || op.Name == "Null" || op.Set == policy.NoSet || len(got.Values) < 2 {
			continue
		}
		apart := make([]policy.Condition, len(got.Values))
		for j := range apart {
			apart[j] = condition
			apart[j].Key.Value = valueKey(condition.Key.Value, j)
		}
		rest := slices.Delete(slices.Clone(s.Condition), i, i+1)
		if op.Set == policy.ForAllValues {
			s.Condition = append(rest, apart...)
			return []policy.Statement{s}
		}
		return split(s, apart, func(s *policy.Statement, one policy.Condition) { s.Condition = append(slices.Clip(rest), one) })
	}
	return nil
}

// rewritten gives the policies with every statement rewritten. It is false when nothing was.
func (c *check) rewritten(r rewriting) (changed authz.Policies, applied bool) {
	changed = edited(c.policies, func(at place) {
		var statements []policy.Statement
		applies := false
		for _, s := range at.policy.Document.Statements {
			rewritten := r.rewrite(c, at.policy.Document, s)
			applies = applies || rewritten != nil
			if rewritten == nil {
				rewritten = []policy.Statement{s}
			}
			statements = append(statements, rewritten...)
		}
		if applies {
			at.policy.Document = remade(at.policy.Document, statements)
			applied = true
		}
	})
	return changed, applied
}

// split gives a copy of the statement for each item, if there is more than one.
func split[T any](s policy.Statement, items []T, set func(*policy.Statement, T)) []policy.Statement {
	if len(items) < 2 {
		return nil
	}
	out := make([]policy.Statement, len(items))
	for i, item := range items {
		out[i] = s
		set(&out[i], item)
	}
	return out
}

func splitPrincipals(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
	if s.Principal == nil {
		return nil
	}
	return split(s, s.Principal.Entries, func(s *policy.Statement, one policy.PrincipalEntry) {
		s.Principal = &policy.Principals{Entries: []policy.PrincipalEntry{one}}
	})
}

// splitValues splits the first condition that can be.
func splitValues(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
	for i, condition := range s.Condition {
		op, ok := policy.ParseOperator(condition.Operator.Value)
		if !ok || isNegated(op.Name) || op.Set == policy.ForAllValues && op.Name != "Null" || len(condition.Values) < 2 {
			continue
		}
		return split(s, condition.Values, func(s *policy.Statement, one policy.Text) {
			s.Condition = slices.Clone(s.Condition)
			s.Condition[i].Values = []policy.Text{one}
		})
	}
	return nil
}

// spreadValues gives the values of a negated condition, of which none may match, to two spellings of its key. Under ForAnyValue each
// could hold for another value of the request.
func spreadValues(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
	for i, condition := range s.Condition {
		op, ok := policy.ParseOperator(condition.Operator.Value)
		if !ok || !isNegated(op.Name) || op.Set == policy.ForAnyValue || len(condition.Values) < 2 {
			continue
		}
		more := condition
		more.Key.Value = swapCase(more.Key.Value)
		isTaken := func(c policy.Condition) bool {
			return c.Operator.Value == more.Operator.Value && c.Key.Value == more.Key.Value
		}
		if slices.ContainsFunc(s.Condition, isTaken) {
			continue
		}
		more.Values = condition.Values[1:]
		s.Condition = append(slices.Clone(s.Condition), more)
		s.Condition[i].Values = condition.Values[:1]
		return []policy.Statement{s}
	}
	return nil
}

func isNegated(operator string) bool { return strings.Contains(operator, "Not") }

func reverseLists(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
	for _, list := range []*[]policy.Text{&s.Action, &s.NotAction, &s.Resource, &s.NotResource} {
		*list = slices.Clone(*list) // keeps nil nil, and an empty list empty
		slices.Reverse(*list)
	}
	s.Principal, s.NotPrincipal = reversedPrincipals(s.Principal), reversedPrincipals(s.NotPrincipal)
	s.Condition = slices.Clone(s.Condition)
	slices.Reverse(s.Condition)
	for i := range s.Condition {
		s.Condition[i].Values = slices.Clone(s.Condition[i].Values)
		slices.Reverse(s.Condition[i].Values)
	}
	return []policy.Statement{s}
}

func reversedPrincipals(p *policy.Principals) *policy.Principals {
	if p == nil {
		return nil
	}
	reversed := *p
	reversed.Entries = slices.Clone(p.Entries)
	slices.Reverse(reversed.Entries)
	return &reversed
}

// swapCase makes small ASCII letters large and large ones small.
func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r ^ 0x20
		}
		return r
	}, text)
}

// mapped applies f to texts; nil stays nil.
func mapped(texts []policy.Text, f func(string) string) []policy.Text {
	texts = slices.Clone(texts)
	for i := range texts {
		texts[i].Value = f(texts[i].Value)
	}
	return texts
}

func swapActions(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
	s.Action, s.NotAction = mapped(s.Action, swapCase), mapped(s.NotAction, swapCase)
	return []policy.Statement{s}
}

// swapKeys changes the keys of conditions, and those in variables.
func swapKeys(_ *check, doc *policy.Document, s policy.Statement) []policy.Statement {
	inVariables := func(text string) string {
		return rewriteParts(doc, text, func(p policy.Part) policy.Part {
			if p.Kind == policy.Variable {
				p.Text = swapCase(p.Text)
			}
			return p
		})
	}
	s.Resource, s.NotResource = mapped(s.Resource, inVariables), mapped(s.NotResource, inVariables)
	s.Condition = slices.Clone(s.Condition)
	for i := range s.Condition {
		s.Condition[i].Key.Value = swapCase(s.Condition[i].Key.Value)
		s.Condition[i].Values = mapped(s.Condition[i].Values, inVariables)
	}
	return []policy.Statement{s}
}

// rewriteParts changes the parts of a text, of which only documents of the newer version have more than one.
func rewriteParts(doc *policy.Document, text string, f func(policy.Part) policy.Part) string {
	if doc.Version != policy.Version2012 {
		return f(policy.Part{Kind: policy.Literal, Text: text}).Text
	}
	var b strings.Builder
	for _, part := range policy.SplitVariables(text) {
		part = f(part)
		switch {
		case part.Kind == policy.Literal:
			b.WriteString(part.Text)
		case part.HasDefault:
			b.WriteString("${" + part.Text + ", '" + part.Default + "'}")
		default:
			b.WriteString("${" + part.Text + "}")
		}
	}
	return b.String()
}

// starInMap writes the bare "*" as {"AWS": "*"}, which is equal (iam.md P1).
func starInMap(_ *check, _ *policy.Document, s policy.Statement) []policy.Statement {
	star := policy.Principals{Entries: []policy.PrincipalEntry{{Type: "AWS", Value: policy.Text{Value: "*"}}}}
	switch {
	case s.Principal != nil && s.Principal.Any:
		s.Principal = &star
	case s.NotPrincipal != nil && s.NotPrincipal.Any:
		s.NotPrincipal = &star
	default:
		return nil
	}
	return []policy.Statement{s}
}

// rootForAccount renames the caller's own account, the only one whose partition is known.
func rootForAccount(c *check, _ *policy.Document, s policy.Statement) []policy.Statement {
	account, partition := c.req.Principal.Account, ""
	if parts := strings.Split(c.req.Principal.ARN, ":"); parts[0] == "arn" && len(parts) > 1 {
		partition = parts[1]
	}
	applies := false
	renamed := func(p *policy.Principals) *policy.Principals {
		if p == nil {
			return nil
		}
		out := *p
		out.Entries = slices.Clone(p.Entries)
		for i, e := range out.Entries {
			if e.Type == "AWS" && e.Value.Value == account && account != "" {
				out.Entries[i].Value.Value = "arn:" + partition + ":iam::" + account + ":root"
				applies = true
			}
		}
		return &out
	}
	s.Principal, s.NotPrincipal = renamed(s.Principal), renamed(s.NotPrincipal)
	if !applies {
		return nil
	}
	return []policy.Statement{s}
}

// doubleStars changes the wildcards of resources, and of operators that have wildcards.
func doubleStars(_ *check, doc *policy.Document, s policy.Statement) []policy.Statement {
	double := func(text string) string {
		return rewriteParts(doc, text, func(p policy.Part) policy.Part {
			if p.Kind == policy.Literal {
				p.Text = strings.ReplaceAll(p.Text, "*", "**")
			}
			return p
		})
	}
	s.Resource, s.NotResource = mapped(s.Resource, double), mapped(s.NotResource, double)
	s.Condition = slices.Clone(s.Condition)
	for i, condition := range s.Condition {
		op, ok := policy.ParseOperator(condition.Operator.Value)
		if ok && (strings.HasSuffix(op.Name, "Like") || strings.HasPrefix(op.Name, "Arn")) {
			s.Condition[i].Values = mapped(condition.Values, double)
		}
	}
	return []policy.Statement{s}
}

// resolveVariables puts the values of variables in their places, with * and ? and $ escaped: in conditions whose operators know
// variables, and in resources behind the fifth colon, before which a variable makes the resource unknown.
func resolveVariables(c *check, doc *policy.Document, s policy.Statement) []policy.Statement {
	applies := false
	escape := strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}")
	resolve := func(text string) string {
		return rewriteParts(doc, text, func(p policy.Part) policy.Part {
			value, ok := c.req.Context.Get(p.Text)
			switch {
			case p.Kind != policy.Variable:
				return p
			case !ok && p.HasDefault:
				value.Values = []string{p.Default}
			case value.Multi || len(value.Values) != 1 || !utf8.ValidString(value.Values[0]):
				return p
			}
			applies = true
			return policy.Part{Kind: policy.Literal, Text: escape.Replace(value.Values[0])}
		})
	}
	resolveARN := func(text string) string {
		if literal, _, _ := strings.Cut(text, "${"); strings.Count(literal, ":") < 5 {
			return text
		}
		return resolve(text)
	}
	s.Resource, s.NotResource = mapped(s.Resource, resolveARN), mapped(s.NotResource, resolveARN)
	s.Condition = slices.Clone(s.Condition)
	for i, condition := range s.Condition {
		op, ok := policy.ParseOperator(condition.Operator.Value)
		if ok && hasVariables(op.Name) {
			s.Condition[i].Values = mapped(condition.Values, resolve)
		}
	}
	if !applies {
		return nil
	}
	return []policy.Statement{s}
}

// documentsAreEquivalent changes the texts of documents in ways that must not matter.
func (c *check) documentsAreEquivalent() {
	c.Helper()
	try := func(law string, change func(doc *policy.Document) *policy.Document) {
		c.Helper()
		c.same(law, c.req, edited(c.policies, func(at place) { at.policy.Document = change(at.policy.Document) }))
	}
	try("the order of statements does not matter", func(doc *policy.Document) *policy.Document {
		statements := slices.Clone(doc.Statements)
		slices.Reverse(statements)
		return remade(doc, statements)
	})
	try("a statement that is said twice is said once", func(doc *policy.Document) *policy.Document {
		return remade(doc, slices.Concat(doc.Statements, doc.Statements))
	})
	try("printing does not matter", func(doc *policy.Document) *policy.Document { return remade(doc, doc.Statements) })
	try("formatting does not matter", func(doc *policy.Document) *policy.Document {
		formatted, err := policy.Format(doc.Source)
		if err != nil {
			return doc // it has no statement, and no text
		}
		return parsed(string(formatted))
	})
	try("white space does not matter", func(doc *policy.Document) *policy.Document {
		var indented bytes.Buffer
		if json.Indent(&indented, doc.Source, "\r\n", "\t ") != nil {
			return doc // it has no statement, and no text
		}
		return parsed(indented.String())
	})
}

// policiesAreEquivalent puts policies of one type together, and takes them apart. SCPs and RCPs are of one type on one level.
func (c *check) policiesAreEquivalent() {
	c.Helper()
	try := func(law string, change func([]authz.Policy) []authz.Policy) {
		c.Helper()
		p := clone(c.policies)
		p.Identity, p.Session = change(p.Identity), change(p.Session)
		for _, levels := range [][][]authz.Policy{p.SCPs, p.RCPs} {
			for i := range levels {
				levels[i] = change(levels[i])
			}
		}
		c.same(law, c.req, p)
	}
	try("the order of policies does not matter", func(list []authz.Policy) []authz.Policy {
		list = slices.Clone(list)
		slices.Reverse(list)
		return list
	})
	try("a policy that is attached twice is attached once", func(list []authz.Policy) []authz.Policy {
		return append(slices.Clip(list), list...)
	})
	try("policies of one type are one policy", merged)
	try("a policy for each statement is the same", apart)
	p := clone(c.policies)
	slices.Reverse(p.SCPs)
	slices.Reverse(p.RCPs)
	c.same("the order of levels does not matter", c.req, p)
	p.SCPs, p.RCPs = append(p.SCPs, p.SCPs...), append(p.RCPs, p.RCPs...)
	c.same("a level that is there twice is there once", c.req, p)
	c.same("names of policies do not matter", c.req, edited(c.policies, func(at place) {
		at.policy.Name, at.policy.ARN = "renamed", "arn:aws:iam::111122223333:policy/renamed"
	}))
	c.same("policies that do not bind the caller do not matter", c.req, c.binding())
}

// merged puts neighbours into one document if they are of one version, which says what their variables mean.
func merged(list []authz.Policy) []authz.Policy {
	out := slices.Clone(list)[:0]
	for _, q := range list {
		if n := len(out); n > 0 && q.Document != nil && out[n-1].Document != nil && q.Document.Version == out[n-1].Document.Version {
			last := out[n-1].Document
			out[n-1].Document = remade(last, slices.Concat(last.Statements, q.Document.Statements))
			continue
		}
		out = append(out, q)
	}
	return out
}

func apart(list []authz.Policy) []authz.Policy {
	out := slices.Clone(list)[:0]
	for _, q := range list {
		if q.Document == nil || len(q.Document.Statements) == 0 {
			out = append(out, q)
			continue
		}
		for _, s := range q.Document.Statements {
			one := q
			one.Document = remade(q.Document, []policy.Statement{s})
			out = append(out, one)
		}
	}
	return out
}

// binding leaves out the policies that do not bind the caller (iam.md D3, D10, D13, D14). The permissions boundary stays: that there
// is one makes NotPrincipal deny (P7).
func (c *check) binding() authz.Policies {
	p, caller := c.policies, c.req.Principal
	if caller.Kind == authz.Root || !hasAccount(caller.Kind) {
		p.Identity = nil
	}
	if !hasAccount(caller.Kind) {
		p.Session = nil
	}
	if caller.ServiceLinked || !hasAccount(caller.Kind) {
		p.SCPs = nil
	}
	if caller.ServiceLinked {
		p.RCPs = nil
	}
	return p
}

// requestsAreEquivalent changes the request in ways that must not matter.
func (c *check) requestsAreEquivalent() {
	c.Helper()
	req := c.req
	req.Action = swapCaseOfBytes(req.Action)
	c.same("the letter case of the requested action does not matter", req, c.policies)

	var names []string
	for name := range c.req.Context.All {
		names = append(names, name)
	}
	slices.Sort(names)
	ordered := func(rename func(string) string) authz.Context {
		var keys authz.Context
		for _, name := range names {
			switch v, _ := c.req.Context.Get(name); {
			case v.Multi:
				keys.SetList(rename(name), v.Values...)
			default:
				keys.Set(rename(name), v.Values[0])
			}
		}
		return keys
	}
	unchanged := func(name string) string { return name }
	req = c.req
	req.Context = ordered(unchanged)
	c.same("the order in which keys are set does not matter", req, c.policies)
	slices.Reverse(names)
	req.Context = ordered(unchanged)
	c.same("the order in which keys are set does not matter", req, c.policies)
	req.Context = ordered(swapCase)
	c.same("the letter case of the request's keys does not matter", req, c.policies)
	req.Context = ordered(unchanged)
	req.Context.Set("law:Unmentioned", "alice")
	req.Context.SetList("law:UnmentionedList", "alice", "*")
	c.same("a key that no policy mentions does not matter", req, c.policies)

	if c.req.ResourceAccount == "" {
		req = c.req
		req.ResourceAccount = ownerOf(req)
		c.same("a resource without owner is the account's that its ARN names, or the caller's", req, c.policies)
	}
}

// swapCaseOfBytes is swapCase for texts that may not be UTF-8.
func swapCaseOfBytes(text string) string {
	out := []byte(text)
	for i, b := range out {
		if b < utf8.RuneSelf {
			out[i] = swapCase(string(rune(b)))[0]
		}
	}
	return string(out)
}
