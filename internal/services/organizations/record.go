package organizations

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/internal/store"
)

// Keys of the store:
//
//	organizations/organization/<id>             tree
//	organizations/member/<account>              id of its organization
//	organizations/policy/<organization>/<id>    orgPolicy
//	organizations/request/<organization>/<id>   accountRequest
//	organizations/handshake/<id>                handshake

const keyPrefix = "organizations/"

func organizationKey(id string) string { return keyPrefix + "organization/" + id }

func memberKey(account string) string { return keyPrefix + "member/" + account }

func policyPrefix(organization string) string { return keyPrefix + "policy/" + organization + "/" }

func requestPrefix(organization string) string { return keyPrefix + "request/" + organization + "/" }

const handshakePrefix = keyPrefix + "handshake/"

// tree is the stored form of an organization.
type tree struct {
	ID         string                       `json:"id"`
	Management string                       `json:"management"`
	FeatureSet types.OrganizationFeatureSet `json:"feature_set"`
	Root       string                       `json:"root"`
	// PolicyTypes are enabled in the root.
	PolicyTypes []types.PolicyType `json:"policy_types,omitempty"`
	// Nodes are root, units and accounts by id.
	Nodes map[string]*node `json:"nodes"`
	// Services have trusted access, since when.
	Services map[string]time.Time `json:"services,omitempty"`
	// Delegation is the resource policy; nil when there is none.
	Delegation *delegation `json:"delegation,omitempty"`
}

// node is a place of the tree that policies can be attached to.
type node struct {
	ID     string           `json:"id"`
	Kind   types.TargetType `json:"kind"`
	Name   string           `json:"name"`
	Parent string           `json:"parent,omitempty"`
	Tags   []tag            `json:"tags,omitempty"`
	// Attached are ids of policies of all types.
	Attached []string `json:"attached,omitempty"`

	// The rest belongs to accounts. Services are those that the account administers, since when.
	Email    string                    `json:"email,omitempty"`
	Joined   time.Time                 `json:"joined,omitzero"`
	Method   types.AccountJoinedMethod `json:"method,omitempty"`
	Closed   bool                      `json:"closed,omitempty"`
	Services map[string]time.Time      `json:"services,omitempty"`
}

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// orgPolicy is the stored form of a policy.
type orgPolicy struct {
	ID          string           `json:"id"`
	Type        types.PolicyType `json:"type"`
	Name        string           `json:"name"`
	Description string           `json:"description,omitempty"`
	Content     string           `json:"content"`
	Tags        []tag            `json:"tags,omitempty"`
	// Managed marks a policy of AWS.
	Managed bool `json:"-"`
}

// accountRequest is what became of a call of CreateAccount.
type accountRequest struct {
	ID        string                           `json:"id"`
	Name      string                           `json:"name"`
	Account   string                           `json:"account,omitempty"`
	Failure   types.CreateAccountFailureReason `json:"failure,omitempty"`
	Requested time.Time                        `json:"requested"`
}

func (o *tree) root() *node { return o.Nodes[o.Root] }

// find gives a node of one of the kinds; nil when there is none.
func (o *tree) find(id string, kinds ...types.TargetType) *node {
	n := o.Nodes[id]
	if n == nil || !slices.Contains(kinds, n.Kind) {
		return nil
	}
	return n
}

// sorted gives the nodes that fit, by id.
func (o *tree) sorted(fits func(*node) bool) []*node {
	var out []*node
	for _, id := range slices.Sorted(maps.Keys(o.Nodes)) {
		if n := o.Nodes[id]; fits(n) {
			out = append(out, n)
		}
	}
	return out
}

func (o *tree) children(parent string, kind types.TargetType) []*node {
	return o.sorted(func(n *node) bool { return n.Parent == parent && n.Kind == kind })
}

// lineage gives a node with what is above it, from the root down.
func (o *tree) lineage(n *node) []*node {
	var out []*node
	for ; n != nil; n = o.Nodes[n.Parent] {
		out = append(out, n)
	}
	slices.Reverse(out)
	return out
}

// path is the entity path of a node: "o-…/r-…/ou-…/".
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed-view-data-orgs.html (entity path)
func (o *tree) path(n *node) string {
	var b strings.Builder
	b.WriteString(o.ID + "/")
	for _, above := range o.lineage(n) {
		b.WriteString(above.ID + "/")
	}
	return b.String()
}

func (o *tree) enabled(t types.PolicyType) bool { return slices.Contains(o.PolicyTypes, t) }

// add puts a new node into the tree, under the policies that every node has from the start.
func (o *tree) add(n *node) {
	for _, t := range o.PolicyTypes {
		n.Attached = append(n.Attached, fullAccess(t).ID)
	}
	o.Nodes[n.ID] = n
}

func putOrganization(tx store.Tx, o *tree) error { return store.PutJSON(tx, organizationKey(o.ID), o) }

// organizationOf reads the organization of an account; nil when it is in none.
func organizationOf(r store.Reader, account string) (*tree, error) {
	item, err := r.Get(memberKey(account))
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return store.GetJSON[*tree](r, organizationKey(string(item.Value)))
}

// scan decodes all values below a prefix, in the order of their keys.
func scan[T any](r store.Reader, prefix string) ([]T, error) {
	items, err := r.Scan(prefix, "", 0)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(items))
	for i, item := range items {
		if out[i], err = store.DecodeJSON[T](item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// isMissing tells the errors of reads that found nothing.
func isMissing(err error) bool { return errors.Is(err, store.ErrNotFound) }
