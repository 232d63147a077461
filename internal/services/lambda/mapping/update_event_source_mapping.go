package mapping

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// updateReference is the function that a mapping is to call from now on; nil if that is not given.
func updateReference(c *service.Call, in *sdk.UpdateEventSourceMappingInput) (*request.Function, error) {
	var v request.Validator
	v.Required("uUID", in.UUID != nil)
	validate(&v, ofUpdate(in))
	if in.FunctionName == nil {
		return nil, v.Err()
	}
	r, err := v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), nil)
	return &r, err
}

func (s *Service) updateTarget(ctx context.Context, c *service.Call, in *sdk.UpdateEventSourceMappingInput) (service.Target, error) {
	if _, err := updateReference(c, in); err != nil {
		return service.Target{}, err
	}
	return s.target(ctx, c, *in.UUID)
}

// updateNeeds: who binds the action to functions by lambda:FunctionArn must mean the old one and the new one. For the new one see
// createTarget.
func (s *Service) updateNeeds(ctx context.Context, c *service.Call, in *sdk.UpdateEventSourceMappingInput) ([]service.Need, error) {
	r, err := updateReference(c, in)
	if err != nil {
		return nil, err
	}
	m, err := s.find(ctx, c.Account, c.Region, *in.UUID)
	if errors.Is(err, store.ErrNotFound) {
		m = &mapping{}
	} else if err != nil {
		return nil, fmt.Errorf("find event source mapping %s: %w", *in.UUID, err)
	}
	rekey := s.rekeyNeeds(c, m, ofUpdate(in))
	if r == nil {
		return rekey, nil
	}
	t, err := s.target(ctx, c, *in.UUID)
	if err != nil {
		return nil, err
	}
	t.Account = r.Account
	t.Keys.Set("lambda:FunctionArn", r.ARN())
	return append(rekey, service.Need{Action: "lambda:UpdateEventSourceMapping", Target: t}), nil
}

func (s *Service) update(
	ctx context.Context, c *service.Call, in *sdk.UpdateEventSourceMappingInput,
) (*sdk.UpdateEventSourceMappingOutput, error) {
	r, err := updateReference(c, in)
	if err != nil {
		return nil, err
	}
	old, err := s.existing(ctx, c.Account, c.Region, *in.UUID)
	if err != nil {
		return nil, err
	}
	src, err := sourceOf(&old.Shown)
	if err != nil {
		return nil, err
	}
	g := ofUpdate(in)
	apply := func(m *mapping) error {
		merge(&m.Shown, g)
		withDefaults(src, &m.Shown)
		if in.Enabled != nil {
			m.Enabled = *in.Enabled
		}
		if r != nil {
			m.Shown.FunctionArn = aws.String(r.ARN())
		}
		m.Shown.LastModified = aws.Time(c.Time.Truncate(time.Millisecond))
		return check(src, g, &m.Shown)
	}
	changed := *old
	if err := apply(&changed); err != nil {
		return nil, err
	}
	if err := s.checkKey(c, &changed); err != nil {
		return nil, err
	}
	called, err := s.called(c, &changed)
	if err != nil {
		return nil, err
	}
	if err := s.checkRole(ctx, called, src, &changed.Shown); err != nil {
		return nil, err
	}
	m, err := s.change(ctx, c.Account, c.Region, *in.UUID, apply)
	if err != nil {
		return nil, err
	}
	now := "Updating"
	if m.Enabled != old.Enabled {
		now = map[bool]string{true: "Enabling", false: "Disabling"}[m.Enabled]
	}
	shown, err := s.show(ctx, c, m, now)
	if err != nil {
		return nil, err
	}
	return (*sdk.UpdateEventSourceMappingOutput)(output(shown)), nil
}

// called is the function, version or alias that a mapping calls.
func (s *Service) called(c *service.Call, m *mapping) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, m.Shown.FunctionArn, request.NamespacedName), nil)
}
