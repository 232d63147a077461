package lambda

import (
	"context"
	"errors"
	"math"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func putProvisionedConcurrencyConfigReference(
	c *service.Call, in *sdk.PutProvisionedConcurrencyConfigInput,
) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	v.RequiredText("qualifier", in.Qualifier, provisionedQualifier)
	if v.Required("provisionedConcurrentExecutions", in.ProvisionedConcurrentExecutions != nil) {
		v.Number("provisionedConcurrentExecutions", in.ProvisionedConcurrentExecutions, 1, math.MaxInt32)
	}
	r, err := provisionedReference(&v, c, r, in.Qualifier)
	if err == nil && r.Qualifier == request.Latest {
		err = notOnUnpublished()
	}
	return r, err
}

func notOnUnpublished() error {
	return fault.InvalidParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
}

// putProvisionedConcurrencyConfig keeps the configuration; Run sees to it that environments are started.
func (s *Service) putProvisionedConcurrencyConfig(
	ctx context.Context, c *service.Call, in *sdk.PutProvisionedConcurrencyConfigInput,
) (*sdk.PutProvisionedConcurrencyConfigOutput, error) {
	r, err := putProvisionedConcurrencyConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	wanted := provisioned{Count: *in.ProvisionedConcurrentExecutions, Modified: c.Time}
	var f found
	err = s.DB.Update(ctx, func(tx store.Tx) (err error) {
		if f, err = s.load(tx, r); errors.Is(err, store.ErrNotFound) {
			return qualifiedNotFound(r)
		} else if err != nil {
			return err
		}
		if err := f.version.checkNoTenancy("Provisioned Concurrency"); err != nil {
			return err
		}
		return updateConcurrency(tx, r, func(own *ownConcurrency, unreserved int) error {
			if err := s.checkProvisioned(tx, r, f, *own); err != nil {
				return err
			}
			if own.Provisioned == nil {
				own.Provisioned = make(map[string]provisioned)
			}
			own.Provisioned[r.Qualifier] = wanted
			return checkQuota(*own, wanted, unreserved)
		})
	})
	if err != nil {
		return nil, err
	}
	now := s.state(f, r.Qualifier, wanted)
	return &sdk.PutProvisionedConcurrencyConfigOutput{
		AllocatedProvisionedConcurrentExecutions: now.AllocatedProvisionedConcurrentExecutions,
		AvailableProvisionedConcurrentExecutions: now.AvailableProvisionedConcurrentExecutions,
		RequestedProvisionedConcurrentExecutions: now.RequestedProvisionedConcurrentExecutions,
		LastModified:                             now.LastModified,
		Status:                                   types.ProvisionedConcurrencyStatusEnumInProgress,
	}, nil
}

// checkProvisioned: a version has one configuration, its own or that of one alias which points to it
// (https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html). The texts are recorded ones, but for two aliases.
func (s *Service) checkProvisioned(tx store.Tx, r request.Function, f found, own ownConcurrency) error {
	if f.alias != nil {
		if len(f.alias.Weights) > 0 {
			return fault.InvalidParameter("Alias with weights can not be used with Provisioned Concurrency")
		}
		if f.version.Number == request.Latest {
			return notOnUnpublished()
		}
	}
	for other := range own.Provisioned {
		if other == r.Qualifier {
			continue
		}
		named := r
		named.Qualifier = other
		o, err := s.load(tx, named)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		switch {
		case o.version.Number != f.version.Number:
		case f.alias != nil:
			return fault.Conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
		default:
			return fault.Conflict("Version is pointed by a Provisioned Concurrency alias")
		}
	}
	return nil
}

// checkQuota: own has what is wanted already. The texts are recorded ones.
func checkQuota(own ownConcurrency, wanted provisioned, unreserved int) error {
	switch {
	case own.Reserved != nil:
		if own.provisioned() > int(*own.Reserved) {
			return fault.InvalidParameter(
				"Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
		}
	case int(wanted.Count) > unreserved:
		return fault.InvalidParameterUntyped(
			"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [%d].", unreserved)
	case unreserved-own.provisioned() < minUnreserved:
		return fault.InvalidParameterUntyped("Specified ConcurrentExecutions for function decreases account's "+
			"UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
	}
	return nil
}
