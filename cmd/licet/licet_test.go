package main

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/principal"
)

func goodConfig() config {
	return config{Data: "d", Listen: defaultListen, Region: defaultRegion, Mode: "enforce", Sandbox: "process", FunctionNetwork: "none", IdleTimeout: time.Minute, MaxImageGiB: 10,
		MaxConnectionsPerAddress: defaultPerAddress}
}

func TestValidate(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*config)
		want   string // part of the error; "" for none
	}{
		"good":               {func(*config) {}, ""},
		"observe":            {func(c *config) { c.Mode = "observe" }, ""},
		"no connections":     {func(c *config) { c.MaxConnectionsPerAddress = 0 }, "--max-connections-per-address 0"},
		"host network":       {func(c *config) { c.FunctionNetwork = "host" }, ""},
		"other region":       {func(c *config) { c.Region = "ap-southeast-2" }, ""},
		"fixed root":         {func(c *config) { c.RootAccessKey, c.RootSecretFile = "test", "f" }, ""},
		"no mode":            {func(c *config) { c.Mode = "" }, "--mode"},
		"unknown mode":       {func(c *config) { c.Mode = "Enforce" }, "--mode"},
		"unknown network":    {func(c *config) { c.FunctionNetwork = "bridge" }, "--function-network"},
		"no region":          {func(c *config) { c.Region = "" }, "--region"},
		"no region's name":   {func(c *config) { c.Region = "local'; x" }, "--region"},
		"China":              {func(c *config) { c.Region = "cn-north-1" }, "--region"},
		"GovCloud":           {func(c *config) { c.Region = "us-gov-west-1" }, "--region"},
		"root without file":  {func(c *config) { c.RootAccessKey = "test" }, "go together"},
		"file without root":  {func(c *config) { c.RootSecretFile = "f" }, "go together"},
		"key with a slash":   {func(c *config) { c.RootAccessKey, c.RootSecretFile = "a/b", "f" }, "--root-access-key-id"},
		"no idle timeout":    {func(c *config) { c.IdleTimeout = 0 }, "--idle-timeout"},
		"idle for less":      {func(c *config) { c.IdleTimeout = -time.Second }, "--idle-timeout"},
		"no room for image":  {func(c *config) { c.MaxImageGiB = 0 }, "--max-image-gib"},
		"subnets":            {func(c *config) { c.Subnets = map[string]string{"subnet-1": "vpc-1", "subnet-2a": "vpc-1"} }, ""},
		"subnet's name":      {func(c *config) { c.Subnets = map[string]string{"1": "vpc-1"} }, "--subnet"},
		"VPC's name":         {func(c *config) { c.Subnets = map[string]string{"subnet-1": ""} }, "--subnet"},
		"newline in a key":   {func(c *config) { c.RootAccessKey, c.RootSecretFile = "a\n", "f" }, "--root-access-key-id"},
		"database":           {func(c *config) { c.Store = "postgres://h/d" }, ""},
		"no store":           {func(c *config) { c.Store = "mysql://h/d" }, "--store"},
		"newline in regions": {func(c *config) { c.Region = "us-east-1\n" }, "--region"},
	} {
		t.Run(name, func(t *testing.T) {
			c := goodConfig()
			tt.change(&c)
			err := c.validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestFixedRoot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	c := config{RootAccessKey: "test", RootSecretFile: path}
	if _, err := c.fixedRoot(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
	for content, want := range map[string]string{" \n": "", "s e c\n": "s e c"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := c.fixedRoot(); got.SecretAccessKey != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", content, got.SecretAccessKey, err)
		}
	}
	if got, err := (config{}).fixedRoot(); err != nil || got != (principal.Credentials{}) {
		t.Errorf("none: got %v, %v", got, err)
	}
}

func TestLock(t *testing.T) {
	dir := dataDir(t.TempDir())
	release, err := dir.lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.lock(); !errors.Is(err, errRunning) {
		t.Errorf("second holder: got %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if release, err = dir.lock(); err != nil {
		t.Fatalf("after release: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func TestEndpoint(t *testing.T) {
	dir := dataDir(t.TempDir())
	for _, url := range []string{"", "http://127.0.0.1:1234", "http://127.0.0.1:5"} {
		want := url
		if url == "" {
			want = "http://" + defaultListen
		} else if err := dir.announce(url, false); err != nil {
			t.Fatal(err)
		}
		if got, err := dir.endpoint(); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if err := os.Remove(dir.path("endpoint")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir.path("endpoint"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := dir.endpoint(); err == nil {
		t.Errorf("unreadable: got %q", got)
	}
}

func TestLocalURL(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:80": "http://127.0.0.1:80", "0.0.0.0:80": "http://127.0.0.1:80", "[::]:80": "http://127.0.0.1:80",
		"[::1]:80": "http://[::1]:80", "192.0.2.1:80": "http://192.0.2.1:80",
	} {
		a, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		if got := localURL(a, false); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// A shell gets exactly the values, whatever is in them.
func TestExports(t *testing.T) {
	nasty := `it's "$(touch /tmp/x)" ` + "`id` \\ ;\n&|* ~!#"
	script := exports("d"+nasty, nasty, "c"+nasty, "r"+nasty, principal.Credentials{AccessKeyID: "k" + nasty, SecretAccessKey: "s" + nasty})
	script += `printf '%s\0' "$AWS_ENDPOINT_URL" "$AWS_REGION" "$AWS_DEFAULT_REGION" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "${AWS_SESSION_TOKEN-unset}"` +
		` "$(printenv LICET_DATA; echo .)"`
	cmd := exec.Command("/bin/sh", "-c", `eval "$0"`, script)
	cmd.Env = []string{"AWS_SESSION_TOKEN=old", "PATH=/usr/bin:/bin"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{nasty, "r" + nasty, "r" + nasty, "k" + nasty, "s" + nasty, "unset", "d" + nasty + "\n.", ""}
	if diff := cmp.Diff(strings.Split(string(out), "\x00"), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestPrintable(t *testing.T) {
	if got, want := printable("a\tb\x1b[2J\u009b\u202e\n\u00e4 \u4e16"), "a\ufffdb\ufffd[2J\ufffd\ufffd\n\u00e4 \u4e16"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What a client did is still to be explained after the server was stopped and started again, in any region, and a stopped server
// answers nobody.
func TestServeStopAndExplain(t *testing.T) {
	s := startServer(t)
	var env bytes.Buffer
	root, err := rootCredentials(t.Context(), dataDir(s.config.Data), defaultAccount)
	if err != nil || root.AccessKeyID == "" {
		t.Fatalf("got %v, %v", root, err)
	}
	cmd := command()
	cmd.SetOut(&env)
	cmd.SetArgs([]string{"env", "--data", s.config.Data, "--region", s.config.Region})
	if err := cmd.ExecuteContext(t.Context()); err != nil || !strings.Contains(env.String(), "AWS_ENDPOINT_URL='"+s.url+"'\n") {
		t.Errorf("got %s, %v", env.String(), err)
	}
	s.listFunctions(t, root)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.wantRefused(t)

	s = restart(t, s)
	t.Setenv("AWS_ENDPOINT_URL", "")
	var out bytes.Buffer
	cmd = command()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"explain", "--last", "--data", s.config.Data})
	if err := cmd.ExecuteContext(t.Context()); err != nil || !strings.Contains(out.String(), "lambda:ListFunctions") {
		t.Errorf("got %s, %v", out.String(), err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}
