package sts

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// grant is what is asked of a session, whichever operation asks.
type grant struct {
	name           string
	policy         *string
	policyARNs     []types.PolicyDescriptorType
	tags           []types.Tag
	transitive     []string
	sourceIdentity string
	// provider vouches for who asks, with keys that stay with the session; "" when the caller has credentials.
	provider     string
	providerKeys map[string]authz.Value
	// mfa is the code of a device that the request brings.
	mfa mfa
	// until ends the session if it is earlier than the duration; zero for no such end.
	until time.Time
}

// setKeys sets the condition keys of the request.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
func (g *grant) setKeys(k *authz.Context) {
	k.Set("sts:RoleSessionName", g.name)
	if g.sourceIdentity != "" {
		k.Set("sts:SourceIdentity", g.sourceIdentity)
	}
	setTagKeys(k, g.tags)
	if g.transitive != nil {
		k.SetList("sts:TransitiveTagKeys", g.transitive...)
	}
}

func setTagKeys(k *authz.Context, tags []types.Tag) {
	var keys []string
	for _, t := range tags {
		k.Set("aws:RequestTag/"+aws.ToString(t.Key), aws.ToString(t.Value))
		keys = append(keys, aws.ToString(t.Key))
	}
	if keys != nil {
		k.SetList("aws:TagKeys", keys...)
	}
}

// checkRoleARN checks the account, too: of an unsigned call it becomes the one that the call is for.
func checkRoleARN(text *string) error {
	if err := checkARN("roleArn", text, 20); err != nil {
		return err
	}
	a, err := arn.Parse(*text)
	if err != nil || a.Service != "iam" || !isAccount(a.AccountID) || !strings.HasPrefix(a.Resource, "role/") {
		return validationError("%s is invalid", *text)
	}
	return nil
}

// isAccount tells whether text is an account id: 12 digits.
func isAccount(text string) bool { return len(text) == 12 && strings.Trim(text, "0123456789") == "" }

// roleTarget is a role with its trust policy. For a role that does not exist there is none, and nobody is trusted: the answer is the
// same as for a role that does not trust the caller.
func (s *Service) roleTarget(ctx context.Context, roleARN string) (service.Target, error) {
	role, err := s.directory.Role(ctx, roleARN)
	if err != nil && !errors.Is(err, principal.ErrNoRole) {
		return service.Target{}, err
	}
	a, err := arn.Parse(roleARN)
	if err != nil {
		return service.Target{}, validationError("%s is invalid", roleARN)
	}
	t := service.Target{ARN: roleARN, Account: a.AccountID, Trust: true}
	if role.Trust != nil {
		t.Policy = &authz.Policy{Name: "trust policy of " + role.ARN, Document: role.Trust}
	}
	for key, value := range role.Tags {
		t.Keys.Set("aws:ResourceTag/"+key, value)
		t.Keys.Set("iam:ResourceTag/"+key, value)
	}
	return t, nil
}

// madeSession is a session of a role as it is answered.
type madeSession struct {
	user        *types.AssumedRoleUser
	credentials *types.Credentials
	packed      *int32
}

// makeSession makes a session of a role for a caller who may assume it.
func (s *Service) makeSession(ctx context.Context, c *service.Call, roleARN string, asked *int32, g *grant) (*madeSession, error) {
	role, err := s.directory.Role(ctx, roleARN)
	if errors.Is(err, principal.ErrNoRole) || err == nil && !isJudged(c, role) { // deleted, or another, since the decision
		return nil, accessDenied("Not authorized to perform sts:" + c.Operation)
	}
	if err != nil {
		return nil, err
	}
	seconds, err := duration(c, role, asked)
	if err != nil {
		return nil, err
	}
	if !g.until.IsZero() {
		seconds = min(seconds, int32(min(g.until.Sub(c.Time), 12*time.Hour)/time.Second))
	}
	session, packed, err := s.session(ctx, c, role, g)
	if err != nil {
		return nil, err
	}
	if session.MFA, err = s.useMFA(ctx, c, g.mfa); err != nil {
		return nil, err
	}
	credentials, err := s.credentials(c, role.Account, session, seconds)
	if err != nil {
		return nil, err
	}
	user := arn.ARN{
		Partition: c.Partition, Service: "sts", AccountID: role.Account, Resource: "assumed-role/" + role.Name + "/" + session.Name,
	}
	return &madeSession{
		user: &types.AssumedRoleUser{
			Arn: aws.String(user.String()), AssumedRoleId: aws.String(role.ID + ":" + session.Name),
		},
		credentials: credentials, packed: packed,
	}, nil
}

// isJudged tells whether the call was judged by the trust policy that the role has now: it may have been made again under its name.
func isJudged(c *service.Call, role principal.Role) bool {
	return len(c.Judged) > 0 && !slices.ContainsFunc(c.Judged, func(n service.Need) bool {
		return n.Target.Trust && (n.Target.Policy == nil || !bytes.Equal(n.Target.Policy.Document.Source, role.Trust.Source))
	})
}

// duration of the session: sessions that services make for themselves are not bound by the role's maximum (lambda.md 3.2),
// sessions made by role sessions last an hour at most (iam.md T5).
func duration(c *service.Call, role principal.Role, asked *int32) (int32, error) {
	seconds := int32(defaultDuration)
	if asked != nil {
		seconds = *asked
	}
	switch {
	case c.Internal != nil && c.Caller.Kind == authz.Service:
	case c.Caller.Kind == authz.AssumedRole && seconds > maxChainedDuration:
		return 0, validationError("The requested DurationSeconds exceeds the 1 hour session limit " +
			"for roles assumed by role chaining")
	case seconds > role.MaxSessionSeconds:
		return 0, validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return seconds, nil
}

// session makes what the token will carry. packed is the answer's PackedPolicySize.
func (s *Service) session(
	ctx context.Context, c *service.Call, role principal.Role, g *grant,
) (session principal.Session, packed *int32, err error) {
	session = principal.Session{
		RoleARN: role.ARN, RoleID: role.ID, Name: g.name, Generation: role.Generation, SourceIdentity: g.sourceIdentity,
		FederatedProvider: g.provider, ProviderKeys: g.providerKeys,
	}
	if c.Caller.Session != nil {
		if had := c.Caller.Session.SourceIdentity; had != "" && had != session.SourceIdentity {
			// It cannot be changed once it is set (https://docs.aws.amazon.com/IAM/latest/UserGuide/
			// id_credentials_temp_control-access_monitor.html). AWS's text is not known.
			return session, nil, accessDenied("The source identity of the calling session cannot be changed.")
		}
	}
	if c.Internal != nil {
		session.SourceFunctionARN = c.Internal.SourceFunctionARN
	}
	if err := s.setPolicies(ctx, &session, role.Account, g); err != nil {
		return session, nil, err
	}
	tags, err := s.patterns.checkTags(g.tags)
	if err != nil {
		return session, nil, err
	}
	if session.Tags, session.TransitiveTagKeys, err = sessionTags(c.Caller.Session, tags, g.transitive); err != nil {
		return session, nil, err
	}
	packed, err = g.packedSize()
	return session, packed, err
}

// sessionTags are the tags of the new session: those of the request and the transitive ones of the calling session, which cannot
// be overridden. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
func sessionTags(calling *principal.Session, tags map[string]string, asked []string) (_ map[string]string, transitive []string, _ error) {
	if len(asked) > maxSessionTags {
		return nil, nil, tooManyMembers("transitiveTagKeys", maxSessionTags)
	}
	for _, key := range asked {
		if _, ok := tags[key]; !ok {
			return nil, nil, invalidParameter("The specified transitive tag key must be included in the requested tags.")
		}
		if !slices.Contains(transitive, key) {
			transitive = append(transitive, key)
		}
	}
	if calling == nil {
		return tags, transitive, nil
	}
	for _, inherited := range calling.TransitiveTagKeys {
		for key := range tags {
			if authz.FoldKey(key) == authz.FoldKey(inherited) {
				return nil, nil, invalidParameter("One of the specified transitive tag keys can't be set " +
					"because it conflicts with a transitive tag key from the calling session.")
			}
		}
	}
	for _, inherited := range calling.TransitiveTagKeys {
		tags[inherited] = calling.Tags[inherited]
		transitive = append(transitive, inherited)
	}
	if len(tags) > maxSessionTags {
		return nil, nil, tooManyMembers("tags", maxSessionTags)
	}
	return tags, transitive, nil
}
