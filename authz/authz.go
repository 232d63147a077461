package authz

import "github.com/licet/licet/policy"

// PrincipalKind tells how a principal is matched and which policies apply to it.
type PrincipalKind string

// The kinds of principal.
const (
	Anonymous     PrincipalKind = "Anonymous"
	Root          PrincipalKind = "Account" // value of aws:PrincipalType for the account root
	User          PrincipalKind = "User"
	AssumedRole   PrincipalKind = "AssumedRole"
	FederatedUser PrincipalKind = "FederatedUser"
	Service       PrincipalKind = "AWSService"
	WebIdentity   PrincipalKind = "WebIdentity" // an unsigned call that presents a token of a Federated provider
	SAML          PrincipalKind = "SAML"
)

// Principal is who asks. It is what Principal elements are compared with.
type Principal struct {
	Kind PrincipalKind `json:"kind"`
	// Account is the 12-digit account; "" for services and anonymous callers.
	Account string `json:"account,omitempty"`
	// ARN names the caller as messages do: user ARN, assumed-role session ARN (the role's name without path), federated-user ARN,
	// root ARN, a service's name such as "s3.amazonaws.com", a provider ARN or host for WebIdentity and SAML.
	ARN string `json:"arn"`
	// IssuerARN is the role (with its path) of a role session, or the user of a federated-user session; "" otherwise.
	IssuerARN string `json:"issuer_arn,omitempty"`
	// ID is the unique id of the user or role (AIDA…, AROA…); "" when there is none.
	ID string `json:"id,omitempty"`
	// SessionName of a role session; "" otherwise.
	SessionName string `json:"session_name,omitempty"`
	// ServiceLinked is true for a session of a service-linked role, to which SCPs do not apply.
	ServiceLinked bool `json:"service_linked,omitempty"`
}

// Value is the value of a condition key in a request.
type Value struct {
	// Values in order. An empty list is a present multi-valued key without values.
	Values []string `json:"values"`
	// Multi is true for keys that hold a list, which need a set operator.
	Multi bool `json:"multi,omitempty"`
}

// Request is one question: may this principal do this action on this resource, under these circumstances?
type Request struct {
	Principal Principal `json:"principal"`
	// Action with its service prefix, such as "lambda:InvokeFunction".
	Action string `json:"action"`
	// Resource is the ARN as requested, or "*" for actions without resource-level permissions.
	Resource string `json:"resource"`
	// Named is how the message of a denial names the resource; "" means as Resource. Nothing is decided by it.
	Named string `json:"named,omitempty"`
	// ResourceAccount owns the resource. "" means the account that the resource's ARN names or, if it names none, the principal's.
	ResourceAccount string  `json:"resource_account,omitempty"`
	Context         Context `json:"context"`
}

// owner is the account of the resource; "" when nothing says that it is another than the principal's.
func (r *Request) owner() string {
	if r.ResourceAccount != "" {
		return r.ResourceAccount
	}
	return accountOf(r.Resource)
}

// PolicyType names the kinds of policy that take part in a decision.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
type PolicyType string

// The policy types, in the order in which a decision reports them (iam.md D2).
const (
	ResourceControlPolicy PolicyType = "resource-control"
	ServiceControlPolicy  PolicyType = "service-control"
	VPCEndpointPolicy     PolicyType = "vpc-endpoint"
	ResourceBasedPolicy   PolicyType = "resource-based"
	IdentityBasedPolicy   PolicyType = "identity-based"
	PermissionsBoundary   PolicyType = "permissions-boundary"
	SessionPolicy         PolicyType = "session"
	RoleTrustPolicy       PolicyType = "role-trust"
)

// Policy is a document with its name.
type Policy struct {
	// ARN of a managed or organization policy; "" for inline and resource-based policies.
	ARN string `json:"arn,omitempty"`
	// Name for a reader, such as "alice/inline/deploy" or "resource policy of arn:…".
	Name     string           `json:"name"`
	Document *policy.Document `json:"-"`
}

// Policies are all policies that may apply to a request. The caller of the evaluator gathers them; absent types are nil.
type Policies struct {
	// Identity policies of the user and its groups, or of the role. Not consulted for root, services and anonymous callers.
	Identity []Policy
	// Boundary is the permissions boundary, if the user or role has one.
	Boundary *Policy
	// Session policies given when the session was made. nil: none were given; empty but not nil: given, and granting nothing.
	Session []Policy
	// Resource is the resource-based policy consulted for the resource as requested.
	Resource *Policy
	// Trust marks Resource as a role trust policy, or another policy without which nobody has access (KMS keys): identity policies
	// alone never suffice (iam.md D4, T1).
	Trust bool
	// SCPs and RCPs by level, from the organization's root to the account; nil when none apply. An empty level denies.
	SCPs [][]Policy
	RCPs [][]Policy
	// VPCEndpoint is set when the request came through an endpoint.
	VPCEndpoint *Policy
}

// Verdict is what one policy type, or one policy, says.
type Verdict string

// The verdicts.
const (
	Allowed       Verdict = "allowed"
	ImplicitDeny  Verdict = "implicitDeny"
	ExplicitDeny  Verdict = "explicitDeny"
	NotApplicable Verdict = "notApplicable" // the type has no policies, or does not bind this principal
	Bypassed      Verdict = "bypassed"      // would have denied implicitly, but a resource-based grant makes it irrelevant (iam.md D6)
)

// MatchKind tells how a Principal element named the caller. It decides which other policies still limit a resource-based grant (iam.md D6).
type MatchKind string

// The kinds of match, from the most to the least specific.
const (
	MatchNone           MatchKind = ""
	MatchDirect         MatchKind = "direct"          // the caller's own ARN or id: user, session, federated user, service, root by aws:PrincipalArn
	MatchRole           MatchKind = "role"            // the role of the caller's session
	MatchFederatingUser MatchKind = "federating-user" // the user behind a federated-user session
	MatchAccount        MatchKind = "account"         // the account: delegates to its identity policies
	MatchWildcard       MatchKind = "wildcard"        // "*"
	MatchNotPrincipal   MatchKind = "not-principal"   // not exempted by a NotPrincipal element
)

// Decision is the answer, with the walk that led to it. It holds references to the policies it was made from.
type Decision struct {
	Allowed bool `json:"allowed"`
	// Explicit is true when a Deny statement decided.
	Explicit bool `json:"explicit,omitempty"`
	// By is the policy type that the denial names, or the one whose Allow was decisive.
	By PolicyType `json:"by,omitempty"`
	// Policy and Statement point at the deciding statement; Policy is nil for an implicit denial. Statement is -1 when Policy has no
	// document, which denies everything.
	Policy    *Policy `json:"policy,omitempty"`
	Statement int     `json:"statement"`
	// CrossAccount is true when caller and resource belong to different accounts.
	CrossAccount bool `json:"cross_account,omitempty"`
	// Note explains a decision that no statement made ("account root", "sts:GetCallerIdentity is always allowed").
	Note string `json:"note,omitempty"`
	// Types holds each policy type in reporting order.
	Types []TypeTrace `json:"types"`
}

// TypeTrace is what one policy type said.
type TypeTrace struct {
	Type    PolicyType `json:"type"`
	Verdict Verdict    `json:"verdict"`
	// Note says why, where the statements do not ("no resource-based policy", "management account is exempt").
	Note     string        `json:"note,omitempty"`
	Policies []PolicyTrace `json:"policies,omitempty"`
}

// PolicyTrace is what one document said.
type PolicyTrace struct {
	Policy  Policy  `json:"policy"`
	Verdict Verdict `json:"verdict"`
	// Level counts from 0 at the organization's root, for SCPs and RCPs.
	Level      int              `json:"level,omitempty"`
	Statements []StatementTrace `json:"statements"`
}

// StatementTrace is one statement considered: it matched, or the first element that did not.
type StatementTrace struct {
	// Index in Document.Statements.
	Index  int           `json:"index"`
	Sid    string        `json:"sid,omitempty"`
	Effect policy.Effect `json:"effect"`
	Span   policy.Span   `json:"span"`
	// At is where Span starts, in lines and columns.
	At      policy.Position `json:"at"`
	Matched bool            `json:"matched"`
	// Note explains a match that the elements alone do not: a Deny that holds because it cannot be understood.
	Note string `json:"note,omitempty"`
	// Match is how the Principal element named the caller, in resource-based policies.
	Match MatchKind `json:"match,omitempty"`
	// Failed is the first element that did not match; nil when Matched.
	Failed *Mismatch `json:"failed,omitempty"`
	// Conditions evaluated, in the order of the text, up to and including the first that failed.
	Conditions []ConditionTrace `json:"conditions,omitempty"`
}

// Mismatch says which element of a statement kept it from matching.
type Mismatch struct {
	// Element is "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource" or "Condition".
	Element string          `json:"element"`
	Span    policy.Span     `json:"span"`
	At      policy.Position `json:"at"`
	// Got is the request's value, Want the values of the policy, variables substituted where they resolve.
	Got  string   `json:"got"`
	Want []string `json:"want,omitempty"`
	// Note says more, such as "variable ${aws:username} has no value".
	Note string `json:"note,omitempty"`
}

// ConditionTrace is one condition with the values that were compared.
type ConditionTrace struct {
	Operator string          `json:"operator"`
	Key      string          `json:"key"`
	Span     policy.Span     `json:"span"`
	At       policy.Position `json:"at"`
	// Present tells whether the request has the key; Got are its values.
	Present bool     `json:"present"`
	Got     []string `json:"got,omitempty"`
	Want    []string `json:"want"`
	Held    bool     `json:"held"`
	Note    string   `json:"note,omitempty"`
}
