package reference_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/licet/licet/policy"
)

// checklist is how many lines each letter of the checklist has (iam.md, section 1).
var checklist = []struct {
	letter string
	lines  int
}{
	{"D", 17}, {"T", 8}, {"P", 9}, {"A", 2}, {"R", 7}, {"V", 1}, {"C", 19}, {"X", 5}, {"L", 5}, {"M", 6},
}

var (
	citation = regexp.MustCompile(`\b[DTPARVCXLM][0-9]+\b`)
	goTest   = regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)[A-Za-z0-9]+)`")
)

// indexedCase is a section of a corpus file, read just so far as the index needs it.
type indexedCase struct {
	file, name string
	lines      []string // of the checklist, as source cites them
	question   string   // what the evaluator is asked: all fields but source and the answers
	text       string
}

// TestCorpusIndex: docs/CORPUS.md has each line of the checklist, counts the cases that cite it, and names tests that exist.
func TestCorpusIndex(t *testing.T) {
	cases := indexedCases(t)
	counts, files := map[string]map[string]int{}, map[string]bool{}
	for _, c := range cases {
		files[c.file] = true
		for _, line := range c.lines {
			if counts[line] == nil {
				counts[line] = map[string]int{}
			}
			counts[line][c.file]++
		}
	}
	page, err := os.ReadFile("../../docs/CORPUS.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d cases in %d files", len(cases), len(files)); !strings.Contains(string(page), want) {
		t.Errorf("docs/CORPUS.md does not say %q", want)
	}
	rows := indexRows(t, string(page))
	for _, group := range checklist {
		for i := range group.lines {
			line := fmt.Sprint(group.letter, i+1)
			checkRow(t, line, rows[line], inWords(counts[line]))
			delete(rows, line)
			delete(counts, line)
		}
	}
	for line := range rows {
		t.Errorf("docs/CORPUS.md has a row for %s, which the checklist does not have", line)
	}
	for line := range counts {
		t.Errorf("a case cites %s, which the checklist does not have", line)
	}
}

// indexRows finds the cells of each line of the checklist.
func indexRows(t *testing.T, page string) map[string][]string {
	t.Helper()
	rows := map[string][]string{}
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if !strings.HasPrefix(line, "| ") || !citation.MatchString(cells[0]) {
			continue
		}
		if len(cells) != 4 || rows[cells[0]] != nil {
			t.Errorf("row %s: want it once, with four cells", cells[0])
		}
		rows[cells[0]] = cells
	}
	return rows
}

func checkRow(t *testing.T, line string, cells []string, counted string) {
	t.Helper()
	if len(cells) != 4 {
		t.Errorf("docs/CORPUS.md has no row for %s", line)
		return
	}
	cases, shown, beside := cells[1], cells[2], cells[3]
	if cases != counted {
		t.Errorf("%s: docs/CORPUS.md counts %q, the corpus has %q", line, cases, counted)
	}
	if (shown == "") != (cases == "") {
		t.Errorf("%s: say what the cases show, where there are cases", line)
	}
	tests := goTest.FindAllStringSubmatch(beside, -1)
	if cases == "" && len(tests) == 0 && !strings.Contains(strings.ToLower(beside), "nothing yet") {
		t.Errorf("%s: no case, no test: say that nothing proves it yet", line)
	}
	if quoted := strings.Count(beside, "`") / 2; quoted != len(tests) {
		t.Errorf("%s: %d names in backquotes, but %d are tests, such as `policy.TestSize`", line, quoted, len(tests))
	}
	for _, test := range tests {
		if !hasTest(t, test[1], test[2]) {
			t.Errorf("%s: there is no test %s in %s", line, test[2], test[1])
		}
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob("../../" + folder + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

// inWords lists counts by file, the largest first.
func inWords(counts map[string]int) string {
	files := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	for i, file := range files {
		files[i] = fmt.Sprint(file, " ", counts[file])
	}
	return strings.Join(files, ", ")
}

// TestCorpusCasesDiffer: no two cases ask the same question, and no file has a name twice.
func TestCorpusCasesDiffer(t *testing.T) {
	asked, named := map[string]string{}, map[string]bool{}
	for _, c := range indexedCases(t) {
		name := c.file + "/" + c.name
		if other := asked[c.question]; other != "" {
			t.Errorf("%s asks what %s asks", name, other)
		}
		if named[name] {
			t.Errorf("%s: the name is taken", name)
		}
		asked[c.question], named[name] = name, true
	}
}

// TestCorpusHasEveryOperator: each condition operator has cases in each of its forms.
func TestCorpusHasEveryOperator(t *testing.T) {
	var text strings.Builder
	for _, c := range indexedCases(t) {
		text.WriteString(c.text)
	}
	for _, name := range strings.Fields(`StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike
		StringNotLike NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals
		DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals Bool BinaryEquals IpAddress
		NotIpAddress ArnEquals ArnLike ArnNotEquals ArnNotLike`) {
		for _, set := range []policy.SetPrefix{policy.NoSet, policy.ForAllValues, policy.ForAnyValue} {
			for _, ifExists := range []bool{false, true} {
				form := policy.Operator{Set: set, Name: name, IfExists: ifExists}.String()
				if _, ok := policy.ParseOperator(form); !ok {
					t.Errorf("%s is no operator", form)
				}
				if !strings.Contains(text.String(), `"`+form+`":`) {
					t.Errorf("no case uses %s", form)
				}
			}
		}
	}
}

func indexedCases(t *testing.T) []indexedCase {
	t.Helper()
	paths, err := filepath.Glob("../testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no corpus files: %v", err)
	}
	var cases []indexedCase
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, defaults, _ := strings.Cut(string(archive.Comment), "\n\n")
		for _, section := range archive.Files {
			c := indexedCase{file: strings.TrimSuffix(filepath.Base(path), ".txtar"), name: section.Name, text: string(section.Data)}
			c.read(defaults)
			cases = append(cases, c)
		}
	}
	return cases
}

// read takes the case's text apart: its own fields, and the defaults that it does not set.
func (c *indexedCase) read(defaults string) {
	own := fieldTexts(c.text)
	fields := own
	for _, d := range fieldTexts(defaults) {
		if !slices.ContainsFunc(own, func(f [2]string) bool { return f[0] == d[0] }) {
			fields = append(fields, d)
		}
	}
	slices.SortStableFunc(fields, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) }) // policies of a type stay in order
	for _, f := range fields {
		switch name, text := f[0], f[1]; name {
		case "source":
			c.lines = citation.FindAllString(text, -1)
			slices.Sort(c.lines)
			c.lines = slices.Compact(c.lines)
		case "want", "message", "match", "failed":
		default:
			if strings.TrimSpace(text) != name+": -" {
				c.question += text
			}
		}
	}
}

// fieldTexts splits a section into fields, each by its name and with its lines.
func fieldTexts(section string) [][2]string {
	var fields [][2]string
	for line := range strings.Lines(section) {
		switch name, _, _ := strings.Cut(line, ":"); {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, " ") && len(fields) > 0:
			fields[len(fields)-1][1] += line
		default:
			name, _, _ = strings.Cut(name, " [")
			fields = append(fields, [2]string{name, line})
		}
	}
	return fields
}
