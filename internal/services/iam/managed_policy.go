package iam

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// awsAccount stands in the ARNs of AWS managed policies in the place of an account.
const awsAccount = "aws"

// parsePolicyARN tells a text that is no ARN from an ARN that names no policy, as AWS does (recorded). One that is too long for the API
// model is refused before anything remembers it.
func parsePolicyARN(text string) (arn.ARN, error) {
	if err := checkLength("policyArn", text, 0, maxARN); err != nil {
		return arn.ARN{}, err
	}
	a, err := arn.Parse(text)
	if err != nil {
		return arn.ARN{}, validationError("ARN %s is not valid.", text)
	}
	_, name := policyPathAndName(text)
	if a.Service != "iam" || a.Region != "" || !strings.HasPrefix(a.Resource, "policy/") || name == "" ||
		a.AccountID != awsAccount && !isAccount(a.AccountID) {
		return arn.ARN{}, invalidInput("ARN %s is not valid.", text)
	}
	return a, nil
}

// isOfAWS tells whether a policy's ARN is that of an AWS managed policy.
func isOfAWS(policyARN string) bool { return strings.Contains(policyARN, "::"+awsAccount+":policy/") }

// policyPathAndName splits a policy's ARN: "arn:aws:iam::1:policy/team/x" gives "/team/" and "x".
func policyPathAndName(text string) (path, name string) {
	_, rest, _ := strings.Cut(text, ":policy/")
	i := strings.LastIndexByte(rest, '/')
	return "/" + rest[:i+1], rest[i+1:]
}

// findPolicy finds a policy of the account or of AWS by its ARN, or answers NoSuchEntity. Those of AWS are shared: they must not be
// changed.
func (s *Store) findPolicy(r store.Reader, account, policyARN string) (*managedPolicy, error) {
	a, err := parsePolicyARN(policyARN)
	if err != nil {
		return nil, err
	}
	if a.AccountID == awsAccount {
		return s.policiesOfAWS.get(policyARN, func(policyARN string) (*managedPolicy, error) {
			if p, ok := s.managed.ManagedPolicy(policyARN); ok {
				return fromAWS(p), nil
			}
			return nil, noSuchPolicy(policyARN)
		})
	}
	if a.AccountID != account {
		return nil, noSuchPolicy(policyARN)
	}
	_, name := policyPathAndName(policyARN)
	p, err := store.GetJSON[*managedPolicy](r, policyKey(account, name))
	if errors.Is(err, store.ErrNotFound) || err == nil && s.policyARN(account, p) != policyARN {
		return nil, noSuchPolicy(policyARN)
	}
	return p, err
}

// checkAttachable wants a policy to exist and not to be one of those that AWS keeps for its service-linked roles.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html, PolicyNotAttachable
func (s *Service) checkAttachable(r store.Reader, account, policyARN string, to kind) error {
	_, err := s.findPolicy(r, account, policyARN)
	if err == nil && strings.HasPrefix(policyARN, s.arn(awsAccount, "policy"+serviceLinkedPath)) {
		return policyNotAttachable(to)
	}
	return err
}

// fromAWS gives an AWS managed policy the form of a customer's. Its description is not known.
func fromAWS(p ManagedPolicy) *managedPolicy {
	return &managedPolicy{
		ID: awsPolicyID(p.ARN), Name: p.Name, Path: p.Path, Created: p.Created, Updated: p.Updated, Default: p.VersionID,
		Versions: []policyVersion{{ID: p.VersionID, Document: p.Document, Created: p.Updated}},
	}
}

// awsPolicyID stands for the id of an AWS managed policy, which is not known. Clients rely on there being one that never changes.
// It begins like AWS's own of the last years.
func awsPolicyID(arn string) string {
	h := sha256.Sum256([]byte(arn))
	return principal.PolicyIDPrefix + "ZKAPJZG4" + base32.StdEncoding.EncodeToString(h[:])[:9]
}

// ownPolicy finds a policy that the account may change. missing is the answer when it is not there.
func (s *Store) ownPolicy(r store.Reader, account, policyARN string, missing error) (*managedPolicy, error) {
	a, err := parsePolicyARN(policyARN)
	if err != nil {
		return nil, err
	}
	if a.AccountID == awsAccount {
		return nil, accessDenied("Cannot change the AWS managed policy " + policyARN + ".") // AWS's text is not known
	}
	p, err := s.findPolicy(r, account, policyARN)
	if isMissing(err) {
		return nil, missing
	}
	return p, err
}

// changePolicy reads a customer managed policy, lets fn change it, and writes it, in one transaction.
func (s *Service) changePolicy(
	ctx context.Context, c *service.Call, policyARN string, missing error, fn func(*managedPolicy) error,
) error {
	return s.db.Update(ctx, func(tx store.Tx) error {
		p, err := s.ownPolicy(tx, c.Account, policyARN, missing)
		if err != nil {
			return err
		}
		if err := fn(p); err != nil {
			return err
		}
		return store.PutJSON(tx, policyKey(c.Account, p.Name), p)
	})
}

// readPolicy reads a managed policy; missing is the answer when it is not there.
func (s *Store) readPolicy(ctx context.Context, account, policyARN string, missing error) (p *managedPolicy, err error) {
	err = s.db.View(ctx, func(r store.Reader) (err error) {
		p, err = s.findPolicy(r, account, policyARN)
		return err
	})
	if isMissing(err) {
		return nil, missing
	}
	return p, err
}
