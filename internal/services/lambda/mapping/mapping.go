package mapping

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/tag"
	"github.com/licet/licet/internal/store"
)

// Function is what a mapping needs to know of the function, version or alias that it calls.
type Function struct {
	// Role is the ARN of the execution role.
	Role string
	// Refusal says why the function cannot have a mapping; nil if it can.
	Refusal error
	// Timeout of the function.
	Timeout time.Duration
	// Visibility asks a queue, with the role, for its visibility timeout. nil: nobody polls, and queues are not looked at.
	Visibility func(ctx context.Context, queueARN string) (time.Duration, error)
}

// Functions knows functions.
type Functions interface {
	// Function finds what a reference names. The error wraps store.ErrNotFound when it is not there.
	Function(ctx context.Context, r request.Function) (Function, error)
}

// Roles knows what execution roles may do.
type Roles interface {
	// Allows tells whether a role's policies let a function act on a resource.
	Allows(ctx context.Context, roleARN, functionARN, action, resource string) (bool, error)
}

// Keys knows who may use KMS keys.
type Keys interface {
	// Decrypt is the permission to decrypt with a key in an encryption context. It is not ok for what is no key.
	Decrypt(c *service.Call, key string, encryptionContext map[string]string) (service.Need, bool)
	// Allowed tells whether the policies give the caller a permission.
	Allowed(ctx context.Context, c *service.Call, need service.Need) (bool, error)
}

// Service is the room of event source mappings.
type Service struct {
	db        store.DB
	functions Functions
	roles     Roles
	keys      Keys
}

// New makes the room.
func New(db store.DB, functions Functions, roles Roles, keys Keys) *Service {
	return &Service{db: db, functions: functions, roles: roles, keys: keys}
}

// Operations are the rows of the room.
func (s *Service) Operations() []service.Operation {
	return []service.Operation{
		service.Op("CreateEventSourceMapping", "lambda:CreateEventSourceMapping", s.createTarget, s.create, s.createNeeds),
		service.Op("DeleteEventSourceMapping", "lambda:DeleteEventSourceMapping",
			one(s, func(in *sdk.DeleteEventSourceMappingInput) *string { return in.UUID }), s.delete),
		service.Op("GetEventSourceMapping", "lambda:GetEventSourceMapping",
			one(s, func(in *sdk.GetEventSourceMappingInput) *string { return in.UUID }), s.get),
		service.Op("ListEventSourceMappings", "lambda:ListEventSourceMappings", listTarget, s.list),
		service.Op("UpdateEventSourceMapping", "lambda:UpdateEventSourceMapping", s.updateTarget, s.update, s.updateNeeds),
	}
}

// mapping is the record of an event source mapping.
type mapping struct {
	Partition string            `json:"partition"`
	Region    string            `json:"region"`
	Account   string            `json:"account"`
	Enabled   bool              `json:"enabled"`
	Tags      map[string]string `json:"tags,omitempty"`
	// Shown is what the operations show of it, but for the state.
	Shown types.EventSourceMappingConfiguration `json:"shown"`
}

func prefix(account, region string) string { return "lambda/" + account + "/" + region + "/mapping/" }

func key(account, region, id string) string { return prefix(account, region) + id }

// resource of an ARN of a mapping, before its UUID.
const resource = "event-source-mapping:"

func arnOf(c *service.Call, id string) string {
	return "arn:" + c.Partition + ":lambda:" + c.Region + ":" + c.Account + ":" + resource + id
}

func idOf(a arn.ARN) string { return strings.TrimPrefix(a.Resource, resource) }

// load reads a mapping. The error wraps store.ErrNotFound when there is none.
func load(r store.Reader, account, region, id string) (*mapping, error) {
	if uuid.Validate(id) != nil {
		return nil, store.ErrNotFound
	}
	m, err := store.GetJSON[mapping](r, key(account, region, id))
	return &m, err
}

func (s *Service) find(ctx context.Context, account, region, id string) (m *mapping, err error) {
	err = s.db.View(ctx, func(r store.Reader) error {
		if m, err = load(r, account, region, id); err != nil {
			return err
		}
		return m.withResult(r)
	})
	return m, err
}

// existing is find for operations that answer that the mapping is not there.
func (s *Service) existing(ctx context.Context, account, region, id string) (*mapping, error) {
	m, err := s.find(ctx, account, region, id)
	return m, answer(err, id)
}

// change changes a mapping in one transaction and gives the result. apply may run more than once.
func (s *Service) change(ctx context.Context, account, region, id string, apply func(*mapping) error) (m *mapping, err error) {
	err = s.db.Update(ctx, func(tx store.Tx) error {
		if m, err = load(tx, account, region, id); err != nil {
			return err
		}
		before := *m
		if err := apply(m); err != nil {
			return err
		}
		if *before.Shown.FunctionArn != *m.Shown.FunctionArn {
			if err := errors.Join(release(tx, &before), take(tx, m)); err != nil {
				return err
			}
		}
		return store.PutJSON(tx, key(account, region, id), m)
	})
	return m, answer(err, id)
}

// answer makes AWS's answer of a mapping that is not there. The text is recorded from GetEventSourceMapping.
func answer(err error, id string) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fault.NotFound("The resource you requested does not exist.")
	case err != nil:
		return fmt.Errorf("event source mapping %s: %w", id, err)
	}
	return nil
}

// one is the resource of an operation on one mapping.
func one[In any](s *Service, id func(*In) *string) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		var v request.Validator
		if !v.Required("uUID", id(in) != nil) {
			return service.Target{}, v.Err()
		}
		return s.target(ctx, c, *id(in))
	}
}

// target is a mapping as a resource: with its tags, and the function that it calls (lambda.md 2.4).
func (s *Service) target(ctx context.Context, c *service.Call, id string) (service.Target, error) {
	t := service.Target{ARN: arnOf(c, id)}
	m, err := s.find(ctx, c.Account, c.Region, id)
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return service.Target{}, fmt.Errorf("find event source mapping %s: %w", id, err)
	}
	t.Keys.Set("lambda:FunctionArn", *m.Shown.FunctionArn)
	tag.OfResource(&t.Keys, m.Tags)
	return t, nil
}

// state is what a configuration is shown with. What an operation has changed is there before it answers; yet the answer says that the
// change is under way, as AWS's does, and the next read shows it done: clients wait for it.
func (m *mapping) state(now string) types.EventSourceMappingConfiguration {
	shown := m.Shown
	switch {
	case now != "":
		shown.State = aws.String(now)
	case m.Enabled:
		shown.State = aws.String("Enabled")
	default:
		shown.State = aws.String("Disabled")
	}
	return shown
}

// Target is a mapping as the resource of the operations on tags.
func (s *Service) Target(ctx context.Context, _ *service.Call, _ string, a arn.ARN) (service.Target, error) {
	t := service.Target{ARN: a.String(), Account: a.AccountID}
	m, err := s.find(ctx, a.AccountID, a.Region, idOf(a))
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return service.Target{}, fmt.Errorf("find %s: %w", t.ARN, err)
	}
	tag.OfResource(&t.Keys, m.Tags)
	return t, nil
}

// Tags gives the tags of a mapping.
func (s *Service) Tags(ctx context.Context, a arn.ARN) (map[string]string, error) {
	m, err := s.existing(ctx, a.AccountID, a.Region, idOf(a))
	if err != nil {
		return nil, err
	}
	return m.Tags, nil
}

// UpdateTags lets change work on the tags of a mapping, which are never nil. change may run more than once.
func (s *Service) UpdateTags(ctx context.Context, a arn.ARN, change func(map[string]string) error) error {
	_, err := s.change(ctx, a.AccountID, a.Region, idOf(a), func(m *mapping) error {
		if m.Tags == nil {
			m.Tags = make(map[string]string)
		}
		return change(m.Tags)
	})
	return err
}
