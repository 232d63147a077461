package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// attach does nothing when the policy is attached already.
func (s *Service) attach(ctx context.Context, c *service.Call, k record.Kind, name, policyARN *string) error {
	arn := aws.ToString(policyARN)
	if _, err := record.ParsePolicyARN(arn); err != nil {
		return err
	}
	return s.Change(ctx, c.Account, k, *name, func(tx store.Tx, e *record.Identity) error {
		if err := s.checkAttachable(tx, c.Account, arn, k); err != nil {
			return err
		}
		if slices.Contains(e.Attached, arn) {
			return nil
		}
		if len(e.Attached) >= request.MaxAttachedPolicies {
			quota := map[record.Kind]string{record.UserKind: "PoliciesPerUser", record.GroupKind: "PoliciesPerGroup", record.RoleKind: "PoliciesPerRole"}[k]
			return request.QuotaExceeded(quota, request.MaxAttachedPolicies)
		}
		e.Attached = append(e.Attached, arn)
		return tx.Put(record.UseKey(c.Account, record.Attached, arn, e), nil)
	})
}

func (s *Service) detach(ctx context.Context, c *service.Call, k record.Kind, name, policyARN *string) error {
	arn := aws.ToString(policyARN)
	if _, err := record.ParsePolicyARN(arn); err != nil {
		return err
	}
	return s.Change(ctx, c.Account, k, *name, func(tx store.Tx, e *record.Identity) error {
		if !slices.Contains(e.Attached, arn) {
			return request.PolicyNotFound(arn)
		}
		e.Attached = slices.DeleteFunc(e.Attached, func(a string) bool { return a == arn })
		return tx.Delete(record.UseKey(c.Account, record.Attached, arn, e))
	})
}

func (s *Service) listAttached(
	ctx context.Context, c *service.Call, k record.Kind, name, marker *string, maxItems *int32, pathPrefix *string,
) (request.Listing[types.AttachedPolicy], error) {
	p, err := request.NewPage(marker, maxItems)
	if err != nil {
		return request.Listing[types.AttachedPolicy]{}, err
	}
	if err := s.Patterns.CheckPathPrefix(pathPrefix); err != nil {
		return request.Listing[types.AttachedPolicy]{}, err
	}
	e, err := s.Read(ctx, c.Account, k, *name)
	if err != nil {
		return request.Listing[types.AttachedPolicy]{}, err
	}
	arns := slices.DeleteFunc(sortedPolicies(e.Attached), func(arn string) bool {
		path, _ := record.PolicyPathAndName(arn)
		return pathPrefix != nil && !strings.HasPrefix(path, *pathPrefix)
	})
	page := request.Cut(p, arns, attachedOrder)
	return request.Listing[types.AttachedPolicy]{Items: wireAttached(page.Items), Marker: page.Marker, Truncated: page.Truncated}, nil
}

// sortedPolicies gives the ARNs of attached policies in the order of lists.
func sortedPolicies(arns []string) []string {
	return slices.SortedFunc(slices.Values(arns), func(a, b string) int { return strings.Compare(attachedOrder(a), attachedOrder(b)) })
}

func wireAttached(arns []string) []types.AttachedPolicy {
	out := []types.AttachedPolicy{}
	for _, arn := range arns {
		_, name := record.PolicyPathAndName(arn)
		out = append(out, types.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(name)})
	}
	return out
}

// attachedOrder sorts by name; a customer's policy and one of AWS may share theirs.
func attachedOrder(arn string) string {
	_, name := record.PolicyPathAndName(arn)
	return strings.ToLower(name) + " " + arn
}

func (s *Service) attachUserPolicy(
	ctx context.Context, c *service.Call, in *sdk.AttachUserPolicyInput,
) (*sdk.AttachUserPolicyOutput, error) {
	return &sdk.AttachUserPolicyOutput{}, s.attach(ctx, c, record.UserKind, in.UserName, in.PolicyArn)
}

func (s *Service) attachGroupPolicy(
	ctx context.Context, c *service.Call, in *sdk.AttachGroupPolicyInput,
) (*sdk.AttachGroupPolicyOutput, error) {
	return &sdk.AttachGroupPolicyOutput{}, s.attach(ctx, c, record.GroupKind, in.GroupName, in.PolicyArn)
}

func (s *Service) attachRolePolicy(
	ctx context.Context, c *service.Call, in *sdk.AttachRolePolicyInput,
) (*sdk.AttachRolePolicyOutput, error) {
	return &sdk.AttachRolePolicyOutput{}, s.attach(ctx, c, record.RoleKind, in.RoleName, in.PolicyArn)
}

func (s *Service) detachUserPolicy(
	ctx context.Context, c *service.Call, in *sdk.DetachUserPolicyInput,
) (*sdk.DetachUserPolicyOutput, error) {
	return &sdk.DetachUserPolicyOutput{}, s.detach(ctx, c, record.UserKind, in.UserName, in.PolicyArn)
}

func (s *Service) detachGroupPolicy(
	ctx context.Context, c *service.Call, in *sdk.DetachGroupPolicyInput,
) (*sdk.DetachGroupPolicyOutput, error) {
	return &sdk.DetachGroupPolicyOutput{}, s.detach(ctx, c, record.GroupKind, in.GroupName, in.PolicyArn)
}

func (s *Service) detachRolePolicy(
	ctx context.Context, c *service.Call, in *sdk.DetachRolePolicyInput,
) (*sdk.DetachRolePolicyOutput, error) {
	return &sdk.DetachRolePolicyOutput{}, s.detach(ctx, c, record.RoleKind, in.RoleName, in.PolicyArn)
}

func (s *Service) listAttachedUserPolicies(
	ctx context.Context, c *service.Call, in *sdk.ListAttachedUserPoliciesInput,
) (*sdk.ListAttachedUserPoliciesOutput, error) {
	l, err := s.listAttached(ctx, c, record.UserKind, in.UserName, in.Marker, in.MaxItems, in.PathPrefix)
	return &sdk.ListAttachedUserPoliciesOutput{AttachedPolicies: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}

func (s *Service) listAttachedGroupPolicies(
	ctx context.Context, c *service.Call, in *sdk.ListAttachedGroupPoliciesInput,
) (*sdk.ListAttachedGroupPoliciesOutput, error) {
	l, err := s.listAttached(ctx, c, record.GroupKind, in.GroupName, in.Marker, in.MaxItems, in.PathPrefix)
	return &sdk.ListAttachedGroupPoliciesOutput{AttachedPolicies: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}

func (s *Service) listAttachedRolePolicies(
	ctx context.Context, c *service.Call, in *sdk.ListAttachedRolePoliciesInput,
) (*sdk.ListAttachedRolePoliciesOutput, error) {
	l, err := s.listAttached(ctx, c, record.RoleKind, in.RoleName, in.Marker, in.MaxItems, in.PathPrefix)
	return &sdk.ListAttachedRolePoliciesOutput{AttachedPolicies: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}
