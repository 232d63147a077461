package filter

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// reference decides by the text of the documentation, pattern and event side by side, as slowly as it likes.
func reference(pattern map[string]any, event any, there bool) bool {
	if list, ok := event.([]any); ok && len(list) > 0 {
		for _, e := range list {
			if reference(pattern, e, true) {
				return true
			}
		}
		return false
	}
	members, ok := event.(map[string]any)
	if _, empty := event.([]any); there && !ok && !empty {
		return false
	}
	for name, want := range pattern {
		value, has := members[name]
		if deeper, ok := want.(map[string]any); ok {
			if !reference(deeper, value, has) {
				return false
			}
			continue
		}
		list := want.([]any)
		matched := false
		if name == "$or" && isAlternatives(list) {
			for _, alternative := range list {
				matched = matched || reference(alternative.(map[string]any), members, true)
			}
		} else {
			for _, rule := range list {
				matched = matched || referenceRule(rule, value, has)
			}
		}
		if !matched {
			return false
		}
	}
	return true
}

func isAlternatives(list []any) bool {
	for _, e := range list {
		o, ok := e.(map[string]any)
		if !ok {
			return false
		}
		text, err := json.Marshal(o)
		if err != nil {
			return false
		}
		if _, err := Parse(string(text)); err != nil {
			return false
		}
	}
	return len(list) > 1
}

func referenceRule(rule, value any, has bool) bool {
	if c, ok := rule.(map[string]any); ok {
		if exists, ok := c["exists"]; ok {
			return exists == (has && referenceLeaf(value))
		}
	}
	if !has {
		return false
	}
	switch v := value.(type) {
	case map[string]any:
		return false
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return referenceRule(rule, e, true) })
	}
	c, ok := rule.(map[string]any)
	if !ok {
		return rule == value
	}
	s, isText := value.(string)
	if want, ok := c["prefix"].(string); ok {
		return isText && len(s) >= len(want) && s[:len(want)] == want
	}
	if want, ok := c["suffix"].(string); ok {
		return isText && len(s) >= len(want) && s[len(s)-len(want):] == want
	}
	if want, ok := c["equals-ignore-case"].(string); ok {
		return isText && strings.EqualFold(s, want)
	}
	if want, ok := c["numeric"].([]any); ok {
		return referenceRange(want, value)
	}
	switch not := c["anything-but"].(type) {
	case []any:
		return !slices.Contains(not, value)
	case map[string]any:
		return !isText || !strings.HasPrefix(s, not["prefix"].(string))
	default:
		return value != not
	}
}

func referenceLeaf(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return false
	case []any:
		return slices.ContainsFunc(v, referenceLeaf)
	}
	return true
}

func referenceRange(pairs []any, value any) bool {
	number, ok := value.(json.Number)
	if !ok {
		return false
	}
	n, err := number.Float64()
	if err != nil {
		return false
	}
	for i := 0; i < len(pairs); i += 2 {
		limit, _ := pairs[i+1].(json.Number).Float64()
		if holds := map[any]bool{"=": n == limit, "<": n < limit, "<=": n <= limit, ">": n > limit, ">=": n >= limit}; !holds[pairs[i]] {
			return false
		}
	}
	return true
}

var cases = []struct {
	pattern, event string
	want           bool
}{
	{`{"body":{"a":["x"]}}`, `{"body":{"a":"x"}}`, true},
	{`{"body":{"a":["x"]}}`, `{"body":{"a":"y"}}`, false},
	{`{"body":{"a":["x"]}}`, `{"body":"x"}`, false},
	{`{"body":{"a":[{"exists":false}]}}`, `{"body":"plain"}`, false},
	{`{"body":{"a":[{"exists":false}]}}`, `{"body":{"b":1}}`, true},
	{`{"body":{"a":[{"exists":true}]}}`, `{"body":{"a":null}}`, true},
	{`{"body":{"a":[{"exists":true}]}}`, `{"body":{"a":{"b":1}}}`, false},
	{`{"a":{"b":[{"exists":false}]}}`, `{}`, true},
	{`{"body":["plain"]}`, `{"body":"plain"}`, true},
	{`{"body":[{"prefix":"{"}]}`, `{"body":{"a":1}}`, false},
	{`{"a":[null]}`, `{"a":null}`, true},
	{`{"a":[null]}`, `{}`, false},
	{`{"a":[""]}`, `{"a":""}`, true},
	{`{"a":[true]}`, `{"a":true}`, true},
	{`{"a":[300]}`, `{"a":300}`, true},
	{`{"a":[300]}`, `{"a":3e2}`, false},
	{`{"a":[{"numeric":["=",300]}]}`, `{"a":3e2}`, true},
	{`{"a":[{"numeric":["=",300]}]}`, `{"a":"300"}`, false},
	{`{"a":[{"numeric":[">",10,"<=",20]}]}`, `{"a":20}`, true},
	{`{"a":[{"numeric":[">",10,"<=",20]}]}`, `{"a":10}`, false},
	{`{"a":["x",{"prefix":"y"}]}`, `{"a":"yes"}`, true},
	{`{"a":[{"suffix":".png"}]}`, `{"a":"x.png"}`, true},
	{`{"a":[{"suffix":".png"}]}`, `{"a":"png"}`, false},
	{`{"a":[{"equals-ignore-case":"Alice"}]}`, `{"a":"aLICE"}`, true},
	{`{"a":[{"anything-but":["x",1]}]}`, `{"a":"y"}`, true},
	{`{"a":[{"anything-but":["x",1]}]}`, `{"a":1}`, false},
	{`{"a":[{"anything-but":"x"}]}`, `{}`, false},
	{`{"a":[{"anything-but":{"prefix":"x"}}]}`, `{"a":"xy"}`, false},
	{`{"a":["x"]}`, `{"a":["y","x"]}`, true},
	{`{"a":{"b":["x"],"c":[1]}}`, `{"a":[{"b":"x","c":2},{"b":"y","c":1}]}`, false},
	{`{"a":{"b":["x"],"c":[1]}}`, `{"a":[{"b":"y"},{"b":"x","c":1}]}`, true},
	{`{"$or":[{"a":[1]},{"b":[1]}],"c":[1]}`, `{"b":1,"c":1}`, true},
	{`{"$or":[{"a":[1]},{"b":[1]}],"c":[1]}`, `{"b":1}`, false},
	{`{"$or":[{"a":[1]},{"b":[1]}]}`, `{"c":1}`, false},
	{`{"$or":["x"]}`, `{"$or":"x"}`, true},
}

func TestMatch(t *testing.T) {
	for _, c := range cases {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		event, err := Decode([]byte(c.event))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(event); got != c.want {
			t.Errorf("%s of %s: got %t", c.pattern, c.event, got)
		}
	}
}

func TestInvalid(t *testing.T) {
	for _, text := range []string{
		``, `1`, `[]`, `{}`, `{"a":1}`, `{"a":{}}`, `{"a":[]}`, `{"a":[[1]]}`, `{"a":[{}]}`, `{"a":[{"prefix":1}]}`, `{"a":[{"exists":"true"}]}`,
		`{"a":[{"numeric":["=",1,"<",2]}]}`, `{"a":[{"numeric":["!",1]}]}`, `{"a":[{"numeric":["<"]}]}`, `{"a":[{"numeric":["<","1"]}]}`,
		`{"a":[{"numeric":["<",1e999]}]}`, `{"a":[{"anything-but":[]}]}`, `{"a":[{"anything-but":null}]}`, `{"a":[{"anything-but":{"suffix":"x"}}]}`,
		`{"a":[{"anything-but":[null]}]}`, `{"a":[{"wildcard":"*"}]}`, `{"a":[{"prefix":"a","suffix":"b"}]}`, `{"a":["x"]} {}`,
		`{"$or":[{"a":[1]}]}`, strings.Repeat(`{"a":`, 102) + `["x"]` + strings.Repeat(`}`, 102),
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func FuzzMatch(f *testing.F) {
	for _, c := range cases {
		f.Add(c.pattern, c.event)
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p, err := Parse(pattern)
		if err != nil {
			return
		}
		event, err := Decode([]byte(text))
		if err != nil {
			return
		}
		raw, err := Decode([]byte(pattern))
		if err != nil {
			t.Fatalf("%s is a pattern, but no JSON", pattern)
		}
		if got, want := p.Match(event), reference(raw.(map[string]any), event, true); got != want {
			t.Errorf("%s of %s: got %t, want %t", pattern, text, got, want)
		}
	})
}
