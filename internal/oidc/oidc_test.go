package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/oidc/oidctest"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// claims are those of a good token, changed.
func claims(p *oidctest.Provider, change map[string]any) map[string]any {
	c := map[string]any{
		"iss": p.URL, "sub": "user", "aud": "client", "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func trusted(p *oidctest.Provider) oidc.Provider {
	return oidc.Provider{URL: p.URL, ClientIDs: []string{"client", "other"}}
}

func verify(t *testing.T, v *oidc.Verifier, text string, p oidc.Provider) error {
	t.Helper()
	token, err := oidc.Parse(text)
	if err != nil {
		return err
	}
	return v.Verify(t.Context(), token, p)
}

func newVerifier() *oidc.Verifier { return oidc.New(func() time.Time { return now }) }

func TestAlgorithms(t *testing.T) {
	p := oidctest.New(t)
	v := newVerifier()
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512} {
		if err := verify(t, v, oidctest.Sign(t, alg, "rsa", oidctest.RSAKey(t), claims(p, nil)), trusted(p)); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	if err := verify(t, v, oidctest.Sign(t, jose.ES256, "ec", oidctest.ECKey(t), claims(p, nil)), trusted(p)); err != nil {
		t.Errorf("ES256: %v", err)
	}
	if got := p.Requests(); got != 2 {
		t.Errorf("the provider was asked %d times, want 2", got)
	}
}

func TestBadTokens(t *testing.T) {
	p := oidctest.New(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rs := func(change map[string]any) string {
		return oidctest.Sign(t, jose.RS256, "rsa", oidctest.RSAKey(t), claims(p, change))
	}
	good := rs(nil)
	payload := func(c map[string]any) string { return strings.Split(rs(c), ".")[1] }
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload(nil) + "."
	parts := strings.Split(good, ".")
	public := oidctest.RSAKey(t).N.Bytes()
	tests := map[string]struct {
		token string
		want  error
	}{
		"good":                      {good, nil},
		"not a token":               {"x", oidc.ErrMalformed},
		"access token":              {"ya29.a0AfH6SMB", oidc.ErrMalformed},
		"alg none":                  {none, oidc.ErrMalformed},
		"HS256 with the public key": {oidctest.Sign(t, jose.HS256, "rsa", public, claims(p, nil)), oidc.ErrMalformed},
		"another's key":             {oidctest.Sign(t, jose.RS256, "rsa", stranger, claims(p, nil)), oidc.ErrSignature},
		"unknown key":               {oidctest.Sign(t, jose.RS256, "new", stranger, claims(p, nil)), oidc.ErrKeys},
		"other claims":              {parts[0] + "." + payload(map[string]any{"sub": "root"}) + "." + parts[2], oidc.ErrSignature},
		"another issuer":            {rs(map[string]any{"iss": "https://example.com"}), oidc.ErrMalformed},
		"another audience":          {rs(map[string]any{"aud": "else"}), oidc.ErrAudience},
		"one of the audiences":      {rs(map[string]any{"aud": []string{"else", "other"}}), nil},
		"another party":             {rs(map[string]any{"aud": "client", "azp": "else"}), oidc.ErrAudience},
		"party, another audience":   {rs(map[string]any{"aud": "else", "azp": "client"}), nil},
		"not yet":                   {rs(map[string]any{"nbf": now.Add(10 * time.Minute).Unix()}), oidc.ErrNotYet},
		"within the skew":           {rs(map[string]any{"nbf": now.Add(4 * time.Minute).Unix()}), nil},
		"issued in the future":      {rs(map[string]any{"iat": now.Add(10 * time.Minute).Unix()}), oidc.ErrNotYet},
		"exp is a text":             {rs(map[string]any{"exp": "tomorrow"}), oidc.ErrMalformed},
		"aud is a number":           {rs(map[string]any{"aud": 5}), oidc.ErrMalformed},
	}
	for name, tt := range tests {
		if err := verify(t, newVerifier(), tt.token, trusted(p)); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	for _, name := range []string{"sub", "aud", "exp", "iat"} {
		err := verify(t, newVerifier(), rs(map[string]any{name: nil}), trusted(p))
		if missing, ok := errors.AsType[*oidc.MissingClaimError](err); !ok || missing.Claim != name {
			t.Errorf("without %s: got %v", name, err)
		}
	}
	err = verify(t, newVerifier(), rs(map[string]any{"exp": now.Unix()}), trusted(p))
	if expired, ok := errors.AsType[*oidc.ExpiredError](err); !ok || !expired.Expires.Equal(now) {
		t.Errorf("expired: got %v", err)
	}
}

// An unknown key makes the verifier ask again, but not at once.
func TestRotation(t *testing.T) {
	p := oidctest.New(t)
	clock := now
	v := oidc.New(func() time.Time { return clock })
	if err := verify(t, v, oidctest.Sign(t, jose.ES256, "ec", oidctest.ECKey(t), claims(p, nil)), trusted(p)); err != nil {
		t.Fatal(err)
	}
	p.Publish("next", oidctest.ECKey(t).Public())
	next := oidctest.Sign(t, jose.ES256, "next", oidctest.ECKey(t), claims(p, nil))
	if err := verify(t, v, next, trusted(p)); !errors.Is(err, oidc.ErrKeys) {
		t.Errorf("at once: got %v", err)
	}
	if got := p.Requests(); got != 2 {
		t.Errorf("the provider was asked %d times, want 2", got)
	}
	clock = clock.Add(11 * time.Second)
	if err := verify(t, v, next, trusted(p)); err != nil {
		t.Errorf("later: got %v", err)
	}
	clock = clock.Add(30 * time.Minute)
	if err := verify(t, v, next, trusted(p)); err != nil || p.Requests() != 4 {
		t.Errorf("kept: got %v after %d requests, want 4", err, p.Requests())
	}
}

// However many tokens name a provider that fails, it is asked once in a while.
func TestFailuresAreKept(t *testing.T) {
	p := oidctest.New(t)
	p.Answer = http.NotFound
	clock := now
	v := oidc.New(func() time.Time { return clock })
	token := oidctest.Sign(t, jose.ES256, "ec", oidctest.ECKey(t), claims(p, nil))
	for range 5 {
		if err := verify(t, v, token, trusted(p)); !errors.Is(err, oidc.ErrKeys) {
			t.Errorf("got %v", err)
		}
	}
	if got := p.Requests(); got != 1 {
		t.Errorf("the provider was asked %d times, want 1", got)
	}
	p.Answer = nil
	clock = clock.Add(3 * time.Second)
	if err := verify(t, v, token, trusted(p)); err != nil {
		t.Errorf("later: got %v", err)
	}
}

// A provider that does not answer holds nobody up whose key is known, and who waits for it may go away.
func TestSlowProvider(t *testing.T) {
	p := oidctest.New(t)
	clock := now
	v := oidc.New(func() time.Time { return clock })
	good := oidctest.Sign(t, jose.ES256, "ec", oidctest.ECKey(t), claims(p, nil))
	if err := verify(t, v, good, trusted(p)); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(time.Minute)
	asked, answer := make(chan struct{}), make(chan struct{})
	p.Answer = func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		http.NotFound(w, r)
	}
	unknown, err := oidc.Parse(oidctest.Sign(t, jose.ES256, "new", oidctest.ECKey(t), claims(p, nil)))
	if err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { first <- v.Verify(gone, unknown, trusted(p)) }()
	<-asked
	leave()
	if err := verify(t, v, good, trusted(p)); err != nil {
		t.Errorf("a known key: got %v", err)
	}
	if err := v.Verify(gone, unknown, trusted(p)); !errors.Is(err, context.Canceled) {
		t.Errorf("one who left: got %v", err)
	}
	select {
	case err := <-first:
		t.Errorf("the first returned %v before the provider answered", err)
	default:
	}
	close(answer)
	if err := <-first; !errors.Is(err, oidc.ErrKeys) {
		t.Errorf("the first: got %v", err)
	}
}

// Keys that are too large to verify with in reasonable time are none.
func TestLargeKey(t *testing.T) {
	p := oidctest.New(t)
	n := new(big.Int).Lsh(big.NewInt(1), 8192)
	p.Publish("large", &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537})
	token := oidctest.Sign(t, jose.RS256, "large", oidctest.RSAKey(t), claims(p, nil))
	if err := verify(t, newVerifier(), token, trusted(p)); !errors.Is(err, oidc.ErrKeys) {
		t.Errorf("got %v, want %v", err, oidc.ErrKeys)
	}
}

// What a provider may answer, and where it may send us.
func TestProviders(t *testing.T) {
	elsewhere := oidctest.New(t)
	tests := map[string]struct {
		change func(*oidctest.Provider)
		want   error
	}{
		"gone": {func(p *oidctest.Provider) { p.Server.Close() }, oidc.ErrUnreachable},
		"another issuer": {func(p *oidctest.Provider) {
			p.Discovery = map[string]any{"issuer": "https://x", "jwks_uri": p.URL + "/keys"}
		}, oidc.ErrKeys},
		"another host": {func(p *oidctest.Provider) {
			p.Discovery = map[string]any{"issuer": p.URL, "jwks_uri": elsewhere.URL + "/keys"}
		}, oidc.ErrKeys},
		"a file": {func(p *oidctest.Provider) {
			p.Discovery = map[string]any{"issuer": p.URL, "jwks_uri": "file:///etc/passwd"}
		}, oidc.ErrKeys},
		"no keys":   {func(p *oidctest.Provider) { p.Discovery = map[string]any{"issuer": p.URL} }, oidc.ErrKeys},
		"not found": {func(p *oidctest.Provider) { p.Answer = http.NotFound }, oidc.ErrKeys},
		"not JSON": {func(p *oidctest.Provider) {
			p.Answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }
		}, oidc.ErrKeys},
		"a large answer": {func(p *oidctest.Provider) {
			p.Answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) }
		}, oidc.ErrKeys},
		"a redirection":   {func(p *oidctest.Provider) { p.Answer = http.RedirectHandler(elsewhere.URL, http.StatusFound).ServeHTTP }, oidc.ErrUnreachable},
		"nothing special": {func(*oidctest.Provider) {}, nil},
	}
	for name, tt := range tests {
		p := oidctest.New(t)
		token := oidctest.Sign(t, jose.RS256, "rsa", oidctest.RSAKey(t), claims(p, nil))
		tt.change(p)
		if err := verify(t, newVerifier(), token, trusted(p)); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	if got := elsewhere.Requests(); got != 0 {
		t.Errorf("another host was asked %d times", got)
	}
}

// A certificate that no authority signed needs a thumbprint.
func TestThumbprints(t *testing.T) {
	p := oidctest.NewTLS(t)
	p.Server.Config.ErrorLog = nil
	sum := sha1.Sum(p.Server.Certificate().Raw)
	for thumbprint, want := range map[string]error{
		"": oidc.ErrThumbprint, strings.Repeat("a", 40): oidc.ErrThumbprint, hex.EncodeToString(sum[:]): nil,
	} {
		provider := trusted(p)
		provider.Thumbprints = []string{thumbprint}
		v := oidc.New(time.Now) // the certificate's dates are held against the real time
		c := claims(p, map[string]any{"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()})
		token := oidctest.Sign(t, jose.RS256, "rsa", oidctest.RSAKey(t), c)
		if err := verify(t, v, token, provider); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", thumbprint, err, want)
		}
	}
}

// A certificate is held against the host of the issuer, be that a name or an address.
func TestCertificateIsForHost(t *testing.T) {
	for name, want := range map[string]error{"127.0.0.1": nil, "127.0.0.2": oidc.ErrThumbprint} {
		certificate := selfSigned(t, net.ParseIP(name))
		p := oidctest.New(t)
		server := httptest.NewUnstartedServer(p)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
		server.StartTLS()
		t.Cleanup(server.Close)
		p.URL = server.URL
		sum := sha1.Sum(certificate.Certificate[0])
		provider := trusted(p)
		provider.Thumbprints = []string{hex.EncodeToString(sum[:])}
		token := oidctest.Sign(t, jose.RS256, "rsa", oidctest.RSAKey(t), claims(p, nil))
		if err := verify(t, newVerifier(), token, provider); !errors.Is(err, want) {
			t.Errorf("certificate of %s: got %v, want %v", name, err, want)
		}
	}
}

// selfSigned makes a certificate for an address.
func selfSigned(t *testing.T, address net.IP) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{address},
	}
	key := oidctest.ECKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestPlainHTTPIsForLoopback(t *testing.T) {
	for url, want := range map[string]error{"http://example.com": oidc.ErrKeys, "ftp://127.0.0.1": oidc.ErrKeys} {
		token := oidctest.Sign(t, jose.ES256, "ec", oidctest.ECKey(t), map[string]any{"iss": url})
		if err := verify(t, newVerifier(), token, oidc.Provider{URL: url}); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", url, err, want)
		}
	}
	for host, want := range map[string]bool{
		"127.0.0.1:80": true, "127.9.9.9": true, "[::1]:80": true, "localhost:4": true, "10.0.0.1": false, "localhost.example.com": false, "": false,
	} {
		if got := oidc.IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q): got %v", host, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a.b.c")
	f.Add(oidctest.Sign(f, jose.ES256, "ec", oidctest.ECKey(f), map[string]any{"iss": "https://x", "aud": []string{"a"}, "exp": 5}))
	f.Fuzz(func(t *testing.T, text string) {
		token, err := oidc.Parse(text)
		if (token == nil) != (err != nil) || err != nil && !errors.Is(err, oidc.ErrMalformed) {
			t.Errorf("%q: got %v, %v", text, token, err)
		}
	})
}
