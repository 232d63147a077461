package sts

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// roleToAssume is the target of AssumeRole: the role with its trust policy. For a role that does not exist there is none, and
// nobody is trusted: the answer is the same as for a role that does not trust the caller.
func (s *Service) roleToAssume(ctx context.Context, c *service.Call, in *sdk.AssumeRoleInput) (service.Target, error) {
	if err := s.checkAssumeRole(in); err != nil {
		return service.Target{}, err
	}
	role, err := s.directory.Role(ctx, *in.RoleArn)
	if err != nil && !errors.Is(err, principal.ErrNoRole) {
		return service.Target{}, err
	}
	a, err := arn.Parse(*in.RoleArn)
	if err != nil {
		return service.Target{}, validationError("%s is invalid", *in.RoleArn)
	}
	withMFA, err := s.checkMFA(ctx, c, mfa{in.SerialNumber, in.TokenCode})
	if err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: *in.RoleArn, Account: a.AccountID, Trust: true}
	if withMFA {
		// The trust policy may ask for the code of this very request:
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
		t.Keys.Set("aws:MultiFactorAuthPresent", "true")
		t.Keys.Set("aws:MultiFactorAuthAge", "0")
	}
	if role.Trust != nil {
		t.Policy = &authz.Policy{Name: "trust policy of " + role.ARN, Document: role.Trust}
	}
	for key, value := range role.Tags {
		t.Keys.Set("aws:ResourceTag/"+key, value)
		t.Keys.Set("iam:ResourceTag/"+key, value)
	}
	setKeys(&t.Keys, c, in)
	return t, nil
}

// checkAssumeRole checks what needs no look-up.
func (s *Service) checkAssumeRole(in *sdk.AssumeRoleInput) error {
	if in.RoleArn == nil {
		return missingMember("roleArn")
	}
	if in.RoleSessionName == nil {
		return missingMember("roleSessionName")
	}
	text := *in.RoleArn
	if a, err := arn.Parse(text); err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/") {
		return validationError("%s is invalid", text)
	}
	if err := s.patterns.sessionName.check("roleSessionName", *in.RoleSessionName, 2, 64); err != nil {
		return err
	}
	if err := checkDuration(in.DurationSeconds, maxRoleDuration); err != nil {
		return err
	}
	if in.ExternalId != nil {
		if err := s.patterns.externalID.check("externalId", *in.ExternalId, 2, 1224); err != nil {
			return err
		}
	}
	if in.SourceIdentity != nil {
		if err := s.patterns.sessionName.check("sourceIdentity", *in.SourceIdentity, 2, 64); err != nil {
			return err
		}
		if strings.HasPrefix(strings.ToLower(*in.SourceIdentity), "aws:") {
			return violation("sourceIdentity", *in.SourceIdentity, "Member must not begin with aws:") // AWS's text is not known
		}
	}
	if in.ProvidedContexts != nil {
		return notImplemented("ProvidedContexts", "AssumeRole")
	}
	if in.MinimumSessionTokenSize != nil {
		return notImplemented("MinimumSessionTokenSize", "AssumeRole")
	}
	return nil
}

// setKeys sets the condition keys of the request.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
func setKeys(k *authz.Context, c *service.Call, in *sdk.AssumeRoleInput) {
	k.Set("sts:RoleSessionName", *in.RoleSessionName)
	if in.ExternalId != nil {
		k.Set("sts:ExternalId", *in.ExternalId)
	}
	if source := sourceIdentity(c, in); source != "" {
		k.Set("sts:SourceIdentity", source)
	}
	var keys []string
	for _, t := range in.Tags {
		k.Set("aws:RequestTag/"+aws.ToString(t.Key), aws.ToString(t.Value))
		keys = append(keys, aws.ToString(t.Key))
	}
	if keys != nil {
		k.SetList("aws:TagKeys", keys...)
	}
	if in.TransitiveTagKeys != nil {
		k.SetList("sts:TransitiveTagKeys", in.TransitiveTagKeys...)
	}
}

// assumeRoleNeeds are the permissions to pass tags and a source identity on; the caller's session may have some that persist.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html (iam.md T4).
func (s *Service) assumeRoleNeeds(ctx context.Context, c *service.Call, in *sdk.AssumeRoleInput) ([]service.Need, error) {
	var actions []string
	if len(in.Tags) > 0 || c.Caller.Session != nil && len(c.Caller.Session.TransitiveTagKeys) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if sourceIdentity(c, in) != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	if actions == nil {
		return nil, nil
	}
	t, err := s.roleToAssume(ctx, c, in)
	if err != nil {
		return nil, err
	}
	var needs []service.Need
	for _, a := range actions {
		needs = append(needs, service.Need{Action: a, Target: t})
	}
	return needs, nil
}

// sourceIdentity is that of the request or, if it has none, that of the calling session.
func sourceIdentity(c *service.Call, in *sdk.AssumeRoleInput) string {
	if in.SourceIdentity == nil && c.Caller.Session != nil {
		return c.Caller.Session.SourceIdentity
	}
	return aws.ToString(in.SourceIdentity)
}

func (s *Service) assumeRole(ctx context.Context, c *service.Call, in *sdk.AssumeRoleInput) (*sdk.AssumeRoleOutput, error) {
	if c.Caller.Kind == authz.Root {
		return nil, accessDenied("Roles may not be assumed by root accounts.")
	}
	role, err := s.directory.Role(ctx, *in.RoleArn)
	if errors.Is(err, principal.ErrNoRole) { // deleted since the decision
		return nil, accessDenied("Not authorized to perform sts:AssumeRole")
	}
	if err != nil {
		return nil, err
	}
	seconds, err := duration(c, role, in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	session, packed, err := s.session(ctx, c, role, in)
	if err != nil {
		return nil, err
	}
	if session.MFA, err = s.useMFA(ctx, c, mfa{in.SerialNumber, in.TokenCode}); err != nil {
		return nil, err
	}
	credentials, err := s.credentials(c, role.Account, session, seconds)
	if err != nil {
		return nil, err
	}
	user := arn.ARN{
		Partition: c.Partition, Service: "sts", AccountID: role.Account, Resource: "assumed-role/" + role.Name + "/" + session.Name,
	}
	return &sdk.AssumeRoleOutput{
		AssumedRoleUser: &types.AssumedRoleUser{
			Arn: aws.String(user.String()), AssumedRoleId: aws.String(role.ID + ":" + session.Name),
		},
		Credentials: credentials,
		//lint:ignore SA1019 AWS still answers with it (recorded in 2026)
		PackedPolicySize: packed,
		SourceIdentity:   in.SourceIdentity,
	}, nil
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
	ctx context.Context, c *service.Call, role principal.Role, in *sdk.AssumeRoleInput,
) (session principal.Session, packed *int32, err error) {
	session = principal.Session{
		RoleARN: role.ARN, RoleID: role.ID, Name: *in.RoleSessionName, Generation: role.Generation,
		Policy: aws.ToString(in.Policy), SourceIdentity: sourceIdentity(c, in),
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
	if session.PolicyARNs, err = s.sessionPolicies(ctx, role.Account, in); err != nil {
		return session, nil, err
	}
	session.HasPolicies = in.Policy != nil || len(in.PolicyArns) > 0
	tags, err := s.patterns.checkTags(in.Tags)
	if err != nil {
		return session, nil, err
	}
	if session.Tags, session.TransitiveTagKeys, err = sessionTags(c.Caller.Session, tags, in.TransitiveTagKeys); err != nil {
		return session, nil, err
	}
	if !session.HasPolicies && len(tags) == 0 {
		return session, nil, nil
	}
	percent := packedSize(in)
	if percent > 100 {
		return session, nil, packedPolicyTooLarge(percent)
	}
	return session, aws.Int32(int32(percent)), nil
}

// sessionTags are the tags of the new session: those of the request and the transitive ones of the calling session, which cannot
// be overridden. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
func sessionTags(calling *principal.Session, tags map[string]string, transitive []string) (map[string]string, []string, error) {
	for _, key := range transitive {
		if _, ok := tags[key]; !ok {
			return nil, nil, invalidParameter("The specified transitive tag key must be included in the requested tags.")
		}
	}
	transitive = slices.Clone(transitive)
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
	return tags, transitive, nil
}
