package iam

import (
	"context"
	"maps"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

func (s *Service) putInlinePolicy(ctx context.Context, c *service.Call, k kind, name, policyName, document *string) error {
	if err := s.patterns.checkName("policyName", policyName, maxPolicyName); err != nil {
		return err
	}
	if err := checkDocumentLength("policyDocument", document); err != nil {
		return err
	}
	return s.change(ctx, c.Account, k, *name, func(_ store.Tx, e *identity) error {
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
		if limit := maxInlineSize(k); size > limit {
			return limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", limit, k, e.Name)
		}
		return nil
	})
}

// getInlinePolicy gives the text, encoded for the answer.
func (s *Service) getInlinePolicy(ctx context.Context, c *service.Call, k kind, name, policyName *string) (*string, error) {
	if err := s.patterns.checkName("policyName", policyName, maxPolicyName); err != nil {
		return nil, err
	}
	e, err := s.read(ctx, c.Account, k, *name)
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
	ctx context.Context, c *service.Call, k kind, name, marker *string, maxItems *int32,
) (listing[string], error) {
	p, err := newPage(marker, maxItems)
	if err != nil {
		return listing[string]{}, err
	}
	e, err := s.read(ctx, c.Account, k, *name)
	if err != nil {
		return listing[string]{}, err
	}
	l := cut(p, slices.Sorted(maps.Keys(e.Inline)), func(n string) string { return n })
	l.items = append([]string{}, l.items...)
	return l, nil
}

func (s *Service) deleteInlinePolicy(ctx context.Context, c *service.Call, k kind, name, policyName *string) error {
	if err := s.patterns.checkName("policyName", policyName, maxPolicyName); err != nil {
		return err
	}
	return s.change(ctx, c.Account, k, *name, func(_ store.Tx, e *identity) error {
		if _, ok := e.Inline[*policyName]; !ok {
			return noSuchInlinePolicy(k, *policyName)
		}
		delete(e.Inline, *policyName)
		return nil
	})
}

func noSuchInlinePolicy(k kind, name string) error {
	return noSuchEntity("The %s policy with name %s cannot be found.", k, name)
}

func (s *Service) putUserPolicy(
	ctx context.Context, c *service.Call, in *sdk.PutUserPolicyInput,
) (*sdk.PutUserPolicyOutput, error) {
	return &sdk.PutUserPolicyOutput{}, s.putInlinePolicy(ctx, c, userKind, in.UserName, in.PolicyName, in.PolicyDocument)
}

func (s *Service) putGroupPolicy(
	ctx context.Context, c *service.Call, in *sdk.PutGroupPolicyInput,
) (*sdk.PutGroupPolicyOutput, error) {
	return &sdk.PutGroupPolicyOutput{}, s.putInlinePolicy(ctx, c, groupKind, in.GroupName, in.PolicyName, in.PolicyDocument)
}

func (s *Service) putRolePolicy(
	ctx context.Context, c *service.Call, in *sdk.PutRolePolicyInput,
) (*sdk.PutRolePolicyOutput, error) {
	return &sdk.PutRolePolicyOutput{}, s.putInlinePolicy(ctx, c, roleKind, in.RoleName, in.PolicyName, in.PolicyDocument)
}

func (s *Service) getUserPolicy(
	ctx context.Context, c *service.Call, in *sdk.GetUserPolicyInput,
) (*sdk.GetUserPolicyOutput, error) {
	text, err := s.getInlinePolicy(ctx, c, userKind, in.UserName, in.PolicyName)
	return &sdk.GetUserPolicyOutput{UserName: in.UserName, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (s *Service) getGroupPolicy(
	ctx context.Context, c *service.Call, in *sdk.GetGroupPolicyInput,
) (*sdk.GetGroupPolicyOutput, error) {
	text, err := s.getInlinePolicy(ctx, c, groupKind, in.GroupName, in.PolicyName)
	return &sdk.GetGroupPolicyOutput{GroupName: in.GroupName, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (s *Service) getRolePolicy(
	ctx context.Context, c *service.Call, in *sdk.GetRolePolicyInput,
) (*sdk.GetRolePolicyOutput, error) {
	text, err := s.getInlinePolicy(ctx, c, roleKind, in.RoleName, in.PolicyName)
	return &sdk.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (s *Service) listUserPolicies(
	ctx context.Context, c *service.Call, in *sdk.ListUserPoliciesInput,
) (*sdk.ListUserPoliciesOutput, error) {
	l, err := s.listInlinePolicies(ctx, c, userKind, in.UserName, in.Marker, in.MaxItems)
	return &sdk.ListUserPoliciesOutput{PolicyNames: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}

func (s *Service) listGroupPolicies(
	ctx context.Context, c *service.Call, in *sdk.ListGroupPoliciesInput,
) (*sdk.ListGroupPoliciesOutput, error) {
	l, err := s.listInlinePolicies(ctx, c, groupKind, in.GroupName, in.Marker, in.MaxItems)
	return &sdk.ListGroupPoliciesOutput{PolicyNames: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}

func (s *Service) listRolePolicies(
	ctx context.Context, c *service.Call, in *sdk.ListRolePoliciesInput,
) (*sdk.ListRolePoliciesOutput, error) {
	l, err := s.listInlinePolicies(ctx, c, roleKind, in.RoleName, in.Marker, in.MaxItems)
	return &sdk.ListRolePoliciesOutput{PolicyNames: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}

func (s *Service) deleteUserPolicy(
	ctx context.Context, c *service.Call, in *sdk.DeleteUserPolicyInput,
) (*sdk.DeleteUserPolicyOutput, error) {
	return &sdk.DeleteUserPolicyOutput{}, s.deleteInlinePolicy(ctx, c, userKind, in.UserName, in.PolicyName)
}

func (s *Service) deleteGroupPolicy(
	ctx context.Context, c *service.Call, in *sdk.DeleteGroupPolicyInput,
) (*sdk.DeleteGroupPolicyOutput, error) {
	return &sdk.DeleteGroupPolicyOutput{}, s.deleteInlinePolicy(ctx, c, groupKind, in.GroupName, in.PolicyName)
}

func (s *Service) deleteRolePolicy(
	ctx context.Context, c *service.Call, in *sdk.DeleteRolePolicyInput,
) (*sdk.DeleteRolePolicyOutput, error) {
	return &sdk.DeleteRolePolicyOutput{}, s.deleteInlinePolicy(ctx, c, roleKind, in.RoleName, in.PolicyName)
}
