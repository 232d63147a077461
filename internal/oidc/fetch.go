package oidc

import (
	"context"
	"crypto/sha1" //nolint:gosec // AWS's thumbprints are SHA-1; the chain is verified besides
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of an exchange with a provider.
const (
	fetchTimeout = 5 * time.Second
	maxDocument  = 512 << 10
	maxKeys      = 200 // AWS takes 100 RSA and 100 EC keys
)

// IsLoopback tells whether a host, with or without a port, is this machine.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}

// parseIssuer reads the URL of a provider.
func parseIssuer(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if err := permit(u); err != nil {
		return nil, err
	}
	return u, nil
}

// permit refuses URLs over which keys cannot be fetched safely.
func permit(u *url.URL) error {
	switch {
	case u.Host == "", u.User != nil, u.Fragment != "":
		return fmt.Errorf("%s is not the URL of a document", u)
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Host):
		return nil
	}
	return fmt.Errorf("%s is not of scheme https", u)
}

// newClient makes a client that goes nowhere but where it is sent.
func newClient(thumbprints []string) *http.Client {
	transport := &http.Transport{
		Proxy: nil, DisableKeepAlives: true, TLSHandshakeTimeout: fetchTimeout, MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			// The chain is verified below: a thumbprint may vouch for what the system does not know.
			InsecureSkipVerify: true, //nolint:gosec // see VerifyConnection
			VerifyConnection:   func(s tls.ConnectionState) error { return verifyChain(s.ServerName, s.PeerCertificates, thumbprints) },
		},
	}
	return &http.Client{
		Transport: transport, Timeout: fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("redirects are not followed") },
	}
}

// verifyChain accepts a host's certificate that the system's authorities vouch for, or one that ends in a certificate with one of the
// thumbprints; in both cases for the host's name and the present time.
func verifyChain(host string, chain []*x509.Certificate, thumbprints []string) error {
	if len(chain) == 0 {
		return fmt.Errorf("%w: the host has none", ErrThumbprint)
	}
	intermediates, trusted := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range chain {
		intermediates.AddCert(c)
		sum := sha1.Sum(c.Raw)
		if slices.Contains(thumbprints, hex.EncodeToString(sum[:])) {
			trusted.AddCert(c)
		}
	}
	_, err := chain[0].Verify(x509.VerifyOptions{DNSName: host, Intermediates: intermediates})
	if err == nil {
		return nil
	}
	if _, err = chain[0].Verify(x509.VerifyOptions{DNSName: host, Intermediates: intermediates, Roots: trusted}); err != nil {
		return fmt.Errorf("%w: %v", ErrThumbprint, err)
	}
	return nil
}

// fetchKeys reads the discovery document and the key set that it names, which must be on the same host.
func fetchKeys(ctx context.Context, client *http.Client, issuer *url.URL) (*jose.JSONWebKeySet, error) {
	var discovered struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	// As https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest builds it.
	if err := getJSON(ctx, client, strings.TrimSuffix(issuer.String(), "/")+"/.well-known/openid-configuration", &discovered); err != nil {
		return nil, err
	}
	if discovered.Issuer != issuer.String() {
		return nil, fmt.Errorf("%w: the discovery document is that of %q", ErrKeys, discovered.Issuer)
	}
	u, err := url.Parse(discovered.JWKSURI)
	if err == nil {
		err = permit(u)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: jwks_uri: %v", ErrKeys, err)
	}
	if u.Host != issuer.Host || u.Scheme != issuer.Scheme {
		return nil, fmt.Errorf("%w: jwks_uri is on the host %s", ErrKeys, u.Host)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := getJSON(ctx, client, u.String(), &set); err != nil {
		return nil, err
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("%w: there are %d", ErrKeys, len(set.Keys))
	}
	keys := &jose.JSONWebKeySet{}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && key.Valid() { // keys of kinds that are not known are passed over (RFC 7517, section 5)
			keys.Keys = append(keys.Keys, key)
		}
	}
	return keys, nil
}

// getJSON reads one document.
func getJSON(ctx context.Context, client *http.Client, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrKeys, err)
	}
	req.Header.Set("Accept", "application/json")
	answer, err := client.Do(req)
	if errors.Is(err, ErrThumbprint) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %v", ErrUnreachable, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s answers %s", ErrKeys, address, answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxDocument+1))
	if err != nil {
		return fmt.Errorf("%w: %v", ErrUnreachable, err)
	}
	if len(body) > maxDocument {
		return fmt.Errorf("%w: %s is larger than %d bytes", ErrKeys, address, maxDocument)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: %s: %v", ErrKeys, address, err)
	}
	return nil
}
