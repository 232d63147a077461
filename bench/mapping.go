package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// mappedMessages are those of one measurement.
const mappedMessages = 10_000

// measureMapping counts messages that come from a queue to a function in batches of ten, and are deleted, from when the mapping is enabled until the
// queue is empty: 10,000 messages are in it before.
func (w *workshop) measureMapping(ctx context.Context, s *server, c *sqs.Client) error {
	languages, err := w.languages()
	if err != nil {
		return err
	}
	role, _, err := s.employ(ctx)
	if err != nil {
		return err
	}
	if _, err := s.users().PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String(role[strings.LastIndex(role, "/")+1:]), PolicyName: aws.String("queues"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`),
	}); err != nil {
		return err
	}
	if err := s.deploy(ctx, "mapped", role, languages[0]); err != nil {
		return err
	}
	var rates []float64
	for range w.repetitions {
		rate, err := s.mappedRate(ctx, c)
		if err != nil {
			return err
		}
		rates = append(rates, rate)
	}
	fmt.Printf("%-40s %8d %12.0f\n\n", "from a queue to a function ("+languages[0].name+")", 10, median(rates))
	return nil
}

func (s *server) mappedRate(ctx context.Context, c *sqs.Client) (rate float64, err error) {
	f, err := newFlow(ctx, c, false, 10, mappedMessages)
	if err != nil {
		return 0, err
	}
	attributes := func(names ...types.QueueAttributeName) (map[string]string, error) {
		out, err := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: f.url, AttributeNames: names})
		if err != nil {
			return nil, err
		}
		return out.Attributes, nil
	}
	about, err := attributes("QueueArn")
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	made, err := s.functions().CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		EventSourceArn: aws.String(about["QueueArn"]), FunctionName: aws.String("mapped"),
	})
	if err != nil {
		return 0, err
	}
	for {
		left, err := attributes("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
		if err != nil {
			return 0, err
		}
		if left["ApproximateNumberOfMessages"] == "0" && left["ApproximateNumberOfMessagesNotVisible"] == "0" {
			break
		}
		if time.Since(begun) > 5*time.Minute {
			return 0, errors.New("the function does not get through the queue")
		}
		time.Sleep(20 * time.Millisecond)
	}
	rate = mappedMessages / time.Since(begun).Seconds()
	_, err = s.functions().DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: made.UUID})
	return rate, err
}
