package xmlwire

import (
	"bytes"
	"encoding/xml"
	"testing"
)

// TestAppendText: what is written as it is is what encoding/xml would leave as it is.
func TestAppendText(t *testing.T) {
	for c := range 0x180 {
		text := "a" + string(rune(c)) + "b"
		if c < 0x100 {
			text += string([]byte{byte(c)})
		}
		var want bytes.Buffer
		got := AppendText(nil, text)
		if err := xml.EscapeText(&want, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if string(got) != want.String() {
			t.Errorf("%q: got %q, want %q", text, got, &want)
		}
	}
}
