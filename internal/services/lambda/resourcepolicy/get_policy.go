package resourcepolicy

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func getPolicyReference(c *service.Call, in *sdk.GetPolicyInput) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), in.Qualifier)
}

func (m *Service) getPolicyTarget(ctx context.Context, c *service.Call, in *sdk.GetPolicyInput) (service.Target, error) {
	r, err := getPolicyReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	return m.functions.Target(ctx, c, "lambda:GetPolicy", r)
}

func (m *Service) getPolicy(ctx context.Context, c *service.Call, in *sdk.GetPolicyInput) (*sdk.GetPolicyOutput, error) {
	r, err := getPolicyReference(c, in)
	if err != nil {
		return nil, err
	}
	text, revision, err := m.read(ctx, r)
	if err != nil {
		return nil, err
	}
	return &sdk.GetPolicyOutput{Policy: aws.String(text), RevisionId: aws.String(revision)}, nil
}

// noPolicy is the answer when there is none. Only a missing function is named, recorded so; a version or an alias is not.
func (m *Service) noPolicy(ctx context.Context, r request.Function) error {
	err := m.db.View(ctx, func(reader store.Reader) error {
		_, err := m.functions.Revision(reader, r.Qualified(""))
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fault.FunctionNotFound(r.FunctionARN())
	case err != nil:
		return fmt.Errorf("find function %s: %w", r.FunctionARN(), err)
	}
	return fault.NotFound("The resource you requested does not exist.")
}

// read gives a policy as clients see it, and its revision. Text: lambda.md 1.3.
func (m *Service) read(ctx context.Context, r request.Function) (text, revision string, err error) {
	p, err := m.find(ctx, m.key(r))
	if err != nil {
		return "", "", err
	}
	if p == nil {
		return "", "", m.noPolicy(ctx, r)
	}
	text, err = m.shownText(ctx, p.document())
	return text, p.RevisionID, err
}
