package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/secret"
)

func TestSignIn(t *testing.T) {
	for _, tt := range []struct {
		name, id, secret, token string
		want                    int
	}{
		{"root", "ROOT", "root secret", "", 303},
		{"pasted with blanks", " ROOT\n", " root secret ", " ", 303},
		{"user", "USER", "user secret", "", 303},
		{"temporary", "TEMP", "temp secret", "token", 303},
		{"temporary without token", "TEMP", "temp secret", "", 403},
		{"wrong token", "TEMP", "temp secret", "tokem", 403},
		{"wrong secret", "ROOT", "root secres", "", 403},
		{"beginning of the secret", "ROOT", "root", "", 403},
		{"no secret", "ROOT", "", "", 403},
		{"unknown key", "OTHER", "root secret", "", 403},
		{"unknown key without secret", "OTHER", "", "", 403},
		{"key whose secret is empty", "NONE", "", "", 500},
		{"nothing", "", "", "", 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newWorld(t).browser()
			got := b.signIn(t, tt.id, tt.secret, tt.token)
			if got.status != tt.want {
				t.Fatalf("got %d %s, want %d", got.status, got.body, tt.want)
			}
			if tt.secret != "" && strings.Contains(got.body, `value="`+tt.secret) {
				t.Error("the answer repeats the secret")
			}
			if tt.want == 303 {
				if got := b.get(Pages); got.status != http.StatusOK {
					t.Errorf("signed in: got %d", got.status)
				}
				return
			}
			b.wantOut(t)
		})
	}
}

func TestSessionCookie(t *testing.T) {
	b := newWorld(t).browser().signedIn(t, "ROOT")
	c := b.cookies[cookieName]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.Path != Pages || c.MaxAge != 3600 {
		t.Errorf("got %+v", c)
	}
	if strings.Contains(c.Value, "ROOT") {
		t.Error("the cookie shows the key")
	}
	b = newWorld(t).browser()
	b.tls, b.remote = true, "192.0.2.7:50000"
	if c := b.signedIn(t, "ROOT").cookies[cookieName]; !c.Secure {
		t.Error("with TLS the cookie is not Secure")
	}
}

// A proxy on the server's machine may speak TLS for it, under a name that the configuration gives.
func TestSignInThroughProxy(t *testing.T) {
	b := newWorld(t, "licet.example").browser()
	b.host, b.origin = "licet.example", "https://licet.example"
	if c := b.signedIn(t, "ROOT").cookies[cookieName]; !c.Secure {
		t.Error("the cookie is not Secure")
	}
	b.origin = "http://licet.example"
	if got := b.do(http.MethodPost, Pages+"sign-out", url.Values{"form": {b.token(t, Pages)}}); got.status != http.StatusForbidden {
		t.Errorf("a form from the same name without TLS: got %d", got.status)
	}
}

// A session ends with its time, with its key, and with the key's secret.
func TestSessionEnds(t *testing.T) {
	for name, end := range map[string]func(w *world, b *browser){
		"after an hour":    func(w *world, _ *browser) { w.now = w.now.Add(lifetime) },
		"key inactive":     func(w *world, _ *browser) { w.keys["ROOT"] = key{err: edge.ErrUnknownKey} },
		"key deleted":      func(w *world, _ *browser) { delete(w.keys, "ROOT") },
		"another secret":   func(w *world, _ *browser) { w.keys["ROOT"] = key{secret: "new", caller: w.keys["ROOT"].caller} },
		"over the network": func(_ *world, b *browser) { b.remote = "192.0.2.7:50000" },
		"changed cookie": func(_ *world, b *browser) {
			v := []byte(b.cookies[cookieName].Value)
			v[len(v)/2] ^= 1
			b.cookies[cookieName].Value = string(v)
		},
		"cookie of another server": func(w *world, _ *browser) { w.config.Seals = secret.New([secret.KeySize]byte{2}) },
		"no base64":                func(_ *world, b *browser) { b.cookies[cookieName].Value = "%" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := w.browser().signedIn(t, "ROOT")
			w.now = w.now.Add(lifetime - time.Second)
			if got := b.get(Pages); got.status != http.StatusOK {
				t.Fatalf("within the hour: got %d", got.status)
			}
			w.now = w.now.Add(time.Second - lifetime)
			end(w, b)
			b.wantOut(t)
		})
	}
	t.Run("with temporary credentials", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser().signedIn(t, "TEMP")
		w.now = w.now.Add(10 * time.Minute)
		b.wantOut(t)
	})
}

// A directory that fails lets nobody in, and tells nothing.
func TestSessionWithoutDirectory(t *testing.T) {
	w := newWorld(t)
	b := w.browser().signedIn(t, "ROOT")
	w.keys["ROOT"] = key{secret: "root secret", err: errors.New("disk on fire")}
	if got := b.get(Pages); got.status != http.StatusInternalServerError || strings.Contains(got.body, "fire") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestForms(t *testing.T) {
	w := newWorld(t)
	for _, origin := range []string{"none", "null", "http://evil.example", "http://127.0.0.1:4567", "https://127.0.0.1:4566", "http://localhost:4566"} {
		b := w.browser()
		b.origin = origin
		if got := b.signIn(t, "ROOT", "root secret", ""); got.status != http.StatusForbidden {
			t.Errorf("origin %s: got %d", origin, got.status)
		}
		b.wantOut(t)
	}
	in := url.Values{"access-key-id": {"ROOT"}, "secret-access-key": {"root secret"}}
	b := w.browser()
	if got := b.do(http.MethodPost, Pages+"sign-in", in); got.status != http.StatusForbidden {
		t.Errorf("without a token: got %d", got.status)
	}
	in.Set("form", w.browser().token(t, Pages+"sign-in"))
	if got := b.do(http.MethodPost, Pages+"sign-in", in); got.status != http.StatusForbidden {
		t.Errorf("with another's token: got %d", got.status)
	}
	b.signedIn(t, "ROOT")
	if got := b.do(http.MethodPost, Pages+"sign-out", url.Values{"form": {"guessed"}}); got.status != http.StatusForbidden {
		t.Errorf("sign out with a wrong token: got %d", got.status)
	}
	if got := b.get(Pages); got.status != http.StatusOK {
		t.Errorf("afterwards: got %d", got.status)
	}
	if got := b.do(http.MethodPost, Pages+"sign-out", url.Values{"form": {b.token(t, Pages)}}); got.status != http.StatusSeeOther {
		t.Errorf("sign out: got %d", got.status)
	}
	b.wantOut(t)
	if got := b.do(http.MethodPut, Pages, nil); got.status != http.StatusForbidden {
		t.Errorf("PUT: got %d", got.status)
	}
	if got := b.do(http.MethodPost, Pages+"sign-in", url.Values{"x": {strings.Repeat("x", maxForm)}}); got.status != http.StatusBadRequest {
		t.Errorf("large form: got %d", got.status)
	}
}

// A secret goes over no network in the clear.
func TestSignInOverNetwork(t *testing.T) {
	b := newWorld(t, "licet.example").browser()
	b.host, b.remote, b.origin = "licet.example:4566", "192.0.2.7:50000", "https://licet.example:4566"
	if got := b.get(Pages + "sign-in"); strings.Contains(got.body, "secret-access-key") {
		t.Errorf("asks for a secret: %s", got.body)
	}
	got := b.do(http.MethodPost, Pages+"sign-in", url.Values{"access-key-id": {"ROOT"}, "secret-access-key": {"root secret"}})
	if got.status != http.StatusForbidden || !strings.Contains(got.body, "TLS") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	b.remote = "not an address"
	if got := b.get(Pages + "sign-in"); strings.Contains(got.body, "secret-access-key") {
		t.Errorf("asks a client without an address for a secret: %s", got.body)
	}
}

func TestSignInTokenTooLong(t *testing.T) {
	w := newWorld(t)
	k := w.keys["TEMP"]
	k.token = strings.Repeat("t", maxCookie)
	w.keys["TEMP"] = k
	if got := w.browser().signIn(t, "TEMP", k.secret, k.token); got.status != http.StatusBadRequest || !strings.Contains(got.body, "too long") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestAttempts(t *testing.T) {
	w := newWorld(t)
	for range 3 * maxAttempts {
		w.browser().signedIn(t, "ROOT") // good ones do not count
	}
	b := w.browser()
	for range maxAttempts {
		if got := b.signIn(t, "ROOT", "wrong", ""); got.status != http.StatusForbidden {
			t.Fatalf("got %d", got.status)
		}
	}
	if got := b.signIn(t, "ROOT", "root secret", ""); got.status != http.StatusTooManyRequests {
		t.Errorf("one too many: got %d", got.status)
	}
	b.tls, b.remote = true, "192.0.2.7:50000"
	b.signedIn(t, "ROOT")
	w.now = w.now.Add(attemptPeriod)
	w.browser().signedIn(t, "ROOT")
}

// What is kept of addresses is bounded, and an IPv6 host has but one.
func TestAttemptsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	a := newAttempts(func() time.Time { return now })
	for i := range maxAddresses {
		if !a.begin(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)) {
			t.Fatalf("address %d is refused", i)
		}
	}
	if a.begin("192.0.2.1:1") {
		t.Error("one more address is taken in")
	}
	if !a.begin("10.0.0.0:1") {
		t.Error("a known address is refused")
	}
	now = now.Add(attemptPeriod)
	for i := range maxAttempts {
		if !a.begin(fmt.Sprintf("[2001:db8::%d]:1", i)) {
			t.Errorf("attempt %d is refused", i)
		}
	}
	if a.begin("[2001:db8::ffff]:1") {
		t.Error("another address of the same network may go on")
	}
	if len(a.counts) != 1 {
		t.Errorf("%d addresses are kept", len(a.counts))
	}
}
