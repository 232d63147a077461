package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/principal"
)

// ask asks for credentials as the SDKs do.
func ask(p *fakeProcess, token string) string {
	path, ok := strings.CutPrefix(p.env("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "http://"+p.env("AWS_LAMBDA_RUNTIME_API"))
	if !ok {
		return "no URI"
	}
	resp, body := p.call("GET", path, "", "Authorization", token)
	var got struct{ AccessKeyID, SecretAccessKey, Token, Expiration string }
	if resp == nil || resp.StatusCode != http.StatusOK {
		return fmt.Sprint(resp.StatusCode, " ", strings.TrimSpace(body))
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		return err.Error()
	}
	if at, err := time.Parse(time.RFC3339, got.Expiration); err != nil || time.Until(at) <= 0 {
		return fmt.Sprintf("expiration %q", got.Expiration)
	}
	return got.AccessKeyID + " " + got.SecretAccessKey + " " + got.Token
}

// The code of a snapshot asks for its credentials, with the token in its variables, and has new ones in the same environment when they are
// due. When the role is gone, no invocation begins.
func TestCredentialsAsked(t *testing.T) {
	var issued atomic.Int32
	var gone atomic.Bool
	b := newBench(t, serve(func(p *fakeProcess, payload string) string {
		token := p.env("AWS_CONTAINER_AUTHORIZATION_TOKEN")
		if payload == "variables" {
			return p.env("AWS_LAMBDA_INITIALIZATION_TYPE") + p.env("AWS_ACCESS_KEY_ID") + p.env("AWS_SECRET_ACCESS_KEY") + p.env("AWS_SESSION_TOKEN")
		}
		if payload == "wrong" {
			token = token[1:]
		}
		return ask(p, token)
	}), func(c *Config) {
		c.Credentials = func(context.Context, Function) (principal.Credentials, error) {
			if gone.Load() {
				return principal.Credentials{}, ErrRole{Role: "r", Err: errors.New("deleted")}
			}
			return principal.Credentials{AccessKeyID: fmt.Sprint("ASIA", issued.Add(1)), SecretAccessKey: "s", SessionToken: "t",
				Expires: time.Now().Add(time.Hour)}, nil
		}
	})
	f := testFunction()
	f.SnapStart = true
	renew := func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for e := range b.environments {
			e.credentials.mu.Lock()
			e.credentials.renew = time.Now()
			e.credentials.mu.Unlock()
		}
	}
	const refused = "404 cannot get credentials for the provided token"
	for _, c := range []struct {
		payload, want string
		renew         bool
	}{
		{"variables", "snap-start", false},
		{"ask", "ASIA1 s t", false},
		{"wrong", refused, false},
		{"ask", "ASIA2 s t", true},
		{"ask", "ASIA2 s t", false},
	} {
		if c.renew {
			renew()
		}
		if got := b.invoke(f, Invocation{Payload: []byte(c.payload), LogTail: true}); string(got.Payload) != c.want {
			t.Errorf("%s: got %s, want %s", c.payload, got.Payload, c.want)
		}
	}
	if created, _ := b.driver.counts(); created != 1 {
		t.Errorf("got %d environments, want 1", created)
	}
	gone.Store(true)
	renew()
	if _, err := b.Invoke(t.Context(), f, Invocation{RequestID: id}); !errors.As(err, new(ErrRole)) {
		t.Errorf("got %v, want ErrRole", err)
	}
}

// Code that has its credentials in variables finds nobody to ask.
func TestCredentialsNotAsked(t *testing.T) {
	b := newBench(t, serve(func(p *fakeProcess, _ string) string {
		resp, _ := p.call("GET", credentialsPath, "", "Authorization", "")
		return fmt.Sprint(resp.StatusCode, " ", p.env("AWS_ACCESS_KEY_ID"))
	}))
	if got := b.invoke(testFunction(), Invocation{}); string(got.Payload) != "404 ASIAEXAMPLE" {
		t.Errorf("got %s", got.Payload)
	}
}

// What failed to be renewed does not take the place of what is there, and is tried again.
func TestCredentialsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fail error
		n := 0
		obtain := func(context.Context) (principal.Credentials, error) {
			n++
			return principal.Credentials{AccessKeyID: fmt.Sprint(n), Expires: time.Now().Add(time.Hour)}, fail
		}
		c, err := newCredentials(t.Context(), obtain, true)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		get := func() {
			k, err := c.get(t.Context())
			got = append(got, fmt.Sprint(k.AccessKeyID, " ", err))
		}
		time.Sleep(44 * time.Minute)
		get()
		time.Sleep(time.Minute)
		fail = errors.New("busy")
		get()
		fail = nil
		get()
		get()
		if diff := cmp.Diff([]string{"1 <nil>", " busy", "3 <nil>", "3 <nil>"}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}
