package logs

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// The ARNs that CloudWatch Logs compares with policies are those of its denials: an action on a stream is judged by
// log-group:<group>:log-stream:<stream>, an action on a group by the same with an empty stream, and DescribeLogGroups with both
// empty ("… is not authorized to perform: logs:DescribeLogGroups on resource: arn:aws:logs:…:log-group::log-stream:"). This is why
// a policy for a group must end in ":*". Tagging is the exception: there the ARN is the group's own, as the request gives it.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html

// groupRef names a group, and where it is said to be.
type groupRef struct {
	account, region, name string
}

// inScope tells whether the group is one that the call can reach.
func (g groupRef) inScope(c *service.Call) bool {
	return g.account == c.Account && g.region == c.Region
}

// byName refers to a group of the caller.
func byName(c *service.Call, name *string) groupRef {
	return groupRef{account: c.Account, region: c.Region, name: aws.ToString(name)}
}

// byEither finds a group by its name or by an identifier, which is a name or an ARN.
func byEither(c *service.Call, p *problems, name, identifier *string) (groupRef, error) {
	p.optional("logGroupName", name, groupNameShape())
	p.optional("logGroupIdentifier", identifier, groupIdentifierShape())
	if err := p.err(); err != nil {
		return groupRef{}, err
	}
	switch {
	case name != nil && identifier != nil:
		return groupRef{}, invalidParameter("LogGroup name and LogGroup identifier are mutually exclusive parameters.") // our text
	case name != nil:
		return byName(c, name), nil
	case identifier == nil:
		return groupRef{}, invalidParameter("Either logGroupName or logGroupIdentifier must be specified.") // our text
	case strings.HasPrefix(*identifier, "arn:"):
		return byARN(*identifier)
	default:
		p.required("logGroupIdentifier", identifier, groupNameShape())
		return byName(c, identifier), p.err()
	}
}

// byARN finds a group by its ARN without a trailing ":*".
func byARN(text string) (groupRef, error) {
	a, err := arn.Parse(text)
	name, ok := strings.CutPrefix(a.Resource, "log-group:")
	var p problems
	p.required("", &name, groupNameShape())
	if err != nil || !ok || a.Service != "logs" || p.err() != nil {
		return groupRef{}, invalidParameter("Invalid ARN: %s is not the ARN of a log group.", text) // our text
	}
	return groupRef{account: a.AccountID, region: a.Region, name: name}, nil
}

// logARN joins an ARN in the account and region of a group.
func logARN(c *service.Call, g groupRef, resource string) string {
	return arn.ARN{Partition: c.Partition, Service: "logs", Region: g.region, AccountID: g.account, Resource: resource}.String()
}

// groupARN is the group's own ARN.
func groupARN(c *service.Call, g groupRef) string { return logARN(c, g, "log-group:"+g.name) }

// streamARN is that of a stream; without a stream, what actions on the group are judged by.
func streamARN(c *service.Call, g groupRef, stream string) string {
	return logARN(c, g, "log-group:"+g.name+":log-stream:"+stream)
}

// target is a group or stream with the keys that its tags give; streams have the tags of their group.
func (s *Service) target(ctx context.Context, c *service.Call, g groupRef, arn string) (service.Target, error) {
	t := service.Target{ARN: arn, Account: g.account}
	if !g.inScope(c) {
		return t, nil
	}
	var found group
	if err := s.db.View(ctx, func(r store.Reader) (err error) {
		found, err = store.GetJSON[group](r, groupKey(g))
		return err
	}); err != nil && !errors.Is(err, store.ErrNotFound) {
		return t, err
	}
	for k, v := range found.Tags {
		t.Keys.Set("aws:ResourceTag/"+k, v)
	}
	return t, nil
}

// onGroup is the target of actions on a named group.
func (s *Service) onGroup(ctx context.Context, c *service.Call, name *string) (service.Target, error) {
	var p problems
	p.required("logGroupName", name, groupNameShape())
	if err := p.err(); err != nil {
		return service.Target{}, err
	}
	g := byName(c, name)
	return s.target(ctx, c, g, streamARN(c, g, ""))
}

// onNamed is the resource of actions on the group that a member names.
func onNamed[In any](s *Service, member func(*In) *string) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		return s.onGroup(ctx, c, member(in))
	}
}

// onStream is the target of actions on a named stream.
func (s *Service) onStream(ctx context.Context, c *service.Call, name, stream *string) (service.Target, error) {
	var p problems
	p.required("logGroupName", name, groupNameShape())
	p.required("logStreamName", stream, streamNameShape())
	if err := p.err(); err != nil {
		return service.Target{}, err
	}
	g := byName(c, name)
	return s.target(ctx, c, g, streamARN(c, g, *stream))
}

// onTags is the target of tagging actions.
func (s *Service) onTags(
	ctx context.Context, c *service.Call, resource *string, tags map[string]string, keys []string,
) (service.Target, error) {
	if resource == nil {
		var p problems
		p.addNull("resourceArn")
		return service.Target{}, p.err()
	}
	g, err := byARN(*resource)
	if err != nil {
		return service.Target{}, err
	}
	t, err := s.target(ctx, c, g, groupARN(c, g))
	if err != nil {
		return t, err
	}
	return t, tagKeys(&t.Keys, tags, keys)
}

// tagKeys sets the keys that describe tags in a request, or refuses tags that policies could not tell apart.
func tagKeys(k *authz.Context, tags map[string]string, keys []string) error {
	if err := checkTagClash(tags); err != nil {
		return err
	}
	for key, value := range tags {
		k.Set("aws:RequestTag/"+key, value)
		keys = append(keys, key)
	}
	if len(keys) > 0 {
		k.SetList("aws:TagKeys", keys...)
	}
	return nil
}

func (s *Service) newGroup(ctx context.Context, c *service.Call, in *sdk.CreateLogGroupInput) (service.Target, error) {
	t, err := s.onGroup(ctx, c, in.LogGroupName)
	if err != nil {
		return t, err
	}
	return t, newTagKeys(&t.Keys, in.Tags)
}

// newTagKeys sets the keys of the tags that a group is made with.
func newTagKeys(k *authz.Context, tags map[string]string) error {
	for key, value := range tags {
		service.TagOfNew(k, key, value)
	}
	return tagKeys(k, tags, nil)
}

// taggingNewGroup needs a second permission for a group that is made with tags. The text is AWS's.
func (s *Service) taggingNewGroup(ctx context.Context, c *service.Call, in *sdk.CreateLogGroupInput) ([]service.Need, error) {
	if len(in.Tags) == 0 {
		return nil, nil
	}
	t := service.Target{ARN: groupARN(c, byName(c, in.LogGroupName))}
	if err := newTagKeys(&t.Keys, in.Tags); err != nil {
		return nil, err
	}
	denied := func(authz.Decision) error {
		return accessDenied("User with accountId: " + c.Caller.Account + " is not authorized to perform CreateLogGroup with Tags. " +
			`An additional permission "logs:TagResource" is required.`)
	}
	return []service.Need{{Action: "logs:TagResource", Target: t, Denied: denied}}, nil
}

func (s *Service) createdStream(ctx context.Context, c *service.Call, in *sdk.CreateLogStreamInput) (service.Target, error) {
	return s.onStream(ctx, c, in.LogGroupName, in.LogStreamName)
}

func (s *Service) deletedStream(ctx context.Context, c *service.Call, in *sdk.DeleteLogStreamInput) (service.Target, error) {
	return s.onStream(ctx, c, in.LogGroupName, in.LogStreamName)
}

func (s *Service) writtenStream(ctx context.Context, c *service.Call, in *sdk.PutLogEventsInput) (service.Target, error) {
	return s.onStream(ctx, c, in.LogGroupName, in.LogStreamName)
}

func (s *Service) readStream(ctx context.Context, c *service.Call, in *sdk.GetLogEventsInput) (service.Target, error) {
	var p problems
	p.required("logStreamName", in.LogStreamName, streamNameShape())
	g, err := byEither(c, &p, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return service.Target{}, err
	}
	return s.target(ctx, c, g, streamARN(c, g, *in.LogStreamName))
}

func (s *Service) filteredGroup(ctx context.Context, c *service.Call, in *sdk.FilterLogEventsInput) (service.Target, error) {
	g, err := byEither(c, new(problems), in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return service.Target{}, err
	}
	return s.target(ctx, c, g, streamARN(c, g, ""))
}

func (s *Service) describedGroup(ctx context.Context, c *service.Call, in *sdk.DescribeLogStreamsInput) (service.Target, error) {
	g, err := byEither(c, new(problems), in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return service.Target{}, err
	}
	return s.target(ctx, c, g, streamARN(c, g, ""))
}

func anyGroup(_ context.Context, c *service.Call, _ *sdk.DescribeLogGroupsInput) (service.Target, error) {
	return service.Target{ARN: streamARN(c, byName(c, nil), "")}, nil
}

// describedMetrics is the group whose metric filters are described, or all groups.
func (s *Service) describedMetrics(
	ctx context.Context, c *service.Call, in *sdk.DescribeMetricFiltersInput,
) (service.Target, error) {
	if in.LogGroupName == nil {
		return service.Target{ARN: streamARN(c, byName(c, nil), "")}, nil
	}
	return s.onGroup(ctx, c, in.LogGroupName)
}

// unmaskingGet and unmaskingFilter need the permission that the member unmask asks for; there is no masking here.
func (s *Service) unmaskingGet(ctx context.Context, c *service.Call, in *sdk.GetLogEventsInput) ([]service.Need, error) {
	if !in.Unmask {
		return nil, nil
	}
	t, err := s.readStream(ctx, c, in)
	return []service.Need{{Action: "logs:Unmask", Target: t}}, err
}

func (s *Service) unmaskingFilter(ctx context.Context, c *service.Call, in *sdk.FilterLogEventsInput) ([]service.Need, error) {
	if !in.Unmask {
		return nil, nil
	}
	t, err := s.filteredGroup(ctx, c, in)
	return []service.Need{{Action: "logs:Unmask", Target: t}}, err
}

func (s *Service) taggedGroup(ctx context.Context, c *service.Call, in *sdk.TagResourceInput) (service.Target, error) {
	return s.onTags(ctx, c, in.ResourceArn, in.Tags, nil)
}

func (s *Service) untaggedGroup(ctx context.Context, c *service.Call, in *sdk.UntagResourceInput) (service.Target, error) {
	return s.onTags(ctx, c, in.ResourceArn, nil, in.TagKeys)
}

func (s *Service) listedTags(ctx context.Context, c *service.Call, in *sdk.ListTagsForResourceInput) (service.Target, error) {
	return s.onTags(ctx, c, in.ResourceArn, nil, nil)
}
