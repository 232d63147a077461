package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/store/postgres/postgrestest"
)

const (
	// nodesOf a cluster that is measured.
	nodesOf = 3
	// allowedChanges are how often it is measured when other nodes honour a change.
	allowedChanges = 30
	// takeovers are how often a node is killed.
	takeovers = 3
	// patience is how long anything may take that is waited for.
	patience = time.Minute
)

// nodes are servers over one store.
type nodes []*server

// measureCluster compares three servers over one PostgreSQL with one server over the same PostgreSQL, each with a schema of its own. On one
// machine they share its processors: what three add to is not shown, but what having others costs.
func (w *workshop) measureCluster(ctx context.Context) (err error) {
	database, err := postgrestest.New()
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, database.Close()) }()
	one, err := w.startNodes(ctx, func(int) string { return database.URL("one") }, 1)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, one.stop()) }()
	three, err := w.startNodes(ctx, func(int) string { return database.URL("three") }, nodesOf)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, three.stop()) }()
	fmt.Printf("%-44s %12s %12s %8s\n", "three servers beside one, one PostgreSQL", "one", "three *", "ratio")
	if err := w.compareLoads(ctx, one, three); err != nil {
		return err
	}
	fmt.Printf("* one of the three with 1 client, all of them with 16\n\n")
	if err := three.measureChanges(ctx); err != nil {
		return fmt.Errorf("measure when changes are honoured: %w", err)
	}
	if err := w.measureTakeovers(ctx, three); err != nil {
		return fmt.Errorf("measure takeovers: %w", err)
	}
	fmt.Println()
	return nil
}

// startNodes starts servers with one key, and code and objects in one place, over the store at a URL.
func (w *workshop) startNodes(ctx context.Context, place func(i int) string, n int) (all nodes, err error) {
	shared, err := os.MkdirTemp(w.dir, "shared-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = firstError(err, all.stop())
		}
	}()
	for i := range n {
		data, err := os.MkdirTemp(w.dir, "data-")
		if err != nil {
			return all, err
		}
		if i > 0 {
			key, err := os.ReadFile(filepath.Join(all[0].data, "key"))
			if err != nil {
				return all, err
			}
			if err := os.WriteFile(filepath.Join(data, "key"), key, 0o600); err != nil {
				return all, err
			}
		}
		s, _, err := w.startServerOn(ctx, data, "--store", place(i), "--blobs", shared)
		if err != nil {
			return all, err
		}
		all = append(all, s)
	}
	return all, nil
}

// stop ends those that have not been killed.
func (all nodes) stop() (err error) {
	for _, s := range all {
		if s.cmd.ProcessState == nil {
			err = firstError(err, s.stop())
		}
	}
	return err
}

// compared is a request that is made again and again.
type compared struct {
	name   string
	method string
	path   string
	body   string
	as     string // the service that it is signed for
	root   bool   // by the root, else by the user who may invoke
}

func comparedCalls() []compared {
	put := url.Values{
		"Action": {"PutUserPolicy"}, "Version": {"2010-05-08"}, "UserName": {"caller"}, "PolicyName": {"other"}, "PolicyDocument": {somePolicies(1)[0]},
	}
	return []compared{
		{"warm invocations", http.MethodPost, invocations("echo"), payload, "lambda", false},
		{"GetFunction", http.MethodGet, "/2015-03-31/functions/echo", "", "lambda", true},
		{"GetUser", http.MethodPost, "/", url.Values{"Action": {"GetUser"}, "Version": {"2010-05-08"}, "UserName": {"caller"}}.Encode(), "iam", true},
		{"PutUserPolicy", http.MethodPost, "/", put.Encode(), "iam", true},
	}
}

// target is the request to all nodes in turn.
func (all nodes) target(ctx context.Context, q compared, caller aws.Credentials) (t target, err error) {
	for _, s := range all {
		c := caller
		if q.root {
			c = s.root
		}
		req, err := signedRequest(ctx, q.method, s.url+q.path, []byte(q.body), c, q.as)
		if err != nil {
			return t, err
		}
		t.others = append(t.others, req)
	}
	t.req, t.others = t.others[0], t.others[1:]
	return t, nil
}

func (w *workshop) compareLoads(ctx context.Context, one, three nodes) error {
	languages, err := w.languages()
	if err != nil {
		return err
	}
	var callers []aws.Credentials
	for _, all := range []nodes{one, three} {
		role, caller, err := all[0].employ(ctx)
		if err == nil {
			err = all[0].deploy(ctx, "echo", role, languages[0])
		}
		if err != nil {
			return fmt.Errorf("deploy: %w", err)
		}
		callers = append(callers, caller)
	}
	for _, q := range comparedCalls() {
		for _, clients := range []int{1, 16} {
			a, err := one.target(ctx, q, callers[0])
			if err != nil {
				return err
			}
			others := three
			if clients == 1 { // what it costs one server to have others; a client of all of them would wake up each in turn
				others = three[:1]
			}
			b, err := others.target(ctx, q, callers[1])
			if err != nil {
				return err
			}
			both, err := w.alternate(ctx, clients, []byte(q.body), a, b)
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			name := fmt.Sprintf("%s, clients: %d", q.name, clients)
			fmt.Printf("%-44s %10.0f/s %10.0f/s %8.2f\n", name, both[0].rate, both[1].rate, both[1].share)
			if clients == 1 {
				fmt.Printf("%-44s %9.2f ms %9.2f ms %8.2f\n", "  p50", milliseconds(both[0].p50), milliseconds(both[1].p50), float64(both[1].p50)/float64(both[0].p50))
			}
		}
	}
	return nil
}

// measureChanges takes a permission away on one node, and asks the others how long they still allow the call.
func (all nodes) measureChanges(ctx context.Context) error {
	users := all[0].users()
	user, policy := aws.String("changed"), aws.String("own")
	if _, err := users.CreateUser(ctx, &iam.CreateUserInput{UserName: user}); err != nil {
		return err
	}
	key, err := users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user})
	if err != nil {
		return err
	}
	caller := aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}
	var took []time.Duration
	for range allowedChanges {
		if _, err := users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: user, PolicyName: policy, PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:GetFunction","Resource":"*"}]}`),
		}); err != nil {
			return err
		}
		for _, s := range all[1:] {
			if _, err := s.until(ctx, caller, http.StatusOK); err != nil {
				return err
			}
		}
		if _, err := users.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: user, PolicyName: policy}); err != nil {
			return err
		}
		begun := time.Now()
		for _, s := range all[1:] {
			last, err := s.until(ctx, caller, http.StatusForbidden)
			if err != nil {
				return err
			}
			took = append(took, max(0, last.Sub(begun)))
		}
	}
	p50 := median(took)
	fmt.Printf("a change is honoured by the other servers after   p50 %.1f ms, p99 %.1f ms, at most %.1f ms   (target 1000)\n",
		milliseconds(p50), milliseconds(took[len(took)*99/100]), milliseconds(took[len(took)-1]))
	return nil
}

// until asks a node again and again until it gives a status, and tells when the last call began that got another.
func (s *server) until(ctx context.Context, c aws.Credentials, status int) (last time.Time, err error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		req, err := signedRequest(ctx, http.MethodGet, s.url+"/2015-03-31/functions/echo", nil, c, "lambda")
		if err != nil {
			return last, err
		}
		begun := time.Now()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return last, err
		}
		if err := resp.Body.Close(); err != nil {
			return last, err
		}
		if resp.StatusCode == status {
			return last, nil
		}
		last = begun
	}
	return last, fmt.Errorf("%s has not answered %d within %v", s.url, status, patience)
}

// measureTakeovers kills nodes that have events and poll queues. A function's destination, a queue, tells which of its events have run.
func (w *workshop) measureTakeovers(ctx context.Context, all nodes) error {
	queues, err := all.employQueues(ctx)
	if err != nil {
		return err
	}
	var events, messages []time.Duration
	ran := map[int]bool{}
	for i := range takeovers {
		victim := all[i%len(all)]
		other := all[(i+1)%len(all)]
		const n = 100
		for k := range n {
			if _, err := victim.functions().Invoke(ctx, &lambda.InvokeInput{
				FunctionName: aws.String("echo"), InvocationType: types.InvocationTypeEvent, Payload: fmt.Appendf(nil, `{"event":%d}`, i*n+k),
			}); err != nil {
				return err
			}
		}
		if err := victim.kill(); err != nil {
			return err
		}
		begun := time.Now()
		if err := other.fill(ctx, queues.mapped); err != nil {
			return err
		}
		var took time.Duration
		// Both are looked at by turns: neither waits for the other.
		for eventsDone, messagesDone := false, false; !eventsDone || !messagesDone; time.Sleep(time.Millisecond) {
			if took = time.Since(begun); took > patience {
				return errors.New("the work of a server that was killed was not taken over")
			}
			if err := other.hear(ctx, queues.told, ran); err != nil {
				return err
			}
			if !eventsDone && len(ran) == (i+1)*n {
				eventsDone, events = true, append(events, took)
			}
			left, err := other.depth(ctx, queues.mapped)
			if err != nil {
				return err
			}
			if !messagesDone && left == 0 {
				messagesDone, messages = true, append(messages, took)
			}
		}
		if all[i%len(all)], _, err = w.startServerOn(ctx, victim.data); err != nil {
			return err
		}
	}
	fmt.Printf("events of a server that was killed have run after %v (target 10 s)\n", rounded(events))
	fmt.Printf("a queue is empty that was filled as it was killed, after %v (target 10 s)\n", rounded(messages))
	return nil
}

func rounded(all []time.Duration) (text string) {
	for _, d := range all {
		text += strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s, "
	}
	return strings.TrimSuffix(text, ", ")
}

// kill ends a server as the loss of its machine would.
func (s *server) kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = s.cmd.Wait() // it was killed, and that is what it says
	return nil
}

// takeoverQueues are the URLs of a queue that a function is mapped to, and of one that is told of its events.
type takeoverQueues struct{ mapped, told string }

func (all nodes) employQueues(ctx context.Context) (q takeoverQueues, err error) {
	s := all[0]
	if _, err := s.users().PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String("echo"), PolicyName: aws.String("queues"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`),
	}); err != nil {
		return q, err
	}
	for name, url := range map[string]*string{"mapped": &q.mapped, "told": &q.told} {
		out, err := s.queues().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{"VisibilityTimeout": "30"}})
		if err != nil {
			return q, err
		}
		*url = *out.QueueUrl
	}
	if _, err := s.functions().PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: aws.String("echo"), DestinationConfig: &types.DestinationConfig{
			OnSuccess: &types.OnSuccess{Destination: aws.String("arn:aws:sqs:us-east-1:000000000000:told")},
		},
	}); err != nil {
		return q, err
	}
	_, err = s.functions().CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		EventSourceArn: aws.String("arn:aws:sqs:us-east-1:000000000000:mapped"), FunctionName: aws.String("echo"),
	})
	return q, err
}

// queues is a client of SQS for the root.
func (s *server) queues() *sqs.Client {
	return sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: &s.url, Credentials: credentials.NewStaticCredentialsProvider(s.root.AccessKeyID, s.root.SecretAccessKey, ""),
	})
}

// fill sends messages to a queue.
func (s *server) fill(ctx context.Context, queue string) error {
	for range 20 {
		if _, err := s.queues().SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("{}")}); err != nil {
			return err
		}
	}
	return nil
}

// hear takes from a queue which events have run. Some may have run twice.
func (s *server) hear(ctx context.Context, queue string, ran map[int]bool) error {
	got, err := s.queues().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10})
	if err != nil {
		return err
	}
	for _, m := range got.Messages {
		var told struct {
			RequestPayload struct{ Event int } `json:"requestPayload"`
		}
		if err := json.Unmarshal([]byte(*m.Body), &told); err != nil {
			return err
		}
		ran[told.RequestPayload.Event] = true
		if _, err := s.queues().DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return err
		}
	}
	return nil
}

// depth is how many messages are in a queue, those included that somebody has received.
func (s *server) depth(ctx context.Context, queue string) (n int, err error) {
	out, err := s.queues().GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}})
	if err != nil {
		return 0, err
	}
	for _, value := range out.Attributes {
		part, err := strconv.Atoi(value)
		if err != nil {
			return 0, err
		}
		n += part
	}
	return n, nil
}
