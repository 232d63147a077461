package iam

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// details makes the entries of GetAccountAuthorizationDetails. Which members are there, and which are empty lists, was recorded from
// AWS: UserPolicyList alone is left out when it is empty.
type details struct {
	s       *Service
	r       store.Reader
	account string
	now     time.Time
}

func (d details) user(e *record.Identity) (types.UserDetail, error) {
	groups := []string{}
	for _, id := range e.Groups {
		g, err := record.GetIdentity(d.r, d.account, record.GroupKind, id)
		if err != nil {
			return types.UserDetail{}, err
		}
		groups = append(groups, g.Name)
	}
	slices.Sort(groups)
	return types.UserDetail{
		Arn: aws.String(d.s.IdentityARN(d.account, e)), CreateDate: aws.Time(e.Created), Path: aws.String(e.Path),
		UserId: aws.String(e.ID), UserName: aws.String(e.Name), AttachedManagedPolicies: wireAttached(sortedPolicies(e.Attached)),
		GroupList: groups, PermissionsBoundary: wireBoundary(e.Boundary), Tags: request.ShownTags(e.Tags), UserPolicyList: wireInline(e),
	}, nil
}

func (d details) group(e *record.Identity) (types.GroupDetail, error) {
	return types.GroupDetail{
		Arn: aws.String(d.s.IdentityARN(d.account, e)), CreateDate: aws.Time(e.Created), Path: aws.String(e.Path),
		GroupId: aws.String(e.ID), GroupName: aws.String(e.Name), AttachedManagedPolicies: wireAttached(sortedPolicies(e.Attached)),
		GroupPolicyList: append([]types.PolicyDetail{}, wireInline(e)...),
	}, nil
}

func (d details) role(e *record.Identity) (types.RoleDetail, error) {
	trust, err := d.s.shownTrust(e.Trust, d.s.arnsIn(d.r))
	if err != nil {
		return types.RoleDetail{}, err
	}
	in, err := record.IdentitiesByID(d.r, d.account, record.ProfileKind, record.ProfilePrefix(d.account, e.ID))
	if err != nil {
		return types.RoleDetail{}, err
	}
	profiles, err := d.s.listedProfiles(d.r, d.account, sortedByName(in))
	if err != nil {
		return types.RoleDetail{}, err
	}
	used, err := d.s.roleLastUsed(d.r, e, d.now)
	return types.RoleDetail{
		Arn: aws.String(d.s.IdentityARN(d.account, e)), CreateDate: aws.Time(e.Created), Path: aws.String(e.Path),
		RoleId: aws.String(e.ID), RoleName: aws.String(e.Name), AttachedManagedPolicies: wireAttached(sortedPolicies(e.Attached)),
		AssumeRolePolicyDocument: encodeDocument(trust), InstanceProfileList: profiles, RoleLastUsed: used,
		PermissionsBoundary: wireBoundary(e.Boundary), Tags: request.ShownTags(e.Tags),
		RolePolicyList: append([]types.PolicyDetail{}, wireInline(e)...),
	}, err
}

func (d details) policy(p *record.ManagedPolicy) (types.ManagedPolicyDetail, error) {
	return d.policyUnder(d.s.PolicyARN(d.account, p), p)
}

func (d details) policyOfAWS(arn string) (types.ManagedPolicyDetail, error) {
	p, err := d.s.FindPolicy(d.r, d.account, arn)
	if err != nil {
		return types.ManagedPolicyDetail{}, err
	}
	return d.policyUnder(arn, p)
}

func (d details) policyUnder(arn string, p *record.ManagedPolicy) (types.ManagedPolicyDetail, error) {
	n, err := usesOf(d.r, d.account, arn)
	if err != nil {
		return types.ManagedPolicyDetail{}, err
	}
	l := listedPolicy(arn, p, n)
	out := types.ManagedPolicyDetail{
		Arn: l.Arn, AttachmentCount: l.AttachmentCount, CreateDate: l.CreateDate, DefaultVersionId: l.DefaultVersionId,
		IsAttachable: l.IsAttachable, Path: l.Path, PermissionsBoundaryUsageCount: l.PermissionsBoundaryUsageCount,
		PolicyId: l.PolicyId, PolicyName: l.PolicyName, UpdateDate: l.UpdateDate, PolicyVersionList: []types.PolicyVersion{},
	}
	for _, v := range p.NewestFirst() {
		version := wireVersion(p, v)
		version.Document = encodeDocument(v.Document)
		out.PolicyVersionList = append(out.PolicyVersionList, version)
	}
	return out, nil
}

// wireInline gives the inline policies of an identity by name; nil when it has none.
func wireInline(e *record.Identity) []types.PolicyDetail {
	var out []types.PolicyDetail
	for _, name := range slices.Sorted(maps.Keys(e.Inline)) {
		out = append(out, types.PolicyDetail{PolicyName: aws.String(name), PolicyDocument: encodeDocument(e.Inline[name])})
	}
	return out
}
