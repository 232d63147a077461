package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

func (s *Service) createInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.CreateInstanceProfileInput,
) (*sdk.CreateInstanceProfileOutput, error) {
	tags, err := s.Patterns.CheckCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	e := &record.Identity{Kind: record.ProfileKind, Name: *in.InstanceProfileName, Path: request.PathOr(in.Path), Tags: tags}
	if err := s.create(ctx, c, e, nil, nil); err != nil {
		return nil, err
	}
	p := s.wireProfile(c.Account, e)
	p.Tags = request.WireTags(tags)
	return &sdk.CreateInstanceProfileOutput{InstanceProfile: &p}, nil
}

func (s *Service) getInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.GetInstanceProfileInput,
) (*sdk.GetInstanceProfileOutput, error) {
	var p types.InstanceProfile
	err := s.DB.View(ctx, func(r store.Reader) error {
		e, err := record.FindIdentity(r, c.Account, record.ProfileKind, *in.InstanceProfileName)
		if err != nil {
			return err
		}
		p, err = s.listedProfile(r, c.Account, e)
		p.Tags = request.ShownTags(e.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetInstanceProfileOutput{InstanceProfile: &p}, nil
}

func (s *Service) listInstanceProfiles(
	ctx context.Context, c *service.Call, in *sdk.ListInstanceProfilesInput,
) (*sdk.ListInstanceProfilesOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if err := s.Patterns.CheckPathPrefix(in.PathPrefix); err != nil {
		return nil, err
	}
	var out *sdk.ListInstanceProfilesOutput
	err = s.DB.View(ctx, func(r store.Reader) error { // one: the roles must still be there
		l, err := scanIdentities(r, c.Account, record.ProfileKind, in.PathPrefix, p)
		if err != nil {
			return err
		}
		out = &sdk.ListInstanceProfilesOutput{IsTruncated: l.Truncated, Marker: l.Marker}
		out.InstanceProfiles, err = s.listedProfiles(r, c.Account, l.Items)
		return err
	})
	return out, err
}

func (s *Service) listInstanceProfilesForRole(
	ctx context.Context, c *service.Call, in *sdk.ListInstanceProfilesForRoleInput,
) (*sdk.ListInstanceProfilesForRoleOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var out *sdk.ListInstanceProfilesForRoleOutput
	err = s.DB.View(ctx, func(r store.Reader) error {
		role, err := record.FindIdentity(r, c.Account, record.RoleKind, *in.RoleName)
		if err != nil {
			return err
		}
		all, err := record.IdentitiesByID(r, c.Account, record.ProfileKind, record.ProfilePrefix(c.Account, role.ID))
		if err != nil {
			return err
		}
		l := request.Cut(p, sortedByName(all), foldedName)
		out = &sdk.ListInstanceProfilesForRoleOutput{IsTruncated: l.Truncated, Marker: l.Marker}
		out.InstanceProfiles, err = s.listedProfiles(r, c.Account, l.Items)
		return err
	})
	return out, err
}

func (s *Service) deleteInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.DeleteInstanceProfileInput,
) (*sdk.DeleteInstanceProfileOutput, error) {
	return &sdk.DeleteInstanceProfileOutput{}, s.remove(ctx, c.Account, record.ProfileKind, *in.InstanceProfileName)
}

func (s *Service) listedProfiles(r store.Reader, account string, es []*record.Identity) ([]types.InstanceProfile, error) {
	out := make([]types.InstanceProfile, 0, len(es))
	for _, e := range es {
		p, err := s.listedProfile(r, account, e)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// listedProfile is an instance profile as lists show it: with its role and without tags.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html
func (s *Service) listedProfile(r store.Reader, account string, e *record.Identity) (types.InstanceProfile, error) {
	p := s.wireProfile(account, e)
	if e.Role == "" {
		return p, nil
	}
	role, err := record.GetIdentity(r, account, record.RoleKind, e.Role)
	if err != nil {
		return types.InstanceProfile{}, err
	}
	trust, err := s.shownTrust(role.Trust, s.arnsIn(r))
	if err != nil {
		return types.InstanceProfile{}, err
	}
	p.Roles = append(p.Roles, s.wireRole(account, role, trust))
	return p, nil
}

// wireProfile is an instance profile with what all answers have in common: it has no role yet.
func (s *Service) wireProfile(account string, e *record.Identity) types.InstanceProfile {
	return types.InstanceProfile{
		Arn: aws.String(s.IdentityARN(account, e)), CreateDate: aws.Time(e.Created), InstanceProfileId: aws.String(e.ID),
		InstanceProfileName: aws.String(e.Name), Path: aws.String(e.Path), Roles: []types.Role{},
	}
}
