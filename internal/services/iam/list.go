package iam

import (
	"context"
	"errors"
	"strings"

	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// listIdentities gives a page of the account's identities of a kind, by name, whose path starts with pathPrefix. They are from memory, and
// must not be changed.
func (s *Service) listIdentities(
	ctx context.Context, account string, k record.Kind, pathPrefix *string, p request.Page,
) (request.Listing[*record.Identity], error) {
	if err := s.Patterns.CheckPathPrefix(pathPrefix); err != nil {
		return request.Listing[*record.Identity]{}, err
	}
	var l request.Listing[*record.Identity]
	prefix := record.NamePrefix(account, k)
	after, last := "", p.After
	if p.After != "" {
		after = prefix + p.After
	}
	for {
		var names []store.Item
		if err := s.DB.View(ctx, func(r store.Reader) (err error) {
			names, err = r.Scan(prefix, after, p.Size+1)
			return err
		}); err != nil {
			return l, err
		}
		for _, name := range names {
			after = name.Key
			e, err := s.Directory.WithID(ctx, account, k, string(name.Value))
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
			l.Items = append(l.Items, e.Identity)
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
