package logs

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/services/logs/pattern"
)

// shape is a string shape of the model: its largest length in characters, and which characters it takes.
type shape struct {
	max     int
	pattern string // as AWS writes it in messages
	allowed func(rune) bool
}

func groupNameShape() shape {
	return shape{512, `[\.\-_/#A-Za-z0-9]+`, func(r rune) bool { return isAlphanumeric(r) || strings.ContainsRune(".-_/#", r) }}
}

// groupPatternShape is that of DescribeLogGroups' logGroupNamePattern.
func groupPatternShape() shape {
	s := groupNameShape()
	s.pattern = `[\.\-_/#A-Za-z0-9]*`
	return s
}

func streamNameShape() shape {
	return shape{512, `[^:*]*`, func(r rune) bool { return r != ':' && r != '*' && r != 0 }} // NUL cannot be kept: ours
}

func groupIdentifierShape() shape {
	return shape{2048, `[\w#+=/:,.@-]*`, func(r rune) bool { return isAlphanumeric(r) || strings.ContainsRune("_#+=/:,.@-", r) }}
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// required checks a member that must be there.
func (p *problems) required(member string, value *string, s shape) {
	if value == nil {
		p.addNull(member)
		return
	}
	p.optional(member, value, s)
}

// optional checks a member that may be missing, but not empty.
func (p *problems) optional(member string, value *string, s shape) {
	if value == nil {
		return
	}
	switch n := utf8.RuneCountInString(*value); {
	case n < 1:
		p.add(member, *value, "have length greater than or equal to 1")
	case n > s.max:
		p.add(member, *value, fmt.Sprintf("have length less than or equal to %d", s.max))
	}
	if strings.ContainsFunc(*value, func(r rune) bool { return !s.allowed(r) }) {
		p.add(member, *value, "satisfy regular expression pattern: "+s.pattern)
	}
}

// within checks a number that may be missing, and gives it or, without one, fallback.
func (p *problems) within(member string, value *int32, low, high, fallback int) int {
	if value == nil {
		return fallback
	}
	n := int(*value)
	switch {
	case n < low:
		p.add(member, strconv.Itoa(n), fmt.Sprintf("have value greater than or equal to %d", low))
	case n > high:
		p.add(member, strconv.Itoa(n), fmt.Sprintf("have value less than or equal to %d", high))
	}
	return n
}

// pattern checks the length of a filter pattern, which may be missing and empty.
func (p *problems) pattern(member string, value *string) {
	if value != nil && utf8.RuneCountInString(*value) > pattern.MaxLength {
		p.add(member, *value, fmt.Sprintf("have length less than or equal to %d", pattern.MaxLength))
	}
}

// requiredPattern checks the member filterPattern, which must be there.
func (p *problems) requiredPattern(value *string) {
	if value == nil {
		p.addNull("filterPattern")
	}
	p.pattern("filterPattern", value)
}

// parsePattern reads a filter pattern.
func parsePattern(text *string) (*pattern.Pattern, error) {
	parsed, err := pattern.Parse(aws.ToString(text))
	if err != nil {
		return nil, invalidParameter("%s", err.Error())
	}
	return parsed, nil
}

// time checks a timestamp in milliseconds that may be missing.
func (p *problems) time(member string, value *int64) {
	if value != nil && *value < 0 {
		p.add(member, strconv.FormatInt(*value, 10), "have value greater than or equal to 0")
	}
}
