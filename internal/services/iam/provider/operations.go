package provider

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/target"
)

// handlers are the operations on identity providers.
type handlers struct {
	*target.Store
	keyring *secret.Keyring
	// issuer gives the URL of an issuer of tokens.
	issuer func(id string) string
}

// Operations is the table of identity providers, and of the account as one.
func Operations(t *target.Store, k *secret.Keyring, issuer func(id string) string) []service.Operation {
	s := &handlers{Store: t, keyring: k, issuer: issuer}
	return []service.Operation{
		target.Op("CreateOpenIDConnectProvider", s.onNewOIDCProvider, s.createOpenIDConnectProvider,
			target.Tagging[sdk.CreateOpenIDConnectProviderInput]("iam:TagOpenIDConnectProvider", s.onNewOIDCProvider)),
		target.Op("GetOpenIDConnectProvider", s.onProvider(record.OIDCKind), s.getOpenIDConnectProvider),
		target.Op("ListOpenIDConnectProviders", target.Anywhere, s.listOpenIDConnectProviders),
		target.Op("DeleteOpenIDConnectProvider", s.onProvider(record.OIDCKind), s.deleteOpenIDConnectProvider),
		target.Op("UpdateOpenIDConnectProviderThumbprint", s.onProvider(record.OIDCKind), s.updateOpenIDConnectProviderThumbprint),
		target.Op("AddClientIDToOpenIDConnectProvider", s.onProvider(record.OIDCKind), s.addClientIDToOpenIDConnectProvider),
		target.Op("RemoveClientIDFromOpenIDConnectProvider", s.onProvider(record.OIDCKind), s.removeClientIDFromOpenIDConnectProvider),
		target.Op("TagOpenIDConnectProvider", s.onProvider(record.OIDCKind, target.RequestTags), s.tagOpenIDConnectProvider),
		target.Op("UntagOpenIDConnectProvider", s.onProvider(record.OIDCKind, target.RequestTagKeys), s.untagOpenIDConnectProvider),
		target.Op("ListOpenIDConnectProviderTags", s.onProvider(record.OIDCKind), s.listOpenIDConnectProviderTags),
		target.Op("CreateSAMLProvider", s.onNewSAMLProvider, s.createSAMLProvider,
			target.Tagging[sdk.CreateSAMLProviderInput]("iam:TagSAMLProvider", s.onNewSAMLProvider)),
		target.Op("GetSAMLProvider", s.onProvider(record.SAMLKind), s.getSAMLProvider),
		target.Op("ListSAMLProviders", target.Anywhere, s.listSAMLProviders),
		target.Op("UpdateSAMLProvider", s.onProvider(record.SAMLKind), s.updateSAMLProvider),
		target.Op("DeleteSAMLProvider", s.onProvider(record.SAMLKind), s.deleteSAMLProvider),
		target.Op("TagSAMLProvider", s.onProvider(record.SAMLKind, target.RequestTags), s.tagSAMLProvider),
		target.Op("UntagSAMLProvider", s.onProvider(record.SAMLKind, target.RequestTagKeys), s.untagSAMLProvider),
		target.Op("ListSAMLProviderTags", s.onProvider(record.SAMLKind), s.listSAMLProviderTags),
		target.Op("EnableOutboundWebIdentityFederation", target.Anywhere, s.enableOutboundWebIdentityFederation),
		target.Op("GetOutboundWebIdentityFederationInfo", target.Anywhere, s.getOutboundWebIdentityFederationInfo),
		target.Op("DisableOutboundWebIdentityFederation", target.Anywhere, s.disableOutboundWebIdentityFederation),
	}
}
