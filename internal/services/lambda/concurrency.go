package lambda

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// Quotas of an account in a Region: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. The Runner has the first,
// too.
const (
	concurrencyLimit = 1000
	// minUnreserved is what functions cannot take for themselves (lambda.md 8).
	minUnreserved = 100
)

// concurrency is the record of what the functions of an account in a Region have of its concurrency for themselves. There is one for
// all, so that the sum is one read. Values from the cache are shared.
type concurrency struct {
	Functions map[string]ownConcurrency `json:"functions,omitempty"` // by name
	total     int
}

// ownConcurrency is what one function has.
type ownConcurrency struct {
	Reserved    *int32                 `json:"reserved,omitempty"`
	Provisioned map[string]provisioned `json:"provisioned,omitempty"` // by qualifier
}

// provisioned is the configuration of an alias or a version.
type provisioned struct {
	Count    int32     `json:"count"`
	Modified time.Time `json:"modified"`
}

// provisioned is the sum of what is configured for versions and aliases.
func (o ownConcurrency) provisioned() (sum int) {
	for _, p := range o.Provisioned {
		sum += int(p.Count)
	}
	return sum
}

// total is what no other function can use. What is provisioned is part of what is reserved
// (https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html).
func (o ownConcurrency) total() int {
	if o.Reserved != nil {
		return int(*o.Reserved)
	}
	return o.provisioned()
}

// concurrencyPrefix is that of the records of all accounts and Regions.
const concurrencyPrefix = "lambda/concurrency/"

func concurrencyKey(account, region string) string { return concurrencyPrefix + account + "/" + region }

func decodeConcurrency(item store.Item) (*concurrency, error) {
	c, err := store.DecodeJSON[concurrency](item)
	for _, own := range c.Functions {
		c.total += own.total()
	}
	return &c, err
}

// concurrencyOf gives the record from the cache, an empty one where nobody has anything.
func (s *Service) concurrencyOf(ctx context.Context, account, region string) (*concurrency, error) {
	c, err := s.concurrencies.Get(ctx, concurrencyKey(account, region))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return &concurrency{}, nil
	case err != nil:
		return nil, fmt.Errorf("find concurrency of %s: %w", account, err)
	}
	return c, nil
}

// ownConcurrency is what one function has.
func (s *Service) ownConcurrency(ctx context.Context, r request.Function) (ownConcurrency, error) {
	c, err := s.concurrencyOf(ctx, r.Account, r.Region)
	if err != nil {
		return ownConcurrency{}, err
	}
	return c.Functions[r.Name], nil
}

// updateConcurrency changes in a transaction what a function has. change gets that, and what no function has without it.
func updateConcurrency(tx store.Tx, r request.Function, change func(own *ownConcurrency, unreserved int) error) error {
	key := concurrencyKey(r.Account, r.Region)
	c, err := read(tx, key, decodeConcurrency)
	if errors.Is(err, store.ErrNotFound) {
		c = &concurrency{}
	} else if err != nil {
		return err
	}
	own := c.Functions[r.Name]
	if err := change(&own, concurrencyLimit-c.total+own.total()); err != nil {
		return err
	}
	if c.Functions == nil {
		c.Functions = make(map[string]ownConcurrency)
	}
	c.Functions[r.Name] = own
	if own.Reserved == nil && len(own.Provisioned) == 0 {
		delete(c.Functions, r.Name)
	}
	if len(c.Functions) == 0 {
		return tx.Delete(key)
	}
	return store.PutJSON(tx, key, c)
}

// releaseConcurrency takes what a function, or the version or alias that the reference names, has.
func releaseConcurrency(tx store.Tx, r request.Function) error {
	return updateConcurrency(tx, r, func(own *ownConcurrency, _ int) error {
		if r.Qualifier == "" {
			*own = ownConcurrency{}
		}
		delete(own.Provisioned, r.Qualifier)
		return nil
	})
}

// runnable is a version as its environments see it, its code unpacked, with the limits that hold now. In the warm case it reads no store.
func (s *Service) runnable(ctx context.Context, f found) (execution.Function, error) {
	if err := s.checkRunnable(f.version); err != nil {
		return execution.Function{}, err
	}
	r := f.function.reference
	run, err := s.unpack(ctx, f)
	if err != nil {
		return execution.Function{}, fmt.Errorf("unpack code of %s: %w", r.ARN(), err)
	}
	c, err := s.concurrencyOf(ctx, r.Account, r.Region)
	if err != nil {
		return execution.Function{}, err
	}
	run.Reserved, run.AccountReserved = c.Functions[r.Name].Reserved, c.total
	return run, nil
}

// resolveUnqualified is v.Resolve for operations that are about whole functions. No source at hand has the text.
func resolveUnqualified(v *request.Validator, c *service.Call, r request.Function) (request.Function, error) {
	r, err := v.Resolve(c, r, nil)
	if err == nil && r.Qualifier != "" {
		err = fault.InvalidParameter("This operation is permitted on Lambda functions only. Aliases and versions do not support this " +
			"operation. Please specify either a function name or an unqualified function ARN.")
	}
	return r, err
}
