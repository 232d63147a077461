package logs

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awserr"
)

// attempt is a call that a table makes later.
type attempt func(context.Context) error

func do[In, Out any](op func(context.Context, *In, ...func(*sdk.Options)) (*Out, error), in In) attempt {
	return func(ctx context.Context) error { _, err := op(ctx, &in); return err }
}

const (
	invalid  = "InvalidParameterException"
	notFound = "ResourceNotFoundException"
	notYet   = "NotImplemented"
)

// refusal is a call with the error it gets; none if code is "".
type refusal struct {
	call attempt
	code string
	text string
}

func (s *server) check(rows []refusal) {
	s.Helper()
	for _, row := range rows {
		if err := row.call(s.Context()); row.code != "" {
			s.fails(err, row.code, row.text)
		} else if err != nil {
			s.Error(err)
		}
	}
}

func TestGroupErrors(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	g, str := aws.String("g"), aws.String
	create := func(in sdk.CreateLogGroupInput) attempt { return do(s.client.CreateLogGroup, in) }
	groups := func(in sdk.DescribeLogGroupsInput) attempt { return do(s.client.DescribeLogGroups, in) }
	streams := func(in sdk.DescribeLogStreamsInput) attempt {
		in.LogGroupName = g
		return do(s.client.DescribeLogStreams, in)
	}
	s.check([]refusal{
		{create(sdk.CreateLogGroupInput{LogGroupName: str("a b")}), invalid, "1 validation error detected: Value 'a b' at " +
			`'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`},
		{create(sdk.CreateLogGroupInput{LogGroupName: str(strings.Repeat("a", 513))}), invalid, "length less than or equal to 512"},
		{create(sdk.CreateLogGroupInput{LogGroupName: str(strings.Repeat(":", 513))}), invalid, "2 validation errors detected: "},
		{create(sdk.CreateLogGroupInput{LogGroupName: str("x"), KmsKeyId: str("k")}), notYet, "kmsKeyId"},
		{create(sdk.CreateLogGroupInput{LogGroupName: str("x"), LogGroupClass: "DELIVERY"}), notYet, "DELIVERY"},
		{groups(sdk.DescribeLogGroupsInput{Limit: aws.Int32(51)}), invalid, "less than or equal to 50"},
		{groups(sdk.DescribeLogGroupsInput{NextToken: str("?")}), invalid, "The specified nextToken is invalid."},
		{groups(sdk.DescribeLogGroupsInput{LogGroupNamePrefix: g, LogGroupNamePattern: g}), invalid, "mutually exclusive parameters."},
		{groups(sdk.DescribeLogGroupsInput{IncludeLinkedAccounts: aws.Bool(true)}), notYet, "includeLinkedAccounts"},
		{do(s.client.ListLogGroups, sdk.ListLogGroupsInput{LogGroupNamePattern: str("a.*")}), invalid, "regular expression pattern"},
		{do(s.client.ListLogGroups, sdk.ListLogGroupsInput{FieldIndexNames: []string{"x"}}), notYet, "fieldIndexNames"},
		{streams(sdk.DescribeLogStreamsInput{OrderBy: "x"}), invalid, "enum value set: [LogStreamName, LastEventTime]"},
		{streams(sdk.DescribeLogStreamsInput{OrderBy: "LastEventTime", LogStreamNamePrefix: g}), invalid,
			"Cannot order by LastEventTime with a logStreamNamePrefix."},
		{do(s.client.PutRetentionPolicy, sdk.PutRetentionPolicyInput{LogGroupName: g, RetentionInDays: aws.Int32(2)}), invalid, "retention"},
		{do(s.client.ListTagsForResource, sdk.ListTagsForResourceInput{
			ResourceArn: str("arn:aws:logs:us-east-1:111111111111:log-group:g:*"),
		}), invalid, "is not the ARN of a log group"},
	})
}

func TestPutErrors(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	event := func(ms int64, message string) types.InputLogEvent {
		return types.InputLogEvent{Timestamp: at(ms), Message: &message}
	}
	put := func(events ...types.InputLogEvent) attempt {
		return do(s.client.PutLogEvents, sdk.PutLogEventsInput{
			LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: events,
		})
	}
	half := strings.Repeat("x", 1<<19-eventOverhead)
	s.check([]refusal{
		{put(event(2, "a"), event(1, "b")), invalid, "Log events in a single PutLogEvents request must be in chronological order."},
		{put(event(-86400_001, "a"), event(0, "b")), invalid,
			"The batch of log events in a single PutLogEvents request cannot span more than 24 hours."},
		{put(event(-86400_000, "a"), event(0, "b")), "", ""},
		{put(event(0, "")), invalid, "Value '' at 'logEvents.1.member.message' failed to satisfy constraint: Member must have length"},
		{put(make([]types.InputLogEvent, 0)...), invalid, "'logEvents'"},
		{put(slices.Repeat([]types.InputLogEvent{event(0, "x")}, 10_001)...), invalid, "have length less than or equal to 10000"},
		{put(types.InputLogEvent{Timestamp: aws.Int64(-1), Message: aws.String("x")}), invalid, "greater than or equal to 0"},
		{put(event(0, half), event(0, half)), "", ""},
		{put(event(0, half), event(0, half+"x")), invalid, "Upload too large: 1048577 bytes exceeds limit of 1048576"},
		{put(event(0, half+half+strings.Repeat("x", eventOverhead+1))), invalid,
			"Log event too large: 1048577 bytes exceeds limit of 1048576"},
	})
}

func TestReadErrors(t *testing.T) {
	s := newServer(t)
	s.make("g", "s")
	g, str := aws.String("g"), aws.String
	get := func(in sdk.GetLogEventsInput) attempt {
		in.LogStreamName = str("s")
		return do(s.client.GetLogEvents, in)
	}
	byID := func(id string) attempt { return get(sdk.GetLogEventsInput{LogGroupIdentifier: &id}) }
	filter := func(in sdk.FilterLogEventsInput) attempt {
		in.LogGroupName = g
		return do(s.client.FilterLogEvents, in)
	}
	s.check([]refusal{
		{get(sdk.GetLogEventsInput{LogGroupName: str("none")}), notFound, "The specified log group does not exist."},
		{get(sdk.GetLogEventsInput{LogGroupName: g, NextToken: str("x/1")}), invalid, "The specified nextToken is invalid."},
		{get(sdk.GetLogEventsInput{LogGroupName: g, NextToken: str("f/1")}), invalid, "The specified nextToken is invalid."},
		{get(sdk.GetLogEventsInput{LogGroupName: g, Limit: aws.Int32(0)}), invalid, "Value '0' at 'limit'"},
		{get(sdk.GetLogEventsInput{LogGroupName: g, Limit: aws.Int32(10001)}), invalid, "less than or equal to 10000"},
		{get(sdk.GetLogEventsInput{LogGroupName: g, LogGroupIdentifier: g}), invalid, "mutually exclusive"},
		{get(sdk.GetLogEventsInput{}), invalid, "logGroupIdentifier"},
		{byID("g"), "", ""},
		{byID("arn:aws:logs:us-east-1:111111111111:log-group:g"), "", ""},
		{byID("arn:aws:logs:eu-west-1:111111111111:log-group:g"), notFound, "log group"},
		{byID("arn:aws:logs:us-east-1:222222222222:log-group:g"), notFound, "log group"},
		{byID("arn:aws:iam::111111111111:role/g"), invalid, "is not the ARN of a log group"},
		{filter(sdk.FilterLogEventsInput{FilterPattern: str("a:b")}), invalid, "Invalid character(s) in term ':'"},
		{filter(sdk.FilterLogEventsInput{FilterPattern: str(strings.Repeat("a", 1025))}), invalid, "length less than or equal to 1024"},
		{filter(sdk.FilterLogEventsInput{LogStreamNames: []string{"s"}, LogStreamNamePrefix: g}), invalid, "mutually exclusive"},
		{filter(sdk.FilterLogEventsInput{LogStreamNames: []string{"none"}}), notFound, "The specified log stream does not exist."},
		{filter(sdk.FilterLogEventsInput{StartFromHead: aws.Bool(false)}), invalid, "2024"},
		{filter(sdk.FilterLogEventsInput{NextToken: str("no")}), invalid, "The specified nextToken is invalid."},
	})
}

// Every row of the table asks for the resource that AWS names in its denials.
func TestNeeds(t *testing.T) {
	s := newServer(t)
	g, st := aws.String("g"), aws.String("s")
	const prefix = "arn:aws:logs:us-east-1:111111111111:log-group:"
	arn := aws.String(prefix + "g")
	tags := map[string]string{"team": "x"}
	events := []types.InputLogEvent{{Timestamp: at(0), Message: st}}
	const tagged, requested = " aws:ResourceTag/team=x", " aws:RequestTag/team=x aws:TagKeys=team"
	rows := []struct {
		call attempt
		want []string
	}{
		{do(s.client.CreateLogGroup, sdk.CreateLogGroupInput{LogGroupName: g, Tags: tags}),
			[]string{"logs:CreateLogGroup g:log-stream:" + tagged + requested, "logs:TagResource g" + tagged + requested}},
		{do(s.client.CreateLogStream, sdk.CreateLogStreamInput{LogGroupName: g, LogStreamName: st}),
			[]string{"logs:CreateLogStream g:log-stream:s" + tagged}},
		{do(s.client.PutLogEvents, sdk.PutLogEventsInput{LogGroupName: g, LogStreamName: st, LogEvents: events}),
			[]string{"logs:PutLogEvents g:log-stream:s" + tagged}},
		{do(s.client.DescribeLogGroups, sdk.DescribeLogGroupsInput{LogGroupNamePrefix: g}),
			[]string{"logs:DescribeLogGroups :log-stream:"}},
		{do(s.client.ListLogGroups, sdk.ListLogGroupsInput{}), []string{"logs:ListLogGroups *"}},
		{do(s.client.DescribeLogStreams, sdk.DescribeLogStreamsInput{LogGroupIdentifier: g}),
			[]string{"logs:DescribeLogStreams g:log-stream:" + tagged}},
		{do(s.client.GetLogEvents, sdk.GetLogEventsInput{LogGroupIdentifier: arn, LogStreamName: st, Unmask: true}),
			[]string{"logs:GetLogEvents g:log-stream:s" + tagged, "logs:Unmask g:log-stream:s" + tagged}},
		{do(s.client.FilterLogEvents, sdk.FilterLogEventsInput{LogGroupName: g, Unmask: true}),
			[]string{"logs:FilterLogEvents g:log-stream:" + tagged, "logs:Unmask g:log-stream:" + tagged}},
		{do(s.client.PutRetentionPolicy, sdk.PutRetentionPolicyInput{LogGroupName: g, RetentionInDays: aws.Int32(1)}),
			[]string{"logs:PutRetentionPolicy g:log-stream:" + tagged}},
		{do(s.client.DeleteRetentionPolicy, sdk.DeleteRetentionPolicyInput{LogGroupName: g}),
			[]string{"logs:DeleteRetentionPolicy g:log-stream:" + tagged}},
		{do(s.client.TagResource, sdk.TagResourceInput{ResourceArn: arn, Tags: tags}),
			[]string{"logs:TagResource g" + tagged + requested}},
		{do(s.client.ListTagsForResource, sdk.ListTagsForResourceInput{ResourceArn: arn}),
			[]string{"logs:ListTagsForResource g" + tagged}},
		{do(s.client.UntagResource, sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"team"}}),
			[]string{"logs:UntagResource g" + tagged + " aws:TagKeys=team"}},
		//lint:ignore SA1019 clients may still call it
		{do(s.client.TagLogGroup, sdk.TagLogGroupInput{LogGroupName: g, Tags: tags}),
			[]string{"logs:TagLogGroup g:log-stream:" + requested}},
		//lint:ignore SA1019 clients may still call it
		{do(s.client.ListTagsLogGroup, sdk.ListTagsLogGroupInput{LogGroupName: g}), []string{"logs:ListTagsLogGroup g:log-stream:" + tagged}},
		//lint:ignore SA1019 clients may still call it
		{do(s.client.UntagLogGroup, sdk.UntagLogGroupInput{LogGroupName: g, Tags: []string{"team"}}),
			[]string{"logs:UntagLogGroup g:log-stream:" + tagged + " aws:TagKeys=team"}},
		{do(s.client.PutMetricFilter, sdk.PutMetricFilterInput{LogGroupName: g, FilterName: st, FilterPattern: st,
			MetricTransformations: []types.MetricTransformation{metric("m")}}), []string{"logs:PutMetricFilter g:log-stream:"}},
		{do(s.client.DescribeMetricFilters, sdk.DescribeMetricFiltersInput{LogGroupName: g}), []string{"logs:DescribeMetricFilters g:log-stream:"}},
		{do(s.client.DescribeMetricFilters, sdk.DescribeMetricFiltersInput{}), []string{"logs:DescribeMetricFilters :log-stream:"}},
		{do(s.client.TestMetricFilter, sdk.TestMetricFilterInput{FilterPattern: st, LogEventMessages: []string{"x"}}),
			[]string{"logs:TestMetricFilter *"}},
		{do(s.client.DeleteMetricFilter, sdk.DeleteMetricFilterInput{LogGroupName: g, FilterName: st}),
			[]string{"logs:DeleteMetricFilter g:log-stream:"}},
		{do(s.client.PutSubscriptionFilter, sdk.PutSubscriptionFilterInput{LogGroupName: g, FilterName: st, FilterPattern: st,
			DestinationArn: aws.String(someFunction)}), []string{"logs:PutSubscriptionFilter g:log-stream:"}},
		{do(s.client.DescribeSubscriptionFilters, sdk.DescribeSubscriptionFiltersInput{LogGroupName: g}),
			[]string{"logs:DescribeSubscriptionFilters g:log-stream:"}},
		{do(s.client.DeleteSubscriptionFilter, sdk.DeleteSubscriptionFilterInput{LogGroupName: g, FilterName: st}),
			[]string{"logs:DeleteSubscriptionFilter g:log-stream:"}},
		{do(s.client.PutLogGroupDeletionProtection, sdk.PutLogGroupDeletionProtectionInput{
			LogGroupIdentifier: arn, DeletionProtectionEnabled: aws.Bool(false),
		}), []string{"logs:PutLogGroupDeletionProtection g:log-stream:"}},
		{func(ctx context.Context) error {
			return s.tail(ctx, sdk.StartLiveTailInput{LogGroupIdentifiers: []string{*arn}})
		},
			[]string{"logs:StartLiveTail g:log-stream:"}},
		{do(s.client.DeleteLogStream, sdk.DeleteLogStreamInput{LogGroupName: g, LogStreamName: st}),
			[]string{"logs:DeleteLogStream g:log-stream:s"}},
		{do(s.client.DeleteLogGroup, sdk.DeleteLogGroupInput{LogGroupName: g}), []string{"logs:DeleteLogGroup g:log-stream:"}},
	}
	tested := map[string]bool{}
	for _, row := range rows {
		if err := row.call(t.Context()); err != nil {
			t.Error(err)
		}
		tested[strings.Fields(row.want[0])[0]] = true
		var got []string
		for _, n := range s.needs {
			got = append(got, strings.Replace(n, prefix, "", 1))
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("needs (-want +got):\n%s", diff)
		}
	}
	for _, op := range s.service.Operations {
		if !op.Later && !tested["logs:"+op.Name] { // those that come later are in TestNeedsAreAWSs of cmd/licet
			t.Errorf("%s is not tested", op.Name)
		}
	}
}

func TestDenial(t *testing.T) {
	s := newServer(t)
	var e *awserr.Error
	if !errors.As(s.service.Denial("no"), &e) {
		t.Fatal("the denial is not for clients")
	}
	w := httptest.NewRecorder()
	s.service.Codec.EncodeError(w, e, "request")
	if w.Code != 400 || !bytes.Contains(w.Body.Bytes(), []byte("AccessDeniedException")) {
		t.Errorf("denial: %d %s", w.Code, w.Body)
	}
}
