package sts

import (
	"context"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
)

// operations is the table of what STS does here. Operations that are not here are answered NotImplemented.
func (s *Service) operations() []service.Operation {
	return slices.Concat(s.federation(), []service.Operation{
		service.Op("AssumeRole", "sts:AssumeRole", notFederated(s.roleToAssume), s.assumeRole, s.assumeRoleNeeds),
		service.Op("AssumeRoot", "sts:AssumeRoot", notInUserSession(s.onMemberRoot), s.assumeRoot),
		service.Op("DecodeAuthorizationMessage", "sts:DecodeAuthorizationMessage",
			notInUserSession(service.Any[sdk.DecodeAuthorizationMessageInput]), s.decodeAuthorizationMessage),
		service.Op("GetFederationToken", "sts:GetFederationToken", s.onFederatedUser, s.getFederationToken, federationTagging),
		service.Op("GetAccessKeyInfo", "sts:GetAccessKeyInfo", notInUserSession(service.Any[sdk.GetAccessKeyInfoInput]), s.getAccessKeyInfo),
		service.Op("GetWebIdentityToken", "sts:GetWebIdentityToken", notInUserSession(s.onIdentityToken), s.getWebIdentityToken,
			identityTokenTagging),
		// "No permissions are required to perform this operation. If an administrator attaches a policy to your identity that
		// explicitly denies access to the sts:GetCallerIdentity action, you can still perform this operation."
		// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
		service.Exempt("GetCallerIdentity", "sts:GetCallerIdentity", "sts:GetCallerIdentity is always allowed", s.getCallerIdentity),
		// "No permissions are required for users to perform this operation." The operation cannot be controlled by policies:
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
		service.Exempt("GetSessionToken", "sts:GetSessionToken", "sts:GetSessionToken needs no permission", s.getSessionToken),
	})
}

// federation are the operations of callers whom an identity provider vouches for. They are not signed.
func (s *Service) federation() []service.Operation {
	return []service.Operation{
		service.Unsigned("AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentity", s.identifyWebIdentity, notAuthorized,
			s.roleForWebIdentity, s.assumeRoleWithWebIdentity, s.webIdentityNeeds),
		service.Unsigned("AssumeRoleWithSAML", "sts:AssumeRoleWithSAML", s.identifySAML, notAuthorized,
			s.roleForSAML, s.assumeRoleWithSAML, s.samlNeeds),
	}
}

// notFederated refuses federated users before any decision: of STS they may call GetCallerIdentity only.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getfederationtoken.html
func notFederated[In any](r service.Resource[In]) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		if c.Caller.Kind == authz.FederatedUser {
			return service.Target{}, invalidToken()
		}
		return r(ctx, c, in)
	}
}

// notInUserSession refuses, beside federated users, session credentials of users without MFA, for which STS has AssumeRole and
// GetCallerIdentity only.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
func notInUserSession[In any](r service.Resource[In]) service.Resource[In] {
	return notFederated(func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		if isUserSession(c) {
			return service.Target{}, invalidToken()
		}
		return r(ctx, c, in)
	})
}
