package organization

import "github.com/licet/licet/authz"

// Node is a root, unit or account of an organization.
type Node struct {
	ARN  string
	Tags map[string]string
}

// Entity is a node of an organization with all below it, as a report about it sees it.
type Entity struct {
	// Management tells that it is the management account, which no SCP binds.
	Management bool
	// Lineage leads from the root to the node itself. SCPs are those attached on the way, by level; nil when the type is not enabled.
	Lineage []Node
	SCPs    [][]SCP
	// Accounts are the node, or those below it but for the management account, by id.
	Accounts []EntityAccount
}

// EntityAccount is an account of an entity.
type EntityAccount struct {
	ID string
	// Path leads to it: "o-…/r-…/ou-…/123456789012".
	Path string
	// Policies are the ids of those that are attached to it or above.
	Policies []string
}

// SCP is a service control policy.
type SCP struct {
	Policy authz.Policy
	Tags   map[string]string
}
