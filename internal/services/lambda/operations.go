package lambda

import (
	"slices"

	"github.com/licet/licet/internal/service"
)

// operations is the table of the service: name, IAM action, resource, handler, further needs.
func (s *Service) operations() []service.Operation {
	return slices.Concat(s.functionOperations(), s.versionOperations(), s.permissionOperations(), s.concurrencyOperations(), s.tagOperations(),
		s.layers.Operations(), s.mappings.Operations())
}

func (s *Service) functionOperations() []service.Operation {
	return []service.Operation{
		service.Op("CreateFunction", "lambda:CreateFunction", s.createFunctionTarget, s.createFunction, s.createFunctionNeeds),
		service.Op("DeleteFunction", "lambda:DeleteFunction",
			on(s, "lambda:DeleteFunction", deleteFunctionReference), s.deleteFunction),
		service.Op("GetFunction", "lambda:GetFunction", on(s, "lambda:GetFunction", getFunctionReference), s.getFunction),
		service.Op("GetFunctionConfiguration", "lambda:GetFunctionConfiguration",
			on(s, "lambda:GetFunctionConfiguration", getFunctionConfigurationReference), s.getFunctionConfiguration),
		// The action of Invoke has another name than the operation (lambda.md 2.1).
		service.Op("Invoke", "lambda:InvokeFunction", on(s, "lambda:InvokeFunction", invokeReference), s.invoke),
		service.Op("ListFunctions", "lambda:ListFunctions", listFunctionsTarget, s.listFunctions),
		service.Op("UpdateFunctionCode", "lambda:UpdateFunctionCode",
			on(s, "lambda:UpdateFunctionCode", updateFunctionCodeReference), s.updateFunctionCode),
		service.Op("UpdateFunctionConfiguration", "lambda:UpdateFunctionConfiguration",
			s.updateFunctionConfigurationTarget, s.updateFunctionConfiguration, s.updateFunctionConfigurationNeeds),
	}
}

// versionOperations are those on versions and aliases.
func (s *Service) versionOperations() []service.Operation {
	return []service.Operation{}
}

// permissionOperations are those on resource-based policies of functions.
func (s *Service) permissionOperations() []service.Operation {
	return []service.Operation{
		service.Op("AddPermission", "lambda:AddPermission", s.addPermissionTarget, s.addPermission),
		service.Op("GetPolicy", "lambda:GetPolicy", on(s, "lambda:GetPolicy", getPolicyReference), s.getPolicy),
		service.Op("RemovePermission", "lambda:RemovePermission", s.removePermissionTarget, s.removePermission),
	}
}

// concurrencyOperations are those on concurrency, asynchronous invocation and the account's settings.
func (s *Service) concurrencyOperations() []service.Operation {
	return []service.Operation{}
}

func (s *Service) tagOperations() []service.Operation {
	return []service.Operation{
		service.Op("ListTags", "lambda:ListTags", s.listTagsTarget, s.listTags),
		service.Op("TagResource", "lambda:TagResource", s.tagResourceTarget, s.tagResource),
		service.Op("UntagResource", "lambda:UntagResource", s.untagResourceTarget, s.untagResource),
	}
}
