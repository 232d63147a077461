package lambda

import (
	"context"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/mapping"
	"github.com/licet/licet/internal/services/lambda/request"
)

// callees shows functions, and keys, to event source mappings.
type callees struct{ *Service }

func (c callees) Decrypt(call *service.Call, key string, encryptionContext map[string]string) (service.Need, bool) {
	return decryptNeed(call, key, encryptionContext)
}

func (c callees) Allowed(ctx context.Context, call *service.Call, need service.Need) (bool, error) {
	return c.Permissions.Allowed(ctx, call, need)
}

func (c callees) Function(ctx context.Context, r request.Function) (mapping.Function, error) {
	f, err := c.find(ctx, r)
	if err != nil {
		return mapping.Function{}, err
	}
	return mapping.Function{Role: f.version.Role}, nil
}
