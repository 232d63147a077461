package pattern

import (
	"slices"
	"strconv"
	"strings"
)

// fields are what a message consists of.
type fields struct {
	before []field
	// ellipsis says that any number of fields is between before and after.
	ellipsis bool
	after    []field
}

// field is one of them.
type field struct {
	name      string    // "" for none
	condition condition // nil for none
}

// condition tells whether a field's value is meant.
type condition func(value string, number float64, isNumber bool) bool

func (f *fields) match(message string) bool {
	values, ok := f.split(message)
	if !ok {
		return false
	}
	return matchAll(f.before, values) && matchAll(f.after, values[len(values)-len(f.after):])
}

func matchAll(fields []field, values []string) bool {
	for i, f := range fields {
		if f.condition == nil {
			continue
		}
		number, isNumber := parseNumber(values[i])
		if !f.condition(values[i], number, isNumber) {
			return false
		}
	}
	return true
}

// split takes a message apart into as many fields as there are, and tells whether these are enough. Without an ellipsis the last
// takes the rest of the message.
func (f *fields) split(message string) (values []string, ok bool) {
	rest := strings.TrimSpace(message)
	want := len(f.before) + len(f.after)
	for rest != "" {
		if !f.ellipsis && len(values) == want-1 {
			value, more := nextField(rest)
			if more != "" {
				value = rest
			}
			return append(values, value), true
		}
		var value string
		value, rest = nextField(rest)
		values = append(values, value)
	}
	return values, len(values) >= want
}

// nextField takes the first field off a text without white space at its ends. Brackets and double quotes hold a field together.
func nextField(text string) (value, rest string) {
	end := byte(0)
	switch text[0] {
	case '[':
		end = ']'
	case '"':
		end = '"'
	}
	if end != 0 {
		if length := strings.IndexByte(text[1:], end); length >= 0 {
			if rest = text[length+2:]; rest == "" || isSpace(rest[0]) {
				return text[1 : length+1], strings.TrimLeft(rest, " \t\n\r")
			}
		}
	}
	i := strings.IndexAny(text, " \t\n\r")
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimLeft(text[i:], " \t\n\r")
}

// has tells whether a field has the name.
func (f *fields) has(name string) bool {
	named := func(f field) bool { return f.name == name }
	return name != "" && (slices.ContainsFunc(f.before, named) || slices.ContainsFunc(f.after, named))
}

// extract gives the values by name, or place.
func (f *fields) extract(message string) map[string]string {
	values, ok := f.split(message)
	found := make(map[string]string, len(values))
	if !ok {
		return found
	}
	for i, value := range values {
		name := ""
		if i < len(f.before) {
			name = f.before[i].name
		} else if after := i - (len(values) - len(f.after)); after >= 0 {
			name = f.after[after].name
		}
		if name == "" {
			name = strconv.Itoa(i + 1)
		}
		found[name] = value
	}
	return found
}

// fields reads what is between the brackets.
func (p *parser) fields() (*fields, error) {
	found := &fields{}
	for {
		p.peek()
		start := p.at
		if p.take("...") {
			if found.ellipsis {
				return nil, invalid(start) // ours: two would be ambiguous
			}
			found.ellipsis = true
		} else {
			f, err := p.field()
			if err != nil {
				return nil, err
			}
			if found.ellipsis {
				found.after = append(found.after, f)
			} else {
				found.before = append(found.before, f)
			}
		}
		if p.peek() == 0 {
			return found, nil
		}
		if !p.take(",") {
			return nil, p.unexpected()
		}
	}
}

// field reads a field: a name, and a condition on it.
func (p *parser) field() (f field, err error) {
	p.peek()
	start := p.at
	if f.name = p.word(isFieldName); f.name == "" {
		return f, nil
	}
	if c := p.peek(); c == 0 || c == ',' {
		return f, nil
	}
	p.at = start
	f.condition, err = p.either(f.name)
	return f, err
}

// either reads conditions with || between them; all, those with && between.
func (p *parser) either(name string) (condition, error) {
	left, err := p.all(name)
	for err == nil && p.take("||") {
		first := left
		var second condition
		if second, err = p.all(name); err == nil {
			left = func(v string, n float64, is bool) bool { return first(v, n, is) || second(v, n, is) }
		}
	}
	return left, err
}

func (p *parser) all(name string) (condition, error) {
	left, err := p.one(name)
	for err == nil && p.take("&&") {
		first := left
		var second condition
		if second, err = p.one(name); err == nil {
			left = func(v string, n float64, is bool) bool { return first(v, n, is) && second(v, n, is) }
		}
	}
	return left, err
}

// one reads one condition, of the field itself: AWS refuses those of other fields (awsdocs/amazon-cloudwatch-logs-user-guide#21).
func (p *parser) one(name string) (condition, error) {
	if p.take("(") {
		inner, err := p.either(name)
		if err == nil && !p.take(")") {
			err = p.unexpected()
		}
		return inner, err
	}
	p.peek()
	start := p.at
	if p.word(isFieldName) != name {
		return nil, invalid(start)
	}
	c, err := p.comparison()
	return c.holds, err
}

func isFieldName(c byte) bool { return isName(c) || c == '-' }
