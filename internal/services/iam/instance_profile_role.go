package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// addRoleToInstanceProfile refuses a second role, and the same one twice.
func (s *Service) addRoleToInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.AddRoleToInstanceProfileInput,
) (*sdk.AddRoleToInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, c, in.InstanceProfileName, in.RoleName, func(tx store.Tx, profile, role *record.Identity) error {
		if profile.Role != "" {
			return request.QuotaExceeded("InstanceSessionsPerInstanceProfile", request.MaxRolesPerProfile)
		}
		profile.Role = role.ID
		return tx.Put(record.ProfilePrefix(c.Account, role.ID)+profile.ID, nil)
	})
	return &sdk.AddRoleToInstanceProfileOutput{}, err
}

func (s *Service) removeRoleFromInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.RemoveRoleFromInstanceProfileInput,
) (*sdk.RemoveRoleFromInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, c, in.InstanceProfileName, in.RoleName, func(tx store.Tx, profile, role *record.Identity) error {
		if profile.Role != role.ID {
			return request.NoSuchEntity("Role %s in Instance Profile %s cannot be found.", role.Name, profile.Name)
		}
		profile.Role = ""
		return tx.Delete(record.ProfilePrefix(c.Account, role.ID) + profile.ID)
	})
	return &sdk.RemoveRoleFromInstanceProfileOutput{}, err
}

// changeProfile looks for the instance profile first, as AWS's answers show.
func (s *Service) changeProfile(
	ctx context.Context, c *service.Call, profileName, roleName *string, fn func(tx store.Tx, profile, role *record.Identity) error,
) error {
	if err := s.CheckIdentityName(record.RoleKind, roleName); err != nil {
		return err
	}
	return s.Change(ctx, c.Account, record.ProfileKind, *profileName, func(tx store.Tx, profile *record.Identity) error {
		role, err := record.FindIdentity(tx, c.Account, record.RoleKind, *roleName)
		if err != nil {
			return err
		}
		if role.IsProtected() {
			return request.ProtectedRole(role.Name)
		}
		return fn(tx, profile, role)
	})
}

// passRoleToInstances needs iam:PassRole on the role. Which instances will have it is not known yet
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html). The role's tags are not keys: AWS does
// not evaluate them for iam:PassRole (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html).
func (s *Service) passRoleToInstances(
	ctx context.Context, c *service.Call, in *sdk.AddRoleToInstanceProfileInput,
) ([]service.Need, error) {
	if err := s.CheckIdentityName(record.RoleKind, in.RoleName); err != nil {
		return nil, err
	}
	role, err := s.ReadOrSuppose(ctx, c.Account, record.RoleKind, aws.ToString(in.RoleName))
	if err != nil {
		return nil, err
	}
	t := service.Target{ARN: s.IdentityARN(c.Account, role), Account: c.Account}
	instances := arn.ARN{Partition: s.Partition, Service: "ec2", Region: "*", AccountID: c.Account, Resource: "instance/*"}
	t.Keys.Set("iam:PassedToService", "ec2.amazonaws.com")
	t.Keys.Set("iam:AssociatedResourceArn", instances.String())
	return []service.Need{{Action: "iam:PassRole", Target: t}}, nil
}
