package target

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// FindPolicy finds a policy of the account or of AWS by its ARN, or answers NoSuchEntity. Those of AWS are shared: they must not be
// changed.
func (s *Store) FindPolicy(r store.Reader, account, policyARN string) (*record.ManagedPolicy, error) {
	a, err := record.ParsePolicyARN(policyARN)
	if err != nil {
		return nil, err
	}
	if a.AccountID == record.AWSAccount {
		return s.policiesOfAWS.Get(policyARN, func(policyARN string) (*record.ManagedPolicy, error) {
			if p, ok := s.managed.ManagedPolicy(policyARN); ok {
				return FromAWS(p), nil
			}
			return nil, request.NoSuchPolicy(policyARN)
		})
	}
	if a.AccountID != account {
		return nil, request.NoSuchPolicy(policyARN)
	}
	_, name := record.PolicyPathAndName(policyARN)
	p, err := store.GetJSON[*record.ManagedPolicy](r, record.PolicyKey(account, name))
	if errors.Is(err, store.ErrNotFound) || err == nil && s.PolicyARN(account, p) != policyARN {
		return nil, request.NoSuchPolicy(policyARN)
	}
	return p, err
}

// FromAWS gives an AWS managed policy the form of a customer's. Its description is not known.
func FromAWS(p directory.ManagedPolicy) *record.ManagedPolicy {
	return &record.ManagedPolicy{
		ID: awsPolicyID(p.ARN), Name: p.Name, Path: p.Path, Created: p.Created, Updated: p.Updated, Default: p.VersionID,
		Versions: []record.PolicyVersion{{ID: p.VersionID, Document: p.Document, Created: p.Updated}},
	}
}

// awsPolicyID stands for the id of an AWS managed policy, which is not known. Clients rely on there being one that never changes.
// It begins like AWS's own of the last years.
func awsPolicyID(arn string) string {
	h := sha256.Sum256([]byte(arn))
	return principal.PolicyIDPrefix + "ZKAPJZG4" + base32.StdEncoding.EncodeToString(h[:])[:9]
}

// OwnPolicy finds a policy that the account may change. missing is the answer when it is not there.
func (s *Store) OwnPolicy(r store.Reader, account, policyARN string, missing error) (*record.ManagedPolicy, error) {
	a, err := record.ParsePolicyARN(policyARN)
	if err != nil {
		return nil, err
	}
	if a.AccountID == record.AWSAccount {
		return nil, request.AccessDenied("Cannot change the AWS managed policy " + policyARN + ".") // AWS's text is not known
	}
	p, err := s.FindPolicy(r, account, policyARN)
	if request.IsMissing(err) {
		return nil, missing
	}
	return p, err
}

// ReadPolicy reads a managed policy; missing is the answer when it is not there.
func (s *Store) ReadPolicy(ctx context.Context, account, policyARN string, missing error) (p *record.ManagedPolicy, err error) {
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
		p, err = s.FindPolicy(r, account, policyARN)
		return err
	})
	if request.IsMissing(err) {
		return nil, missing
	}
	return p, err
}
