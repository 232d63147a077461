package authz

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"unicode/utf8"
)

// Context holds the condition keys of a request. Names compare without regard to case, as FoldKey does. The zero value is empty and
// ready to use. Copies of a context that is not empty share its keys. It must not be changed while a decision reads it.
type Context struct{ keys *contextKeys }

// contextKeys holds the keys in the order in which they were first set. A request has some twenty, so that looking through their
// hashes beats a map.
type contextKeys struct {
	entries []contextEntry
	hashes  []uint32 // of the folded names of entries
	// What the lists start in: one allocation serves most requests.
	firstEntries [usualKeys]contextEntry
	firstHashes  [usualKeys]uint32
}

const usualKeys = 24

// contextEntry is one key. Its single value stands in one, so that it needs no slice of its own.
type contextEntry struct {
	name string
	one  [1]string
	list *[]string // of a multi-valued key; nil for the others
	glance
}

func (e *contextEntry) value() Value {
	if e.list != nil {
		return Value{Values: *e.list, Multi: true}
	}
	return Value{Values: e.one[:]}
}

// FoldKey gives names of condition keys, and of tags, that differ only in case one form. Whoever keeps tags apart by name must use
// it: two tags that a Context takes for one could hide each other. It equates what AWS's own comparison, by all signs Java's,
// equates: "İ", "ı" and "i" are the same, and so are "K" (the sign of kelvin) and "k".
func FoldKey(name string) string {
	if isASCII(name) {
		return strings.ToLower(name)
	}
	return strings.ToLower(strings.ToUpper(name))
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// hashKey is equal for names that FoldKey equates.
func hashKey(name string) uint32 {
	const (
		beyondASCII = 0x8080808080808080
		fold        = 0x2020202020202020 // makes letters lower case, and what else differs in this bit equal
		prime       = 1099511628211
	)
	h, rest := uint64(len(name)), name
	for len(rest) >= 8 {
		w := uint64(rest[0]) | uint64(rest[1])<<8 | uint64(rest[2])<<16 | uint64(rest[3])<<24 |
			uint64(rest[4])<<32 | uint64(rest[5])<<40 | uint64(rest[6])<<48 | uint64(rest[7])<<56
		if w&beyondASCII != 0 {
			return hashBeyondASCII(name)
		}
		h = (h ^ (w | fold)) * prime
		rest = rest[8:]
	}
	for i := range len(rest) {
		if rest[i] >= utf8.RuneSelf {
			return hashBeyondASCII(name)
		}
		h = (h ^ uint64(rest[i]|' ')) * prime
	}
	return uint32(h ^ h>>32)
}

// hashBeyondASCII is the hash of the folded name, which may be ASCII or not.
func hashBeyondASCII(name string) uint32 {
	if folded := FoldKey(name); isASCII(folded) {
		return hashKey(folded)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(FoldKey(name))) // never fails
	return h.Sum32()
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// lowerASCII gives the letters of ASCII in lower case. Actions are written in these (iam.md A1); no other letter is taken for one.
func lowerASCII(text string) string {
	for i := range len(text) {
		if lower(text[i]) != text[i] {
			b := []byte(text)
			for i := range b {
				b[i] = lower(b[i])
			}
			return string(b)
		}
	}
	return text
}

// equalFoldASCII compares without regard to the case of ASCII letters.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// sameKey tells whether FoldKey equates two names. It allocates only for names beyond ASCII.
func sameKey(a, b string) bool {
	return equalFoldASCII(a, b) || !(isASCII(a) && isASCII(b)) && FoldKey(a) == FoldKey(b)
}

// indexOf gives the place of a key among the entries; -1 when the context does not have it.
func (c Context) indexOf(name string, hash uint32) int {
	if c.keys == nil {
		return -1
	}
	for i, h := range c.keys.hashes {
		if h == hash && (c.keys.entries[i].name == name || sameKey(c.keys.entries[i].name, name)) {
			return i
		}
	}
	return -1
}

// Set gives a single-valued key its value.
func (c *Context) Set(name, value string) {
	e := c.entry(name, hashKey(name))
	e.name, e.one[0], e.list, e.glance = name, value, nil, glanceAt(value)
}

// SetList gives a multi-valued key its values. The context keeps the slice.
func (c *Context) SetList(name string, values ...string) {
	e := c.entry(name, hashKey(name))
	e.name, e.list, e.glance = name, &values, glance{}
}

// entry gives the place of a key, which is made if it is not there.
func (c *Context) entry(name string, hash uint32) *contextEntry {
	if c.keys == nil {
		c.keys = &contextKeys{}
		c.keys.entries, c.keys.hashes = c.keys.firstEntries[:0], c.keys.firstHashes[:0]
	}
	i := c.indexOf(name, hash)
	if k := c.keys; i < 0 {
		i = len(k.entries)
		k.hashes = append(k.hashes, hash)
		if i < cap(k.entries) {
			k.entries = k.entries[:i+1]
		} else {
			k.entries = append(k.entries, contextEntry{})
		}
	}
	return &c.keys.entries[i]
}

// Get finds a key. The values must not be changed.
func (c Context) Get(name string) (Value, bool) {
	i := c.indexOf(name, hashKey(name))
	if i < 0 {
		return Value{}, false
	}
	return c.keys.entries[i].value(), true
}

// Len is the number of keys.
func (c Context) Len() int {
	if c.keys == nil {
		return 0
	}
	return len(c.keys.entries)
}

// All yields the keys by the name they were set with, in the order in which they were first set.
func (c Context) All(yield func(name string, v Value) bool) {
	if c.keys == nil {
		return
	}
	for i := range c.keys.entries {
		if !yield(c.keys.entries[i].name, c.keys.entries[i].value()) {
			return
		}
	}
}

// Merge sets every key of other in c.
func (c *Context) Merge(other Context) {
	if other.keys == nil {
		return
	}
	for i := range other.keys.entries {
		e := &other.keys.entries[i]
		*c.entry(e.name, other.keys.hashes[i]) = *e
	}
}

// MarshalJSON writes an object of key names and values, sorted by name: {"aws:SourceIp":{"values":["192.0.2.1"]}}.
func (c Context) MarshalJSON() ([]byte, error) {
	out := make(map[string]Value, c.Len())
	for name, v := range c.All {
		if v.Values == nil {
			v.Values = []string{}
		}
		out[name] = v
	}
	return json.Marshal(out)
}

// UnmarshalJSON replaces the context by what MarshalJSON wrote. It refuses names that differ only in case, and single-valued keys
// without exactly one value.
func (c *Context) UnmarshalJSON(data []byte) error {
	var in map[string]Value
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("read condition keys: %w", err)
	}
	*c = Context{}
	for name, v := range in {
		if _, ok := c.Get(name); ok {
			return fmt.Errorf("condition key %q is given twice", name)
		}
		switch {
		case v.Multi:
			c.SetList(name, v.Values...)
		case len(v.Values) == 1:
			c.Set(name, v.Values[0])
		default:
			return fmt.Errorf("condition key %q holds %d values but is no list", name, len(v.Values))
		}
	}
	return nil
}
