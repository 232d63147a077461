package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// setSecurityTokenServicePreferences keeps what GetAccountSummary shows as GlobalEndpointTokenVersion. Session tokens of both
// versions are the same here: they are good in the one region that a server has.
func (s *Service) setSecurityTokenServicePreferences(
	ctx context.Context, c *service.Call, in *sdk.SetSecurityTokenServicePreferencesInput,
) (*sdk.SetSecurityTokenServicePreferencesOutput, error) {
	switch in.GlobalEndpointTokenVersion {
	case types.GlobalEndpointTokenVersionV1Token, types.GlobalEndpointTokenVersionV2Token:
	default:
		return nil, request.Violation("globalEndpointTokenVersion", "Member must satisfy enum value set: [v2Token, v1Token]")
	}
	err := s.DB.Update(ctx, func(tx store.Tx) error {
		return tx.Put(record.TokenVersionKey(c.Account), []byte(in.GlobalEndpointTokenVersion))
	})
	return &sdk.SetSecurityTokenServicePreferencesOutput{}, err
}
