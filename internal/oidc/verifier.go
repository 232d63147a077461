package oidc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Provider is a provider as somebody trusts it.
type Provider struct {
	// URL is the issuer, with its scheme.
	URL string
	// ClientIDs are the clients whose tokens are taken.
	ClientIDs []string
	// Thumbprints are SHA-1 hashes, in hex, of certificates that are trusted for the provider's host beside those of the system.
	Thumbprints []string
}

// Bounds of what is kept and of how often a provider is asked.
const (
	keptSets    = 256
	keptFor     = time.Hour
	refreshedAt = 10 * time.Second // earliest, for an unknown key
)

// Verifier verifies tokens. Make it with New.
type Verifier struct {
	now func() time.Time

	mu   sync.Mutex
	sets map[string]*keySet // by cacheKey
}

// keySet is what a provider published.
type keySet struct {
	// mu guards the rest, and lets one caller fetch while others wait for the outcome.
	mu      sync.Mutex
	keys    *jose.JSONWebKeySet
	fetched time.Time
}

// New makes a verifier that tells the time by now.
func New(now func() time.Time) *Verifier {
	return &Verifier{now: now, sets: make(map[string]*keySet)}
}

// Verify tells whether the provider made the token, for a client of its list, and the token is valid now. Its errors are those of this
// package: the Err… values, MissingClaimError, ExpiredError.
func (v *Verifier) Verify(ctx context.Context, t *Token, p Provider) error {
	if t.Issuer != p.URL {
		return fmt.Errorf("%w: it was issued by %s", ErrMalformed, t.Issuer)
	}
	set := v.set(p)
	keys, err := set.get(ctx, v.now, p, time.Time{})
	if err != nil {
		return err
	}
	asked := v.now()
	unknown, err := t.verify(keys)
	if err != nil && unknown { // the provider may have a new key
		if keys, err = set.get(ctx, v.now, p, asked.Add(-refreshedAt)); err != nil {
			return err
		}
		if unknown, err = t.verify(keys); unknown {
			return fmt.Errorf("%w: none of them has the token's id", ErrKeys)
		}
	}
	if err != nil {
		return err
	}
	return t.check(p, v.now())
}

// set is the place of a provider's keys. When there are too many places, all start anew.
func (v *Verifier) set(p Provider) *keySet {
	key := p.URL + "\n" + strings.Join(p.Thumbprints, "\n")
	v.mu.Lock()
	defer v.mu.Unlock()
	if s, ok := v.sets[key]; ok {
		return s
	}
	if len(v.sets) >= keptSets {
		clear(v.sets)
	}
	s := &keySet{}
	v.sets[key] = s
	return s
}

// get gives the keys, which are fetched when they are not there, too old, or from before notBefore.
func (s *keySet) get(ctx context.Context, now func() time.Time, p Provider, notBefore time.Time) (*jose.JSONWebKeySet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys != nil && now().Sub(s.fetched) < keptFor && s.fetched.After(notBefore) {
		return s.keys, nil
	}
	keys, err := fetch(ctx, p)
	if err != nil {
		return nil, err
	}
	s.keys, s.fetched = keys, now()
	return keys, nil
}

// What goes wrong between this server and a provider.
var (
	// ErrUnreachable means that the provider did not answer.
	ErrUnreachable = errors.New("oidc: provider cannot be reached")
	// ErrKeys means that the provider answered, but not with keys that can be used.
	ErrKeys = errors.New("oidc: provider gives no key")
	// ErrThumbprint means that neither the system nor a thumbprint vouches for the certificate of the provider's host.
	ErrThumbprint = errors.New("oidc: certificate does not match")
)

// fetch asks the provider for its keys.
func fetch(ctx context.Context, p Provider) (*jose.JSONWebKeySet, error) {
	issuer, err := parseIssuer(p.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrKeys, err)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	client := newClient(p.Thumbprints)
	defer client.CloseIdleConnections()
	return fetchKeys(ctx, client, issuer)
}
