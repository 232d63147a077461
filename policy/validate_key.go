package policy

import (
	"slices"
	"strings"
)

// noteKeys checks the keys of conditions against the table of global keys, and how operators treat them.
func (c *checker) noteKeys(s *statement) {
	unscoped := isUnscoped(s)
	for _, u := range s.uses {
		if u.first && u.isNull() && u.op.Set != NoSet {
			c.note(Suggestion, "NULL_WITH_QUALIFIER", u.Operator.Span,
				"Null asks whether the key is there and needs no set operator; remove %s:.", u.op.Set)
		}
		if u.key == nil {
			c.noteUnknownKey(u)
			continue
		}
		c.noteKey(u, unscoped)
		if u.known && !u.isNull() {
			c.noteOperator(u)
			c.noteQualifier(u)
		}
	}
}

func (c *checker) noteUnknownKey(u use) {
	service, name, ok := strings.Cut(u.name, ":")
	switch {
	case !ok || service == "" || name == "":
		c.note(Error, "INVALID_CONDITION_KEY_FORMAT", u.Key.Span,
			"%s is not a condition key; write the service, a colon and the name of the key.", brief(u.Key.Value))
	case service == "aws":
		c.note(Error, "INVALID_GLOBAL_CONDITION_KEY", u.Key.Span,
			"There is no global condition key %s, and a request never has it; correct its name.", brief(u.Key.Value))
	}
}

// noteKey reports what is wrong with a key whatever the operator. An unscoped statement speaks of the actions of every service.
func (c *checker) noteKey(u use, unscoped bool) {
	if u.tagless {
		c.note(Error, "MISSING_TAG_KEY_IN_CONDITION", u.Key.Span,
			"%[1]s names no tag; write %[1]s/ and the name of a tag.", strings.TrimSuffix(u.Key.Value, "/"))
	}
	if u.key.ReplacedBy != "" {
		c.note(Warning, "DEPRECATED_GLOBAL_CONDITION_KEY", u.Key.Span, "%s is deprecated; use %s.", u.Key.Value, u.key.ReplacedBy)
	}
	if u.key.CallerSet && !u.isNull() {
		c.note(SecurityWarning, "UNTRUSTWORTHY_CONDITION_KEY", u.Key.Span,
			"The caller can give %s any value, so it protects nothing; use a key that AWS sets.", u.key.Name)
	}
	if u.key.SomeServices && unscoped {
		c.note(Warning, "USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES", u.Key.Span,
			"Only some services set %s, and this statement speaks of all; name the actions of services that do.", u.key.Name)
	}
}

// isUnscoped tells whether a statement speaks of the actions of every service.
func isUnscoped(s *statement) bool {
	return s.NotAction != nil || slices.ContainsFunc(s.Action, func(a Text) bool { return strings.HasPrefix(a.Value, "*") })
}

// noteOperator reports an operator that compares another type than the key's.
func (c *checker) noteOperator(u use) {
	k, f := u.key, u.family()
	if k.Type == ARNKey && f == strs && u.like() {
		c.note(SecurityWarning, "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS", u.Key.Span,
			"The wildcards of %s cross the colons of an ARN; compare %s with %s.",
			u.op, k.Name, strings.Replace(u.op.String(), "String", "Arn", 1))
		return
	}
	if k.Tagged {
		return // the value of a tag may be anything
	}
	want := familyOf(k.Type)
	if f == want || f == familyOf(k.OtherType) || f == strs && k.Type == ARNKey {
		return
	}
	c.note(Warning, "TYPE_MISMATCH", u.Key.Span,
		"%s has values of type %s; compare it with a %s operator instead of %s.", k.Name, k.Type, want, u.op)
}

// familyOf is the family of operators for a type of key.
func familyOf(t KeyType) family {
	switch t {
	case StringKey:
		return strs
	case ARNKey:
		return arns
	case BoolKey:
		return bools
	case DateKey:
		return dates
	case NumericKey:
		return numbers
	case AddressKey:
		return addresses
	}
	return "none"
}

// noteQualifier wants ForAllValues or ForAnyValue with keys that hold lists, and ForAllValues with no others: it holds when the
// key is absent.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (c *checker) noteQualifier(u use) {
	switch {
	case u.key.Multi && u.op.Set == NoSet:
		c.note(Error, "MISSING_QUALIFIER", u.Key.Span,
			"%s holds a list of values; put ForAnyValue: or ForAllValues: before %s.", u.key.Name, u.op)
	case !u.key.Multi && u.op.Set == ForAllValues:
		c.note(SecurityWarning, "FORALLVALUES_WITH_SINGLE_VALUED_KEY", u.Key.Span,
			"%s has one value, and ForAllValues holds when it is absent; remove ForAllValues:.", u.key.Name)
	}
}

// noteConditionData reports a condition whose values are JSON values of different types.
func (c *checker) noteConditionData(s *statement) {
	for _, u := range s.uses {
		for i := 1; i < len(u.Values); i++ {
			if c.jsonType(u.Values[i]) != c.jsonType(u.Values[0]) {
				c.note(Error, "INVALID_CONDITION_DATA_TYPE", u.Values[i].Span,
					"The values of a condition must be of one JSON type, and this one differs from the first; put all in quotes.")
				break
			}
		}
	}
}

// jsonType is the type of a condition value in the source.
func (c *checker) jsonType(t Text) valueKind {
	if t.Span.Start >= len(c.d.Source) {
		return stringValue // a document made by hand
	}
	switch c.d.Source[t.Span.Start] {
	case '"':
		return stringValue
	case 't', 'f':
		return boolValue
	}
	return numberValue
}
