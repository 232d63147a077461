package compat

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/licet/licet/internal/store/postgres/postgrestest"
)

// server is the running licet that all tests of the package share.
var server *licet

// licet is a server process with its root credentials.
type licet struct {
	binary string
	data   string
	// within are the words before the command line, of a program that runs it elsewhere; listen is the address, "" for a free port of loopback.
	within []string
	listen string
	// variables are more of its environment, each NAME=VALUE.
	variables []string
	url       string
	root      aws.Credentials
	cmd       *exec.Cmd
	// ended is closed when the process has ended; then exit and log may be read.
	ended chan struct{}
	exit  error
	log   *bytes.Buffer
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "licet-compat-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if os.Getenv("LICET_COMPAT_STORE") == "postgres" {
		if database, err = postgrestest.New(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer database.Close()
	}
	binary := filepath.Join(dir, "licet")
	if err := build("../cmd/licet", binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	server = &licet{binary: binary, data: filepath.Join(dir, "data")}
	if err := server.launch(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := server.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if code != 0 {
		fmt.Fprintf(os.Stderr, "--- server log\n%s", server.log.String())
	}
	return code
}

// build compiles a program that needs nothing of the machine that it will run on, as `make build` does: what that has compiled is there.
func build(pkg, binary string, flags ...string) error {
	cmd := exec.Command("go", slices.Concat([]string{"build", "-trimpath", "-o", binary}, flags, []string{pkg})...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// database holds the state of all servers if LICET_COMPAT_STORE is postgres, each in a schema of its own. Else it is nil.
var database *postgrestest.Cluster

// launch starts the process on a free port and waits until it answers. The flags of LICET_COMPAT_FLAGS come first: they say how
// every server of the package runs, such as "--sandbox process" on a machine without containers.
func (l *licet) launch(flags ...string) error {
	endpoint := filepath.Join(l.data, "endpoint")
	if err := os.Remove(endpoint); err != nil && !os.IsNotExist(err) {
		return err
	}
	flags = append(strings.Fields(os.Getenv("LICET_COMPAT_FLAGS")), flags...)
	if database != nil {
		flags = append([]string{"--store", database.URL(fmt.Sprintf("s%x", sha256.Sum256([]byte(l.data)))[:20])}, flags...)
	}
	words := slices.Concat(l.within, []string{l.binary, "serve", "--data", l.data, "--listen", cmp.Or(l.listen, "127.0.0.1:0")}, flags)
	l.cmd = exec.Command(words[0], words[1:]...)
	l.log, l.ended = new(bytes.Buffer), make(chan struct{})
	l.cmd.Stdout, l.cmd.Stderr = l.log, l.log
	l.cmd.Env = append(os.Environ(), l.variables...)
	if err := l.cmd.Start(); err != nil {
		return err
	}
	go func() {
		l.exit = l.cmd.Wait()
		close(l.ended)
	}()
	if err := l.await(endpoint, 30*time.Second); err != nil {
		return errors.Join(err, l.cmd.Process.Kill())
	}
	env, err := l.env()
	if err != nil {
		return err
	}
	l.url = env["AWS_ENDPOINT_URL"]
	l.root = aws.Credentials{AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"]}
	return nil
}

// await waits for a file that the process makes.
func (l *licet) await(path string, patience time.Duration) error {
	deadline := time.After(patience)
	for {
		select {
		case <-l.ended:
			return fmt.Errorf("the server ended at its start: %v\n%s", l.exit, l.log.String())
		case <-deadline:
			return fmt.Errorf("the server has not started after %v", patience)
		case <-time.After(10 * time.Millisecond):
		}
		if _, err := os.Stat(path); err == nil {
			return nil
		}
	}
}

// env reads what `licet env` prints.
func (l *licet) env() (map[string]string, error) {
	out, err := exec.Command(l.binary, "env", "--data", l.data).Output()
	if err != nil {
		return nil, fmt.Errorf("licet env: %w", err)
	}
	env := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if ok {
			env[name] = strings.Trim(value, `'"`)
		}
	}
	return env, nil
}

// terminate asks the server to end, as systemd would.
func (l *licet) terminate() error { return l.cmd.Process.Signal(syscall.SIGTERM) }

// stop ends the server and insists that it ends well.
func (l *licet) stop() error {
	if err := l.terminate(); err != nil {
		return err
	}
	<-l.ended
	return l.exit
}

// config is the Go SDK's configuration for a caller.
func (l *licet) config(c aws.Credentials) aws.Config {
	return aws.Config{
		Region:           "us-east-1",
		BaseEndpoint:     aws.String(l.url),
		RetryMaxAttempts: 1,
		HTTPClient:       ownBody{},
		Credentials:      credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	}
}

// environ is the process environment of a client: nothing of this machine's own configuration, and the caller's keys.
func (l *licet) environ(t *testing.T, c aws.Credentials) []string {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	return []string{
		"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "LANG=C.UTF-8", "AWS_PAGER=",
		"AWS_CONFIG_FILE=" + none, "AWS_SHARED_CREDENTIALS_FILE=" + none, "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ENDPOINT_URL=" + l.url,
		"AWS_ACCESS_KEY_ID=" + c.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey, "AWS_SESSION_TOKEN=" + c.SessionToken,
	}
}

// command runs a client program and returns what it printed; the error holds its standard error.
func (l *licet) command(t *testing.T, c aws.Credentials, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = l.environ(t, c)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(stderr.String()))
	}
	return string(out), err
}

// ownBody sends a copy of the request's body. The SDK closes the body when the answer's headers are there (smithy-go, ClientHandler);
// when the server is so fast that net/http has not yet looked for the body's end, that look fails and the connection is closed in the
// middle of the answer.
type ownBody struct{}

func (ownBody) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Body != nil && r.Body != http.NoBody {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return http.DefaultTransport.RoundTrip(r)
}
