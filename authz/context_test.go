package authz

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func TestContextIgnoresCase(t *testing.T) {
	var c Context
	c.Set("aws:SourceIp", "192.0.2.1")
	c.Set("AWS:sourceip", "192.0.2.2")
	got, ok := c.Get("aws:SOURCEIP")
	if !ok || c.Len() != 1 || got.Values[0] != "192.0.2.2" {
		t.Errorf("got %v, %v, len %d", got, ok, c.Len())
	}
	var other Context
	other.SetList("aws:TagKeys", "a", "b")
	c.Merge(other)
	if got, _ := c.Get("aws:tagkeys"); !got.Multi || len(got.Values) != 2 {
		t.Errorf("merged: %v", got)
	}
}

func TestContextJSON(t *testing.T) {
	var c Context
	c.SetList("aws:TagKeys", "b", "a")
	c.Set("aws:SourceIp", "192.0.2.1")
	c.SetList("aws:CalledVia")
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"aws:CalledVia":{"values":[],"multi":true},"aws:SourceIp":{"values":["192.0.2.1"]},` +
		`"aws:TagKeys":{"values":["b","a"],"multi":true}}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var back Context
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != want {
		t.Errorf("round trip: got %s, %v", again, err)
	}
	if got, _ := back.Get("AWS:TAGKEYS"); !got.Multi {
		t.Errorf("got %v, want a list", got)
	}
}

func TestContextJSONRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"twice":    `{"a:b":{"values":["1"]},"A:B":{"values":["2"]}}`,
		"no list":  `{"a:b":{"values":["1","2"]}}`,
		"no value": `{"a:b":{"values":[]}}`,
		"no map":   `[]`,
	} {
		var c Context
		if err := json.Unmarshal([]byte(text), &c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestZeroDecisionDenies(t *testing.T) {
	var d Decision
	if d.Allowed || !strings.Contains(d.Message(Request{Action: "a:b"}), "not authorized") {
		t.Error("the zero Decision allows")
	}
}

// FoldKey equates at least what strings.EqualFold does: services that compare names by either keep no two tags that are one key.
func TestFoldKey(t *testing.T) {
	last := rune(unicode.MaxRune)
	if testing.Short() {
		last = '\u2fff' // nearly all letters that have a case
	}
	for r := rune(0); r <= last; r++ {
		if other := unicode.SimpleFold(r); FoldKey("a"+string(r)) != FoldKey("A"+string(other)) {
			t.Errorf("%q and %q differ", r, other)
		}
	}
	for _, pair := range [][2]string{{"aws:PrincipalTag/id", "AWS:principaltag/İD"}, {"key", "\u212aEY"}, {"id", "ıd"}, {"s", "ſ"}} {
		if FoldKey(pair[0]) != FoldKey(pair[1]) {
			t.Errorf("%q and %q differ", pair[0], pair[1])
		}
	}
	if FoldKey("a") == FoldKey("b") || FoldKey("é") == FoldKey("e") {
		t.Error("other letters are the same")
	}
}
