package upstream

import (
	"strings"

	"github.com/licet/licet/internal/service"
)

// The permissions of SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html

func (q *question) sns() ([]service.Need, bool) {
	action := "sns:" + q.in.operation
	var needs []service.Need
	switch {
	case q.isOne("Publish", "PublishBatch"):
		action = "sns:Publish"
		for _, member := range []string{"TopicArn", "TargetArn"} {
			if name := q.in.text(member); name != "" {
				needs = append(needs, q.about(action, q.named("", name)))
			}
		}
		if q.in.text("PhoneNumber") != "" { // no resource of the account
			needs = append(needs, q.about(action, resource{arn: "*"}))
		}
	case q.isOne("Unsubscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes"):
		if topic, ok := parent(q.in.text("SubscriptionArn")); ok {
			needs = append(needs, q.about(action, q.named("", topic)))
		}
	default:
		return nil, false
	}
	if needs == nil {
		needs = append(needs, q.about(action, anything()))
	}
	return needs, true
}

// parent cuts the last part off an ARN that has seven: a subscription's is that of its topic and an id.
func parent(name string) (string, bool) {
	i := strings.LastIndex(name, ":")
	if i < 0 || strings.Count(name, ":") != 6 {
		return "", false
	}
	return name[:i], true
}

// The permissions of EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html and
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-manage-iam-access.html

func (q *question) events() ([]service.Need, bool) {
	if q.isOne("PutEvents") {
		var needs []service.Need
		for _, entry := range q.in.maps("Entries") {
			bus, _ := entry["EventBusName"].(string)
			n := q.about("events:PutEvents", q.eventBus(bus))
			for key, member := range map[string]string{"events:source": "Source", "events:detail-type": "DetailType"} {
				if text, ok := entry[member].(string); ok {
					set(&n, key, text)
				}
			}
			without(&n, "events:eventBusInvocation")
			needs = append(needs, n)
		}
		return needs, true
	}
	name := q.in.text("Rule")
	if q.isOne("PutRule", "DeleteRule", "DescribeRule", "EnableRule", "DisableRule") {
		name = q.in.text("Name")
	} else if !q.isOne("PutTargets", "RemoveTargets", "ListTargetsByRule") {
		return nil, false
	}
	bus := q.eventBus(q.in.text("EventBusName"))
	kind := "rule/"
	if _, of, _ := strings.Cut(bus.arn, ":event-bus/"); of != "default" {
		kind += of + "/"
	}
	rule := q.named(kind, name)
	rule.partly = rule.partly || bus.partly
	return []service.Need{q.about("events:"+q.in.operation, rule)}, true
}

// eventBus is a bus by its name or ARN; the account's own when the request names none.
func (q *question) eventBus(name string) resource {
	if name == "" {
		name = "default"
	}
	return q.named("event-bus/", name)
}
