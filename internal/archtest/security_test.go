package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the project's folder.
const root = "../.."

// TestClaims: each claim of docs/SECURITY.md that names a test names one that exists.
func TestClaims(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("(?s)\\[((?:`(?:Test|Fuzz)\\w+`|[^]`])+)\\]").FindAllStringSubmatch(string(text), -1)
	if len(named) < 20 {
		t.Fatalf("%d places name tests, want more: are they still written as before?", len(named))
	}
	part := regexp.MustCompile("((?:`\\w+`,?\\s+)+)in\\s+([\\w/]+)")
	for _, place := range named {
		parts := part.FindAllStringSubmatch(place[1], -1)
		if len(parts) == 0 {
			t.Errorf("%q does not say where the test is", place[1])
		}
		for _, p := range parts {
			source := testsOf(t, filepath.Join(root, p[2]))
			for _, name := range regexp.MustCompile(`\w+`).FindAllString(p[1], -1) {
				if !strings.Contains(source, "func "+name+"(") {
					t.Errorf("%s has no %s", p[2], name)
				}
			}
		}
	}
}

// testsOf is the text of all tests in a folder.
func testsOf(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s has no tests: %v", dir, err)
	}
	var b strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}
