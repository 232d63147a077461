package record

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/store"
)

// Centralized root access lets an organization's management account, and its delegated administrator for IAM, act for the root users of
// member accounts.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html#id_root-user-access-management

// IAMPrincipal is IAM's name among the services that an organization lets in.
const IAMPrincipal = "iam.amazonaws.com"

// FeaturesKey is where the features of an organization are kept.
func FeaturesKey(organization string) string { return "iam/organization/" + organization }

// Features reads what an organization has enabled.
func Features(r store.Reader, organization string) ([]types.FeatureType, error) {
	enabled, err := store.GetJSON[[]types.FeatureType](r, FeaturesKey(organization))
	if errors.Is(err, store.ErrNotFound) {
		return []types.FeatureType{}, nil
	}
	return enabled, err
}
