package policy

import (
	"errors"
	"fmt"
)

// Severity grades a finding, in the words of IAM Access Analyzer.
type Severity string

// The severities. AWS saves a document for all of them, an Error too, unless the finding is Refused.
const (
	Error           Severity = "ERROR"
	SecurityWarning Severity = "SECURITY_WARNING"
	Warning         Severity = "WARNING"
	Suggestion      Severity = "SUGGESTION"
)

// Finding is something wrong with a document.
type Finding struct {
	// Severity is Access Analyzer's, but Error for all that is Refused.
	Severity Severity
	// Code names the check as IAM Access Analyzer does, where it has the check.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
	Code string
	// Refused: AWS refuses to save the document, and Message is its answer. Organizations has one answer for all; see Problem.
	Refused bool
	// Message is a sentence of our own when the finding is not Refused.
	Message string
	// Span is the offending element, Position its start.
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
	if f, ok := refusal(d, k); ok {
		return located(f.Position, f.Span.Start, f.Message)
	}
	return ""
}

func located(at Position, offset int, message string) string {
	return fmt.Sprintf("line %d, column %d (byte %d): %s", at.Line, at.Column, offset, message)
}

func problem(text []byte, k Kind) (*Document, string) {
	d, err := Parse(text)
	if err != nil {
		return nil, unparsed(err, k)
	}
	if f, ok := refusal(d, k); ok {
		return nil, f.Message
	}
	return d, ""
}

// unparsed is AWS's message for a text that Parse refuses.
func unparsed(err error, k Kind) string {
	if e, ok := errors.AsType[*SyntaxError](err); ok && e.NotJSON && k == Trust {
		return invalidJSON
	}
	return syntaxErrors
}

// refusal is the finding for which AWS refuses a document, if there is one.
func refusal(d *Document, k Kind) (Finding, bool) {
	for _, f := range newChecker(d, k).refusals() {
		if f.Refused {
			return f, true
		}
	}
	return Finding{}, false
}

// Findings parses and validates a text. One that Parse refuses has a single finding, which is Refused: AWS reports no more
// either.
func Findings(text []byte, k Kind) []Finding {
	d, err := Parse(text)
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		return []Finding{{
			Severity: Error,
			Code:     e.Code,
			Refused:  true,
			Message:  unparsed(err, k),
			Span:     Span{e.Offset, e.End},
			Position: e.Position,
		}}
	}
	return Validate(d, k)
}
