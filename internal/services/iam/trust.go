package iam

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// Trust policies are kept with the unique ids of users and roles in the place of their ARNs, so that who is made again under an
// old name does not inherit trust (iam.md P4;
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html, "IAM user principals").

// storedTrust checks a trust policy and gives the text to keep.
func (s *Service) storedTrust(r store.Reader, text string) (string, error) {
	d, err := checkDocument(text, policy.Trust)
	if err != nil {
		return "", err
	}
	if limit := policy.Limit(policy.Trust); policy.Size(d.Source, policy.Trust) > limit {
		return "", request.QuotaExceeded("ACLSizePerRole", limit)
	}
	out, err := policy.RewritePrincipals(d, func(p policy.PrincipalEntry) (string, error) {
		stored, known, err := s.storedPrincipal(r, p)
		if err == nil && !known {
			err = malformedPolicy("%s", policy.InvalidPrincipal(p))
		}
		return stored, err
	})
	return string(out), err
}

// storedPrincipal gives the form in which a principal is kept; known is false for one that does not exist.
func (s *Service) storedPrincipal(r store.Reader, p policy.PrincipalEntry) (stored string, known bool, err error) {
	value := p.Value.Value
	switch p.Type {
	case "AWS":
		return s.storedAWSPrincipal(r, value)
	case "Service":
		return value, isServicePrincipal(value), nil
	case "Federated":
		known, err := s.HasProvider(r, value)
		return value, known, err
	}
	return "", false, nil
}

// isServicePrincipal takes the names that AWS's services have
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services).
func isServicePrincipal(name string) bool {
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal", ".api.aws"} {
		if strings.HasSuffix(name, domain) && len(name) > len(domain) {
			return true
		}
	}
	return false
}

func (s *Service) storedAWSPrincipal(r store.Reader, value string) (string, bool, error) {
	if value == "*" {
		return value, true, nil
	}
	if record.IsAccount(value) {
		return s.ARN(value, "root"), true, nil
	}
	if record.IsUniqueID(value) {
		e, err := record.IdentityOfID(r, value)
		return value, e != nil, err
	}
	a, err := arn.Parse(value)
	if err != nil || a.Partition != s.Partition {
		return "", false, nil
	}
	e, err := s.FindPrincipal(a, func(account string, k record.Kind, name string) (*record.Identity, error) {
		return record.FindIdentity(r, account, k, name)
	})
	switch {
	case err != nil || e == nil:
		return "", false, err
	case e.Kind == record.RootKind, a.Service == "sts":
		return value, true, nil // a session has no unique id that a policy could name
	default:
		return e.ID, true, nil
	}
}

// shownTrust gives a kept trust policy as clients see it: ARNs again for those who still exist, unique ids for those who are
// gone. arnOf gives the ARN of an id, or "".
func (s *Service) shownTrust(text string, arnOf func(id string) (string, error)) (string, error) {
	d, err := s.Directory.Parse(text)
	if err != nil {
		return "", fmt.Errorf("parse stored trust policy: %w", err)
	}
	out, err := policy.RewritePrincipals(d, func(p policy.PrincipalEntry) (string, error) {
		if p.Type != "AWS" || !record.IsUniqueID(p.Value.Value) {
			return p.Value.Value, nil
		}
		shown, err := arnOf(p.Value.Value)
		return cmp.Or(shown, p.Value.Value), err
	})
	return string(out), err
}

// arnsIn gives the ARN that the user or role of a unique id has in a transaction; "" when it is gone.
func (s *Service) arnsIn(r store.Reader) func(id string) (string, error) {
	return func(id string) (string, error) {
		e, err := record.IdentityOfID(r, id)
		if err != nil || e == nil {
			return "", err
		}
		account, _ := principal.AccountOf(id)
		return s.IdentityARN(account, e), nil
	}
}
