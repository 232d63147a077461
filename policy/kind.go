package policy

import "unicode/utf8"

// Kind is a type of policy, as far as its rules for documents differ. A permissions boundary is an Identity policy.
type Kind string

// The kinds.
const (
	// Identity is a managed identity-based policy: it must be of Version2012.
	Identity Kind = "identity"
	// Inline is an identity-based policy embedded in one user, group or role: Identity, but of either version.
	Inline         Kind = "inline"
	Resource       Kind = "resource"
	Trust          Kind = "trust"
	Session        Kind = "session"
	ServiceControl Kind = "service-control"
	// ResourceControl is a resource control policy that a customer writes, which can only deny.
	ResourceControl Kind = "resource-control"
	VPCEndpoint     Kind = "vpc-endpoint"
)

// presence says whether statements of a kind have an element.
type presence int

const (
	optional presence = iota
	required
	forbidden
)

// rules are what distinguishes the kinds.
type rules struct {
	// fields selects the older of AWS's two families of messages, "Missing required field Principal", over "Policy statement
	// must contain resources.".
	fields bool
	// version2012 is true when the document must be of Version2012.
	version2012 bool
	// plainSid is true when a Sid has letters and digits only.
	plainSid bool
	// id, principal, notPrincipal and resource are about these elements; resource covers NotResource.
	id, principal, notPrincipal, resource presence
}

// rulesOf is false for a kind that does not exist.
//
// Sources: reference_policies_grammar (Id, Principal, Sid), reference_policies_elements_principal, _notprincipal and _version in
// the IAM User Guide; orgs_manage_policies_scps_syntax and _rcps_syntax in the Organizations User Guide; iam.md P2, P6, V1, D11.
func rulesOf(k Kind) (rules, bool) {
	identity := rules{plainSid: true, id: forbidden, principal: forbidden, notPrincipal: forbidden, resource: required}
	switch k {
	case Identity, ServiceControl:
		identity.version2012 = true
		return identity, true
	case Inline, Session:
		return identity, true
	case ResourceControl:
		identity.version2012, identity.principal = true, required
		return identity, true
	case Trust:
		return rules{fields: true, plainSid: true, principal: required, notPrincipal: forbidden, resource: forbidden}, true
	case Resource, VPCEndpoint:
		return rules{fields: true, principal: required, resource: required}, true
	}
	return rules{}, false
}

// Limit is the default quota of a policy's Size, or 0 when a single document has none: the inline policies of an identity are
// counted together.
//
// iam.md L1; reference_iam-quotas in the IAM User Guide; orgs_reference_limits in the Organizations User Guide; Lambda's
// gettingstarted-limits; vpc-limits-endpoints in the PrivateLink guide. SCPs have had 10,240 characters since May 2026, RCPs 5,120.
func Limit(k Kind) int {
	switch k {
	case Identity:
		return 6144
	case Trust, Session:
		return 2048
	case Resource, VPCEndpoint:
		return 20480
	case ServiceControl:
		return 10240
	case ResourceControl:
		return 5120
	}
	return 0
}

// Size counts a policy as AWS does when it compares it with a quota: for policies in IAM the characters that are not white space;
// for resource policies bytes; for all others characters.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (character limits; session policies),
// orgs_manage_policies_scps_syntax ("all characters in your SCP count"), iam.md L1.
func Size(text []byte, k Kind) int {
	switch k {
	case Identity, Inline, Trust:
		n := 0
		for _, r := range string(text) {
			if r > ' ' || !isSpace(byte(r)) {
				n++
			}
		}
		return n
	case Resource:
		return len(text)
	}
	return utf8.RuneCount(text)
}
