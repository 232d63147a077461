package iam

import (
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/store"
)

// encodeDocument gives a policy as IAM answers it: percent-encoded after RFC 3986
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyVersion.html, Document).
func encodeDocument(text string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
}

func wireTags(tags []tag) []types.Tag {
	var out []types.Tag
	for _, t := range tags {
		out = append(out, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out
}

// shownTags gives tags as lists of them show them: sorted, and empty rather than left out.
func shownTags(tags []tag) []types.Tag { return append([]types.Tag{}, wireTags(byKey(tags))...) }

// boundaryType is what AWS answers (recorded); the SDK's constant is another word.
const boundaryType types.PermissionsBoundaryAttachmentType = "Policy"

func wireBoundary(arn string) *types.AttachedPermissionsBoundary {
	if arn == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: aws.String(arn), PermissionsBoundaryType: boundaryType}
}

// listedUser is a user as lists show it: without tags and boundary.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
func (s *Store) listedUser(account string, e *identity) types.User {
	u := types.User{Arn: aws.String(s.arnOf(account, e)), CreateDate: aws.Time(e.Created), UserId: aws.String(e.ID)}
	if e.Kind == userKind {
		u.Path, u.UserName = aws.String(e.Path), aws.String(e.Name)
	}
	return u
}

func (s *Service) wireUser(account string, e *identity) *types.User {
	u := s.listedUser(account, e)
	u.PermissionsBoundary, u.Tags = wireBoundary(e.Boundary), wireTags(e.Tags)
	return &u
}

func (s *Service) wireGroup(account string, e *identity) types.Group {
	return types.Group{
		Arn: aws.String(s.arnOf(account, e)), CreateDate: aws.Time(e.Created), GroupId: aws.String(e.ID),
		GroupName: aws.String(e.Name), Path: aws.String(e.Path),
	}
}

// wireRole is a role with what all answers have in common. trust is the policy as shown.
func (s *Service) wireRole(account string, e *identity, trust string) types.Role {
	return types.Role{
		Arn: aws.String(s.arnOf(account, e)), AssumeRolePolicyDocument: encodeDocument(trust), CreateDate: aws.Time(e.Created),
		Path: aws.String(e.Path), RoleId: aws.String(e.ID), RoleName: aws.String(e.Name),
	}
}

// uses counts what uses a managed policy.
type uses struct{ attached, boundary int }

// usesOf counts what uses one policy in an account.
func usesOf(r store.Reader, account, arn string) (n uses, err error) {
	if n.attached, err = count(r, usePrefix(account, attached, arn), 0); err != nil {
		return uses{}, err
	}
	n.boundary, err = count(r, usePrefix(account, boundary, arn), 0)
	return n, err
}

// listedPolicy is a managed policy as lists and CreatePolicy show it: without description.
func listedPolicy(arn string, p *managedPolicy, n uses) types.Policy {
	return types.Policy{
		Arn: aws.String(arn), PolicyId: aws.String(p.ID), AttachmentCount: aws.Int32(int32(n.attached)), CreateDate: aws.Time(p.Created),
		DefaultVersionId: aws.String(p.Default), IsAttachable: true, Path: aws.String(p.Path),
		PermissionsBoundaryUsageCount: aws.Int32(int32(n.boundary)), PolicyName: aws.String(p.Name), UpdateDate: aws.Time(p.Updated),
	}
}

func wireVersion(p *managedPolicy, v policyVersion) types.PolicyVersion {
	return types.PolicyVersion{
		CreateDate: aws.Time(v.Created), IsDefaultVersion: v.ID == p.Default, VersionId: aws.String(v.ID),
	}
}

// byKey sorts tags as lists show them.
func byKey(tags []tag) []tag {
	return slices.SortedFunc(slices.Values(tags), func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
}
