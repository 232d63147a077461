package authz

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
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
	c.Set("A:Z[", "")
	if _, ok := c.Get("a:z["); !ok {
		t.Error("a:z[ is not A:Z[")
	}
	if _, ok := c.Get("a:z{"); ok {
		t.Error("a:z{ is A:Z[")
	}
	var other Context
	other.SetList("aws:TagKeys", "a", "b")
	c.Merge(other)
	if got, _ := c.Get("aws:tagkeys"); !got.Multi || len(got.Values) != 2 {
		t.Errorf("merged: %v", got)
	}
}

// TestContextOfManyKeys finds keys however many there are, lists among them, and in any case.
func TestContextOfManyKeys(t *testing.T) {
	for _, n := range []int{1, usualKeys, usualKeys + 1, mostSlots, mostSlots + 1, 300} {
		var c Context
		for range 2 { // the second time every key is there
			for i := range n {
				if name := fmt.Sprintf("aws:RequestTag/%d", i); i%7 == 0 {
					c.SetList(name, name, "more")
				} else {
					c.Set(name, name)
				}
			}
		}
		c.Set("AWS:requestTAG/0", "no list")
		if c.Len() != n {
			t.Errorf("%d keys: got %d", n, c.Len())
		}
		for i := range n {
			name := fmt.Sprintf("aws:RequestTag/%d", i)
			want := Value{Values: []string{name}}
			switch {
			case i == 0:
				want.Values = []string{"no list"}
			case i%7 == 0:
				want = Value{Values: []string{name, "more"}, Multi: true}
			}
			got, ok := c.Get(strings.ToUpper(name))
			if diff := cmp.Diff(got, want); diff != "" || !ok {
				t.Errorf("%d keys, %s: %v (-got +want):\n%s", n, name, ok, diff)
			}
		}
		if _, ok := c.Get(fmt.Sprintf("aws:RequestTag/%d", n)); ok {
			t.Errorf("%d keys: one that was not set is there", n)
		}
	}
}

// TestContextTellsNamesOfOneHashApart, in the table of few keys and beyond it.
func TestContextTellsNamesOfOneHashApart(t *testing.T) {
	byHash := make(map[uint32]string)
	for n := 0; ; n++ {
		name := fmt.Sprintf("aws:RequestTag/%d", n)
		other, ok := byHash[hashKey(name)]
		byHash[hashKey(name)] = name
		if !ok {
			continue
		}
		for _, more := range []int{0, mostSlots} {
			var c Context
			for i := range more {
				c.Set(fmt.Sprintf("aws:PrincipalTag/%d", i), "")
			}
			c.Set(other, "other")
			if got, ok := c.Get(name); ok {
				t.Fatalf("%d more keys: %s of %s", more, got.Values, name)
			}
			c.Set(name, "this")
			for name, want := range map[string]string{name: "this", other: "other"} {
				if got, ok := c.Get(name); !ok || got.Values[0] != want {
					t.Errorf("%d more keys, %s: got %v, want %s", more, name, got, want)
				}
			}
		}
		return
	}
}

// TestContextIsAMapByFoldedName: whatever is set in whatever order, in the table of few keys and beyond it, a context has what a map by
// FoldKey has, and its keys in the order in which they were first set. Names are short and alike, so that many share a slot.
func TestContextIsAMapByFoldedName(t *testing.T) {
	alphabet := []string{"a", "A", "k", "K", "\u212a", "i", "I", "\u0130", "\u0131", "s", "\u017f", "\u00e9", "\u00c9", "@", "`", "[", "{", "\xff", ":", "/", ""}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 5))
		var c Context
		want, order := make(map[string]string), []string(nil)
		for n := range 1 + r.IntN(400) {
			name := ""
			for range 1 + r.IntN(12) {
				name += alphabet[r.IntN(len(alphabet))]
			}
			folded, value := FoldKey(name), strconv.Itoa(n)
			if _, ok := want[folded]; !ok {
				order = append(order, folded)
			}
			want[folded] = value
			if r.IntN(3) == 0 {
				var other Context
				other.SetList(name, value)
				c.Merge(other)
			} else {
				c.Set(name, value)
			}
			probe := ""
			for range 1 + r.IntN(3) {
				probe += alphabet[r.IntN(len(alphabet))]
			}
			got, ok := c.Get(probe)
			if value, is := want[FoldKey(probe)]; is != ok || ok && got.Values[0] != value {
				t.Fatalf("seed %d, %d keys, %q: got %v, %v, want %q, %v", seed, c.Len(), probe, got, ok, value, is)
			}
		}
		var names []string
		for name, v := range c.All {
			folded := FoldKey(name)
			names = append(names, folded)
			if v.Values[0] != want[folded] {
				t.Fatalf("seed %d, %q: got %v, want %q", seed, name, v, want[folded])
			}
		}
		if diff := cmp.Diff(names, order); diff != "" {
			t.Fatalf("seed %d: order of keys (-got +want):\n%s", seed, diff)
		}
	}
}

// TestContextOfNothing: every way to set a key begins a context, and without keys there are none.
func TestContextOfNothing(t *testing.T) {
	for name, set := range map[string]func(*Context){
		"Set":        func(c *Context) { c.Set("k", "") },
		"SetBool":    func(c *Context) { c.SetBool("k", true) },
		"SetNumber":  func(c *Context) { c.SetNumber("k", 1) },
		"SetTime":    func(c *Context) { c.SetTime("k", time.Time{}) },
		"SetAddress": func(c *Context) { c.SetAddress("k", netip.MustParseAddr("192.0.2.7")) },
		"SetList":    func(c *Context) { c.SetList("k") },
		"JSON": func(c *Context) {
			c.Set("gone", "")
			if err := json.Unmarshal([]byte(`{"k":{"values":["x"]}}`), c); err != nil {
				t.Error(err)
			}
		},
	} {
		var c Context
		if _, ok := c.Get("k"); ok || c.Len() != 0 {
			t.Errorf("the zero context has %d keys", c.Len())
		}
		set(&c)
		if _, ok := c.Get("K"); !ok || c.Len() != 1 {
			t.Errorf("%s: got %d keys, and k %v", name, c.Len(), ok)
		}
	}
}

// TestContextSetters: a typed value is the text that it is written as, and read as that is.
func TestContextSetters(t *testing.T) {
	var c Context
	set := func(want string, setter func(name string)) {
		t.Helper()
		setter("typed")
		c.Set("text", want)
		typed, text := c.keys.entries[0], c.keys.entries[1]
		if typed.name = text.name; typed != text {
			t.Errorf("%s: got %+v, want %+v", want, typed, text)
		}
	}
	set("true", func(name string) { c.SetBool(name, true) })
	set("false", func(name string) { c.SetBool(name, false) })
	for value, want := range map[int64]string{
		0: "0", 7: "7", -1: "-1", 1e18 - 1: "999999999999999999", 1e18: "1000000000000000000", math.MinInt64: "-9223372036854775808",
	} {
		set(want, func(name string) { c.SetNumber(name, value) })
	}
	for _, want := range []string{"2026-11-30T23:59:59Z", "1960-02-28T00:00:01Z", "0000-01-01T00:00:00Z", "9999-12-28T23:59:59Z"} {
		value, err := time.Parse(time.RFC3339, want)
		if err != nil {
			t.Fatal(err)
		}
		value = value.Add(999 * time.Millisecond).In(time.FixedZone("", -3600))
		set(want, func(name string) { c.SetTime(name, value) })
	}
	for _, seconds := range []int64{253402300800, -62167219201} { // the years 10000 and -1, which are no dates
		set(time.Unix(seconds, 0).UTC().Format(time.RFC3339), func(name string) { c.SetTime(name, time.Unix(seconds, 0)) })
	}
	for _, want := range []string{"192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "fe80::1%eth0"} {
		set(want, func(name string) { c.SetAddress(name, netip.MustParseAddr(want)) })
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

// TestContextJSONIsThatOfMaps: what is written by hand is what encoding/json would write.
func TestContextJSONIsThatOfMaps(t *testing.T) {
	texts := []string{"", "plain text", `"`, `\`, "<", ">", "&", "\x00", "\x1f", " ", "~", "\x7f", "é", "\xff", "\u2028", "a\tb", "a\xc3"}
	for n := range 60 {
		var c Context
		want := make(map[string]Value)
		for i := range n {
			text := texts[i%len(texts)]
			name := fmt.Sprintf("k%d/%s", (i*7)%n, text)
			if i%3 == 0 {
				c.SetList(name, texts[:i%len(texts)]...)
				want[name] = Value{Values: append([]string{}, texts[:i%len(texts)]...), Multi: true}
			} else {
				c.Set(name, text)
				want[name] = Value{Values: []string{text}}
			}
		}
		got, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		expected, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(got), string(expected)); diff != "" {
			t.Errorf("%d keys (-got +want):\n%s", n, diff)
		}
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
	for _, pair := range [][2]string{{"aws:PrincipalTag/id", "AWS:principaltag/İD"}, {"key", "\u212aEY"}, {"a:Z[", "A:z["}, {"id", "ıd"}, {"s", "ſ"}} {
		if FoldKey(pair[0]) != FoldKey(pair[1]) {
			t.Errorf("%q and %q differ", pair[0], pair[1])
		}
	}
	if FoldKey("a") == FoldKey("b") || FoldKey("é") == FoldKey("e") {
		t.Error("other letters are the same")
	}
}

// BenchmarkContextOfManyKeys is what a request with thousands of tags costs: time in proportion to their number.
func BenchmarkContextOfManyKeys(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("aws:RequestTag/%d", i)
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				var c Context
				for _, name := range names {
					c.Set(name, "")
				}
			}
		})
	}
}
