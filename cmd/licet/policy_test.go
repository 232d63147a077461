package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runPolicy runs licet policy in a directory with files, and gives its output and exit status.
func runPolicy(t *testing.T, files map[string]string, stdin string, args ...string) (out string, status int) {
	t.Helper()
	if files != nil {
		t.Chdir(t.TempDir())
		for name, text := range files {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("GITHUB_ACTIONS", "")
	cmd := command()
	var b bytes.Buffer
	cmd.SetOut(&b)
	cmd.SetErr(&b)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetArgs(append([]string{"policy"}, args...))
	if err := cmd.Execute(); err != nil {
		b.WriteString("licet: " + err.Error() + "\n")
		status = statusOf(err)
	}
	return b.String(), status
}

// wantRun compares a run with what is wanted.
func wantRun(t *testing.T, out string, status int, want string, wantStatus int) {
	t.Helper()
	if diff := cmp.Diff(want, out); diff != "" || status != wantStatus {
		t.Errorf("status %d, want %d; -want +got\n%s", status, wantStatus, diff)
	}
}

const (
	good     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::photos/*"}]}`
	misspelt = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObjects","Resource":"*"}]}`
	comments = "{\n  // all may read\n  \"Statement\": [{\"Effect\":\"Allow\"}]\n}\n"
)

// lintFiles are a folder with policies and other files.
func lintFiles() map[string]string {
	return map[string]string{
		"a.json": good, "deep/b.json": misspelt, "deep/package.json": `{"name":"x","Statements":1}`, "deep/c.txt": misspelt,
		".hidden/d.json": misspelt, "node_modules/e.json": misspelt,
	}
}

func TestPolicyLint(t *testing.T) {
	out, status := runPolicy(t, lintFiles(), "", "lint", ".")
	wantRun(t, out, status, `deep/b.json:1:65: error: AWS has no action s3:GetObjects; did you mean s3:GetObject? (INVALID_ACTION)
     1 │ {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObjects","Resource":"*"}]}
       │                                                                 ^^^^^^^^^^^^^^^
2 policies (2 identity by its looks): 1 error.
licet: there are findings
`, 1)
	out, status = runPolicy(t, nil, "", "lint", "a.json")
	wantRun(t, out, status, "1 policy (1 identity by its looks): nothing found.\n", 0)
	out, status = runPolicy(t, nil, comments, "lint")
	wantRun(t, out, status, `<stdin>:2:3: error: Found a comment where a name in quotes should be: JSON has none. (JSON_SYNTAX_ERROR)
     2 │   // all may read
       │   ^
1 policy (1 identity by its looks): 1 error.
licet: there are findings
`, 1)
}

// What fails is what --fail-on says, and what is a finding depends on the type.
func TestPolicyLintFailOn(t *testing.T) {
	const wide = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:Get*"],"Resource":"arn:aws:s3:::b/*"}]}`
	for _, tt := range []struct {
		args   []string
		status int
	}{
		{nil, 0},
		{[]string{"--fail-on", "warning"}, 0},
		{[]string{"--fail-on", "suggestion"}, 1},
		{[]string{"--type", "boundary"}, 0},
		{[]string{"--type", "trust"}, 1},
		{[]string{"--type", "identities"}, 2},
		{[]string{"--fail-on", "SUGGESTION"}, 2},
		{[]string{"--json", "--sarif"}, 2},
		{[]string{"missing.json"}, 2},
		{[]string{"--json"}, 0},
		{[]string{"--sarif", "--fail-on", "suggestion"}, 1},
	} {
		if out, status := runPolicy(t, nil, wide, append([]string{"lint"}, tt.args...)...); status != tt.status {
			t.Errorf("%v: status %d, want %d\n%s", tt.args, status, tt.status, out)
		}
	}
	if out, status := runPolicy(t, map[string]string{"x.json": "[]"}, "", "lint", "."); status != 2 || !strings.Contains(out, "there is no policy") {
		t.Errorf("no policy: status %d\n%s", status, out)
	}
	if out, status := runPolicy(t, nil, strings.Repeat(" ", maxPolicyFile+1), "lint"); status != 2 || !strings.Contains(out, "too many for a policy") {
		t.Errorf("large: status %d\n%s", status, out)
	}
}

func TestPolicyFormat(t *testing.T) {
	const formatted = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::photos/*"
    }
  ]
}
`
	out, status := runPolicy(t, map[string]string{"a.json": good, "b.json": comments, "c.json": formatted}, good, "format")
	wantRun(t, out, status, formatted, 0)
	out, status = runPolicy(t, nil, "", "format", "--check", "a.json", "c.json")
	wantRun(t, out, status, "a.json\nlicet: not all policies are formatted\n", 1)
	out, status = runPolicy(t, nil, "", "format", "--check", "-d", "c.json")
	wantRun(t, out, status, "", 0)
	out, status = runPolicy(t, nil, "", "format", "-w", "--check", "c.json")
	wantRun(t, out, status, "licet: --check writes nothing: choose one of -w and --check\n", 2)

	// One that is refused stays as it is; the others are written, with their mode, through a link.
	if err := os.Symlink("a.json", "link.json"); err != nil {
		t.Fatal(err)
	}
	out, status = runPolicy(t, nil, "", "format", "-w", "link.json", "b.json")
	wantRun(t, out, status, "licet: b.json:2:3: found a comment where a name in quotes should be: JSON has none\n", 2)
	for name, want := range map[string]string{"a.json": formatted, "b.json": comments} {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		info, err := os.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o640 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if info, err := os.Lstat("link.json"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("link.json: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) != 4 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	out, status = runPolicy(t, nil, "", "format", "--check", "a.json")
	wantRun(t, out, status, "", 0)
}
