package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

const serviceDomain = ".amazonaws.com"

// linkedService finds a service by its principal, whose case counts.
func (s *Service) linkedService(principal string) (linkedService, bool) {
	name, ok := strings.CutSuffix(principal, serviceDomain)
	i, found := slices.BinarySearchFunc(s.linked, name, func(l linkedService, name string) int { return strings.Compare(l.principal, name) })
	if !ok || !found {
		return linkedService{}, false
	}
	return s.linked[i], true
}

// roleName is the name of a service's role.
func (l linkedService) roleName(suffix *string) string {
	name := "AWSServiceRoleFor" + l.name
	if suffix != nil {
		name += "_" + *suffix
	}
	return name
}

// createServiceLinkedRole answers a name that is taken, and a service without such a role, as AWS does by third-party logs.
func (s *Service) createServiceLinkedRole(
	ctx context.Context, c *service.Call, in *sdk.CreateServiceLinkedRoleInput,
) (*sdk.CreateServiceLinkedRoleOutput, error) {
	if err := s.Patterns.CheckDescription(in.Description); err != nil {
		return nil, err
	}
	principal := *in.AWSServiceName
	l, ok := s.linkedService(principal)
	if !ok {
		return nil, request.AccessDenied("Cannot find Service Linked Role template for " + principal)
	}
	if in.CustomSuffix != nil && !l.suffixed {
		return nil, request.InvalidInput("Custom suffix is not allowed for %s", principal)
	}
	e := &record.Identity{
		Kind: record.RoleKind, Name: l.roleName(in.CustomSuffix), Path: record.ServiceLinkedPath + principal + "/",
		Description: aws.ToString(in.Description), MaxSessionSeconds: request.MinSessionSeconds, Trust: linkedTrust(principal),
		Attached: []string{s.ARN(record.AWSAccount, "policy"+record.ServiceLinkedPath+l.policy)},
	}
	if err := request.CheckLength("roleName", e.Name, 1, request.MaxRoleName); err != nil {
		return nil, err
	}
	err := s.create(ctx, c, e, nil, func(tx store.Tx) error {
		return tx.Put(record.UseKey(c.Account, record.Attached, e.Attached[0], e), nil)
	})
	if taken, ok := errors.AsType[*awserr.Error](err); ok && taken.Code == request.AlreadyExistsCode {
		return nil, request.InvalidInput("Service role name %s has been taken in this account, please try a different suffix.", e.Name)
	}
	if err != nil {
		return nil, err
	}
	role := s.wireRole(c.Account, e, e.Trust)
	return &sdk.CreateServiceLinkedRoleOutput{Role: &role}, nil
}

// linkedTrust is the trust policy of a service's role.
func linkedTrust(principal string) string {
	return fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":"sts:AssumeRole"}]}`, principal)
}

// toMakeLinked is the resource of CreateServiceLinkedRole: the role's ARN to be.
func (s *Service) toMakeLinked(_ context.Context, c *service.Call, in any) (service.Target, error) {
	principal, suffix := target.Member[*string](in, "AWSServiceName"), target.Member[*string](in, "CustomSuffix")
	if principal == nil {
		return service.Target{}, request.Violation("aWSServiceName", "Member must not be null")
	}
	if err := s.checkLinked("aWSServiceName", principal, 128); err != nil {
		return service.Target{}, err
	}
	if err := s.checkLinked("customSuffix", suffix, 64); err != nil {
		return service.Target{}, err
	}
	l, _ := s.linkedService(*principal)
	e := &record.Identity{Kind: record.RoleKind, Path: record.ServiceLinkedPath + *principal + "/", Name: l.roleName(suffix)}
	t := service.Target{ARN: s.IdentityARN(c.Account, e), Account: c.Account}
	t.Keys.Set("iam:AWSServiceName", *principal)
	return t, nil
}

// checkLinked checks a part of a service-linked role's name, if it is there.
func (s *Service) checkLinked(member string, value *string, most int) error {
	if value == nil {
		return nil
	}
	if err := request.CheckLength(member, *value, 1, most); err != nil {
		return err
	}
	return s.Patterns.Name.Check(member, *value)
}

// deletionTask is what is kept of a service-linked role that was deleted.
type deletionTask struct {
	RoleARN string `json:"role_arn"`
}

func deletionTaskKey(account, id string) string { return "iam/" + account + "/deletion-task/" + id }

// deleteServiceLinkedRole deletes the role at once: no service has resources that use it.
func (s *Service) deleteServiceLinkedRole(
	ctx context.Context, c *service.Call, in *sdk.DeleteServiceLinkedRoleInput,
) (*sdk.DeleteServiceLinkedRoleOutput, error) {
	task := uuid.NewString()
	var path string
	err := s.DB.Update(ctx, func(tx store.Tx) error {
		e, err := record.FindIdentity(tx, c.Account, record.RoleKind, *in.RoleName)
		if err != nil {
			return err
		}
		if !e.IsServiceLinked() {
			return record.NoSuchIdentity(record.RoleKind, e.Name)
		}
		path = e.Path + e.Name
		for _, policy := range e.Attached {
			if err := tx.Delete(record.UseKey(c.Account, record.Attached, policy, e)); err != nil {
				return err
			}
		}
		if err := erase(tx, c.Account, e); err != nil {
			return err
		}
		return store.PutJSON(tx, deletionTaskKey(c.Account, task), deletionTask{RoleARN: s.IdentityARN(c.Account, e)})
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteServiceLinkedRoleOutput{DeletionTaskId: aws.String("task" + path + "/" + task)}, nil
}
