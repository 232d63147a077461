package sts

import "github.com/licet/licet/internal/service"

// operations is the table of what STS does here. Operations that are not here are answered NotImplemented.
func (s *Service) operations() []service.Operation {
	return []service.Operation{
		service.Op("AssumeRole", "sts:AssumeRole", s.roleToAssume, s.assumeRole, s.assumeRoleNeeds),
		service.Op("GetAccessKeyInfo", "sts:GetAccessKeyInfo", onKeyInfo, s.getAccessKeyInfo),
		// "No permissions are required to perform this operation. If an administrator attaches a policy to your identity that
		// explicitly denies access to the sts:GetCallerIdentity action, you can still perform this operation."
		// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
		service.Exempt("GetCallerIdentity", "sts:GetCallerIdentity", "sts:GetCallerIdentity is always allowed", s.getCallerIdentity),
		// "No permissions are required for users to perform this operation." The operation cannot be controlled by policies:
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
		service.Exempt("GetSessionToken", "sts:GetSessionToken", "sts:GetSessionToken needs no permission", s.getSessionToken),
	}
}
