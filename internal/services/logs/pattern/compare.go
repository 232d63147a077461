package pattern

import (
	"regexp"
	"strconv"
	"strings"
)

// comparison is an operator with the value at its right.
type comparison struct {
	operator string // = != < > <= >=
	text     string
	// prefix and suffix say that the text had an asterisk behind it, or before it.
	prefix, suffix bool
	number         float64
	isNumber       bool
	regex          *regexp.Regexp
}

// holds tells whether a value compares so. number is the value's, where it has one.
func (c comparison) holds(text string, number float64, isNumber bool) bool {
	switch c.operator {
	case "=":
		return c.equals(text, number, isNumber)
	case "!=":
		return !c.equals(text, number, isNumber)
	case "<":
		return isNumber && number < c.number
	case ">":
		return isNumber && number > c.number
	case "<=":
		return isNumber && number <= c.number
	default:
		return isNumber && number >= c.number
	}
}

func (c comparison) equals(text string, number float64, isNumber bool) bool {
	switch {
	case c.regex != nil:
		return c.regex.MatchString(text)
	case c.isNumber && isNumber:
		return number == c.number
	case c.prefix && c.suffix:
		return strings.Contains(text, c.text)
	case c.prefix:
		return strings.HasPrefix(text, c.text)
	case c.suffix:
		return strings.HasSuffix(text, c.text)
	default:
		return text == c.text
	}
}

// comparison reads an operator and a value.
func (p *parser) comparison() (comparison, error) {
	var c comparison
	for _, operator := range []string{"!=", "<=", ">=", "=", "<", ">"} {
		if p.take(operator) {
			c.operator = operator
			break
		}
	}
	if c.operator == "" {
		return c, p.unexpected()
	}
	start := p.at
	if err := p.value(&c); err != nil {
		return c, err
	}
	if c.operator != "=" && c.operator != "!=" && !c.isNumber {
		return c, invalid(start)
	}
	return c, nil
}

// value reads a regular expression, a text in quotes, a number, or a text without quotes.
func (p *parser) value(c *comparison) (err error) {
	quoted := false
	switch p.peek() {
	case '%':
		if c.regex, err = p.regex(); err == nil && p.regexes > maxRegexes {
			err = invalid(p.at)
		}
		return err
	case '"':
		quoted = true
		if c.text, err = p.quoted(); err != nil {
			return err
		}
	default:
		if c.text = p.word(isBareValue); c.text == "" {
			return p.unexpected()
		}
	}
	if !quoted {
		c.number, c.isNumber = parseNumber(c.text)
	}
	if text := c.text; text == "*" {
		c.text, c.prefix, c.suffix = "", true, true
	} else {
		c.text, c.suffix = strings.CutPrefix(c.text, "*")
		c.text, c.prefix = strings.CutSuffix(c.text, "*")
	}
	return nil
}

// isBareValue tells the characters of values without quotes: the page's own examples have more than letters and digits.
func isBareValue(c byte) bool { return isName(c) || strings.IndexByte("*.+-", c) >= 0 }

// parseNumber reads a decimal number. Other forms that Go knows are texts: Inf, hexadecimal, underscores.
func parseNumber(text string) (float64, bool) {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && strings.IndexByte("+-.eE", c) < 0 {
			return 0, false
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}
