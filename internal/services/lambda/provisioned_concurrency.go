package lambda

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// provisionedQualifier is the constraint of a Qualifier that must be given.
var provisionedQualifier = request.NewText(1, 128, `(|[a-zA-Z0-9$_-]+)`)

// provisionedReference reads which version or alias an operation on provisioned concurrency is about; v has the violations that come
// before.
func provisionedReference(v *request.Validator, c *service.Call, r request.Function, qualifier *string) (request.Function, error) {
	if err := v.Err(); err != nil { // Resolve would note the qualifier again
		return request.Function{}, err
	}
	return v.Resolve(c, r, qualifier)
}

// readProvisioned is provisionedReference for operations that have no other members.
func readProvisioned(c *service.Call, name, qualifier *string) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, name, request.FunctionName)
	v.RequiredText("qualifier", qualifier, provisionedQualifier)
	r, err := provisionedReference(&v, c, r, qualifier)
	if err == nil && r.Qualifier == request.Latest {
		err = fault.InvalidParameter("The function resource provided must be an alias or a published version.")
	}
	return r, err
}

// qualifiedNotFound is the error for a version or alias that is not there.
func qualifiedNotFound(r request.Function) error {
	if request.IsVersion(r.Qualifier) {
		return fault.FunctionNotFound(r.ARN())
	}
	return fault.AliasNotFound(r.ARN())
}

// qualified finds a version or alias.
func (s *Service) qualified(ctx context.Context, r request.Function) (found, error) {
	f, err := s.find(ctx, r)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return found{}, qualifiedNotFound(r)
	case err != nil:
		return found{}, fmt.Errorf("find %s: %w", r.ARN(), err)
	}
	return f, nil
}

// state is how far the provisioned concurrency of a version is: allocated are the environments that are initialized, and they are
// available, whether they run an invocation or not (AWS does not say which of the two it shows). Where servers share them out, each tells of
// its own part, as if the others were as far.
func (s *Service) state(f found, qualifier string, p provisioned) types.ProvisionedConcurrencyConfigListItem {
	r := f.function.reference
	now, ok := s.Runner.Provisioned(r.FunctionARN(), f.version.Number)
	r.Qualifier = qualifier
	allocated := p.Count
	if part := s.part(int(p.Count)); !ok {
		allocated = 0
	} else if now.Ready < part {
		allocated = p.Count * int32(now.Ready) / int32(part)
	}
	item := types.ProvisionedConcurrencyConfigListItem{
		FunctionArn:                              aws.String(r.ARN()),
		RequestedProvisionedConcurrentExecutions: aws.Int32(p.Count),
		AllocatedProvisionedConcurrentExecutions: aws.Int32(allocated),
		AvailableProvisionedConcurrentExecutions: aws.Int32(allocated),
		// The form of AWS's examples: https://docs.aws.amazon.com/cli/latest/reference/lambda/get-provisioned-concurrency-config.html.
		LastModified: aws.String(p.Modified.UTC().Format("2006-01-02T15:04:05+0000")),
		Status:       types.ProvisionedConcurrencyStatusEnumInProgress,
	}
	switch {
	case !ok || !now.Asked.Equal(p.Modified): // the Runner will hear of it
	case now.Failure != "":
		item.Status, item.StatusReason = types.ProvisionedConcurrencyStatusEnumFailed, aws.String(now.Failure)
	case allocated == p.Count:
		item.Status = types.ProvisionedConcurrencyStatusEnumReady
	}
	return item
}
