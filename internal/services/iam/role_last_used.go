package iam

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

// trackingPeriod is how long AWS remembers that a role was used
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html).
const trackingPeriod = 400 * 24 * time.Hour

// roleLastUsed tells when and where a role was last used; it is empty when that is long ago.
func (s *Service) roleLastUsed(r store.Reader, role *record.Identity, now time.Time) (*types.RoleLastUsed, error) {
	u, err := s.lastUsed.Of(r, role.ID)
	if err != nil || u.Time.IsZero() || now.Sub(u.Time) > trackingPeriod {
		return &types.RoleLastUsed{}, err
	}
	return &types.RoleLastUsed{LastUsedDate: aws.Time(u.Time.UTC().Truncate(time.Second)), Region: aws.String(u.Region)}, nil
}
