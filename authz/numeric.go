package authz

import (
	"cmp"
	"strings"
)

// The numeric operators. Numbers are integers or decimals, compared exactly (iam.md C8).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Numeric

// number is a decimal in its shortest form: no zeros before whole, none after fraction. Its texts are of the text
// that it was read from.
type number struct {
	whole, fraction string
	negative        bool
	ok              bool // false: the text was no number
	// isSmall tells that small is the number: most are integers of a few digits.
	isSmall bool
	small   int64
}

// readNumber reads a sign, digits, and a point with digits behind it. AWS documents no exponents.
func readNumber(text string) number {
	if len(text) <= fewDigits && isDigits(text) {
		return smallNumber(text, readDigits(text))
	}
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, hasPoint := strings.Cut(digits, ".")
	if !isDigits(whole) || hasPoint && !isDigits(fraction) {
		return number{}
	}
	n := number{whole: strings.TrimLeft(whole, "0"), fraction: strings.TrimRight(fraction, "0"), negative: negative, ok: true}
	if n.isSmall = n.fraction == "" && len(n.whole) <= fewDigits; n.isSmall {
		n.small = readDigits(n.whole)
		if n.negative {
			n.small = -n.small
		}
	}
	return n
}

// fewDigits is a number of digits of which every number is an int64.
const fewDigits = 18

// smallNumber is the number that digits spell.
func smallNumber(digits string, value int64) number {
	return number{whole: strings.TrimLeft(digits, "0"), ok: true, isSmall: true, small: value}
}

func readDigits(digits string) int64 {
	n := int64(0)
	for i := range len(digits) {
		n = n*10 + int64(digits[i]-'0')
	}
	return n
}

// isDigits tells whether text is one or more ASCII digits.
func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// order tells how n stands to another number: it is less, equal or greater.
func (n *number) order(other *number) relation {
	if n.isSmall && other.isSmall {
		return orderOf(n.small, other.small)
	}
	return n.orderOfDigits(other)
}

// orderOf is inlined where values are compared one after the other.
func orderOf(a, b int64) relation {
	if a < b {
		return less
	}
	if a > b {
		return greater
	}
	return equal
}

func (n *number) orderOfDigits(other *number) relation {
	if n.negative != other.negative {
		if n.negative {
			return less
		}
		return greater
	}
	order := cmp.Or(
		cmp.Compare(len(n.whole), len(other.whole)),
		strings.Compare(n.whole, other.whole),
		strings.Compare(n.fraction, other.fraction), // 0.1 is before 0.11, as texts are
	)
	if n.negative {
		order = -order
	}
	return orderOf(int64(order), 0)
}

// compare tells whether a relation holds between n and an operand. It is unknown when one of the two is no number.
func (n *number) compare(operand *number, r relation) truth {
	if !n.ok || !operand.ok {
		return unknown
	}
	return truthOf(n.order(operand)&r != 0)
}
