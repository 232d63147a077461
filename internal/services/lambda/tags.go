package lambda

import (
	"context"
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// taggedRoom has resources other than functions that have tags.
type taggedRoom interface {
	// Target is the resource that an ARN names, as the resource of an action; also if it does not exist.
	Target(ctx context.Context, c *service.Call, action string, a arn.ARN) (service.Target, error)
	// Tags of the resource. Of one that is not there the error is AWS's answer; so it is of UpdateTags.
	Tags(ctx context.Context, a arn.ARN) (map[string]string, error)
	// UpdateTags lets change work on the tags, which are never nil. change may run more than once.
	UpdateTags(ctx context.Context, a arn.ARN, change func(map[string]string) error) error
}

// taggable reads the member Resource of the operations on tags: the room that has it, and the ARN.
func (s *Service) taggable(v *request.Validator, c *service.Call, resource *string) (taggedRoom, arn.ARN, error) {
	v.RequiredText("resource", resource, taggableText)
	if err := v.Err(); err != nil {
		return nil, arn.ARN{}, err
	}
	a, err := arn.Parse(*resource)
	if err != nil { // its pattern is that of an ARN
		return nil, arn.ARN{}, err
	}
	kind, name, _ := strings.Cut(a.Resource, ":")
	room, ok := s.tagged[kind]
	if !ok {
		return nil, arn.ARN{}, fault.NotImplemented(c.Operation, "Resource of type "+kind)
	}
	r := request.Function{Partition: a.Partition, Region: a.Region, Account: a.AccountID, Name: name}
	if kind == "function" && strings.Contains(name, ":") {
		return nil, arn.ARN{}, fault.InvalidParameter(
			"Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	return room, a, r.Reachable(c)
}

// taggedFunctions is the room of functions.
type taggedFunctions struct{ *Service }

func (f taggedFunctions) reference(a arn.ARN) request.Function {
	return request.Function{
		Partition: a.Partition, Region: a.Region, Account: a.AccountID, Name: strings.TrimPrefix(a.Resource, "function:"),
	}
}

func (f taggedFunctions) Target(ctx context.Context, c *service.Call, action string, a arn.ARN) (service.Target, error) {
	return f.target(ctx, c, action, f.reference(a))
}

func (f taggedFunctions) Tags(ctx context.Context, a arn.ARN) (map[string]string, error) {
	found, err := f.existing(ctx, f.reference(a))
	if err != nil {
		return nil, err
	}
	return found.function.Tags, nil
}

// UpdateTags leaves the revision and the environments: tags are no part of the configuration.
func (f taggedFunctions) UpdateTags(ctx context.Context, a arn.ARN, change func(map[string]string) error) error {
	_, err := f.updateFunction(ctx, f.reference(a), func(f *function) error {
		if f.Tags == nil {
			f.Tags = make(map[string]string)
		}
		return change(f.Tags)
	})
	return err
}
