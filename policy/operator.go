package policy

import "strings"

// SetPrefix says how an operator treats a key that holds a list of values.
type SetPrefix string

// The set prefixes. Without one an operator compares a single value.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
const (
	NoSet        SetPrefix = ""
	ForAllValues SetPrefix = "ForAllValues"
	ForAnyValue  SetPrefix = "ForAnyValue"
)

// Operator is a condition operator taken apart.
type Operator struct {
	Set SetPrefix
	// Name is the base operator, such as "StringNotLike".
	Name string
	// IfExists makes the condition hold when the request does not have the key.
	IfExists bool
}

// String gives the operator as a policy writes it.
func (o Operator) String() string {
	s := o.Name
	if o.Set != NoSet {
		s = string(o.Set) + ":" + s
	}
	if o.IfExists {
		s += "IfExists"
	}
	return s
}

// ParseOperator takes an operator apart. It is false when AWS has no such operator. Spelling is exact: AWS refuses to save
// "stringEquals" ("Invalid Condition type : stringEquals"), and Null does not take IfExists.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func ParseOperator(text string) (Operator, bool) {
	var o Operator
	name := text
	if set, rest, ok := strings.Cut(text, ":"); ok {
		o.Set, name = SetPrefix(set), rest
		if o.Set != ForAllValues && o.Set != ForAnyValue {
			return Operator{}, false
		}
	}
	o.Name, o.IfExists = strings.CutSuffix(name, "IfExists")
	if !isOperator(o.Name) || o.Name == "Null" && o.IfExists {
		return Operator{}, false
	}
	return o, true
}

func isOperator(name string) bool {
	switch name {
	case "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
		"NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress",
		"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null":
		return true
	}
	return false
}
