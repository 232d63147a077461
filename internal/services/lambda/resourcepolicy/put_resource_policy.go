package resourcepolicy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// putRequest reads and validates the input. A document that cannot be saved is an invalid parameter, in the words that IAM has for it:
// Lambda's are not known.
func putRequest(c *service.Call, in *sdk.PutResourcePolicyInput) (request.Function, *policy.Document, error) {
	var v request.Validator
	v.RequiredText("resourceArn", in.ResourceArn, resourceARNText)
	v.RequiredText("policy", in.Policy, documentText)
	v.Text("revisionId", in.RevisionId, revisionText)
	r, err := resource(c, &v, in.ResourceArn)
	if err != nil {
		return request.Function{}, nil, err
	}
	document, problem := policy.Problem([]byte(*in.Policy), policy.Resource)
	if problem != "" {
		return request.Function{}, nil, fault.InvalidParameter("%s", problem)
	}
	return r, document, nil
}

// putResourcePolicyNeeds: the call replaces what AddPermission has added, and needs the permissions of AddPermission and RemovePermission,
// too (https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html, "Required permissions").
func (m *Service) putResourcePolicyNeeds(ctx context.Context, c *service.Call, in *sdk.PutResourcePolicyInput) ([]service.Need, error) {
	r, document, err := putRequest(c, in)
	if err != nil {
		return nil, err
	}
	if err := checkNumber(document.Statements); err != nil {
		return nil, err
	}
	added, err := grantees(document.Statements, asGiven)
	if err != nil {
		return nil, err
	}
	removed, err := m.standing(ctx, r)
	if err != nil {
		return nil, err
	}
	put, err := m.needs(ctx, c, "lambda:PutResourcePolicy", r, principalsOf(added))
	if err != nil {
		return nil, err
	}
	add, err := m.needs(ctx, c, "lambda:AddPermission", r, added)
	if err != nil {
		return nil, err
	}
	remove, err := m.needs(ctx, c, "lambda:RemovePermission", r, removed)
	if err != nil {
		return nil, err
	}
	return slices.Concat(put, add, remove), nil
}

func (m *Service) putResourcePolicy(
	ctx context.Context, c *service.Call, in *sdk.PutResourcePolicyInput,
) (*sdk.PutResourcePolicyOutput, error) {
	r, document, err := putRequest(c, in)
	if err != nil {
		return nil, err
	}
	if err := checkHasPolicy(r); err != nil {
		return nil, err
	}
	if err := checkPublic(document); err != nil {
		return nil, err
	}
	stored, err := policy.RewritePrincipals(document, func(e policy.PrincipalEntry) (string, error) {
		return m.stored(ctx, r.Partition, e)
	})
	if err != nil {
		return nil, err
	}
	var p *record
	err = m.db.Update(ctx, func(tx store.Tx) error {
		if _, err := m.revisionOf(tx, r); err != nil {
			return err
		}
		old, err := m.load(tx, r)
		if err != nil {
			return err
		}
		if err := checkRevision(in.RevisionId, old); err != nil {
			return err
		}
		p, err = m.put(tx, r, string(stored), true)
		return err
	})
	if err != nil {
		return nil, err
	}
	text, err := m.shownText(ctx, p.document())
	if err != nil {
		return nil, err
	}
	return &sdk.PutResourcePolicyOutput{Policy: aws.String(text), RevisionId: aws.String(p.RevisionID)}, nil
}

// checkRevision wants a revision, if there is one, to be that of the policy, if there is one.
func checkRevision(revision *string, p *record) error {
	if revision != nil && (p == nil || *revision != p.RevisionID) {
		return fault.PreconditionFailed("GetResourcePolicy")
	}
	return nil
}
