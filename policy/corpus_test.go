package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// corpusCase is a section of a file in testdata; see the README there.
type corpusCase struct {
	name string
	// text is the document, fields are as written.
	text   string
	fields map[string]string
}

func readCorpus(t testing.TB) []corpusCase {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus files: %v", err)
	}
	var cases []corpusCase
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, defaults, _ := strings.Cut(string(archive.Comment), "\n\n") // the first paragraph is for the reader
		for _, section := range archive.Files {
			c := corpusCase{name: strings.TrimSuffix(filepath.Base(file), ".txtar") + "/" + section.Name}
			if err := c.read(defaults + "\n" + string(section.Data)); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			cases = append(cases, c)
		}
	}
	return cases
}

var fieldLine = regexp.MustCompile(`^([a-z]+):(?: (.*))?$`)

// read takes the fields of a case; a later one replaces an earlier one of its name, so that defaults come first.
func (c *corpusCase) read(text string) error {
	c.fields = map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch m := fieldLine.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "  ") && name != "":
			c.fields[name] = strings.TrimPrefix(c.fields[name]+"\n"+line[2:], "\n")
		case line == "":
		case m != nil:
			name = m[1]
			c.fields[name] = m[2]
		default:
			return fmt.Errorf("cannot read line %q", line)
		}
	}
	for _, required := range []string{"source", "kind", "want"} {
		if c.fields[required] == "" {
			return fmt.Errorf("no %s", required)
		}
	}
	c.text = c.fields["policy"]
	if s := c.fields["statement"]; s != "" {
		c.text = "{\"Version\":\"2012-10-17\",\"Statement\":[\n" + s + "\n]}"
	}
	if pad, err := strconv.Atoi(c.fields["pad"]); err == nil {
		c.text = strings.ReplaceAll(c.text, "PAD", strings.Repeat("a", pad))
	}
	return nil
}

// got writes the findings as a case does.
func (c *corpusCase) got() string {
	var lines []string
	for _, f := range Findings([]byte(c.text), Kind(c.fields["kind"])) {
		severity := string(f.Severity)
		if f.Refused {
			severity = "REFUSED"
		}
		span, _, more := strings.Cut(c.text[f.Span.Start:f.Span.End], "\n")
		if more {
			span += " …"
		}
		if len(span) > 200 {
			span = span[:20] + " …"
		}
		lines = append(lines, fmt.Sprintf("%s %s %d:%d %s", severity, f.Code, f.Position.Line, f.Position.Column, span))
	}
	if lines == nil {
		return "none"
	}
	return strings.Join(lines, "\n")
}

func TestFindingsCorpus(t *testing.T) {
	for _, c := range readCorpus(t) {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(strings.Split(c.fields["want"], "\n"), strings.Split(c.got(), "\n")); diff != "" {
				t.Errorf("findings: -want +got\n%s\n%s", diff, c.text)
			}
			if _, message := Problem([]byte(c.text), Kind(c.fields["kind"])); message != c.fields["message"] {
				t.Errorf("Problem gives %q, want %q", message, c.fields["message"])
			}
			for _, f := range Findings([]byte(c.text), Kind(c.fields["kind"])) {
				if !f.Refused && !regexp.MustCompile(`^[^\n]+\.$`).MatchString(f.Message) {
					t.Errorf("%s: %q is not a sentence", f.Code, f.Message)
				}
			}
		})
	}
}

// Every code that the package gives has a case.
func TestFindingsCorpusIsComplete(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range readCorpus(t) {
		for _, code := range regexp.MustCompile(`(?m)^[A-Z_]+ ([A-Z_]+) `).FindAllStringSubmatch(c.fields["want"], -1) {
			covered[code[1]] = true
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"([A-Z]+(?:_[A-Z0-9]+)+)"`).FindAllStringSubmatch(string(source), -1) {
			if code := m[1]; !strings.HasSuffix(file, "_test.go") && code != string(SecurityWarning) && !covered[code] {
				t.Errorf("%s: no case has %s", file, code)
			}
		}
	}
}
