package mapping

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// checkRole simulates with the execution role what the poller will do: read the source, and write to the destination of failures.
// Texts: lambda.md 3.1 and 5.3.
func (s *Service) checkRole(ctx context.Context, r request.Function, src source, m *types.EventSourceMappingConfiguration) error {
	f, err := s.functions.Function(ctx, r)
	if errors.Is(err, store.ErrNotFound) {
		return fault.InvalidParameter("Function does not exist")
	}
	if err != nil {
		return fmt.Errorf("find function %s: %w", r.ARN(), err)
	}
	if f.Refusal != nil {
		return f.Refusal
	}
	check := func(p permission, denied error) error {
		ok, err := s.roles.Allows(ctx, f.Role, r.FunctionARN(), p.action, p.resource)
		if err != nil {
			return fmt.Errorf("simulate %s on %s: %w", p.action, p.resource, err)
		}
		if !ok {
			return denied
		}
		return nil
	}
	for _, p := range src.permissions(m) {
		if err := check(p, src.denied(p)); err != nil {
			return err
		}
	}
	if src.kind == queue && f.Visibility != nil {
		if err := checkQueue(ctx, src, f); err != nil {
			return err
		}
	}
	if m.DestinationConfig == nil || m.DestinationConfig.OnFailure == nil || m.DestinationConfig.OnFailure.Destination == nil {
		return nil
	}
	p, ok := deliver(*m.DestinationConfig.OnFailure.Destination)
	if !ok {
		return nil // a topic of the same cluster, which the poller reaches as it reads
	}
	return check(p, lacks("function", p))
}

// checkQueue looks for the queue, and refuses one whose messages would come again while the function works on them. Texts: lambda.md 5.3 and 5.6.
func checkQueue(ctx context.Context, src source, f Function) error {
	visibility, err := f.Visibility(ctx, src.arn.String())
	if e, ok := errors.AsType[*awserr.Error](err); ok && e.Sender() {
		code := e.Code
		if code == "QueueDoesNotExist" {
			code = "AWS.SimpleQueueService.NonExistentQueue"
		}
		return fault.InvalidParameter("Error occurred while ReceiveMessage. SQS Error Code: %s. SQS Error Message: %s", code, e.Message)
	}
	if err != nil {
		return fmt.Errorf("look at %s: %w", src.arn, err)
	}
	if visibility < f.Timeout {
		return fault.InvalidParameter("Queue visibility timeout: %d seconds is less than Function timeout: %d seconds",
			visibility/time.Second, f.Timeout/time.Second)
	}
	return nil
}

// denied is the error for a source that the role may not read.
func (s source) denied(p permission) error {
	switch {
	case s.isStream():
		// Since about 2020 with ListShards; older answers have not (lambda.md U7: the newer is chosen).
		return fault.InvalidParameter("Cannot access stream %s. Please ensure the role can perform the GetRecords, GetShardIterator, "+
			"DescribeStream, ListShards, and ListStreams Actions on your stream in IAM.", s.arn)
	case strings.HasPrefix(p.action, "ec2:"):
		return lacks("provided", p)
	}
	return lacks("function", p) // known of SQS; for other sources ours
}

// lacks names an action as Lambda does: "… does not have permissions to call ReceiveMessage on SQS".
func lacks(whose string, p permission) error {
	serviceName, operation, _ := strings.Cut(p.action, ":")
	switch serviceName {
	case "kafka":
		serviceName = "MSK"
	case "secretsmanager":
		serviceName = "SecretsManager"
	default:
		serviceName = strings.ToUpper(serviceName)
	}
	return fault.InvalidParameter("The %s execution role does not have permissions to call %s on %s", whose, operation, serviceName)
}

// deliver is what a destination needs of the role; not ok for a Kafka topic.
func deliver(destination string) (permission, bool) {
	a, err := arn.Parse(destination)
	if err != nil {
		return permission{}, false
	}
	switch a.Service {
	case "sqs":
		return permission{"sqs:SendMessage", destination}, true
	case "sns":
		return permission{"sns:Publish", destination}, true
	default: // S3: a grant for some of the bucket's objects is not enough (lambda.md 3.1)
		return permission{"s3:PutObject", destination + "/*"}, true
	}
}
