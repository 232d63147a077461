package pattern

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// parser reads a text from the position at.
type parser struct {
	text      string
	at        int
	regexes   int
	wildcards int
}

// enclosed takes the first character away, and the last, which must be end.
func (p *parser) enclosed(end byte) error {
	first := p.text[p.at]
	if last := len(p.text) - 1; last == p.at || p.text[last] != end {
		return &Error{last, "If a filter pattern starts with '" + string(first) + "' it must end with '" + string(end) + "'"}
	}
	p.text = p.text[:len(p.text)-1]
	p.at++
	return nil
}

// peek is the next character after white space, or 0 at the end.
func (p *parser) peek() byte {
	for p.at < len(p.text) && isSpace(p.text[p.at]) {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// next is the character at the position, white space too, or 0 at the end.
func (p *parser) next() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// take reads token, after white space, if it is there.
func (p *parser) take(token string) bool {
	p.peek()
	if !strings.HasPrefix(p.text[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

// word reads the longest run of characters that ok takes; it may be empty.
func (p *parser) word(ok func(byte) bool) string {
	start := p.at
	for p.at < len(p.text) && ok(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at]
}

// keyword reads a word of letters, in either case, if it is there.
func (p *parser) keyword(want string) bool {
	p.peek()
	start := p.at
	if strings.EqualFold(p.word(isName), want) {
		return true
	}
	p.at = start
	return false
}

// quoted reads a text between double quotes, in which a backslash stands before a quote or a backslash.
func (p *parser) quoted() (string, error) {
	start := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			if p.at-start == 2 {
				return "", badCharacters(start, `""`)
			}
			return b.String(), nil
		case c == '\\' && p.at+1 < len(p.text) && (p.text[p.at+1] == '"' || p.text[p.at+1] == '\\'):
			p.at++
			b.WriteByte(p.text[p.at])
		default:
			b.WriteByte(c)
		}
	}
	return "", badCharacters(start, `"`)
}

// unexpected is the error of the characters at the position, up to the next that could be in a term.
func (p *parser) unexpected() error {
	start := p.at
	for p.at < len(p.text) && !isName(p.text[p.at]) && !isSpace(p.text[p.at]) {
		_, size := utf8.DecodeRuneInString(p.text[p.at:])
		p.at += size
	}
	if p.at == start {
		return invalid(start)
	}
	return badCharacters(start, p.text[start:p.at])
}

// index reads a number of an array's element.
func (p *parser) index() (int, error) {
	start := p.at
	n, err := strconv.Atoi(p.word(func(c byte) bool { return '0' <= c && c <= '9' }))
	if err != nil {
		return 0, invalid(start)
	}
	return n, nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// isName tells the characters of names and of terms without quotes.
func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
