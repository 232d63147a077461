package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/notification"
)

// maxRules of a bucket (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html: 100).
const maxRules = 100

// rule is one of a request, as all kinds of target have them.
type rule struct {
	kind   notification.Kind
	id     *string
	target *string
	events []types.Event
	filter *types.NotificationConfigurationFilter
}

// rulesOf are the rules of a request.
func rulesOf(c *types.NotificationConfiguration) (rules []rule) {
	for _, r := range c.LambdaFunctionConfigurations {
		rules = append(rules, rule{notification.Function, r.Id, r.LambdaFunctionArn, r.Events, r.Filter})
	}
	for _, r := range c.QueueConfigurations {
		rules = append(rules, rule{notification.Queues, r.Id, r.QueueArn, r.Events, r.Filter})
	}
	for _, r := range c.TopicConfigurations {
		rules = append(rules, rule{notification.Topic, r.Id, r.TopicArn, r.Events, r.Filter})
	}
	return rules
}

// services of targets.
func serviceOf(k notification.Kind) string {
	switch k {
	case notification.Function:
		return "lambda"
	case notification.Queues:
		return "sqs"
	}
	return "sns"
}

// configure reads a configuration. Texts are recorded but where a comment says otherwise.
func (s *Service) configure(b *bucket.Bucket, in *types.NotificationConfiguration) (*notification.Configuration, error) {
	if in.EventBridgeConfiguration != nil {
		return nil, fault.NotImplemented("PutBucketNotificationConfiguration", "EventBridgeConfiguration")
	}
	rules := rulesOf(in)
	if len(rules) == 0 {
		return nil, nil
	}
	if len(rules) > maxRules { // our text
		return nil, fault.InvalidRequest("A bucket can have at most 100 notification configurations.")
	}
	config := &notification.Configuration{}
	for _, r := range rules {
		read, err := s.readRule(b, r)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(config.Rules, func(other notification.Rule) bool { return other.ID == read.ID }) { // our text
			return nil, fault.InvalidArgument("Same ID used for multiple configurations. IDs must be unique", "ID", read.ID)
		}
		config.Rules = append(config.Rules, read)
	}
	if config.Overlapping() {
		return nil, fault.InvalidArgument("Configurations overlap. Configurations on the same bucket cannot share a common event type.", "Event", "")
	}
	return config, nil
}

func (s *Service) readRule(b *bucket.Bucket, r rule) (notification.Rule, error) {
	out := notification.Rule{ID: aws.ToString(r.id), Kind: r.kind, Target: aws.ToString(r.target)}
	if out.ID == "" {
		out.ID = uuid.NewString()
	}
	target, err := arn.Parse(out.Target)
	switch {
	case err != nil || target.Service != serviceOf(r.kind):
		return out, fault.InvalidArgument("The ARN could not be parsed", string(r.kind), out.Target)
	case r.kind == notification.Topic:
		return out, fault.NotImplemented("PutBucketNotificationConfiguration", "TopicConfiguration")
	case r.kind == notification.Queues && strings.HasSuffix(target.Resource, ".fifo"): // our text; "FIFO queues aren't supported"
		return out, fault.InvalidArgument("FIFO SQS queues are not supported as destinations", string(r.kind), out.Target)
	case target.Region != b.Region: // our text; "the destination must be in the same Region"
		return out, fault.InvalidArgument("The notification destination service region is not valid for the bucket location constraint",
			string(r.kind), out.Target)
	case len(r.events) == 0:
		return out, fault.MalformedXML()
	}
	for _, e := range r.events {
		if !slices.Contains(e.Values(), e) {
			return out, fault.InvalidArgument("The event '"+string(e)+"' is not supported for notifications", string(e), "Event")
		}
		out.Events = append(out.Events, string(e))
	}
	return out, readFilter(&out, r.filter)
}

func readFilter(out *notification.Rule, filter *types.NotificationConfigurationFilter) error {
	if filter == nil || filter.Key == nil {
		return nil
	}
	for _, f := range filter.Key.FilterRules {
		value := aws.ToString(f.Value)
		var member **string
		switch strings.ToLower(string(f.Name)) {
		case "prefix":
			member = &out.Prefix
		case "suffix":
			member = &out.Suffix
		default:
			return fault.InvalidArgument("filter rule name must be either prefix or suffix", "FilterRule.Name", string(f.Name))
		}
		if *member != nil {
			return fault.InvalidArgument("Cannot specify more than one "+strings.ToLower(string(f.Name))+" rule in a filter.",
				"FilterRule.Name", strings.ToLower(string(f.Name)))
		}
		if len(value) > object1024 {
			return fault.InvalidArgument("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation", "FilterRule.Value", value)
		}
		*member = &value
		// "Prefix" is what S3 gives back for "prefix" (recorded), and what SDKs then have as another name.
		out.Names = append(out.Names, strings.ToUpper(string(f.Name[:1]))+strings.ToLower(string(f.Name[1:])))
	}
	return nil
}

// object1024 is the longest value of a filter: a key.
const object1024 = 1024

func (s *Service) putNotifications(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.PutBucketNotificationConfigurationInput,
) (*sdk.PutBucketNotificationConfigurationOutput, error) {
	if in.NotificationConfiguration == nil {
		return nil, fault.MalformedXML()
	}
	config, err := s.configure(b, in.NotificationConfiguration)
	if err != nil {
		return nil, err
	}
	if config != nil && !aws.ToBool(in.SkipDestinationValidation) {
		if err := s.checkTargets(ctx, c, b, config); err != nil {
			return nil, err
		}
	}
	return &sdk.PutBucketNotificationConfigurationOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error {
		b.Notifications = config
		return nil
	})
}

// checkTargets asks every target whether it lets S3 in; a queue gets a test event.
func (s *Service) checkTargets(ctx context.Context, c *service.Call, b *bucket.Bucket, config *notification.Configuration) error {
	var names, values []string
	for i := range config.Rules {
		r := &config.Rules[i]
		d := notification.Delivery{
			Kind: r.Kind, Target: r.Target, Bucket: b.Name, Source: s.arn(b.Name, ""), Account: b.Account, Region: b.Region, Made: c.Time,
		}
		var err error
		if d.Payload, err = notification.TestPayload(b.Name, c.RequestID, c.Time); err != nil {
			return err
		}
		err = s.Targets.Check(ctx, d)
		switch {
		case errors.Is(err, notification.ErrRefused):
			names, values = append(names, r.Target+", null"), append(values, refusal(r))
		case err != nil:
			return fmt.Errorf("check target %s: %w", r.Target, err)
		}
	}
	if len(names) == 0 {
		return nil
	}
	e := fault.New("InvalidArgument", http.StatusBadRequest, "Unable to validate the following destination configurations")
	e.Members = map[string]string{}
	for i := range names {
		e.Members[fmt.Sprintf("ArgumentName%d", i+1)], e.Members[fmt.Sprintf("ArgumentValue%d", i+1)] = names[i], values[i]
	}
	return e
}

// refusal is what is recorded for functions; for queues it is what AWS was seen to say where it was not let in.
func refusal(r *notification.Rule) string {
	if r.Kind == notification.Function {
		return "Not authorized to invoke function [" + r.Target + "]"
	}
	return "Permissions on the destination queue do not allow S3 to publish notifications from this bucket"
}

func (s *Service) getNotifications(
	_ context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.GetBucketNotificationConfigurationInput,
) (*sdk.GetBucketNotificationConfigurationOutput, error) {
	out := &sdk.GetBucketNotificationConfigurationOutput{}
	if b.Notifications == nil {
		return out, nil
	}
	for i := range b.Notifications.Rules {
		r := &b.Notifications.Rules[i]
		events := make([]types.Event, len(r.Events))
		for j, e := range r.Events {
			events[j] = types.Event(e)
		}
		switch r.Kind {
		case notification.Function:
			out.LambdaFunctionConfigurations = append(out.LambdaFunctionConfigurations, types.LambdaFunctionConfiguration{
				Id: &r.ID, LambdaFunctionArn: &r.Target, Events: events, Filter: shownFilter(r),
			})
		case notification.Queues:
			out.QueueConfigurations = append(out.QueueConfigurations, types.QueueConfiguration{
				Id: &r.ID, QueueArn: &r.Target, Events: events, Filter: shownFilter(r),
			})
		}
	}
	return out, nil
}

func shownFilter(r *notification.Rule) *types.NotificationConfigurationFilter {
	if len(r.Names) == 0 {
		return nil
	}
	var rules []types.FilterRule
	for _, name := range r.Names {
		value := r.Prefix
		if name == "Suffix" {
			value = r.Suffix
		}
		rules = append(rules, types.FilterRule{Name: types.FilterRuleName(name), Value: value})
	}
	return &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: rules}}
}
