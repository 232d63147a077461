package json

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// A request can make the server use stack by how deeply its values nest, and memory by how many there are: the smallest element
// takes three bytes of text, and hundreds as a struct. No request of AWS's comes near these bounds.
const (
	maxDepth = 128
	maxItems = 250_000
)

// lexer walks a JSON text. It copies nothing that needs no unescaping: a function's code arrives as a string of up to 70 MB.
type lexer struct {
	data  []byte
	pos   int
	depth int
	items int
}

// syntaxError tells where the text stops being JSON.
type syntaxError struct {
	offset int
	want   string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("Could not parse request body into json: expected %s at byte %d", e.want, e.offset)
}

// typeError tells of a value of a kind that the member does not take.
type typeError struct{ text string }

func (e *typeError) Error() string { return e.text }

func (l *lexer) fail(want string) error { return &syntaxError{offset: l.pos, want: want} }

// peek gives the first byte of the next token, or 0 at the end.
func (l *lexer) peek() byte {
	for l.pos < len(l.data) {
		switch c := l.data[l.pos]; c {
		case ' ', '\t', '\r', '\n':
			l.pos++
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it is next.
func (l *lexer) take(c byte) bool {
	if l.peek() != c {
		return false
	}
	l.pos++
	return true
}

// null consumes the literal null if it is next.
func (l *lexer) null() bool {
	return l.peek() == 'n' && l.literal("null")
}

func (l *lexer) literal(s string) bool {
	if !bytes.HasPrefix(l.data[l.pos:], []byte(s)) {
		return false
	}
	l.pos += len(s)
	return true
}

// end reports an error unless nothing but white space is left.
func (l *lexer) end() error {
	if l.peek(); l.pos < len(l.data) {
		return l.fail("the end of the text")
	}
	return nil
}

// object consumes an object and calls member at each member's value, which member must consume. The key is valid until then.
func (l *lexer) object(member func(key []byte) error) error {
	if !l.take('{') {
		return l.unexpected("a structure")
	}
	return l.each('}', func() error {
		if l.peek() != '"' {
			return l.fail("a member name")
		}
		key, err := l.text()
		if err != nil {
			return err
		}
		if !l.take(':') {
			return l.fail("a colon")
		}
		return member(key)
	})
}

// array consumes an array and calls element at each element, which element must consume.
func (l *lexer) array(element func() error) error {
	if !l.take('[') {
		return l.unexpected("a list")
	}
	return l.each(']', element)
}

// each consumes what an object or array holds, and closing.
func (l *lexer) each(closing byte, item func() error) error {
	if l.depth++; l.depth > maxDepth {
		return l.fail(fmt.Sprintf("at most %d levels", maxDepth))
	}
	defer func() { l.depth-- }()
	if l.take(closing) {
		return nil
	}
	for {
		if l.items++; l.items > maxItems {
			return l.fail(fmt.Sprintf("at most %d elements", maxItems))
		}
		if err := item(); err != nil {
			return err
		}
		if l.take(closing) {
			return nil
		}
		if !l.take(',') {
			return l.fail("a comma")
		}
	}
}

// text consumes a string and gives its bytes, valid UTF-8, which alias the text where nothing is escaped.
func (l *lexer) text() ([]byte, error) {
	if l.peek() != '"' {
		return nil, l.unexpected("a String")
	}
	start, escaped := l.pos, false
	for i := start + 1; i < len(l.data); i++ {
		switch c := l.data[i]; {
		case c == '"':
			raw := l.data[start+1 : i]
			if escaped || !utf8.Valid(raw) {
				var s string
				if err := json.Unmarshal(l.data[start:i+1], &s); err != nil {
					return nil, l.fail("a string")
				}
				raw = []byte(s)
			}
			l.pos = i + 1
			return raw, nil
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			l.pos = i
			return nil, l.fail("no control character")
		}
	}
	l.pos = len(l.data)
	return nil, l.fail("the end of a string")
}

// number consumes a number and gives its text. kind names the member's type in the error.
func (l *lexer) number(kind string) (string, error) {
	if c := l.peek(); c != '-' && (c < '0' || c > '9') {
		return "", l.unexpected(kind)
	}
	end := l.pos
	for end < len(l.data) && bytes.IndexByte([]byte("+-.0123456789Ee"), l.data[end]) >= 0 {
		end++
	}
	if !json.Valid(l.data[l.pos:end]) {
		return "", l.fail("a number")
	}
	s := string(l.data[l.pos:end])
	l.pos = end
	return s, nil
}

func (l *lexer) boolean() (bool, error) {
	switch {
	case l.peek() == 't' && l.literal("true"):
		return true, nil
	case l.peek() == 'f' && l.literal("false"):
		return false, nil
	}
	return false, l.unexpected("a Boolean")
}

// skip consumes a value of any kind.
func (l *lexer) skip() error {
	switch c := l.peek(); c {
	case '{':
		return l.object(func([]byte) error { return l.skip() })
	case '[':
		return l.array(l.skip)
	case '"':
		_, err := l.text()
		return err
	case 't', 'f':
		_, err := l.boolean()
		return err
	case 'n':
		if l.null() {
			return nil
		}
		return l.fail("a value")
	default:
		_, err := l.number("a value")
		return err
	}
}

// unexpected is the error for a value of the wrong kind. The texts are those that AWS's services give.
func (l *lexer) unexpected(want string) error {
	switch c := l.peek(); {
	case c == '{':
		return &typeError{"Start of structure or map found where not expected."}
	case c == '[':
		return &typeError{"Start of list found where not expected"}
	case c == '"':
		return &typeError{"STRING_VALUE can not be converted to " + want}
	case c == '-' || c >= '0' && c <= '9':
		return &typeError{"NUMBER_VALUE can not be converted to " + want}
	case c == 't' && l.literal("true"):
		return &typeError{"TRUE_VALUE can not be converted to " + want}
	case c == 'f' && l.literal("false"):
		return &typeError{"FALSE_VALUE can not be converted to " + want}
	case c == 'n' && l.literal("null"):
		return &typeError{"NULL_VALUE can not be converted to " + want}
	}
	return l.fail("a value")
}
