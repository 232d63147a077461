package directory

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

// MayAssumeRoot tells whether the member account belongs to an organization with root sessions, in which account is the management
// account or the delegated administrator for IAM. The management account's own root is nobody's to assume.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
func (d *Directory) MayAssumeRoot(ctx context.Context, account, member string) (bool, error) {
	if d.config.Organizations == nil {
		return false, nil
	}
	m, err := d.config.Organizations.Member(ctx, account)
	if err != nil || m == nil || !m.Administrates(record.IAMPrincipal) || !slices.Contains(m.Trusted, record.IAMPrincipal) {
		return false, err
	}
	target, err := d.config.Organizations.Member(ctx, member)
	if err != nil || target == nil || target.ID != m.ID || target.IsManagement() || target.Closed {
		return false, err
	}
	var enabled []types.FeatureType
	err = d.config.DB.View(ctx, func(r store.Reader) (err error) {
		enabled, err = record.Features(r, m.ID)
		return err
	})
	return slices.Contains(enabled, types.FeatureTypeRootSessions), err
}
