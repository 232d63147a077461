package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// checkOperators refuses operators that do not exist.
func (c *checker) checkOperators(s *Statement) {
	for _, condition := range s.Condition {
		if _, ok := ParseOperator(condition.Operator.Value); ok {
			continue
		}
		message := syntaxErrors
		if c.rules.fields {
			message = "Invalid Condition type : " + condition.Operator.Value
		}
		c.fail("INVALID_CONDITION_OPERATOR", condition.Operator.Span, "%s", message)
	}
}

// checkKeys refuses a key that stands twice under an operator. Parse refuses equal spellings; the names of keys do not differ by
// case (reference_policies_grammar, reference_policies_elements_condition).
func (c *checker) checkKeys(s *Statement) {
	seen := make(map[[2]string]bool)
	for _, condition := range s.Condition {
		key := [2]string{condition.Operator.Value, strings.ToLower(condition.Key.Value)}
		if seen[key] {
			c.fail("DUPLICATE_KEYS_WITH_DIFFERENT_CASE", condition.Key.Span, syntaxErrors)
		}
		seen[key] = true
	}
}

// checkDates refuses values of date operators that are neither an ISO 8601 date nor seconds since 1970 (iam.md L4, C9).
func (c *checker) checkDates(s *Statement) {
	for _, condition := range s.Condition {
		o, ok := ParseOperator(condition.Operator.Value)
		if !ok || !strings.HasPrefix(o.Name, "Date") {
			continue
		}
		for _, v := range condition.Values {
			if !isDate(v.Value) {
				c.fail("INVALID_DATE", v.Span, legacyParsing)
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

// checkVariables refuses ${...} that is not a variable, where a document has variables (iam.md X2, X5).
func (c *checker) checkVariables(s *Statement) {
	if c.d.Version != Version2012 {
		return
	}
	check := func(texts []Text) {
		for _, t := range texts {
			if slices.ContainsFunc(SplitVariables(t.Value), func(p Part) bool { return p.Kind == Malformed }) {
				c.fail("INVALID_POLICY_VARIABLE", t.Span, legacyParsing)
			}
		}
	}
	check(s.Resource)
	check(s.NotResource)
	for _, condition := range s.Condition {
		if o, _ := ParseOperator(condition.Operator.Value); strings.HasPrefix(o.Name, "String") || strings.HasPrefix(o.Name, "Arn") {
			check(condition.Values)
		}
	}
}
