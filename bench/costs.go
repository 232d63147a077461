package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/jackc/pgx/v5"

	"github.com/licet/licet/internal/store/postgres/postgrestest"
)

// costed is an operation whose cost is measured.
type costed struct {
	name string
	do   func(ctx context.Context, n int64) error
	// changes: it is measured at several distances from the database.
	changes bool
}

// costs are what a number of operations have taken together.
type costs struct {
	server, database time.Duration // of the processors
	trips, commits   int64
	log              int64 // bytes
	// took is how long it was counted, worked how long of that the work lasted.
	took, worked time.Duration
}

// measureCosts counts what an operation takes of a server and of its PostgreSQL, by one client and by 16: a server lets writers that come
// together share a transaction. What the server does by itself meanwhile is measured first and taken off.
func (w *workshop) measureCosts(ctx context.Context) (err error) {
	database, err := postgrestest.New()
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, database.Close()) }()
	proxy, err := postgrestest.NewProxy(database, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, proxy.Close()) }()
	all, err := w.startNodes(ctx, func(int) string { return proxy.URL() }, 1)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, all.stop()) }()
	conn, err := pgx.Connect(ctx, database.URL(""))
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, conn.Close(ctx)) }()
	m := &meter{server: all[0], proxy: proxy, conn: conn}
	operations, err := w.costedOperations(ctx, all[0])
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if w.only == "distance" {
		return w.measureDistance(ctx, proxy, operations)
	}
	idle, err := m.during(ctx, func() error { time.Sleep(3 * w.length); return nil })
	if err != nil {
		return err
	}
	fmt.Printf("%-40s %7s %9s %9s %9s %9s %9s %9s\n", "one operation", "clients", "/s", "server µs", "trips", "commits", "log bytes", "db µs")
	fmt.Printf("%-40s %7s %9s %9.0f %9.1f %9.1f %9.0f %9.0f\n", "nothing, for a second", "", "", idle.second(idle.server.Microseconds()), idle.second(idle.trips),
		idle.second(idle.commits), idle.second(idle.log), idle.second(idle.database.Microseconds()))
	for _, o := range operations {
		for _, clients := range []int{1, 16} {
			if err := w.measureCost(ctx, m, o, clients, idle); err != nil {
				return fmt.Errorf("%s: %w", o.name, err)
			}
		}
	}
	fmt.Println()
	return w.measureDistance(ctx, proxy, operations)
}

// distances are for how long packets to the database, and back, are kept at least; how long that really takes is measured.
var distances = []time.Duration{0, time.Millisecond}

// measureDistance shows what the way to the database means for changes, which are made one after another.
func (w *workshop) measureDistance(ctx context.Context, proxy *postgrestest.Proxy, operations []costed) error {
	defer proxy.Delay(0)
	fmt.Printf("%-40s", "a round trip to the database takes, ms")
	for _, d := range distances {
		proxy.Delay(d)
		took, err := roundTrip(ctx, proxy.URL())
		if err != nil {
			return err
		}
		fmt.Printf(" %9.2f", milliseconds(took))
	}
	fmt.Printf("\nchanges per second by 16 clients\n")
	for _, o := range operations {
		if !o.changes {
			continue
		}
		fmt.Printf("%-40s", o.name)
		for _, d := range distances {
			proxy.Delay(d)
			var rates []float64
			for range w.repetitions {
				begun := time.Now()
				n, err := repeatedly(ctx, 16, w.length/2, o.do)
				if err != nil {
					return fmt.Errorf("%s: %w", o.name, err)
				}
				rates = append(rates, float64(n)/time.Since(begun).Seconds())
			}
			fmt.Printf(" %9.0f", median(rates))
		}
		fmt.Println()
	}
	fmt.Println()
	return nil
}

// roundTrip is how long the smallest question takes that a database can be asked.
func roundTrip(ctx context.Context, url string) (took time.Duration, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer func() { err = firstError(err, conn.Close(ctx)) }()
	var all []time.Duration
	for range 200 {
		begun := time.Now()
		if err := conn.Ping(ctx); err != nil {
			return 0, err
		}
		all = append(all, time.Since(begun))
	}
	return median(all), nil
}

// second is what a counter counts in one second.
func (c costs) second(counted int64) float64 { return float64(counted) / c.took.Seconds() }

// measureCost prints the row of an operation. All repetitions are one measurement: counters count, and have no outliers.
func (w *workshop) measureCost(ctx context.Context, m *meter, o costed, clients int, idle costs) error {
	length := w.length * time.Duration(w.repetitions) / 2
	if _, err := repeatedly(ctx, clients, w.length/4, o.do); err != nil { // warms up
		return err
	}
	time.Sleep(settle)
	var n int64
	c, err := m.during(ctx, func() (err error) {
		n, err = repeatedly(ctx, clients, length, o.do)
		return err
	})
	if err != nil {
		return err
	}
	share := func(all, alone int64) float64 {
		return (float64(all) - idle.second(alone)*c.took.Seconds()) / float64(n)
	}
	fmt.Printf("%-40s %7d %9.0f %9.0f %9.2f %9.2f %9.0f %9.0f\n", o.name, clients, float64(n)/c.worked.Seconds(),
		share(c.server.Microseconds(), idle.server.Microseconds()), share(c.trips, idle.trips), share(c.commits, idle.commits), share(c.log, idle.log),
		share(c.database.Microseconds(), idle.database.Microseconds()))
	return nil
}

// sequence numbers operations, so that each has names of its own.
var sequence atomic.Int64

// repeatedly does something by a number of clients for a while, and counts.
func repeatedly(ctx context.Context, clients int, length time.Duration, do func(ctx context.Context, n int64) error) (int64, error) {
	var done atomic.Int64
	errs := make(chan error, clients)
	until := time.Now().Add(length)
	for range clients {
		go func() {
			var err error
			for err == nil && time.Now().Before(until) {
				if err = do(ctx, sequence.Add(1)); err == nil {
					done.Add(1)
				}
			}
			errs <- err
		}()
	}
	var err error
	for range clients {
		err = firstError(err, <-errs)
	}
	return done.Load(), err
}

// meter reads counters.
type meter struct {
	server *server
	proxy  *postgrestest.Proxy
	conn   *pgx.Conn
}

// settle is how long a server may still write after an operation: logs, decisions.
const settle = 1200 * time.Millisecond

// during counts while something is done, and what follows from it.
func (m *meter) during(ctx context.Context, do func() error) (c costs, err error) {
	before, err := m.read(ctx)
	if err != nil {
		return c, err
	}
	begun := time.Now()
	if err := do(); err != nil {
		return c, err
	}
	worked := time.Since(begun)
	time.Sleep(settle)
	after, err := m.read(ctx)
	return costs{
		after.server - before.server, after.database - before.database, after.trips - before.trips, after.commits - before.commits, after.log - before.log,
		time.Since(begun), worked,
	}, err
}

// read reads all counters. Those of the database's processes that have ended count, too, as its children (proc_pid_stat(5)).
func (m *meter) read(ctx context.Context) (c costs, err error) {
	if c.server, err = cpuTime(m.server.cmd.Process.Pid); err != nil {
		return c, err
	}
	c.trips = m.proxy.RoundTrips()
	// A session tells of its transactions when it has been idle for a moment; this one's own is among them.
	if err := m.conn.QueryRow(ctx, "SELECT xact_commit, (pg_current_wal_insert_lsn() - '0/0')::bigint FROM pg_stat_database WHERE datname = current_database()").
		Scan(&c.commits, &c.log); err != nil {
		return c, err
	}
	rows, err := m.conn.Query(ctx, "SELECT pid FROM pg_stat_activity")
	if err != nil {
		return c, err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return c, err
	}
	for _, pid := range pids {
		used, err := cpuTime(pid)
		if err != nil {
			return c, err
		}
		c.database += used
	}
	return c, nil
}

// costedFunctions are changed by turns: two changes of one at a time are a conflict.
const costedFunctions = 64

// costedOperations makes what they need.
func (w *workshop) costedOperations(ctx context.Context, s *server) ([]costed, error) {
	languages, err := w.languages()
	if err != nil {
		return nil, err
	}
	role, _, err := s.employ(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.deploy(ctx, "echo", role, languages[0]); err != nil {
		return nil, err
	}
	small := language{runtime: types.RuntimeProvidedal2023, file: "bootstrap", handler: "bootstrap", source: []byte("#!/bin/sh\n")}
	for i := range costedFunctions {
		if err := s.deploy(ctx, fmt.Sprintf("changed-%d", i), role, small); err != nil {
			return nil, err
		}
	}
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: &s.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(s.root.AccessKeyID, s.root.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	var all []costed
	all = append(all, lambdaCosts(lambda.NewFromConfig(config))...)
	all = append(all, identityCosts(iam.NewFromConfig(config), sts.NewFromConfig(config))...)
	storage, err := storageCosts(ctx, config)
	if err != nil {
		return nil, err
	}
	return append(all, storage...), nil
}

func lambdaCosts(c *lambda.Client) []costed {
	echo := aws.String("echo")
	return []costed{
		{"Invoke, warm", func(ctx context.Context, _ int64) error {
			_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: echo, Payload: []byte(payload)})
			return err
		}, false},
		{"Invoke, asynchronous, and its run", func(ctx context.Context, _ int64) error {
			_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: echo, Payload: []byte(payload), InvocationType: types.InvocationTypeEvent})
			return err
		}, true},
		{"GetFunction", func(ctx context.Context, _ int64) error {
			_, err := c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: echo})
			return err
		}, false},
		{"UpdateFunctionConfiguration", func(ctx context.Context, n int64) error {
			_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
				FunctionName: aws.String(fmt.Sprintf("changed-%d", n%costedFunctions)), Description: aws.String(strconv.FormatInt(n, 10)),
			})
			return err
		}, false},
	}
}

func identityCosts(users *iam.Client, sessions *sts.Client) []costed {
	return []costed{
		{"GetCallerIdentity", func(ctx context.Context, _ int64) error {
			_, err := sessions.GetCallerIdentity(ctx, nil)
			return err
		}, false},
		{"GetUser", func(ctx context.Context, _ int64) error {
			_, err := users.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("caller")})
			return err
		}, false},
		{"CreateUser", func(ctx context.Context, n int64) error {
			_, err := users.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(fmt.Sprintf("user-%d", n))})
			return err
		}, false},
		{"PutUserPolicy", func(ctx context.Context, _ int64) error {
			_, err := users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
				UserName: aws.String("caller"), PolicyName: aws.String("other"), PolicyDocument: aws.String(somePolicies(1)[0]),
			})
			return err
		}, true},
	}
}

func storageCosts(ctx context.Context, config aws.Config) ([]costed, error) {
	queues, logs := sqs.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config)
	objects := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	out, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("costs")})
	if err != nil {
		return nil, err
	}
	bucket, group := aws.String("costs"), aws.String("costs")
	if _, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		return nil, err
	}
	if _, err := logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group}); err != nil {
		return nil, err
	}
	if _, err := logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: group}); err != nil {
		return nil, err
	}
	put := func(ctx context.Context, key string) error {
		_, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(payload)})
		return err
	}
	if err := put(ctx, "read"); err != nil {
		return nil, err
	}
	send := func(ctx context.Context, _ int64) error {
		_, err := queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: out.QueueUrl, MessageBody: &payload})
		return err
	}
	return []costed{
		{"PutObject, 1 KB", func(ctx context.Context, n int64) error { return put(ctx, fmt.Sprintf("key-%d", n)) }, true},
		{"GetObject, 1 KB", func(ctx context.Context, _ int64) error {
			got, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("read")})
			if err != nil {
				return err
			}
			return firstError(got.Body.Close())
		}, false},
		{"SendMessage, 1 KB", send, true},
		{"ReceiveMessage and DeleteMessage, 1 KB", func(ctx context.Context, n int64) error {
			got, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: out.QueueUrl})
			if err != nil {
				return err
			}
			if len(got.Messages) == 0 { // there are fewer than were sent before
				return send(ctx, n)
			}
			_, err = queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: out.QueueUrl, ReceiptHandle: got.Messages[0].ReceiptHandle})
			return err
		}, false},
		{"PutLogEvents, one of 1 KB", func(ctx context.Context, _ int64) error {
			_, err := logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: group, LogEvents: []logtypes.InputLogEvent{
				{Message: &payload, Timestamp: aws.Int64(time.Now().UnixMilli())},
			}})
			return err
		}, false},
	}, nil
}
