package policylint

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/internal/report"
	"github.com/licet/licet/policy"
)

// Result is what was found in a file.
type Result struct {
	// File is its path, as a person named it.
	File string
	Text []byte
	// Type is one of Types; Guessed tells that nobody said so.
	Type     string
	Guessed  bool
	Findings []Finding
}

// Severities from the least to the worst.
func Severities() []policy.Severity {
	return []policy.Severity{policy.Suggestion, policy.Warning, policy.SecurityWarning, policy.Error}
}

// Level is a severity as people write it: security-warning.
func Level(s policy.Severity) string { return strings.ReplaceAll(strings.ToLower(string(s)), "_", "-") }

// AtLeast counts the findings that are as bad as a severity, or worse.
func AtLeast(results []Result, least policy.Severity) (n int) {
	for _, r := range results {
		for _, f := range r.Findings {
			if slices.Index(Severities(), f.Severity) >= slices.Index(Severities(), least) {
				n++
			}
		}
	}
	return n
}

// Report tells a person what was found in a file: each finding as compilers do, file:line:column, with the line and carets under the
// element. Columns count bytes from 1.
func (r Result) Report() []report.Line {
	var lines []report.Line
	source := &policy.Document{Source: r.Text}
	for _, f := range r.Findings {
		style := report.Bad
		if f.Severity == policy.Suggestion || f.Severity == policy.Warning {
			style = report.Strong
		}
		lines = append(lines, report.Line{
			{Text: fmt.Sprintf("%s:%d:%d: ", r.File, f.Position.Line, f.Position.Column), Style: report.Strong},
			{Text: Level(f.Severity) + ": ", Style: style}, {Text: f.Message}, {Text: " (" + f.Code + ")", Style: report.Faint},
		})
		lines = append(lines, report.Excerpt(source, f.Span, policy.Span{Start: f.Span.Start, End: r.firstLine(f.Span)}, "")...)
	}
	return lines
}

// firstLine is where the first line of a span ends: no more is shown.
func (r Result) firstLine(s policy.Span) int {
	if i := slices.Index(r.Text[s.Start:s.End], '\n'); i > 0 {
		return s.Start + i
	}
	return s.End
}

// Summary counts what was found.
func Summary(results []Result) string {
	counts := make(map[policy.Severity]int)
	types := make(map[string]int)
	for _, r := range results {
		name := r.Type
		if r.Guessed {
			name += " by its looks"
		}
		types[name]++
		for _, f := range r.Findings {
			counts[f.Severity]++
		}
	}
	var parts, found []string
	for _, t := range Types() {
		for _, name := range []string{t, t + " by its looks"} {
			if types[name] > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", types[name], name))
			}
		}
	}
	for _, s := range slices.Backward(Severities()) {
		if n := counts[s]; n > 0 {
			found = append(found, plural(n, strings.ReplaceAll(Level(s), "-", " ")))
		}
	}
	if found == nil {
		found = []string{"nothing found"}
	}
	noun := "policies"
	if len(results) == 1 {
		noun = "policy"
	}
	return fmt.Sprintf("%d %s (%s): %s", len(results), noun, strings.Join(parts, ", "), strings.Join(found, ", "))
}

func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

// jsonResult is a result as WriteJSON has it.
type jsonResult struct {
	File     string    `json:"file"`
	Type     string    `json:"type"`
	Guessed  bool      `json:"guessed"`
	Findings []Finding `json:"findings"`
}

// WriteJSON writes the results as a list of objects. Columns count bytes.
func WriteJSON(w io.Writer, results []Result) error {
	list := make([]jsonResult, len(results))
	for i, r := range results {
		list[i] = jsonResult{r.File, r.Type, r.Guessed, slices.Concat([]Finding{}, r.Findings)}
	}
	return encode(w, list)
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// WriteGitHub writes an annotation for each finding.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
func WriteGitHub(w io.Writer, results []Result) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, r := range results {
		for _, f := range r.Findings {
			start, end := r.characters(f)
			columns := "" // which only a place in one line has
			if start.Line == end.Line {
				columns = fmt.Sprintf(",col=%d,endColumn=%d", start.Column, end.Column)
			}
			if _, err := fmt.Fprintf(w, "::%s file=%s,line=%d,endLine=%d%s,title=%s::%s\n", annotation(f.Severity, "notice"),
				property.Replace(r.File), start.Line, end.Line, columns, property.Replace(f.Code), data.Replace(f.Message)); err != nil {
				return err
			}
		}
	}
	return nil
}

// annotation is a severity in the words of GitHub and SARIF, which differ in the least one.
func annotation(s policy.Severity, least string) string {
	switch s {
	case policy.Error:
		return "error"
	case policy.Suggestion:
		return least
	}
	return "warning"
}

// characters are the places of a finding with columns that count characters.
func (r Result) characters(f Finding) (start, end policy.Position) {
	column := func(offset int, p policy.Position) policy.Position {
		p.Column = utf8.RuneCount(r.Text[offset-p.Column+1:offset]) + 1
		return p
	}
	return column(f.Span.Start, f.Position), column(f.Span.End, f.End)
}

// The form of SARIF 2.1.0, as code scanning reads it.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver struct {
				Name  string      `json:"name"`
				URI   string      `json:"informationUri"`
				Rules []sarifRule `json:"rules"`
			} `json:"driver"`
		} `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifRule struct {
		ID      string `json:"id"`
		HelpURI string `json:"helpUri"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region struct {
				StartLine   int `json:"startLine"`
				StartColumn int `json:"startColumn"`
				EndLine     int `json:"endLine"`
				EndColumn   int `json:"endColumn"`
			} `json:"region"`
		} `json:"physicalLocation"`
	}
)

// helpFor is the page that describes a check: Access Analyzer's, or for what is ours our own.
func helpFor(code string) string {
	if code == ResourceOfOtherType {
		return "https://github.com/licet/licet/blob/main/docs/POLICY.md"
	}
	return "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
}

// WriteSARIF writes the results as SARIF 2.1.0.
func WriteSARIF(w io.Writer, results []Result) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver.Name, run.Tool.Driver.URI = "licet policy lint", "https://github.com/licet/licet"
	run.Tool.Driver.Rules = []sarifRule{}
	for _, r := range results {
		for _, f := range r.Findings {
			if rule := (sarifRule{f.Code, helpFor(f.Code)}); !slices.Contains(run.Tool.Driver.Rules, rule) {
				run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
			}
			var l sarifLocation
			start, end := r.characters(f)
			l.Physical.Artifact.URI = (&url.URL{Path: filepath.ToSlash(r.File)}).String()
			l.Physical.Region.StartLine, l.Physical.Region.StartColumn = start.Line, start.Column
			l.Physical.Region.EndLine, l.Physical.Region.EndColumn = end.Line, end.Column
			run.Results = append(run.Results, sarifResult{f.Code, annotation(f.Severity, "note"), sarifText{f.Message}, []sarifLocation{l}})
		}
	}
	return encode(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}
