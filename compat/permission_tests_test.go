package compat

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// licetTest runs `licet test` in a folder, as CI would, and gives its exit status and what it printed.
func (l *licet) licetTest(t *testing.T, dir string, args ...string) (status int, out string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), l.binary, append([]string{"test"}, args...)...)
	cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir()}
	text, _ := cmd.CombinedOutput() // the status says it
	return cmd.ProcessState.ExitCode(), string(text)
}

// The tests of the example pass before anything is deployed, and say what is missing when something is.
func TestPermissionTestsOffline(t *testing.T) {
	t.Parallel()
	if status, out := server.licetTest(t, "../examples"); status != 0 || !strings.Contains(out, "28 calls in 7 tests: 28 as expected.") {
		t.Errorf("status %d\n%s", status, out)
	}
	dir := t.TempDir()
	for _, name := range []string{"template.yaml", "resize.licet.yaml"} {
		text := string(must(os.ReadFile(filepath.Join("../examples/image-resize", name)))(t))
		text = strings.Replace(text, "Action: s3:PutObject", "Action: s3:PutObjectAcl", 1)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	status, out := server.licetTest(t, dir, "--junit", "junit.xml", "--github")
	for _, want := range []string{
		"✗ the function reads photos", "Resize can s3:PutObject Thumbnails/in/a.png", "because no identity-based policy allows the s3:PutObject action",
		`{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::thumbnails/in/a.png"}`, "::error file=resize.licet.yaml,line=10,",
		"16 calls in 4 tests: 15 as expected, 1 not.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q", want)
		}
	}
	if status != 1 {
		t.Errorf("status %d\n%s", status, out)
	}
	if text := string(must(os.ReadFile(filepath.Join(dir, "junit.xml")))(t)); !strings.Contains(text, `<testsuites tests="16" failures="1" errors="0"`) {
		t.Errorf("got %s", text)
	}
	for _, args := range [][]string{{"--run", "("}, {"--run", "none"}, {"none.yaml"}, {"template.yaml"}, {"--data", "x", "--unknown"}} {
		if status, out := server.licetTest(t, dir, args...); status != 2 && args[len(args)-1] != "--unknown" || status == 0 {
			t.Errorf("%q: status %d\n%s", args, status, out)
		}
	}
}

// A plan of Terraform is a source, too. What is sure in it before the first apply can be tested, and what is not is said.
func TestPermissionTestsOfPlan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("plan.json", string(must(os.ReadFile("../internal/terraform/testdata/first.json"))(t)))
	const sure = `
sources: [plan.json]
tests:
  - as: aws_lambda_function.resize
    can: [sqs:SendMessage aws_sqs_queue.done, 'logs:PutLogEvents arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/resize:log-stream:s']
    missing: s3:GetObject aws_s3_bucket.thumbnails/in/a.png
  - as: events.amazonaws.com
    can: {action: lambda:InvokeFunction, resource: resize, source: aws_cloudwatch_event_rule.nightly}
`
	write("x.licet.yaml", "account: '111122223333'"+sure)
	if status, out := server.licetTest(t, dir); status != 0 || !strings.Contains(out, "4 calls in 2 tests: 4 as expected.") {
		t.Errorf("status %d\n%s", status, out)
	}
	write("x.licet.yaml", "account: '111122223333'"+sure+"  - {as: resize, can: s3:GetObject aws_s3_bucket.photos/in/a.png}\n")
	if status, out := server.licetTest(t, dir); status != 1 || !strings.Contains(out, "what follows aws_s3_bucket.photos.arn") {
		t.Errorf("status %d\n%s", status, out)
	}
	write("x.licet.yaml", sure)
	if status, out := server.licetTest(t, dir); status != 2 || !strings.Contains(out, "the plan was made for the account 111122223333") {
		t.Errorf("status %d\n%s", status, out)
	}
}

// With --server the running server decides, by the policies that it has.
func TestPermissionTestsOfServer(t *testing.T) {
	t.Parallel()
	q := server.newQueue(t)
	r := server.newRole(t, trustLambda, allow("sqs:SendMessage", q.arn))
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "x.licet.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("resources: {Queue: {arn: '" + q.arn + "'}}\ntests:\n  - as: " + r.arn + "\n    can: sqs:SendMessage Queue\n    missing: sqs:ReceiveMessage Queue\n")
	args := []string{"--server", "--data", server.data}
	if status, out := server.licetTest(t, dir, args...); status != 0 {
		t.Errorf("status %d\n%s", status, out)
	}
	server.permitRole(t, r, allow("sqs:*", q.arn))
	if status, out := server.licetTest(t, dir, args...); status != 1 || !strings.Contains(out, "1 as expected, 1 not.") {
		t.Errorf("status %d\n%s", status, out)
	}
	write("tests:\n  - {as: 'arn:aws:iam::" + account + ":role/nobody', can: 'sqs:SendMessage " + q.arn + "'}\n")
	if status, out := server.licetTest(t, dir, args...); status != 1 || !strings.Contains(out, "1 broken") {
		t.Errorf("status %d\n%s", status, out)
	}
}
