package sts

import (
	"context"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// Durations of https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html.
const (
	maxUserDuration     = 129600
	defaultUserDuration = 43200
	rootDuration        = 3600
)

func (s *Service) getSessionToken(
	ctx context.Context, c *service.Call, in *sdk.GetSessionTokenInput,
) (*sdk.GetSessionTokenOutput, error) {
	if c.Caller.Session != nil || c.Caller.Kind != authz.User && c.Caller.Kind != authz.Root {
		return nil, accessDenied("Cannot call GetSessionToken with session credentials")
	}
	if err := checkDuration(in.DurationSeconds, maxUserDuration); err != nil {
		return nil, err
	}
	if in.MinimumSessionTokenSize != nil {
		return nil, notImplemented("MinimumSessionTokenSize", "GetSessionToken")
	}
	withMFA, err := s.useMFA(ctx, c, mfa{in.SerialNumber, in.TokenCode})
	if err != nil {
		return nil, err
	}
	seconds, id := userDuration(c, in.DurationSeconds)
	credentials, err := s.credentials(c, c.Account, principal.Session{UserARN: c.Caller.ARN, UserID: id, MFA: withMFA}, seconds)
	if err != nil {
		return nil, err
	}
	return &sdk.GetSessionTokenOutput{Credentials: credentials}, nil
}

// userDuration is how long a session of a user or root user lasts, and whose it is, by unique id. A root user's is cut to an hour.
func userDuration(c *service.Call, asked *int32) (seconds int32, id string) {
	seconds, id = defaultUserDuration, c.Caller.ID
	if asked != nil {
		seconds = *asked
	}
	if c.Caller.Kind == authz.Root {
		seconds, id = min(seconds, rootDuration), c.Caller.Account
	}
	return seconds, id
}

// isUserSession tells session credentials of a user or root user that were made without MFA.
func isUserSession(c *service.Call) bool {
	return c.Caller.Session != nil && !c.Caller.Session.MFA && (c.Caller.Kind == authz.User || c.Caller.Kind == authz.Root)
}

// expiry is to the second, as the answer shows it.
func expiry(c *service.Call, seconds int32) (issued, expires time.Time) {
	issued = c.Time.UTC().Truncate(time.Second)
	return issued, issued.Add(time.Duration(seconds) * time.Second)
}
