package logs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

const (
	// maxDescribed is the largest page of the two Describe operations, and its usual size.
	maxDescribed = 50
	// maxIdentifiers is the largest number of logGroupIdentifiers.
	maxIdentifiers = 50
)

func (s *Service) describeLogGroups(
	ctx context.Context, c *service.Call, in *sdk.DescribeLogGroupsInput,
) (*sdk.DescribeLogGroupsOutput, error) {
	limit, err := checkDescribeLogGroups(c, in)
	if err != nil {
		return nil, err
	}
	after, err := pageStart(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}
	err = s.db.View(ctx, func(r store.Reader) error {
		for {
			items, err := r.Scan(scopePrefix(c.Account, c.Region)+aws.ToString(in.LogGroupNamePrefix), after, maxDescribed+1)
			if err != nil {
				return err
			}
			for _, item := range items {
				g, err := store.DecodeJSON[group](item)
				if err != nil {
					return err
				}
				if !isDescribed(g, in) {
					after = item.Key
					continue
				}
				if len(out.LogGroups) == limit {
					out.NextToken = pageToken(after)
					return nil
				}
				size, err := g.size(r)
				if err != nil {
					return err
				}
				out.LogGroups = append(out.LogGroups, wireGroup(c, g, size, in.LogGroupNamePattern != nil))
				after = item.Key
			}
			if len(items) <= maxDescribed {
				return nil
			}
		}
	})
	return out, err
}

func checkDescribeLogGroups(c *service.Call, in *sdk.DescribeLogGroupsInput) (limit int, err error) {
	var p problems
	limit = p.within("limit", in.Limit, 1, maxDescribed, maxDescribed)
	p.optional("logGroupNamePrefix", in.LogGroupNamePrefix, groupNameShape())
	if in.LogGroupNamePattern != nil && *in.LogGroupNamePattern != "" {
		p.optional("logGroupNamePattern", in.LogGroupNamePattern, groupPatternShape())
	}
	for i, id := range in.LogGroupIdentifiers {
		p.optional(fmt.Sprintf("logGroupIdentifiers.%d.member", i+1), &id, groupIdentifierShape())
	}
	if len(in.LogGroupIdentifiers) > maxIdentifiers {
		p.add("logGroupIdentifiers", fmt.Sprint(in.LogGroupIdentifiers),
			fmt.Sprintf("have length less than or equal to %d", maxIdentifiers))
	}
	if err := p.err(); err != nil {
		return 0, err
	}
	switch {
	case in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil:
		return 0, invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	case aws.ToBool(in.IncludeLinkedAccounts):
		return 0, notImplemented(c.Operation, "includeLinkedAccounts")
	case len(in.AccountIdentifiers) > 0:
		return 0, notImplemented(c.Operation, "accountIdentifiers")
	}
	return limit, nil
}

// isDescribed tells whether the filters of the input other than the prefix let a group through.
func isDescribed(g group, in *sdk.DescribeLogGroupsInput) bool {
	if in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard {
		return false
	}
	named := func(id string) bool { return id == g.Name || strings.HasSuffix(id, ":log-group:"+g.Name) }
	if in.LogGroupIdentifiers != nil && !slices.ContainsFunc(in.LogGroupIdentifiers, named) {
		return false
	}
	return strings.Contains(g.Name, aws.ToString(in.LogGroupNamePattern))
}

// wireGroup is a group as AWS shows it; short leaves out what a search by pattern does not give.
func wireGroup(c *service.Call, g group, size int64, short bool) types.LogGroup {
	arn := groupARN(c, byName(c, &g.Name))
	w := types.LogGroup{Arn: aws.String(arn + ":*"), CreationTime: aws.Int64(g.Created), LogGroupName: aws.String(g.Name)}
	if short {
		return w
	}
	w.LogGroupArn = aws.String(arn)
	w.DeletionProtectionEnabled = aws.Bool(g.Protected)
	w.LogGroupClass = types.LogGroupClassStandard
	w.MetricFilterCount = aws.Int32(g.MetricFilters)
	w.StoredBytes = aws.Int64(size)
	if g.RetentionDays != 0 {
		w.RetentionInDays = aws.Int32(g.RetentionDays)
	}
	return w
}
