package policy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Validate says what keeps a document from being saved as a policy of a kind, and what is wrong or doubtful in it though AWS saves
// it: what IAM Access Analyzer's ValidatePolicy finds, as far as it can be known from the document, its kind and the global
// condition keys. Whether actions, principals and the keys of services exist is not asked.
//
// Refused findings come first, in the order in which AWS looks for them, so that the first is AWS's answer; the others by their
// place in the document. Time and memory are linear in the document, but for the search for redundant actions and resources,
// which stops at a fixed number of steps (see maxSteps).
func Validate(d *Document, k Kind) []Finding {
	c := newChecker(d, k)
	if c.refusals(); c.known {
		c.remarks()
	}
	slices.SortStableFunc(c.notes, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Span.Start, b.Span.Start), cmp.Compare(a.Span.End, b.Span.End), cmp.Compare(a.Code, b.Code))
	})
	return append(c.refused, c.notes...)
}

// checker collects the findings of one document.
type checker struct {
	d     *Document
	kind  Kind
	rules rules
	// known is false when the kind does not exist.
	known      bool
	statements []statement
	// refused are in the order of the checks, notes are those that do not keep a document from being saved.
	refused, notes []Finding
	// lines of the source, once a finding needs them.
	lines *Lines
	// principals is principalForms, once it is needed.
	principals *regexp.Regexp
	// steps are what is left of maxSteps.
	steps int
}

// statement is a statement and what the checks need to know of its conditions.
type statement struct {
	*Statement
	uses []use
	// keys are the names of all keys, in lower case.
	keys map[string]bool
}

// hasKey tells whether one of the keys, in lower case, stands in the condition of a statement.
func (s *statement) hasKey(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return s.keys[name] })
}

// use is a condition with its operator taken apart and its key looked up, which is done once.
type use struct {
	*Condition
	op Operator
	// known is false when AWS has no such operator.
	known bool
	// first is true for the first key of an operator. A long operator with many keys is looked at once.
	first bool
	// block numbers the operators of the statement.
	block int
	// name is the key in lower case, key what is known of it: nil unless it is a global key.
	name string
	key  *Key
	// tagless is true for a tag key without the name of a tag.
	tagless bool
}

func newChecker(d *Document, k Kind) *checker {
	c := &checker{d: d, kind: k, steps: maxSteps, statements: make([]statement, len(d.Statements))}
	c.rules, c.known = rulesOf(k)
	var known map[string]*Key
	for i := range d.Statements {
		s := &d.Statements[i]
		if known == nil && len(s.Condition) > 0 {
			known = indexKeys()
		}
		uses := usesOf(s, known)
		keys := make(map[string]bool, len(uses))
		for _, u := range uses {
			keys[u.name] = true
		}
		c.statements[i] = statement{s, uses, keys}
	}
	return c
}

// indexKeys gives the global keys by their names in lower case.
func indexKeys() map[string]*Key {
	keys := GlobalKeys()
	index := make(map[string]*Key, len(keys))
	for i := range keys {
		index[strings.ToLower(keys[i].Name)] = &keys[i]
	}
	return index
}

func usesOf(s *Statement, known map[string]*Key) []use {
	uses := make([]use, len(s.Condition))
	for i := range s.Condition {
		u := &uses[i]
		u.Condition = &s.Condition[i]
		if i > 0 && uses[i-1].Operator == u.Operator {
			u.op, u.known, u.block = uses[i-1].op, uses[i-1].known, uses[i-1].block
		} else {
			u.op, u.known = ParseOperator(u.Operator.Value)
			u.first, u.block = true, i
		}
		u.name = strings.ToLower(u.Key.Value)
		family := keyFamily(strings.TrimSuffix(u.name, "/"))
		if k := known[family]; k != nil && (k.Tagged || family == u.name) {
			u.key = k
			u.tagless = k.Tagged && family == strings.TrimSuffix(u.name, "/")
		}
	}
	return uses
}

// refusals runs the checks that AWS makes when it saves a document.
func (c *checker) refusals() []Finding {
	if !c.known {
		c.fail("INVALID_POLICY_TYPE", Span{0, len(c.d.Source)}, "Policy type %q is not valid.", c.kind)
		return c.refused
	}
	// The order of iam.md L4: grammar, version, the legacy parser, then one question at a time over all statements.
	for _, check := range []func(){
		c.checkID,
		func() { c.each(c.checkOperators) },
		func() { c.each(c.checkKeys) },
		c.checkVersion,
		func() { c.each(c.checkPrincipals) },
		func() { c.each(c.checkDates) },
		func() { c.each(c.checkVariables) },
		func() { c.eachResource(true) },
		c.checkSids,
		func() { c.each(c.checkHasAction) },
		func() { c.eachResource(false) },
		func() { c.each(c.checkActions) },
		func() { c.each(c.checkHasResource) },
		func() { c.each(c.checkKindOnly) },
	} {
		check()
	}
	return c.refused
}

// remarks runs the checks that Access Analyzer makes beyond those. Their order does not matter.
func (c *checker) remarks() {
	for _, check := range []func(){
		c.noteSize,
		c.noteVersion,
		c.noteRoles,
		c.noteRolesAnywhere,
		c.noteRepeated,
	} {
		check()
	}
	for _, check := range []func(s *statement){
		c.noteActions,
		c.noteOrganizationActions,
		c.noteResources,
		c.noteReferences,
		c.noteTrust,
		c.noteClaims,
		c.noteServices,
		c.noteKeys,
		c.noteConditionData,
		c.noteValues,
		c.noteWildcards,
		c.noteVariables,
		c.notePairs,
		c.noteTags,
		c.noteOrganization,
		c.noteTraps,
		c.noteEmpty,
		c.noteRedundant,
	} {
		c.each(check)
	}
}

// fail adds a finding that AWS refuses the document for.
func (c *checker) fail(code string, at Span, format string, args ...any) {
	f := c.finding(Error, code, at, format, args...)
	f.Refused = true
	c.refused = append(c.refused, f)
}

// note adds a finding that AWS saves the document with.
func (c *checker) note(severity Severity, code string, at Span, format string, args ...any) {
	c.notes = append(c.notes, c.finding(severity, code, at, format, args...))
}

func (c *checker) finding(severity Severity, code string, at Span, format string, args ...any) Finding {
	return Finding{
		Severity: severity,
		Code:     code,
		Message:  fmt.Sprintf(format, args...),
		Span:     at,
		Position: c.position(at.Start),
	}
}

func (c *checker) position(offset int) Position {
	if c.lines == nil {
		lines := c.d.Lines()
		c.lines = &lines
	}
	return c.lines.Position(offset)
}

func (c *checker) each(check func(s *statement)) {
	for i := range c.statements {
		check(&c.statements[i])
	}
}

// brief cuts a text that many findings may quote: a long one in each of them would take quadratic memory.
func brief(text string) string {
	const most = 128
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
