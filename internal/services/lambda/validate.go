package lambda

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// text is the constraint of a string member. A zero max means no limit.
type text struct {
	min, max int
	pattern  *pattern
}

// pattern is a regular expression that must match the whole value.
type pattern struct {
	source   string // as the model and AWS's messages have it
	compiled *regexp.Regexp
}

func newPattern(source string) *pattern {
	return &pattern{source: source, compiled: regexp.MustCompile(`\A(?:` + source + `)\z`)}
}

// The constraints of the model (botocore, API version 2015-03-31; newer limits from the SDK's documentation).
var (
	functionNamePattern = newPattern(`(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?` +
		`(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`)
	namespacedNamePattern = newPattern(`(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?` +
		`(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`)
	layerPattern    = newPattern(`arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+`)
	variablePattern = newPattern(`[a-zA-Z]([a-zA-Z0-9_])+`)

	functionNameText   = text{1, 140, functionNamePattern}
	namespacedNameText = text{1, 256, namespacedNamePattern}
	qualifierText      = text{1, 128, newPattern(`\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`)}
	taggableText       = text{1, 256, newPattern(`arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:` +
		`(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}` +
		`|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}` +
		`|capacity-provider:[a-zA-Z0-9-_]+)`)}

	roleText        = text{0, 0, newPattern(`arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)}
	handlerText     = text{0, 128, newPattern(`[^\s]+`)}
	descriptionText = text{0, 256, nil}
	resourceText    = text{0, 0, newPattern(`(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()`)}
	logGroupText    = text{1, 512, newPattern(`[\.\-_/#A-Za-z0-9]+`)}
	layerText       = text{1, 140, layerPattern}

	statementIDText         = text{1, 100, newPattern(`([a-zA-Z0-9-_]+)`)}
	namespacedStatementText = text{1, 100, newPattern(`([a-zA-Z0-9-_.]+)`)}
	actionText              = text{0, 10000, newPattern(`(lambda:[*]|lambda:[a-zA-Z]+|[*])`)}
	principalText           = text{0, 2048, newPattern(`[^\s]+`)}
	sourceARNText           = text{0, 0, newPattern(`arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?` +
		`:(\d{12})?:(.*)`)}
	sourceAccountText        = text{0, 12, newPattern(`\d{12}`)}
	eventSourceTokenText     = text{0, 256, newPattern(`[a-zA-Z0-9._\-]+`)}
	principalOrgIDText       = text{12, 34, newPattern(`o-[a-z0-9]{10,32}`)}
	durableExecutionNameText = text{1, 64, newPattern(`[a-zA-Z0-9-_]+`)}
	tenantIDText             = text{1, 256, newPattern(`[a-zA-Z0-9\._:\/=+\-@ ]+`)}
)

// validator collects violations of the model's constraints, in the order and words of AWS's front end. Members are named as AWS
// names them: lower camel case, with a dot before a nested member.
type validator struct{ violations []string }

// err is nil if there were none.
func (v *validator) err() error {
	if len(v.violations) == 0 {
		return nil
	}
	return validationFailed(v.violations)
}

// fail notes a violation; value as it is printed, with quotes.
func (v *validator) fail(value, member, constraint string) {
	if value != "" {
		value = " " + value
	}
	v.violations = append(v.violations, fmt.Sprintf("Value%s at '%s' failed to satisfy constraint: %s", value, member, constraint))
}

// required notes a member that is missing and tells whether it is there.
func (v *validator) required(member string, present bool) bool {
	if !present {
		v.fail("null", member, "Member must not be null")
	}
	return present
}

// text checks a string member; a missing one is fine.
func (v *validator) text(member string, value *string, t text) {
	if value == nil {
		return
	}
	for _, constraint := range t.violated(*value) {
		v.fail("'"+*value+"'", member, constraint)
	}
}

// violated gives the constraints that a value does not satisfy.
func (t text) violated(value string) []string {
	var all []string
	if t.pattern != nil && !t.pattern.compiled.MatchString(value) {
		all = append(all, "Member must satisfy regular expression pattern: "+t.pattern.source)
	}
	return append(all, t.length(value)...)
}

func (t text) length(value string) []string {
	n := utf8.RuneCountInString(value)
	if t.max > 0 && n > t.max {
		return []string{"Member must have length less than or equal to " + strconv.Itoa(t.max)}
	}
	if n < t.min {
		return []string{"Member must have length greater than or equal to " + strconv.Itoa(t.min)}
	}
	return nil
}

// requiredText checks a string member that must be there.
func (v *validator) requiredText(member string, value *string, t text) {
	if v.required(member, value != nil) {
		v.text(member, value, t)
	}
}

// number checks an integer member; a missing one is fine.
func (v *validator) number(member string, value *int32, low, high int32) {
	switch {
	case value == nil:
	case *value < low:
		v.fail(fmt.Sprintf("'%d'", *value), member, fmt.Sprintf("Member must have value greater than or equal to %d", low))
	case *value > high:
		v.fail(fmt.Sprintf("'%d'", *value), member, fmt.Sprintf("Member must have value less than or equal to %d", high))
	}
}

// enum checks a member of an enumeration; "" is a missing one.
func enum[E ~string](v *validator, member string, value E, values []E) {
	if value != "" && !slices.Contains(values, value) {
		v.fail("'"+string(value)+"'", member, "Member must satisfy enum value set: "+list(values))
	}
}

// list prints values as AWS does.
func list[E ~string](values []E) string {
	all := make([]string, len(values))
	for i, e := range values {
		all[i] = string(e)
	}
	return "[" + strings.Join(all, ", ") + "]"
}
