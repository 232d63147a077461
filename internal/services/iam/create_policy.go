package iam

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// createPolicy answers without description, as AWS does (recorded).
func (s *Service) createPolicy(ctx context.Context, c *service.Call, in *sdk.CreatePolicyInput) (*sdk.CreatePolicyOutput, error) {
	if err := request.CheckLength("description", aws.ToString(in.Description), 0, request.MaxDescription); err != nil {
		return nil, err
	}
	tags, err := s.Patterns.CheckCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	document, err := checkManagedDocument(in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	id, err := principal.NewUniqueID(principal.PolicyIDPrefix, c.Account)
	if err != nil {
		return nil, err
	}
	now := c.Time.UTC().Truncate(time.Second)
	p := &record.ManagedPolicy{
		ID: id, Name: *in.PolicyName, Path: request.PathOr(in.Path), Description: aws.ToString(in.Description), Created: now, Updated: now,
		Tags: tags, Default: "v1", Last: 1, Versions: []record.PolicyVersion{{ID: "v1", Document: document, Created: now}},
	}
	if err := s.DB.Update(ctx, func(tx store.Tx) error { return addPolicy(tx, c.Account, p) }); err != nil {
		return nil, err
	}
	out := listedPolicy(s.PolicyARN(c.Account, p), p, uses{})
	out.Tags = request.WireTags(tags)
	return &sdk.CreatePolicyOutput{Policy: &out}, nil
}

// addPolicy keeps a new policy if its name is free.
func addPolicy(tx store.Tx, account string, p *record.ManagedPolicy) error {
	_, err := tx.Get(record.PolicyKey(account, p.Name))
	if err == nil {
		return request.AlreadyExists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	n, err := record.Count(tx, record.PolicyPrefix(account), request.MaxPolicies)
	if err != nil {
		return err
	}
	if n >= request.MaxPolicies {
		return request.QuotaExceeded("PoliciesPerAccount", request.MaxPolicies)
	}
	return store.PutJSON(tx, record.PolicyKey(account, p.Name), p)
}

// checkManagedDocument checks the document of a managed policy's version.
func checkManagedDocument(text *string) (string, error) {
	if err := checkDocumentLength("policyDocument", text); err != nil {
		return "", err
	}
	if _, err := checkDocument(*text, policy.Identity); err != nil {
		return "", err
	}
	if limit := policy.Limit(policy.Identity); policy.Size([]byte(*text), policy.Identity) > limit {
		return "", request.QuotaExceeded("PolicySize", limit)
	}
	return *text, nil
}
