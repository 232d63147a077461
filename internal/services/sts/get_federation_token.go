package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// onFederatedUser is the resource of GetFederationToken: the federated user's ARN to be. Only long-term credentials of a user or root user
// federate anybody.
func (s *Service) onFederatedUser(_ context.Context, c *service.Call, in *sdk.GetFederationTokenInput) (service.Target, error) {
	if c.Caller.Session != nil || c.Caller.Kind != authz.User && c.Caller.Kind != authz.Root {
		return service.Target{}, accessDenied("Cannot call GetFederationToken with session credentials")
	}
	if in.Name == nil {
		return service.Target{}, missingMember("name")
	}
	if err := s.patterns.sessionName.check("name", *in.Name, 2, 32); err != nil {
		return service.Target{}, err
	}
	if err := checkDuration(in.DurationSeconds, maxUserDuration); err != nil {
		return service.Target{}, err
	}
	if in.MinimumSessionTokenSize != nil {
		return service.Target{}, notImplemented("MinimumSessionTokenSize", "GetFederationToken")
	}
	t := service.Target{ARN: federatedUser(c, *in.Name), Account: c.Account}
	setTagKeys(&t.Keys, in.Tags)
	return t, nil
}

func federatedUser(c *service.Call, name string) string {
	return arn.ARN{Partition: c.Partition, Service: "sts", AccountID: c.Account, Resource: "federated-user/" + name}.String()
}

// tagging is the permission to pass tags, where AWS has no resource for it: whom a user federates is none of sts:TagSession.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
func tagging(action string, tags []types.Tag) []service.Need {
	if len(tags) == 0 {
		return nil
	}
	t := service.Target{ARN: "*"}
	setTagKeys(&t.Keys, tags)
	return []service.Need{{Action: action, Target: t}}
}

func federationTagging(_ context.Context, _ *service.Call, in *sdk.GetFederationTokenInput) ([]service.Need, error) {
	return tagging("sts:TagSession", in.Tags), nil
}

// getFederationToken makes a session for somebody whom the calling user vouches for. What it may is what both the user and the session
// policies allow (iam.md D7).
func (s *Service) getFederationToken(
	ctx context.Context, c *service.Call, in *sdk.GetFederationTokenInput,
) (*sdk.GetFederationTokenOutput, error) {
	seconds, id := userDuration(c, in.DurationSeconds)
	g := &grant{name: *in.Name, policy: in.Policy, policyARNs: in.PolicyArns, tags: in.Tags}
	session := principal.Session{UserARN: c.Caller.ARN, UserID: id, Name: g.name}
	if err := s.setPolicies(ctx, &session, c.Account, g); err != nil {
		return nil, err
	}
	var err error
	if session.Tags, err = s.patterns.checkTags(in.Tags); err != nil {
		return nil, err
	}
	packed, err := g.packedSize()
	if err != nil {
		return nil, err
	}
	credentials, err := s.credentials(c, c.Account, session, seconds)
	if err != nil {
		return nil, err
	}
	return &sdk.GetFederationTokenOutput{
		Credentials: credentials,
		FederatedUser: &types.FederatedUser{
			Arn: aws.String(federatedUser(c, g.name)), FederatedUserId: aws.String(c.Account + ":" + g.name),
		},
		//lint:ignore SA1019 AWS still answers with it
		PackedPolicySize: packed,
	}, nil
}
