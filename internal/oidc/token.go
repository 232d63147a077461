package oidc

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The ways in which a token is not good.
var (
	// ErrMalformed means that the text is no signed token, or is signed in a way that is not accepted.
	ErrMalformed = errors.New("oidc: not a signed token")
	// ErrSignature means that no key of the provider made the signature.
	ErrSignature = errors.New("oidc: invalid signature")
	// ErrAudience means that the token is for another client.
	ErrAudience = errors.New("oidc: wrong audience")
	// ErrNotYet means that the token is not valid yet.
	ErrNotYet = errors.New("oidc: not yet valid")
)

// MissingClaimError means that a token lacks a claim.
type MissingClaimError struct{ Claim string }

func (e *MissingClaimError) Error() string { return "oidc: missing claim " + e.Claim }

// ExpiredError means that a token is past its end.
type ExpiredError struct{ Now, Expires time.Time }

func (e *ExpiredError) Error() string { return fmt.Sprintf("oidc: expired at %v", e.Expires) }

// skew is how far a provider's clock may be ahead.
const skew = 5 * time.Minute

// maxToken is the longest token that AWS takes
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html, WebIdentityToken).
const maxToken = 20000

// algorithms are the signatures that are accepted: none that needs a shared secret, and never "none".
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512, jose.PS256, jose.PS384, jose.PS512,
	}
}

// Token is what a token says. It is not to be trusted before Verify returned nil.
type Token struct {
	Issuer  string
	Subject string
	// Audience lists whom the token is for, AuthorizedParty to whom it was issued; "" when it does not say.
	Audience        []string
	AuthorizedParty string
	// Expires, Issued and NotBefore are zero when the token does not say.
	Expires, Issued, NotBefore time.Time
	// Claims are all of them.
	Claims map[string]any

	signed *jose.JSONWebSignature
}

// Parse reads a token. It verifies nothing. The error wraps ErrMalformed.
func Parse(text string) (*Token, error) {
	if len(text) > maxToken {
		return nil, fmt.Errorf("%w: it is longer than %d", ErrMalformed, maxToken)
	}
	signed, err := jose.ParseSignedCompact(text, algorithms())
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	t := &Token{signed: signed}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &t.Claims); err != nil || t.Claims == nil {
		return nil, fmt.Errorf("%w: its claims are no object: %v", ErrMalformed, err)
	}
	if err := t.read(); err != nil {
		return nil, err
	}
	return t, nil
}

// read takes the claims out that every token has.
func (t *Token) read() error {
	var bad []string
	text := func(name string) string {
		v, ok := t.Claims[name].(string)
		if _, has := t.Claims[name]; has && !ok {
			bad = append(bad, name)
		}
		return v
	}
	moment := func(name string) time.Time {
		v, ok := t.Claims[name].(float64)
		if _, has := t.Claims[name]; has && (!ok || math.Abs(v) > 1<<40) {
			bad = append(bad, name)
			return time.Time{}
		}
		if !ok {
			return time.Time{}
		}
		return time.Unix(int64(v), 0).UTC()
	}
	t.Issuer, t.Subject, t.AuthorizedParty = text("iss"), text("sub"), text("azp")
	t.Expires, t.Issued, t.NotBefore = moment("exp"), moment("iat"), moment("nbf")
	switch aud := t.Claims["aud"].(type) {
	case nil:
	case string:
		t.Audience = []string{aud}
	default:
		list, ok := Strings(aud)
		if !ok {
			bad = append(bad, "aud")
		}
		t.Audience = list
	}
	if bad != nil {
		return fmt.Errorf("%w: claims %v are of the wrong type", ErrMalformed, bad)
	}
	return nil
}

// Strings gives a claim that is a list of strings.
func Strings(claim any) (list []string, ok bool) {
	values, ok := claim.([]any)
	if !ok {
		return nil, false
	}
	for _, v := range values {
		s, ok := v.(string)
		if !ok {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}

// Client is the client whom the token was issued to: the authorized party, else the audience among known that comes first in the
// token; "" when the token is for nobody known.
func (t *Token) Client(known []string) string {
	parties := t.Audience
	if t.AuthorizedParty != "" {
		parties = []string{t.AuthorizedParty}
	}
	for _, p := range parties {
		if slices.Contains(known, p) {
			return p
		}
	}
	return ""
}

// check holds the claims against a provider and the time. The signature was verified before.
func (t *Token) check(p Provider, now time.Time) error {
	for _, claim := range []struct {
		name string
		has  bool
	}{{"sub", t.Subject != ""}, {"aud", len(t.Audience) > 0}, {"exp", !t.Expires.IsZero()}, {"iat", !t.Issued.IsZero()}} {
		if !claim.has {
			return &MissingClaimError{claim.name}
		}
	}
	switch latest := now.Add(skew); {
	case t.Issuer != p.URL:
		return fmt.Errorf("%w: it was issued by %s", ErrMalformed, t.Issuer)
	case t.Client(p.ClientIDs) == "":
		return ErrAudience
	case !now.Before(t.Expires):
		return &ExpiredError{now, t.Expires}
	case t.NotBefore.After(latest), t.Issued.After(latest):
		return ErrNotYet
	}
	return nil
}

// verify checks the signature with the keys of a set. unknown tells that no key of the set could have made it.
func (t *Token) verify(set *jose.JSONWebKeySet) (unknown bool, err error) {
	id := t.signed.Signatures[0].Header.KeyID
	unknown = true
	for i := range set.Keys {
		key := &set.Keys[i]
		if key.Use == "enc" || !key.IsPublic() || id != "" && key.KeyID != id {
			continue
		}
		if alg := t.signed.Signatures[0].Header.Algorithm; key.Algorithm != "" && key.Algorithm != alg {
			continue
		}
		unknown = false
		if _, err := t.signed.Verify(key.Key); err == nil {
			return false, nil
		}
	}
	return unknown, ErrSignature
}
