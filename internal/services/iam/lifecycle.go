package iam

import (
	"context"
	"time"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// create gives a new user, group or role its id and date and keeps it, with a boundary if the call has one. prepare, if not nil,
// may complete the identity inside the transaction.
func (s *Service) create(
	ctx context.Context, c *service.Call, e *identity, boundaryARN *string, prepare func(store.Tx) error,
) error {
	id, err := principal.NewUniqueID(e.Kind.idPrefix(), c.Account)
	if err != nil {
		return err
	}
	e.ID, e.Created = id, c.Time.UTC().Truncate(time.Second)
	return s.db.Update(ctx, func(tx store.Tx) error {
		if prepare != nil {
			if err := prepare(tx); err != nil {
				return err
			}
		}
		if err := claimName(tx, c.Account, e); err != nil {
			return err
		}
		if err := checkQuota(tx, c.Account, e); err != nil {
			return err
		}
		if boundaryARN != nil {
			if err := s.setBoundary(tx, c.Account, e, *boundaryARN); err != nil {
				return err
			}
		}
		return putIdentity(tx, c.Account, e)
	})
}

// checkQuota counts the identities of an account, the new one included. Service-linked roles count, but are always allowed
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html).
func checkQuota(r store.Reader, account string, e *identity) error {
	if e.isServiceLinked() {
		return nil
	}
	quota, limit := "UsersPerAccount", maxUsers
	switch e.Kind {
	case groupKind:
		quota, limit = "GroupsPerAccount", maxGroups
	case roleKind:
		quota, limit = "RolesPerAccount", maxRoles
	case profileKind:
		quota, limit = "InstanceProfilesPerAccount", maxProfiles
	}
	n, err := count(r, namePrefix(account, e.Kind), limit+1)
	if err == nil && n > limit {
		return quotaExceeded(quota, limit)
	}
	return err
}

// remove deletes an identity that has nothing attached any more.
func (s *Service) remove(ctx context.Context, account string, k kind, name string) error {
	return s.db.Update(ctx, func(tx store.Tx) error {
		e, err := findIdentity(tx, account, k, name)
		if err != nil {
			return err
		}
		if e.isProtected() {
			return protectedRole(e.Name)
		}
		if err := checkRemovable(tx, account, e); err != nil {
			return err
		}
		if err := dropBoundary(tx, account, e); err != nil {
			return err
		}
		return erase(tx, account, e)
	})
}

// erase deletes an identity to which nothing refers.
func erase(tx store.Tx, account string, e *identity) error {
	for _, key := range []string{nameKey(account, e.Kind, e.Name), lastUsedKey(e.ID), identityKey(account, e.Kind, e.ID)} {
		if err := tx.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// checkRemovable says what must be removed first.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
func checkRemovable(r store.Reader, account string, e *identity) error {
	members, profiles := 0, 0
	var err error
	switch e.Kind {
	case groupKind:
		members, err = count(r, memberPrefix(account, e.ID), 1)
	case roleKind:
		profiles, err = count(r, profilePrefix(account, e.ID), 1)
	}
	switch {
	case err != nil:
		return err
	case profiles > 0 || e.Role != "":
		return deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
	case len(e.Groups) > 0 || members > 0:
		return deleteConflict("Cannot delete entity, must remove users from group first.")
	case len(e.AccessKeys) > 0:
		return deleteConflict("Cannot delete entity, must delete access keys first.")
	case e.Login != nil:
		return deleteConflict("Cannot delete entity, must delete login profile first.")
	case len(e.MFADevices) > 0:
		return deleteConflict("Cannot delete entity, must remove tokens from principal first.")
	case len(e.Certificates) > 0:
		return deleteConflict("Cannot delete entity, must delete certificates first.")
	case len(e.SSHPublicKeys) > 0:
		return deleteConflict("Cannot delete entity, must delete SSH public keys first.")
	case len(e.ServiceCredentials) > 0:
		return deleteConflict("Cannot delete entity, must delete service-specific credentials first.")
	case len(e.Attached) > 0:
		return deleteConflict("Cannot delete entity, must detach all policies first.")
	case len(e.Inline) > 0:
		return deleteConflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}

// rename gives a user or group a new name or path. Its id, and with it all references, stay.
func (s *Service) rename(ctx context.Context, account string, k kind, name string, newName, newPath *string) error {
	return s.change(ctx, account, k, name, func(tx store.Tx, e *identity) error {
		if newPath != nil {
			e.Path = *newPath
		}
		if newName == nil || *newName == e.Name {
			return nil
		}
		old := nameKey(account, k, e.Name)
		e.Name = *newName
		if err := claimName(tx, account, e); err != nil {
			return err
		}
		if old == nameKey(account, k, e.Name) {
			return nil // only the case of letters differs
		}
		return tx.Delete(old)
	})
}

// renameTarget needs the permission on the user or group as it will be named.
func (s *Service) renameTarget(
	ctx context.Context, c *service.Call, action string, k kind, name string, newName, newPath *string,
) ([]service.Need, error) {
	if newName == nil && newPath == nil {
		return nil, nil
	}
	if newName != nil {
		if err := s.checkNewName(k, newName); err != nil {
			return nil, err
		}
	}
	if err := s.patterns.checkPath("newPath", newPath); err != nil {
		return nil, err
	}
	e, err := s.readOrSuppose(ctx, c.Account, k, name)
	if err != nil {
		return nil, err
	}
	renamed := identity{Kind: k, Name: e.Name, Path: e.Path, Tags: e.Tags}
	if newName != nil {
		renamed.Name = *newName
	}
	if newPath != nil {
		renamed.Path = *newPath
	}
	t := service.Target{ARN: s.arnOf(c.Account, &renamed), Account: c.Account}
	identityTags(&t.Keys, e)
	return []service.Need{{Action: action, Target: t}}, nil
}

func (s *Service) checkNewName(k kind, name *string) error {
	if k == groupKind {
		return s.patterns.checkName("newGroupName", name, maxGroupName)
	}
	return s.patterns.checkName("newUserName", name, maxUserName)
}
