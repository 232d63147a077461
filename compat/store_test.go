package compat

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres/postgrestest"
)

// A server moves from its file to a PostgreSQL database and back, with users, functions and messages. While the database is gone nothing
// is allowed; when it is back all goes on. The password of its URL is for nobody to see.
func TestStoreMoves(t *testing.T) {
	t.Parallel()
	if database != nil {
		t.Skip("the servers of this run have no file to begin with")
	}
	cluster := postgrestest.Start(t)
	url := strings.Replace(cluster.URL("licet_moved"), "postgres@", "postgres:hush@", 1)
	l := newServer(t)
	p := l.newUser(t, allow("lambda:InvokeFunction", "*"), allow("lambda:GetFunction", "*"))
	f := l.newFunction(t, "def handler(event, context):\n    return event\n")
	q := l.newQueue(t)
	must(l.as(l.root).sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: new("kept")}))(t)
	root := l.root
	run := func(args ...string) string { return must(l.command(t, l.root, l.binary, args...))(t) }
	check := func() {
		t.Helper()
		if l.root.SecretAccessKey != root.SecretAccessKey {
			t.Error("the root has other credentials")
		}
		out := must(l.as(p.credentials).lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name, Payload: []byte(`"x"`)}))(t)
		if string(out.Payload) != `"x"` {
			t.Errorf("the function answered %s", out.Payload)
		}
		_, err := l.as(p.credentials).iam.ListUsers(t.Context(), &iam.ListUsersInput{})
		if got := code(err); got != "AccessDenied" {
			t.Errorf("what is not allowed: got %s, want AccessDenied", got)
		}
		if got := l.left(t, q); got != 1 {
			t.Errorf("the queue has %d messages, want the one that was sent", got)
		}
	}

	if _, err := l.command(t, l.root, l.binary, "store", "copy", l.data, url); err == nil || !strings.Contains(err.Error(), "another licet server runs") {
		t.Errorf("a copy beside a running server: got %v", err)
	}
	l.end(t)
	out := run("store", "copy", l.data, url)
	if !strings.Contains(out, "the same on both sides") {
		t.Errorf("got %s", out)
	}
	if _, err := l.command(t, l.root, l.binary, "store", "copy", l.data, url); err == nil ||
		!strings.Contains(err.Error(), "is not empty: nothing was copied") || strings.Contains(err.Error(), "hush") {
		t.Errorf("a second copy: got %v", err)
	}
	must(0, os.Rename(filepath.Join(l.data, "licet.db"), filepath.Join(t.TempDir(), "old.db")))(t)

	l.start(t, "--store", url)
	check()
	if info := must(os.Stat(filepath.Join(l.data, "store")))(t); info.Mode() != fs.FileMode(0o600) {
		t.Errorf("the file with the URL has mode %v", info.Mode())
	}
	if err := cluster.Kill(); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"what is allowed": func() error {
			_, err := l.as(p.credentials).lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: &f.name})
			return err
		},
		"what would change something": func() error {
			_, err := l.as(l.root).iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: new("nobody")})
			return err
		},
	} {
		var got string
		if !eventually(t, func() bool { // what was read before may serve for store.MaxAge
			got = code(call())
			return got == "InternalFailure" || got == "ServiceException" || got == "ServiceFailure"
		}) {
			t.Errorf("%s, without a database: got %s, want a failure of the service", name, got)
		}
	}
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	var err error
	if !eventually(t, func() bool {
		_, err = l.as(l.root).iam.ListUsers(t.Context(), &iam.ListUsersInput{})
		return err == nil
	}) {
		t.Fatalf("the database is back, and still: %v", err)
	}
	check()
	l.end(t)
	if strings.Contains(l.log.String(), "hush") {
		t.Error("the log has the password")
	}

	l.start(t) // the directory knows where its store is
	check()
	l.end(t)
	run("store", "copy", url, l.data)
	l.start(t, "--store", "sqlite")
	check()
}

// suspend stops the server where it is until it gets SIGCONT. The signal alone has effect only when the one thread that it is for runs next;
// until then the others go on.
func (l *licet) suspend() error {
	if err := l.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(l.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case !status.Stopped():
			return fmt.Errorf("the server has not stopped, but ended: %v", status)
		default:
			return nil
		}
	}
}

// A server that was stopped while another one on its store took a permission away does not allow the call that waits for it when it goes on.
func TestStoreStoppedServer(t *testing.T) {
	t.Parallel()
	url := postgrestest.Start(t).URL("licet_two")
	stopped := newServer(t, "--store", url)
	other := &licet{binary: server.binary, data: filepath.Join(t.TempDir(), "data")}
	if err := os.Mkdir(other.data, 0o700); err != nil {
		t.Fatal(err)
	}
	key := must(os.ReadFile(filepath.Join(stopped.data, "key")))(t)
	if err := os.WriteFile(filepath.Join(other.data, "key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	other.start(t, "--store", url)
	p := other.newUser(t)
	c := stopped.as(p.credentials).iam
	ask := func() string {
		_, err := c.ListUsers(t.Context(), &iam.ListUsersInput{})
		return code(err)
	}
	for range 3 {
		other.permit(t, p, allow("iam:ListUsers", "*"))
		if !eventually(t, func() bool { return ask() == "no error" }) {
			t.Fatalf("what is allowed: %s", ask())
		}
		if err := stopped.suspend(); err != nil {
			t.Fatal(err)
		}
		other.permit(t, p, allow("iam:ListRoles", "*"))
		answer := make(chan string)
		go func() { answer <- ask() }()
		time.Sleep(store.MaxAge) // what is tested is the time that passes
		if err := stopped.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if got := <-answer; got != "AccessDenied" {
			t.Errorf("a permission that was taken away: got %q, want AccessDenied", got)
		}
	}
}
