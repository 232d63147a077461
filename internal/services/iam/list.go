package iam

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/licet/licet/internal/store"
)

// listIdentities gives a page of the account's identities of a kind, by name, whose path starts with pathPrefix. They are from memory, and
// must not be changed.
func (s *Service) listIdentities(
	ctx context.Context, account string, k kind, pathPrefix *string, p page,
) (listing[*knownIdentity], error) {
	if err := s.patterns.checkPathPrefix(pathPrefix); err != nil {
		return listing[*knownIdentity]{}, err
	}
	l := listing[*knownIdentity]{items: make([]*knownIdentity, 0, p.size)}
	prefix := namePrefix(account, k)
	after, last := "", p.after
	if p.after != "" {
		after = prefix + p.after
	}
	for {
		names, err := s.directory.listed.Scan(ctx, prefix, after, p.size+1)
		if err != nil {
			return l, err
		}
		for _, name := range names {
			after = name.key
			e, err := s.directory.identities.Get(ctx, name.identityKey)
			if errors.Is(err, store.ErrNotFound) {
				continue // deleted since
			}
			if err != nil {
				return l, err
			}
			if pathPrefix != nil && !strings.HasPrefix(e.Path, *pathPrefix) {
				continue
			}
			if len(l.items) == p.size {
				l.truncated, l.marker = true, newMarker(last)
				return l, nil
			}
			l.items = append(l.items, e)
			last = strings.TrimPrefix(name.key, prefix)
		}
		if len(names) <= p.size {
			return l, nil
		}
	}
}

// scanIdentities is listIdentities inside a transaction, from the store, for a checked prefix.
func scanIdentities(r store.Reader, account string, k kind, pathPrefix *string, p page) (listing[*identity], error) {
	load := func(r store.Reader, item store.Item) (*identity, string, error) {
		e, err := getIdentity(r, account, k, string(item.Value))
		if err != nil {
			return nil, "", err
		}
		return e, e.Path, nil
	}
	return scanPage(r, namePrefix(account, k), pathPrefix, p, load)
}

// scanPage gives a page of the store's items below prefix. load decodes an item and gives its path.
func scanPage[T any](
	r store.Reader, prefix string, pathPrefix *string, p page,
	load func(store.Reader, store.Item) (value T, path string, err error),
) (listing[T], error) {
	l := listing[T]{last: p.after}
	after := ""
	if p.after != "" {
		after = prefix + p.after
	}
	for {
		items, err := r.Scan(prefix, after, p.size+1)
		if err != nil {
			return listing[T]{}, err
		}
		for _, item := range items {
			v, at, err := load(r, item)
			if err != nil {
				return listing[T]{}, err
			}
			after = item.Key
			if pathPrefix != nil && !strings.HasPrefix(at, *pathPrefix) {
				continue
			}
			if len(l.items) == p.size {
				l.truncated, l.marker = true, newMarker(l.last)
				return l, nil
			}
			l.items = append(l.items, v)
			l.last = strings.TrimPrefix(item.Key, prefix)
		}
		if len(items) <= p.size {
			return l, nil
		}
	}
}

// identitiesByID reads the identities that the keys below prefix end with, in the order of the keys.
func identitiesByID(r store.Reader, account string, k kind, prefix string) ([]*identity, error) {
	items, err := r.Scan(prefix, "", 0)
	if err != nil {
		return nil, err
	}
	out := make([]*identity, 0, len(items))
	for _, item := range items {
		e, err := getIdentity(r, account, k, path.Base(item.Key))
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}
