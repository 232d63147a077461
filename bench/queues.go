package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// measureQueues counts messages that are sent, received and deleted, each durably, through the SDK's client, which takes its part of the
// machine's time. Beside it is what the disk does: a message in a call of its own cannot go without its share of them.
func (w *workshop) measureQueues(ctx context.Context) (err error) {
	s, _, err := w.startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, s.stop()) }()
	syncs, err := syncRate(w.dir, w.length/10)
	if err != nil {
		return fmt.Errorf("measure the disk: %w", err)
	}
	c := sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: &s.url,
		Credentials: credentials.NewStaticCredentialsProvider(s.root.AccessKeyID, s.root.SecretAccessKey, ""),
	})
	fmt.Printf("%-40s %8s %12s %12s\n", "messages sent, received and deleted", "batch", "per second", "server's CPU")
	for _, q := range []struct {
		name  string
		fifo  bool
		batch int
		// backlog is how many messages are in the queue before.
		backlog int
	}{
		{"standard", false, 10, 0},
		{"standard", false, 1, 0},
		{"standard, behind 20,000 others", false, 10, 20_000},
		{"FIFO, 100 groups", true, 10, 0},
	} {
		var rates, costs []float64
		for range w.repetitions {
			f, err := newFlow(ctx, c, q.fifo, q.batch, q.backlog)
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			rate, cost, err := f.measure(ctx, w.length, s.cmd.Process.Pid)
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			rates, costs = append(rates, rate), append(costs, cost)
		}
		fmt.Printf("%-40s %8d %12.0f %9.0f µs\n", q.name, q.batch, median(rates), median(costs))
	}
	if err := w.measureMapping(ctx, s, c); err != nil {
		return fmt.Errorf("event source mapping: %w", err)
	}
	fmt.Printf("the disk's own syncs of 4 KiB, one after another: %.0f per second\n\n", syncs)
	return nil
}

// flow is a queue with those who send to it and receive from it.
type flow struct {
	client *sqs.Client
	url    *string
	fifo   bool
	batch  int
	before int64 // messages that were there at first
	next   atomic.Int64
	moved  atomic.Int64
}

var flows atomic.Int64

func newFlow(ctx context.Context, c *sqs.Client, fifo bool, batch, backlog int) (*flow, error) {
	in := &sqs.CreateQueueInput{QueueName: aws.String("bench-" + strconv.FormatInt(flows.Add(1), 10))}
	if fifo {
		in.QueueName, in.Attributes = aws.String(*in.QueueName+".fifo"), map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"}
	}
	out, err := c.CreateQueue(ctx, in)
	if err != nil {
		return nil, err
	}
	f := &flow{client: c, url: out.QueueUrl, fifo: fifo, batch: batch, before: int64(backlog)}
	for range backlog / 10 {
		if err := f.send(ctx, 10); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *flow) send(ctx context.Context, n int) error {
	in := &sqs.SendMessageBatchInput{QueueUrl: f.url}
	for i := range n {
		id := f.next.Add(1)
		e := types.SendMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(`{"id":` + strconv.FormatInt(id, 10) + `,"order":"` + strings.Repeat("x", 100) + `"}`),
		}
		if f.fifo {
			e.MessageGroupId = aws.String("group-" + strconv.FormatInt(id%100, 10))
		}
		in.Entries = append(in.Entries, e)
	}
	out, err := f.client.SendMessageBatch(ctx, in)
	if err == nil && len(out.Failed) > 0 {
		err = fmt.Errorf("send: %s", *out.Failed[0].Message)
	}
	return err
}

func (f *flow) take(ctx context.Context) (int, error) {
	got, err := f.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: f.url, MaxNumberOfMessages: int32(f.batch), WaitTimeSeconds: 1})
	if err != nil || len(got.Messages) == 0 {
		return 0, err
	}
	in := &sqs.DeleteMessageBatchInput{QueueUrl: f.url}
	for i, m := range got.Messages {
		in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
	}
	out, err := f.client.DeleteMessageBatch(ctx, in)
	if err == nil && len(out.Failed) > 0 {
		err = fmt.Errorf("delete: %s", *out.Failed[0].Message)
	}
	return len(got.Messages), err
}

// measure gives messages per second, and the microseconds of a process's time that each takes.
func (f *flow) measure(ctx context.Context, length time.Duration, pid int) (rate, cost float64, err error) {
	before, err := cpuTime(pid)
	if err != nil {
		return 0, 0, err
	}
	rate, moved, err := f.run(ctx, length)
	if err != nil {
		return 0, 0, err
	}
	after, err := cpuTime(pid)
	return rate, float64((after - before).Microseconds()) / float64(max(1, moved)), err
}

// lead is how many messages senders may be ahead of the receivers: else they would take the time of these.
const lead = 1000

// run has eight senders and eight receivers work for a while.
func (f *flow) run(ctx context.Context, length time.Duration) (rate float64, moved int64, err error) {
	var wg sync.WaitGroup
	errs := make(chan error, 16)
	begun := time.Now()
	for range 8 {
		wg.Go(func() {
			for time.Since(begun) < length {
				if f.next.Load()-f.moved.Load() > f.before+lead {
					time.Sleep(time.Millisecond)
					continue
				}
				if err := f.send(ctx, f.batch); err != nil {
					errs <- err
					return
				}
			}
		})
		wg.Go(func() {
			for time.Since(begun) < length {
				n, err := f.take(ctx)
				if err != nil {
					errs <- err
					return
				}
				f.moved.Add(int64(n))
			}
		})
	}
	wg.Wait()
	took := time.Since(begun)
	select {
	case err := <-errs:
		return 0, 0, err
	default:
	}
	return float64(f.moved.Load()) / took.Seconds(), f.moved.Load(), nil
}

// syncRate is how often a second the disk takes 4 KiB for good.
func syncRate(dir string, length time.Duration) (float64, error) {
	file, err := os.Create(filepath.Join(dir, "syncs"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	page, n, begun := make([]byte, 4096), 0, time.Now()
	for ; n == 0 || time.Since(begun) < length; n++ {
		if _, err := file.Write(page); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(begun).Seconds(), nil
}
