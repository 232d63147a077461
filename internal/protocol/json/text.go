package json

import (
	"unicode/utf8"

	smithyjson "github.com/aws/smithy-go/encoding/json"
)

// plain are the bytes that stand in a JSON text as they are, whatever stands around them.
var plain = func() (set [256]bool) {
	for c := range byte(utf8.RuneSelf) {
		set[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return set
}()

// appendText appends s as a JSON text, escaped as the SDKs escape it.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
			e := smithyjson.NewEncoder()
			e.Value.String(s)
			return append(b, e.Bytes()...)
		}
	}
	b = append(b, '"') // most texts have nothing to escape
	b = append(b, s...)
	return append(b, '"')
}
