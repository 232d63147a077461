package query

import (
	"bytes"
	"encoding/xml"
	"testing"
)

// TestEscape: what is written as it is is what encoding/xml would leave as it is.
func TestEscape(t *testing.T) {
	for c := range 0x180 {
		text := "a" + string(rune(c)) + "b"
		if c < 0x100 {
			text += string([]byte{byte(c)})
		}
		var got, want bytes.Buffer
		escape(&got, text)
		if err := xml.EscapeText(&want, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("%q: got %q, want %q", text, &got, &want)
		}
	}
}
