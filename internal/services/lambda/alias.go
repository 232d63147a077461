package lambda

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// alias is the record of an alias.
type alias struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	RevisionID  string `json:"revision_id"`
	// Version is "$LATEST" or a number.
	Version string `json:"version"`
	// Weights has the share of calls, from 0 to 1, that go to another version than Version; one at most.
	Weights map[string]float64 `json:"weights,omitempty"`
}

func aliasPrefix(r request.Function) string { return belongings(r) + "alias/" }

// aliasKey is the key of the alias that a reference names.
func aliasKey(r request.Function) string { return aliasPrefix(r) + r.Qualifier }

func decodeAlias(item store.Item) (*alias, error) {
	a, err := store.DecodeJSON[alias](item)
	return &a, err
}

// aliasesOf gives the aliases of a function whose names come after one, in order.
func aliasesOf(reader store.Reader, r request.Function, name string) ([]*alias, error) {
	after := ""
	if name != "" {
		after = aliasPrefix(r) + name
	}
	items, err := reader.Scan(aliasPrefix(r), after, 0)
	if err != nil {
		return nil, err
	}
	all := make([]*alias, len(items))
	for i, item := range items {
		if all[i], err = decodeAlias(item); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// configuration is what the operations show of an alias.
func (a *alias) configuration(r request.Function) types.AliasConfiguration {
	c := types.AliasConfiguration{
		AliasArn:        aws.String(r.Qualified(a.Name).ARN()),
		Description:     aws.String(a.Description),
		FunctionVersion: aws.String(a.Version),
		Name:            aws.String(a.Name),
		RevisionId:      aws.String(a.RevisionID),
	}
	if len(a.Weights) > 0 {
		c.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: a.Weights}
	}
	return c
}

// aliasFunction reads what all operations on one alias have: the function, which is the resource, and the name.
func aliasFunction(v *request.Validator, c *service.Call, function, name *string) request.Function {
	r := v.Function(c, function, request.FunctionName)
	v.RequiredText("name", name, request.AliasName)
	return r
}

// validateRouting checks the constraints of a routing configuration. AWS's messages print the whole map.
func validateRouting(v *request.Validator, c *types.AliasRoutingConfiguration) {
	if c == nil {
		return
	}
	var badKey, badValue bool
	printed := make([]string, 0, len(c.AdditionalVersionWeights))
	for _, number := range slices.Sorted(maps.Keys(c.AdditionalVersionWeights)) {
		weight := c.AdditionalVersionWeights[number]
		printed = append(printed, number+"="+printDouble(weight))
		badKey = badKey || len(additionalVersionText.Violated(number)) > 0
		badValue = badValue || !(weight >= 0 && weight <= 1) // so that NaN is bad
	}
	value := "'{" + strings.Join(printed, ", ") + "}'"
	if badKey {
		v.Fail(value, "routingConfig.additionalVersionWeights", "Map keys must satisfy constraint: [Member must have length less than "+
			"or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: "+
			additionalVersionText.Pattern.Source+", Member must not be null]")
	}
	if badValue {
		v.Fail(value, "routingConfig.additionalVersionWeights", "Map value must satisfy constraint: [Member must have value less than or "+
			"equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]")
	}
}

// printDouble writes a number as Java does, for all but the very large and the very small.
func printDouble(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if strings.Trim(s, "-0123456789") == "" {
		s += ".0"
	}
	return s
}

// setRouting sets the weights that a request gives, if it gives any.
func (a *alias) setRouting(c *types.AliasRoutingConfiguration) {
	if c != nil {
		a.Weights = c.AdditionalVersionWeights
	}
}

// check refuses what an alias cannot be. Texts: lambda.md 7.4.
func (a *alias) check() error {
	if len(a.Weights) > 1 {
		return fault.InvalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	if _, twice := a.Weights[a.Version]; twice {
		return fault.InvalidParameter("Invalid function version %s. Function version %s is already included in routing configuration.",
			a.Version, a.Version)
	}
	if len(a.Weights) > 0 && a.Version == request.Latest { // recorded without a member Type
		return fault.InvalidParameterUntyped("$LATEST is not supported for an alias pointing to more than 1 version")
	}
	return nil
}

// putAlias keeps an alias of a function. Its versions must exist.
func (s *Service) putAlias(tx store.Tx, r request.Function, a *alias) error {
	for _, number := range slices.AppendSeq([]string{a.Version}, maps.Keys(a.Weights)) { // recorded: the error names the alias's own first
		target := r.Qualified(number)
		f, err := s.load(tx, target)
		if errors.Is(err, store.ErrNotFound) || err == nil && f.version.Number != number {
			return fault.FunctionNotFound(target.ARN())
		}
		if err != nil {
			return fmt.Errorf("find %s: %w", target.ARN(), err)
		}
	}
	if err := s.checkMoved(tx, r.Qualified(a.Name), a); err != nil {
		return err
	}
	return store.PutJSON(tx, aliasKey(r.Qualified(a.Name)), a)
}

// checkMoved: provisioned concurrency follows its alias, but only where it could have been configured. Weights may be given to such an
// alias (https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html).
func (s *Service) checkMoved(tx store.Tx, r request.Function, a *alias) error {
	c, err := read(tx, concurrencyKey(r.Account, r.Region), decodeConcurrency)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read concurrency of %s: %w", r.Account, err)
	}
	own := c.Functions[r.Name]
	if _, provisioned := own.Provisioned[r.Qualifier]; !provisioned {
		return nil
	}
	f, err := s.load(tx, r.Qualified(a.Version))
	if err != nil {
		return fmt.Errorf("find %s: %w", r.ARN(), err)
	}
	f.alias = &alias{Name: a.Name, Version: a.Version}
	return s.checkProvisioned(tx, r, f, own)
}

// route picks the version that one invocation gets: of an alias with weights either of two
// (https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html).
func (s *Service) route(ctx context.Context, f found) (found, error) {
	if f.alias == nil {
		return f, nil
	}
	for number, weight := range f.alias.Weights { // one at most
		if s.Random() >= weight {
			continue
		}
		v, err := s.versions.Get(ctx, versionKey(f.function.reference, number))
		if err != nil {
			return found{}, err
		}
		f.version = v
	}
	return f, nil
}
