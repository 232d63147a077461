// Package pattern is the filter patterns of CloudWatch Logs: what FilterLogEvents, Live Tail, metric filters and subscription
// filters use to say which log events they mean.
//
// It is pure: no I/O, no clock. A Pattern is immutable and safe for concurrent use. Matching takes time linear in the message, for
// regular expressions too, and never fails: a message that a pattern cannot be asked about, such as text and a JSON pattern, does
// not match.
//
// There are three kinds, known by the first character:
//
//	ERROR -"not found"                     terms: text that the message contains, or does not
//	[ip, user, status = 4*, ...]           fields, separated by white space in the message
//	{ $.a.b[0] = "x" && $.c NOT EXISTS }   values of a message that is JSON
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html. Where it is silent:
//   - texts of errors are those that users of AWS have quoted; a comment says which are ours;
//   - an asterisk is a wildcard at the ends of a value only, as an earlier edition of that page says;
//   - a selector that finds no string or number makes its comparison false, != too;
//   - the last field takes the rest of the line: the console's own pattern for functions, [timestamp=*Z, request_id="*-*", event], needs
//     it.
//
// To add a kind of condition: a case in parser.comparison and one in compare.go.
package pattern

import (
	"strings"
	"unicode/utf8"
)

// MaxLength is the largest length of a pattern, in characters (API_PutMetricFilter, filterPattern).
const MaxLength = 1024

// maxRegexes is the largest number of regular expressions in a pattern of fields or JSON.
const maxRegexes = 2

// Error says why a text is no pattern. Its text is for the client.
type Error struct {
	// Offset is the byte of the text at which it went wrong.
	Offset  int
	Message string
}

func (e *Error) Error() string { return e.Message }

// invalid is the error of a text that does not follow the grammar.
func invalid(offset int) error { return &Error{offset, "Invalid filter pattern"} }

// badCharacters is the error of characters that must be quoted.
func badCharacters(offset int, characters string) error {
	return &Error{offset, "Invalid character(s) in term '" + characters + "'"}
}

// Pattern says which messages are meant. The zero value means all.
type Pattern struct {
	matcher matcher // nil: all
	regexes int
	fields  *fields // of a pattern of fields
}

// matcher tells whether a message is meant.
type matcher interface{ match(message string) bool }

// Parse reads a pattern. The error is an *Error.
func Parse(text string) (*Pattern, error) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return &Pattern{}, nil
	}
	if utf8.RuneCountInString(text) > MaxLength {
		return nil, invalid(len(text))
	}
	start := strings.Index(text, trimmed)
	p := &parser{text: text[:start+len(trimmed)], at: start}
	var found Pattern
	var err error
	switch trimmed[0] {
	case '{':
		err = p.enclosed('}')
		if err == nil {
			found.matcher, err = p.json()
		}
	case '[':
		err = p.enclosed(']')
		if err == nil {
			found.fields, err = p.fields()
			found.matcher = found.fields
		}
	default:
		found.matcher, err = p.terms()
	}
	if err != nil {
		return nil, err
	}
	found.regexes = p.regexes
	return &found, nil
}

// Match tells whether a message is meant.
func (p *Pattern) Match(message string) bool { return p.matcher == nil || p.matcher.match(message) }

// HasRegex tells whether the pattern has a regular expression, of which a log group may have but a few.
func (p *Pattern) HasRegex() bool { return p.regexes > 0 }

// HasFields tells whether the pattern is one of fields.
func (p *Pattern) HasFields() bool { return p.fields != nil }

// ReadsJSON tells whether the pattern is one for JSON.
func (p *Pattern) ReadsJSON() bool {
	_, ok := p.matcher.(document)
	return ok
}

// Fields gives the fields of a message that a pattern of fields matches, by their names, or their places for those without; nothing
// for other patterns.
func (p *Pattern) Fields(message string) map[string]string {
	if p.fields == nil {
		return nil
	}
	return p.fields.extract(message)
}

// Extracts tells whether the pattern gives a value by a name that starts with a dollar: one of its fields, or a selector for JSON.
func (p *Pattern) Extracts(name string) bool {
	if p.ReadsJSON() {
		_, err := ParseSelector(name)
		return err == nil
	}
	return p.fields != nil && p.fields.has(strings.TrimPrefix(name, "$")) && strings.HasPrefix(name, "$")
}
