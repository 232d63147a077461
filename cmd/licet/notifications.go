package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/s3/notification"
)

// notified calls the targets of buckets' events as S3 does: judged by the target's resource policy alone, with aws:SourceArn and
// aws:SourceAccount there for its conditions.
type notified struct{ *server }

// Check tells whether the target is there and lets S3 in. A queue gets a test event.
func (n notified) Check(ctx context.Context, d notification.Delivery) error {
	if d.Kind == notification.Function {
		return n.invoke(ctx, d, &awslambda.InvokeInput{FunctionName: &d.Target, InvocationType: types.InvocationTypeDryRun})
	}
	return n.Deliver(ctx, d)
}

// Deliver hands over an event. That Lambda, or SQS, has taken it is durable.
func (n notified) Deliver(ctx context.Context, d notification.Delivery) error {
	if d.Kind == notification.Queues {
		return n.send(ctx, d)
	}
	if d.Kind != notification.Function {
		return fmt.Errorf("%w: this server does not have the service of %s", notification.ErrRefused, d.Target)
	}
	in := &awslambda.InvokeInput{FunctionName: &d.Target, InvocationType: types.InvocationTypeEvent, Payload: d.Payload}
	return n.invoke(ctx, d, in)
}

func (n notified) invoke(ctx context.Context, d notification.Delivery, in *awslambda.InvokeInput) error {
	c, err := n.call(d, "lambda", "Invoke")
	if err != nil {
		return err
	}
	_, err = n.door.Do(ctx, c, in)
	return refusedForGood(err)
}

// send puts an event into a queue.
func (n notified) send(ctx context.Context, d notification.Delivery) error {
	c, err := n.call(d, "sqs", "SendMessage")
	if err != nil {
		return err
	}
	target, err := arn.Parse(d.Target)
	if err != nil {
		return fmt.Errorf("%w: %w", notification.ErrRefused, err)
	}
	_, err = n.door.Do(ctx, c, &awssqs.SendMessageInput{
		QueueUrl:    aws.String("https://sqs." + target.Region + ".amazonaws.com/" + target.AccountID + "/" + target.Resource),
		MessageBody: aws.String(string(d.Payload)),
	})
	return refusedForGood(err)
}

// call is one that S3 makes for a bucket.
func (n notified) call(d notification.Delivery, serviceName, operation string) (*service.Call, error) {
	target, err := arn.Parse(d.Target)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", notification.ErrRefused, err)
	}
	var internal service.Internal
	internal.Keys.Set("aws:SourceArn", d.Source)
	internal.Keys.Set("aws:SourceAccount", d.Account)
	caller := principal.Caller{Principal: authz.Principal{Kind: authz.Service, ARN: "s3.amazonaws.com"}}
	c := n.door.Internal(caller, target.AccountID, serviceName, operation, internal)
	c.Region = d.Region
	return c, nil
}

// refusedForGood marks errors that no further trial changes.
func refusedForGood(err error) error {
	if e, ok := errors.AsType[*awserr.Error](err); ok && e.Sender() && e.Status != http.StatusTooManyRequests {
		return fmt.Errorf("%w: %w", notification.ErrRefused, err)
	}
	return err
}

// codeObjects reads functions' code from S3.
type codeObjects struct{ *server }

// Target is the object as S3's policies see it.
func (o codeObjects) Target(ctx context.Context, c *service.Call, bucket, key, version string) (service.Target, error) {
	return o.s3.Target(ctx, c, bucket, key, version)
}

// Object reads what can be code at all.
func (o codeObjects) Object(ctx context.Context, c *service.Call, bucket, key, version string) ([]byte, error) {
	return o.s3.Object(ctx, c, bucket, key, version, bundle.MaxUnpacked+1)
}
