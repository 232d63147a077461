package lambda

import (
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// alias is the record of an alias.
type alias struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	RevisionID  string `json:"revision_id"`
	// Version is "$LATEST" or a number.
	Version string `json:"version"`
	// Weights has the share of calls, from 0 to 1, that go to another version than Version; one at most.
	Weights map[string]float64 `json:"weights,omitempty"`
}

// aliasKey is the key of the alias that a reference names.
func aliasKey(r request.Function) string { return belongings(r) + "alias/" + r.Qualifier }

func decodeAlias(item store.Item) (*alias, error) {
	a, err := store.DecodeJSON[alias](item)
	return &a, err
}
