package query

import (
	"bytes"
	"encoding/xml"
	"testing"
	"time"

	smithytime "github.com/aws/smithy-go/time"
)

// TestEscape: what is written as it is is what encoding/xml would leave as it is.
func TestEscape(t *testing.T) {
	for c := range 0x180 {
		text := "a" + string(rune(c)) + "b"
		if c < 0x100 {
			text += string([]byte{byte(c)})
		}
		var want bytes.Buffer
		got := escape(nil, text)
		if err := xml.EscapeText(&want, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if string(got) != want.String() {
			t.Errorf("%q: got %q, want %q", text, got, &want)
		}
	}
}

// TestDateTime: times are written as the SDK writes them.
func TestDateTime(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))
	for _, fraction := range []time.Duration{0, 1, 999_999, time.Millisecond, 20 * time.Millisecond, 300 * time.Millisecond, time.Second - 1} {
		for _, value := range []time.Time{at.Add(fraction), at.Add(fraction).AddDate(-3000, 0, 0), {}} {
			if got, want := string(appendDateTime(nil, value)), smithytime.FormatDateTime(value); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}
