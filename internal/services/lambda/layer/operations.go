package layer

import (
	"context"

	"github.com/licet/licet/internal/service"
)

// Operations are the rows of the table of Lambda: name, IAM action, resource, handler, further needs.
func (s *Service) Operations() []service.Operation {
	return []service.Operation{
		service.Op("AddLayerVersionPermission", "lambda:AddLayerVersionPermission",
			on(s, addLayerVersionPermissionReference), s.addLayerVersionPermission),
		service.Op("DeleteLayerVersion", "lambda:DeleteLayerVersion", on(s, deleteLayerVersionReference), s.deleteLayerVersion),
		service.Op("GetLayerVersion", "lambda:GetLayerVersion", on(s, getLayerVersionReference), s.getLayerVersion),
		// Its action has the name of the other operation (lambda.md 2.1).
		service.Op("GetLayerVersionByArn", "lambda:GetLayerVersion", on(s, getLayerVersionByARNReference), s.getLayerVersionByARN),
		service.Op("GetLayerVersionPolicy", "lambda:GetLayerVersionPolicy",
			on(s, getLayerVersionPolicyReference), s.getLayerVersionPolicy),
		service.Op("ListLayerVersions", "lambda:ListLayerVersions", listLayerVersionsTarget, s.listLayerVersions),
		service.Op("ListLayers", "lambda:ListLayers", listLayersTarget, s.listLayers),
		service.Op("PublishLayerVersion", "lambda:PublishLayerVersion",
			publishLayerVersionTarget, s.publishLayerVersion, s.publishLayerVersionNeeds),
		service.Op("RemoveLayerVersionPermission", "lambda:RemoveLayerVersionPermission",
			on(s, removeLayerVersionPermissionReference), s.removeLayerVersionPermission),
	}
}

// on makes the resource of an operation on one layer version, from the function that reads and validates its input.
func on[In any](s *Service, read func(*service.Call, *In) (Reference, error)) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		r, err := read(c, in)
		if err != nil {
			return service.Target{}, err
		}
		return s.target(ctx, r)
	}
}
