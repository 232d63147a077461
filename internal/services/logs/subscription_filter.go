package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// maxSubscriptions is how many subscription filters a group may have
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html; two until 2026,
// aws-cloudformation/cfn-lint#4688).
const maxSubscriptions = 5

// subscriptionFilter is a subscription filter as it is stored. What is to be delivered for it stands under its own id.
type subscriptionFilter struct {
	ID           string             `json:"id"`
	Name         string             `json:"name"`
	Pattern      string             `json:"pattern"`
	Destination  string             `json:"destination"` // ARN of a function
	Distribution types.Distribution `json:"distribution"`
	Created      int64              `json:"created"`
}

// subscriptionPrefix is that of a group's subscription filters.
func (g group) subscriptionPrefix() string { return "logs/subscription/" + g.ID + "/" }

// subscriptions reads a group's subscription filters whose names start with prefix, by name.
func subscriptions(r store.Reader, g group, prefix string) ([]subscriptionFilter, error) {
	if g.Subscriptions == 0 {
		return nil, nil
	}
	items, err := r.Scan(g.subscriptionPrefix()+prefix, "", 0)
	if err != nil {
		return nil, err
	}
	filters := make([]subscriptionFilter, len(items))
	for i, item := range items {
		if filters[i], err = store.DecodeJSON[subscriptionFilter](item); err != nil {
			return nil, err
		}
	}
	return filters, nil
}

// Destination is a function that is called for a log group.
type Destination struct {
	Function string // ARN, with or without qualifier
	// Account and Region are those of the log group; Source is its ARN with ":*" behind it.
	Account, Region, Source string
}

func destination(c *service.Call, ref groupRef, function string) Destination {
	return Destination{Function: function, Account: ref.account, Region: ref.region, Source: groupARN(c, ref) + ":*"}
}

func (s *Service) putSubscriptionFilter(
	ctx context.Context, c *service.Call, in *sdk.PutSubscriptionFilterInput,
) (*sdk.PutSubscriptionFilterOutput, error) {
	if err := checkSubscriptionFilter(c, in); err != nil {
		return nil, err
	}
	parsed, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	ref := byName(c, in.LogGroupName)
	f := subscriptionFilter{
		Name: *in.FilterName, Pattern: *in.FilterPattern, Destination: *in.DestinationArn, Distribution: in.Distribution,
		Created: c.Time.UnixMilli(),
	}
	if f.Distribution == "" {
		f.Distribution = types.DistributionByLogStream
	}
	if err := s.db.View(ctx, func(r store.Reader) error {
		_, err := loadGroup(r, c, ref)
		return err
	}); err != nil {
		return nil, err
	}
	if err := s.functions.Check(ctx, destination(c, ref, f.Destination)); errors.Is(err, ErrRefused) {
		return nil, notExecutable()
	} else if err != nil {
		return nil, fmt.Errorf("check function %s: %w", f.Destination, err)
	}
	return &sdk.PutSubscriptionFilterOutput{}, s.changeGroup(ctx, c, ref, func(tx store.Tx, g *group) error {
		key := g.subscriptionPrefix() + f.Name
		known, err := store.GetJSON[subscriptionFilter](tx, key)
		switch {
		case err == nil:
			f.ID, f.Created = known.ID, known.Created
		case !errors.Is(err, store.ErrNotFound):
			return err
		case g.Subscriptions >= maxSubscriptions:
			return limitExceeded()
		default:
			f.ID = newID(tx)
			g.Subscriptions++
		}
		if err := checkRegexFilters(tx, *g, key, parsed); err != nil {
			return err
		}
		return store.PutJSON(tx, key, f)
	})
}

// checkSubscriptionFilter checks what was not checked with the target.
func checkSubscriptionFilter(c *service.Call, in *sdk.PutSubscriptionFilterInput) error {
	switch {
	case in.ApplyOnTransformedLogs:
		return notImplemented(c.Operation, "applyOnTransformedLogs")
	case in.FieldSelectionCriteria != nil:
		return notImplemented(c.Operation, "fieldSelectionCriteria")
	case len(in.EmitSystemFields) > 0:
		return notImplemented(c.Operation, "emitSystemFields")
	}
	var p problems
	p.required("filterName", in.FilterName, streamNameShape())
	p.requiredPattern(in.FilterPattern)
	if in.Distribution != "" && !slices.Contains(in.Distribution.Values(), in.Distribution) {
		p.add("distribution", string(in.Distribution), "satisfy enum value set: [Random, ByLogStream]")
	}
	if in.DestinationArn == nil {
		p.addNull("destinationArn")
	} else if *in.DestinationArn == "" {
		p.add("destinationArn", "", "have length greater than or equal to 1")
	}
	if err := p.err(); err != nil {
		return err
	}
	return checkDestination(c, in)
}

// checkDestination takes functions of the caller's account. Texts are those that users of AWS have quoted, but for what a comment
// says.
func checkDestination(c *service.Call, in *sdk.PutSubscriptionFilterInput) error {
	a, err := arn.Parse(*in.DestinationArn)
	if err != nil {
		return invalidParameter("Invalid destinationArn: %s", *in.DestinationArn) // our text
	}
	switch a.Service {
	case "kinesis", "firehose", "logs", "es":
		return notImplemented(c.Operation, "destinationArn of "+a.Service)
	case "lambda":
	default:
		return invalidParameter("PutSubscriptionFilter operation cannot work with destinationArn for vendor %s", a.Service)
	}
	function, ok := strings.CutPrefix(a.Resource, "function:")
	name, _, _ := strings.Cut(function, ":")
	switch {
	case !ok || name == "" || a.AccountID != c.Account || a.Region != c.Region: // API_PutSubscriptionFilter: of the same account
		return notExecutable()
	case in.RoleArn != nil: // fatalito, cloudtools/troposphere#413
		return invalidParameter("destinationArn for vendor lambda cannot be used with roleArn")
	case *in.LogGroupName == "/aws/lambda/"+name: // amplify-education/serverless-log-forwarding#13
		return invalidParameter("The log group provided is reserved for the function logs of the destination function.")
	}
	return nil
}

// notExecutable has AWS's text (hashicorp/terraform-provider-aws#16162).
func notExecutable() error {
	return invalidParameter("Could not execute the lambda function. " +
		"Make sure you have given CloudWatch Logs permission to execute your function.")
}

func (s *Service) deleteSubscriptionFilter(
	ctx context.Context, c *service.Call, in *sdk.DeleteSubscriptionFilterInput,
) (*sdk.DeleteSubscriptionFilterOutput, error) {
	var p problems
	p.required("filterName", in.FilterName, streamNameShape())
	if err := p.err(); err != nil {
		return nil, err
	}
	ref := byName(c, in.LogGroupName)
	return &sdk.DeleteSubscriptionFilterOutput{}, s.changeGroup(ctx, c, ref, func(tx store.Tx, g *group) error {
		key := g.subscriptionPrefix() + *in.FilterName
		f, err := store.GetJSON[subscriptionFilter](tx, key)
		if errors.Is(err, store.ErrNotFound) {
			return filterNotFound("subscription")
		}
		if err != nil {
			return err
		}
		g.Subscriptions--
		return errors.Join(tx.Delete(key), tx.DeletePrefix(g.line(f)))
	})
}

func (s *Service) describeSubscriptionFilters(
	ctx context.Context, c *service.Call, in *sdk.DescribeSubscriptionFiltersInput,
) (*sdk.DescribeSubscriptionFiltersOutput, error) {
	var p problems
	limit := p.within("limit", in.Limit, 1, maxDescribed, maxDescribed)
	p.optional("filterNamePrefix", in.FilterNamePrefix, streamNameShape())
	if err := p.err(); err != nil {
		return nil, err
	}
	after, err := pageStart(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeSubscriptionFiltersOutput{SubscriptionFilters: []types.SubscriptionFilter{}}
	err = s.db.View(ctx, func(r store.Reader) error {
		g, err := loadGroup(r, c, byName(c, in.LogGroupName))
		if err != nil {
			return err
		}
		filters, err := subscriptions(r, g, aws.ToString(in.FilterNamePrefix))
		for _, f := range filters {
			if f.Name <= after {
				continue
			}
			if len(out.SubscriptionFilters) == limit {
				out.NextToken = pageToken(*out.SubscriptionFilters[limit-1].FilterName)
				break
			}
			out.SubscriptionFilters = append(out.SubscriptionFilters, types.SubscriptionFilter{
				FilterName: aws.String(f.Name), FilterPattern: aws.String(f.Pattern), LogGroupName: in.LogGroupName,
				DestinationArn: aws.String(f.Destination), Distribution: f.Distribution, CreationTime: aws.Int64(f.Created),
			})
		}
		return err
	})
	return out, err
}
