package reference

import (
	"bytes"
	"encoding/base64"
)

// binaryEquals compares bytes. Both sides spell them in base64: contexts hold text (iam.md C11).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_BinaryEquals
func binaryEquals(got string, want operand) truth {
	g, err := base64.StdEncoding.DecodeString(got)
	if err != nil {
		return unknown
	}
	w, err := base64.StdEncoding.DecodeString(plain(want.pieces))
	if err != nil {
		return unknown
	}
	return truthOf(bytes.Equal(g, w))
}
