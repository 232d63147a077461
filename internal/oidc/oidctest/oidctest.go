// Package oidctest runs OpenID Connect providers for tests: on loopback, with keys of their own, publishing what a test asks for.
//
// A Provider ends with its test. It is safe for concurrent use, but for its exported fields, which are set before it is asked.
package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Provider is a running provider.
type Provider struct {
	t      testing.TB
	Server *httptest.Server
	// URL is the issuer.
	URL string
	// Discovery, if set, takes the place of the discovery document.
	Discovery map[string]any
	// Answer, if set, answers every request in the place of the provider.
	Answer http.HandlerFunc

	mu       sync.Mutex
	keys     []jose.JSONWebKey
	requests int
}

// New starts a provider with an RSA key "rsa" and an EC key "ec", over plain HTTP.
func New(t testing.TB) *Provider {
	t.Helper()
	p := prepare(t)
	p.Server = httptest.NewServer(p)
	return p.start()
}

// NewTLS starts one over HTTPS, with a certificate that no authority signed.
func NewTLS(t testing.TB) *Provider {
	t.Helper()
	p := prepare(t)
	p.Server = httptest.NewTLSServer(p)
	return p.start()
}

func prepare(t testing.TB) *Provider {
	p := &Provider{t: t}
	p.Publish("rsa", RSAKey(t).Public())
	p.Publish("ec", ECKey(t).Public())
	return p
}

func (p *Provider) start() *Provider {
	p.URL = p.Server.URL
	p.t.Cleanup(p.Server.Close)
	return p
}

// RSAKey is the key "rsa" of every provider; it is made once, for making one is slow.
func RSAKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ECKey is the key "ec" of every provider.
func ECKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var (
	rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	ecKey  = sync.OnceValues(func() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
)

// Publish adds a key to the key set.
func (p *Provider) Publish(id string, key crypto.PublicKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, jose.JSONWebKey{KeyID: id, Key: key, Use: "sig"})
}

// Requests is how often the provider was asked.
func (p *Provider) Requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// ServeHTTP answers discovery and key set.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.requests++
	keys := p.keys
	p.mu.Unlock()
	switch {
	case p.Answer != nil:
		p.Answer(w, r)
	case r.URL.Path == "/.well-known/openid-configuration" && p.Discovery != nil:
		_ = json.NewEncoder(w).Encode(p.Discovery)
	case r.URL.Path == "/.well-known/openid-configuration":
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/keys"})
	case r.URL.Path == "/keys":
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: keys})
	default:
		http.NotFound(w, r)
	}
}

// Sign makes a token of claims. key is a private key, or a secret for the algorithms that need one.
func Sign(t testing.TB, alg jose.SignatureAlgorithm, id string, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
