package reference

import (
	"strings"

	"github.com/licet/licet/authz"
)

// The string operators (iam.md C7).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String

// stringEquals is exact: "*" is a character.
func stringEquals(got string, want operand) truth { return truthOf(got == plain(want.pieces)) }

// stringEqualsIgnoreCase does not know about letters that only some languages take for equal: "İ" and "i". A Deny on aws:TagKeys must
// not miss a tag that authz.FoldKey takes for the one it names.
func stringEqualsIgnoreCase(got string, want operand) truth {
	text := plain(want.pieces)
	switch {
	case strings.EqualFold(got, text):
		return yes
	case authz.FoldKey(got) == authz.FoldKey(text):
		return unknown
	default:
		return no
	}
}

// stringLike has wildcards over all characters, newlines among them.
func stringLike(got string, want operand) truth {
	return truthOf(matches(tokens(want.pieces), got))
}
