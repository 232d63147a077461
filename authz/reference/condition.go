package reference

import (
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// condition compares every condition of a statement; all must hold (iam.md C1).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
func (w walk) condition(s *policy.Statement, t *authz.StatementTrace) truth {
	result := yes
	for i := range s.Condition {
		c := &s.Condition[i]
		r := w.compare(c)
		held := holds(s.Effect, r)
		t.Conditions = append(t.Conditions, authz.ConditionTrace{Operator: c.Operator.Value, Key: c.Key.Value, Held: held})
		result = min(result, r)
		if !held {
			break
		}
	}
	return result
}

// compare evaluates one key of one operator.
func (w walk) compare(c *policy.Condition) truth {
	value, present := w.req.Context.Get(c.Key.Value)
	op, ok := policy.ParseOperator(c.Operator.Value)
	test, known := comparisonOf(op.Name)
	operands := make([]operand, len(c.Values))
	for i, v := range c.Values {
		operands[i] = asWritten(v.Value)
		if test.variables {
			operands[i] = w.substitute(v.Value)
		}
	}
	missing := !present || len(value.Values) == 0
	switch {
	case !ok || !known:
		return unknown // not an operator of AWS
	case len(operands) == 0:
		return unknown // nothing to compare with
	case op.Name == "Null":
		return isNull(missing, operands)
	case missing:
		return withoutKey(op, test.negated)
	case op.Set == policy.NoSet && (value.Multi || len(value.Values) > 1):
		return withoutSet(test.negated)
	default:
		return test.overSet(op.Set, value.Values, operands)
	}
}

// isNull is the Null operator: "true" asks for a request without the key, "false" for one with it; a list is or-ed (iam.md C14). An
// empty list of values counts as absent, an empty string does not.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Null
func isNull(missing bool, operands []operand) truth {
	return anyOf(operands, func(o operand) truth { return boolEquals(boolText(missing), plain(o.pieces)) })
}

// withoutKey is the outcome for a request that lacks the key (iam.md C2, C3). ForAnyValue says false and IfExists says true: what
// their combination does is not documented (iam.md C4), and unknown is the safe side.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IfExists
func withoutKey(op policy.Operator, negated bool) truth {
	switch {
	case op.Set == policy.ForAnyValue && op.IfExists:
		return unknown
	case op.Set == policy.ForAnyValue:
		return no
	case op.Set == policy.ForAllValues || op.IfExists:
		return yes
	default:
		return truthOf(negated)
	}
}

// withoutSet is the outcome for a list of values under an operator without set prefix: no match. Whether a negated operator then
// holds is not documented (iam.md C5).
func withoutSet(negated bool) truth {
	if negated {
		return unknown
	}
	return no
}

// comparison is what an operator does with one value of the request and one of the policy.
type comparison struct {
	// equal compares for the operator without its Not.
	equal   func(got string, want operand) truth
	negated bool
	// variables tells whether policy variables are replaced (iam.md X2, C10).
	variables bool
}

// overSet compares lists. Under ForAllValues every value of the request must pass, under ForAnyValue one (iam.md C3, C4).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (c comparison) overSet(set policy.SetPrefix, got []string, want []operand) truth {
	passes := func(value string) truth { return c.passes(value, want) }
	if set == policy.ForAllValues {
		return allOf(got, passes)
	}
	return anyOf(got, passes)
}

// passes tells whether a value equals one of the policy's values or, for a negated operator, none (iam.md C1).
func (c comparison) passes(got string, want []operand) truth {
	result := anyOf(want, func(o operand) truth {
		if o.complete != yes {
			return o.complete // a variable without a value equals nothing (iam.md X3)
		}
		return c.equal(got, o)
	})
	if c.negated {
		return result.not()
	}
	return result
}

// comparisonOf finds an operator by its base name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func comparisonOf(name string) (comparison, bool) {
	switch name {
	case "StringEquals", "StringNotEquals":
		return comparison{equal: stringEquals, negated: name != "StringEquals", variables: true}, true
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		return comparison{equal: stringEqualsIgnoreCase, negated: name != "StringEqualsIgnoreCase", variables: true}, true
	case "StringLike", "StringNotLike":
		return comparison{equal: stringLike, negated: name != "StringLike", variables: true}, true
	case "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike":
		return comparison{equal: arnLike, negated: strings.HasPrefix(name, "ArnNot"), variables: true}, true
	case "Bool":
		return comparison{equal: isBool, variables: true}, true
	case "BinaryEquals":
		return comparison{equal: binaryEquals}, true
	case "IpAddress", "NotIpAddress":
		return comparison{equal: ipAddress, negated: name != "IpAddress"}, true
	case "Null":
		return comparison{}, true
	}
	if family, relation, ok := ordering(name); ok {
		return comparison{equal: family(relation), negated: strings.HasSuffix(name, "NotEquals")}, true
	}
	return comparison{}, false
}

// ordering finds the operators of the two ordered families; NotEquals is the negation of Equals.
func ordering(name string) (family func(relation) func(string, operand) truth, r relation, ok bool) {
	rest, isNumeric := strings.CutPrefix(name, "Numeric")
	rest, isDate := strings.CutPrefix(rest, "Date")
	switch {
	case isNumeric == isDate:
		return nil, nil, false
	case isNumeric:
		family = numeric
	default:
		family = date
	}
	switch rest {
	case "Equals", "NotEquals":
		r = func(order int) bool { return order == 0 }
	case "LessThan":
		r = func(order int) bool { return order < 0 }
	case "LessThanEquals":
		r = func(order int) bool { return order <= 0 }
	case "GreaterThan":
		r = func(order int) bool { return order > 0 }
	case "GreaterThanEquals":
		r = func(order int) bool { return order >= 0 }
	}
	return family, r, r != nil
}

// relation tells from the order of two values, -1, 0 or 1, whether an operator holds.
type relation func(order int) bool
