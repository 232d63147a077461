package policy

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a text. A policy needs seven levels: document, statements, statement, condition, operator,
// key, value.
const maxDepth = 16

// valueKind is the JSON type of a value, named as messages name it.
type valueKind string

const (
	objectValue valueKind = "an object"
	arrayValue  valueKind = "an array"
	stringValue valueKind = "a string"
	numberValue valueKind = "a number"
	boolValue   valueKind = "a boolean"
	nullValue   valueKind = "null"
)

// value is a JSON value and where it stands.
type value struct {
	kind valueKind
	// text is the decoded string, or the source text of a number, boolean or null.
	text    string
	members []member // of an object, in the order of the text, names unique
	items   []value  // of an array
	span    Span
}

// member is a name and a value of an object.
type member struct {
	name  Text
	value value
}

// scanner reads one JSON text (RFC 8259), strictly: valid UTF-8, no byte order mark, no duplicate names, nothing after the value.
type scanner struct {
	src []byte
	pos int
}

// scan reads the whole text. Its errors are *SyntaxError.
func scan(src []byte) (value, error) {
	s := scanner{src: src}
	v, err := s.value(0)
	if err != nil {
		return value{}, err
	}
	s.space()
	if s.pos < len(s.src) {
		return value{}, s.notJSON(s.pos, "text after the end of the policy")
	}
	return v, nil
}

const notJSONCode = "JSON_SYNTAX_ERROR"

func (s *scanner) notJSON(offset int, format string, args ...any) error {
	e := syntaxError(s.src, notJSONCode, Span{offset, offset + 1}, format, args...)
	e.NotJSON = true
	return e
}

// unexpected reports the byte at the current position, which is not what the grammar wants.
func (s *scanner) unexpected(want string) error {
	if s.pos >= len(s.src) {
		return s.notJSON(s.pos, "the text ends where %s should be", want)
	}
	r, size := utf8.DecodeRune(s.src[s.pos:])
	if r == utf8.RuneError && size <= 1 {
		return s.notJSON(s.pos, "invalid UTF-8")
	}
	if s.isComment() {
		return s.notJSON(s.pos, "found a comment where %s should be: JSON has none", want)
	}
	return s.notJSON(s.pos, "found %q where %s should be", r, want)
}

// isComment tells whether what some programs take for a comment starts at the current position. AWS's does not.
func (s *scanner) isComment() bool {
	rest := string(s.src[s.pos:min(s.pos+2, len(s.src))])
	return rest == "//" || rest == "/*" || strings.HasPrefix(rest, "#")
}

// peek returns the current byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

func (s *scanner) space() {
	for s.pos < len(s.src) && isSpace(s.src[s.pos]) {
		s.pos++
	}
}

// isSpace tells whether b is white space between JSON tokens.
func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// value reads a value and the space before it.
func (s *scanner) value(depth int) (value, error) {
	s.space()
	if depth > maxDepth {
		return value{}, syntaxError(s.src, notJSONCode, Span{s.pos, s.pos + 1}, "nested too deeply")
	}
	switch b := s.peek(); {
	case b == '{':
		return s.object(depth)
	case b == '[':
		return s.array(depth)
	case b == '"':
		t, err := s.string()
		return value{kind: stringValue, text: t.Value, span: t.Span}, err
	case b == '-' || '0' <= b && b <= '9':
		return s.number()
	default:
		return s.word()
	}
}

func (s *scanner) object(depth int) (value, error) {
	v := value{kind: objectValue, span: Span{Start: s.pos}}
	seen := make(map[string]bool)
	err := s.list('}', func() error {
		if s.peek() != '"' {
			return s.unexpected("a name in quotes")
		}
		name, err := s.string()
		if err != nil {
			return err
		}
		if seen[name.Value] {
			return syntaxError(s.src, notJSONCode, name.Span, "duplicate element %q", name.Value)
		}
		seen[name.Value] = true
		s.space()
		if s.peek() != ':' {
			return s.unexpected("a colon")
		}
		s.pos++
		m, err := s.value(depth + 1)
		v.members = append(v.members, member{name: name, value: m})
		return err
	})
	v.span.End = s.pos
	return v, err
}

func (s *scanner) array(depth int) (value, error) {
	v := value{kind: arrayValue, span: Span{Start: s.pos}}
	err := s.list(']', func() error {
		item, err := s.value(depth + 1)
		v.items = append(v.items, item)
		return err
	})
	v.span.End = s.pos
	return v, err
}

// list reads what stands between brackets: nothing, or elements with commas between them. It stands at the opening bracket
// and ends after the closing one.
func (s *scanner) list(closing byte, element func() error) error {
	s.pos++
	s.space()
	if s.peek() == closing {
		s.pos++
		return nil
	}
	for {
		s.space()
		if err := element(); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
		case closing:
			s.pos++
			return nil
		default:
			return s.unexpected(fmt.Sprintf("a comma or %q", closing))
		}
	}
}

// word reads true, false or null.
func (s *scanner) word() (value, error) {
	rest := s.src[s.pos:]
	for _, w := range []struct {
		text string
		kind valueKind
	}{{"true", boolValue}, {"false", boolValue}, {"null", nullValue}} {
		if len(rest) >= len(w.text) && string(rest[:len(w.text)]) == w.text {
			v := value{kind: w.kind, text: w.text, span: Span{s.pos, s.pos + len(w.text)}}
			s.pos = v.span.End
			return v, nil
		}
	}
	return value{}, s.unexpected("a value")
}

// number reads a number and keeps its source text: a policy compares exact decimals.
func (s *scanner) number() (value, error) {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return value{}, err
	}
	if s.peek() == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return value{}, err
		}
	}
	if b := s.peek(); b == 'e' || b == 'E' {
		s.pos++
		if b := s.peek(); b == '+' || b == '-' {
			s.pos++
		}
		if err := s.digits(); err != nil {
			return value{}, err
		}
	}
	return value{kind: numberValue, text: string(s.src[start:s.pos]), span: Span{start, s.pos}}, nil
}

// digits reads one digit or more.
func (s *scanner) digits() error {
	start := s.pos
	for '0' <= s.peek() && s.peek() <= '9' {
		s.pos++
	}
	if s.pos == start {
		return s.unexpected("a digit")
	}
	return nil
}

// string reads a string in quotes.
func (s *scanner) string() (Text, error) {
	start := s.pos
	s.pos++
	var b strings.Builder
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == '"':
			s.pos++
			return Text{Value: b.String(), Span: Span{start, s.pos}}, nil
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return Text{}, err
			}
			b.WriteRune(r)
		case c < ' ':
			return Text{}, s.notJSON(s.pos, "control character %q in a string", c)
		default:
			r, size := utf8.DecodeRune(s.src[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return Text{}, s.notJSON(s.pos, "invalid UTF-8")
			}
			b.Write(s.src[s.pos : s.pos+size])
			s.pos += size
		}
	}
	return Text{}, s.notJSON(start, "string without end")
}

// escape reads a backslash and what it stands for. A lone surrogate is an error: it has no UTF-8 form.
func (s *scanner) escape() (rune, error) {
	start := s.pos
	s.pos += 2
	if s.pos > len(s.src) {
		return 0, s.notJSON(start, "string without end")
	}
	c := s.src[s.pos-1]
	if c != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return 0, s.notJSON(start, "unknown escape in a string")
		}
		return rune("\"\\/\b\f\n\r\t"[i]), nil
	}
	r, ok := s.hex4()
	if ok && utf16.IsSurrogate(r) {
		ok = false
		if s.pos+1 < len(s.src) && s.src[s.pos] == '\\' && s.src[s.pos+1] == 'u' {
			s.pos += 2
			var low rune
			if low, ok = s.hex4(); ok {
				r = utf16.DecodeRune(r, low)
				ok = r != utf8.RuneError
			}
		}
	}
	if !ok {
		return 0, s.notJSON(start, `invalid \u escape in a string`)
	}
	return r, nil
}

// hex4 reads four hexadecimal digits.
func (s *scanner) hex4() (r rune, ok bool) {
	if len(s.src)-s.pos < 4 {
		return 0, false
	}
	for _, c := range s.src[s.pos : s.pos+4] {
		i := strings.IndexByte("0123456789abcdef", c|0x20)
		if i < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(i)
	}
	s.pos += 4
	return r, true
}
