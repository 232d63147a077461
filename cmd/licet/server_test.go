package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/principal"
)

// running is a server of this process.
type running struct {
	*server
	config config
	url    string
	// stop ends it as a signal does.
	stop func() error
}

func startServer(t *testing.T) *running {
	t.Helper()
	c := goodConfig()
	c.Data, c.Region = filepath.Join(t.TempDir(), "data"), "eu-west-1"
	return run(t, c)
}

func restart(t *testing.T, old *running) *running { t.Helper(); return run(t, old.config) }

func run(t *testing.T, c config) *running {
	t.Helper()
	r, err := launch(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func launch(ctx context.Context, c config) (*running, error) {
	s, err := newServer(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	r := &running{server: s, config: c, url: localURL(l.Addr(), false)}
	if err := dataDir(c.Data).announce(r.url, false); err != nil {
		return nil, errors.Join(err, l.Close(), s.close())
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.run(ctx, l) }()
	r.stop = func() error {
		cancel()
		if err := <-done; err != nil {
			return err
		}
		return s.close()
	}
	return r, nil
}

func (r *running) listFunctions(t *testing.T, c principal.Credentials) {
	t.Helper()
	client := lambda.New(lambda.Options{
		BaseEndpoint: &r.url, Region: r.config.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey}, nil
		}),
	})
	if _, err := client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{}); err != nil {
		t.Fatal(err)
	}
}

// wantRefused checks that neither the front door nor one of those that functions have lets anything in.
func (r *running) wantRefused(t *testing.T) {
	t.Helper()
	if conn, err := net.Dial("tcp", r.url[len("http://"):]); err == nil {
		conn.Close()
		t.Error("the front door still listens")
	}
	w := httptest.NewRecorder()
	frontDoor{r.server}.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_licet/health", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("the door of functions answers %d %s", w.Code, w.Body)
	}
}
