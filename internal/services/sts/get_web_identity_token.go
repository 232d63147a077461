package sts

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// Limits of https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html.
const (
	minTokenDuration     = 60
	maxTokenDuration     = 3600
	defaultTokenDuration = 300
	maxTokenAudiences    = 10
	maxTokenAudience     = 1000
)

// Issuers knows the accounts that issue tokens about their principals.
type Issuers interface {
	// Issuer gives the issuer of an account. The error wraps principal.ErrNoProvider when it issues none.
	Issuer(ctx context.Context, account string) (*oidc.Issuer, error)
}

// onIdentityToken is the resource of GetWebIdentityToken, which has none: policies ask for its condition keys.
func (s *Service) onIdentityToken(_ context.Context, _ *service.Call, in *sdk.GetWebIdentityTokenInput) (service.Target, error) {
	if err := checkIdentityToken(in); err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: "*"}
	t.Keys.SetList("sts:IdentityTokenAudience", in.Audience...)
	t.Keys.Set("sts:SigningAlgorithm", *in.SigningAlgorithm)
	t.Keys.Set("sts:DurationSeconds", strconv.Itoa(int(tokenDuration(in))))
	setTagKeys(&t.Keys, in.Tags)
	return t, nil
}

func checkIdentityToken(in *sdk.GetWebIdentityTokenInput) error {
	switch {
	case in.Audience == nil:
		return missingMember("audience")
	case in.SigningAlgorithm == nil:
		return missingMember("signingAlgorithm")
	case len(in.Audience) > maxTokenAudiences:
		return validationError("1 validation error detected: Value at 'audience' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxTokenAudiences)
	case *in.SigningAlgorithm != "RS256" && *in.SigningAlgorithm != "ES384":
		return violation("signingAlgorithm", *in.SigningAlgorithm, "Member must satisfy enum value set: [RS256, ES384]")
	}
	for _, audience := range in.Audience {
		if n := len(audience); n < 1 || n > maxTokenAudience {
			return violation("audience", audience, "Member must have length between 1 and %d, inclusive", maxTokenAudience)
		}
	}
	switch seconds := tokenDuration(in); {
	case seconds < minTokenDuration:
		return violation("durationSeconds", strconv.Itoa(int(seconds)), "Member must have value greater than or equal to %d", minTokenDuration)
	case seconds > maxTokenDuration:
		return violation("durationSeconds", strconv.Itoa(int(seconds)), "Member must have value less than or equal to %d", maxTokenDuration)
	}
	return nil
}

func tokenDuration(in *sdk.GetWebIdentityTokenInput) int32 {
	if in.DurationSeconds == nil {
		return defaultTokenDuration
	}
	return *in.DurationSeconds
}

// identityTokenTagging is the permission to put tags into the token.
func identityTokenTagging(_ context.Context, _ *service.Call, in *sdk.GetWebIdentityTokenInput) ([]service.Need, error) {
	return tagging("sts:TagGetWebIdentityToken", in.Tags), nil
}

func (s *Service) getWebIdentityToken(
	ctx context.Context, c *service.Call, in *sdk.GetWebIdentityTokenInput,
) (*sdk.GetWebIdentityTokenOutput, error) {
	tags, err := s.patterns.checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	issuer, err := s.issuers.Issuer(ctx, c.Account)
	if errors.Is(err, principal.ErrNoProvider) {
		return nil, outboundDisabled()
	}
	if err != nil {
		return nil, err
	}
	issued, expires := expiry(c, tokenDuration(in))
	if session := c.Caller.Session; session != nil && expires.After(session.Expires) {
		return nil, durationEscalation()
	}
	claims := identityClaims(c, tags)
	claims["iss"], claims["iat"], claims["exp"], claims["jti"] = issuer.URL, issued.Unix(), expires.Unix(), uuid.NewString()
	if claims["aud"] = in.Audience; len(in.Audience) == 1 {
		claims["aud"] = in.Audience[0]
	}
	token, err := issuer.Sign(*in.SigningAlgorithm, claims)
	if err != nil {
		return nil, err
	}
	return &sdk.GetWebIdentityTokenOutput{WebIdentityToken: aws.String(token), Expiration: aws.Time(expires)}, nil
}

// identityClaims say who the caller is. Of organizations there is none here.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
func identityClaims(c *service.Call, tags map[string]string) map[string]any {
	about := map[string]any{"aws_account": c.Account, "source_region": c.Region}
	if !c.Caller.Tags.IsZero() {
		about["principal_tags"] = c.Caller.Tags
	}
	if len(tags) > 0 {
		about["request_tags"] = tags
	}
	subject := c.Caller.ARN
	if c.Caller.IssuerARN != "" { // the role of a session
		subject = c.Caller.IssuerARN
	}
	if s := c.Caller.Session; s != nil {
		about["original_session_exp"] = s.Expires.UTC().Format(time.RFC3339)
		for name, value := range map[string]string{
			"federated_provider": s.FederatedProvider, "source_identity": s.SourceIdentity, "lambda_source_function_arn": s.SourceFunctionARN,
		} {
			if value != "" {
				about[name] = value
			}
		}
	}
	return map[string]any{"sub": subject, "https://sts.amazonaws.com/": about}
}
