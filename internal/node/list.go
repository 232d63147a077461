package node

import (
	"strings"

	"github.com/licet/licet/internal/store"
)

// Listed is a node as others see it.
type Listed struct {
	ID string
	Description
	// Gone tells that the node is taken for gone, though what it holds of limits is kept for it.
	Gone bool
	// Leads are the names of the work that it leads, in order.
	Leads []string
}

// List gives the nodes that the store knows, by id. One that was killed a moment ago is still there.
func List(r store.Reader) (all []Listed, err error) {
	byID := map[string]int{}
	for _, prefix := range []string{memberPrefix, gonePrefix} {
		items, err := r.Scan(prefix, "", 0)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			m, err := store.DecodeJSON[member](item)
			if err != nil {
				return nil, err
			}
			id := strings.TrimPrefix(item.Key, prefix)
			byID[id] = len(all)
			all = append(all, Listed{ID: id, Description: m.Description, Gone: prefix == gonePrefix})
		}
	}
	items, err := r.Scan(leasePrefix, "", 0)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		l, err := store.DecodeJSON[leader](item)
		if err != nil {
			return nil, err
		}
		if i, ok := byID[l.Node]; ok {
			all[i].Leads = append(all[i].Leads, strings.TrimPrefix(item.Key, leasePrefix))
		}
	}
	return all, nil
}
