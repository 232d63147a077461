package iam

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

func (s *Service) addUserToGroup(
	ctx context.Context, c *service.Call, in *sdk.AddUserToGroupInput,
) (*sdk.AddUserToGroupOutput, error) {
	err := s.changeMembership(ctx, c, in.UserName, in.GroupName, func(tx store.Tx, user, group *record.Identity) error {
		if slices.Contains(user.Groups, group.ID) {
			return nil
		}
		if len(user.Groups) >= request.MaxGroupsPerUser {
			return request.QuotaExceeded("GroupsPerUser", request.MaxGroupsPerUser)
		}
		user.Groups = append(user.Groups, group.ID)
		return tx.Put(record.MemberPrefix(c.Account, group.ID)+user.ID, nil)
	})
	return &sdk.AddUserToGroupOutput{}, err
}

// removeUserFromGroup succeeds for a user who is not a member, as recorded from AWS.
func (s *Service) removeUserFromGroup(
	ctx context.Context, c *service.Call, in *sdk.RemoveUserFromGroupInput,
) (*sdk.RemoveUserFromGroupOutput, error) {
	err := s.changeMembership(ctx, c, in.UserName, in.GroupName, func(tx store.Tx, user, group *record.Identity) error {
		user.Groups = slices.DeleteFunc(user.Groups, func(id string) bool { return id == group.ID })
		return tx.Delete(record.MemberPrefix(c.Account, group.ID) + user.ID)
	})
	return &sdk.RemoveUserFromGroupOutput{}, err
}

// changeMembership looks for the user first, as AWS's answers show.
func (s *Service) changeMembership(
	ctx context.Context, c *service.Call, userName, groupName *string, fn func(tx store.Tx, user, group *record.Identity) error,
) error {
	if err := s.CheckIdentityName(record.UserKind, userName); err != nil {
		return err
	}
	return s.Change(ctx, c.Account, record.UserKind, *userName, func(tx store.Tx, user *record.Identity) error {
		group, err := record.FindIdentity(tx, c.Account, record.GroupKind, aws.ToString(groupName))
		if err != nil {
			return err
		}
		return fn(tx, user, group)
	})
}
