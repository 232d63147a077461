package sqs

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

func TestCreateQueue(t *testing.T) {
	s := newServer(t)
	q := s.create("q", "DelaySeconds", "1")
	if *q != "http://sqs.test/"+account+"/q" {
		t.Errorf("got %s", *q)
	}
	s.create("q", "DelaySeconds", "1", "VisibilityTimeout", "30")
	s.create("q")
	create := func(name string, attributes ...string) error {
		_, err := s.client.CreateQueue(s.Context(), &sdk.CreateQueueInput{QueueName: &name, Attributes: pairs(attributes)})
		return err
	}
	s.fails(create("q", "DelaySeconds", "2"), 400, "QueueAlreadyExists",
		"A queue already exists with the same name and a different value for attribute DelaySeconds")
	for _, test := range []struct{ name, attributes, code, text string }{
		{"", "", "MissingParameter", "QueueName"},
		{"a.b", "", "InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"},
		{strings.Repeat("a", 81), "", "InvalidParameterValue", "1 to 80 in length"},
		{"a.fifo", "", "InvalidParameterValue", "Can only include"},
		{"a", "FifoQueue true", "InvalidParameterValue", "must end with .fifo suffix"},
		{"a", "FifoQueue false", "InvalidAttributeName", "Unknown Attribute FifoQueue."},
		{"a", "ContentBasedDeduplication true", "InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication."},
		{"a", "Nothing 1", "InvalidAttributeName", "Unknown Attribute Nothing."},
		{"a", "QueueArn x", "InvalidAttributeName", "Unknown Attribute QueueArn."},
		{"a", "DelaySeconds 901", "InvalidAttributeValue", "Invalid value for the parameter DelaySeconds."},
		{"a", "MaximumMessageSize 1023", "InvalidAttributeValue", "Invalid value for the parameter MaximumMessageSize."},
		{"a", "MaximumMessageSize 1048577", "InvalidAttributeValue", "Invalid value for the parameter MaximumMessageSize."},
		{"a", "MessageRetentionPeriod 59", "InvalidAttributeValue", "MessageRetentionPeriod"},
		{"a", "ReceiveMessageWaitTimeSeconds 21", "InvalidAttributeValue", "ReceiveMessageWaitTimeSeconds"},
		{"a", "VisibilityTimeout -1", "InvalidAttributeValue", "VisibilityTimeout"},
		{"a", "SqsManagedSseEnabled x", "InvalidAttributeValue", "SqsManagedSseEnabled"},
		{"a", `Policy {"Statement":"x"}`, "InvalidAttributeValue", "Invalid value for the parameter Policy."},
		{"a", "RedriveAllowPolicy x", "InvalidAttributeValue", "RedriveAllowPolicy"},
		{"a", `RedriveAllowPolicy {"redrivePermission":"byQueue"}`, "InvalidAttributeValue", "RedriveAllowPolicy"},
		{"a", "RedrivePolicy x", "InvalidParameterValue", "Redrive policy is not a valid JSON map."},
		{"a", `RedrivePolicy {"deadLetterTargetArn":"dummy","maxReceiveCount":42}`, "InvalidParameterValue",
			`Value {"deadLetterTargetArn":"dummy","maxReceiveCount":42} for parameter RedrivePolicy is invalid. Reason: Invalid value for deadLetterTargetArn.`},
		{"a", `RedrivePolicy {"deadLetterTargetArn":"` + arnOf("none") + `","maxReceiveCount":42}`, "InvalidParameterValue", "Dead letter target does not exist."},
		{"a", `RedrivePolicy {"deadLetterTargetArn":"` + arnOf("q") + `","maxReceiveCount":0}`, "InvalidParameterValue", "maxReceiveCount"},
		{"a.fifo", `FifoQueue true FifoThroughputLimit perMessageGroupId`, "InvalidAttributeValue", "FifoThroughputLimit"},
	} {
		fields := strings.Fields(test.attributes)
		s.fails(create(test.name, fields...), 400, test.code, test.text)
	}
	s.fails(create("a", "KmsMasterKeyId", "alias/x"), 501, "NotImplemented", "KmsMasterKeyId")
	s.create("keys", "KmsDataKeyReusePeriodSeconds", "300", "KmsMasterKeyId", "")
}

func TestQueueAttributes(t *testing.T) {
	s := newServer(t)
	q, f := s.create("q", "VisibilityTimeout", "20"), s.create("f.fifo", "FifoQueue", "true")
	s.pass(time.Hour)
	set := func(url *string, attributes ...string) error {
		_, err := s.client.SetQueueAttributes(s.Context(), &sdk.SetQueueAttributesInput{QueueUrl: url, Attributes: pairs(attributes)})
		return err
	}
	if err := set(q, "DelaySeconds", "007", "SqsManagedSseEnabled", "false"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.attributes(q, "All"), map[string]string{
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesDelayed": "0", "ApproximateNumberOfMessagesNotVisible": "0",
		"CreatedTimestamp": "1772600767", "DelaySeconds": "7", "LastModifiedTimestamp": "1772604367", "MaximumMessageSize": "1048576",
		"MessageRetentionPeriod": "345600", "QueueArn": arnOf("q"), "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "false",
		"VisibilityTimeout": "20",
	}); diff != "" {
		t.Error(diff)
	}
	if got := s.attributes(f, "FifoQueue", "DeduplicationScope", "FifoThroughputLimit", "ContentBasedDeduplication", "Policy"); !cmp.Equal(got, map[string]string{
		"FifoQueue": "true", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue", "ContentBasedDeduplication": "false",
	}) {
		t.Errorf("got %v", got)
	}
	s.fails(set(q, "FifoQueue", "true"), 400, "InvalidAttributeName", "Unknown Attribute FifoQueue.")
	s.fails(set(f, "FifoQueue", "false"), 400, "InvalidAttributeValue",
		"Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
	if err := set(f, "FifoQueue", "true"); err != nil {
		t.Error(err)
	}
	_, err := s.client.GetQueueAttributes(s.Context(), &sdk.GetQueueAttributesInput{QueueUrl: q, AttributeNames: []types.QueueAttributeName{"Nothing"}})
	s.fails(err, 400, "InvalidAttributeName", "Unknown Attribute Nothing.")
	if got := s.attributes(q); got != nil {
		t.Errorf("without names: got %v", got)
	}
}

func TestDeleteAndPurge(t *testing.T) {
	s := newServer(t)
	q := s.create("q")
	s.send(q, "a", strings.Repeat("b", 5000))
	s.receive(q, limit(1))
	purge := func() error {
		_, err := s.client.PurgeQueue(s.Context(), &sdk.PurgeQueueInput{QueueUrl: q})
		return err
	}
	if err := purge(); err != nil {
		t.Fatal(err)
	}
	s.counts(q, "0 0 0")
	s.empty("sqs/message/", "sqs/content/", "sqs/due/")
	s.fails(purge(), 403, "AWS.SimpleQueueService.PurgeQueueInProgress", "Only one PurgeQueue operation on q is allowed every 60 seconds.")
	s.pass(time.Minute)
	s.send(q, "c")
	if err := purge(); err != nil {
		t.Error(err)
	}
	s.send(q, "d")
	must(s.client.DeleteQueue(s.Context(), &sdk.DeleteQueueInput{QueueUrl: q}))(s)
	s.empty("sqs/message/", "sqs/content/", "sqs/due/", "sqs/count/", "sqs/queue/")
	_, err := s.client.ReceiveMessage(s.Context(), &sdk.ReceiveMessageInput{QueueUrl: q})
	s.fails(err, 400, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
	_, err = s.client.CreateQueue(s.Context(), &sdk.CreateQueueInput{QueueName: aws.String("q")})
	s.fails(err, 400, "AWS.SimpleQueueService.QueueDeletedRecently", "You must wait 60 seconds")
	s.pass(time.Minute)
	s.gets(s.create("q"), "")
	must(s.client.DeleteQueue(s.Context(), &sdk.DeleteQueueInput{QueueUrl: q}))(s)
	if err := s.sqs.expire(s.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = s.client.CreateQueue(s.Context(), &sdk.CreateQueueInput{QueueName: aws.String("q")})
	s.fails(err, 400, "AWS.SimpleQueueService.QueueDeletedRecently", "You must wait 60 seconds")
	s.pass(time.Minute)
	if err := s.sqs.expire(s.Context()); err != nil {
		t.Fatal(err)
	}
	s.empty("sqs/")
}

func TestLists(t *testing.T) {
	s := newServer(t)
	for i := range 5 {
		s.create(fmt.Sprintf("a%d", i))
	}
	s.create("b")
	dead := fmt.Sprintf(`{"deadLetterTargetArn":"%s","maxReceiveCount":"3"}`, arnOf("b"))
	for i := range 3 {
		q := s.create(fmt.Sprintf("c%d", i), "RedrivePolicy", dead)
		if got := s.attributes(q, "RedrivePolicy")["RedrivePolicy"]; got != `{"deadLetterTargetArn":"`+arnOf("b")+`","maxReceiveCount":3}` {
			t.Errorf("got %s", got)
		}
	}
	short := func(urls []string) string {
		return strings.ReplaceAll(strings.Join(urls, " "), "http://sqs.test/"+account+"/", "")
	}
	list := func(in sdk.ListQueuesInput) (string, *string) {
		out := must(s.client.ListQueues(s.Context(), &in))(s)
		return short(out.QueueUrls), out.NextToken
	}
	if got, token := list(sdk.ListQueuesInput{}); got != "a0 a1 a2 a3 a4 b c0 c1 c2" || token != nil {
		t.Errorf("got %s %v", got, token)
	}
	got, token := list(sdk.ListQueuesInput{QueueNamePrefix: aws.String("a"), MaxResults: aws.Int32(3)})
	if got != "a0 a1 a2" || token == nil {
		t.Fatalf("got %s %v", got, token)
	}
	if got, token = list(sdk.ListQueuesInput{QueueNamePrefix: aws.String("a"), MaxResults: aws.Int32(3), NextToken: token}); got != "a3 a4" || token != nil {
		t.Errorf("got %s %v", got, token)
	}
	_, err := s.client.ListQueues(s.Context(), &sdk.ListQueuesInput{MaxResults: aws.Int32(1001)})
	s.fails(err, 400, "InvalidParameterValue", "MaxResults")
	_, err = s.client.ListQueues(s.Context(), &sdk.ListQueuesInput{NextToken: aws.String("!")})
	s.fails(err, 400, "InvalidParameterValue", "NextToken")
	b := s.create("b")
	out := must(s.client.ListDeadLetterSourceQueues(s.Context(), &sdk.ListDeadLetterSourceQueuesInput{QueueUrl: b, MaxResults: aws.Int32(2)}))(s)
	if short(out.QueueUrls) != "c0 c1" || out.NextToken == nil {
		t.Fatalf("got %s", short(out.QueueUrls))
	}
	out = must(s.client.ListDeadLetterSourceQueues(s.Context(), &sdk.ListDeadLetterSourceQueuesInput{QueueUrl: b, MaxResults: aws.Int32(2), NextToken: out.NextToken}))(s)
	if short(out.QueueUrls) != "c2" || out.NextToken != nil {
		t.Errorf("got %s", short(out.QueueUrls))
	}
	url := must(s.client.GetQueueUrl(s.Context(), &sdk.GetQueueUrlInput{QueueName: aws.String("b"), QueueOwnerAWSAccountId: aws.String(account)}))(s)
	if *url.QueueUrl != *b {
		t.Errorf("got %s", *url.QueueUrl)
	}
	for _, in := range []*sdk.GetQueueUrlInput{
		{QueueName: aws.String("none")}, {QueueName: aws.String("b"), QueueOwnerAWSAccountId: aws.String("222222222222")},
		{QueueName: aws.String("b"), QueueOwnerAWSAccountId: aws.String("x")},
	} {
		_, err := s.client.GetQueueUrl(s.Context(), in)
		s.fails(err, 400, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
	}
}

func TestTagsAndNeeds(t *testing.T) {
	s := newServer(t)
	needs := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(s.needs, want); diff != "" {
			t.Errorf("needs (-got +want):\n%s", diff)
		}
	}
	q := must(s.client.CreateQueue(s.Context(), &sdk.CreateQueueInput{QueueName: aws.String("q"), Tags: map[string]string{"team": "red"}}))(s).QueueUrl
	tagged := arnOf("q") + " aws:ResourceTag/team=red aws:RequestTag/team=red aws:TagKeys=team"
	needs("sqs:CreateQueue "+tagged, "sqs:TagQueue "+tagged)
	// A queue that is there has its own tags, whatever is asked for.
	must(s.client.CreateQueue(s.Context(), &sdk.CreateQueueInput{QueueName: aws.String("q"), Tags: map[string]string{"team": "blue"}}))(s)
	tagged = arnOf("q") + " aws:ResourceTag/team=red aws:RequestTag/team=blue aws:TagKeys=team"
	needs("sqs:CreateQueue "+tagged, "sqs:TagQueue "+tagged)
	s.send(q, "a")
	needs("sqs:SendMessage " + arnOf("q") + " aws:ResourceTag/team=red")
	must(s.client.TagQueue(s.Context(), &sdk.TagQueueInput{QueueUrl: q, Tags: map[string]string{"team": "blue", "x": ""}}))(s)
	needs("sqs:TagQueue " + arnOf("q") + " aws:ResourceTag/team=red aws:RequestTag/team=blue aws:TagKeys=team,x")
	must(s.client.UntagQueue(s.Context(), &sdk.UntagQueueInput{QueueUrl: q, TagKeys: []string{"x", "y"}}))(s)
	needs("sqs:UntagQueue " + arnOf("q") + " aws:ResourceTag/team=blue aws:TagKeys=x,y")
	if got := must(s.client.ListQueueTags(s.Context(), &sdk.ListQueueTagsInput{QueueUrl: q}))(s).Tags; !cmp.Equal(got, map[string]string{"team": "blue"}) {
		t.Errorf("got %v", got)
	}
	_, err := s.client.TagQueue(s.Context(), &sdk.TagQueueInput{QueueUrl: q, Tags: map[string]string{"a": "", "A": ""}})
	s.fails(err, 400, "InvalidParameterValue", "differs from A only in case")
	_, err = s.client.TagQueue(s.Context(), &sdk.TagQueueInput{QueueUrl: q, Tags: map[string]string{"Team": ""}})
	s.fails(err, 400, "InvalidParameterValue", "only in case")

	// The policy of a queue speaks to other accounts about some actions only.
	must(s.client.AddPermission(s.Context(), &sdk.AddPermissionInput{
		QueueUrl: q, Label: aws.String("l"), AWSAccountIds: []string{"222222222222"}, Actions: []string{"*"},
	}))(s)
	s.receive(q)
	needs("sqs:ReceiveMessage " + arnOf("q") + " aws:ResourceTag/team=blue policy")
	s.call.Account = "222222222222"
	s.receive(q)
	needs("sqs:ReceiveMessage " + arnOf("q") + " aws:ResourceTag/team=blue policy")
	must(s.client.ListQueueTags(s.Context(), &sdk.ListQueueTagsInput{QueueUrl: q}))(s)
	needs("sqs:ListQueueTags " + arnOf("q") + " aws:ResourceTag/team=blue")
}

func TestPermissions(t *testing.T) {
	s := newServer(t)
	q := s.create("q")
	add := func(label string, actions []string, accounts ...string) error {
		_, err := s.client.AddPermission(s.Context(), &sdk.AddPermissionInput{QueueUrl: q, Label: &label, AWSAccountIds: accounts, Actions: actions})
		return err
	}
	if err := add("one", []string{"ReceiveMessage"}, "222222222222", "333333333333"); err != nil {
		t.Fatal(err)
	}
	var got, want any
	text := `{"Version":"2008-10-17","Id":"` + arnOf("q") + `/SQSDefaultPolicy","Statement":[{"Sid":"one","Effect":"Allow","Principal":{"AWS":[` +
		`"arn:aws:iam::222222222222:root","arn:aws:iam::333333333333:root"]},"Action":"SQS:ReceiveMessage","Resource":"` + arnOf("q") + `"}]}`
	if err := json.Unmarshal([]byte(s.attributes(q, "Policy")["Policy"]), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	s.fails(add("one", []string{"SendMessage"}, "222222222222"), 400, "InvalidParameterValue", "Value one for parameter Label is invalid. Reason: Already exists.")
	s.fails(add("two", []string{"DeleteQueue"}, "222222222222"), 400, "InvalidParameterValue", "Only the queue owner is allowed to invoke this action.")
	s.fails(add("two", []string{"SendMessage"}, "x"), 400, "InvalidParameterValue", "Unable to verify.")
	s.fails(add("two", strings.Fields("* GetQueueUrl DeleteMessage PurgeQueue ReceiveMessage SendMessage GetQueueAttributes ChangeMessageVisibility"), "222222222222"),
		403, "OverLimit", "8 Actions were found, maximum allowed is 7.")
	remove := func(label string) error {
		_, err := s.client.RemovePermission(s.Context(), &sdk.RemovePermissionInput{QueueUrl: q, Label: &label})
		return err
	}
	s.fails(remove("two"), 400, "InvalidParameterValue", "Value two for parameter Label is invalid. Reason: can't find label.")
	if err := remove("one"); err != nil {
		t.Fatal(err)
	}
	if got := s.attributes(q, "Policy"); got != nil {
		t.Errorf("got %v", got)
	}
	must(s.client.SetQueueAttributes(s.Context(), &sdk.SetQueueAttributesInput{QueueUrl: q, Attributes: map[string]string{
		"Policy": `{"Version":"2012-10-17","Statement":{"Sid":"own","Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"}}`,
	}}))(s)
	if err := add("two", []string{"SendMessage"}, "222222222222"); err != nil {
		t.Fatal(err)
	}
	if got := s.attributes(q, "Policy")["Policy"]; !strings.Contains(got, `"own"`) || !strings.Contains(got, `"2012-10-17"`) || !strings.Contains(got, `"two"`) {
		t.Errorf("got %s", got)
	}
}
