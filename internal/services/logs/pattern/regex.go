package pattern

import (
	"regexp"
	"strings"
)

// regex reads a regular expression between percent signs. It takes what the page lists, and nothing else: parentheses, other
// symbols and letters beyond ASCII are written \xhh.
func (p *parser) regex() (*regexp.Regexp, error) {
	start := p.at
	p.regexes++
	length := strings.IndexByte(p.text[start+1:], '%')
	if length < 0 {
		return nil, badCharacters(start, "%")
	}
	if length == 0 {
		return nil, badCharacters(start, "%%")
	}
	text := p.text[start+1 : start+1+length]
	p.at += length + 2
	translated, err := translate(text, start+1)
	if err != nil {
		return nil, err
	}
	compiled, err := regexp.Compile(translated)
	if err != nil {
		return nil, invalid(start)
	}
	return compiled, nil
}

// translate writes a regular expression as Go has it. There, {,n} is text, and $ is never before a line's end, where messages often
// have one.
func translate(text string, offset int) (string, error) {
	var b strings.Builder
	class := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			length := escapeLength(text[i:])
			if length == 0 {
				return "", badCharacters(offset+i, text[i:min(i+2, len(text))])
			}
			b.WriteString(text[i : i+length])
			i += length - 1
		case c == '$' && !class:
			b.WriteString(`(?:\n?\z)`)
		case c == '{' && !class && i+1 < len(text) && text[i+1] == ',':
			b.WriteString("{0")
		case isName(c) || strings.IndexByte(`:#=@/;,- ^$?[]{}|*+.`, c) >= 0:
			class = c == '[' || class && c != ']'
			b.WriteByte(c)
		default:
			return "", badCharacters(offset+i, string(c))
		}
	}
	return b.String(), nil
}

// escapeLength is the length of the escape sequence at the start of text, or 0 if it is none that the page has.
func escapeLength(text string) int {
	if len(text) < 2 {
		return 0
	}
	c := text[1]
	switch {
	case strings.IndexByte("dDsSwW", c) >= 0, strings.IndexByte(`:#=@/;,-^$?[]{}|\*+._`, c) >= 0:
		return 2
	case c == 'x' && len(text) >= 4 && isHex(text[2]) && isHex(text[3]):
		return 4
	}
	return 0
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
