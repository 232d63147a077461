package iam

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) addUserToGroup(
	ctx context.Context, c *service.Call, in *sdk.AddUserToGroupInput,
) (*sdk.AddUserToGroupOutput, error) {
	err := s.changeMembership(ctx, c, in.UserName, in.GroupName, func(tx store.Tx, user, group *identity) error {
		if slices.Contains(user.Groups, group.ID) {
			return nil
		}
		if len(user.Groups) >= maxGroupsPerUser {
			return quotaExceeded("GroupsPerUser", maxGroupsPerUser)
		}
		user.Groups = append(user.Groups, group.ID)
		return tx.Put(memberPrefix(c.Account, group.ID)+user.ID, nil)
	})
	return &sdk.AddUserToGroupOutput{}, err
}

// removeUserFromGroup succeeds for a user who is not a member, as recorded from AWS.
func (s *Service) removeUserFromGroup(
	ctx context.Context, c *service.Call, in *sdk.RemoveUserFromGroupInput,
) (*sdk.RemoveUserFromGroupOutput, error) {
	err := s.changeMembership(ctx, c, in.UserName, in.GroupName, func(tx store.Tx, user, group *identity) error {
		user.Groups = slices.DeleteFunc(user.Groups, func(id string) bool { return id == group.ID })
		return tx.Delete(memberPrefix(c.Account, group.ID) + user.ID)
	})
	return &sdk.RemoveUserFromGroupOutput{}, err
}

// changeMembership looks for the user first, as AWS's answers show.
func (s *Service) changeMembership(
	ctx context.Context, c *service.Call, userName, groupName *string, fn func(tx store.Tx, user, group *identity) error,
) error {
	if err := s.checkIdentityName(userKind, userName); err != nil {
		return err
	}
	return s.change(ctx, c.Account, userKind, *userName, func(tx store.Tx, user *identity) error {
		group, err := findIdentity(tx, c.Account, groupKind, aws.ToString(groupName))
		if err != nil {
			return err
		}
		return fn(tx, user, group)
	})
}
