package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// addRoleToInstanceProfile refuses a second role, and the same one twice.
func (s *Service) addRoleToInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.AddRoleToInstanceProfileInput,
) (*sdk.AddRoleToInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, c, in.InstanceProfileName, in.RoleName, func(tx store.Tx, profile, role *identity) error {
		if profile.Role != "" {
			return quotaExceeded("InstanceSessionsPerInstanceProfile", maxRolesPerProfile)
		}
		profile.Role = role.ID
		return tx.Put(profilePrefix(c.Account, role.ID)+profile.ID, nil)
	})
	return &sdk.AddRoleToInstanceProfileOutput{}, err
}

func (s *Service) removeRoleFromInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.RemoveRoleFromInstanceProfileInput,
) (*sdk.RemoveRoleFromInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, c, in.InstanceProfileName, in.RoleName, func(tx store.Tx, profile, role *identity) error {
		if profile.Role != role.ID {
			return noSuchEntity("Role %s in Instance Profile %s cannot be found.", role.Name, profile.Name)
		}
		profile.Role = ""
		return tx.Delete(profilePrefix(c.Account, role.ID) + profile.ID)
	})
	return &sdk.RemoveRoleFromInstanceProfileOutput{}, err
}

// changeProfile looks for the instance profile first, as AWS's answers show.
func (s *Service) changeProfile(
	ctx context.Context, c *service.Call, profileName, roleName *string, fn func(tx store.Tx, profile, role *identity) error,
) error {
	if err := s.checkIdentityName(roleKind, roleName); err != nil {
		return err
	}
	return s.change(ctx, c.Account, profileKind, *profileName, func(tx store.Tx, profile *identity) error {
		role, err := findIdentity(tx, c.Account, roleKind, *roleName)
		if err != nil {
			return err
		}
		if role.isProtected() {
			return protectedRole(role.Name)
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
	if err := s.checkIdentityName(roleKind, in.RoleName); err != nil {
		return nil, err
	}
	role, err := s.readOrSuppose(ctx, c.Account, roleKind, aws.ToString(in.RoleName))
	if err != nil {
		return nil, err
	}
	t := service.Target{ARN: s.arnOf(c.Account, role), Account: c.Account}
	instances := arn.ARN{Partition: s.partition, Service: "ec2", Region: "*", AccountID: c.Account, Resource: "instance/*"}
	t.Keys.Set("iam:PassedToService", "ec2.amazonaws.com")
	t.Keys.Set("iam:AssociatedResourceArn", instances.String())
	return []service.Need{{Action: "iam:PassRole", Target: t}}, nil
}
