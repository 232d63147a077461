package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/logs/pattern"
	"github.com/licet/licet/internal/store"
)

// Limits (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html and API_MetricTransformation).
const (
	maxMetricFilters = 100 // of a group
	maxRegexFilters  = 5   // of a group, filters of both kinds together
	maxMetricName    = 255
	maxMetricValue   = 100
	maxDimensions    = 3
)

// metricFilter is a metric filter as it is stored. It is kept, shown and tested, but publishes nothing: there are no metrics that
// users could name, for those of the server have closed sets of labels.
type metricFilter struct {
	Name           string                     `json:"name"`
	Pattern        string                     `json:"pattern"`
	Created        int64                      `json:"created"`
	Transformation types.MetricTransformation `json:"transformation"`
}

// metricPrefix is that of a group's metric filters.
func (g group) metricPrefix() string { return "logs/metric/" + g.ID + "/" }

func (s *Service) putMetricFilter(
	ctx context.Context, c *service.Call, in *sdk.PutMetricFilterInput,
) (*sdk.PutMetricFilterOutput, error) {
	switch {
	case in.ApplyOnTransformedLogs:
		return nil, notImplemented(c.Operation, "applyOnTransformedLogs")
	case in.FieldSelectionCriteria != nil:
		return nil, notImplemented(c.Operation, "fieldSelectionCriteria")
	case len(in.EmitSystemFieldDimensions) > 0:
		return nil, notImplemented(c.Operation, "emitSystemFieldDimensions")
	}
	parsed, err := checkMetricFilter(in)
	if err != nil {
		return nil, err
	}
	f := metricFilter{
		Name: *in.FilterName, Pattern: *in.FilterPattern, Created: c.Time.UnixMilli(), Transformation: in.MetricTransformations[0],
	}
	ref := byName(c, in.LogGroupName)
	return &sdk.PutMetricFilterOutput{}, s.changeGroup(ctx, c, ref, func(tx store.Tx, g *group) error {
		key := g.metricPrefix() + f.Name
		known, err := store.GetJSON[metricFilter](tx, key)
		switch {
		case err == nil:
			f.Created = known.Created
		case !errors.Is(err, store.ErrNotFound):
			return err
		case g.MetricFilters >= maxMetricFilters:
			return limitExceeded()
		default:
			g.MetricFilters++
		}
		if err := checkRegexFilters(tx, *g, key, parsed); err != nil {
			return err
		}
		return store.PutJSON(tx, key, f)
	})
}

// checkMetricFilter checks what was not checked with the target.
func checkMetricFilter(in *sdk.PutMetricFilterInput) (*pattern.Pattern, error) {
	var p problems
	p.required("filterName", in.FilterName, streamNameShape())
	p.requiredPattern(in.FilterPattern)
	switch n := len(in.MetricTransformations); {
	case in.MetricTransformations == nil:
		p.addNull("metricTransformations")
	case n == 0:
		p.add("metricTransformations", "[]", "have length greater than or equal to 1")
	case n > 1:
		p.add("metricTransformations", "[...]", "have length less than or equal to 1")
	default:
		p.transformation(in.MetricTransformations[0])
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	parsed, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	return parsed, checkTransformation(parsed, in.MetricTransformations[0])
}

// metricNameShape is that of names and namespaces of metrics.
func metricNameShape() shape {
	return shape{maxMetricName, `[^:*$]*`, func(r rune) bool { return !strings.ContainsRune(":*$\x00", r) }}
}

// transformation checks the constraints of the model.
func (p *problems) transformation(t types.MetricTransformation) {
	const member = "metricTransformations.1.member."
	p.required(member+"metricName", t.MetricName, metricNameShape())
	p.required(member+"metricNamespace", t.MetricNamespace, metricNameShape())
	if t.MetricValue == nil {
		p.addNull(member + "metricValue")
	} else if len(*t.MetricValue) > maxMetricValue {
		p.add(member+"metricValue", *t.MetricValue, fmt.Sprintf("have length less than or equal to %d", maxMetricValue))
	}
	if t.Unit != "" && !slices.Contains(t.Unit.Values(), t.Unit) {
		p.add(member+"unit", string(t.Unit), fmt.Sprintf("satisfy enum value set: %v", t.Unit.Values()))
	}
}

// checkTransformation checks a transformation against the pattern. Texts without a comment are ours.
func checkTransformation(parsed *pattern.Pattern, t types.MetricTransformation) error {
	const invalid = "Invalid metric transformation: "
	switch {
	case len(t.Dimensions) > 0 && !parsed.HasFields() && !parsed.ReadsJSON(): // hashicorp/terraform-provider-aws#22105
		return invalidParameter("The specified filter pattern does not support dimensions")
	case len(t.Dimensions) > 0 && t.DefaultValue != nil:
		// aws-solutions-library-samples/guidance-for-claude-code-with-amazon-bedrock#632
		return invalidParameter(invalid + "dimensions and default value are mutually exclusive properties")
	case len(t.Dimensions) > maxDimensions:
		return invalidParameter(invalid+"there can be no more than %d dimensions", maxDimensions)
	}
	if _, err := strconv.ParseFloat(*t.MetricValue, 64); err != nil && !parsed.Extracts(*t.MetricValue) {
		return invalidParameter(invalid+"the metric value '%s' is neither a number nor extracted by the filter pattern", *t.MetricValue)
	}
	for name, value := range t.Dimensions {
		if name == "" || len(name) > maxMetricName || !parsed.Extracts(value) {
			return invalidParameter(invalid+"the dimension '%s' has the value '%s', which the filter pattern does not extract", name, value)
		}
	}
	return nil
}

// checkRegexFilters refuses a filter, to be kept at key, that is one too many with regular expressions. The text is ours.
func checkRegexFilters(r store.Reader, g group, key string, parsed *pattern.Pattern) error {
	if !parsed.HasRegex() {
		return nil
	}
	found := 0
	for _, prefix := range []string{g.metricPrefix(), g.subscriptionPrefix()} {
		items, err := r.Scan(prefix, "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			f, err := store.DecodeJSON[struct{ Pattern string }](item)
			if err != nil {
				return err
			}
			if other, err := pattern.Parse(f.Pattern); err == nil && other.HasRegex() && item.Key != key {
				found++
			}
		}
	}
	if found >= maxRegexFilters {
		return limitExceeded()
	}
	return nil
}

func (s *Service) deleteMetricFilter(
	ctx context.Context, c *service.Call, in *sdk.DeleteMetricFilterInput,
) (*sdk.DeleteMetricFilterOutput, error) {
	var p problems
	p.required("filterName", in.FilterName, streamNameShape())
	if err := p.err(); err != nil {
		return nil, err
	}
	ref := byName(c, in.LogGroupName)
	return &sdk.DeleteMetricFilterOutput{}, s.changeGroup(ctx, c, ref, func(tx store.Tx, g *group) error {
		key := g.metricPrefix() + *in.FilterName
		if _, err := tx.Get(key); errors.Is(err, store.ErrNotFound) {
			return filterNotFound("metric")
		} else if err != nil {
			return err
		}
		g.MetricFilters--
		return tx.Delete(key)
	})
}
