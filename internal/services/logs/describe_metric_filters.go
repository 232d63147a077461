package logs

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// describeMetricFilters shows those of one group, or of all. A page ends behind a group and a filter's name.
func (s *Service) describeMetricFilters(
	ctx context.Context, c *service.Call, in *sdk.DescribeMetricFiltersInput,
) (*sdk.DescribeMetricFiltersOutput, error) {
	var p problems
	limit := p.within("limit", in.Limit, 1, maxDescribed, maxDescribed)
	p.optional("filterNamePrefix", in.FilterNamePrefix, streamNameShape())
	p.optional("metricName", in.MetricName, metricNameShape())
	p.optional("metricNamespace", in.MetricNamespace, metricNameShape())
	if err := p.err(); err != nil {
		return nil, err
	}
	if (in.MetricName == nil) != (in.MetricNamespace == nil) {
		return nil, invalidParameter("metricName and metricNamespace must be specified together.") // our text
	}
	start, err := pageStart(in.NextToken)
	if err != nil {
		return nil, err
	}
	afterGroup, afterName, _ := strings.Cut(start, "\x00")
	out := &sdk.DescribeMetricFiltersOutput{MetricFilters: []types.MetricFilter{}}
	err = s.db.View(ctx, func(r store.Reader) error {
		groups, err := filteredGroups(r, c, in.LogGroupName)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if g.MetricFilters == 0 || g.Name < afterGroup {
				continue
			}
			filters, err := metricFilters(r, g, in)
			if err != nil {
				return err
			}
			for _, f := range filters {
				if g.Name == afterGroup && f.Name <= afterName {
					continue
				}
				if len(out.MetricFilters) == limit {
					last := out.MetricFilters[limit-1]
					out.NextToken = pageToken(*last.LogGroupName + "\x00" + *last.FilterName)
					return nil
				}
				out.MetricFilters = append(out.MetricFilters, wireMetricFilter(g, f))
			}
		}
		return nil
	})
	return out, err
}

// filteredGroups are the group of a name, or all that the caller has.
func filteredGroups(r store.Reader, c *service.Call, name *string) ([]group, error) {
	if name != nil {
		g, err := loadGroup(r, c, byName(c, name))
		return []group{g}, err
	}
	items, err := r.Scan(scopePrefix(c.Account, c.Region), "", 0)
	if err != nil {
		return nil, err
	}
	groups := make([]group, len(items))
	for i, item := range items {
		if groups[i], err = store.DecodeJSON[group](item); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// metricFilters are those of a group that the input asks for. A prefix counts only with the name of a group
// (API_DescribeMetricFilters).
func metricFilters(r store.Reader, g group, in *sdk.DescribeMetricFiltersInput) ([]metricFilter, error) {
	prefix := g.metricPrefix()
	if in.LogGroupName != nil {
		prefix += aws.ToString(in.FilterNamePrefix)
	}
	items, err := r.Scan(prefix, "", 0)
	if err != nil {
		return nil, err
	}
	var found []metricFilter
	for _, item := range items {
		f, err := store.DecodeJSON[metricFilter](item)
		if err != nil {
			return nil, err
		}
		t := f.Transformation
		if in.MetricName == nil || *in.MetricName == *t.MetricName && *in.MetricNamespace == *t.MetricNamespace {
			found = append(found, f)
		}
	}
	return found, nil
}

func wireMetricFilter(g group, f metricFilter) types.MetricFilter {
	return types.MetricFilter{
		FilterName: aws.String(f.Name), FilterPattern: aws.String(f.Pattern), LogGroupName: aws.String(g.Name),
		CreationTime: aws.Int64(f.Created), MetricTransformations: []types.MetricTransformation{f.Transformation},
	}
}
