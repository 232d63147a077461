package iam

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// Centralized root access lets an organization's management account, and its delegated administrator for IAM, act for the root users of
// member accounts.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html#id_root-user-access-management

// iamPrincipal is IAM's name among the services that an organization lets in.
const iamPrincipal = "iam.amazonaws.com"

func featuresKey(organization string) string { return "iam/organization/" + organization }

// features reads what an organization has enabled.
func features(r store.Reader, organization string) ([]types.FeatureType, error) {
	enabled, err := store.GetJSON[[]types.FeatureType](r, featuresKey(organization))
	if errors.Is(err, store.ErrNotFound) {
		return []types.FeatureType{}, nil
	}
	return enabled, err
}

// administered is the organization whose root access the caller may see. The order of the checks is ours.
func (s *Service) administered(ctx context.Context, c *service.Call) (*organization.Member, error) {
	var m *organization.Member
	if s.organizations != nil {
		var err error
		if m, err = s.organizations.Member(ctx, c.Account); err != nil {
			return nil, err
		}
	}
	switch {
	case m == nil:
		return nil, organizationNotFound()
	case !m.AllFeatures:
		return nil, organizationNotInAllFeaturesMode()
	case !m.Administrates(iamPrincipal):
		return nil, accountNotManagementOrDelegatedAdministrator()
	case !slices.Contains(m.Trusted, iamPrincipal):
		return nil, serviceAccessNotEnabled()
	}
	return m, nil
}

// changeFeatures lets the management account enable a feature, or disable it.
func (s *Service) changeFeatures(
	ctx context.Context, c *service.Call, feature types.FeatureType, enable bool,
) (id *string, enabled []types.FeatureType, err error) {
	m, err := s.administered(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	if !m.IsManagement() {
		return nil, nil, callerIsNotManagementAccount()
	}
	err = s.db.Update(ctx, func(tx store.Tx) error {
		if enabled, err = features(tx, m.ID); err != nil {
			return err
		}
		enabled = slices.DeleteFunc(enabled, func(f types.FeatureType) bool { return f == feature })
		if enable {
			enabled = append(enabled, feature)
		}
		return store.PutJSON(tx, featuresKey(m.ID), enabled)
	})
	return aws.String(m.ID), enabled, err
}

func (s *Service) enableOrganizationsRootCredentialsManagement(
	ctx context.Context, c *service.Call, _ *sdk.EnableOrganizationsRootCredentialsManagementInput,
) (*sdk.EnableOrganizationsRootCredentialsManagementOutput, error) {
	id, enabled, err := s.changeFeatures(ctx, c, types.FeatureTypeRootCredentialsManagement, true)
	return &sdk.EnableOrganizationsRootCredentialsManagementOutput{OrganizationId: id, EnabledFeatures: enabled}, err
}

func (s *Service) disableOrganizationsRootCredentialsManagement(
	ctx context.Context, c *service.Call, _ *sdk.DisableOrganizationsRootCredentialsManagementInput,
) (*sdk.DisableOrganizationsRootCredentialsManagementOutput, error) {
	id, enabled, err := s.changeFeatures(ctx, c, types.FeatureTypeRootCredentialsManagement, false)
	return &sdk.DisableOrganizationsRootCredentialsManagementOutput{OrganizationId: id, EnabledFeatures: enabled}, err
}

func (s *Service) enableOrganizationsRootSessions(
	ctx context.Context, c *service.Call, _ *sdk.EnableOrganizationsRootSessionsInput,
) (*sdk.EnableOrganizationsRootSessionsOutput, error) {
	id, enabled, err := s.changeFeatures(ctx, c, types.FeatureTypeRootSessions, true)
	return &sdk.EnableOrganizationsRootSessionsOutput{OrganizationId: id, EnabledFeatures: enabled}, err
}

func (s *Service) disableOrganizationsRootSessions(
	ctx context.Context, c *service.Call, _ *sdk.DisableOrganizationsRootSessionsInput,
) (*sdk.DisableOrganizationsRootSessionsOutput, error) {
	id, enabled, err := s.changeFeatures(ctx, c, types.FeatureTypeRootSessions, false)
	return &sdk.DisableOrganizationsRootSessionsOutput{OrganizationId: id, EnabledFeatures: enabled}, err
}

func (s *Service) listOrganizationsFeatures(
	ctx context.Context, c *service.Call, _ *sdk.ListOrganizationsFeaturesInput,
) (*sdk.ListOrganizationsFeaturesOutput, error) {
	m, err := s.administered(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListOrganizationsFeaturesOutput{OrganizationId: aws.String(m.ID)}
	err = s.db.View(ctx, func(r store.Reader) (err error) {
		out.EnabledFeatures, err = features(r, m.ID)
		return err
	})
	return out, err
}

// MayAssumeRoot tells whether the member account belongs to an organization with root sessions, in which account is the management
// account or the delegated administrator for IAM. The management account's own root is nobody's to assume.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
func (d *Directory) MayAssumeRoot(ctx context.Context, account, member string) (bool, error) {
	if d.config.Organizations == nil {
		return false, nil
	}
	m, err := d.config.Organizations.Member(ctx, account)
	if err != nil || m == nil || !m.Administrates(iamPrincipal) || !slices.Contains(m.Trusted, iamPrincipal) {
		return false, err
	}
	target, err := d.config.Organizations.Member(ctx, member)
	if err != nil || target == nil || target.ID != m.ID || target.IsManagement() || target.Closed {
		return false, err
	}
	var enabled []types.FeatureType
	err = d.config.DB.View(ctx, func(r store.Reader) (err error) {
		enabled, err = features(r, m.ID)
		return err
	})
	return slices.Contains(enabled, types.FeatureTypeRootSessions), err
}
