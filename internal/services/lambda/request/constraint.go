package request

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/internal/services/lambda/fault"
)

// Text is the constraint of a string member. A zero Max means no limit.
type Text struct {
	Min, Max int
	Pattern  *Pattern
}

// NewText makes the constraint of a member that has a pattern.
func NewText(shortest, longest int, pattern string) Text {
	return Text{Min: shortest, Max: longest, Pattern: NewPattern(pattern)}
}

// Pattern is a regular expression that must match the whole value.
type Pattern struct {
	// Source is what the model and AWS's messages have.
	Source   string
	compiled *regexp.Regexp
}

// NewPattern compiles an expression of the model. It panics where that is none. The model lets the partition of many ARNs be empty, which
// it is in none: such a value violates the pattern.
func NewPattern(source string) *Pattern {
	expression := strings.ReplaceAll(source, `arn:(aws[a-zA-Z-]*)?:`, `arn:(aws[a-zA-Z-]*):`)
	return &Pattern{Source: source, compiled: regexp.MustCompile(`\A(?:` + expression + `)\z`)}
}

// NewPatternAs is NewPattern for a source that Go cannot compile, by an expression of its own that matches the same.
func NewPatternAs(source, expression string) *Pattern {
	p := NewPattern(expression)
	p.Source = source
	return p
}

// Matches tells whether the pattern matches all of a value.
func (p *Pattern) Matches(value string) bool { return p.compiled.MatchString(value) }

// The constraints that several resources share (botocore, API version 2015-03-31; newer limits from the SDK's documentation).
var (
	FunctionName = NewText(1, 140, `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?`+
		`(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`)
	// NamespacedName is what most operations take. Names of functions that operations make are FunctionName.
	NamespacedName = NewText(1, 256, `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?`+
		`(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`)
	Qualifier       = NewText(1, 128, `\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`)
	LayerVersionARN = NewText(1, 140, `arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+`)
	Description     = Text{Max: 256}
	// AliasName is not a number.
	AliasName   = Text{Min: 1, Max: 128, Pattern: NewPatternAs(`(?!^[0-9]+$)([a-zA-Z0-9-_]+)`, `[0-9]*[a-zA-Z-_][a-zA-Z0-9-_]*`)}
	Version     = NewText(1, 1024, `(\$LATEST(\.PUBLISHED)?|[0-9]+)`)
	StatementID = NewText(1, 100, `([a-zA-Z0-9-_]+)`)
	Bucket      = NewText(3, 63, `[0-9A-Za-z\.\-_]*[0-9A-Za-z\-_]`)
	// Object is the key, or the version, of one in a bucket.
	Object         = Text{Min: 1, Max: 1024}
	OrganizationID = NewText(12, 34, `o-[a-z0-9]{10,32}`)
)

// Validator collects violations of the model's constraints, in the order and words of AWS's front end. Members are named as AWS
// names them: lower camel case, with a dot before a nested member.
type Validator struct{ violations []string }

// Err is nil if there were none.
func (v *Validator) Err() error {
	if len(v.violations) == 0 {
		return nil
	}
	return fault.Validation(v.violations)
}

// Fail notes a violation; value as it is printed, with quotes.
func (v *Validator) Fail(value, member, constraint string) {
	if value != "" {
		value = " " + value
	}
	v.violations = append(v.violations, fmt.Sprintf("Value%s at '%s' failed to satisfy constraint: %s", value, member, constraint))
}

// Required notes a member that is missing and tells whether it is there.
func (v *Validator) Required(member string, present bool) bool {
	if !present {
		v.Fail("null", member, "Member must not be null")
	}
	return present
}

// Text checks a string member; a missing one is fine.
func (v *Validator) Text(member string, value *string, t Text) {
	if value == nil {
		return
	}
	for _, constraint := range t.Violated(*value) {
		v.Fail("'"+*value+"'", member, constraint)
	}
}

// Violated gives the constraints that a value does not satisfy.
func (t Text) Violated(value string) []string {
	var all []string
	if t.Pattern != nil && !t.Pattern.Matches(value) {
		all = append(all, "Member must satisfy regular expression pattern: "+t.Pattern.Source)
	}
	return append(all, t.length(value)...)
}

func (t Text) length(value string) []string {
	n := utf8.RuneCountInString(value)
	if t.Max > 0 && n > t.Max {
		return []string{"Member must have length less than or equal to " + strconv.Itoa(t.Max)}
	}
	if n < t.Min {
		return []string{"Member must have length greater than or equal to " + strconv.Itoa(t.Min)}
	}
	return nil
}

// RequiredText checks a string member that must be there.
func (v *Validator) RequiredText(member string, value *string, t Text) {
	if v.Required(member, value != nil) {
		v.Text(member, value, t)
	}
}

// Number checks an integer member; a missing one is fine.
func (v *Validator) Number(member string, value *int32, low, high int32) {
	switch {
	case value == nil:
	case *value < low:
		v.Fail(fmt.Sprintf("'%d'", *value), member, fmt.Sprintf("Member must have value greater than or equal to %d", low))
	case *value > high:
		v.Fail(fmt.Sprintf("'%d'", *value), member, fmt.Sprintf("Member must have value less than or equal to %d", high))
	}
}

// Enum checks a member of an enumeration; "" is a missing one.
func Enum[E ~string](v *Validator, member string, value E, values []E) {
	if value != "" && !slices.Contains(values, value) {
		v.Fail("'"+string(value)+"'", member, "Member must satisfy enum value set: "+List(values))
	}
}

// List prints values as AWS does.
func List[E ~string](values []E) string {
	all := make([]string, len(values))
	for i, e := range values {
		all[i] = string(e)
	}
	return "[" + strings.Join(all, ", ") + "]"
}
