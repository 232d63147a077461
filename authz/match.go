package authz

// matches tells whether everything that a statement asks for holds, and how its Principal element named the caller. listed tells that
// the statement is known to list the action.
func (e *evaluation) matches(s *statement, listed bool) (bool, MatchKind) {
	kind, end := MatchNone, s.steps.hi
	if e.indexed {
		end = s.indexed
	}
	for i := s.steps.lo; i < end; i++ {
		var result truth
		switch st := &e.group.steps[i]; {
		case st.element == conditionElement:
			result = e.condition(st.atom)
		case st.element == actionElement && listed:
			continue
		default:
			result, kind = e.step(s, st, kind)
		}
		if !result.holds(s.deny) {
			return false, MatchNone
		}
	}
	return true, kind
}

// step evaluates one thing that a statement asks for. kind is how the caller was named before.
func (e *evaluation) step(s *statement, st *step, kind MatchKind) (truth, MatchKind) {
	switch st.element {
	case principalElement:
		return e.matchPrincipal(s)
	case actionElement:
		return e.matchAction(s), kind
	case resourceElement:
		return e.matchResource(s), kind
	default:
		return e.condition(st.atom), kind
	}
}

// matchAction compares Action or NotAction with the requested action.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func (e *evaluation) matchAction(s *statement) truth {
	return covered(s.action, e.like(s.actions, e.action()))
}

// matchResource compares Resource or NotResource with the requested resource, with regard to case.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func (e *evaluation) matchResource(s *statement) truth {
	if s.resource == noElement && e.trust {
		return yes // a trust policy is about the role it is attached to, and must not name it
	}
	return covered(s.resource, e.like(s.resources, e.req.Resource))
}

// covered is the outcome of a list of patterns that one of them matches, or none.
func covered(p presence, matches truth) truth {
	switch p {
	case element:
		return matches
	case notElement:
		return matches.not()
	default:
		return unknown // a statement needs the element
	}
}

// like compares a value with patterns. It is anyOf without the call of a function for each, and for most patterns without one at all.
func (e *evaluation) like(patterns span, value string) truth {
	result := no
	globs := e.group.globs[patterns.lo:patterns.hi]
	for i := range globs {
		var matches truth
		if g := &globs[i]; g.kind == globPrefix {
			matches = truthOf(startsWith(value, e.group.literals[g.lo]))
		} else {
			matches = e.glob(g, value)
		}
		if result = max(result, matches); result == yes {
			break
		}
	}
	return result
}
