package reference

import (
	"math/big"
	"strings"
)

// numeric makes a numeric operator. Numbers are integers or decimals, compared exactly (iam.md C8).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Numeric
func numeric(holds relation) func(string, operand) truth {
	return func(got string, want operand) truth {
		g, ok := readNumber(got)
		if !ok {
			return unknown
		}
		w, ok := readNumber(plain(want.pieces))
		if !ok {
			return unknown
		}
		return truthOf(holds(g.Cmp(w)))
	}
}

// readNumber reads a sign, digits, and a point with digits behind it. Exponents are refused: AWS documents none, and a short text
// could ask for a number that fills the memory.
func readNumber(text string) (*big.Rat, bool) {
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, hasPoint := strings.Cut(digits, ".")
	if !isDigits(whole) || hasPoint && !isDigits(fraction) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// isDigits tells whether text is one or more ASCII digits.
func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
