package compat

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// reports tells a queue the names of the events that it is invoked with: its own, those of objects, and those of messages.
const reports = `import boto3, json, os
sqs = boto3.client("sqs")
def name(record):
    return record["s3"]["object"]["key"] if "s3" in record else record["body"]
def handler(event, context):
    names = [event["name"]] if "name" in event else [name(r) for r in event["Records"]]
    sqs.send_message(QueueUrl=os.environ["TO"], MessageBody=json.dumps(names))
`

// number is a number from the environment.
func number(t *testing.T, name string, usual int) int {
	text, ok := os.LookupEnv(name)
	if !ok {
		return usual
	}
	return must(strconv.Atoi(text))(t)
}

// crashes is a server that is killed while clients bring events of several kinds to one function.
type crashes struct {
	*licet
	function function
	bucket   string
	from, to queue

	mu           sync.Mutex
	acknowledged []string
}

// TestNothingAcknowledgedIsLost kills the server again and again while clients invoke a function asynchronously, put objects that it is
// notified of, and send messages that it is mapped to. Whatever was acknowledged reaches the function, and the objects are there. LICET_EVENTS
// is how many events of each kind clients try to bring, LICET_KILLS how often the server dies.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	events, kills := number(t, "LICET_EVENTS", 60), number(t, "LICET_KILLS", 2)
	l := newCrashes(t)
	for round := range kills + 1 {
		kinds := l.kinds(t)
		var clients sync.WaitGroup
		enough := make(chan struct{}, 1) // the first of a round that is told to be enough kills, in the middle of the others
		part := events / (kills + 1)
		if round < events%(kills+1) {
			part++
		}
		for kind, bring := range kinds {
			clients.Go(func() {
				for n := range part {
					name := fmt.Sprintf("%s-%d-%d", kind, round, n)
					if bring(name) != nil { // the server is gone; whether the event is there nobody knows
						return
					}
					l.acknowledge(name)
				}
				select {
				case enough <- struct{}{}:
				default:
				}
			})
		}
		if round < kills {
			select {
			case <-enough:
			case <-time.After(time.Duration(rand.IntN(5000)) * time.Millisecond):
			}
			if err := l.cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-l.ended
		}
		clients.Wait()
		if round < kills {
			l.start(t)
		}
	}
	counts := map[string]int{}
	for _, name := range l.acknowledged {
		kind, _, _ := strings.Cut(name, "-")
		counts[kind]++
	}
	t.Logf("acknowledged: %v", counts)
	for kind := range l.kinds(t) {
		if counts[kind] == 0 {
			t.Errorf("no event of the kind %s was acknowledged", kind)
		}
	}
	l.awaitAll(t)
	l.checkObjects(t)
	if !eventually(t, func() bool { return l.left(t, l.from) == 0 }) {
		t.Errorf("%d messages are left", l.left(t, l.from))
	}
	if !eventually(t, func() bool { return strings.Contains(l.page(t, "/_licet/metrics"), "licet_async_events 0\n") }) {
		t.Error("events are left in the queue")
	}
}

func newCrashes(t *testing.T) *crashes {
	t.Helper()
	ctx := t.Context()
	l := &crashes{licet: newServer(t)}
	root, objects := l.as(l.root), l.s3Of(l.root)
	l.bucket, l.from, l.to = newBucket(t, objects), l.newQueue(t), l.newQueue(t)
	r := l.newRole(t, trustLambda, allow("sqs:*", l.from.arn), allow("sqs:SendMessage", l.to.arn))
	l.function = l.newFunction(t, reports, func(in *lambda.CreateFunctionInput) {
		in.Role, in.Timeout, in.MemorySize = &r.arn, aws.Int32(20), aws.Int32(1769)
		in.Environment = &types.Environment{Variables: map[string]string{"TO": l.to.url}}
	})
	// Fewer than events: some of them wait, and some are put back.
	must(root.lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
		FunctionName: &l.function.name, ReservedConcurrentExecutions: aws.Int32(3),
	}))(t)
	must(root.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &l.function.name, StatementId: aws.String("s3"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::" + l.bucket),
	}))(t)
	must(objects.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
		Bucket: &l.bucket, NotificationConfiguration: &s3types.NotificationConfiguration{
			LambdaFunctionConfigurations: []s3types.LambdaFunctionConfiguration{
				{LambdaFunctionArn: &l.function.arn, Events: []s3types.Event{s3types.EventS3ObjectCreatedPut}},
			},
		},
	}))(t)
	must(root.lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		EventSourceArn: &l.from.arn, FunctionName: &l.function.arn, ScalingConfig: &types.ScalingConfig{MaximumConcurrency: aws.Int32(2)},
	}))(t)
	// What a dead server had taken comes back soon. The mapping wanted more, for a function may take 20 seconds.
	must(root.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: &l.from.url, Attributes: map[string]string{"VisibilityTimeout": "5"},
	}))(t)
	return l
}

// kinds are the ways to bring an event of a name to the server that runs now.
func (l *crashes) kinds(t *testing.T) map[string]func(name string) error {
	root, objects, ctx := l.as(l.root), l.s3Of(l.root), t.Context()
	return map[string]func(name string) error{
		"invoked": func(name string) error {
			_, err := root.lambda.Invoke(ctx, &lambda.InvokeInput{
				FunctionName: &l.function.name, InvocationType: types.InvocationTypeEvent, Payload: []byte(`{"name":"` + name + `"}`),
			})
			return err
		},
		"put": func(name string) error {
			_, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: &l.bucket, Key: &name, Body: strings.NewReader(name)})
			return err
		},
		"sent": func(name string) error {
			_, err := root.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &l.from.url, MessageBody: &name})
			return err
		},
	}
}

func (l *crashes) acknowledge(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acknowledged = append(l.acknowledged, name)
}

// awaitAll waits until the function has told of all that was acknowledged. As long as it tells of more, there is hope.
func (l *crashes) awaitAll(t *testing.T) {
	t.Helper()
	missing := make(map[string]bool, len(l.acknowledged))
	for _, name := range l.acknowledged {
		missing[name] = true
	}
	c := l.as(l.root)
	for patience := time.Now().Add(3 * time.Minute); len(missing) > 0; {
		got := must(c.receive(t, l.to, 1))(t)
		if len(got) > 0 {
			patience = time.Now().Add(3 * time.Minute)
		} else if time.Now().After(patience) {
			names := slices.Sorted(maps.Keys(missing))
			t.Fatalf("%d of %d acknowledged events have not run: %q …", len(missing), len(l.acknowledged), names[:min(20, len(names))])
		}
		var told []sqstypes.DeleteMessageBatchRequestEntry
		for i, m := range got {
			var names []string
			if err := json.Unmarshal([]byte(*m.Body), &names); err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				delete(missing, name)
			}
			told = append(told, sqstypes.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
		}
		if len(told) > 0 {
			must(c.sqs.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &l.to.url, Entries: told}))(t)
		}
	}
}

// checkObjects reads every object that was acknowledged.
func (l *crashes) checkObjects(t *testing.T) {
	t.Helper()
	objects := l.s3Of(l.root)
	for _, name := range l.acknowledged {
		if strings.HasPrefix(name, "put-") {
			if got, err := getObject(t.Context(), objects, l.bucket, name); got != name || err != nil {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
	}
}
