// Package organization says what an account is in its organization, as decisions need it.
//
// It is plain data with the table of services that resource control policies bind: it looks nothing up and decides nothing. Values
// are immutable once made and safe for concurrent use.
package organization

import (
	"slices"
	"strings"

	"github.com/licet/licet/authz"
)

// Member is an account of an organization.
type Member struct {
	// ID of the organization, o-….
	ID string
	// Account is the member's own id, ManagementAccount that of the account that manages the organization.
	Account           string
	ManagementAccount string
	// Path of the account, from the organization's id to its parent: "o-…/r-…/ou-…/".
	Path string
	// SCPs bind the account's principals and RCPs its resources, compiled for all levels from the root to the account; nil where the
	// type is not enabled, and in the management account, which neither binds (iam.md D10, D11).
	SCPs, RCPs *authz.Set
	// AllFeatures is false for an organization that has consolidated billing alone.
	AllFeatures bool
	// Closed tells that the account was closed: nobody acts in it any more.
	Closed bool
	// Trusted are the services that the organization lets in (trusted access), Administers those for which the account is a delegated
	// administrator.
	Trusted, Administers []string

	callerKeys, ownerKeys, sourceKeys authz.Context
}

// New makes a member, with the condition keys that follow from it, each of which a request has "only if" the account is a member of an
// organization. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func New(m Member) *Member {
	m.callerKeys, m.ownerKeys, m.sourceKeys = authz.Context{}, authz.Context{}, authz.Context{}
	m.callerKeys.Set("aws:PrincipalOrgID", m.ID)
	m.callerKeys.SetList("aws:PrincipalOrgPaths", m.Path)
	m.callerKeys.Set("aws:PrincipalOrgMasterAccountId", m.ManagementAccount)
	m.ownerKeys.Set("aws:ResourceOrgID", m.ID)
	m.ownerKeys.SetList("aws:ResourceOrgPaths", m.Path)
	m.sourceKeys.Set("aws:SourceOrgID", m.ID)
	m.sourceKeys.SetList("aws:SourceOrgPaths", m.Path)
	return &m
}

// CallerKeys are the keys of calls by the account's principals, OwnerKeys of calls on its resources, SourceKeys of calls that a service
// makes on behalf of its resources. They must not be changed.
func (m *Member) CallerKeys() authz.Context { return m.callerKeys }

// OwnerKeys are described at CallerKeys.
func (m *Member) OwnerKeys() authz.Context { return m.ownerKeys }

// SourceKeys are described at CallerKeys.
func (m *Member) SourceKeys() authz.Context { return m.sourceKeys }

// IsManagement tells whether the account manages the organization.
func (m *Member) IsManagement() bool { return m.Account == m.ManagementAccount }

// Administrates tells whether the account may speak for the organization to a service: it manages the organization, or is a delegated
// administrator for the service.
func (m *Member) Administrates(service string) bool {
	return m.IsManagement() || slices.Contains(m.Administers, service)
}

// BoundByRCPs tells whether resource control policies bind an action. "RCPs apply to actions for the following AWS services", and
// "RCPs do not impact the kms:RetireGrant permission".
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html (#rcp-supported-services,
// #actions-not-restricted-by-rcps)
func BoundByRCPs(action string) bool {
	service, _, _ := strings.Cut(action, ":")
	switch service {
	case "aoss", "appconfig", "appstream", "autoscaling", "autoscaling-plans", "budgets", "clouddirectory", "cloudfront",
		"cloudsearch", "cloudtrail-data", "codeartifact", "codebuild", "codecommit", "codepipeline", "cognito-identity",
		"cognito-idp", "comprehend", "comprehendmedical", "compute-optimizer", "cost-optimization-hub", "dax", "dsql", "dynamodb",
		"ecr", "ecr-public", "events", "firehose", "fis", "fms", "gamelift", "health", "inspector-scan", "kendra", "kinesisvideo",
		"kms", "logs", "memorydb", "networkmonitor", "notifications", "opensearch", "pca-connector-ad", "personalize", "polly",
		"pricing", "resource-groups", "rolesanywhere", "s3", "secretsmanager", "servicediscovery", "signin", "sqs", "sts", "support",
		"swf", "textract", "timestream-influxdb", "transcribe", "transfer", "translate", "wafv2", "workspaces", "xray":
		return action != "kms:RetireGrant"
	}
	return false
}
