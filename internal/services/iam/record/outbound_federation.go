package record

// OutboundFederation is the stored form of an account's issuer of tokens about its principals. It stays when the feature is disabled: the
// URL of an account never changes.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
type OutboundFederation struct {
	Enabled bool `json:"enabled"`
	// ID is part of the URL.
	ID   string        `json:"id"`
	Keys []OutboundKey `json:"keys"`
}

// OutboundKey signs tokens. Private is sealed together with the id.
type OutboundKey struct {
	ID        string `json:"id"`
	Algorithm string `json:"algorithm"`
	Private   []byte `json:"private"`
}

// OutboundKeyOf is where an account's issuer is kept.
func OutboundKeyOf(account string) string { return "iam/" + account + "/outbound-federation" }

// IssuerKey finds the account of an issuer.
func IssuerKey(id string) string { return "iam/issuer/" + id }
