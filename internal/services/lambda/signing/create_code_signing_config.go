package signing

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/tag"
	"github.com/licet/licet/internal/store"
)

func createTarget(ctx context.Context, c *service.Call, in *sdk.CreateCodeSigningConfigInput) (service.Target, error) {
	var v request.Validator
	v.Required("allowedPublishers", in.AllowedPublishers != nil)
	validate(&v, in.AllowedPublishers, in.CodeSigningPolicies, in.Description)
	if err := v.Err(); err != nil {
		return service.Target{}, err
	}
	if err := tag.CheckClash(in.Tags); err != nil {
		return service.Target{}, err
	}
	t, err := service.Any(ctx, c, in)
	tag.InRequest(&t.Keys, in.Tags)
	return t, err
}

// createNeeds: tags need the permission to tag the configuration, which has no id yet
// (https://docs.aws.amazon.com/lambda/latest/dg/tags-csc.html).
func createNeeds(_ context.Context, c *service.Call, in *sdk.CreateCodeSigningConfigInput) ([]service.Need, error) {
	if len(in.Tags) == 0 {
		return nil, nil
	}
	any := configuration{Partition: c.Partition, Region: c.Region, Account: c.Account, ID: "*"}
	need := service.Need{Action: "lambda:TagResource", Target: service.Target{ARN: any.arn()}}
	tag.OfNew(&need.Target.Keys, in.Tags)
	return []service.Need{need}, nil
}

func (s *Service) create(
	ctx context.Context, c *service.Call, in *sdk.CreateCodeSigningConfigInput,
) (*sdk.CreateCodeSigningConfigOutput, error) {
	if err := tag.Check(in.Tags); err != nil {
		return nil, err
	}
	made := &configuration{
		Partition: c.Partition, Region: c.Region, Account: c.Account, ID: newID(), Policy: types.CodeSigningPolicyWarn,
		Modified: c.Time, Tags: in.Tags,
	}
	made.set(in.AllowedPublishers, in.CodeSigningPolicies, in.Description)
	a, err := arn.Parse(made.arn())
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx store.Tx) error { return store.PutJSON(tx, key(a), made) })
	if err != nil {
		return nil, err
	}
	return &sdk.CreateCodeSigningConfigOutput{CodeSigningConfig: made.shown()}, nil
}

// set sets what is given.
func (c *configuration) set(publishers *types.AllowedPublishers, policies *types.CodeSigningPolicies, description *string) {
	if publishers != nil {
		c.Publishers = publishers.SigningProfileVersionArns
	}
	if policies != nil && policies.UntrustedArtifactOnDeployment != "" {
		c.Policy = policies.UntrustedArtifactOnDeployment
	}
	if description != nil {
		c.Description = *description
	}
}
