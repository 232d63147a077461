package policy

import "strings"

// KeyType is the type of a condition key's values. It says which family of operators compares them.
type KeyType string

// The types of keys.
const (
	StringKey  KeyType = "String"
	ARNKey     KeyType = "ARN"
	BoolKey    KeyType = "Bool"
	DateKey    KeyType = "Date"
	NumericKey KeyType = "Numeric"
	AddressKey KeyType = "IPAddress"
)

// KeyGroup says what a key is a property of.
type KeyGroup string

// The groups, as AWS's page of global keys has them.
const (
	PrincipalKeys KeyGroup = "principal"
	SessionKeys   KeyGroup = "role session"
	NetworkKeys   KeyGroup = "network"
	ResourceKeys  KeyGroup = "resource"
	RequestKeys   KeyGroup = "request"
)

// Key is a global condition key: one that requests to every service may have.
type Key struct {
	// Name is AWS's spelling; case does not matter in a policy.
	Name  string
	Group KeyGroup
	Type  KeyType
	// OtherType is a second type whose operators also fit, or "".
	OtherType KeyType
	// Multi is true when a request may hold a list of values, so that an operator needs ForAllValues or ForAnyValue.
	Multi bool
	// Tagged is true when a policy writes the name of a tag behind it: aws:PrincipalTag/team.
	Tagged bool
	// Always is true when every request has the key.
	Always bool
	// Sensitive is true when AWS finds no good use for a wildcard in its values, not even behind a prefix.
	Sensitive bool
	// CallerSet is true when the caller chooses the value freely, so that it proves nothing.
	CallerSet bool
	// SomeServices is true when only some services fill the key.
	SomeServices bool
	// ReplacedBy is the key that AWS recommends in the place of a deprecated one; "" when the key is not deprecated.
	ReplacedBy string
	// Present says when a request has the key.
	Present string
}

// LookupKey finds a global key by its name as a policy writes it, in any case; a tag key with the name of its tag.
func LookupKey(name string) (Key, bool) {
	family := keyFamily(strings.ToLower(name))
	for _, k := range GlobalKeys() {
		if strings.ToLower(k.Name) == family {
			return k, k.Tagged == (family != strings.ToLower(name))
		}
	}
	return Key{}, false
}

// keyFamily takes the name of the tag from a key in lower case. A name that ends in its slash has no tag.
func keyFamily(name string) string {
	if family, tag, ok := strings.Cut(name, "/"); ok && tag != "" {
		return family
	}
	return name
}

// GlobalKeys lists the global keys in the order of AWS's page, the cross-service keys of other prefixes included. The slice is
// the caller's.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (2026), to which keys, types, lists and
// sensitivity go back. Whether a network key can be trusted, and what a key is good for, is said there too. Two keys
// are not on it: aws:ARN stands in the checks of IAM Access Analyzer, as deprecated, and aws:PrincipalOrgMasterAccountId in the
// managed policy AWSSSOServiceRolePolicy.
func GlobalKeys() []Key {
	const (
		signed       = "in signed requests; anonymous ones lack it"
		member       = "only when the caller's account is in an organization"
		service      = "only when a service principal makes the call"
		temporary    = "only with temporary credentials"
		ec2Role      = "only with credentials that an EC2 instance was given for its role"
		glue         = "only when AWS Glue makes the call with a service role"
		codeBuild    = "only with a role that CodeBuild has assumed"
		endpoint     = "only when the request comes through a VPC endpoint"
		someEndpoint = "only when the request comes through a VPC endpoint, and only in services that support the key"
		memberVpce   = "only through a VPC endpoint whose owner is in an organization, and only in services that support the key"
		owned        = "only when the account that owns the resource is in an organization, and not for a few actions"
		forward      = "only when a service calls another one with the caller's credentials"
		forResource  = "only when a service principal makes the call on behalf of a resource"
		forMember    = "only when a service principal makes the call on behalf of a resource of an organization's account"
		tagging      = "only when the request passes tags"
		everywhere   = "always"
	)
	const (
		principal, session, network, resource, request = PrincipalKeys, SessionKeys, NetworkKeys, ResourceKeys, RequestKeys
	)
	return []Key{
		{Name: "aws:PrincipalArn", Group: principal, Type: ARNKey, Present: signed},
		{Name: "aws:PrincipalAccount", Group: principal, Type: StringKey, Always: true, Sensitive: true, Present: everywhere},
		{Name: "aws:PrincipalOrgPaths", Group: principal, Type: StringKey, Multi: true, Present: member},
		{Name: "aws:PrincipalOrgID", Group: principal, Type: StringKey, Sensitive: true, Present: member},
		{Name: "aws:PrincipalOrgMasterAccountId", Group: principal, Type: StringKey, Present: member},
		{Name: "aws:PrincipalTag", Group: principal, Type: StringKey, Tagged: true, Present: "only when the caller has the tag"},
		{Name: "aws:PrincipalIsAWSService", Group: principal, Type: BoolKey, Present: signed},
		{Name: "aws:PrincipalServiceName", Group: principal, Type: StringKey, Present: service},
		{Name: "aws:PrincipalServiceNamesList", Group: principal, Type: StringKey, Multi: true, Present: service},
		{Name: "aws:PrincipalType", Group: principal, Type: StringKey, Always: true, Present: everywhere},
		{Name: "aws:userid", Group: principal, Type: StringKey, Always: true, Present: everywhere},
		{Name: "aws:username", Group: principal, Type: StringKey, Present: "only when the caller is an IAM user"},
		{Name: "aws:ARN", Group: principal, Type: ARNKey, ReplacedBy: "aws:PrincipalArn", Present: signed},

		{Name: "aws:AssumedRoot", Group: session, Type: BoolKey, Present: "only with credentials from AssumeRoot"},
		{
			Name: "aws:FederatedProvider", Group: session, Type: StringKey, OtherType: ARNKey,
			Present: "only in sessions from AssumeRoleWithWebIdentity, and while they are made",
		},
		{Name: "aws:TokenIssueTime", Group: session, Type: DateKey, Present: temporary},
		{Name: "aws:SignInSessionArn", Group: session, Type: ARNKey, Present: "only in sessions that AWS Sign-In made by OAuth"},
		{Name: "aws:MultiFactorAuthAge", Group: session, Type: NumericKey, Present: temporary + ", after authentication with MFA"},
		{Name: "aws:MultiFactorAuthPresent", Group: session, Type: BoolKey, Present: temporary},
		{Name: "aws:ChatbotSourceArn", Group: session, Type: ARNKey, Present: "only in sessions of Amazon Q Developer in chat applications"},
		{Name: "aws:Ec2InstanceSourceVpc", Group: session, Type: StringKey, Present: ec2Role},
		{Name: "aws:Ec2InstanceSourcePrivateIPv4", Group: session, Type: AddressKey, Present: ec2Role},
		{Name: "aws:SourceIdentity", Group: session, Type: StringKey, Present: "only when a source identity was set as the role was assumed"},
		{Name: "ec2:RoleDelivery", Group: session, Type: NumericKey, Present: ec2Role},
		{Name: "ec2:SourceInstanceArn", Group: session, Type: ARNKey, Present: ec2Role},
		{Name: "glue:RoleAssumedBy", Group: session, Type: StringKey, Present: glue + ", itself"},
		{Name: "glue:CredentialIssuingService", Group: session, Type: StringKey, Present: glue + ", for a job or developer endpoint"},
		{Name: "codebuild:BuildArn", Group: session, Type: ARNKey, Present: codeBuild},
		{Name: "codebuild:ProjectArn", Group: session, Type: ARNKey, Present: codeBuild},
		{Name: "lambda:SourceFunctionArn", Group: session, Type: ARNKey, Present: "only with the credentials of a running Lambda function"},
		{Name: "ssm:SourceInstanceArn", Group: session, Type: ARNKey, Present: "only with credentials that a Systems Manager instance was given"},
		{Name: "identitystore:UserId", Group: session, Type: StringKey, Present: "only when the caller is a user of IAM Identity Center"},

		{Name: "aws:SourceIp", Group: network, Type: AddressKey, Present: "unless the request comes through a VPC endpoint"},
		{Name: "aws:SourceVpc", Group: network, Type: StringKey, Sensitive: true, Present: endpoint},
		{Name: "aws:SourceVpcArn", Group: network, Type: ARNKey, SomeServices: true, Present: someEndpoint},
		{Name: "aws:SourceVpce", Group: network, Type: StringKey, Sensitive: true, Present: endpoint},
		{Name: "aws:VpceAccount", Group: network, Type: StringKey, Sensitive: true, SomeServices: true, Present: someEndpoint},
		{Name: "aws:VpceOrgID", Group: network, Type: StringKey, Sensitive: true, SomeServices: true, Present: memberVpce},
		{Name: "aws:VpceOrgPaths", Group: network, Type: StringKey, Multi: true, SomeServices: true, Present: memberVpce},
		{Name: "aws:VpcSourceIp", Group: network, Type: AddressKey, Present: endpoint},

		{Name: "aws:ResourceAccount", Group: resource, Type: StringKey, Sensitive: true, Present: "always but for a few actions"},
		{Name: "aws:ResourceOrgPaths", Group: resource, Type: StringKey, Multi: true, Present: owned},
		{Name: "aws:ResourceOrgID", Group: resource, Type: StringKey, Sensitive: true, Present: owned},
		{Name: "aws:ResourceTag", Group: resource, Type: StringKey, Tagged: true, Present: "only when the resource has the tag, or is made with it"},

		{Name: "aws:CalledVia", Group: request, Type: StringKey, Multi: true, Present: forward},
		{Name: "aws:CalledViaFirst", Group: request, Type: StringKey, Present: forward},
		{Name: "aws:CalledViaLast", Group: request, Type: StringKey, Present: forward},
		{Name: "aws:ViaAWSService", Group: request, Type: BoolKey, Always: true, Present: everywhere},
		{
			Name: "aws:CalledViaAWSMCP", Group: request, Type: StringKey,
			Present: "only when an MCP service of AWS makes the call with the caller's credentials",
		},
		{
			Name: "aws:ViaAWSMCPService", Group: request, Type: BoolKey,
			Present: "only when an MCP service of AWS makes the call with the caller's credentials",
		},
		{Name: "aws:CurrentTime", Group: request, Type: DateKey, Always: true, Present: everywhere},
		{Name: "aws:EpochTime", Group: request, Type: DateKey, OtherType: NumericKey, Always: true, Present: everywhere},
		{Name: "aws:referer", Group: request, Type: StringKey, CallerSet: true, Present: "only when a browser followed a link"},
		{Name: "aws:RequestedRegion", Group: request, Type: StringKey, Always: true, Present: everywhere},
		{Name: "aws:RequestTag", Group: request, Type: StringKey, Tagged: true, Present: tagging},
		{Name: "aws:TagKeys", Group: request, Type: StringKey, Multi: true, Present: tagging},
		{Name: "aws:SecureTransport", Group: request, Type: BoolKey, Always: true, Present: everywhere},
		{Name: "aws:SourceAccount", Group: request, Type: StringKey, Sensitive: true, Present: forResource},
		{Name: "aws:SourceArn", Group: request, Type: ARNKey, Present: forResource},
		{Name: "aws:SourceOrgID", Group: request, Type: StringKey, Sensitive: true, Present: forMember},
		{Name: "aws:SourceOrgPaths", Group: request, Type: StringKey, Multi: true, Present: forMember},
		{Name: "aws:UserAgent", Group: request, Type: StringKey, CallerSet: true, Always: true, Present: everywhere},
		{Name: "aws:IsMcpServiceAction", Group: request, Type: BoolKey, Present: "only when an MCP service authorizes an action of its own"},
	}
}
