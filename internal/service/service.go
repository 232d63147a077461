// Package service says what an operation is: its name, what it needs authorized, and the function that does it.
//
// It never calls an operation: that is dispatch's work, and the only way to one. Op takes action and resource by position, so that
// an operation without authorization does not compile. Values are immutable after construction and safe for concurrent use.
//
// To add an operation: write its handler in its own file and one Op row in the service's table.
package service

import (
	"context"
	"net/netip"
	"reflect"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
)

// Call is what an operation is told about the request beside its input. It must not be changed by operations.
type Call struct {
	// RequestID is what the client sees as x-amzn-RequestId: a UUID.
	RequestID string
	Time      time.Time
	Caller    principal.Caller
	// Account, Region and Partition are where the call acts: the caller's account (for a service principal the resource's), the
	// region of the signature.
	Account   string
	Region    string
	Partition string
	// Service and Operation name the operation, such as "lambda" and "Invoke".
	Service   string
	Operation string
	// SourceIP is invalid for calls that did not come over the network.
	SourceIP netip.Addr
	// UserAgent and Referer are what the client says in these headers; "" for nothing.
	UserAgent       string
	Referer         string
	SecureTransport bool
	// TraceID is the client's X-Amzn-Trace-Id; "" for none.
	TraceID string
	// Host is the host:port that the client reached the server by; "" for internal calls.
	Host string
	// Signature tells how the request was signed; nil where no service's condition keys are about that, and for internal calls.
	Signature *Signature
	// Internal is set on calls that the server makes itself; nil for clients.
	Internal *Internal
	// Presented is what the operation's Identify found in the input of an unsigned call; nil for others.
	Presented any
	// Judged are the needs that were decided, for the handler of an operation that must know what let the call pass; nil before that.
	Judged []Need
}

// Signature is what a request says of its signature, once it was found to be good.
type Signature struct {
	// Presigned signatures stand in the query; Time is when they were made.
	Presigned bool
	Time      time.Time
	// Version2 marks the older version, whose Time is not known.
	Version2 bool
	// Content is what the request says of its payload: a hash, or how it is sent.
	Content string
}

// Internal holds what only the server itself may say about a call.
type Internal struct {
	// Keys are context keys that the calling service sets: aws:SourceArn, aws:SourceAccount and the like.
	Keys authz.Context
	// CalledVia are the services that make the call with the credentials of Caller, from the one that Caller called to the one that calls
	// now (a forward access session); nil when Caller, or a service of its own accord, calls.
	CalledVia []string
	// SourceFunctionARN is sealed into the role session that an AssumeRole call makes (lambda:SourceFunctionArn).
	SourceFunctionARN string
	// Exempt is set where AWS asks no policy for what a service does of its own accord; the value is the reason. "" for all else.
	Exempt string
}

// Target is a resource that a call needs access to.
type Target struct {
	// ARN as requested, or "*" where the action has no resource-level permissions.
	ARN string
	// Named is how a denial names the resource; "" means by ARN.
	Named string
	// Account owns the resource; "" means the caller's.
	Account string
	// Policy is the resource-based policy that is consulted; nil when there is none.
	Policy *authz.Policy
	// Trust marks Policy as a role trust policy (see authz.Policies).
	Trust bool
	// Keys are the condition keys that this action on this resource adds: aws:ResourceTag/…, lambda:Layer ….
	Keys authz.Context
}

// With gives the target with condition keys more. Those that it has stay as they are: they may be shared.
func (t Target) With(set func(*authz.Context)) Target {
	var keys authz.Context
	keys.Merge(t.Keys)
	set(&keys)
	t.Keys = keys
	return t
}

// Need is one permission that a call requires.
type Need struct {
	Action string
	Target Target
	// Denied, if set, replaces the standard answer to a denial of this need.
	Denied func(authz.Decision) error
	// Partial needs are of one part of a call that does many things: a denial refuses that part alone. The handler finds it in Refused of
	// the need in Call.Judged.
	Partial bool
	// Refused is what the client is to be told of a partial need that was denied; nil when the part may be done. Dispatch alone sets it.
	Refused error
	// Doubt is set where AWS would know more than Target says; nil elsewhere. An Allow that depends on it is none, and a Deny that may is one.
	Doubt *Doubt
}

// Doubt is what Target does not say of a need, because only the service that has the resource knows it.
type Doubt struct {
	// Resource tells that parts of Target.ARN are not known. They are written as "*", or as a "?" for each character.
	Resource bool
	// Key tells whether AWS may give a condition key a value where Target.Keys has none. It is asked in the case of the policy that asks.
	Key func(name string) bool
}

// Resource finds the target of an operation from its input. It answers for resources that do not exist, too: who may not act must
// not learn what exists. Its error is answered to the client before any decision, so it is for malformed input only.
type Resource[In any] func(context.Context, *Call, *In) (Target, error)

// Handler does the operation. It runs only after every need was allowed and recorded.
type Handler[In, Out any] func(context.Context, *Call, *In) (*Out, error)

// Needs lists permissions beyond the operation's own, such as iam:PassRole.
type Needs[In any] func(context.Context, *Call, *In) ([]Need, error)

// Identify finds who makes an unsigned call by what the input presents: the token of an identity provider takes the place of a signature.
// It fills in Caller, Account and Presented of the call, which is a copy for it to change. Its error is answered to the client before any
// decision.
type Identify[In any] func(context.Context, *Call, *In) error

// Operation is one row of a service's table.
type Operation struct {
	Name string
	// Exempt is set where AWS answers whatever the policies say; the value is the reason.
	Exempt string
	// Later is set where the operation is judged, but not implemented.
	Later    bool
	identify func(context.Context, *Call, any) error
	// public is set on operations that anybody may call, as far as policies go.
	public bool
	needs  func(context.Context, *Call, any) ([]Need, error)
	handle func(context.Context, *Call, any) (any, error)
}

// Op makes a row: the operation's name, the IAM action it is judged by, the resource, the handler, and further needs.
func Op[In, Out any](name, action string, resource Resource[In], handle Handler[In, Out], more ...Needs[In]) Operation {
	return Operation{
		Name: name,
		needs: func(ctx context.Context, c *Call, in any) ([]Need, error) {
			target, err := resource(ctx, c, in.(*In))
			if err != nil {
				return nil, err
			}
			needs := []Need{{Action: action, Target: target}}
			for _, m := range more {
				n, err := m(ctx, c, in.(*In))
				if err != nil {
					return nil, err
				}
				needs = append(needs, n...)
			}
			return needs, nil
		},
		handle: func(ctx context.Context, c *Call, in any) (any, error) { return handle(ctx, c, in.(*In)) },
	}
}

// OpBy makes a row for an operation whose action depends on its input: needs gives at least one.
func OpBy[In, Out any](name string, needs Needs[In], handle Handler[In, Out]) Operation {
	return Operation{
		Name:   name,
		needs:  func(ctx context.Context, c *Call, in any) ([]Need, error) { return needs(ctx, c, in.(*In)) },
		handle: func(ctx context.Context, c *Call, in any) (any, error) { return handle(ctx, c, in.(*In)) },
	}
}

// Exempt makes a row for an operation that AWS never denies. The decision log says why.
func Exempt[In, Out any](name, action, reason string, handle Handler[In, Out]) Operation {
	op := Op(name, action, Any[In], handle)
	op.Exempt = reason
	return op
}

// Unsigned makes a row for an operation whose callers present who they are in the input. A signature is not needed, and does not count.
// denied words every denial, whichever of the needs it is of.
func Unsigned[In, Out any](
	name, action string, identify Identify[In], denied func(action string) error, resource Resource[In], handle Handler[In, Out],
	more ...Needs[In],
) Operation {
	op := Op(name, action, resource, handle, more...)
	op.identify = func(ctx context.Context, c *Call, in any) error { return identify(ctx, c, in.(*In)) }
	needs := op.needs
	op.needs = func(ctx context.Context, c *Call, in any) ([]Need, error) {
		list, err := needs(ctx, c, in)
		for i := range list {
			list[i].Denied = func(authz.Decision) error { return denied(list[i].Action) }
		}
		return list, err
	}
	return op
}

// Public makes of a row one that anonymous callers may ask for, too: policies decide. admit puts down whose account such a call is in; its
// error is answered before any decision.
func Public[In any](op Operation, admit func(context.Context, *Call, *In) error) Operation {
	op.public = true
	op.identify = func(ctx context.Context, c *Call, in any) error {
		if c.Caller.Kind != authz.Anonymous {
			return nil
		}
		return admit(ctx, c, in.(*In))
	}
	return op
}

// Later makes a row for an operation that is judged as any other, and then answered NotImplemented.
func Later[In any](name, action string, resource Resource[In], more ...Needs[In]) Operation {
	handle := func(_ context.Context, c *Call, _ *In) (*In, error) {
		return nil, awserr.NotImplemented(c.Service, c.Operation)
	}
	op := Op(name, action, resource, handle, more...)
	op.Later = true
	return op
}

// Member reads a member of an input by name: inputs of different operations have what is alike under the same names.
func Member[T any](in any, name string) T {
	return reflect.ValueOf(in).Elem().FieldByName(name).Interface().(T)
}

// Any is the resource of actions without resource-level permissions.
func Any[In any](context.Context, *Call, *In) (Target, error) { return Target{ARN: "*"}, nil }

// TakesUnsigned tells whether calls of the operation need no signature.
func (o Operation) TakesUnsigned() bool { return o.identify != nil }

// Identifies tells whether the input says who calls.
func (o Operation) Identifies() bool { return o.identify != nil && !o.public }

// Identify gives the call with who makes it, if that is in the input; else the call as it is.
func (o Operation) Identify(ctx context.Context, c *Call, in any) (*Call, error) {
	if o.identify == nil {
		return c, nil
	}
	identified := *c
	return &identified, o.identify(ctx, &identified, in)
}

// Needs gives the permissions that a call with this input requires, the operation's own first.
func (o Operation) Needs(ctx context.Context, c *Call, in any) ([]Need, error) {
	return o.needs(ctx, c, in)
}

// Handle runs the operation. Only dispatch calls it.
func (o Operation) Handle(ctx context.Context, c *Call, in any) (any, error) {
	return o.handle(ctx, c, in)
}

// Service is an AWS service: its wire description and the operations that licet has of it. Operations that the API lists and
// Operations does not are answered NotImplemented.
type Service struct {
	API        *protocol.API
	Codec      protocol.Codec
	Operations []Operation
	// Otherwise stands for every operation that Operations does not list; nil: there is none.
	Otherwise *Operation
	// Denial makes the service's access-denied error from the standard text.
	Denial func(message string) error
}
