package logs

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func (s *server) putMetric(group, name, pattern string, t types.MetricTransformation) error {
	_, err := s.client.PutMetricFilter(s.Context(), &sdk.PutMetricFilterInput{
		LogGroupName: &group, FilterName: &name, FilterPattern: &pattern, MetricTransformations: []types.MetricTransformation{t},
	})
	return err
}

// metric is a transformation with a name.
func metric(name string) types.MetricTransformation {
	return types.MetricTransformation{MetricName: &name, MetricNamespace: aws.String("space"), MetricValue: aws.String("1")}
}

func TestMetricFilters(t *testing.T) {
	s := newServer(t)
	s.make("g")
	s.make("h")
	for _, f := range [][2]string{{"g", "b"}, {"g", "a"}, {"h", "a"}, {"g", "a2"}} {
		if err := s.putMetric(f[0], f[1], "ERROR", metric("m-"+f[1])); err != nil {
			t.Fatal(err)
		}
	}
	s.call.Time = now.Add(1)
	changed := metric("other")
	changed.MetricValue, changed.Unit, changed.Dimensions = aws.String("$.size"), types.StandardUnitBytes, map[string]string{"d": "$.d"}
	if err := s.putMetric("g", "a", "{ $.size > 0 }", changed); err != nil {
		t.Fatal(err)
	}
	type input = sdk.DescribeMetricFiltersInput
	g := aws.String("g")
	for _, test := range []struct {
		name string
		in   input
		want string
	}{
		{"all", input{}, "g/a g/a2 g/b h/a"},
		{"pages", input{Limit: aws.Int32(3)}, "g/a g/a2 g/b|h/a"},
		{"small pages", input{Limit: aws.Int32(1)}, "g/a|g/a2|g/b|h/a"},
		{"of a group", input{LogGroupName: g}, "g/a g/a2 g/b"},
		{"with a prefix", input{LogGroupName: g, FilterNamePrefix: aws.String("a")}, "g/a g/a2"},
		{"a prefix without a group", input{FilterNamePrefix: aws.String("a")}, "g/a g/a2 g/b h/a"},
		{"of a metric", input{MetricName: aws.String("m-a"), MetricNamespace: aws.String("space")}, "h/a"},
		{"of a metric elsewhere", input{MetricName: aws.String("m-a"), MetricNamespace: aws.String("x")}, ""},
	} {
		got := s.pages(func(token *string) (string, *string) {
			test.in.NextToken = token
			out := must(s.client.DescribeMetricFilters(t.Context(), &test.in))(s)
			var names []string
			for _, f := range out.MetricFilters {
				names = append(names, *f.LogGroupName+"/"+*f.FilterName)
			}
			return strings.Join(names, " "), out.NextToken
		})
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	first := must(s.client.DescribeMetricFilters(t.Context(), &input{Limit: aws.Int32(1)}))(s).MetricFilters[0]
	want := types.MetricFilter{
		FilterName: aws.String("a"), FilterPattern: aws.String("{ $.size > 0 }"), LogGroupName: g, CreationTime: at(0),
		MetricTransformations: []types.MetricTransformation{changed},
	}
	if diff := cmp.Diff(want, first, cmpopts.IgnoreUnexported(want, changed)); diff != "" {
		t.Errorf("filter (-want +got):\n%s", diff)
	}
	remove := func() error {
		_, err := s.client.DeleteMetricFilter(t.Context(), &sdk.DeleteMetricFilterInput{LogGroupName: g, FilterName: aws.String("a")})
		return err
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	s.fails(remove(), notFound, "The specified metric filter does not exist.")
	groups := must(s.client.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{}))(s)
	if n := *groups.LogGroups[0].MetricFilterCount; n != 2 {
		t.Errorf("%d metric filters are counted, want 2", n)
	}
}

func TestMetricFilterErrors(t *testing.T) {
	s := newServer(t)
	s.make("g")
	put := func(pattern string, change func(*types.MetricTransformation)) attempt {
		m := metric("m")
		change(&m)
		return func(context.Context) error { return s.putMetric("g", "f", pattern, m) }
	}
	none := func(*types.MetricTransformation) {}
	dimensions := func(d map[string]string) func(*types.MetricTransformation) {
		return func(m *types.MetricTransformation) { m.Dimensions = d }
	}
	value := func(v string) func(*types.MetricTransformation) {
		return func(m *types.MetricTransformation) { m.MetricValue = &v }
	}
	s.check([]refusal{
		{put("x", none), "", ""},
		{put("a:b", none), invalid, "Invalid character(s) in term ':'"},
		{put("x", dimensions(map[string]string{"a": "$.a"})), invalid, "The specified filter pattern does not support dimensions"},
		{put("{ $.a = 1 }", dimensions(map[string]string{"a": "$.a", "b": "$.b", "c": "$.c", "d": "$.d"})), invalid, "no more than 3"},
		{put("{ $.a = 1 }", dimensions(map[string]string{"a": "x"})), invalid, "does not extract"},
		{put("[a, b]", dimensions(map[string]string{"a": "$b"})), "", ""},
		{put("[a, b]", func(m *types.MetricTransformation) {
			m.Dimensions, m.DefaultValue = map[string]string{"a": "$b"}, aws.Float64(0)
		}), invalid, "Invalid metric transformation: dimensions and default value are mutually exclusive properties"},
		{put("x", value("$.a")), invalid, "neither a number nor extracted"},
		{put("[a]", value("$a")), "", ""},
		{put("x", value("-1.5")), "", ""},
		{put("x", value(strings.Repeat("1", 101))), invalid, "length less than or equal to 100"},
		{put("x", func(m *types.MetricTransformation) { m.MetricName = aws.String("a:b") }), invalid, "regular expression pattern: [^:*$]*"},
		{put("x", func(m *types.MetricTransformation) { m.Unit = "x" }), invalid, "enum value set"},
		{do(s.client.DescribeMetricFilters, sdk.DescribeMetricFiltersInput{MetricName: aws.String("a")}), invalid, "together"},
		{do(s.client.TestMetricFilter, sdk.TestMetricFilterInput{FilterPattern: aws.String("x"), LogEventMessages: make([]string, 51)}), invalid,
			"have length less than or equal to 50"},
	})
	for i := range maxRegexFilters + 1 {
		err := s.putMetric("g", fmt.Sprint("regex", i), "%x%", metric("m"))
		if i < maxRegexFilters && err != nil {
			t.Fatal(err)
		}
		if i == maxRegexFilters {
			s.fails(err, "LimitExceededException", "Resource limit exceeded.")
		}
	}
	if err := s.putMetric("g", "regex0", "%y%", metric("m")); err != nil {
		t.Errorf("a filter with a regular expression cannot be changed: %v", err)
	}
}

func TestTestMetricFilter(t *testing.T) {
	s := newServer(t)
	out := must(s.client.TestMetricFilter(t.Context(), &sdk.TestMetricFilterInput{
		FilterPattern: aws.String("[ip, user, status = 4*, size]"), LogEventMessages: []string{"1.2.3.4 a 200 5", "1.2.3.4 b 404 7"},
	}))(s)
	want := []types.MetricFilterMatchRecord{{
		EventMessage: aws.String("1.2.3.4 b 404 7"), EventNumber: 1,
		ExtractedValues: map[string]string{"$ip": "1.2.3.4", "$user": "b", "$status": "404", "$size": "7"},
	}}
	if diff := cmp.Diff(want, out.Matches, cmpopts.IgnoreUnexported(want[0])); diff != "" {
		t.Errorf("matches (-want +got):\n%s", diff)
	}
}
