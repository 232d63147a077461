package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// checkOperators refuses operators that do not exist.
func (c *checker) checkOperators(s *statement) {
	for _, u := range s.uses {
		if u.known || !u.first {
			continue
		}
		message := syntaxErrors
		if c.rules.fields {
			message = "Invalid Condition type : " + u.Operator.Value
		}
		code := "INVALID_CONDITION_OPERATOR"
		if strings.HasSuffix(u.Operator.Value, "NullIfExists") {
			code = "NULL_WITH_IF_EXISTS"
		}
		c.fail(code, u.Operator.Span, "%s", message)
	}
}

// checkKeys refuses a key that stands twice under an operator. Parse refuses equal spellings; the names of keys do not differ by
// case (reference_policies_grammar, reference_policies_elements_condition).
func (c *checker) checkKeys(s *statement) {
	type place struct {
		block int
		key   string
	}
	seen := make(map[place]bool)
	for _, u := range s.uses {
		p := place{u.block, u.name}
		if seen[p] {
			c.fail("DUPLICATE_KEYS_WITH_DIFFERENT_CASE", u.Key.Span, syntaxErrors)
		}
		seen[p] = true
	}
}

// checkDates refuses values of date operators that are neither an ISO 8601 date nor seconds since 1970 (iam.md L4, C9).
func (c *checker) checkDates(s *statement) {
	for _, u := range s.uses {
		if u.family() != dates {
			continue
		}
		for _, v := range u.Values {
			if !isDate(v.Value) {
				c.fail("TYPE_MISMATCH_DATE", v.Span, legacyParsing)
			}
		}
	}
}

// isDate takes the W3C profiles of ISO 8601, the time with or without zone, and whole seconds.
// https://www.w3.org/TR/NOTE-datetime, reference_policies_elements_condition_operators (date condition operators)
func isDate(s string) bool {
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil && seconds >= 0 {
		return true
	}
	return slices.ContainsFunc([]string{
		"2006-01", "2006-01-02",
		"2006-01-02T15:04", "2006-01-02T15:04:05", // a fraction of the second is taken after any layout with seconds
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700",
	}, func(layout string) bool {
		_, err := time.Parse(layout, strings.ToUpper(s))
		return err == nil
	})
}

// family groups operators by the type of value that they compare.
type family string

// The families, named as messages name them. Null belongs to none: it asks for presence.
const (
	noFamily  family = ""
	strs      family = "string"
	numbers   family = "numeric"
	dates     family = "date"
	bools     family = "Bool"
	binaries  family = "binary"
	addresses family = "IP address"
	arns      family = "ARN"
)

// family is noFamily for Null and for operators that do not exist.
func (u use) family() family {
	name := u.op.Name
	switch {
	case !u.known:
		return noFamily
	case strings.HasPrefix(name, "String"):
		return strs
	case strings.HasPrefix(name, "Numeric"):
		return numbers
	case strings.HasPrefix(name, "Date"):
		return dates
	case strings.HasPrefix(name, "Arn"):
		return arns
	case strings.HasSuffix(name, "IpAddress"):
		return addresses
	case name == "Bool":
		return bools
	case name == "BinaryEquals":
		return binaries
	}
	return noFamily
}

// negated tells whether an operator holds when no value matches, and when the key is absent.
func (u use) negated() bool { return strings.Contains(u.op.Name, "Not") }

// like tells whether * and ? in the values of an operator are wildcards.
func (u use) like() bool {
	return u.op.Name == "StringLike" || u.op.Name == "StringNotLike" || u.family() == arns
}

// isNull tells whether a condition asks for presence alone.
func (u use) isNull() bool { return u.op.Name == "Null" }
