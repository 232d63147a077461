package policylint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/policy"
)

// ResourceOfOtherType is the code of an action whose resources are of another type than those that the statement names.
const ResourceOfOtherType = "RESOURCE_OF_OTHER_TYPE"

// maxSteps bounds the comparisons of one document.
const maxSteps = 20_000_000

// Finding is something wrong with a policy.
type Finding struct {
	Severity policy.Severity `json:"severity"`
	Code     string          `json:"code"`
	// Refused: AWS does not save the policy.
	Refused bool `json:"refused"`
	// Message is a sentence.
	Message string `json:"message"`
	// Position and End are the offending element's first byte and the one after its last.
	Position policy.Position `json:"start"`
	End      policy.Position `json:"end"`
	Span     policy.Span     `json:"-"`
}

// Linter finds what is wrong in policies.
type Linter struct {
	data *awsdata.Data
	// byService has the ARN patterns of all resource types by the service that the ARN names, which may be another than the one whose
	// type it is.
	byService func() map[string][]template
}

// New makes a Linter of AWS's tables.
func New(data *awsdata.Data) *Linter {
	return &Linter{data: data, byService: sync.OnceValue(func() map[string][]template {
		index := make(map[string][]template)
		for _, service := range data.Services() {
			for _, t := range data.ResourceTypes(service) {
				if parts := strings.SplitN(t.ARNPattern, ":", 4); len(parts) == 4 {
					index[parts[2]] = append(index[parts[2]], templateOf(t.ARNPattern))
				}
			}
		}
		return index
	})}
}

// Findings says what is wrong with a text that is to be a policy of a kind, by place. A text that cannot be parsed has one finding.
func (l *Linter) Findings(text []byte, kind policy.Kind) []Finding {
	d, err := policy.Parse(text)
	if e, ok := errors.AsType[*policy.SyntaxError](err); ok {
		source := &policy.Document{Source: text}
		span := policy.Span{Start: e.Offset, End: e.End}
		return []Finding{{
			Severity: policy.Error, Code: e.Code, Refused: true, Message: sentence(e.Message),
			Position: e.Position, End: source.Position(e.End), Span: span,
		}}
	}
	c := &checker{Linter: l, d: d, lines: d.Lines(), steps: maxSteps}
	for _, f := range policy.Validate(d, kind) {
		message := f.Message
		if f.Refused {
			message = "AWS refuses to save it: " + message
		}
		c.add(f.Severity, f.Code, f.Span, f.Refused, message)
	}
	c.vocabulary(kind)
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Span.Start, b.Span.Start), cmp.Compare(a.Span.End, b.Span.End), cmp.Compare(a.Code, b.Code))
	})
	return c.findings
}

// sentence makes one of a clause.
func sentence(clause string) string {
	r, size := utf8.DecodeRuneInString(clause)
	return string(unicode.ToUpper(r)) + clause[size:] + "."
}

// checker collects the findings of one document.
type checker struct {
	*Linter
	d        *policy.Document
	lines    policy.Lines
	findings []Finding
	// steps are what is left of maxSteps.
	steps int
}

func (c *checker) add(severity policy.Severity, code string, at policy.Span, refused bool, message string) {
	c.findings = append(c.findings, Finding{
		Severity: severity, Code: code, Refused: refused, Message: message,
		Position: c.lines.Position(at.Start), End: c.lines.Position(at.End), Span: at,
	})
}

func (c *checker) note(severity policy.Severity, code string, at policy.Span, format string, args ...any) {
	c.add(severity, code, at, false, fmt.Sprintf(format, args...))
}

// vocabulary makes the checks that need AWS's tables.
func (c *checker) vocabulary(kind policy.Kind) {
	for i := range c.d.Statements {
		s := &c.d.Statements[i]
		actions := c.actions(s)
		c.keys(s, actions)
		c.tags(s)
		if kind != policy.Trust { // whose statements have no resources
			c.resources(s)
			c.matches(s, actions)
		}
	}
}

// brief cuts a text that many findings may quote.
func brief(text string) string {
	const most = 128
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
