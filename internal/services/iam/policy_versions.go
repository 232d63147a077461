package iam

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
)

func (s *Service) createPolicyVersion(
	ctx context.Context, c *service.Call, in *sdk.CreatePolicyVersionInput,
) (*sdk.CreatePolicyVersionOutput, error) {
	document, err := checkManagedDocument(in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	var out types.PolicyVersion
	err = s.changePolicy(ctx, c, *in.PolicyArn, request.NoSuchPolicy(*in.PolicyArn), func(p *record.ManagedPolicy) error {
		if len(p.Versions) >= request.MaxPolicyVersions {
			return request.LimitExceeded("A managed policy can have up to %d versions. "+
				"Before you create a new version, you must delete an existing version.", request.MaxPolicyVersions)
		}
		p.Last++
		p.Updated = c.Time.UTC().Truncate(time.Second)
		v := record.PolicyVersion{ID: "v" + strconv.Itoa(p.Last), Document: document, Created: p.Updated}
		p.Versions = append(p.Versions, v)
		if in.SetAsDefault {
			p.Default = v.ID
		}
		out = wireVersion(p, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreatePolicyVersionOutput{PolicyVersion: &out}, nil
}

func (s *Service) getPolicyVersion(
	ctx context.Context, c *service.Call, in *sdk.GetPolicyVersionInput,
) (*sdk.GetPolicyVersionOutput, error) {
	id, err := s.versionID(in.VersionId)
	if err != nil {
		return nil, err
	}
	missing := noSuchVersion(*in.PolicyArn, id)
	p, err := s.ReadPolicy(ctx, c.Account, *in.PolicyArn, missing)
	if err != nil {
		return nil, err
	}
	v, ok := p.Version(id)
	if !ok {
		return nil, missing
	}
	out := wireVersion(p, v)
	out.Document = encodeDocument(v.Document)
	return &sdk.GetPolicyVersionOutput{PolicyVersion: &out}, nil
}

// listPolicyVersions lists the newest version first.
func (s *Service) listPolicyVersions(
	ctx context.Context, c *service.Call, in *sdk.ListPolicyVersionsInput,
) (*sdk.ListPolicyVersionsOutput, error) {
	page, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	p, err := s.ReadPolicy(ctx, c.Account, *in.PolicyArn, request.PolicyNotFound(*in.PolicyArn))
	if err != nil {
		return nil, err
	}
	l := request.Cut(page, p.NewestFirst(), record.VersionOrder)
	out := &sdk.ListPolicyVersionsOutput{IsTruncated: l.Truncated, Marker: l.Marker, Versions: []types.PolicyVersion{}}
	for _, v := range l.Items {
		out.Versions = append(out.Versions, wireVersion(p, v))
	}
	return out, nil
}

func (s *Service) setDefaultPolicyVersion(
	ctx context.Context, c *service.Call, in *sdk.SetDefaultPolicyVersionInput,
) (*sdk.SetDefaultPolicyVersionOutput, error) {
	id, err := s.versionID(in.VersionId)
	if err != nil {
		return nil, err
	}
	missing := noSuchVersion(*in.PolicyArn, id)
	err = s.changePolicy(ctx, c, *in.PolicyArn, missing, func(p *record.ManagedPolicy) error {
		if _, ok := p.Version(id); !ok {
			return missing
		}
		p.Default, p.Updated = id, c.Time.UTC().Truncate(time.Second)
		return nil
	})
	return &sdk.SetDefaultPolicyVersionOutput{}, err
}

func (s *Service) deletePolicyVersion(
	ctx context.Context, c *service.Call, in *sdk.DeletePolicyVersionInput,
) (*sdk.DeletePolicyVersionOutput, error) {
	id, err := s.versionID(in.VersionId)
	if err != nil {
		return nil, err
	}
	missing := noSuchVersion(*in.PolicyArn, id)
	err = s.changePolicy(ctx, c, *in.PolicyArn, missing, func(p *record.ManagedPolicy) error {
		if _, ok := p.Version(id); !ok {
			return missing
		}
		if id == p.Default {
			return request.DeleteConflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(p.Versions, func(v record.PolicyVersion) bool { return v.ID == id })
		return nil
	})
	return &sdk.DeletePolicyVersionOutput{}, err
}

// versionID checks a version's id.
func (s *Service) versionID(id *string) (string, error) {
	return aws.ToString(id), s.Patterns.VersionID.Check("versionId", aws.ToString(id))
}
