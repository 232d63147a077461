package reference

import "strings"

// isBool is the operator Bool: "true" or "false", in any case (iam.md C10).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Boolean
func isBool(got string, want operand) truth { return boolEquals(got, plain(want.pieces)) }

func boolEquals(got, want string) truth {
	g, w := strings.ToLower(got), strings.ToLower(want)
	if g != boolText(g == "true") || w != boolText(w == "true") {
		return unknown
	}
	return truthOf(g == w)
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
