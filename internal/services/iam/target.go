package iam

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// resource finds the target of a call. Inputs of different operations have the members that matter here under the same names,
// which member reads; a test runs every row of the table.
type resource func(ctx context.Context, c *service.Call, in any) (service.Target, error)

// keys adds condition keys of an operation. e is the identity the call is about; nil when it does not exist or is yet to be
// made. Which action has which key:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
type keys func(in any, e *identity, k *authz.Context)

// member reads a member of an input by name.
func member[T any](in any, name string) T {
	return service.Member[T](in, name)
}

// op makes a row of the table. Every IAM action has the name of its operation.
func op[In, Out any](name string, r resource, h service.Handler[In, Out], more ...service.Needs[In]) service.Operation {
	target := func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		if isBarred(&c.Caller) {
			return service.Target{}, invalidToken()
		}
		return r(ctx, c, in)
	}
	return service.Op(name, "iam:"+name, target, h, more...)
}

// isBarred tells callers who cannot call IAM, whatever the policies say: sessions of a user or root user without MFA, and federated users.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html, …_getfederationtoken.html
// Sessions of AssumeRoot, which have a policy, are for IAM.
func isBarred(c *principal.Caller) bool {
	switch c.Kind {
	case authz.FederatedUser:
		return true
	case authz.User, authz.Root:
		return c.Session != nil && !c.Session.MFA && !c.Session.HasPolicies
	default:
		return false
	}
}

// tagging needs a second permission of an operation that makes something with tags.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_permissions
func tagging[In any](action string, r resource) service.Needs[In] {
	return func(ctx context.Context, c *service.Call, in *In) ([]service.Need, error) {
		if len(member[[]types.Tag](in, "Tags")) == 0 {
			return nil, nil
		}
		t, err := r(ctx, c, in)
		return []service.Need{{Action: action, Target: t}}, err
	}
}

// Store has what operations are about: it finds users, groups, roles, instance profiles and managed policies, says under which ARN
// and keys they are judged, and changes them.
type Store struct {
	names
	db       store.DB
	patterns patterns
	// directory has identities and their policies as decisions see them.
	directory *Directory
	managed   ManagedPolicies
	// policiesOfAWS are those of AWS's managed policies that were asked for.
	policiesOfAWS *memo[*managedPolicy]
}

// NewStore makes the store, beside the directory of the same records.
func NewStore(c DirectoryConfig, d *Directory) *Store {
	return &Store{
		names: names{c.Partition}, db: c.DB, patterns: newPatterns(), directory: d, managed: c.Managed,
		policiesOfAWS: newMemo[*managedPolicy](cachedPolicies),
	}
}

// names makes ARNs.
type names struct{ partition string }

func (n names) arn(account, resource string) string {
	return arn.ARN{Partition: n.partition, Service: "iam", AccountID: account, Resource: resource}.String()
}

// arnOf is the ARN of an identity.
func (n names) arnOf(account string, e *identity) string {
	if e.Kind == rootKind {
		return n.arn(account, "root")
	}
	return n.arn(account, string(e.Kind)+e.Path+e.Name)
}

func (n names) policyARN(account string, p *managedPolicy) string {
	return n.arn(account, "policy"+p.Path+p.Name)
}

// nameMember is the member of inputs that names an identity of the kind.
func nameMember(k kind) string {
	return map[kind]string{
		userKind: "UserName", groupKind: "GroupName", roleKind: "RoleName", profileKind: "InstanceProfileName",
	}[k]
}

// anywhere is the resource of actions without resource-level permissions.
func anywhere(context.Context, *service.Call, any) (service.Target, error) {
	return service.Target{ARN: "*"}, nil
}

// on is the resource of operations on one user, group or role. For one that exists the ARN has its path; for one that does not
// it has none, so that a caller who may not act learns nothing.
func (s *Store) on(k kind, more ...keys) resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		name := member[*string](in, nameMember(k))
		if err := s.checkIdentityName(k, name); err != nil {
			return service.Target{}, err
		}
		return s.identityTarget(ctx, c, k, *name, in, more)
	}
}

// onUserOrCaller is the resource of operations on a user whose name may be left out.
func (s *Store) onUserOrCaller(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	k, name, err := s.userOrCaller(c, member[*string](in, "UserName"))
	if err != nil {
		return service.Target{}, err
	}
	return s.identityTarget(ctx, c, k, name, in, nil)
}

// userOrCaller resolves an optional user name: without one it is the user, or root user, who calls.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
func (s *Store) userOrCaller(c *service.Call, name *string) (kind, string, error) {
	if name != nil {
		return userKind, *name, s.checkIdentityName(userKind, name)
	}
	switch c.Caller.Kind {
	case authz.User:
		return userKind, c.Caller.UserName, nil
	case authz.Root:
		return rootKind, "", nil
	}
	return "", "", noUserName()
}

func (s *Store) identityTarget(
	ctx context.Context, c *service.Call, k kind, name string, in any, more []keys,
) (service.Target, error) {
	t := service.Target{Named: named(k, name), Account: c.Account}
	e, err := s.read(ctx, c.Account, k, name)
	switch {
	case err == nil:
		t.ARN = s.arnOf(c.Account, e)
		identityTags(&t.Keys, e)
	case isMissing(err):
		e = nil
		t.ARN = s.arnOf(c.Account, &identity{Kind: k, Path: "/", Name: name})
	default:
		return service.Target{}, err
	}
	for _, m := range more {
		m(in, e, &t.Keys)
	}
	return t, nil
}

// named is how AWS's denials name what an operation is about: by kind and name, without the path, which who may not act need not
// know ("… is not authorized to perform: iam:GetRole on resource: role r because …", https://github.com/aws/aws-cdk/issues/27067).
// What is yet to be made they name by its ARN.
func named(k kind, name string) string {
	if k == rootKind {
		return ""
	}
	return strings.ReplaceAll(string(k), "-", " ") + " " + name
}

// byARN is a resource that denials name by its ARN all the same: as was seen of iam:TagRole, iam:PutRolePermissionsBoundary and
// iam:SimulatePrincipalPolicy.
func byARN(r resource) resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		t, err := r(ctx, c, in)
		t.Named = ""
		return t, err
	}
}

// toMake is the resource of operations that make a user, group or role: its ARN to be.
func (s *Service) toMake(k kind, more ...keys) resource {
	return func(_ context.Context, c *service.Call, in any) (service.Target, error) {
		name, path := member[*string](in, nameMember(k)), member[*string](in, "Path")
		if err := s.checkIdentityName(k, name); err != nil {
			return service.Target{}, err
		}
		if err := s.patterns.checkPath("path", path); err != nil {
			return service.Target{}, err
		}
		t := service.Target{ARN: s.arnOf(c.Account, &identity{Kind: k, Name: *name, Path: pathOr(path)}), Account: c.Account}
		for _, m := range more {
			m(in, nil, &t.Keys)
		}
		return t, nil
	}
}

// onAll is the resource of operations that list identities: what their ARNs begin with, as AWS's denials show it
// ("… is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::123456789012:user/").
func (s *Service) onAll(k kind) resource {
	return func(_ context.Context, c *service.Call, in any) (service.Target, error) {
		prefix := member[*string](in, "PathPrefix")
		if err := s.patterns.checkPathPrefix(prefix); err != nil {
			return service.Target{}, err
		}
		return service.Target{ARN: s.arn(c.Account, string(k)+pathOr(prefix)), Account: c.Account}, nil
	}
}

// onPolicy is the resource of operations on one managed policy.
func (s *Store) onPolicy(more ...keys) resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		return s.policyTarget(ctx, c, aws.ToString(member[*string](in, "PolicyArn")), in, more)
	}
}

func (s *Store) policyTarget(ctx context.Context, c *service.Call, text string, in any, more []keys) (service.Target, error) {
	a, err := parsePolicyARN(text)
	if err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: text, Named: "policy " + text, Account: a.AccountID}
	if a.AccountID == awsAccount {
		t.Account = c.Account // AWS managed policies are everybody's
	}
	p, err := s.readPolicy(ctx, c.Account, text, noSuchPolicy(text))
	switch {
	case err == nil:
		for _, tag := range p.Tags { // without iam:ResourceTag, which is about users and roles
			t.Keys.Set("aws:ResourceTag/"+tag.Key, tag.Value)
		}
	case !isMissing(err):
		return service.Target{}, err
	}
	for _, m := range more {
		m(in, nil, &t.Keys)
	}
	return t, nil
}

// onPolicies is the resource of ListPolicies: judged on all, named by the path.
func (s *Service) onPolicies(_ context.Context, _ *service.Call, in any) (service.Target, error) {
	prefix := member[*string](in, "PathPrefix")
	if err := s.patterns.checkPathPrefix(prefix); err != nil {
		return service.Target{}, err
	}
	return service.Target{ARN: "*", Named: "policy path " + pathOr(prefix)}, nil
}

// onNewPolicy is the resource of CreatePolicy: the policy's ARN to be.
func (s *Service) onNewPolicy(_ context.Context, c *service.Call, in any) (service.Target, error) {
	name, path := member[*string](in, "PolicyName"), member[*string](in, "Path")
	if err := s.patterns.checkName("policyName", name, maxPolicyName); err != nil {
		return service.Target{}, err
	}
	if err := s.patterns.checkPath("path", path); err != nil {
		return service.Target{}, err
	}
	t := service.Target{
		ARN: s.policyARN(c.Account, &managedPolicy{Name: *name, Path: pathOr(path)}), Named: "policy " + *name, Account: c.Account,
	}
	requestTags(in, nil, &t.Keys)
	return t, nil
}

// checkIdentityName checks the name of an identity that an operation is about.
func (s *Store) checkIdentityName(k kind, name *string) error {
	most := maxUserName
	switch k {
	case roleKind:
		most = maxRoleName
	case groupKind:
		most = maxGroupName
	case profileKind:
		most = maxProfile
	}
	member := nameMember(k)
	return s.patterns.checkName(strings.ToLower(member[:1])+member[1:], name, most)
}

// isMissing recognizes NoSuchEntity.
func isMissing(err error) bool {
	e, ok := errors.AsType[*awserr.Error](err)
	return ok && e.Status == http.StatusNotFound
}

func pathOr(path *string) string {
	if path == nil {
		return "/"
	}
	return *path
}

// resourceTags sets the keys of a resource's tags.
func resourceTags(k *authz.Context, tags []tag) {
	for _, t := range tags {
		k.Set("aws:ResourceTag/"+t.Key, t.Value)
	}
}

// identityTags sets the keys of an identity's tags. Users and roles alone have IAM's own keys beside the global ones
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#available-keys-for-iam).
func identityTags(k *authz.Context, e *identity) {
	resourceTags(k, e.Tags)
	if e.Kind != userKind && e.Kind != roleKind {
		return
	}
	for _, t := range e.Tags {
		k.Set("iam:ResourceTag/"+t.Key, t.Value)
	}
}

// requestTags sets the keys of tags that the call sets.
func requestTags(in any, _ *identity, k *authz.Context) {
	var tagKeys []string
	for _, t := range member[[]types.Tag](in, "Tags") {
		k.Set("aws:RequestTag/"+aws.ToString(t.Key), aws.ToString(t.Value))
		tagKeys = append(tagKeys, aws.ToString(t.Key))
	}
	if tagKeys != nil {
		k.SetList("aws:TagKeys", tagKeys...)
	}
}

// requestTagKeys sets the key of tags that the call removes.
func requestTagKeys(in any, _ *identity, k *authz.Context) {
	k.SetList("aws:TagKeys", member[[]string](in, "TagKeys")...)
}

// policyToAttach sets iam:PolicyARN to the policy that is attached or detached.
func policyToAttach(in any, _ *identity, k *authz.Context) {
	if p := member[*string](in, "PolicyArn"); p != nil {
		k.Set("iam:PolicyARN", *p)
	}
}

// requestedBoundary sets iam:PermissionsBoundary to the boundary that the call sets.
func requestedBoundary(in any, _ *identity, k *authz.Context) {
	if b := member[*string](in, "PermissionsBoundary"); b != nil {
		k.Set("iam:PermissionsBoundary", *b)
	}
}

// currentBoundary sets iam:PermissionsBoundary to the boundary that the identity has.
func currentBoundary(_ any, e *identity, k *authz.Context) {
	if e != nil && e.Boundary != "" {
		k.Set("iam:PermissionsBoundary", e.Boundary)
	}
}
