package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// Issuer is a provider that this server is itself.
type Issuer struct {
	URL  string
	Keys []SigningKey
}

// SigningKey is a key of an issuer.
type SigningKey struct {
	ID string
	// Algorithm is RS256 or ES384.
	Algorithm string
	Key       crypto.Signer
}

// NewSigningKeys makes a key for each algorithm.
func NewSigningKeys() ([]SigningKey, error) {
	forRSA, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make RSA key: %w", err)
	}
	forEC, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make EC key: %w", err)
	}
	return []SigningKey{
		{ID: "RSA_" + rand.Text(), Algorithm: string(jose.RS256), Key: forRSA}, {ID: "EC384_" + rand.Text(), Algorithm: string(jose.ES384), Key: forEC},
	}, nil
}

// Private gives the key in PKCS #8.
func (k SigningKey) Private() ([]byte, error) { return x509.MarshalPKCS8PrivateKey(k.Key) }

// ParsePrivate reads what Private gave.
func ParsePrivate(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T does not sign", key)
	}
	return signer, nil
}

// Sign makes a token of claims with the key for an algorithm.
func (i *Issuer) Sign(algorithm string, claims map[string]any) (string, error) {
	for _, k := range i.Keys {
		if k.Algorithm != algorithm {
			continue
		}
		signer, err := jose.NewSigner(
			jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Algorithm), Key: jose.JSONWebKey{Key: k.Key, KeyID: k.ID}},
			(&jose.SignerOptions{}).WithType("JWT"))
		if err != nil {
			return "", fmt.Errorf("make signer: %w", err)
		}
		payload, err := json.Marshal(claims)
		if err != nil {
			return "", fmt.Errorf("encode claims: %w", err)
		}
		signed, err := signer.Sign(payload)
		if err != nil {
			return "", fmt.Errorf("sign token: %w", err)
		}
		return signed.CompactSerialize()
	}
	return "", fmt.Errorf("the issuer has no key for %s", algorithm)
}

// Discovery is the issuer's discovery document.
// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
func (i *Issuer) Discovery() map[string]any {
	var algorithms []string
	for _, k := range i.Keys {
		algorithms = append(algorithms, k.Algorithm)
	}
	return map[string]any{
		"issuer": i.URL, "jwks_uri": i.URL + "/.well-known/jwks.json", "response_types_supported": []string{"id_token"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": algorithms,
	}
}

// KeySet is the issuer's key set, in JSON.
func (i *Issuer) KeySet() any {
	var set jose.JSONWebKeySet
	for _, k := range i.Keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Key.Public(), KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"})
	}
	return set
}
