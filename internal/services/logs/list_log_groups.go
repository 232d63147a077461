package logs

import (
	"context"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// maxListed is the largest page of ListLogGroups; usualListed its usual size (API_ListLogGroups).
const (
	maxListed   = 1000
	usualListed = 50
)

// namePattern is the shape of logGroupNamePattern (API_ListLogGroups): every such text is a regular expression of Go's, too.
const namePattern = `(\^?[\.\-_\/#A-Za-z0-9]{3,24})(\|\^?[\.\-_\/#A-Za-z0-9]{3,24}){0,4}`

var isNamePattern = regexp.MustCompile(`^` + namePattern + `$`)

func (s *Service) listLogGroups(
	ctx context.Context, c *service.Call, in *sdk.ListLogGroupsInput,
) (*sdk.ListLogGroupsOutput, error) {
	for member, given := range map[string]bool{
		"includeLinkedAccounts": aws.ToBool(in.IncludeLinkedAccounts), "accountIdentifiers": len(in.AccountIdentifiers) > 0,
		"dataSources": len(in.DataSources) > 0, "fieldIndexNames": len(in.FieldIndexNames) > 0, "logGroupTags": len(in.LogGroupTags) > 0,
	} {
		if given {
			return nil, notImplemented(c.Operation, member)
		}
	}
	var p problems
	limit := p.within("limit", in.Limit, 1, maxListed, usualListed)
	name := aws.ToString(in.LogGroupNamePattern)
	if in.LogGroupNamePattern != nil && !isNamePattern.MatchString(name) {
		p.add("logGroupNamePattern", name, "satisfy regular expression pattern: "+namePattern)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	after, err := pageStart(in.NextToken)
	if err != nil {
		return nil, err
	}
	means, err := regexp.Compile(name)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListLogGroupsOutput{LogGroups: []types.LogGroupSummary{}}
	return out, s.db.View(ctx, func(r store.Reader) error {
		items, err := r.Scan(scopePrefix(c.Account, c.Region), after, 0)
		if err != nil || in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard {
			return err
		}
		for _, item := range items {
			g, err := store.DecodeJSON[group](item)
			if err != nil {
				return err
			}
			if !means.MatchString(g.Name) {
				continue
			}
			if len(out.LogGroups) == limit {
				out.NextToken = pageToken(groupKey(byName(c, out.LogGroups[limit-1].LogGroupName)))
				return nil
			}
			out.LogGroups = append(out.LogGroups, types.LogGroupSummary{
				LogGroupArn: aws.String(groupARN(c, byName(c, &g.Name))), LogGroupName: aws.String(g.Name),
				LogGroupClass: types.LogGroupClassStandard,
			})
		}
		return nil
	})
}
