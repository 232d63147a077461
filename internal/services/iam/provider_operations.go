package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
)

// providerHandlers are the operations on identity providers.
type providerHandlers struct {
	*Store
	keyring *secret.Keyring
	// issuer gives the URL of an issuer of tokens.
	issuer func(id string) string
}

// providerOperations is the table of identity providers, and of the account as one.
func providerOperations(t *Store, k *secret.Keyring, issuer func(id string) string) []service.Operation {
	s := &providerHandlers{Store: t, keyring: k, issuer: issuer}
	return []service.Operation{
		op("CreateOpenIDConnectProvider", s.onNewOIDCProvider, s.createOpenIDConnectProvider,
			tagging[sdk.CreateOpenIDConnectProviderInput]("iam:TagOpenIDConnectProvider", s.onNewOIDCProvider)),
		op("GetOpenIDConnectProvider", s.onProvider(oidcKind), s.getOpenIDConnectProvider),
		op("ListOpenIDConnectProviders", anywhere, s.listOpenIDConnectProviders),
		op("DeleteOpenIDConnectProvider", s.onProvider(oidcKind), s.deleteOpenIDConnectProvider),
		op("UpdateOpenIDConnectProviderThumbprint", s.onProvider(oidcKind), s.updateOpenIDConnectProviderThumbprint),
		op("AddClientIDToOpenIDConnectProvider", s.onProvider(oidcKind), s.addClientIDToOpenIDConnectProvider),
		op("RemoveClientIDFromOpenIDConnectProvider", s.onProvider(oidcKind), s.removeClientIDFromOpenIDConnectProvider),
		op("TagOpenIDConnectProvider", s.onProvider(oidcKind, requestTags), s.tagOpenIDConnectProvider),
		op("UntagOpenIDConnectProvider", s.onProvider(oidcKind, requestTagKeys), s.untagOpenIDConnectProvider),
		op("ListOpenIDConnectProviderTags", s.onProvider(oidcKind), s.listOpenIDConnectProviderTags),
		op("CreateSAMLProvider", s.onNewSAMLProvider, s.createSAMLProvider,
			tagging[sdk.CreateSAMLProviderInput]("iam:TagSAMLProvider", s.onNewSAMLProvider)),
		op("GetSAMLProvider", s.onProvider(samlKind), s.getSAMLProvider),
		op("ListSAMLProviders", anywhere, s.listSAMLProviders),
		op("UpdateSAMLProvider", s.onProvider(samlKind), s.updateSAMLProvider),
		op("DeleteSAMLProvider", s.onProvider(samlKind), s.deleteSAMLProvider),
		op("TagSAMLProvider", s.onProvider(samlKind, requestTags), s.tagSAMLProvider),
		op("UntagSAMLProvider", s.onProvider(samlKind, requestTagKeys), s.untagSAMLProvider),
		op("ListSAMLProviderTags", s.onProvider(samlKind), s.listSAMLProviderTags),
		op("EnableOutboundWebIdentityFederation", anywhere, s.enableOutboundWebIdentityFederation),
		op("GetOutboundWebIdentityFederationInfo", anywhere, s.getOutboundWebIdentityFederationInfo),
		op("DisableOutboundWebIdentityFederation", anywhere, s.disableOutboundWebIdentityFederation),
	}
}
