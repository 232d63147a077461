package lambda

import (
	"slices"

	"github.com/licet/licet/internal/service"
)

// operations is the table of the service: name, IAM action, resource, handler, further needs.
func (s *Service) operations() []service.Operation {
	return slices.Concat(s.functionOperations(), s.versionOperations(), s.policies.Operations(), s.concurrencyOperations(), s.tagOperations(),
		s.layers.Operations(), s.mappings.Operations(), s.urls.Operations(), s.signing.Operations(), s.signingOperations(), s.laterOperations())
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
		service.Op("InvokeAsync", "lambda:InvokeAsync", on(s, "lambda:InvokeAsync", invokeAsyncReference), s.invokeAsync, s.invokeAsyncNeeds),
		service.Op("InvokeWithResponseStream", "lambda:InvokeFunction",
			on(s, "lambda:InvokeFunction", invokeWithResponseStreamReference), s.invokeWithResponseStream),
		service.Op("ListFunctions", "lambda:ListFunctions", listFunctionsTarget, s.listFunctions),
		service.Op("UpdateFunctionCode", "lambda:UpdateFunctionCode",
			on(s, "lambda:UpdateFunctionCode", updateFunctionCodeReference), s.updateFunctionCode, s.updateFunctionCodeNeeds),
		service.Op("UpdateFunctionConfiguration", "lambda:UpdateFunctionConfiguration",
			s.updateFunctionConfigurationTarget, s.updateFunctionConfiguration, s.updateFunctionConfigurationNeeds),
	}
}

// versionOperations are those on versions and aliases.
func (s *Service) versionOperations() []service.Operation {
	return []service.Operation{
		service.Op("CreateAlias", "lambda:CreateAlias", on(s, "lambda:CreateAlias", createAliasReference), s.createAlias),
		service.Op("DeleteAlias", "lambda:DeleteAlias", on(s, "lambda:DeleteAlias", deleteAliasReference), s.deleteAlias),
		service.Op("GetAlias", "lambda:GetAlias", on(s, "lambda:GetAlias", getAliasReference), s.getAlias),
		service.Op("ListAliases", "lambda:ListAliases", on(s, "lambda:ListAliases", listAliasesReference), s.listAliases),
		service.Op("ListVersionsByFunction", "lambda:ListVersionsByFunction",
			on(s, "lambda:ListVersionsByFunction", listVersionsByFunctionReference), s.listVersionsByFunction),
		service.Op("PublishVersion", "lambda:PublishVersion", on(s, "lambda:PublishVersion", publishVersionReference), s.publishVersion),
		service.Op("UpdateAlias", "lambda:UpdateAlias", on(s, "lambda:UpdateAlias", updateAliasReference), s.updateAlias),
	}
}

// concurrencyOperations are those on concurrency, asynchronous invocation and the account's settings.
func (s *Service) concurrencyOperations() []service.Operation {
	return []service.Operation{
		service.Op("GetAccountSettings", "lambda:GetAccountSettings", service.Any, s.getAccountSettings), // lambda.md 2.3
		service.Op("DeleteFunctionConcurrency", "lambda:DeleteFunctionConcurrency",
			on(s, "lambda:DeleteFunctionConcurrency", deleteFunctionConcurrencyReference), s.deleteFunctionConcurrency),
		service.Op("DeleteFunctionEventInvokeConfig", "lambda:DeleteFunctionEventInvokeConfig",
			on(s, "lambda:DeleteFunctionEventInvokeConfig", deleteFunctionEventInvokeConfigReference), s.deleteFunctionEventInvokeConfig),
		service.Op("DeleteProvisionedConcurrencyConfig", "lambda:DeleteProvisionedConcurrencyConfig",
			on(s, "lambda:DeleteProvisionedConcurrencyConfig", deleteProvisionedConcurrencyConfigReference), s.deleteProvisionedConcurrencyConfig),
		service.Op("GetFunctionConcurrency", "lambda:GetFunctionConcurrency",
			on(s, "lambda:GetFunctionConcurrency", getFunctionConcurrencyReference), s.getFunctionConcurrency),
		service.Op("GetFunctionEventInvokeConfig", "lambda:GetFunctionEventInvokeConfig",
			on(s, "lambda:GetFunctionEventInvokeConfig", getFunctionEventInvokeConfigReference), s.getFunctionEventInvokeConfig),
		service.Op("GetFunctionRecursionConfig", "lambda:GetFunctionRecursionConfig",
			on(s, "lambda:GetFunctionRecursionConfig", getFunctionRecursionConfigReference), s.getFunctionRecursionConfig),
		service.Op("GetFunctionScalingConfig", "lambda:GetFunctionScalingConfig",
			on(s, "lambda:GetFunctionScalingConfig", getFunctionScalingConfigReference), s.getFunctionScalingConfig),
		service.Op("GetProvisionedConcurrencyConfig", "lambda:GetProvisionedConcurrencyConfig",
			on(s, "lambda:GetProvisionedConcurrencyConfig", getProvisionedConcurrencyConfigReference), s.getProvisionedConcurrencyConfig),
		service.Op("GetRuntimeManagementConfig", "lambda:GetRuntimeManagementConfig",
			on(s, "lambda:GetRuntimeManagementConfig", getRuntimeManagementConfigReference), s.getRuntimeManagementConfig),
		service.Op("ListFunctionEventInvokeConfigs", "lambda:ListFunctionEventInvokeConfigs",
			on(s, "lambda:ListFunctionEventInvokeConfigs", listFunctionEventInvokeConfigsReference), s.listFunctionEventInvokeConfigs),
		service.Op("ListProvisionedConcurrencyConfigs", "lambda:ListProvisionedConcurrencyConfigs",
			on(s, "lambda:ListProvisionedConcurrencyConfigs", listProvisionedConcurrencyConfigsReference), s.listProvisionedConcurrencyConfigs),
		service.Op("PutFunctionConcurrency", "lambda:PutFunctionConcurrency",
			on(s, "lambda:PutFunctionConcurrency", putFunctionConcurrencyReference), s.putFunctionConcurrency),
		service.Op("PutFunctionEventInvokeConfig", "lambda:PutFunctionEventInvokeConfig",
			on(s, "lambda:PutFunctionEventInvokeConfig", putFunctionEventInvokeConfigReference), s.putFunctionEventInvokeConfig),
		service.Op("PutFunctionRecursionConfig", "lambda:PutFunctionRecursionConfig",
			on(s, "lambda:PutFunctionRecursionConfig", putFunctionRecursionConfigReference), s.putFunctionRecursionConfig),
		service.Op("PutFunctionScalingConfig", "lambda:PutFunctionScalingConfig",
			on(s, "lambda:PutFunctionScalingConfig", putFunctionScalingConfigReference), s.putFunctionScalingConfig),
		service.Op("PutProvisionedConcurrencyConfig", "lambda:PutProvisionedConcurrencyConfig",
			on(s, "lambda:PutProvisionedConcurrencyConfig", putProvisionedConcurrencyConfigReference), s.putProvisionedConcurrencyConfig),
		service.Op("PutRuntimeManagementConfig", "lambda:PutRuntimeManagementConfig",
			on(s, "lambda:PutRuntimeManagementConfig", putRuntimeManagementConfigReference), s.putRuntimeManagementConfig),
		service.Op("UpdateFunctionEventInvokeConfig", "lambda:UpdateFunctionEventInvokeConfig",
			on(s, "lambda:UpdateFunctionEventInvokeConfig", updateFunctionEventInvokeConfigReference), s.updateFunctionEventInvokeConfig),
	}
}

func (s *Service) tagOperations() []service.Operation {
	return []service.Operation{
		service.Op("ListTags", "lambda:ListTags", s.listTagsTarget, s.listTags),
		service.Op("TagResource", "lambda:TagResource", s.tagResourceTarget, s.tagResource),
		service.Op("UntagResource", "lambda:UntagResource", s.untagResourceTarget, s.untagResource),
	}
}

// signingOperations are those that give functions their code signing configurations.
func (s *Service) signingOperations() []service.Operation {
	return []service.Operation{
		service.Op("DeleteFunctionCodeSigningConfig", "lambda:DeleteFunctionCodeSigningConfig",
			on(s, "lambda:DeleteFunctionCodeSigningConfig", deleteFunctionCodeSigningConfigReference), s.deleteFunctionCodeSigningConfig),
		service.Op("GetFunctionCodeSigningConfig", "lambda:GetFunctionCodeSigningConfig",
			on(s, "lambda:GetFunctionCodeSigningConfig", getFunctionCodeSigningConfigReference), s.getFunctionCodeSigningConfig),
		service.Op("ListFunctionsByCodeSigningConfig", "lambda:ListFunctionsByCodeSigningConfig",
			s.listFunctionsByCodeSigningConfigTarget, s.listFunctionsByCodeSigningConfig),
		service.Op("PutFunctionCodeSigningConfig", "lambda:PutFunctionCodeSigningConfig",
			s.putFunctionCodeSigningConfigTarget, s.putFunctionCodeSigningConfig, s.putFunctionCodeSigningConfigNeeds),
	}
}
