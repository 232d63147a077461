package iam

import (
	"context"
	"time"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

// create gives a new user, group or role its id and date and keeps it, with a boundary if the call has one. prepare, if not nil,
// may complete the identity inside the transaction.
func (s *Service) create(
	ctx context.Context, c *service.Call, e *record.Identity, boundaryARN *string, prepare func(store.Tx) error,
) error {
	id, err := principal.NewUniqueID(e.Kind.IdPrefix(), c.Account)
	if err != nil {
		return err
	}
	e.ID, e.Created = id, c.Time.UTC().Truncate(time.Second)
	return s.DB.Update(ctx, func(tx store.Tx) error {
		if prepare != nil {
			if err := prepare(tx); err != nil {
				return err
			}
		}
		if err := record.ClaimName(tx, c.Account, e); err != nil {
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
		return record.PutIdentity(tx, c.Account, e)
	})
}

// checkQuota counts the identities of an account, the new one included. Service-linked roles count, but are always allowed
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html).
func checkQuota(r store.Reader, account string, e *record.Identity) error {
	if e.IsServiceLinked() {
		return nil
	}
	quota, limit := "UsersPerAccount", request.MaxUsers
	switch e.Kind {
	case record.GroupKind:
		quota, limit = "GroupsPerAccount", request.MaxGroups
	case record.RoleKind:
		quota, limit = "RolesPerAccount", request.MaxRoles
	case record.ProfileKind:
		quota, limit = "InstanceProfilesPerAccount", request.MaxProfiles
	}
	n, err := record.Count(r, record.NamePrefix(account, e.Kind), limit+1)
	if err == nil && n > limit {
		return request.QuotaExceeded(quota, limit)
	}
	return err
}

// remove deletes an identity that has nothing attached any more.
func (s *Service) remove(ctx context.Context, account string, k record.Kind, name string) error {
	return s.DB.Update(ctx, func(tx store.Tx) error {
		e, err := record.FindIdentity(tx, account, k, name)
		if err != nil {
			return err
		}
		if e.IsProtected() {
			return request.ProtectedRole(e.Name)
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
func erase(tx store.Tx, account string, e *record.Identity) error {
	for _, key := range []string{record.NameKey(account, e.Kind, e.Name), record.LastUsedKey(e.ID), record.IdentityKey(account, e.Kind, e.ID)} {
		if err := tx.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// checkRemovable says what must be removed first.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
func checkRemovable(r store.Reader, account string, e *record.Identity) error {
	members, profiles := 0, 0
	var err error
	switch e.Kind {
	case record.GroupKind:
		members, err = record.Count(r, record.MemberPrefix(account, e.ID), 1)
	case record.RoleKind:
		profiles, err = record.Count(r, record.ProfilePrefix(account, e.ID), 1)
	}
	switch {
	case err != nil:
		return err
	case profiles > 0 || e.Role != "":
		return request.DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
	case len(e.Groups) > 0 || members > 0:
		return request.DeleteConflict("Cannot delete entity, must remove users from group first.")
	case len(e.AccessKeys) > 0:
		return request.DeleteConflict("Cannot delete entity, must delete access keys first.")
	case e.Login != nil:
		return request.DeleteConflict("Cannot delete entity, must delete login profile first.")
	case len(e.MFADevices) > 0:
		return request.DeleteConflict("Cannot delete entity, must remove tokens from principal first.")
	case len(e.Certificates) > 0:
		return request.DeleteConflict("Cannot delete entity, must delete certificates first.")
	case len(e.SSHPublicKeys) > 0:
		return request.DeleteConflict("Cannot delete entity, must delete SSH public keys first.")
	case len(e.ServiceCredentials) > 0:
		return request.DeleteConflict("Cannot delete entity, must delete service-specific credentials first.")
	case len(e.Attached) > 0:
		return request.DeleteConflict("Cannot delete entity, must detach all policies first.")
	case len(e.Inline) > 0:
		return request.DeleteConflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}

// rename gives a user or group a new name or path. Its id, and with it all references, stay.
func (s *Service) rename(ctx context.Context, account string, k record.Kind, name string, newName, newPath *string) error {
	return s.Change(ctx, account, k, name, func(tx store.Tx, e *record.Identity) error {
		if newPath != nil {
			e.Path = *newPath
		}
		if newName == nil || *newName == e.Name {
			return nil
		}
		old := record.NameKey(account, k, e.Name)
		e.Name = *newName
		if err := record.ClaimName(tx, account, e); err != nil {
			return err
		}
		if old == record.NameKey(account, k, e.Name) {
			return nil // only the case of letters differs
		}
		return tx.Delete(old)
	})
}

// renameTarget needs the permission on the user or group as it will be named.
func (s *Service) renameTarget(
	ctx context.Context, c *service.Call, action string, k record.Kind, name string, newName, newPath *string,
) ([]service.Need, error) {
	if newName == nil && newPath == nil {
		return nil, nil
	}
	if newName != nil {
		if err := s.checkNewName(k, newName); err != nil {
			return nil, err
		}
	}
	if err := s.Patterns.CheckPath("newPath", newPath); err != nil {
		return nil, err
	}
	e, err := s.ReadOrSuppose(ctx, c.Account, k, name)
	if err != nil {
		return nil, err
	}
	renamed := record.Identity{Kind: k, Name: e.Name, Path: e.Path, Tags: e.Tags}
	if newName != nil {
		renamed.Name = *newName
	}
	if newPath != nil {
		renamed.Path = *newPath
	}
	t := service.Target{ARN: s.IdentityARN(c.Account, &renamed), Account: c.Account}
	target.IdentityTags(&t.Keys, e)
	return []service.Need{{Action: action, Target: t}}, nil
}

func (s *Service) checkNewName(k record.Kind, name *string) error {
	if k == record.GroupKind {
		return s.Patterns.CheckName("newGroupName", name, request.MaxGroupName)
	}
	return s.Patterns.CheckName("newUserName", name, request.MaxUserName)
}
