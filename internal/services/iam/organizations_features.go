package iam

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

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
	case !m.Administrates(record.IAMPrincipal):
		return nil, accountNotManagementOrDelegatedAdministrator()
	case !slices.Contains(m.Trusted, record.IAMPrincipal):
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
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if enabled, err = record.Features(tx, m.ID); err != nil {
			return err
		}
		enabled = slices.DeleteFunc(enabled, func(f types.FeatureType) bool { return f == feature })
		if enable {
			enabled = append(enabled, feature)
		}
		return store.PutJSON(tx, record.FeaturesKey(m.ID), enabled)
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
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
		out.EnabledFeatures, err = record.Features(r, m.ID)
		return err
	})
	return out, err
}
