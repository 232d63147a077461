package record

import (
	"path"
	"strings"

	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// ScanPage gives a page of the store's items below prefix. load decodes an item and gives its path.
func ScanPage[T any](
	r store.Reader, prefix string, pathPrefix *string, p request.Page,
	load func(store.Reader, store.Item) (value T, path string, err error),
) (request.Listing[T], error) {
	l := request.Listing[T]{Last: p.After}
	after := ""
	if p.After != "" {
		after = prefix + p.After
	}
	for {
		items, err := r.Scan(prefix, after, p.Size+1)
		if err != nil {
			return request.Listing[T]{}, err
		}
		for _, item := range items {
			v, at, err := load(r, item)
			if err != nil {
				return request.Listing[T]{}, err
			}
			after = item.Key
			if pathPrefix != nil && !strings.HasPrefix(at, *pathPrefix) {
				continue
			}
			if len(l.Items) == p.Size {
				l.Truncated, l.Marker = true, request.NewMarker(l.Last)
				return l, nil
			}
			l.Items = append(l.Items, v)
			l.Last = strings.TrimPrefix(item.Key, prefix)
		}
		if len(items) <= p.Size {
			return l, nil
		}
	}
}

// IdentitiesByID reads the identities that the keys below prefix end with, in the order of the keys.
func IdentitiesByID(r store.Reader, account string, k Kind, prefix string) ([]*Identity, error) {
	items, err := r.Scan(prefix, "", 0)
	if err != nil {
		return nil, err
	}
	out := make([]*Identity, 0, len(items))
	for _, item := range items {
		e, err := GetIdentity(r, account, k, path.Base(item.Key))
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}
