package reference

import "strings"

// arnLike is ArnEquals and ArnLike, which do the same: each of the six components of an ARN is compared separately, with wildcards
// that do not cross colons. What has fewer components is not like any ARN (iam.md R3, C13).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
func arnLike(got string, want operand) truth {
	texts := strings.SplitN(got, ":", arnColons+1)
	patterns := splitARN(tokens(want.pieces))
	if len(texts) != arnColons+1 || len(patterns) != arnColons+1 {
		return no
	}
	for i, pattern := range patterns {
		if !matches(pattern, texts[i]) {
			return no
		}
	}
	return yes
}

// splitARN splits a pattern at its first five colons.
func splitARN(pattern []token) [][]token {
	var parts [][]token
	start := 0
	for i, t := range pattern {
		if t == (token{kind: literal, char: ':'}) && len(parts) < arnColons {
			parts = append(parts, pattern[start:i])
			start = i + 1
		}
	}
	return append(parts, pattern[start:])
}
