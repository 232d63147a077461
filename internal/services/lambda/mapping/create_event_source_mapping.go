package mapping

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/tag"
	"github.com/licet/licet/internal/store"
)

func createReference(c *service.Call, in *sdk.CreateEventSourceMappingInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	validate(&v, ofCreate(in))
	r, err := v.Resolve(c, r, nil)
	if err == nil {
		err = tag.CheckClash(in.Tags)
	}
	return r, err
}

// createTarget: the action has no resource of its own, and is bound to a function by a condition key (lambda.md 2.3). A function of
// another account belongs to that account, which cannot grant the action (lambda.md 1.5).
func (s *Service) createTarget(_ context.Context, c *service.Call, in *sdk.CreateEventSourceMappingInput) (service.Target, error) {
	r, err := createReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: "*", Account: r.Account}
	t.Keys.Set("lambda:FunctionArn", r.ARN())
	tag.InRequest(&t.Keys, in.Tags)
	return t, nil
}

// createNeeds: tags need the permission to tag the mapping, which has no UUID yet.
func (s *Service) createNeeds(_ context.Context, c *service.Call, in *sdk.CreateEventSourceMappingInput) ([]service.Need, error) {
	if len(in.Tags) == 0 {
		return nil, nil
	}
	need := service.Need{Action: "lambda:TagResource", Target: service.Target{ARN: arnOf(c, "*")}}
	tag.OfNew(&need.Target.Keys, in.Tags)
	return []service.Need{need}, nil
}

func (s *Service) create(
	ctx context.Context, c *service.Call, in *sdk.CreateEventSourceMappingInput,
) (*sdk.CreateEventSourceMappingOutput, error) {
	r, err := createReference(c, in)
	if err != nil {
		return nil, err
	}
	g := ofCreate(in)
	src, err := sourceOf(g)
	if err != nil {
		return nil, err
	}
	if err := tag.Check(in.Tags); err != nil {
		return nil, err
	}
	m := newMapping(c, r, src, g)
	m.Enabled, m.Tags = in.Enabled == nil || *in.Enabled, in.Tags
	if err := checkPosition(src, g, c.Time); err != nil {
		return nil, err
	}
	if err := checkNames(src, g); err != nil {
		return nil, err
	}
	if err := check(src, g, &m.Shown); err != nil {
		return nil, err
	}
	if err := s.checkKey(c, m); err != nil {
		return nil, err
	}
	if err := s.checkRole(ctx, r, src, &m.Shown); err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx store.Tx) error {
		if err := checkDuplicate(tx, r, src, m); err != nil {
			return err
		}
		return errors.Join(take(tx, m), store.PutJSON(tx, key(m.Account, m.Region, *m.Shown.UUID), m))
	})
	if err != nil {
		return nil, err
	}
	shown, err := s.show(ctx, c, m, "Creating")
	if err != nil {
		return nil, err
	}
	return (*sdk.CreateEventSourceMappingOutput)(output(shown)), nil
}

func newMapping(c *service.Call, r request.Function, src source, g *given) *mapping {
	id := uuid.NewString()
	shown := given{
		EventSourceArn: g.EventSourceArn, SelfManagedEventSource: g.SelfManagedEventSource, Queues: g.Queues, Topics: g.Topics,
		StartingPosition: g.StartingPosition, StartingPositionTimestamp: g.StartingPositionTimestamp,
		UUID: aws.String(id), EventSourceMappingArn: aws.String(arnOf(c, id)), FunctionArn: aws.String(r.ARN()),
		LastModified: aws.Time(c.Time.Truncate(time.Millisecond)), StateTransitionReason: aws.String(reason(src)),
	}
	if src.isStream() {
		shown.LastProcessingResult = aws.String("No records processed")
	}
	merge(&shown, g)
	withDefaults(src, &shown)
	return &mapping{Partition: c.Partition, Region: c.Region, Account: c.Account, Shown: shown}
}

// reason: lambda.md 5.5.
func reason(src source) string {
	if src.kind == queue {
		return "USER_INITIATED"
	}
	return "User action"
}

// checkPosition: texts recorded from CreateEventSourceMapping in February 2025.
func checkPosition(src source, g *given, now time.Time) error {
	given := g.StartingPosition != "" || g.StartingPositionTimestamp != nil
	switch {
	case src.kind == queue && given:
		return fault.InvalidParameter("StartingPosition is not valid for SQS event sources.")
	case src.kind == broker && given: // ours
		return fault.InvalidParameter("StartingPosition is not valid for MQ event sources.")
	case (src.isStream() || src.kind == documents) && g.StartingPosition == "":
		return fault.InvalidParameter("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: " +
			"Member must not be null.")
	case src.kind == tableStream && g.StartingPosition == types.EventSourcePositionAtTimestamp:
		return fault.InvalidParameter("Unsupported starting position for arn type: %s", src.arn)
	case g.StartingPositionTimestamp != nil && g.StartingPosition != types.EventSourcePositionAtTimestamp:
		return fault.InvalidParameter("Timestamp only valid with StartingPosition AT_TIMESTAMP")
	case g.StartingPosition == types.EventSourcePositionAtTimestamp && g.StartingPositionTimestamp == nil: // ours
		return fault.InvalidParameter("StartingPositionTimestamp is required with StartingPosition AT_TIMESTAMP.")
	case g.StartingPositionTimestamp != nil && g.StartingPositionTimestamp.After(now): // ours
		return fault.InvalidParameter("StartingPositionTimestamp cannot be in the future.")
	case g.StartingPositionTimestamp != nil && g.StartingPositionTimestamp.Unix() < 0:
		return fault.InvalidParameter("Received Exception while reading from provided stream. " +
			"class java.lang.Long can not be converted to a Timestamp")
	}
	return nil
}

// checkNames wants what a source cannot be read without. The first text is recorded, the others are ours in its form.
func checkNames(src source, g *given) error {
	missing := ""
	switch {
	case src.kind == selfManagedKafka && len(g.SourceAccessConfigurations) == 0:
		missing = "sourceAccessConfigurations"
	case src.isKafka() && len(g.Topics) == 0:
		missing = "topics"
	case src.kind == broker && len(g.Queues) == 0:
		missing = "queues"
	case (src.kind == broker || src.kind == documents) && len(g.SourceAccessConfigurations) == 0:
		missing = "sourceAccessConfigurations"
	case src.kind == documents && (g.DocumentDBEventSourceConfig == nil || g.DocumentDBEventSourceConfig.DatabaseName == nil):
		missing = "documentDBEventSourceConfig.databaseName"
	default:
		return nil
	}
	return fault.InvalidParameter("Required '%s' parameter is missing.", missing)
}
