package lambda

import (
	"context"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// functions shows functions to the rooms of what belongs to them.
type functions struct{ s *Service }

// Target is a function, version or alias as the resource of an action.
func (f functions) Target(ctx context.Context, c *service.Call, action string, r request.Function) (service.Target, error) {
	return f.s.target(ctx, c, action, r)
}

// Revision gives the RevisionId of a function, version or alias. The error wraps store.ErrNotFound when it is not there.
func (f functions) Revision(reader store.Reader, r request.Function) (string, error) {
	found, err := f.s.load(reader, r)
	switch {
	case err != nil:
		return "", err
	case found.alias != nil:
		return found.alias.RevisionID, nil
	}
	return found.version.RevisionID, nil
}

// Belongings is the prefix of the records that belong to a function and go with it.
func (f functions) Belongings(r request.Function) string { return belongings(r) }
