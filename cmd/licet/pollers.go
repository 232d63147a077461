package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/lambda/mapping/poll"
)

// pollers are the doors of those who poll the sources of mappings.
type pollers struct {
	*server
	mu       sync.Mutex
	sessions map[poll.Role]*roleSession
}

// roleSession is a session of a role that is used until it is about to expire.
type roleSession struct {
	mu          sync.Mutex
	credentials principal.Credentials
}

// pollSession is how long a session of a poller is good: the least there is, so that one of a role that may not be assumed any more ends soon.
const pollSession = 15 * time.Minute

// AsRole makes a call with a session of the role. lambda:SourceFunctionArn is not there: no code of the function calls (lambda.md 2.5).
func (p *pollers) AsRole(ctx context.Context, as poll.Role, serviceName, operation string, in any) (any, error) {
	caller, err := p.session(ctx, as)
	if err != nil {
		return nil, err
	}
	c := p.door.Internal(caller, as.Account, serviceName, operation, service.Internal{})
	c.Region = as.Region
	answer, err := p.door.Do(ctx, c, in)
	return answer.Output, err
}

// session gives the caller that a session of the role is.
func (p *pollers) session(ctx context.Context, as poll.Role) (principal.Caller, error) {
	p.mu.Lock()
	s, ok := p.sessions[as]
	if !ok {
		p.dropOld()
		s = &roleSession{}
		p.sessions[as] = s
	}
	p.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		fresh := time.Until(s.credentials.Expires) < time.Minute
		if fresh {
			made, err := executionRoles{p.server}.pollerSession(ctx, as)
			if e, ok := errors.AsType[*awserr.Error](err); ok && e.Sender() {
				return principal.Caller{}, fmt.Errorf("%w: %w", poll.ErrAssume, err)
			}
			if err != nil {
				return principal.Caller{}, fmt.Errorf("assume %s: %w", as.ARN, err)
			}
			s.credentials = made
		}
		_, caller, err := p.directory.Authenticate(ctx, s.credentials.AccessKeyID, s.credentials.SessionToken)
		switch {
		case err == nil:
			return caller, nil
		case fresh || !errors.Is(err, directory.ErrInvalidToken) && !errors.Is(err, directory.ErrUnknownKey) && !errors.Is(err, directory.ErrExpiredToken):
			return principal.Caller{}, fmt.Errorf("authenticate %s: %w", as.ARN, err)
		}
		s.credentials = principal.Credentials{} // of a role that was made anew
	}
}

// manySessions is how many are kept before those that have expired are looked for.
const manySessions = 1000

func (p *pollers) dropOld() {
	if len(p.sessions) < manySessions {
		return
	}
	for role, s := range p.sessions {
		if s.mu.TryLock() {
			if time.Until(s.credentials.Expires) < 0 {
				delete(p.sessions, role)
			}
			s.mu.Unlock()
		}
	}
}

// Invoke calls a function in Lambda's name.
func (p *pollers) Invoke(ctx context.Context, e poll.Event) (poll.Answer, error) {
	c := p.door.Internal(lambdaCaller(), e.Function.Account, "lambda", "Invoke", service.Internal{
		Exempt: "Lambda calls the functions of event source mappings without asking their policies",
	})
	c.Region, c.TraceID = e.Function.Region, e.TraceID
	name := e.Function.ARN()
	answer, err := p.door.Do(ctx, c, &awslambda.InvokeInput{FunctionName: &name, Payload: e.Payload})
	if err != nil {
		return poll.Answer{}, err
	}
	out := answer.Output.(*awslambda.InvokeOutput)
	return poll.Answer{Failed: out.FunctionError != nil, Payload: out.Payload}, nil
}
