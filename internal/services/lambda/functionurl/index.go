package functionurl

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// indexKey has what an id is the URL of: a function or an alias. It is written with the configuration and goes with it. It is not below
// "lambda/", where the keys go on with accounts.
func indexKey(id string) string { return "lambda-url/" + id }

// put keeps a configuration and makes its URL known.
func (s *Service) put(tx store.Tx, r request.Function, u *config) error {
	return errors.Join(store.PutJSON(tx, s.key(r), u), store.PutJSON(tx, indexKey(u.ID), r))
}

// Forget makes the URLs of a function, or of one alias, unknown: it comes before what belongs to them is deleted.
func (s *Service) Forget(tx store.Tx, r request.Function) error {
	items, err := tx.Scan(s.prefix(r), "", 0)
	if err != nil {
		return err
	}
	for _, item := range items {
		if r.Qualifier != "" && item.Key != s.key(r) {
			continue
		}
		u, err := store.DecodeJSON[config](item)
		if err != nil {
			return err
		}
		if err := tx.Delete(indexKey(u.ID)); err != nil {
			return err
		}
	}
	return nil
}

// location is a URL with what it is of.
type location struct {
	*config
	function request.Function // with the alias, if there is one
}

// locate finds a URL by its id, from memory; nil when there is none.
func (s *Service) locate(ctx context.Context, a address) (*location, error) {
	if len(a.id) != idLength || strings.Trim(a.id, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return nil, nil
	}
	r, err := s.index.Get(ctx, indexKey(a.id))
	if err == nil && (a.region == "" || a.region == r.Region) {
		var u *config
		if u, err = s.configs.Get(ctx, s.key(r)); err == nil && u.ID == a.id {
			return &location{u, r}, nil
		}
	}
	if err == nil || errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return nil, fmt.Errorf("find the function of URL %s: %w", a.id, err)
}
