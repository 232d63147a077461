package logs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// groups gives the names of groups, page by page.
func (s *server) groups(in sdk.DescribeLogGroupsInput) string {
	s.Helper()
	return s.pages(func(token *string) (string, *string) {
		in.NextToken = token
		out := must(s.client.DescribeLogGroups(s.Context(), &in))(s)
		var names []string
		for _, g := range out.LogGroups {
			names = append(names, *g.LogGroupName)
		}
		return strings.Join(names, " "), out.NextToken
	})
}

func TestDescribeLogGroups(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"b", "/aws/lambda/x", "/aws/lambda/y", "B#_.-1"} {
		s.make(name)
	}
	_, err := s.client.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: aws.String("b")})
	s.fails(err, "ResourceAlreadyExistsException", "The specified log group already exists")
	type input = sdk.DescribeLogGroupsInput
	for _, test := range []struct {
		name string
		in   input
		want string
	}{
		{"all", input{}, "/aws/lambda/x /aws/lambda/y B#_.-1 b"},
		{"pages", input{Limit: aws.Int32(2)}, "/aws/lambda/x /aws/lambda/y|B#_.-1 b"},
		{"prefix, pages", input{LogGroupNamePrefix: aws.String("/aws/"), Limit: aws.Int32(1)}, "/aws/lambda/x|/aws/lambda/y"},
		{"prefix, full page", input{LogGroupNamePrefix: aws.String("/aws/"), Limit: aws.Int32(2)}, "/aws/lambda/x /aws/lambda/y"},
		{"pattern", input{LogGroupNamePattern: aws.String("lambda/y")}, "/aws/lambda/y"},
		{"pattern in other case", input{LogGroupNamePattern: aws.String("LAMBDA")}, ""},
		{"identifiers", input{LogGroupIdentifiers: []string{
			"b", "arn:aws:logs:us-east-1:111111111111:log-group:/aws/lambda/y",
		}}, "/aws/lambda/y b"},
		{"class", input{LogGroupClass: types.LogGroupClassDelivery}, ""},
	} {
		if got := s.groups(test.in); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}

	// The same name in another region, or of another account, is another group.
	s.call.Region = "eu-west-1"
	s.make("b")
	if got := s.groups(input{}); got != "b" {
		t.Errorf("groups of another region: %s", got)
	}
	s.call.Account = "222222222222"
	if got := s.groups(input{}); got != "" {
		t.Errorf("groups of another account: %s", got)
	}
}

func TestGroupOnTheWire(t *testing.T) {
	s := newServer(t)
	s.make("b")
	if err := s.retain("b", 7); err != nil {
		t.Fatal(err)
	}
	want := types.LogGroup{
		Arn: aws.String("arn:aws:logs:us-east-1:111111111111:log-group:b:*"), CreationTime: at(0),
		LogGroupArn: aws.String("arn:aws:logs:us-east-1:111111111111:log-group:b"), LogGroupClass: types.LogGroupClassStandard,
		LogGroupName: aws.String("b"), DeletionProtectionEnabled: aws.Bool(false), MetricFilterCount: aws.Int32(0), StoredBytes: aws.Int64(0), RetentionInDays: aws.Int32(7),
	}
	out := must(s.client.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{}))(s)
	if diff := cmp.Diff(want, out.LogGroups[0], cmpopts.IgnoreUnexported(want)); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	must(s.client.DeleteRetentionPolicy(t.Context(), &sdk.DeleteRetentionPolicyInput{LogGroupName: aws.String("b")}))(s)
	out = must(s.client.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{}))(s)
	if got := out.LogGroups[0].RetentionInDays; got != nil {
		t.Errorf("retention %d after DeleteRetentionPolicy", *got)
	}
}

func TestListLogGroups(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"/aws/lambda/a", "/aws/lambda/b", "discovery", "my-discovery", "other"} {
		s.make(name)
	}
	for pattern, want := range map[string]string{
		"": "/aws/lambda/a /aws/lambda/b|discovery my-discovery|other", "^/aws/lambda|^disc": "/aws/lambda/a /aws/lambda/b|discovery",
		"discovery": "discovery my-discovery", "none": "",
	} {
		in := &sdk.ListLogGroupsInput{Limit: aws.Int32(2)}
		if pattern != "" {
			in.LogGroupNamePattern = &pattern
		}
		got := s.pages(func(token *string) (string, *string) {
			in.NextToken = token
			out := must(s.client.ListLogGroups(t.Context(), in))(s)
			var names []string
			for _, g := range out.LogGroups {
				names = append(names, *g.LogGroupName)
			}
			return strings.Join(names, " "), out.NextToken
		})
		if got != want {
			t.Errorf("%q: %s, want %s", pattern, got, want)
		}
	}
}

func TestDeletionProtection(t *testing.T) {
	s := newServer(t)
	g := aws.String("g")
	must(s.client.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: g, DeletionProtectionEnabled: aws.Bool(true)}))(s)
	remove := func() error {
		_, err := s.client.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: g})
		return err
	}
	s.fails(remove(), "ValidationException", "deletion protection")
	out := must(s.client.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{}))(s)
	if !aws.ToBool(out.LogGroups[0].DeletionProtectionEnabled) {
		t.Error("the protection is not shown")
	}
	must(s.client.PutLogGroupDeletionProtection(t.Context(), &sdk.PutLogGroupDeletionProtectionInput{
		LogGroupIdentifier: out.LogGroups[0].LogGroupArn, DeletionProtectionEnabled: aws.Bool(false),
	}))(s)
	if err := remove(); err != nil {
		t.Error(err)
	}
}

func TestDelete(t *testing.T) {
	s := newServer(t)
	s.make("g", "s", "s2")
	s.make("g2", "s")
	s.put("g", "s", 1)
	s.put("g", "s2", 2)
	s.put("g2", "s", 3)
	remove := func() error {
		_, err := s.client.DeleteLogStream(t.Context(), &sdk.DeleteLogStreamInput{
			LogGroupName: aws.String("g"), LogStreamName: aws.String("s"),
		})
		return err
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	s.fails(remove(), "ResourceNotFoundException", "The specified log stream does not exist.")
	if got, _ := s.filter(sdk.FilterLogEventsInput{}); got != "s2:2" {
		t.Errorf("events after DeleteLogStream: %s", got)
	}
	if err := s.createStream("g", "s"); err != nil {
		t.Error(err)
	}
	if got, _, _ := s.get(sdk.GetLogEventsInput{}); got != "" {
		t.Errorf("a new stream has the events of its predecessor: %s", got)
	}

	must(s.client.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: aws.String("g")}))(s)
	_, err := s.client.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: aws.String("g")})
	s.fails(err, "ResourceNotFoundException", "The specified log group does not exist.")
	s.fails(remove(), "ResourceNotFoundException", "The specified log group does not exist.")
	s.make("g", "s")
	if got, _ := s.filter(sdk.FilterLogEventsInput{}); got != "" {
		t.Errorf("a new group has the events of its predecessor: %s", got)
	}
	out := must(s.client.FilterLogEvents(t.Context(), &sdk.FilterLogEventsInput{LogGroupName: aws.String("g2")}))(s)
	if len(out.Events) != 1 {
		t.Errorf("the other group has %d events, want 1", len(out.Events))
	}
}

// streams gives the names of streams of group g, page by page.
func (s *server) streams(in sdk.DescribeLogStreamsInput) string {
	s.Helper()
	in.LogGroupName = aws.String("g")
	return s.pages(func(token *string) (string, *string) {
		in.NextToken = token
		out := must(s.client.DescribeLogStreams(s.Context(), &in))(s)
		var names []string
		for _, st := range out.LogStreams {
			names = append(names, *st.LogStreamName)
		}
		return strings.Join(names, " "), out.NextToken
	})
}

func TestDescribeLogStreams(t *testing.T) {
	s := newServer(t)
	s.make("g", "c", "a/1", "[$LATEST]é", "b", "a/2")
	s.fails(s.createStream("g", "b"), "ResourceAlreadyExistsException", "The specified log stream already exists")
	s.fails(s.createStream("h", "b"), "ResourceNotFoundException", "The specified log group does not exist.")
	s.put("g", "b", 5, 9)
	s.put("g", "b", -3, 7)
	s.put("g", "a/2", 8)
	type input = sdk.DescribeLogStreamsInput
	for _, test := range []struct {
		name string
		in   input
		want string
	}{
		{"all", input{}, "[$LATEST]é a/1 a/2 b c"},
		{"descending", input{Descending: aws.Bool(true), Limit: aws.Int32(2)}, "c b|a/2 a/1|[$LATEST]é"},
		{"prefix", input{LogStreamNamePrefix: aws.String("a/"), Limit: aws.Int32(2)}, "a/1 a/2"},
		{"by time", input{OrderBy: types.OrderByLastEventTime, Limit: aws.Int32(4)}, "[$LATEST]é a/1 c a/2|b"},
		{"newest", input{OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true), Limit: aws.Int32(1)},
			"b|a/2|c|a/1|[$LATEST]é"},
	} {
		if got := s.streams(test.in); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	in := &input{LogGroupIdentifier: aws.String("arn:aws:logs:us-east-1:111111111111:log-group:g"), LogStreamNamePrefix: aws.String("b")}
	got := must(s.client.DescribeLogStreams(t.Context(), in))(s).LogStreams[0]
	want := types.LogStream{
		Arn: aws.String("arn:aws:logs:us-east-1:111111111111:log-group:g:log-stream:b"), CreationTime: at(0),
		FirstEventTimestamp: at(-3), LastEventTimestamp: at(9), LastIngestionTime: at(0),
		//lint:ignore SA1019 AWS still sends it, as zero
		LogStreamName: aws.String("b"), StoredBytes: aws.Int64(0), UploadSequenceToken: got.UploadSequenceToken,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(want)); diff != "" {
		t.Errorf("stream (-want +got):\n%s", diff)
	}
}

func TestTags(t *testing.T) {
	s := newServer(t)
	in := &sdk.CreateLogGroupInput{LogGroupName: aws.String("g"), Tags: map[string]string{"team": "x", "a": "1"}}
	must(s.client.CreateLogGroup(t.Context(), in))(s)
	arn := aws.String("arn:aws:logs:us-east-1:111111111111:log-group:g")
	must(s.client.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"b": "2"}}))(s)
	must(s.client.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a", "none"}}))(s)
	out := must(s.client.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: arn}))(s)
	if diff := cmp.Diff(map[string]string{"team": "x", "b": "2"}, out.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	many := map[string]string{}
	for i := range 49 {
		many[fmt.Sprint(i)] = ""
	}
	_, err := s.client.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: arn, Tags: many})
	s.fails(err, "TooManyTagsException", "50")
}
