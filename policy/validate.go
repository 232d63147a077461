package policy

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// Severity grades a finding, in the words of IAM Access Analyzer.
type Severity string

// The severities. Only an Error keeps a policy from being saved.
const (
	Error           Severity = "ERROR"
	SecurityWarning Severity = "SECURITY_WARNING"
	Warning         Severity = "WARNING"
	Suggestion      Severity = "SUGGESTION"
)

// Finding is something wrong with a document.
type Finding struct {
	Severity Severity
	// Code names the check as IAM Access Analyzer does, where it has the check.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
	Code string
	// Message is what AWS answers to a request that saves the document, where that is known.
	Message  string
	Span     Span
	Position Position
}

// The two families of messages have these in common.
const (
	syntaxErrors  = "Syntax errors in policy."
	legacyParsing = "The policy failed legacy parsing"
	invalidJSON   = "This policy contains invalid Json"
)

// Problem parses and validates a text that is to be saved as a policy of a kind. It returns the document and "", or nil and the
// message of AWS's error: MalformedPolicyDocument in IAM and STS; other services have their own code and often their own message.
//
// Recorded from AWS are "This policy contains invalid Json" for trust policies and "Syntax errors in policy." for identity
// policies that are not JSON. Organizations has one message for everything.
func Problem(text []byte, k Kind) (*Document, string) {
	d, message := problem(text, k)
	if message == "" {
		return d, ""
	}
	if k == ServiceControl || k == ResourceControl {
		message = "The provided policy document does not meet the requirements of the specified policy type."
	}
	return nil, message
}

// Locate says where in a text the problem is that Problem found, for a person: "line 3, column 17 (byte 42): …". It is "" when there
// is none.
func Locate(text []byte, k Kind) string {
	d, err := Parse(text)
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		return located(e.Position, e.Offset, e.Message)
	}
	if err != nil {
		return err.Error()
	}
	for _, f := range Validate(d, k) {
		if f.Severity == Error {
			return located(f.Position, f.Span.Start, f.Message)
		}
	}
	return ""
}

func located(at Position, offset int, message string) string {
	return fmt.Sprintf("line %d, column %d (byte %d): %s", at.Line, at.Column, offset, message)
}

func problem(text []byte, k Kind) (*Document, string) {
	d, err := Parse(text)
	if err != nil {
		if e, ok := errors.AsType[*SyntaxError](err); ok && e.NotJSON && k == Trust {
			return nil, invalidJSON
		}
		return nil, syntaxErrors
	}
	for _, f := range Validate(d, k) {
		if f.Severity == Error {
			return nil, f.Message
		}
	}
	return d, ""
}

// Validate says what keeps a document from being saved as a policy of a kind. Errors come in the order in which AWS looks for
// them, so that the first is AWS's answer. Nothing is looked up: whether actions, keys and principals exist is not its concern.
func Validate(d *Document, k Kind) []Finding {
	r, ok := rulesOf(k)
	c := checker{d: d, kind: k, rules: r}
	if !ok {
		c.fail("INVALID_POLICY_TYPE", Span{0, len(d.Source)}, "Policy type %q is not valid.", k)
		return c.findings
	}
	// The order of iam.md L4: grammar, version, the legacy parser, then one question at a time over all statements.
	for _, check := range []func(){
		c.checkID,
		func() { c.each(c.checkOperators) },
		func() { c.each(c.checkKeys) },
		c.checkVersion,
		func() { c.each(c.checkPrincipals) },
		func() { c.each(c.checkDates) },
		func() { c.each(c.checkVariables) },
		func() { c.eachResource(true) },
		c.checkSids,
		func() { c.each(c.checkHasAction) },
		func() { c.eachResource(false) },
		func() { c.each(c.checkActions) },
		func() { c.each(c.checkHasResource) },
		func() { c.each(c.checkKindOnly) },
	} {
		check()
	}
	return c.findings
}

// checker collects the findings of one document.
type checker struct {
	d        *Document
	kind     Kind
	rules    rules
	findings []Finding
	// lines are the offsets at which lines start: with many findings Document.Position would take quadratic time.
	lines []int
	// principals is principalForms, once it is needed.
	principals *regexp.Regexp
}

func (c *checker) fail(code string, at Span, format string, args ...any) {
	c.findings = append(c.findings, Finding{
		Severity: Error,
		Code:     code,
		Message:  fmt.Sprintf(format, args...),
		Span:     at,
		Position: c.position(at.Start),
	})
}

func (c *checker) position(offset int) Position {
	if c.lines == nil {
		c.lines = []int{0}
		for i, b := range c.d.Source {
			if b == '\n' {
				c.lines = append(c.lines, i+1)
			}
		}
	}
	line := sort.SearchInts(c.lines, offset+1)
	return Position{Line: line, Column: offset - c.lines[line-1] + 1}
}

func (c *checker) each(check func(s *Statement)) {
	for i := range c.d.Statements {
		check(&c.d.Statements[i])
	}
}

func (c *checker) checkID() {
	if c.d.ID != "" && c.rules.id == forbidden {
		c.fail("INVALID_POLICY_ELEMENT", Span{0, len(c.d.Source)}, syntaxErrors)
	}
}

func (c *checker) checkVersion() {
	if c.rules.version2012 && c.d.Version != Version2012 {
		c.fail("INVALID_VERSION", Span{0, len(c.d.Source)}, "Policy document must be version 2012-10-17 or greater.")
	}
}

// checkSids wants them unique. Access Analyzer does so for every type of policy (UNIQUE_SIDS_REQUIRED).
func (c *checker) checkSids() {
	seen := make(map[string]bool)
	c.each(func(s *Statement) {
		if c.rules.plainSid && strings.ContainsFunc(s.Sid, notAlphanumeric) {
			c.fail("INVALID_SID", s.Span,
				"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
		if s.Sid != "" && seen[s.Sid] {
			c.fail("UNIQUE_SIDS_REQUIRED", s.Span, "Statement IDs (SID) in a single policy must be unique.")
		}
		seen[s.Sid] = true
	})
}

func notAlphanumeric(r rune) bool {
	return !('0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z')
}

func (c *checker) checkHasAction(s *Statement) {
	if len(s.Action)+len(s.NotAction) > 0 {
		return
	}
	message := "Policy statement must contain actions."
	if c.rules.fields {
		message = "Missing required field Action"
	}
	c.fail("MISSING_ACTION", s.Span, "%s", message)
}

func (c *checker) checkHasResource(s *Statement) {
	if c.rules.resource != required || len(s.Resource)+len(s.NotResource) > 0 {
		return
	}
	message := "Policy statement must contain resources."
	if c.rules.fields {
		message = "Missing required field Resource"
	}
	c.fail("MISSING_RESOURCE", s.Span, "%s", message)
}

// checkKindOnly applies the rules of a single kind.
func (c *checker) checkKindOnly(s *Statement) {
	switch c.kind {
	case Trust:
		c.checkTrustActions(s)
	case ResourceControl:
		if s.Effect != Deny {
			c.fail("INVALID_EFFECT", s.Span, "Only RCPFullAWSAccess may have a statement with Effect Allow.")
		}
		if s.NotAction != nil {
			c.fail("INVALID_POLICY_ELEMENT", s.Span, "A resource control policy cannot have NotAction.")
		}
	}
}
