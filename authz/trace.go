package authz

import (
	"cmp"
	"slices"
	"strings"

	"github.com/licet/licet/policy"
)

// trace collects what an evaluation sees.
type trace struct {
	decision Decision
	types    []TypeTrace
	keys     []ConsultedKey
}

// traced completes the traces of the types: an implicit denial that a resource-based grant makes irrelevant is Bypassed.
func (e *evaluation) traced(c *combination, v *verdicts) []TypeTrace {
	for i := range v {
		t := &e.trace.types[i]
		t.Verdict, t.Note = cmp.Or(v[i].verdict, NotApplicable), e.noteOn(&v[i])
		if c.isBypassed(typeIndex(i)) {
			t.Verdict = Bypassed
		}
	}
	return e.trace.types
}

// traceAll evaluates every statement of every policy, also where the outcome is clear, and writes it all down.
func (e *evaluation) traceAll(v *verdictOf) {
	g := v.group
	t := &e.trace.types[len(e.trace.types)-1]
	id := uint32(0)
	for i, p := range g.policies {
		pt := PolicyTrace{Policy: p, Verdict: ImplicitDeny, Level: g.levelOf[i]}
		if p.Document == nil {
			pt.Verdict = ExplicitDeny // what could not be read denies (iam.md D17)
		}
		var lines policy.Lines
		if p.Document != nil {
			lines = p.Document.Lines()
		}
		for ; int(id) < len(g.statements) && int(g.statements[id].policy) == i; id++ {
			s := &g.statements[id]
			st, kind := e.traceStatement(s, p.Document, lines)
			pt.Statements = append(pt.Statements, st)
			switch {
			case !st.Matched:
				continue
			case st.Effect != policy.Allow:
				pt.Verdict = ExplicitDeny
			case pt.Verdict == ImplicitDeny:
				pt.Verdict = Allowed
			}
			v.see(s, id, kind)
		}
		t.Policies = append(t.Policies, pt)
	}
	e.traceKeys()
}

// traceKeys takes in the keys that the group looked up.
func (e *evaluation) traceKeys() {
	for i := range e.group.keys {
		if e.scratch.keys[i].state != notLookedUp {
			e.trace.asked(e.group.keys[i].name, e.req, e.typeOf(e.typ))
		}
	}
}

func (t *trace) asked(name string, req *Request, by PolicyType) {
	i := slices.IndexFunc(t.keys, func(k ConsultedKey) bool { return sameKey(k.Name, name) })
	if i >= 0 {
		t.keys[i].By = append(t.keys[i].By, by)
		return
	}
	value, present := req.Context.Get(name)
	k := ConsultedKey{Name: name, Present: present, Values: value.Values, By: []PolicyType{by}}
	if global, ok := policy.LookupKey(name); ok && !present {
		k.When = global.Present
	}
	t.keys = append(t.keys, k)
}

// traceStatement compares the elements of a statement in the order of the text, up to the first that does not hold.
func (e *evaluation) traceStatement(s *statement, doc *policy.Document, lines policy.Lines) (StatementTrace, MatchKind) {
	from := &doc.Statements[s.index]
	w := statementWriter{doc: doc, lines: lines, from: from, t: StatementTrace{
		Index: int(s.index), Sid: from.Sid, Effect: from.Effect, Span: from.Span, At: lines.Position(from.Span.Start),
	}}
	steps := slices.Clone(e.group.steps[s.steps.lo:s.steps.hi])
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.place, b.place) })
	kind := MatchNone
	for i := range steps {
		var result truth
		result, kind = e.step(s, &steps[i], kind)
		w.step(e, &steps[i], result, kind)
		if !result.holds(s.deny) {
			return w.t, kind
		}
	}
	w.t.Matched = true
	return w.t, kind
}

// statementWriter writes down how one statement is evaluated.
type statementWriter struct {
	doc   *policy.Document
	lines policy.Lines
	from  *policy.Statement
	t     StatementTrace
}

// step takes in the outcome of a step, of which at most one does not hold.
func (w *statementWriter) step(e *evaluation, s *step, result truth, kind MatchKind) {
	switch s.element {
	case principalElement:
		w.principal(e, result, kind)
	case actionElement:
		w.action(e, result)
	case resourceElement:
		w.resource(e, result)
	default:
		w.condition(e, &w.from.Condition[s.place-3], result)
	}
}

func (w *statementWriter) element(result truth, m *Mismatch) {
	if !result.holds(w.from.Effect != policy.Allow) {
		w.t.Failed = m
	} else if result == unknown && w.t.Note == "" {
		w.t.Note = "denies because it cannot be understood: " + m.Element + ": " + m.Note
	}
}

func (w *statementWriter) principal(e *evaluation, result truth, kind MatchKind) {
	w.t.Match = kind
	name, list := "Principal", w.from.Principal
	if w.from.NotPrincipal != nil {
		name, list = "NotPrincipal", w.from.NotPrincipal
	}
	got := e.req.Principal.ARN
	switch named := e.group.namesPrincipals; {
	case !named && list == nil:
		return
	case !named:
		w.element(result, w.whole(e, name, got, "must not have this element"))
		return
	case list == nil:
		w.element(result, w.whole(e, name, got, "needs this element"))
		return
	}
	m := &Mismatch{Element: name, Span: list.Span, At: w.lines.Position(list.Span.Start), Got: got}
	if list.Any {
		m.Want = []string{"*"}
	}
	for _, p := range list.Entries {
		m.Want = append(m.Want, p.Type+": "+p.Value.Value)
	}
	switch {
	case result == unknown:
		m.Note = "it cannot be told whether this names the caller"
	case name == "NotPrincipal" && w.from.Effect == policy.Allow:
		m.Note = "NotPrincipal with Allow is not supported"
	case name == "NotPrincipal" && e.bounded():
		w.t.Note = "NotPrincipal with Deny denies every caller that has a permissions boundary" // iam.md P7
	}
	w.element(result, m)
}

// whole describes an element that the statement should have, or should not.
func (w *statementWriter) whole(e *evaluation, element, got, rule string) *Mismatch {
	return &Mismatch{Element: element, Span: w.from.Span, At: w.t.At, Got: got,
		Note: "a statement of a " + string(e.typeOf(e.typ)) + " policy " + rule}
}

func (w *statementWriter) action(e *evaluation, result truth) {
	name, patterns := "Action", w.from.Action
	if w.from.NotAction != nil {
		name, patterns = "NotAction", w.from.NotAction
	}
	m := w.list(e, name, patterns, e.req.Action)
	if len(patterns) > 0 && result == unknown {
		m.Note = "an action is written service:name"
	}
	w.element(result, m)
}

func (w *statementWriter) resource(e *evaluation, result truth) {
	name, patterns := "Resource", w.from.Resource
	if w.from.NotResource != nil {
		name, patterns = "NotResource", w.from.NotResource
	}
	m := w.list(e, name, patterns, e.req.Resource)
	for i, p := range patterns {
		text := w.substituted(e, p.Value)
		m.Want[i] = text.shown
		switch {
		case text.note != "":
			m.Note = text.note
		case result == unknown && isMisplaced(text.parts):
			m.Note = "a variable stands before the fifth colon"
		case result == unknown && m.Note == "":
			m.Note = "not a complete ARN"
		}
	}
	w.element(result, m)
}

// list describes an element that is a list of patterns.
func (w *statementWriter) list(e *evaluation, element string, patterns []policy.Text, got string) *Mismatch {
	if len(patterns) == 0 {
		return w.whole(e, element, got, "needs this element")
	}
	m := &Mismatch{Element: element, Got: got, Want: make([]string, len(patterns))}
	for i, p := range patterns {
		m.Want[i] = p.Value
	}
	m.Span = policy.Span{Start: patterns[0].Span.Start, End: patterns[len(patterns)-1].Span.End}
	m.At = w.lines.Position(m.Span.Start)
	return m
}

// substitutedText is a text of a policy with its variables replaced, where all of them can be.
type substitutedText struct {
	parts []policy.Part
	shown string
	note  string
}

func (w *statementWriter) substituted(e *evaluation, text string) substitutedText {
	c := compiler{variables: w.doc.Version == policy.Version2012}
	out := substitutedText{parts: c.parts(text), shown: text}
	var b strings.Builder
	for _, p := range out.parts {
		if p.Kind == policy.Malformed {
			out.note = "variable ${" + p.Text + "} is malformed"
			return out
		}
		if p.Kind != policy.Variable {
			b.WriteString(p.Text)
			continue
		}
		value, present := e.req.Context.Get(p.Text)
		switch {
		case present && !value.Multi:
			b.WriteString(value.Values[0])
		case !present && p.HasDefault:
			b.WriteString(p.Default)
		default:
			out.note = "variable ${" + p.Text + "} has no value"
			return out
		}
	}
	out.shown = b.String()
	return out
}

func (w *statementWriter) condition(e *evaluation, c *policy.Condition, result truth) {
	value, present := e.req.Context.Get(c.Key.Value)
	t := ConditionTrace{Operator: c.Operator.Value, Key: c.Key.Value, Span: c.Span, At: w.lines.Position(c.Span.Start),
		Present: present, Got: value.Values, Held: result.holds(w.from.Effect != policy.Allow)}
	op, known := policy.ParseOperator(c.Operator.Value)
	family := familyOf(op.Name)
	for _, v := range c.Values {
		text := substitutedText{shown: v.Value}
		if family.hasVariables() {
			text = w.substituted(e, v.Value)
		}
		t.Want = append(t.Want, text.shown)
		if text.note != "" {
			t.Note = text.note
		}
	}
	missing := !present || len(value.Values) == 0
	switch {
	case !known:
		t.Note = "not an operator of AWS"
	case len(c.Values) == 0:
		t.Note = "there are no values to compare with"
	case family == nullFamily:
	case missing:
		t.Note = "the request has no " + c.Key.Value
	case op.Set == policy.NoSet && value.Multi:
		t.Note = "a key with a list of values needs ForAllValues or ForAnyValue"
	case result == unknown && t.Note == "":
		t.Note = "a value cannot be read as " + op.Name + " needs it"
	}
	w.t.Conditions = append(w.t.Conditions, t)
	w.element(result, &Mismatch{Element: "Condition", Span: c.Span, At: t.At, Got: strings.Join(t.Got, ", "), Want: t.Want, Note: t.Note})
}

// hasVariables tells in the values of which operators variables are replaced (iam.md X2, C10).
func (f family) hasVariables() bool {
	switch f {
	case stringFamily, foldFamily, likeFamily, boolFamily:
		return true
	default:
		return false
	}
}
