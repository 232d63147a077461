package logs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
)

// maxTestMessages is the largest number of logEventMessages (API_TestMetricFilter).
const maxTestMessages = 50

func (s *Service) testMetricFilter(
	_ context.Context, _ *service.Call, in *sdk.TestMetricFilterInput,
) (*sdk.TestMetricFilterOutput, error) {
	var p problems
	p.requiredPattern(in.FilterPattern)
	switch n := len(in.LogEventMessages); {
	case in.LogEventMessages == nil:
		p.addNull("logEventMessages")
	case n == 0:
		p.add("logEventMessages", "[]", "have length greater than or equal to 1")
	case n > maxTestMessages:
		p.add("logEventMessages", "[...]", fmt.Sprintf("have length less than or equal to %d", maxTestMessages))
	}
	for i, message := range in.LogEventMessages {
		if message == "" {
			p.add(fmt.Sprintf("logEventMessages.%d.member", i+1), "", "have length greater than or equal to 1")
		}
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	parsed, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	out := &sdk.TestMetricFilterOutput{Matches: []types.MetricFilterMatchRecord{}}
	for i, message := range in.LogEventMessages {
		if parsed.Match(message) {
			out.Matches = append(out.Matches, types.MetricFilterMatchRecord{
				EventNumber: int64(i), EventMessage: aws.String(message), ExtractedValues: extracted(parsed.Fields(message)),
			})
		}
	}
	return out, nil
}

// extracted puts the dollar before names by which metric filters use values.
func extracted(fields map[string]string) map[string]string {
	values := make(map[string]string, len(fields))
	for name, value := range fields {
		values["$"+name] = value
	}
	return values
}
