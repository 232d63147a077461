package dispatch

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
)

// Suppose gives what a call would be judged by that needs one permission, without deciding, recording or running anything.
func (d *Dispatcher) Suppose(ctx context.Context, c *service.Call, need service.Need) (authz.Request, authz.Policies, error) {
	policies, err := d.config.Policies.Policies(ctx, c.Caller)
	if err != nil {
		return authz.Request{}, authz.Policies{}, internal(err, "find the policies of %s", c.Caller.ARN)
	}
	orgs, err := d.membersOf(ctx, c, &need)
	if err != nil {
		return authz.Request{}, authz.Policies{}, err
	}
	var made audit.Decision
	d.decide(c, &need, d.compiled.ofCaller(&c.Caller, &policies), &orgs, &made)
	return made.Request, made.Applied, nil
}

// Target finds what an action on a resource is judged by: the resource's policy and the keys of its tags. It asks the operations of the
// action's service, as a call would, whose inputs it fills with members that name the resource: the one that needs the action, else
// any that acts on this very resource. ok is false when none does.
func (d *Dispatcher) Target(
	ctx context.Context, c *service.Call, action, resource string, members map[string]any,
) (t service.Target, ok bool, err error) {
	e, known := d.services[c.Service]
	if !known || resource == "*" {
		return service.Target{ARN: resource}, false, nil
	}
	_, name, _ := strings.Cut(action, ":")
	for _, op := range e.likely(name) {
		in, filled := filledInput(op.input, members)
		if !filled {
			continue
		}
		needs, err := op.needs(ctx, c, in)
		if refused, ofInput := errors.AsType[*awserr.Error](err); ofInput && refused.Sender() || errors.Is(err, errIncomplete) {
			continue // it wants more than the resource
		}
		if err != nil {
			return service.Target{}, false, err
		}
		for _, n := range needs {
			if n.Target.ARN != resource {
				continue
			}
			if strings.EqualFold(n.Action, action) {
				return n.Target, true, nil
			}
			if !ok {
				t, ok = n.Target, true
			}
		}
	}
	if !ok {
		t = service.Target{ARN: resource}
	}
	return t, ok, nil
}

type likelyOperation struct {
	service.Operation
	input reflect.Type
}

// errIncomplete means that an operation reads a member of its input that a codec would have insisted on.
var errIncomplete = errors.New("dispatch: the input says too little")

// needs are those of a call with an input that may lack what a codec insists on. An operation that trusts it to be there has none.
func (o likelyOperation) needs(ctx context.Context, c *service.Call, in any) (needs []service.Need, err error) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(runtime.Error); !ok {
				panic(p)
			}
			needs, err = nil, errIncomplete
		}
	}()
	return o.Needs(ctx, c, in)
}

// likely are the operations of a service with their inputs, the one of the name first, the others by their names.
func (e *entry) likely(name string) []likelyOperation {
	var list []likelyOperation
	for _, described := range e.API.Operations {
		op, ok := e.operations[described.Name]
		if !ok || op.Identifies() { // whose caller is in the input
			continue
		}
		one := likelyOperation{op, described.Input}
		if strings.EqualFold(op.Name, name) {
			list = slices.Insert(list, 0, one)
		} else {
			list = append(list, one)
		}
	}
	return list
}

// filledInput makes an input with the members that its type has; false when it has none of them.
func filledInput(t reflect.Type, members map[string]any) (in any, filled bool) {
	v := reflect.New(t)
	for name, value := range members {
		f := v.Elem().FieldByName(name)
		if f.IsValid() && f.Kind() == reflect.Pointer && f.Type().Elem() == reflect.TypeOf(value) {
			p := reflect.New(f.Type().Elem())
			p.Elem().Set(reflect.ValueOf(value))
			f.Set(p)
			filled = true
		}
	}
	return v.Interface(), filled
}
