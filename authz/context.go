package authz

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Context holds the condition keys of a request. Names compare without regard to case, as FoldKey does. The zero value is empty and
// ready to use. Copies of a context that is not empty share its keys. It must not be changed while a decision reads it.
type Context struct{ keys *contextKeys }

// contextKeys holds the keys in the order in which they were first set. A request has some twenty.
type contextKeys struct {
	entries []contextEntry
	// slots is a hash table: each key in the first free slot from that of its hash on. It has the keys as long as they are few enough to
	// leave some free; then byName has the places of all, by folded name.
	slots  [64]slot
	byName map[string]int
	lists  [][]string
	// text is what values that were set as something else are written to, one behind the other.
	text strings.Builder
	// firstEntries is what entries start in: one allocation serves most requests.
	firstEntries [usualKeys]contextEntry
}

// slot is 1 + the place of a key and, above that, eight bits of its hash, which save comparing most names; 0 when it is free.
type slot uint16

const (
	usualKeys = 23 // with which contextKeys fills a size of the allocator, 1152 bytes
	mostSlots = 48 // in use
	// usualText is the length of two dates, a number of seconds, an address and an age.
	usualText = 2*len(time.RFC3339) + 48
	usualJSON = 1024
)

func slotOf(hash uint32, place int) slot { return slot(hash>>24<<8) | slot(1+place) }

// mayHold tells whether a slot that is in use may have the key with a hash.
func (s slot) mayHold(hash uint32) bool { return s>>8 == slot(hash>>24) }

func (s slot) place() int { return int(uint8(s)) - 1 }

// contextEntry is one key. Its single value stands in one, so that it needs no slice of its own.
type contextEntry struct {
	name string
	one  [1]string
	glance
}

func (k *contextKeys) valueOf(e *contextEntry) Value {
	if e.form() == isList {
		return Value{Values: k.lists[e.value()], Multi: true}
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
		word        = 8
	)
	h := uint64(len(name))
	for at := 0; at < len(name); at += word {
		var w uint64
		if len(name) < word {
			for i := range len(name) {
				w = w<<8 | uint64(name[i])
			}
		} else {
			at = min(at, len(name)-word) // the last word overlaps the one before
			w = binary.LittleEndian.Uint64([]byte(name[at : at+word]))
		}
		if w&beyondASCII != 0 {
			return hashBeyondASCII(name)
		}
		h = (h ^ (w | fold)) * prime
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
	return a == b || equalFoldASCII(a, b) || !(isASCII(a) && isASCII(b)) && FoldKey(a) == FoldKey(b)
}

// indexOf gives the place of a key among the entries; -1 when the context does not have it.
func (c Context) indexOf(name string, hash uint32) int {
	if c.keys == nil {
		return -1
	}
	place, _ := c.keys.find(name, hash)
	return place
}

// find gives the place of a key, or -1 and the slot that it would have.
func (k *contextKeys) find(name string, hash uint32) (place int, free *slot) {
	if k.byName != nil {
		if i, ok := k.byName[FoldKey(name)]; ok {
			return i, nil
		}
		return -1, nil
	}
	for at := hash; ; at++ {
		s := &k.slots[at%uint32(len(k.slots))]
		if *s == 0 {
			return -1, s
		}
		if s.mayHold(hash) {
			if known := k.entries[s.place()].name; known == name || sameKey(known, name) {
				return s.place(), nil
			}
		}
	}
}

// add makes an entry for a key that find has not found.
func (k *contextKeys) add(name string, hash uint32, free *slot) *contextEntry {
	n := len(k.entries)
	switch {
	case n < mostSlots:
		*free = slotOf(hash, n)
	case k.byName == nil:
		k.byName = make(map[string]int, 2*n)
		for i := range k.entries {
			k.byName[FoldKey(k.entries[i].name)] = i
		}
		fallthrough
	default:
		k.byName[FoldKey(name)] = n
	}
	if n < cap(k.entries) {
		k.entries = k.entries[:n+1]
	} else {
		k.entries = append(k.entries, contextEntry{})
	}
	return &k.entries[n]
}

// Set gives a single-valued key its value.
func (c *Context) Set(name, value string) { c.set(name, value, glanceAt(value)) }

// SetBool gives a single-valued key "true" or "false".
func (c *Context) SetBool(name string, value bool) {
	text, read := "false", isFalse
	if value {
		text, read = "true", isTrue
	}
	c.set(name, text, glanceOf(asBool, int64(read)))
}

// SetNumber gives a single-valued key a whole number.
func (c *Context) SetNumber(name string, value int64) {
	var room [20]byte
	text := c.write(strconv.AppendInt(room[:0], value, 10))
	if value < 0 || len(text) > fewDigits {
		c.Set(name, text)
		return
	}
	c.set(name, text, glanceOf(asNumber, value))
}

// SetTime gives a single-valued key a moment, in seconds, as it is written in ISO 8601: 2006-01-02T15:04:05Z.
func (c *Context) SetTime(name string, value time.Time) {
	var room [len(time.RFC3339)]byte
	utc := value.UTC()
	text := c.write(utc.AppendFormat(room[:0], time.RFC3339))
	if year := utc.Year(); year < 0 || year > 9999 { // what is written is no date
		c.Set(name, text)
		return
	}
	c.set(name, text, glanceOf(asDate, value.Unix()))
}

// SetAddress gives a single-valued key an IP address.
func (c *Context) SetAddress(name string, value netip.Addr) {
	var room [64]byte
	text := c.write(value.AppendTo(room[:0]))
	if !value.Is4() {
		c.Set(name, text)
		return
	}
	c.set(name, text, glanceOf(asAddress, int64(addressOf(value).low)))
}

// SetList gives a multi-valued key its values. The context keeps the slice.
func (c *Context) SetList(name string, values ...string) {
	e := c.entry(name, hashKey(name))
	*e = contextEntry{name: name, glance: c.keys.keep(values)}
}

func (c *Context) set(name, value string, g glance) {
	e := c.entry(name, hashKey(name))
	e.name, e.one[0], e.glance = name, value, g
}

// keep gives the glance of a list.
func (k *contextKeys) keep(values []string) glance {
	k.lists = append(k.lists, values)
	return glanceOf(isList, int64(len(k.lists)-1))
}

// write gives the text as a string, which shares the memory of the others.
func (c *Context) write(text []byte) string {
	c.allocate()
	b := &c.keys.text
	if b.Cap() == 0 {
		b.Grow(usualText)
	}
	at := b.Len()
	b.Write(text)
	return b.String()[at:]
}

func (c *Context) allocate() {
	if c.keys == nil {
		c.keys = &contextKeys{}
		c.keys.entries = c.keys.firstEntries[:0]
	}
}

// entry gives the place of a key, which is made if it is not there.
func (c *Context) entry(name string, hash uint32) *contextEntry {
	c.allocate()
	place, free := c.keys.find(name, hash)
	if place >= 0 {
		return &c.keys.entries[place]
	}
	return c.keys.add(name, hash, free)
}

// Get finds a key. The values must not be changed.
func (c Context) Get(name string) (Value, bool) {
	i := c.indexOf(name, hashKey(name))
	if i < 0 {
		return Value{}, false
	}
	return c.keys.valueOf(&c.keys.entries[i]), true
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
		if !yield(c.keys.entries[i].name, c.keys.valueOf(&c.keys.entries[i])) {
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
		from := &other.keys.entries[i]
		e := c.entry(from.name, hashKey(from.name))
		*e = *from
		if from.form() == isList {
			e.glance = c.keys.keep(other.keys.lists[from.value()])
		}
	}
}

// MarshalJSON writes an object of key names and values, sorted by name: {"aws:SourceIp":{"values":["192.0.2.1"]}}. The decision log
// writes one for every call, so that it is done by hand.
func (c Context) MarshalJSON() ([]byte, error) {
	if c.Len() == 0 {
		return []byte("{}"), nil
	}
	var room [2 * usualKeys]*contextEntry
	sorted := room[:0]
	for i := range c.keys.entries {
		sorted = append(sorted, &c.keys.entries[i])
	}
	slices.SortFunc(sorted, func(a, b *contextEntry) int { return strings.Compare(a.name, b.name) })
	out := make([]byte, 0, usualJSON)
	for i, e := range sorted {
		out = append(out, "{,"[min(i, 1)])
		out = appendQuoted(out, e.name)
		out = append(out, `:{"values":[`...)
		v := c.keys.valueOf(e)
		for j, value := range v.Values {
			if j > 0 {
				out = append(out, ',')
			}
			out = appendQuoted(out, value)
		}
		out = append(out, ']')
		if v.Multi {
			out = append(out, `,"multi":true`...)
		}
		out = append(out, '}')
	}
	return append(out, '}'), nil
}

// appendQuoted writes text as JSON. What else encoding/json escapes it escapes in the output of MarshalJSON.
func appendQuoted(out []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(text) // a string never fails
			return append(out, quoted...)
		}
	}
	out = append(out, '"')
	out = append(out, text...)
	return append(out, '"')
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
