package json

import (
	stdjson "encoding/json"
	"fmt"
	"testing"

	smithyjson "github.com/aws/smithy-go/encoding/json"
)

// TestText: what is written as it is is what the SDKs' encoder leaves as it is.
func TestText(t *testing.T) {
	for c := range 0x2100 {
		text := "a" + string(rune(c)) + "b"
		if c < 0x100 {
			text += string([]byte{byte(c)})
		}
		want := smithyjson.NewEncoder()
		want.Value.String(text)
		if got := appendText([]byte("["), text); string(got) != "["+want.String() {
			t.Errorf("%q: got %s, want [%s", text, got, want)
		}
	}
}

// TestTexts: maps are written in the order of their keys, however many there are.
func TestTexts(t *testing.T) {
	m := map[string]string{`"`: "{"}
	for i := range 41 {
		if i == 2 || i == 40 {
			want, err := stdjson.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if got := appendTexts(nil, m); string(got) != string(want) {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		m[fmt.Sprint(i*7%41)] = "["
	}
	if got := appendTexts(nil, map[string]string{}); string(got) != "{}" {
		t.Errorf("got %s", got)
	}
}
