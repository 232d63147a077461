package oidc

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// provider answers with a discovery document, and to whatever else is asked with keys.
type provider struct {
	t                *testing.T
	discovered, keys string
}

func (p provider) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "idp.example" || r.URL.Scheme != "https" {
		p.t.Errorf("%s is asked", r.URL)
	}
	body := p.keys
	if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		body = p.discovered
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// FuzzKeys looks for discovery documents and key sets that panic, that make another host be asked, or that give keys that are none.
func FuzzKeys(f *testing.F) {
	const discovered = `{"issuer":"https://idp.example","jwks_uri":"https://idp.example/keys"}`
	f.Add(discovered, `{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",`+
		`"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"1"}]}`)
	f.Add(discovered, `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"OKP","crv":"Ed25519","x":""},{"kty":"oct","k":"c2VjcmV0"},7,null]}`)
	f.Add(discovered, `{"keys":[{"kty":"EC","crv":"P-256","x":"","y":"","x5c":["AA=="]}]}`)
	f.Add(`{"issuer":"https://idp.example","jwks_uri":"https://idp.example:80@other.example/"}`, `{}`)
	f.Add(`{"issuer":"https://idp.example","jwks_uri":"//169.254.169.254/keys"}`, `[]`)
	issuer, err := url.Parse("https://idp.example")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, discovered, keys string) {
		set, err := fetchKeys(t.Context(), &http.Client{Transport: provider{t, discovered, keys}}, issuer)
		if err != nil {
			if !errors.Is(err, ErrKeys) && !errors.Is(err, ErrUnreachable) {
				t.Errorf("got %v", err)
			}
			return
		}
		for _, k := range set.Keys {
			if !k.Valid() {
				t.Errorf("%s: a key of kind %T is no key", keys, k.Key)
			}
		}
	})
}
