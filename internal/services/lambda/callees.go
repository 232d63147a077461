package lambda

import (
	"context"

	"github.com/licet/licet/internal/services/lambda/mapping"
	"github.com/licet/licet/internal/services/lambda/request"
)

// callees shows functions to event source mappings.
type callees struct{ *Service }

func (c callees) Function(ctx context.Context, r request.Function) (mapping.Function, error) {
	f, err := c.find(ctx, r)
	if err != nil {
		return mapping.Function{}, err
	}
	return mapping.Function{Role: f.version.Role}, nil
}
