package lambda

import (
	"fmt"

	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// versionKey orders versions by their numbers.
func versionKey(r request.Function, number string) string {
	return versionPrefix(r) + fmt.Sprintf("%012s", number)
}

// versionPrefix is that of all published versions of a function.
func versionPrefix(r request.Function) string { return belongings(r) + "version/" }

// decodeVersion makes a published version from its item.
func (s *Service) decodeVersion(item store.Item) (*version, error) {
	v, err := store.DecodeJSON[version](item)
	if err != nil {
		return nil, err
	}
	if err := s.open(&v); err != nil {
		return nil, fmt.Errorf("%s: %w", item.Key, err)
	}
	return &v, nil
}
