package iam

import (
	"context"
	"errors"
	"strings"

	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// listIdentities gives a page of the account's identities of a kind, by name, whose path starts with pathPrefix. They are from memory, and
// must not be changed.
func (s *Service) listIdentities(
	ctx context.Context, account string, k record.Kind, pathPrefix *string, p request.Page,
) (request.Listing[*directory.Known], error) {
	if err := s.Patterns.CheckPathPrefix(pathPrefix); err != nil {
		return request.Listing[*directory.Known]{}, err
	}
	l := request.Listing[*directory.Known]{Items: make([]*directory.Known, 0, p.Size)}
	prefix := record.NamePrefix(account, k)
	after, last := "", p.After
	if p.After != "" {
		after = prefix + p.After
	}
	for {
		names, err := s.Directory.List(ctx, prefix, after, p.Size+1)
		if err != nil {
			return l, err
		}
		for _, name := range names {
			after = name.Key
			e, err := s.Directory.Listed(ctx, name)
			if errors.Is(err, store.ErrNotFound) {
				continue // deleted since
			}
			if err != nil {
				return l, err
			}
			if pathPrefix != nil && !strings.HasPrefix(e.Path, *pathPrefix) {
				continue
			}
			if len(l.Items) == p.Size {
				l.Truncated, l.Marker = true, request.NewMarker(last)
				return l, nil
			}
			l.Items = append(l.Items, e)
			last = strings.TrimPrefix(name.Key, prefix)
		}
		if len(names) <= p.Size {
			return l, nil
		}
	}
}

// scanIdentities is listIdentities inside a transaction, from the store, for a checked prefix.
func scanIdentities(r store.Reader, account string, k record.Kind, pathPrefix *string, p request.Page) (request.Listing[*record.Identity], error) {
	load := func(r store.Reader, item store.Item) (*record.Identity, string, error) {
		e, err := record.GetIdentity(r, account, k, string(item.Value))
		if err != nil {
			return nil, "", err
		}
		return e, e.Path, nil
	}
	return record.ScanPage(r, record.NamePrefix(account, k), pathPrefix, p, load)
}
