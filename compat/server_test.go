package compat

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"
)

// newServer starts a server of the test's own and ends it with the test.
func newServer(t *testing.T, flags ...string) *licet {
	t.Helper()
	l := &licet{binary: server.binary, data: filepath.Join(t.TempDir(), "data")}
	l.start(t, flags...)
	return l
}

// start launches a server, again if it was stopped, and stops it at the end of the test if nothing else did.
func (l *licet) start(t *testing.T, flags ...string) {
	t.Helper()
	if err := l.launch(flags...); err != nil {
		t.Fatal(err)
	}
	ended := l.ended
	t.Cleanup(func() {
		select {
		case <-ended:
		default:
			l.end(t)
		}
		if t.Failed() {
			t.Logf("server log\n%s", l.log.String())
		}
	})
}

// end is stop for a test.
func (l *licet) end(t *testing.T) {
	t.Helper()
	if err := l.stop(); err != nil {
		t.Errorf("stop the server: %v", err)
	}
}

// page reads one of the server's own pages, which need no signature.
func (l *licet) page(t *testing.T, path string) string {
	t.Helper()
	return string(download(t, l.url+path))
}

func TestServerPages(t *testing.T) {
	t.Parallel()
	var health map[string]string
	if err := json.Unmarshal([]byte(server.page(t, "/_licet/health")), &health); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(health, map[string]string{"status": "ok", "region": "us-east-1", "mode": "enforce"}); diff != "" {
		t.Errorf("health: -got +want:\n%s", diff)
	}
	must(server.as(server.root).lambda.ListFunctions(t.Context(), nil))(t)
	metrics := server.page(t, "/_licet/metrics")
	for _, want := range []string{
		`licet_edge_requests_total{class="2xx",service="lambda"} `, "licet_edge_panics_total 0\n", "licet_execution_cold_starts_total ", "go_goroutines ",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics have no %q", want)
		}
	}
	if strings.Contains(metrics, account) {
		t.Error("metrics name an account")
	}
}

// Nothing but a page that says so is open without a signature.
func TestServerClosedPages(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{
		"/_licet/decisions": 403, "/_licet/decisions/x": 403, "/_licet/code/x": 403, "/_licet/none": 404,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, body := do(t, req); resp.StatusCode != want {
			t.Errorf("%s: got %s %s, want %d", path, resp.Status, body, want)
		}
	}
}

// The data directory is its owner's alone.
func TestServerDataDirectory(t *testing.T) {
	t.Parallel()
	modes := map[string]fs.FileMode{"": 0o700 | fs.ModeDir, "key": 0o600, "endpoint": 0o600}
	if database == nil {
		modes["licet.db"], modes["licet.db-wal"] = 0o600, 0o600
	} else {
		modes["store"] = 0o600
	}
	for path, want := range modes {
		info, err := os.Stat(filepath.Join(server.data, path))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%q: got mode %v, want %v", path, info.Mode(), want)
		}
	}
}

// One data directory has one server. The second says so and leaves the first alone.
func TestServerSecond(t *testing.T) {
	t.Parallel()
	_, err := server.command(t, server.root, server.binary, "serve", "--data", server.data, "--listen", "127.0.0.1:0")
	if err == nil || !strings.Contains(err.Error(), "licet: another licet server runs on this data directory: "+server.data) {
		t.Errorf("got %v", err)
	}
	env, err := server.env()
	if err != nil || env["AWS_ENDPOINT_URL"] != server.url {
		t.Errorf("licet env after it: got %s, %v, want %s", env["AWS_ENDPOINT_URL"], err, server.url)
	}
}

// What cannot be meant is an error, before anything is made.
func TestServerFlags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"--mode", "maybe"}, `--mode "maybe": want enforce or observe`},
		{[]string{"--sandbox", "cardboard"}, `--sandbox "cardboard": want native, oci or process`},
		{[]string{"--function-network", "some"}, `--function-network "some": want none or host`},
		{[]string{"--region", "nowhere"}, `--region "nowhere": want a region`},
		{[]string{"--root-access-key-id", "AKIAIOSFODNN7EXAMPLE"}, "--root-access-key-id and --root-secret-file go together"},
		{[]string{"--max-image-gib", "-1"}, "--max-image-gib -1: want 1 to 1024"},
		{[]string{"--registry", "host=somewhere"}, `registry for host: "somewhere" is not a URL such as http://127.0.0.1:5000`},
		{[]string{"--registry-credentials", "/no/such/file"}, "read credentials of registries: open /no/such/file"},
		{[]string{"--upstream", "nothing=http://127.0.0.1:1"}, "--upstream nothing: AWS has no service of this name"},
		{[]string{"--upstream", "cloudwatch=http://127.0.0.1:1"}, "; its requests are signed for monitoring"},
		{[]string{"--upstream", "lambda=http://127.0.0.1:1"}, "--upstream lambda: licet has this service itself"},
		{[]string{"--upstream", "dynamodb=127.0.0.1:1"}, "--upstream dynamodb: not a URL: want http://HOST:PORT"},
		{[]string{"--upstream-credentials", "/no/such/file"}, "read --upstream-credentials: open /no/such/file"},
		{[]string{"--no-such-flag"}, "unknown flag: --no-such-flag"},
		{[]string{"surplus"}, `unknown command "surplus"`},
		{[]string{"--listen", "nowhere:x"}, "listen: "},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			args := append([]string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0"}, tt.args...)
			_, err := server.command(t, server.root, server.binary, args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// licet env makes the keys before there is a server, and they are those of the server.
func TestServerEnvBeforeStart(t *testing.T) {
	t.Parallel()
	if database != nil {
		t.Skip("the servers of this run are told by flag where the keys are")
	}
	l := &licet{binary: server.binary, data: filepath.Join(t.TempDir(), "data")}
	before, err := l.env()
	if err != nil {
		t.Fatal(err)
	}
	if before["AWS_ENDPOINT_URL"] != "http://127.0.0.1:4566" || before["AWS_REGION"] != "us-east-1" {
		t.Errorf("got endpoint %s, region %s", before["AWS_ENDPOINT_URL"], before["AWS_REGION"])
	}
	l.start(t)
	root := l.as(aws.Credentials{AccessKeyID: before["AWS_ACCESS_KEY_ID"], SecretAccessKey: before["AWS_SECRET_ACCESS_KEY"]})
	if got := must(root.sts.GetCallerIdentity(t.Context(), nil))(t); *got.Arn != arnPrefix+"root" {
		t.Errorf("got %s", *got.Arn)
	}
}

// The root's keys can be fixed by flag. Then no others work for the root, and nothing prints the secret.
func TestServerFixedRoot(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a-secret-of-the-test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newServer(t, "--root-access-key-id", "AKIAFIXEDFIXEDFIXED0", "--root-secret-file", secret)
	fixed := l.as(aws.Credentials{AccessKeyID: "AKIAFIXEDFIXEDFIXED0", SecretAccessKey: "a-secret-of-the-test"})
	if got := must(fixed.sts.GetCallerIdentity(t.Context(), nil))(t); *got.Arn != arnPrefix+"root" {
		t.Errorf("got %s", *got.Arn)
	}
	l.end(t)
	if strings.Contains(l.log.String(), "a-secret-of-the-test") {
		t.Error("the log has the secret")
	}
}

// slow answers after the seconds that its event says.
const slow = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'done'\n"

// invocation is an answer of Invoke, or its error.
type invocation struct {
	answer string
	err    error
}

// invokeSlowly starts an invocation and returns when it runs.
func (l *licet) invokeSlowly(t *testing.T, seconds int) <-chan invocation {
	t.Helper()
	f, done := l.newFunction(t, slow), make(chan invocation, 1)
	go func() {
		answer, err := l.as(l.root).invoke(t, f.name, fmt.Sprint(seconds))
		done <- invocation{answer, err}
	}()
	if !eventually(t, func() bool {
		return strings.Contains(l.page(t, "/_licet/metrics"), "licet_execution_running_invocations 1\n")
	}) {
		t.Fatal("the invocation does not run")
	}
	return done
}

// A server that is asked to end lets running invocations end first, and their answers arrive.
func TestServerStopsAfterInvocations(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	done := l.invokeSlowly(t, 2)
	l.end(t)
	if got := <-done; got.answer != `"done"` {
		t.Errorf("got %s, %v", got.answer, got.err)
	}
	if _, err := l.as(l.root).sts.GetCallerIdentity(t.Context(), nil); err == nil {
		t.Error("a server that has ended still answers")
	}
	if left, err := filepath.Glob(filepath.Join(l.data, "run", "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What was acknowledged is there after a restart, also after a crash in the middle of an invocation: users, keys, policies,
// functions with their code and policy, logs, decisions.
func TestServerRestart(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, l *licet){
		"after an orderly end": func(t *testing.T, l *licet) { l.end(t) },
		"after a crash": func(t *testing.T, l *licet) {
			done := l.invokeSlowly(t, 20)
			if err := l.cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-l.ended
			if got := <-done; got.err == nil {
				t.Errorf("the invocation in the crash was answered %s", got.answer)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			restart(t, end)
		})
	}
}

func restart(t *testing.T, end func(*testing.T, *licet)) {
	l := newServer(t)
	ctx, root := t.Context(), l.root
	p := l.newUser(t, allow("lambda:InvokeFunction", "*"))
	session := l.as(l.getSessionToken(t, p))
	r := l.newRole(t, trustLambda, allow("logs:*", "*"))
	f := l.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
	must(l.as(l.root).lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &f.name, StatementId: aws.String("x"), Action: aws.String("lambda:GetFunction"), Principal: &p.arn,
	}))(t)
	if got, err := p.invoke(t, f.name, `"before"`); got != `"before"` {
		t.Fatalf("got %s, %v", got, err)
	}
	group := cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/" + f.name)}
	logged := func() bool {
		out, err := l.as(l.root).logs.FilterLogEvents(ctx, &group)
		return err == nil && len(out.Events) > 0
	}
	if !eventually(t, logged) {
		t.Fatal("no log appears")
	}
	_, err := p.iam.ListUsers(ctx, nil)
	denied := requestID(t, err)
	made := requestIDOf(t, func() (middleware.Metadata, error) {
		out, err := l.as(l.root).iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("last")})
		if err != nil {
			return middleware.Metadata{}, err
		}
		return out.ResultMetadata, nil
	})

	end(t, l)
	l.start(t)
	if l.root != root {
		t.Errorf("got root key %s, want %s", l.root.AccessKeyID, root.AccessKeyID)
	}
	again, session := l.as(p.credentials), l.as(session.credentials)
	for who, c := range map[string]clients{"user": again, "session": session} {
		if got, err := c.invoke(t, f.name, `"after"`); got != `"after"` {
			t.Errorf("%s: got %s, %v", who, got, err)
		}
		check(t, c.getFunction(t, f.name), failure{})
	}
	_, err = again.iam.ListUsers(ctx, nil)
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(p.arn, "iam:ListUsers", arnPrefix+"user/", "identity-based policy")})
	if !logged() {
		t.Error("the log is gone")
	}
	// A change and its decision are one transaction; other decisions may be lost in a crash within the last second.
	if e := l.explain(t, made); !e.Record.Allowed {
		t.Errorf("got %s", e.Text)
	}
	if strings.Contains(t.Name(), "orderly") {
		if e := l.explain(t, denied); e.Record.Allowed {
			t.Errorf("got %s", e.Text)
		}
	}
}

// requestIDOf is the request id of a call that succeeds.
func requestIDOf(t *testing.T, call func() (middleware.Metadata, error)) string {
	t.Helper()
	return responseID(t, must(call())(t))
}

// In observe mode a denied call passes, and is marked and recorded as what it is. A bad signature does not pass.
func TestServerObserves(t *testing.T) {
	t.Parallel()
	l := newServer(t, "--mode", "observe")
	p := l.newUser(t, allow("lambda:ListFunctions", "*"))
	mark := func(m middleware.Metadata) string {
		return awsmiddleware.GetRawResponse(m).(*smithyhttp.Response).Header.Get("x-licet-decision")
	}
	users := must(p.iam.ListUsers(t.Context(), nil))(t)
	if got, want := mark(users.ResultMetadata), "denied; let through by observe mode"; got != want || len(users.Users) != 1 {
		t.Errorf("denied call: got mark %q and %d users, want %q and 1", got, len(users.Users), want)
	}
	functions := must(p.lambda.ListFunctions(t.Context(), nil))(t)
	if got := mark(functions.ResultMetadata); got != "allowed" {
		t.Errorf("allowed call: got mark %q", got)
	}
	e := l.explain(t, responseID(t, users.ResultMetadata))
	if e.Record.Allowed || e.Record.Mode != "observe" || !strings.Contains(e.Text,
		"observe mode: the call was let through although it is denied") {
		t.Errorf("got allowed %v in mode %s: %s", e.Record.Allowed, e.Record.Mode, e.Text)
	}
	if diff := cmp.Diff(e.statements(t), []string{allow("iam:ListUsers", arnPrefix+"user/")}); diff != "" {
		t.Errorf("fix: -got +want:\n%s", diff)
	}
	wrong := p.credentials
	wrong.SecretAccessKey = "wrong"
	_, err := l.as(wrong).sts.GetCallerIdentity(t.Context(), nil)
	if code(err) != "SignatureDoesNotMatch" {
		t.Errorf("wrong secret: got %v", err)
	}
	if health := l.page(t, "/_licet/health"); !strings.Contains(health, `"observe"`) {
		t.Errorf("got health %s", health)
	}
	l.end(t)
	if !strings.Contains(l.log.String(), "OBSERVE MODE") {
		t.Error("the server did not say that it only observes")
	}
}

// A server of another region is that region, also for the ARNs that it makes; global services are signed for us-east-1 too.
func TestServerRegion(t *testing.T) {
	t.Parallel()
	l := newServer(t, "--region", "eu-west-1")
	f := func(region string) (*lambda.ListFunctionsOutput, error) {
		config := l.config(l.root)
		config.Region = region
		return lambda.NewFromConfig(config).ListFunctions(t.Context(), nil)
	}
	if _, err := f("eu-west-1"); err != nil {
		t.Error(err)
	}
	if _, err := f("us-east-1"); code(err) != "InvalidSignatureException" {
		t.Errorf("another region: got %v", err)
	}
	if _, err := l.as(l.root).iam.ListUsers(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// Environments go away when nobody needs them.
func TestServerReclaimsEnvironments(t *testing.T) {
	t.Parallel()
	l := newServer(t, "--idle-timeout", "200ms")
	if got, err := l.as(l.root).invoke(t, l.newFunction(t, echo).name, "1"); got != "1" {
		t.Fatalf("got %s, %v", got, err)
	}
	gone := func() bool { return strings.Contains(l.page(t, "/_licet/metrics"), "licet_execution_environments 0\n") }
	if !eventually(t, gone) {
		t.Error("the environment is still there")
	}
}
