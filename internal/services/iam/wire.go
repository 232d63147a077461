package iam

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// boundaryType is what AWS answers (recorded); the SDK's constant is another word.
const boundaryType types.PermissionsBoundaryAttachmentType = "Policy"

func wireBoundary(arn string) *types.AttachedPermissionsBoundary {
	if arn == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: aws.String(arn), PermissionsBoundaryType: boundaryType}
}

func (s *Service) wireUser(account string, e *record.Identity) *types.User {
	u := s.ListedUser(account, e)
	u.PermissionsBoundary, u.Tags = wireBoundary(e.Boundary), request.WireTags(e.Tags)
	return &u
}

func (s *Service) wireGroup(account string, e *record.Identity) types.Group {
	return types.Group{
		Arn: aws.String(s.IdentityARN(account, e)), CreateDate: aws.Time(e.Created), GroupId: aws.String(e.ID),
		GroupName: aws.String(e.Name), Path: aws.String(e.Path),
	}
}

// wireRole is a role with what all answers have in common. trust is the policy as shown.
func (s *Service) wireRole(account string, e *record.Identity, trust string) types.Role {
	return types.Role{
		Arn: aws.String(s.IdentityARN(account, e)), AssumeRolePolicyDocument: encodeDocument(trust), CreateDate: aws.Time(e.Created),
		Path: aws.String(e.Path), RoleId: aws.String(e.ID), RoleName: aws.String(e.Name),
	}
}

// uses counts what uses a managed policy.
type uses struct{ attached, boundary int }

// usesOf counts what uses one policy in an account.
func usesOf(r store.Reader, account, arn string) (n uses, err error) {
	if n.attached, err = record.Count(r, record.UsePrefix(account, record.Attached, arn), 0); err != nil {
		return uses{}, err
	}
	n.boundary, err = record.Count(r, record.UsePrefix(account, record.Boundary, arn), 0)
	return n, err
}

// listedPolicy is a managed policy as lists and CreatePolicy show it: without description.
func listedPolicy(arn string, p *record.ManagedPolicy, n uses) types.Policy {
	return types.Policy{
		Arn: aws.String(arn), PolicyId: aws.String(p.ID), AttachmentCount: aws.Int32(int32(n.attached)), CreateDate: aws.Time(p.Created),
		DefaultVersionId: aws.String(p.Default), IsAttachable: true, Path: aws.String(p.Path),
		PermissionsBoundaryUsageCount: aws.Int32(int32(n.boundary)), PolicyName: aws.String(p.Name), UpdateDate: aws.Time(p.Updated),
	}
}

func wireVersion(p *record.ManagedPolicy, v record.PolicyVersion) types.PolicyVersion {
	return types.PolicyVersion{
		CreateDate: aws.Time(v.Created), IsDefaultVersion: v.ID == p.Default, VersionId: aws.String(v.ID),
	}
}
