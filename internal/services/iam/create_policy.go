package iam

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// createPolicy answers without description, as AWS does (recorded).
func (s *Service) createPolicy(ctx context.Context, c *service.Call, in *sdk.CreatePolicyInput) (*sdk.CreatePolicyOutput, error) {
	if err := checkLength("description", aws.ToString(in.Description), 0, maxDescription); err != nil {
		return nil, err
	}
	tags, err := s.patterns.checkCasedTags(in.Tags)
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
	p := &managedPolicy{
		ID: id, Name: *in.PolicyName, Path: pathOr(in.Path), Description: aws.ToString(in.Description), Created: now, Updated: now,
		Tags: tags, Default: "v1", Last: 1, Versions: []policyVersion{{ID: "v1", Document: document, Created: now}},
	}
	if err := s.db.Update(ctx, func(tx store.Tx) error { return addPolicy(tx, c.Account, p) }); err != nil {
		return nil, err
	}
	out := listedPolicy(s.policyARN(c.Account, p), p, uses{})
	out.Tags = wireTags(tags)
	return &sdk.CreatePolicyOutput{Policy: &out}, nil
}

// addPolicy keeps a new policy if its name is free.
func addPolicy(tx store.Tx, account string, p *managedPolicy) error {
	_, err := tx.Get(policyKey(account, p.Name))
	if err == nil {
		return alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	n, err := count(tx, policyPrefix(account), maxPolicies)
	if err != nil {
		return err
	}
	if n >= maxPolicies {
		return quotaExceeded("PoliciesPerAccount", maxPolicies)
	}
	return store.PutJSON(tx, policyKey(account, p.Name), p)
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
		return "", quotaExceeded("PolicySize", limit)
	}
	return *text, nil
}
