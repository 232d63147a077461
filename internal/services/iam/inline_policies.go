package iam

import (
	"context"
	"maps"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

func (s *Service) putInlinePolicy(ctx context.Context, c *service.Call, k record.Kind, name, policyName, document *string) error {
	if err := s.Patterns.CheckName("policyName", policyName, request.MaxPolicyName); err != nil {
		return err
	}
	if err := checkDocumentLength("policyDocument", document); err != nil {
		return err
	}
	return s.Change(ctx, c.Account, k, *name, func(_ store.Tx, e *record.Identity) error {
		if _, err := checkDocument(*document, policy.Inline); err != nil {
			return err
		}
		if e.Inline == nil {
			e.Inline = make(map[string]string)
		}
		e.Inline[*policyName] = *document
		size := 0
		for _, text := range e.Inline {
			size += policy.Size([]byte(text), policy.Inline)
		}
		if limit := record.MaxInlineSize(k); size > limit {
			return request.LimitExceeded("Maximum policy size of %d bytes exceeded for %s %s", limit, k, e.Name)
		}
		return nil
	})
}

// getInlinePolicy gives the text, encoded for the answer.
func (s *Service) getInlinePolicy(ctx context.Context, c *service.Call, k record.Kind, name, policyName *string) (*string, error) {
	if err := s.Patterns.CheckName("policyName", policyName, request.MaxPolicyName); err != nil {
		return nil, err
	}
	e, err := s.Read(ctx, c.Account, k, *name)
	if err != nil {
		return nil, err
	}
	text, ok := e.Inline[*policyName]
	if !ok {
		return nil, noSuchInlinePolicy(k, *policyName)
	}
	return encodeDocument(text), nil
}

func (s *Service) listInlinePolicies(
	ctx context.Context, c *service.Call, k record.Kind, name, marker *string, maxItems *int32,
) (request.Listing[string], error) {
	p, err := request.NewPage(marker, maxItems)
	if err != nil {
		return request.Listing[string]{}, err
	}
	e, err := s.Read(ctx, c.Account, k, *name)
	if err != nil {
		return request.Listing[string]{}, err
	}
	l := request.Cut(p, slices.Sorted(maps.Keys(e.Inline)), func(n string) string { return n })
	l.Items = append([]string{}, l.Items...)
	return l, nil
}

func (s *Service) deleteInlinePolicy(ctx context.Context, c *service.Call, k record.Kind, name, policyName *string) error {
	if err := s.Patterns.CheckName("policyName", policyName, request.MaxPolicyName); err != nil {
		return err
	}
	return s.Change(ctx, c.Account, k, *name, func(_ store.Tx, e *record.Identity) error {
		if _, ok := e.Inline[*policyName]; !ok {
			return noSuchInlinePolicy(k, *policyName)
		}
		delete(e.Inline, *policyName)
		return nil
	})
}

func noSuchInlinePolicy(k record.Kind, name string) error {
	return request.NoSuchEntity("The %s policy with name %s cannot be found.", k, name)
}

func (s *Service) putUserPolicy(
	ctx context.Context, c *service.Call, in *sdk.PutUserPolicyInput,
) (*sdk.PutUserPolicyOutput, error) {
	return &sdk.PutUserPolicyOutput{}, s.putInlinePolicy(ctx, c, record.UserKind, in.UserName, in.PolicyName, in.PolicyDocument)
}

func (s *Service) putGroupPolicy(
	ctx context.Context, c *service.Call, in *sdk.PutGroupPolicyInput,
) (*sdk.PutGroupPolicyOutput, error) {
	return &sdk.PutGroupPolicyOutput{}, s.putInlinePolicy(ctx, c, record.GroupKind, in.GroupName, in.PolicyName, in.PolicyDocument)
}

func (s *Service) putRolePolicy(
	ctx context.Context, c *service.Call, in *sdk.PutRolePolicyInput,
) (*sdk.PutRolePolicyOutput, error) {
	return &sdk.PutRolePolicyOutput{}, s.putInlinePolicy(ctx, c, record.RoleKind, in.RoleName, in.PolicyName, in.PolicyDocument)
}

func (s *Service) getUserPolicy(
	ctx context.Context, c *service.Call, in *sdk.GetUserPolicyInput,
) (*sdk.GetUserPolicyOutput, error) {
	text, err := s.getInlinePolicy(ctx, c, record.UserKind, in.UserName, in.PolicyName)
	return &sdk.GetUserPolicyOutput{UserName: in.UserName, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (s *Service) getGroupPolicy(
	ctx context.Context, c *service.Call, in *sdk.GetGroupPolicyInput,
) (*sdk.GetGroupPolicyOutput, error) {
	text, err := s.getInlinePolicy(ctx, c, record.GroupKind, in.GroupName, in.PolicyName)
	return &sdk.GetGroupPolicyOutput{GroupName: in.GroupName, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (s *Service) getRolePolicy(
	ctx context.Context, c *service.Call, in *sdk.GetRolePolicyInput,
) (*sdk.GetRolePolicyOutput, error) {
	text, err := s.getInlinePolicy(ctx, c, record.RoleKind, in.RoleName, in.PolicyName)
	return &sdk.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (s *Service) listUserPolicies(
	ctx context.Context, c *service.Call, in *sdk.ListUserPoliciesInput,
) (*sdk.ListUserPoliciesOutput, error) {
	l, err := s.listInlinePolicies(ctx, c, record.UserKind, in.UserName, in.Marker, in.MaxItems)
	return &sdk.ListUserPoliciesOutput{PolicyNames: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}

func (s *Service) listGroupPolicies(
	ctx context.Context, c *service.Call, in *sdk.ListGroupPoliciesInput,
) (*sdk.ListGroupPoliciesOutput, error) {
	l, err := s.listInlinePolicies(ctx, c, record.GroupKind, in.GroupName, in.Marker, in.MaxItems)
	return &sdk.ListGroupPoliciesOutput{PolicyNames: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}

func (s *Service) listRolePolicies(
	ctx context.Context, c *service.Call, in *sdk.ListRolePoliciesInput,
) (*sdk.ListRolePoliciesOutput, error) {
	l, err := s.listInlinePolicies(ctx, c, record.RoleKind, in.RoleName, in.Marker, in.MaxItems)
	return &sdk.ListRolePoliciesOutput{PolicyNames: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}

func (s *Service) deleteUserPolicy(
	ctx context.Context, c *service.Call, in *sdk.DeleteUserPolicyInput,
) (*sdk.DeleteUserPolicyOutput, error) {
	return &sdk.DeleteUserPolicyOutput{}, s.deleteInlinePolicy(ctx, c, record.UserKind, in.UserName, in.PolicyName)
}

func (s *Service) deleteGroupPolicy(
	ctx context.Context, c *service.Call, in *sdk.DeleteGroupPolicyInput,
) (*sdk.DeleteGroupPolicyOutput, error) {
	return &sdk.DeleteGroupPolicyOutput{}, s.deleteInlinePolicy(ctx, c, record.GroupKind, in.GroupName, in.PolicyName)
}

func (s *Service) deleteRolePolicy(
	ctx context.Context, c *service.Call, in *sdk.DeleteRolePolicyInput,
) (*sdk.DeleteRolePolicyOutput, error) {
	return &sdk.DeleteRolePolicyOutput{}, s.deleteInlinePolicy(ctx, c, record.RoleKind, in.RoleName, in.PolicyName)
}
