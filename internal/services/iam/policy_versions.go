package iam

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
)

func (s *Service) createPolicyVersion(
	ctx context.Context, c *service.Call, in *sdk.CreatePolicyVersionInput,
) (*sdk.CreatePolicyVersionOutput, error) {
	document, err := checkManagedDocument(in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	var out types.PolicyVersion
	err = s.changePolicy(ctx, c, *in.PolicyArn, noSuchPolicy(*in.PolicyArn), func(p *managedPolicy) error {
		if len(p.Versions) >= maxPolicyVersions {
			return limitExceeded("A managed policy can have up to %d versions. "+
				"Before you create a new version, you must delete an existing version.", maxPolicyVersions)
		}
		p.Last++
		p.Updated = c.Time.UTC().Truncate(time.Second)
		v := policyVersion{ID: "v" + strconv.Itoa(p.Last), Document: document, Created: p.Updated}
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
	p, err := s.readPolicy(ctx, c.Account, *in.PolicyArn, missing)
	if err != nil {
		return nil, err
	}
	v, ok := p.version(id)
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
	page, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	p, err := s.readPolicy(ctx, c.Account, *in.PolicyArn, policyNotFound(*in.PolicyArn))
	if err != nil {
		return nil, err
	}
	l := cut(page, p.newestFirst(), versionOrder)
	out := &sdk.ListPolicyVersionsOutput{IsTruncated: l.truncated, Marker: l.marker, Versions: []types.PolicyVersion{}}
	for _, v := range l.items {
		out.Versions = append(out.Versions, wireVersion(p, v))
	}
	return out, nil
}

func (p *managedPolicy) newestFirst() []policyVersion {
	return slices.SortedFunc(slices.Values(p.Versions), func(a, b policyVersion) int {
		return cmp.Compare(versionOrder(a), versionOrder(b))
	})
}

// versionOrder sorts newest first. An id that is not "v" and a number belongs to an AWS managed policy and stands alone.
func versionOrder(v policyVersion) string {
	n, err := strconv.Atoi(strings.TrimPrefix(v.ID, "v"))
	if err != nil {
		return v.ID
	}
	return fmt.Sprintf("%09d", 999_999_999-n)
}

func (s *Service) setDefaultPolicyVersion(
	ctx context.Context, c *service.Call, in *sdk.SetDefaultPolicyVersionInput,
) (*sdk.SetDefaultPolicyVersionOutput, error) {
	id, err := s.versionID(in.VersionId)
	if err != nil {
		return nil, err
	}
	missing := noSuchVersion(*in.PolicyArn, id)
	err = s.changePolicy(ctx, c, *in.PolicyArn, missing, func(p *managedPolicy) error {
		if _, ok := p.version(id); !ok {
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
	err = s.changePolicy(ctx, c, *in.PolicyArn, missing, func(p *managedPolicy) error {
		if _, ok := p.version(id); !ok {
			return missing
		}
		if id == p.Default {
			return deleteConflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(p.Versions, func(v policyVersion) bool { return v.ID == id })
		return nil
	})
	return &sdk.DeletePolicyVersionOutput{}, err
}

// versionID checks a version's id.
func (s *Service) versionID(id *string) (string, error) {
	return aws.ToString(id), s.patterns.versionID.check("versionId", aws.ToString(id))
}
