//go:build linux

package compat

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/history"
)

const (
	// reserved is the concurrency of the function that is called directly, limitedEvents how the names of its events begin.
	reserved      = 4
	limitedEvents = "limited."
	// workTime is how long that function works, in milliseconds.
	workTime = 30
	// callTimeout is when a client gives up. What became of the call it does not know.
	callTimeout = 5 * time.Second
	// objectTime is how long an object is in use: to judge a history whose calls often end unknown takes long when it is long.
	objectTime = 30 * time.Second
	// patientTimeout is within what every call must be answered, whatever happens.
	patientTimeout = time.Minute
)

// work is what clients do to a cluster.
type work struct {
	*cluster
	seed uint64
	// doors are the root's clients of each node.
	doors []door

	limited, mapped, echo function
	bucket                string
	from                  queue
	registers             []func() register // that which is in use at the moment
	witnesses             []permission

	workers sync.WaitGroup
	done    chan struct{}
}

// door is a way into one node.
type door struct {
	clients
	s3   *s3.Client
	node *clusterNode
}

func (n *clusterNode) door(c aws.Credentials) door { return door{n.way.as(c), n.way.s3Of(c), n} }

// call is one call of a client: when it began and ended, and what is known of it.
func (w *work) call(do func(ctx context.Context) error) (from, to time.Duration, outcome history.Outcome, err error) {
	return w.callFor(callTimeout, do)
}

func (w *work) callFor(patience time.Duration, do func(ctx context.Context) error) (from, to time.Duration, outcome history.Outcome, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	from = w.now()
	err = do(ctx)
	return from, w.now(), outcomeOf(err), err
}

func status(err error) int {
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

// errMismatch is what a swap gives when the register has another value than it should, and the server has another error for that.
var errMismatch = errors.New("mismatch")

// outcomeOf is what a client knows after an error: only of a request that was found wrong, or comes too early, it is certain that it has done
// nothing.
func outcomeOf(err error) history.Outcome {
	switch code := status(err); {
	case err == nil:
		return history.Done
	case code == http.StatusPreconditionFailed, errors.Is(err, errMismatch):
		return history.Mismatch
	case code >= 400 && code < 500:
		return history.Refused
	}
	return history.Unknown
}

// root notes a denial of a call that began at from, as the root may do everything, at the right time.
func (w *work) root(what string, n *clusterNode, from time.Duration, err error) {
	if status(err) == http.StatusForbidden && !n.skewed(from, err) {
		w.seen.mu.Lock()
		defer w.seen.mu.Unlock()
		w.seen.denied = append(w.seen.denied, fmt.Sprintf("%.3f %s on %s: %v", w.now().Seconds(), what, n.name, err))
	}
}

// prepare makes what the clients use.
func (c *cluster) prepare(seed uint64) *work {
	t, ctx := c.t, c.t.Context()
	w := &work{cluster: c, seed: seed, done: make(chan struct{})}
	for _, n := range c.nodes {
		w.doors = append(w.doors, n.door(n.root))
	}
	d := w.doors[0]
	witness := filepath.Join(t.TempDir(), "bootstrap")
	must(0, build("./witness", witness))(t)
	echoed := filepath.Join(t.TempDir(), "bootstrap")
	must(0, build("../bench/bootstrap", echoed))(t)
	w.bucket, w.from = newBucket(t, d.s3), d.node.newQueue(t, "VisibilityTimeout", "30")
	role := d.node.newRole(t, trustLambda, allow("sqs:*", w.from.arn))
	native := func(path string) func(in *lambda.CreateFunctionInput) {
		return func(in *lambda.CreateFunctionInput) {
			in.Runtime, in.Handler, in.Role, in.MemorySize, in.Timeout = types.RuntimeProvidedal2023, aws.String("x"), &role.arn, aws.Int32(128), aws.Int32(20)
			in.Code = &types.FunctionCode{ZipFile: archive(t, file{name: "bootstrap", text: string(must(os.ReadFile(path))(t)), mode: 0o100755})}
			in.Environment = &types.Environment{Variables: map[string]string{"WITNESS": c.witness.address}}
		}
	}
	w.limited, w.mapped, w.echo = d.node.newFunction(t, "", native(witness)), d.node.newFunction(t, "", native(witness)), d.node.newFunction(t, "", native(echoed))
	must(d.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &w.limited.name, Timeout: aws.Int32(60),
	}))(t)
	must(d.lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
		FunctionName: &w.limited.name, ReservedConcurrentExecutions: aws.Int32(reserved),
	}))(t)
	must(d.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &w.mapped.name, StatementId: aws.String("s3"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::" + w.bucket),
	}))(t)
	must(d.s3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
		Bucket: &w.bucket, NotificationConfiguration: &s3types.NotificationConfiguration{
			LambdaFunctionConfigurations: []s3types.LambdaFunctionConfiguration{{
				LambdaFunctionArn: &w.mapped.arn, Events: []s3types.Event{s3types.EventS3ObjectCreatedPut},
				Filter: &s3types.NotificationConfigurationFilter{Key: &s3types.S3KeyFilter{
					FilterRules: []s3types.FilterRule{{Name: s3types.FilterRuleNamePrefix, Value: aws.String("put-")}},
				}},
			}},
		},
	}))(t)
	must(d.lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		EventSourceArn: &w.from.arn, FunctionName: &w.mapped.arn, ScalingConfig: &types.ScalingConfig{MaximumConcurrency: aws.Int32(2)},
	}))(t)
	// What a node had taken that is gone comes back soon. The mapping wanted more, for a function may take 20 seconds.
	must(d.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: &w.from.url, Attributes: map[string]string{"VisibilityTimeout": "5"},
	}))(t)
	policy, description := w.policyRegister(d.node.newUser(t).name), w.descriptionRegister()
	w.registers = []func() register{
		func() register { return policy },
		func() register { return w.objectRegister(fmt.Sprintf("object-%d", w.now()/objectTime)) },
		func() register { return description },
	}
	w.witnesses = []permission{w.policyPermission(), w.keyPermission(), w.functionPermission()}
	return w
}

// begin has clients work until stop is called, which waits for them; if it is for long, also by calls that take long.
func (w *work) begin(long bool) (stop func()) {
	worker := 0
	start := func(pause time.Duration, do func(r *rand.Rand)) {
		worker++
		random := rand.New(rand.NewPCG(w.seed, uint64(worker)))
		w.workers.Go(func() {
			for w.working() {
				do(random)
				time.Sleep(pause)
			}
		})
	}
	for _, r := range w.registers {
		for client := range 3 {
			last := ""
			start(40*time.Millisecond, func(random *rand.Rand) { w.useRegister(r(), client, &last, random) })
		}
	}
	for _, d := range w.doors {
		start(50*time.Millisecond, func(*rand.Rand) { w.sendMessage(d) })
		start(50*time.Millisecond, func(*rand.Rand) { w.putObject(d) })
		start(50*time.Millisecond, func(*rand.Rand) { w.invokeLater(d) })
		start(time.Second, func(*rand.Rand) {
			w.eventFor(patientTimeout, d, "put", func(ctx context.Context, name string) error { return w.put(ctx, d, name) })
		})
		for range 2 {
			start(20*time.Millisecond, func(*rand.Rand) { w.invokeNow(d) })
		}
	}
	if long {
		start(5*time.Second, func(random *rand.Rand) { w.invokeLong(w.doors[random.IntN(len(w.doors))], random) })
	}
	for _, p := range w.witnesses {
		s := w.newSubject(p)
		for _, d := range w.doors {
			start(40*time.Millisecond, func(*rand.Rand) { w.try(s, d.node) })
		}
		start(0, func(random *rand.Rand) { w.grantAndTake(s, random) })
	}
	return func() {
		close(w.done)
		w.workers.Wait()
	}
}

func (w *work) working() bool {
	select {
	case <-w.done:
		return false
	default:
		return true
	}
}

// value makes one that nobody else has.
func (w *work) value() string { return fmt.Sprintf("v%d", w.values.Add(1)) }

// event records that one was brought to a node.
func (w *work) event(d door, kind string, bring func(ctx context.Context, name string) error) {
	w.eventFor(callTimeout, d, kind, bring)
}

func (w *work) eventFor(patience time.Duration, d door, kind string, bring func(ctx context.Context, name string) error) {
	e := history.Event{Name: kind + "-" + w.value(), Node: d.node.name}
	var err error
	e.Call, e.Return, e.Outcome, err = w.callFor(patience, func(ctx context.Context) error { return bring(ctx, e.Name) })
	w.root(kind, d.node, e.Call, err)
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	w.seen.events = append(w.seen.events, e)
}

func (w *work) sendMessage(d door) {
	w.event(d, "sent", func(ctx context.Context, name string) error {
		_, err := d.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &w.from.url, MessageBody: &name})
		return err
	})
}

func (w *work) putObject(d door) {
	w.event(d, "put", func(ctx context.Context, name string) error { return w.put(ctx, d, name) })
}

func (w *work) put(ctx context.Context, d door, name string) error {
	_, err := d.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &w.bucket, Key: &name, Body: strings.NewReader(name)})
	return err
}

func (w *work) invokeLater(d door) {
	w.event(d, limitedEvents+"invoked", func(ctx context.Context, name string) error {
		_, err := d.lambda.Invoke(ctx, &lambda.InvokeInput{
			FunctionName: &w.limited.name, InvocationType: types.InvocationTypeEvent, Payload: fmt.Appendf(nil, `{"name":%q,"ms":%d}`, name, workTime),
		})
		return err
	})
}

func (w *work) invokeNow(d door) { w.invoke(d, "called", callTimeout, workTime) }

// invokeLong has the function work for longer than a node may that is cut off.
func (w *work) invokeLong(d door, random *rand.Rand) {
	w.invoke(d, "long", time.Minute, 10_000+random.IntN(40_000))
}

// invoke calls the function. One that answers has run; one that failed on the way may have.
func (w *work) invoke(d door, kind string, patience time.Duration, ms int) {
	w.eventFor(patience, d, limitedEvents+kind, func(ctx context.Context, name string) error {
		out, err := d.lambda.Invoke(ctx, &lambda.InvokeInput{
			FunctionName: &w.limited.name, Payload: fmt.Appendf(nil, `{"name":%q,"ms":%d}`, name, ms),
		})
		if err == nil && out.FunctionError != nil {
			err = fmt.Errorf("%s: %s", *out.FunctionError, out.Payload)
		}
		return err
	})
}

// drain waits until all that was acknowledged has run. As long as more does, there is hope.
func (w *work) drain() {
	w.t.Helper()
	if w.t.Failed() {
		return
	}
	const patience = 90 * time.Second
	last, ran := time.Now(), 0
	for {
		names := w.witness.ran()
		left := 0
		for _, e := range w.seen.events {
			if e.Outcome == history.Done && !names[e.Name] {
				left++
			}
		}
		if left == 0 || time.Since(last) > patience { // then history.CheckEvents tells what is missing
			return
		}
		if len(names) > ran {
			last, ran = time.Now(), len(names)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
