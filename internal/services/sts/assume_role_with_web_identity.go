package sts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// Claims by which a provider sets tags and source identity of a session: nested, and flat for providers that cannot nest.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
const (
	tagsClaim           = "https://aws.amazon.com/tags"
	flatTagsClaim       = tagsClaim + "/principal_tags/"
	flatTransitiveClaim = tagsClaim + "/transitive_tag_keys"
	sourceIdentityClaim = "https://aws.amazon.com/source_identity"
)

// webIdentity is who presents a token.
type webIdentity struct {
	token    *oidc.Token
	provider string // its ARN
	client   string
	grant    *grant
}

// identifyWebIdentity verifies the token of AssumeRoleWithWebIdentity against the provider of the role's account that it names.
func (s *Service) identifyWebIdentity(ctx context.Context, c *service.Call, in *sdk.AssumeRoleWithWebIdentityInput) error {
	if err := s.checkWebIdentity(in); err != nil {
		return err
	}
	role, err := arn.Parse(*in.RoleArn)
	if err != nil {
		return validationError("%s is invalid", *in.RoleArn)
	}
	token, err := oidc.Parse(*in.WebIdentityToken)
	if err != nil {
		return tokenError(err)
	}
	provider, err := s.providers.OIDCProvider(ctx, role.AccountID, token.Issuer)
	if errors.Is(err, principal.ErrNoProvider) {
		return invalidIdentityToken("No OpenIDConnect provider found in your account for %s", token.Issuer)
	}
	if err != nil {
		return err
	}
	if err := s.tokens.Verify(ctx, token, provider); err != nil {
		return tokenError(err)
	}
	w := &webIdentity{token: token, client: token.Client(provider.ClientIDs)}
	w.provider = arn.ARN{
		Partition: c.Partition, Service: "iam", AccountID: role.AccountID, Resource: "oidc-provider/" + issuerName(token.Issuer),
	}.String()
	if w.grant, err = w.readGrant(in); err != nil {
		return err
	}
	if err := s.checkSourceIdentity(w.grant.sourceIdentity); err != nil {
		return err
	}
	c.Account = role.AccountID
	c.Caller = principal.Caller{Principal: authz.Principal{Kind: authz.WebIdentity, ARN: w.provider}}
	c.Presented = w
	return nil
}

// issuerName is a provider's name in ARNs and condition keys: its URL without scheme.
func issuerName(issuer string) string {
	_, name, _ := strings.Cut(issuer, "://")
	return name
}

// checkWebIdentity checks what needs no look-up.
func (s *Service) checkWebIdentity(in *sdk.AssumeRoleWithWebIdentityInput) error {
	if err := checkRoleARN(in.RoleArn); err != nil {
		return err
	}
	if in.RoleSessionName == nil {
		return missingMember("roleSessionName")
	}
	if err := s.patterns.sessionName.check("roleSessionName", *in.RoleSessionName, 2, 64); err != nil {
		return err
	}
	if in.WebIdentityToken == nil {
		return missingMember("webIdentityToken")
	}
	if n := len(*in.WebIdentityToken); n < 4 || n > 20000 {
		return validationError("1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: " +
			"Member must have length between 4 and 20000, inclusive") // AWS's text is not known; the token is not shown
	}
	switch {
	case in.ProviderId != nil:
		return notImplemented("ProviderId", "AssumeRoleWithWebIdentity")
	case in.MinimumSessionTokenSize != nil:
		return notImplemented("MinimumSessionTokenSize", "AssumeRoleWithWebIdentity")
	}
	return checkDuration(in.DurationSeconds, maxRoleDuration)
}

// tokenError words what is wrong with a token. The texts were seen in reports of users, unless a comment says otherwise.
func tokenError(err error) error {
	if missing, ok := errors.AsType[*oidc.MissingClaimError](err); ok {
		return invalidIdentityToken("Missing a required claim: %s", missing.Claim)
	}
	if expired, ok := errors.AsType[*oidc.ExpiredError](err); ok {
		return expiredToken("Token expired: current date/time %d must be before the expiration date/time %d",
			expired.Now.Unix(), expired.Expires.Unix())
	}
	var answer *awserr.Error
	switch {
	case errors.Is(err, oidc.ErrMalformed):
		answer = invalidIdentityToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	case errors.Is(err, oidc.ErrAudience):
		answer = invalidIdentityToken("Incorrect token audience")
	case errors.Is(err, oidc.ErrKeys):
		answer = invalidIdentityToken("Couldn't retrieve verification key from your identity provider,  please reference " +
			"AssumeRoleWithWebIdentity documentation for requirements")
	case errors.Is(err, oidc.ErrThumbprint):
		answer = invalidIdentityToken("OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint")
	case errors.Is(err, oidc.ErrUnreachable):
		answer = idpCommunicationError()
	case errors.Is(err, oidc.ErrSignature):
		answer = invalidIdentityToken("The ID Token provided has an invalid signature.") // AWS's text is not known
	case errors.Is(err, oidc.ErrNotYet):
		answer = invalidIdentityToken("The ID Token provided is not valid yet.") // AWS's text is not known
	default:
		return fmt.Errorf("verify web identity token: %w", err)
	}
	answer.Cause = err
	return answer
}

// readGrant takes the session out of input and claims.
func (w *webIdentity) readGrant(in *sdk.AssumeRoleWithWebIdentityInput) (*grant, error) {
	g := &grant{
		name: *in.RoleSessionName, policy: in.Policy, policyARNs: in.PolicyArns, provider: w.provider, providerKeys: w.keys(),
	}
	if source, ok := w.token.Claims[sourceIdentityClaim]; ok {
		if g.sourceIdentity, ok = source.(string); !ok {
			return nil, badClaim(sourceIdentityClaim)
		}
	}
	if err := g.readTags(w.token.Claims); err != nil {
		return nil, err
	}
	slices.SortFunc(g.tags, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	return g, nil
}

// badClaim answers a claim of AWS's own that has another shape than AWS says. AWS's text is not known.
func badClaim(name string) error {
	return invalidIdentityToken("The claim %s of the ID Token provided is malformed.", name)
}

// readTags reads the claims that set session tags. A tag has one value, as a text or as a list of one.
func (g *grant) readTags(claims map[string]any) error {
	set := func(claim, key string, value any) error {
		text, ok := value.(string)
		if list, isList := oidc.Strings(value); isList && len(list) == 1 {
			text, ok = list[0], true
		}
		if !ok {
			return badClaim(claim)
		}
		g.tags = append(g.tags, types.Tag{Key: aws.String(key), Value: aws.String(text)})
		return nil
	}
	for name, value := range claims {
		if key, ok := strings.CutPrefix(name, flatTagsClaim); ok {
			if err := set(name, key, value); err != nil {
				return err
			}
		}
	}
	transitive := claims[flatTransitiveClaim]
	if nested, ok := claims[tagsClaim]; ok {
		object, ok := nested.(map[string]any)
		if !ok {
			return badClaim(tagsClaim)
		}
		tags, ok := object["principal_tags"].(map[string]any)
		if _, has := object["principal_tags"]; has && !ok {
			return badClaim(tagsClaim)
		}
		for key, value := range tags {
			if err := set(tagsClaim, key, value); err != nil {
				return err
			}
		}
		if keys, ok := object["transitive_tag_keys"]; ok {
			transitive = keys
		}
	}
	if transitive != nil {
		var ok bool
		if g.transitive, ok = oidc.Strings(transitive); !ok {
			return badClaim(tagsClaim)
		}
	}
	return nil
}

// keys are the provider's condition keys that stay with the session. aud is the authorized party if the token has one; what the token
// says of its audience is oaud then.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
func (w *webIdentity) keys() map[string]authz.Value {
	prefix := issuerName(w.token.Issuer) + ":"
	keys := map[string]authz.Value{
		prefix + "aud": {Values: []string{w.client}}, prefix + "sub": {Values: []string{w.token.Subject}},
	}
	if methods, ok := oidc.Strings(w.token.Claims["amr"]); ok {
		keys[prefix+"amr"] = authz.Value{Values: methods, Multi: true}
	}
	return keys
}

// setRequestKeys sets the keys of the request beside those that stay with the session: those that AWS's tables have of this provider.
func (w *webIdentity) setRequestKeys(k *authz.Context, known func(key string) bool) {
	prefix := issuerName(w.token.Issuer) + ":"
	for name, value := range w.token.Claims {
		if text, ok := value.(string); ok && known(prefix+name) {
			k.Set(prefix+name, text)
		}
	}
	principal.SetProviderKeys(k, w.grant.providerKeys)
	if party := w.token.AuthorizedParty; party != "" {
		k.Set(prefix+"azp", party)
		if len(w.token.Audience) == 1 {
			k.Set(prefix+"oaud", w.token.Audience[0])
		}
	}
}

// roleForWebIdentity is the target of AssumeRoleWithWebIdentity: only the role's trust policy decides (iam.md T3).
func (s *Service) roleForWebIdentity(
	ctx context.Context, c *service.Call, in *sdk.AssumeRoleWithWebIdentityInput,
) (service.Target, error) {
	w := c.Presented.(*webIdentity)
	t, err := s.roleTarget(ctx, *in.RoleArn)
	if err != nil {
		return service.Target{}, err
	}
	w.setRequestKeys(&t.Keys, s.knownKey)
	w.grant.setKeys(&t.Keys)
	return t, nil
}

// webIdentityNeeds are the permissions to pass tags and a source identity.
func (s *Service) webIdentityNeeds(
	ctx context.Context, c *service.Call, in *sdk.AssumeRoleWithWebIdentityInput,
) ([]service.Need, error) {
	t, err := s.roleForWebIdentity(ctx, c, in)
	return c.Presented.(*webIdentity).grant.needs(t), err
}

func (s *Service) assumeRoleWithWebIdentity(
	ctx context.Context, c *service.Call, in *sdk.AssumeRoleWithWebIdentityInput,
) (*sdk.AssumeRoleWithWebIdentityOutput, error) {
	w := c.Presented.(*webIdentity)
	made, err := s.makeSession(ctx, c, *in.RoleArn, in.DurationSeconds, w.grant)
	if err != nil {
		return nil, err
	}
	out := &sdk.AssumeRoleWithWebIdentityOutput{
		AssumedRoleUser: made.user, Credentials: made.credentials, Audience: aws.String(w.client),
		// The provider's ARN, as AWS answers it; the page says that it is the iss claim.
		Provider: aws.String(w.provider), SubjectFromWebIdentityToken: aws.String(w.token.Subject),
		//lint:ignore SA1019 AWS still answers with it
		PackedPolicySize: made.packed,
	}
	if w.grant.sourceIdentity != "" {
		out.SourceIdentity = aws.String(w.grant.sourceIdentity)
	}
	return out, nil
}
