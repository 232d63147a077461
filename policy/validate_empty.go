package policy

// noteEmpty reports elements that say nothing. An empty Action or Resource is refused.
func (c *checker) noteEmpty(s *statement) {
	if s.Sid == "" && s.At.Sid != (Span{}) {
		c.note(Suggestion, "EMPTY_SID_VALUE", s.At.Sid, "The Sid is empty; give it a value, or remove it.")
	}
	if s.At.Condition != (Span{}) && len(s.Condition)+len(s.At.EmptyOperators) == 0 {
		c.note(Suggestion, "EMPTY_OBJECT_CONDITION", s.At.Condition, "The Condition is empty and has no effect; add conditions, or remove it.")
	}
	for _, at := range s.At.EmptyOperators {
		c.note(Suggestion, "EMPTY_OBJECT_CONDITION", at, "The condition operator has no keys and no effect; add keys, or remove it.")
	}
	for _, u := range s.uses {
		if len(u.Values) == 0 {
			c.noteNoValues(u)
		}
	}
	if c.rules.principal != forbidden {
		c.noteNobody(s.Principal)
		c.noteNobody(s.NotPrincipal)
	}
}

// noteNoValues says what an empty list of values does in AWS; the language has no better way to say so than Null.
func (c *checker) noteNoValues(u use) {
	key := brief(u.Key.Value)
	const absent = `%[1]s has no values, and %[2]s then holds only when the request lacks the key; say so with "Null": {%[1]q: "true"}.`
	switch {
	case u.op.Set == ForAllValues:
		c.note(Suggestion, "EMPTY_ARRAY_CONDITION_FORALLVALUES", u.Span, absent, key, "ForAllValues")
	case u.op.Set == ForAnyValue:
		c.note(Suggestion, "EMPTY_ARRAY_CONDITION_FORANYVALUE", u.Span, "%s has no values, and ForAnyValue then never holds; add values.", key)
	case u.op.IfExists:
		c.note(Suggestion, "EMPTY_ARRAY_CONDITION_IFEXISTS", u.Span, absent, key, "IfExists")
	default:
		c.note(Suggestion, "EMPTY_ARRAY_CONDITION", u.Span, "%s has no values; add some, or remove the key.", key)
	}
}

// noteNobody reports principals that name nobody, but for those for which a trust policy is refused.
func (c *checker) noteNobody(p *Principals) {
	const message = "The principal names nobody, and without one the statement has no effect; name one."
	if p == nil || p.Any || c.kind == Trust && len(p.Entries) == 0 {
		return
	}
	for _, at := range p.Empty {
		c.note(Suggestion, "EMPTY_ARRAY_PRINCIPAL", at, message)
	}
	if len(p.Entries)+len(p.Empty) == 0 {
		c.note(Suggestion, "EMPTY_OBJECT_PRINCIPAL", p.Span, message)
	}
}
