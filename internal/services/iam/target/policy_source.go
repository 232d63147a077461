package target

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// OnPolicySource is the resource of operations on the user, group or role of PolicySourceArn.
func (s *Store) OnPolicySource(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	text := aws.ToString(Member[*string](in, "PolicySourceArn"))
	if err := request.CheckLength("policySourceArn", text, 0, request.MaxARN); err != nil {
		return service.Target{}, err
	}
	_, k, name, err := s.ParsePolicySource(c, text)
	if err != nil {
		return service.Target{}, err
	}
	return s.IdentityTarget(ctx, c, k, name, in, nil)
}

// ParsePolicySource splits the ARN of a user, group or role of the caller's account.
func (s *Store) ParsePolicySource(c *service.Call, text string) (account string, k record.Kind, name string, err error) {
	a, k, name, ok := record.ParseIdentityARN(text)
	switch {
	case !ok || a.Partition != s.Partition:
		return "", "", "", request.InvalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", text)
	case a.AccountID != c.Account:
		return "", "", "", request.InvalidInput("Invalid Policy Source Arn: caller's account %s does not have access to policies in account %s",
			c.Account, a.AccountID)
	}
	return a.AccountID, k, name, nil
}

// PolicySource finds the user, group or role of an ARN, as the directory knows it.
func (s *Store) PolicySource(ctx context.Context, c *service.Call, text string) (*directory.Known, error) {
	account, k, name, err := s.ParsePolicySource(c, text)
	if err != nil {
		return nil, err
	}
	e, err := s.Directory.Named(ctx, account, k, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, record.NoSuchIdentity(k, name)
	}
	return e, err
}
