package target

import (
	"context"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
)

// Resource finds the target of a call. Inputs of different operations have the members that matter here under the same names,
// which member reads; a test runs every row of the table.
type Resource func(ctx context.Context, c *service.Call, in any) (service.Target, error)

// Keys adds condition keys of an operation. e is the identity the call is about; nil when it does not exist or is yet to be
// made. Which action has which key:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
type Keys func(in any, e *record.Identity, k *authz.Context)

// Member reads a member of an input by name.
func Member[T any](in any, name string) T {
	return service.Member[T](in, name)
}

// Op makes a row of the table. Every IAM action has the name of its operation.
func Op[In, Out any](name string, r Resource, h service.Handler[In, Out], more ...service.Needs[In]) service.Operation {
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

// Tagging needs a second permission of an operation that makes something with tags.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_permissions
func Tagging[In any](action string, r Resource) service.Needs[In] {
	return func(ctx context.Context, c *service.Call, in *In) ([]service.Need, error) {
		if len(Member[[]types.Tag](in, "Tags")) == 0 {
			return nil, nil
		}
		t, err := r(ctx, c, in)
		return []service.Need{{Action: action, Target: t}}, err
	}
}

// NameMember is the member of inputs that names an identity of the kind.
func NameMember(k record.Kind) string {
	return map[record.Kind]string{
		record.UserKind: "UserName", record.GroupKind: "GroupName", record.RoleKind: "RoleName", record.ProfileKind: "InstanceProfileName",
	}[k]
}

// Anywhere is the resource of actions without resource-level permissions.
func Anywhere(context.Context, *service.Call, any) (service.Target, error) {
	return service.Target{ARN: "*"}, nil
}

// On is the resource of operations on one user, group or role. For one that exists the ARN has its path; for one that does not
// it has none, so that a caller who may not act learns nothing.
func (s *Store) On(k record.Kind, more ...Keys) Resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		name := Member[*string](in, NameMember(k))
		if err := s.CheckIdentityName(k, name); err != nil {
			return service.Target{}, err
		}
		return s.IdentityTarget(ctx, c, k, *name, in, more)
	}
}

// OnUserOrCaller is the resource of operations on a user whose name may be left out.
func (s *Store) OnUserOrCaller(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	k, name, err := s.UserOrCaller(c, Member[*string](in, "UserName"))
	if err != nil {
		return service.Target{}, err
	}
	return s.IdentityTarget(ctx, c, k, name, in, nil)
}

// UserOrCaller resolves an optional user name: without one it is the user, or root user, who calls.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
func (s *Store) UserOrCaller(c *service.Call, name *string) (record.Kind, string, error) {
	if name != nil {
		return record.UserKind, *name, s.CheckIdentityName(record.UserKind, name)
	}
	switch c.Caller.Kind {
	case authz.User:
		return record.UserKind, c.Caller.UserName, nil
	case authz.Root:
		return record.RootKind, "", nil
	}
	return "", "", request.NoUserName()
}

// IdentityTarget is the target of an operation on one identity, which need not exist.
func (s *Store) IdentityTarget(
	ctx context.Context, c *service.Call, k record.Kind, name string, in any, more []Keys,
) (service.Target, error) {
	t := service.Target{Named: named(k, name), Account: c.Account}
	e, err := s.Read(ctx, c.Account, k, name)
	switch {
	case err == nil:
		t.ARN = s.IdentityARN(c.Account, e)
		IdentityTags(&t.Keys, e)
	case request.IsMissing(err):
		e = nil
		t.ARN = s.IdentityARN(c.Account, &record.Identity{Kind: k, Path: "/", Name: name})
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
func named(k record.Kind, name string) string {
	if k == record.RootKind {
		return ""
	}
	return strings.ReplaceAll(string(k), "-", " ") + " " + name
}

// ByARN is a resource that denials name by its ARN all the same: as was seen of iam:TagRole, iam:PutRolePermissionsBoundary and
// iam:SimulatePrincipalPolicy.
func ByARN(r Resource) Resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		t, err := r(ctx, c, in)
		t.Named = ""
		return t, err
	}
}

// OnPolicy is the resource of operations on one managed policy.
func (s *Store) OnPolicy(more ...Keys) Resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		return s.PolicyTarget(ctx, c, aws.ToString(Member[*string](in, "PolicyArn")), in, more)
	}
}

// PolicyTarget is the target of an operation on one managed policy, which need not exist.
func (s *Store) PolicyTarget(ctx context.Context, c *service.Call, text string, in any, more []Keys) (service.Target, error) {
	a, err := record.ParsePolicyARN(text)
	if err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: text, Named: "policy " + text, Account: a.AccountID}
	if a.AccountID == record.AWSAccount {
		t.Account = c.Account // AWS managed policies are everybody's
	}
	p, err := s.ReadPolicy(ctx, c.Account, text, request.NoSuchPolicy(text))
	switch {
	case err == nil:
		for _, tag := range p.Tags { // without iam:ResourceTag, which is about users and roles
			t.Keys.Set("aws:ResourceTag/"+tag.Key, tag.Value)
		}
	case !request.IsMissing(err):
		return service.Target{}, err
	}
	for _, m := range more {
		m(in, nil, &t.Keys)
	}
	return t, nil
}

// CheckIdentityName checks the name of an identity that an operation is about.
func (s *Store) CheckIdentityName(k record.Kind, name *string) error {
	most := request.MaxUserName
	switch k {
	case record.RoleKind:
		most = request.MaxRoleName
	case record.GroupKind:
		most = request.MaxGroupName
	case record.ProfileKind:
		most = request.MaxProfile
	}
	member := NameMember(k)
	return s.Patterns.CheckName(strings.ToLower(member[:1])+member[1:], name, most)
}

// ResourceTags sets the keys of a resource's tags.
func ResourceTags(k *authz.Context, tags []request.Tag) {
	for _, t := range tags {
		k.Set("aws:ResourceTag/"+t.Key, t.Value)
	}
}

// IdentityTags sets the keys of an identity's tags. Users and roles alone have IAM's own keys beside the global ones
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#available-keys-for-iam).
func IdentityTags(k *authz.Context, e *record.Identity) {
	ResourceTags(k, e.Tags)
	if e.Kind != record.UserKind && e.Kind != record.RoleKind {
		return
	}
	for _, t := range e.Tags {
		k.Set("iam:ResourceTag/"+t.Key, t.Value)
	}
}

// RequestTags sets the keys of tags that the call sets.
func RequestTags(in any, _ *record.Identity, k *authz.Context) {
	var tagKeys []string
	for _, t := range Member[[]types.Tag](in, "Tags") {
		k.Set("aws:RequestTag/"+aws.ToString(t.Key), aws.ToString(t.Value))
		tagKeys = append(tagKeys, aws.ToString(t.Key))
	}
	if tagKeys != nil {
		k.SetList("aws:TagKeys", tagKeys...)
	}
}

// NewTags sets the keys of tags that the call makes something with. iam:ResourceTag, of which AWS does not say that it is there by then, is
// not among them.
func NewTags(in any, e *record.Identity, k *authz.Context) {
	RequestTags(in, e, k)
	for _, t := range Member[[]types.Tag](in, "Tags") {
		service.TagOfNew(k, aws.ToString(t.Key), aws.ToString(t.Value))
	}
}

// RequestTagKeys sets the key of tags that the call removes.
func RequestTagKeys(in any, _ *record.Identity, k *authz.Context) {
	k.SetList("aws:TagKeys", Member[[]string](in, "TagKeys")...)
}

// invalidToken answers session credentials without MFA of a user, which may not call IAM.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
func invalidToken() error {
	return awserr.New("InvalidClientTokenId", http.StatusForbidden, "The security token included in the request is invalid.")
}
