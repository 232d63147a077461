package filter

import (
	"encoding/json"
	"slices"
	"strings"
)

// parseTests reads a list of what a value may be.
func parseTests(list []any) (tests []test, ok bool) {
	for _, e := range list {
		switch v := e.(type) {
		case nil, string, json.Number, bool:
			tests = append(tests, one(func(value any) bool { return value == v }))
		case map[string]any:
			t, ok := comparison(v)
			if !ok {
				return nil, false
			}
			tests = append(tests, t)
		default:
			return nil, false
		}
	}
	return tests, len(tests) > 0
}

// one is the test that one of the values passes.
func one(passes func(any) bool) test {
	return func(values []any) bool { return slices.ContainsFunc(values, passes) }
}

// text is the test of a text.
func text(passes func(string) bool) test {
	return one(func(value any) bool {
		s, ok := value.(string)
		return ok && passes(s)
	})
}

// comparison reads an object with one operator.
func comparison(c map[string]any) (test, bool) {
	if len(c) != 1 {
		return nil, false
	}
	for operator, operand := range c {
		switch operator {
		case "prefix":
			s, ok := operand.(string)
			return text(func(value string) bool { return strings.HasPrefix(value, s) }), ok
		case "suffix":
			s, ok := operand.(string)
			return text(func(value string) bool { return strings.HasSuffix(value, s) }), ok
		case "equals-ignore-case":
			s, ok := operand.(string)
			return text(func(value string) bool { return strings.EqualFold(value, s) }), ok
		case "exists":
			exists, ok := operand.(bool)
			return func(values []any) bool { return exists == (len(values) > 0) }, ok
		case "numeric":
			return numeric(operand)
		case "anything-but":
			return anythingBut(operand)
		}
	}
	return nil, false
}

// bound is an operator with a number.
type bound struct {
	operator string
	number   float64
}

func (b bound) holds(n float64) bool {
	switch b.operator {
	case "=":
		return n == b.number
	case "<":
		return n < b.number
	case "<=":
		return n <= b.number
	case ">":
		return n > b.number
	default:
		return n >= b.number
	}
}

// numeric reads one or two pairs of an operator and a number. Both must hold.
func numeric(operand any) (test, bool) {
	list, ok := operand.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, false
	}
	var bounds []bound
	for i := 0; i < len(list); i += 2 {
		operator, _ := list[i].(string)
		number, isNumber := list[i+1].(json.Number)
		if !isNumber || !slices.Contains([]string{"=", "<", "<=", ">", ">="}, operator) || operator == "=" && len(list) > 2 {
			return nil, false
		}
		n, err := number.Float64()
		if err != nil { // out of range
			return nil, false
		}
		bounds = append(bounds, bound{operator, n})
	}
	return one(func(value any) bool {
		number, ok := value.(json.Number)
		if !ok {
			return false
		}
		n, err := number.Float64()
		return err == nil && !slices.ContainsFunc(bounds, func(b bound) bool { return !b.holds(n) })
	}), true
}

// anythingBut reads what a value must not be: a text or number, a list of them, or a prefix.
func anythingBut(operand any) (test, bool) {
	var excluded []any
	switch v := operand.(type) {
	case string, json.Number:
		excluded = []any{v}
	case []any:
		for _, e := range v {
			switch e.(type) {
			case string, json.Number:
			default:
				return nil, false
			}
		}
		excluded = v
	case map[string]any:
		prefix, ok := v["prefix"].(string)
		return one(func(value any) bool {
			s, isText := value.(string)
			return !isText || !strings.HasPrefix(s, prefix)
		}), ok && len(v) == 1
	}
	return one(func(value any) bool { return !slices.Contains(excluded, value) }), len(excluded) > 0
}
