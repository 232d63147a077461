package runtimes

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/licet/licet/internal/sandbox"
)

// TestPrestarted: a bootstrap that was started without a function becomes that of one, which sees its variables and no others. It asks for
// events on a connection of their own: the server has a faster way for such ones.
func TestPrestarted(t *testing.T) {
	for name, test := range map[string]struct{ runtime, file, code string }{
		"python": {"python3.11", "app.py", "import os\ndef handler(event, context): return [event, os.environ['NAME'], os.environ.get('BEFORE')]\n"},
		"node":   {"nodejs20.x", "app.mjs", "export const handler = async (event) => [event, process.env.NAME, process.env.BEFORE ?? null];\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			code := t.TempDir()
			write(t, filepath.Join(code, test.file), test.code)
			s, c := prepare(t, test.runtime, code)
			connections := make(chan string, 10) // the one that asked for the function, then those that asked for events
			answers := make(chan string, 1)
			api := &fakeAPI{next: make(chan invocation, 1)}
			api.next <- invocation{Event: `"event"`}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch path := strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/"); path {
				case "licet/environment":
					connections <- r.RemoteAddr
					json.NewEncoder(w).Encode(append(c.EnvAt(s.Path), "NAME=value", "_HANDLER=app.handler", "LAMBDA_TASK_ROOT="+s.Path("/var/task"),
						"AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
						"AWS_LAMBDA_LOG_GROUP_NAME=group", "AWS_LAMBDA_LOG_STREAM_NAME=stream", "AWS_LAMBDA_RUNTIME_API="+r.Host))
				case "invocation/next":
					connections <- r.RemoteAddr
					api.serveNext(w, r)
				case "invocation/id-1/response":
					body, err := io.ReadAll(r.Body)
					if err != nil {
						t.Error(err)
					}
					w.WriteHeader(http.StatusAccepted)
					answers <- string(body)
				default:
					t.Errorf("the bootstrap asked for %s", path)
				}
			}))
			defer server.CloseClientConnections()
			process, err := s.Start(ctx, sandbox.Process{Args: c.Args, Stdout: t.Output(), Stderr: t.Output(),
				Env: append(c.EnvAt(s.Path), "BEFORE=1", "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))})
			if err != nil {
				t.Fatal(err)
			}
			defer process.Wait(t.Context())
			defer process.Kill()
			select {
			case got := <-answers:
				if want := `["event","value",null]`; strings.ReplaceAll(got, " ", "") != want {
					t.Errorf("got %s, want %s", got, want)
				}
			case <-ctx.Done():
				t.Fatal("there is no answer")
			}
			if told, asked := <-connections, <-connections; told == asked {
				t.Error("the connection on which the function was told serves its events, too")
			}
		})
	}
}
