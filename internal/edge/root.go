package edge

import (
	"context"
	"fmt"

	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/leastpolicy"
	"github.com/licet/licet/internal/principal"
)

// The pages of an account's root, for whoever has authenticated the caller otherwise than by a signature: the console. They refuse
// everybody else as the pages do, with an *awserr.Error.

// EachDecision calls fn with the records of the caller's account, newest first, until fn wants no more; without what belongs to other
// accounts.
func (s *Server) EachDecision(ctx context.Context, caller principal.Caller, f audit.Filter, fn func(audit.Record) (more bool)) error {
	account, err := onlyRoot(caller, "read its decision log")
	if err != nil {
		return err
	}
	err = s.config.Decisions.Each(ctx, account, f, func(rec audit.Record) bool { return fn(seenBy(account, rec)) })
	if err != nil {
		return fmt.Errorf("read decisions: %w", err)
	}
	return nil
}

// ExplainDecision explains a request of the caller's account.
func (s *Server) ExplainDecision(ctx context.Context, caller principal.Caller, requestID string) (Explanation, error) {
	account, err := onlyRoot(caller, "read its decision log")
	if err != nil {
		return Explanation{}, err
	}
	return s.explainID(ctx, account, requestID)
}

// ExplainSupposed tells what would be decided of a call. Nothing is recorded, and nothing runs.
func (s *Server) ExplainSupposed(ctx context.Context, caller principal.Caller, q Question) (Explanation, error) {
	account, err := onlyRoot(caller, "ask what its principals may do")
	if err != nil {
		return Explanation{}, err
	}
	return s.explainSupposed(ctx, account, q)
}

// LeastPolicyOf makes the least policy of a role, given by name or ARN, from what was recorded since the filter's time.
func (s *Server) LeastPolicyOf(ctx context.Context, caller principal.Caller, role string, f audit.Filter) (LeastPolicy, error) {
	account, err := onlyRoot(caller, "read its decision log")
	if err != nil {
		return LeastPolicy{}, err
	}
	return s.leastOf(ctx, account, role, leastpolicy.Exact, f)
}
