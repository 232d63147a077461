package mapping

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/fault"
)

// maxFilters of a mapping: the quota is 5, which AWS raises to 10 for who asks (lambda.md 5.6).
const maxFilters = 10

func checkFilters(filters []types.Filter) error {
	if len(filters) > maxFilters {
		return fault.InvalidParameter("The number of filters must not be greater than %d.", maxFilters) // ours
	}
	for _, f := range filters {
		if !validPattern(aws.ToString(f.Pattern)) {
			return fault.InvalidParameter("Invalid filter pattern definition.")
		}
	}
	return nil
}

// maxDepth bounds the nesting of a pattern, which is at most 4,096 characters long.
const maxDepth = 100

// validPattern tells whether a text is an event pattern: an object whose members are patterns, or lists of what a value may be
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax).
func validPattern(text string) bool {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var pattern map[string]any
	if d.Decode(&pattern) != nil {
		return false
	}
	if _, err := d.Token(); err != io.EOF {
		return false
	}
	return validObject(pattern, 0)
}

func validObject(pattern map[string]any, depth int) bool {
	if len(pattern) == 0 || depth > maxDepth {
		return false
	}
	for name, value := range pattern {
		switch v := value.(type) {
		case map[string]any:
			if !validObject(v, depth+1) {
				return false
			}
		case []any:
			if name == "$or" && validAlternatives(v, depth) {
				continue
			}
			if !validValues(v) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func validAlternatives(list []any, depth int) bool {
	for _, e := range list {
		o, ok := e.(map[string]any)
		if !ok || !validObject(o, depth+1) {
			return false
		}
	}
	return len(list) > 1
}

func validValues(list []any) bool {
	for _, e := range list {
		switch v := e.(type) {
		case nil, string, json.Number, bool:
		case map[string]any:
			if !validComparison(v) {
				return false
			}
		default:
			return false
		}
	}
	return len(list) > 0
}

// validComparison: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html, "Filter rule syntax".
func validComparison(c map[string]any) bool {
	for operator, operand := range c {
		switch operator {
		case "prefix", "suffix", "equals-ignore-case":
			if _, ok := operand.(string); !ok {
				return false
			}
		case "exists":
			if _, ok := operand.(bool); !ok {
				return false
			}
		case "numeric":
			if list, ok := operand.([]any); !ok || !validRange(list) {
				return false
			}
		case "anything-but":
			if !validExclusion(operand) {
				return false
			}
		default:
			return false
		}
	}
	return len(c) == 1
}

// validRange is one or two pairs of an operator and a number.
func validRange(list []any) bool {
	if len(list) != 2 && len(list) != 4 {
		return false
	}
	for i := 0; i < len(list); i += 2 {
		switch list[i] {
		case "=", "<", "<=", ">", ">=":
		default:
			return false
		}
		if _, ok := list[i+1].(json.Number); !ok || (list[i] == "=" && len(list) > 2) {
			return false
		}
	}
	return true
}

func validExclusion(operand any) bool {
	switch v := operand.(type) {
	case string, json.Number:
		return true
	case []any:
		for _, e := range v {
			switch e.(type) {
			case string, json.Number:
			default:
				return false
			}
		}
		return len(v) > 0
	case map[string]any:
		_, ok := v["prefix"].(string)
		return ok && len(v) == 1
	}
	return false
}
