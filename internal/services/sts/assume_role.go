package sts

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
)

// roleToAssume is the target of AssumeRole: the role with its trust policy. For a role that does not exist there is none, and
// nobody is trusted: the answer is the same as for a role that does not trust the caller.
func (s *Service) roleToAssume(ctx context.Context, c *service.Call, in *sdk.AssumeRoleInput) (service.Target, error) {
	if err := s.checkAssumeRole(in); err != nil {
		return service.Target{}, err
	}
	t, err := s.roleTarget(ctx, *in.RoleArn)
	if err != nil {
		return service.Target{}, err
	}
	if in.ExternalId != nil {
		t.Keys.Set("sts:ExternalId", *in.ExternalId)
	}
	withMFA, err := s.checkMFA(ctx, c, mfa{in.SerialNumber, in.TokenCode})
	if err != nil {
		return service.Target{}, err
	}
	if withMFA {
		// The trust policy may ask for the code of this very request:
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
		t.Keys.Set("aws:MultiFactorAuthPresent", "true")
		t.Keys.Set("aws:MultiFactorAuthAge", "0")
	}
	assumeRoleGrant(c, in).setKeys(&t.Keys)
	return t, nil
}

// assumeRoleGrant is what AssumeRole asks for.
func assumeRoleGrant(c *service.Call, in *sdk.AssumeRoleInput) *grant {
	return &grant{
		name: *in.RoleSessionName, policy: in.Policy, policyARNs: in.PolicyArns, tags: in.Tags, transitive: in.TransitiveTagKeys,
		sourceIdentity: sourceIdentity(c, in), mfa: mfa{in.SerialNumber, in.TokenCode},
	}
}

// checkAssumeRole checks what needs no look-up.
func (s *Service) checkAssumeRole(in *sdk.AssumeRoleInput) error {
	if err := checkRoleARN(in.RoleArn); err != nil {
		return err
	}
	if in.RoleSessionName == nil {
		return missingMember("roleSessionName")
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
	made, err := s.makeSession(ctx, c, *in.RoleArn, in.DurationSeconds, assumeRoleGrant(c, in))
	if err != nil {
		return nil, err
	}
	return &sdk.AssumeRoleOutput{
		AssumedRoleUser: made.user, Credentials: made.credentials,
		//lint:ignore SA1019 AWS still answers with it (recorded in 2026)
		PackedPolicySize: made.packed,
		SourceIdentity:   in.SourceIdentity,
	}, nil
}
