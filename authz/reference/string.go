package reference

import "strings"

// The string operators (iam.md C7).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String

// stringEquals is exact: "*" is a character.
func stringEquals(got string, want operand) truth { return truthOf(got == plain(want.pieces)) }

func stringEqualsIgnoreCase(got string, want operand) truth {
	return truthOf(strings.EqualFold(got, plain(want.pieces)))
}

// stringLike has wildcards over all characters, newlines among them.
func stringLike(got string, want operand) truth {
	return truthOf(matches(tokens(want.pieces), got))
}
