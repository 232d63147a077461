package permissiontest

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/licet/licet/internal/landscape"
	"github.com/licet/licet/internal/report"
)

// Report is the results of a file for a person. Of tests that passed it has a line each.
func Report(f *File, results []Result) []report.Line {
	lines := []report.Line{{{Text: f.Name, Style: report.Strong}}}
	for _, n := range f.Landscape.Notes {
		lines = append(lines, report.Line{{Text: "  note  " + n.At.String() + ": " + n.Text, Style: report.Faint}})
	}
	for start := 0; start < len(results); {
		end := start
		for end < len(results) && results[end].Test == results[start].Test {
			end++
		}
		lines = append(lines, ofTest(results[start:end])...)
		start = end
	}
	return lines
}

func ofTest(results []Result) []report.Line {
	mark := report.Piece{Text: "  ✓ ", Style: report.Good}
	var failures []report.Line
	for _, r := range results {
		if r.Verdict != Passed {
			mark = report.Piece{Text: "  ✗ ", Style: report.Bad}
			failures = append(failures, r.lines()...)
		}
	}
	count := fmt.Sprintf("  (%d %s)", len(results), plural(len(results), "call"))
	head := report.Line{mark, {Text: results[0].Test}, {Text: count, Style: report.Faint}}
	return append([]report.Line{head}, failures...)
}

// lines are what is said of a case that has not passed.
func (r Result) lines() []report.Line {
	lines := []report.Line{
		{{Text: "    " + r.Case.At.String() + "  ", Style: report.Faint}, {Text: r.Case.String(), Style: report.Strong}},
		{{Text: "      " + string(r.Verdict) + ": ", Style: report.Bad}, {Text: r.Reason}},
	}
	if why := r.Case.Call.Why; why != "" {
		lines = append(lines, report.Line{{Text: "      it is needed " + why}})
	}
	for _, n := range r.Answer.Notes {
		lines = append(lines, report.Line{{Text: "      " + n, Style: report.Faint}})
	}
	if r.Verdict != Failed { // an unsure one has two decisions, of which neither will be made
		return lines
	}
	for _, l := range report.Of(r.Answer.Explanation) {
		lines = append(lines, append(report.Line{{Text: "      "}}, l...))
	}
	return lines
}

// plain is what a person is told of a case, without styles.
func (r Result) plain() string {
	var b strings.Builder
	for _, l := range r.lines()[1:] {
		var line strings.Builder
		for _, p := range l {
			line.WriteString(p.Text)
		}
		b.WriteString(strings.TrimSpace(line.String()) + "\n")
	}
	return strings.TrimSpace(b.String())
}

// jsonResult is a result as WriteJSON has it.
type jsonResult struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Test     string   `json:"test"`
	As       string   `json:"principal"`
	Action   string   `json:"action"`
	Resource string   `json:"resource"`
	Expected Expected `json:"expected"`
	Verdict  Verdict  `json:"verdict"`
	Reason   string   `json:"reason,omitempty"`
	Unsure   []string `json:"unsure,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Why      string   `json:"why,omitempty"`
	// Explanation is the decision with its walk; null for a case that was not surely decided.
	Explanation any `json:"explanation"`
}

// WriteJSON writes the results as a list of objects.
func WriteJSON(w io.Writer, results []Result) error {
	list := make([]jsonResult, len(results))
	for i, r := range results {
		list[i] = jsonResult{
			File: r.Case.At.File, Line: r.Case.At.Line, Test: r.Test, As: r.Case.Call.Principal, Action: r.Case.Call.Action,
			Resource: r.Case.Call.Resource, Expected: r.Case.Want, Verdict: r.Verdict, Reason: r.Reason, Unsure: r.Answer.Unsure,
			Notes: r.Answer.Notes, Why: r.Case.Call.Why,
		}
		if r.Verdict == Passed || r.Verdict == Failed {
			list[i].Explanation = r.Answer.Explanation
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(list)
}

// The form of JUnit's reports, as CI systems read it: https://github.com/testmoapp/junitxml
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Failure *junitProblem `xml:"failure,omitempty"`
		Error   *junitProblem `xml:"error,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the results of several files: a suite for each test. What failed is a failure, what is unsure or broken an error.
func WriteJUnit(w io.Writer, results []Result, took time.Duration) error {
	s := Sum(results)
	all := junitSuites{Tests: s.Cases, Failures: s.Failed, Errors: s.Unsure + s.Broken, Time: fmt.Sprintf("%.3f", took.Seconds())}
	for i, r := range results {
		name := r.Case.At.File + ": " + r.Test
		if i == 0 || all.Suites[len(all.Suites)-1].Name != name {
			all.Suites = append(all.Suites, junitSuite{Name: name})
		}
		suite := &all.Suites[len(all.Suites)-1]
		c := junitCase{Name: r.Case.String(), Class: r.Test, File: r.Case.At.File, Line: r.Case.At.Line}
		suite.Tests++
		switch r.Verdict {
		case Passed:
		case Failed:
			suite.Failures++
			c.Failure = &junitProblem{r.Reason, string(r.Verdict), r.plain()}
		default:
			suite.Errors++
			c.Error = &junitProblem{r.Reason, string(r.Verdict), r.plain()}
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// WriteGitHub writes an annotation for each case that has not passed.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
func WriteGitHub(w io.Writer, results []Result) error {
	for _, r := range results {
		if r.Verdict == Passed {
			continue
		}
		if err := annotate(w, r.Case.At, r.Case.String(), r.plain()); err != nil {
			return err
		}
	}
	return nil
}

// WriteGitHubError writes an annotation for a file that cannot be used.
func WriteGitHubError(w io.Writer, e *Error) error {
	return annotate(w, e.At, "The file cannot be used", e.Message)
}

func annotate(w io.Writer, at landscape.Place, title, text string) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	_, err := fmt.Fprintf(w, "::error file=%s,line=%d,title=%s::%s\n", property.Replace(at.File), max(at.Line, 1), property.Replace(title), data.Replace(text))
	return err
}
