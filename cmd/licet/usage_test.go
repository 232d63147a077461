package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong with a command line is told with what would be right, without a server and without leaving anything behind.
func TestUsage(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "")
	none := filepath.Join(t.TempDir(), "none")
	role := []string{"explain", "--data", none, "--as", "arn:aws:iam::000000000000:role/r", "--action"}
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no argument":    {[]string{"key", "retire"}, "usage: licet key retire "},
		"unknown flag":   {[]string{"serve", "--foo"}, "unknown flag: --foo; see licet serve --help"},
		"no resource":    {append(role, "s3:GetObject"), "--resource: s3:GetObject is asked on a resource"},
		"other resource": {append(role, "s3:ListBucket", "--resource", "arn:aws:s3:::b/a.png"), "is not asked on arn:aws:s3:::b/a.png"},
		"explain":        {[]string{"explain", "--data", none, "--last"}, "find the server by its data directory (--data): "},
		"record":         {[]string{"record", "status", "--data", none}, "find the server by its data directory (--data): "},
		"check":          {[]string{"check", "--data", none}, "there is no data directory " + none},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command()
			cmd.SetOut(io.Discard)
			cmd.SetArgs(tt.args)
			if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("a data directory was made")
	}
}

// A refusal is told in the server's words, not in its JSON.
func TestRefusal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		if r.URL.Path == "/json" {
			_, _ = io.WriteString(w, `{"message":"There is no role \"r\"."}`)
		} else {
			_, _ = io.WriteString(w, "404 page not found\n")
		}
	}))
	defer server.Close()
	for page, want := range map[string]string{
		"/json": `the server answered 404 Not Found: There is no role "r".`,
		"/text": "the server answered 404 Not Found: 404 page not found",
	} {
		to := &target{endpoint: server.URL, client: server.Client()}
		to.root.AccessKeyID, to.root.SecretAccessKey = "AKIAEXAMPLE", "secret"
		if _, err := to.ask(t.Context(), http.MethodGet, page, nil); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", page, err, want)
		}
	}
}
