package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/telemetry"
)

// Mode says what a denial does.
type Mode string

// The modes.
const (
	// Enforce refuses what is denied.
	Enforce Mode = "enforce"
	// Observe records the denial and lets the call pass.
	Observe Mode = "observe"
)

// Policies finds the policies of a caller: identity-based, boundary, session. An error denies. What it gives must not be
// changed afterwards; documents that are the same pointers as before are not compiled again.
type Policies interface {
	Policies(ctx context.Context, caller principal.Caller) (authz.Policies, error)
}

// Organizations knows which accounts belong together.
type Organizations interface {
	// Member gives what an account is in its organization; nil when it is in none. An error denies.
	Member(ctx context.Context, account string) (*organization.Member, error)
}

// Recorder is the decision log.
type Recorder interface {
	// Begin takes the record in: from then on it can be explained, and it will become durable, with the first change that is made
	// under the returned context or soon after. An error means that it could not be taken in, and the call must be refused.
	Begin(ctx context.Context, rec *audit.Record) (context.Context, error)
	// Fail adds to the record that was taken in under ctx how the operation failed.
	Fail(ctx context.Context, f audit.Failure) error
}

// Config holds what a Dispatcher needs; every field but Others is required.
type Config struct {
	Services []service.Service
	// Others gives services that are not in Services, when they are first asked for by their signing name; nil: there are none.
	Others   func(signingName string) (service.Service, bool)
	Policies Policies
	// Organizations has the policies above accounts: the SCPs of the caller's, the RCPs of the resource's.
	Organizations Organizations
	// KnownAction tells whether AWS has the action.
	KnownAction func(action string) bool
	Log         Recorder
	Mode        Mode
	Now         func() time.Time
	// Region and Partition of calls that the server itself makes.
	Region    string
	Partition string
}

// Dispatcher runs operations.
type Dispatcher struct {
	config   Config
	services map[string]*entry // by signing name
	others   sync.Map          // of those that Config.Others gave: *entry by signing name
	compiled *compiled
	// recordings are the principals that are observed.
	recordings recordings
}

type entry struct {
	service.Service
	operations map[string]service.Operation
}

// New makes a dispatcher. It fails when a table names an operation that the service's API does not have, or one twice, and when a
// service is there twice.
func New(config Config) (*Dispatcher, error) {
	d := &Dispatcher{config: config, services: make(map[string]*entry, len(config.Services)), compiled: newCompiled(keptText)}
	for _, s := range config.Services {
		if _, twice := d.services[s.API.SigningName]; twice {
			return nil, fmt.Errorf("service %s is there twice", s.API.SigningName)
		}
		e := &entry{Service: s, operations: make(map[string]service.Operation, len(s.Operations))}
		known := make(map[string]bool, len(s.API.Operations))
		for _, op := range s.API.Operations {
			known[op.Name] = true
		}
		for _, op := range s.Operations {
			if _, twice := e.operations[op.Name]; twice || !known[op.Name] {
				return nil, fmt.Errorf("table of %s: operation %s is unknown to the API or there twice", s.API.SigningName, op.Name)
			}
			e.operations[op.Name] = op
		}
		d.services[s.API.SigningName] = e
	}
	return d, nil
}

// Service finds a service's wire description and codec by its signing name.
func (d *Dispatcher) Service(signingName string) (*protocol.API, protocol.Codec, bool) {
	e, ok := d.entry(signingName)
	if !ok {
		return nil, nil, false
	}
	return e.API, e.Codec, true
}

// entry finds a service, or makes it.
func (d *Dispatcher) entry(signingName string) (*entry, bool) {
	if e, ok := d.services[signingName]; ok {
		return e, true
	}
	if d.config.Others == nil {
		return nil, false
	}
	if e, ok := d.others.Load(signingName); ok {
		return e.(*entry), true
	}
	s, ok := d.config.Others(signingName)
	if !ok {
		return nil, false
	}
	e, _ := d.others.LoadOrStore(signingName, &entry{Service: s})
	return e.(*entry), true
}

// Services gives the signing names of all services but Others, in no particular order.
func (d *Dispatcher) Services() []string { return slices.Collect(maps.Keys(d.services)) }

// TakesUnsigned tells whether calls of an operation need no signature.
func (d *Dispatcher) TakesUnsigned(signingName, operation string) bool {
	e, ok := d.entry(signingName)
	return ok && e.operations[operation].TakesUnsigned()
}

// Answer is the outcome of a call.
type Answer struct {
	Output any
	// Decided is false when the call was not let through, or ended before there was a decision.
	Decided bool
	// Denied is true for a call that the policies deny, whether it was refused or, in observe mode, let through.
	Denied bool
	// Observed is true for a call that is let through whether it is denied or not.
	Observed bool
}

// ErrPanic is wrapped by the error of a call whose operation panicked.
var ErrPanic = errors.New("dispatch: an operation panicked")

// Do judges a call, records the decision, and runs the operation if it is permitted. The error is for the client: an *awserr.Error,
// or anything else for an internal failure. A panic is such a failure: calls come from goroutines that know no other end.
func (d *Dispatcher) Do(ctx context.Context, c *service.Call, in any) (answer Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = Answer{}, awserr.Internal(fmt.Errorf("%w: %s %s: %v\n%s", ErrPanic, c.Service, c.Operation, p, debug.Stack()))
		}
	}()
	e, op, err := d.find(c)
	if err != nil {
		return Answer{}, err
	}
	if c, err = op.Identify(ctx, c, in); err != nil {
		return Answer{}, err
	}
	_, span := telemetry.Child(ctx, "decide")
	j, err := d.judge(ctx, c, op, in)
	span.End()
	if err != nil {
		return Answer{}, err
	}
	ctx, err = d.config.Log.Begin(ctx, &j.record)
	if err != nil {
		return Answer{}, awserr.Internal(fmt.Errorf("record decision of %s: %w", c.RequestID, err))
	}
	if j.denied != nil {
		return Answer{Denied: true}, j.denied.answer(e)
	}
	for i, part := range j.parts {
		if part != nil {
			j.needs[i].Refused = part.answer(e)
		}
	}
	judged := *c
	judged.Judged = j.needs
	out, err := op.Handle(ctx, &judged, in)
	if err != nil {
		if logErr := d.config.Log.Fail(ctx, failureOf(err)); logErr != nil {
			err = awserr.Internal(fmt.Errorf("record failure of %s: %w", c.RequestID, errors.Join(err, logErr)))
		}
	}
	return Answer{Output: out, Decided: true, Denied: !j.record.Allowed, Observed: j.passes}, err
}

// failureOf is what the decision log keeps of a failed operation.
func failureOf(err error) audit.Failure {
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok {
		e = awserr.Internal(err)
	}
	return audit.Failure{Code: e.Code, Message: e.Message, Detail: e.Detail}
}

// Permitted tells whether a call would be let through by the policies, without recording or running anything. It serves checks that
// AWS makes ahead of time, such as whether Lambda can assume an execution role (lambda.md 3.1).
func (d *Dispatcher) Permitted(ctx context.Context, c *service.Call, in any) (bool, error) {
	_, op, err := d.find(c)
	if err != nil {
		return false, err
	}
	if c, err = op.Identify(ctx, c, in); err != nil {
		return false, err
	}
	j, err := d.judge(ctx, c, op, in)
	if err != nil {
		return false, err
	}
	return j.record.Allowed, nil
}

// Allows tells whether the policies let the caller of c have one permission, without recording or running anything. It serves
// simulations of what somebody else than the client may do, such as an execution role with a queue (lambda.md 3.1).
func (d *Dispatcher) Allows(ctx context.Context, c *service.Call, need service.Need) (bool, error) {
	policies, err := d.config.Policies.Policies(ctx, c.Caller)
	if err != nil {
		return false, internal(err, "find the policies of %s", c.Caller.ARN)
	}
	orgs, err := d.membersOf(ctx, c, &need)
	if err != nil {
		return false, err
	}
	var made audit.Decision
	return d.decide(c, &need, d.compiled.ofCaller(&c.Caller, &policies), &orgs, &made).Allowed, nil
}

// NewRequestID makes the id of a call: a UUID that grows with time, by which the decision log finds its records.
func NewRequestID() string { return uuid.Must(uuid.NewV7()).String() } // fails only when the system has no randomness

// Internal makes a call that comes from the server itself.
func (d *Dispatcher) Internal(caller principal.Caller, account, serviceName, operation string, internal service.Internal) *service.Call {
	return &service.Call{
		RequestID: NewRequestID(), Time: d.config.Now(), Caller: caller,
		Account: account, Region: d.config.Region, Partition: d.config.Partition,
		Service: serviceName, Operation: operation, SecureTransport: true, Internal: &internal,
	}
}

func (d *Dispatcher) find(c *service.Call) (*entry, service.Operation, error) {
	e, ok := d.entry(c.Service)
	if !ok {
		return nil, service.Operation{}, awserr.NotImplemented(c.Service, c.Operation)
	}
	op, ok := e.operations[c.Operation]
	if !ok && e.Otherwise == nil {
		return nil, service.Operation{}, awserr.NotImplemented(c.Service, c.Operation)
	}
	if !ok {
		op = *e.Otherwise
		op.Name = c.Operation
	}
	return e, op, nil
}

// answer is what a refused client is told.
func (n *deniedNeed) answer(e *entry) error {
	if n.need.Denied != nil {
		return n.need.Denied(n.decision)
	}
	text := n.decision.Message(n.request)
	if n.doubt != "" {
		text += ": " + n.doubt
	}
	return e.Denial(text)
}

// judgement is a call with what was decided about it.
type judgement struct {
	record audit.Record
	needs  []service.Need
	denied *deniedNeed   // the first need that was refused and is not of a part alone; nil for none
	parts  []*deniedNeed // by the place of their needs, those of parts that were refused; nil for none
	// passes is true when the call is observed: it is let through although it may be denied.
	passes bool
}

type deniedNeed struct {
	need     service.Need
	request  authz.Request
	decision authz.Decision
	doubt    string // on which the denial rests; "" for none
}

// judge decides every need of a call. It has no effects.
func (d *Dispatcher) judge(ctx context.Context, c *service.Call, op service.Operation, in any) (*judgement, error) {
	needs, err := op.Needs(ctx, c, in)
	if err != nil {
		return nil, err
	}
	if len(needs) == 0 {
		return nil, fmt.Errorf("%s needs no permission, which is a bug", op.Name)
	}
	if err := checkSize(c, needs); err != nil {
		return nil, err
	}
	policies, err := d.config.Policies.Policies(ctx, c.Caller)
	if err != nil {
		return nil, internal(err, "find the policies of %s", c.Caller.ARN)
	}
	j := &judgement{record: d.record(c), needs: needs}
	j.record.Exempt = op.Exempt
	if c.Internal != nil && c.Internal.Exempt != "" {
		j.record.Exempt = c.Internal.Exempt
	}
	j.record.Allowed = true
	j.record.Decisions = make([]audit.Decision, len(needs))
	own := d.compiled.ofCaller(&c.Caller, &policies)
	passes, observed := d.observes(c)
	j.passes = observed
	for i := range needs {
		made := &j.record.Decisions[i]
		orgs, err := d.membersOf(ctx, c, &needs[i])
		if err != nil {
			return nil, err
		}
		decision := d.decide(c, &needs[i], own, &orgs, made)
		if !decision.Allowed && j.record.Exempt == "" {
			j.record.Allowed = false
			if observed && passes(&needs[i], made) {
				continue
			}
			j.passes = false
			denied := &deniedNeed{need: needs[i], request: made.Request, decision: decision}
			if needs[i].Doubt != nil {
				denied.doubt = made.Note
			}
			switch {
			case needs[i].Partial:
				if j.parts == nil {
					j.parts = make([]*deniedNeed, len(needs))
				}
				j.parts[i] = denied
			case j.denied == nil:
				j.denied = denied
			}
		}
	}
	if j.passes {
		j.record.Mode = string(Observe)
	}
	return j, nil
}

// maxNeed bounds a need, in bytes: twice what a resource with 50 tags, and 50 others in the request, can take. maxNeeds bounds those of one
// call together, with what the client says of itself, which is a part of each: a thousand of the longest keys of S3 take an eighth. The
// decision log keeps all of it, also for those whom it denies.
const (
	maxNeed  = 512 << 10
	maxNeeds = 16 << 20
)

func checkSize(c *service.Call, needs []service.Need) error {
	all := len(needs) * (len(c.UserAgent) + len(c.Referer))
	for i := range needs {
		t := &needs[i].Target
		size := len(t.ARN) + sizeOf(t.Keys)
		if all += size; size > maxNeed || all > maxNeeds {
			return awserr.New("RequestEntityTooLargeException", http.StatusRequestEntityTooLarge,
				"What the request says of its resource must be smaller than %d bytes.", maxNeed)
		}
	}
	return nil
}

func sizeOf(keys authz.Context) (n int) {
	if keys.Len() == 0 { // as of most needs: the warm path allocates nothing for it
		return 0
	}
	for name, v := range keys.All {
		n += len(name)
		for _, value := range v.Values {
			n += len(value)
		}
	}
	return n
}

// decide judges one need by the caller's own policies, those of its resource and those above both accounts, and puts down what it
// judged and how.
func (d *Dispatcher) decide(
	c *service.Call, need *service.Need, own *authz.Set, orgs *members, made *audit.Decision,
) authz.Decision {
	made.Request = request(c, need, orgs)
	set := own.WithResource(d.compiled.ofResource(&need.Target))
	if scps, rcps := orgs.policies(need); scps != nil || rcps != nil {
		set = set.WithOrganization(scps, rcps)
	}
	made.Applied = set.Policies()
	var decision authz.Decision
	if d.config.KnownAction(need.Action) {
		if decision = set.Decide(&made.Request); decision.Allowed && need.Doubt != nil {
			if made.Note = doubtful(set.Trace(&made.Request), need); made.Note != "" {
				decision = authz.Decision{By: authz.IdentityBasedPolicy, Note: made.Note}
			}
		}
	} else {
		made.Note = "AWS has no action " + need.Action
		decision = authz.Decision{By: authz.IdentityBasedPolicy, Note: made.Note}
	}
	made.Allowed, made.By = decision.Allowed, decision.By
	return decision
}

// ownerOf is the account of a need's resource.
func ownerOf(c *service.Call, need *service.Need) string {
	if need.Target.Account != "" {
		return need.Target.Account
	}
	return c.Account
}

// request is the question of one need.
func request(c *service.Call, need *service.Need, orgs *members) authz.Request {
	owner := ownerOf(c, need)
	keys := GlobalKeys(c)
	orgs.keys(&keys)
	// "Always included in the request context for most service actions", those without a resource among them: AWS's managed policies allow
	// s3:ListAllMyBuckets and ecr:GetAuthorizationToken by it (AWSResilienceHubAsssessmentExecutionPolicy, AWSElasticBeanstalkEKSImageBuild).
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount
	setIfAny(&keys, "aws:ResourceAccount", owner)
	keys.Merge(need.Target.Keys)
	return authz.Request{
		Principal: c.Caller.Principal, Action: need.Action, Resource: need.Target.ARN, Named: need.Target.Named,
		ResourceAccount: owner, Context: keys,
	}
}

func (d *Dispatcher) record(c *service.Call) audit.Record {
	r := audit.Record{
		RequestID: c.RequestID, Time: c.Time, Account: c.Account, Region: c.Region, Service: c.Service, Operation: c.Operation,
		Caller: c.Caller, UserAgent: c.UserAgent, Mode: string(d.config.Mode),
	}
	if c.SourceIP.IsValid() {
		r.SourceIP = c.SourceIP.String()
	}
	return r
}

// internal keeps errors that are meant for the client and hides all others.
func internal(err error, format string, args ...any) error {
	if e, ok := errors.AsType[*awserr.Error](err); ok {
		return e
	}
	return awserr.Internal(fmt.Errorf(format+": %w", append(args, err)...))
}
