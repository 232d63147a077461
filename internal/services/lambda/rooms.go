package lambda

import (
	"context"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/mapping"
	"github.com/licet/licet/internal/services/lambda/mapping/poll"
	"github.com/licet/licet/internal/services/lambda/mapping/poll/sqs"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/stream"
	"github.com/licet/licet/internal/store"
)

// functions shows functions to the rooms of what belongs to them.
type functions struct{ s *Service }

// Target is a function, version or alias as the resource of an action.
func (f functions) Target(ctx context.Context, c *service.Call, action string, r request.Function) (service.Target, error) {
	return f.s.target(ctx, c, action, r)
}

// Revision gives the RevisionId of a function, version or alias. The error wraps store.ErrNotFound when it is not there.
func (f functions) Revision(reader store.Reader, r request.Function) (string, error) {
	found, err := f.s.load(reader, r)
	switch {
	case err != nil:
		return "", err
	case found.alias != nil:
		return found.alias.RevisionID, nil
	}
	return found.version.RevisionID, nil
}

// MayHaveURL says why a function, version or alias cannot have a URL. The error wraps store.ErrNotFound when it is not there.
func (f functions) MayHaveURL(reader store.Reader, r request.Function) error {
	found, err := f.s.load(reader, r)
	if err != nil {
		return err
	}
	return found.version.checkNoTenancy("A function URL")
}

// Belongings is the prefix of the records that belong to a function and go with it.
func (f functions) Belongings(r request.Function) string { return belongings(r) }

// callees shows functions, and keys, to event source mappings.
type callees struct{ *Service }

func (c callees) Decrypt(call *service.Call, key string, encryptionContext map[string]string) (service.Need, bool) {
	return decryptNeed(call, key, encryptionContext)
}

func (c callees) Allowed(ctx context.Context, call *service.Call, need service.Need) (bool, error) {
	return c.Permissions.Allowed(ctx, call, need)
}

func (c callees) Function(ctx context.Context, r request.Function) (mapping.Function, error) {
	f, err := c.find(ctx, r)
	if err != nil {
		return mapping.Function{}, err
	}
	called := mapping.Function{
		Role: f.version.Role, Refusal: f.version.checkNoTenancy("An event source mapping"), Timeout: time.Duration(f.version.Timeout) * time.Second,
	}
	if c.Pollers != nil {
		called.Visibility = func(ctx context.Context, queueARN string) (time.Duration, error) {
			as := poll.Role{ARN: f.version.Role, Function: r.FunctionARN(), Name: r.Name, Account: r.Account, Region: r.Region}
			return sqs.Visibility(ctx, c.Pollers, as, queueARN)
		}
	}
	return called, nil
}

// Trace gives the X-Amzn-Trace-Id of a call by a function URL. What a client says of a lineage counts: nothing else tells of loops.
func (c callees) Trace(call *service.Call) string {
	return strings.TrimSuffix(rooted(call.TraceID, call.RequestID, call.Time).String(), ";")
}

// Run runs a function for who comes by its URL.
func (c callees) Run(ctx context.Context, call *service.Call, r request.Function, event []byte) (execution.Result, error) {
	run, i, err := c.prepare(ctx, call, r, &sdk.InvokeInput{Payload: event})
	if err != nil {
		return execution.Result{}, err
	}
	result, err := c.Runner.Invoke(ctx, *run, *i)
	if err != nil {
		return execution.Result{}, invokeError(err, r)
	}
	return result, nil
}

// Stream is Run for a URL that streams.
func (c callees) Stream(ctx context.Context, call *service.Call, r request.Function, event []byte) (*stream.Pipe, error) {
	run, i, err := c.prepare(ctx, call, r, &sdk.InvokeInput{Payload: event})
	if err != nil {
		return nil, err
	}
	return c.startStream(ctx, r, *run, *i)
}

// RunPollers polls the sources of event source mappings until ctx ends, and returns when what was read is done with: the Runner must end, too.
func (s *Service) RunPollers(ctx context.Context) error {
	if s.Pollers == nil {
		<-ctx.Done()
		return nil
	}
	return s.pollers.Run(ctx)
}

// roleOf is the execution role of a function, version or alias.
func (s *Service) roleOf(ctx context.Context, r request.Function) (string, error) {
	f, err := s.find(ctx, r)
	if err != nil {
		return "", err
	}
	return f.version.Role, nil
}
