package authz

import (
	"encoding/base64"
	"slices"
)

// BinaryEquals compares bytes. Both sides spell them in base64: contexts hold text (iam.md C11).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_BinaryEquals

// blob is what a base64 text spells.
type blob struct {
	bytes string
	ok    bool // false: the text was not base64
}

func readBlob(text string) blob {
	b, err := base64.StdEncoding.DecodeString(text)
	return blob{string(b), err == nil}
}

// equals is unknown when one of the two is not base64.
func (b *blob) equals(got []byte, ok bool) truth {
	if !ok || !b.ok {
		return unknown
	}
	return truthOf(string(got) == b.bytes)
}

// decode reads base64 without allocating, as a rule. The bytes are good until the next call.
func (s *scratch) decode(text string) ([]byte, bool) {
	size := base64.StdEncoding.DecodedLen(len(text))
	s.bytes = append(slices.Grow(s.bytes[:0], size+len(text))[:size], text...)
	n, err := base64.StdEncoding.Decode(s.bytes, s.bytes[size:])
	return s.bytes[:n], err == nil
}
