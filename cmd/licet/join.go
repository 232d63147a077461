package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/report"
	"github.com/licet/licet/internal/services/lambda/async"
	"github.com/licet/licet/internal/services/lambda/mapping/poll"
	"github.com/licet/licet/internal/services/organizations"
	"github.com/licet/licet/internal/services/sts"
	"github.com/licet/licet/internal/store"
)

// This file joins rooms that do not know each other: each type is one room's interface over another room's value. Those that hold
// the server use its door, which is made after them and before the first call.

// managedPolicies shows the embedded AWS managed policies to iam.
type managedPolicies struct{ data *awsdata.Data }

func (m managedPolicies) ManagedPolicy(arn string) (directory.ManagedPolicy, bool) {
	p, ok := m.data.ManagedPolicy(arn)
	if !ok {
		return directory.ManagedPolicy{}, false
	}
	out := managedPolicy(p)
	out.Document = p.Document()
	return out, true
}

// All leaves the documents out: unpacking all of them takes megabytes, and no list shows them.
func (m managedPolicies) All() iter.Seq[directory.ManagedPolicy] {
	return func(yield func(directory.ManagedPolicy) bool) {
		for p := range m.data.ManagedPolicies() {
			if !yield(managedPolicy(p)) {
				return
			}
		}
	}
}

func managedPolicy(p awsdata.ManagedPolicy) directory.ManagedPolicy {
	return directory.ManagedPolicy{
		ARN: p.ARN, Name: p.Name, Path: p.Path, VersionID: p.DefaultVersionID, Created: p.CreateDate, Updated: p.UpdateDate,
	}
}

// usage shows the decision log's last uses to iam.
type usage struct{ log *audit.Log }

func (u usage) LastUses(ctx context.Context, account, principalID string) ([]report.ServiceUse, error) {
	return u.wire(u.log.LastUses(ctx, account, principalID))
}

func (u usage) AccountUses(ctx context.Context, account string) ([]report.ServiceUse, error) {
	return u.wire(u.log.AccountUses(ctx, account))
}

func (usage) wire(list []audit.ServiceUse, err error) ([]report.ServiceUse, error) {
	if err != nil {
		return nil, err
	}
	out := make([]report.ServiceUse, len(list))
	for i, l := range list {
		out[i] = report.ServiceUse{Service: l.Service, Use: report.Use(l.Use), Actions: make(map[string]report.Use, len(l.Actions))}
		for name, use := range l.Actions {
			out[i].Actions[name] = report.Use(use)
		}
	}
	return out, nil
}

// keys shows the directory to edge. Nobody signs in to an account that its organization has closed.
type keys struct {
	directory     *directory.Directory
	organizations *organizations.Directory
}

func (k keys) Authenticate(ctx context.Context, accessKeyID, token string) (string, principal.Caller, error) {
	secret, caller, err := k.directory.Authenticate(ctx, accessKeyID, token)
	switch {
	case errors.Is(err, directory.ErrUnknownKey), errors.Is(err, directory.ErrInactiveKey), errors.Is(err, directory.ErrInvalidToken):
		err = edge.ErrUnknownKey
	case errors.Is(err, directory.ErrExpiredToken):
		err = edge.ErrExpiredToken
	}
	if err != nil {
		return secret, caller, err
	}
	m, err := k.organizations.Member(ctx, caller.Account)
	if err == nil && m != nil && m.Closed {
		err = edge.ErrUnknownKey
	}
	return secret, caller, err
}

// accounts shows IAM's accounts to organizations.
type accounts struct{ directory *directory.Directory }

func (a accounts) Account(r store.Reader, id string) (organizations.Account, bool, error) {
	found, err := directory.ReadAccount(r, id)
	if errors.Is(err, directory.ErrNoAccount) {
		return organizations.Account{}, false, nil
	}
	return organizations.Account{ID: found.ID, Name: found.Name, Email: found.Email}, err == nil, err
}

func (a accounts) AccountOfEmail(r store.Reader, email string) (organizations.Account, bool, error) {
	all, err := directory.ReadAccounts(r)
	for _, found := range all {
		if strings.EqualFold(found.Email, email) {
			return organizations.Account{ID: found.ID, Name: found.Name, Email: found.Email}, true, nil
		}
	}
	return organizations.Account{}, false, err
}

func (a accounts) CreateAccount(tx store.Tx, name, email, role, trusted string, now time.Time) (string, error) {
	made, err := directory.NewAccount(tx, directory.Account{Name: name, Email: email}, now)
	if err != nil {
		return "", err
	}
	if err := directory.AddAccount(tx, made); err != nil {
		return "", err
	}
	return made.ID, a.directory.AddAdministratorRole(tx, made.ID, role, trusted, now)
}

// recorder is the decision log, beside which iam notes that an access key or role was used.
type recorder struct {
	*audit.Log
	lastUsed *directory.LastUsed
}

// Begin notes the use and takes the record in.
func (r recorder) Begin(ctx context.Context, rec *audit.Record) (context.Context, error) {
	if err := r.lastUsed.Note(audit.System(ctx, "last use"), &rec.Caller, rec.Time, rec.Region, rec.Service); err != nil {
		return nil, err
	}
	return r.Log.Begin(ctx, rec)
}

// frontDoor is the server's own endpoint for functions.
type frontDoor struct{ *server }

// ServeHTTP takes the address away: inside a sandbox it is a loopback address, which a policy on aws:SourceIp must not take for
// that of a client on this machine.
func (f frontDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(r.Context()) // a copy
	r.RemoteAddr = ""
	f.edge.ServeHTTP(w, r)
}

// permissions answers lambda's questions about its caller.
type permissions struct{ *server }

func (p permissions) Permitted(ctx context.Context, c *service.Call, in any) (bool, error) {
	return p.door.Permitted(ctx, c, in)
}

func (p permissions) Allowed(ctx context.Context, c *service.Call, need service.Need) (bool, error) {
	return p.door.Allows(ctx, c, need)
}

// lambdaPrincipal is the service principal that assumes execution roles.
const lambdaPrincipal = "lambda.amazonaws.com"

func lambdaCaller() principal.Caller {
	return principal.Caller{Principal: authz.Principal{Kind: authz.Service, ARN: lambdaPrincipal}}
}

// executionRoles assumes execution roles as Lambda does: judged by the role's trust policy.
type executionRoles struct{ *server }

// assumeRole is the call by which Lambda assumes a role for a function. aws:SourceArn and aws:SourceAccount are there so that trust
// policies can name the function (lambda.md 3.3).
func (e executionRoles) assumeRole(account, functionARN string) *service.Call {
	internal := service.Internal{SourceFunctionARN: functionARN}
	internal.Keys.Set("aws:SourceArn", functionARN)
	internal.Keys.Set("aws:SourceAccount", account)
	return e.door.Internal(lambdaCaller(), account, "sts", "AssumeRole", internal)
}

// CanAssume tells whether the trust policy lets Lambda in.
func (e executionRoles) CanAssume(ctx context.Context, c *service.Call, roleARN, functionARN string) (bool, error) {
	return e.door.Permitted(ctx, e.assumeRole(c.Account, functionARN),
		&awssts.AssumeRoleInput{RoleArn: &roleARN, RoleSessionName: aws.String("lambda")})
}

// sessionOf names the session of an execution role after the function (lambda.md 3.2).
func sessionOf(function string) string {
	if len(function) == 1 {
		return function + "@lambda_function"
	}
	return function
}

// Allows tells whether the role's policies would let an environment of the function act on a resource.
func (e executionRoles) Allows(ctx context.Context, roleARN, functionARN, action, resource string) (bool, error) {
	role, err := e.directory.Role(ctx, roleARN)
	if errors.Is(err, principal.ErrNoRole) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	target := service.Target{ARN: resource}
	if resource != "*" {
		parsed, err := arn.Parse(resource)
		if err != nil {
			return false, fmt.Errorf("parse resource: %w", err)
		}
		target.Account = parsed.AccountID
	}
	session := sessionOf(functionARN[strings.LastIndex(functionARN, ":")+1:])
	now := time.Now()
	caller := principal.Caller{
		Principal: authz.Principal{
			Kind: authz.AssumedRole, Account: role.Account, IssuerARN: roleARN, ID: role.ID, SessionName: session,
			ARN: "arn:" + partition + ":sts::" + role.Account + ":assumed-role/" + role.Name + "/" + session,
		},
		Tags: principal.NewTags(role.Tags),
		Session: &principal.Session{
			RoleARN: roleARN, RoleID: role.ID, Name: session, Generation: role.Generation, SourceFunctionARN: functionARN,
			IssuedAt: now, Expires: now.Add(12 * time.Hour),
		},
	}
	serviceName, operation, _ := strings.Cut(action, ":")
	c := e.door.Internal(caller, role.Account, serviceName, operation, service.Internal{})
	return e.door.Allows(ctx, c, service.Need{Action: action, Target: target})
}

// Act makes a call with a session of the role, as an environment of the function would.
func (e executionRoles) Act(ctx context.Context, as async.Role, serviceName, operation string, in any) error {
	made, err := e.session(ctx, as.Account, as.ARN, as.Function, as.Name, 15*time.Minute) // the least there is
	if err != nil {
		return fmt.Errorf("assume %s: %w", as.ARN, err)
	}
	_, caller, err := e.directory.Authenticate(ctx, made.AccessKeyID, made.SessionToken)
	if err != nil {
		return fmt.Errorf("authenticate %s: %w", as.ARN, err)
	}
	c := e.door.Internal(caller, as.Account, serviceName, operation, service.Internal{})
	c.Region, c.TraceID = as.Region, as.TraceID
	_, err = e.door.Do(ctx, c, in)
	return err
}

// credentials makes the credentials of an environment.
func (e executionRoles) credentials(ctx context.Context, f execution.Function) (principal.Credentials, error) {
	made, err := e.session(ctx, f.Account, f.Role, f.ARN, f.Name, 12*time.Hour)
	if refused, ok := errors.AsType[*awserr.Error](err); ok && refused.Sender() {
		return principal.Credentials{}, execution.ErrRole{Role: f.Role, Err: err}
	}
	return made, err
}

// session assumes a role for a function.
func (e executionRoles) session(
	ctx context.Context, account, role, functionARN, function string, length time.Duration,
) (principal.Credentials, error) {
	return e.assume(ctx, e.assumeRole(account, functionARN), role, sessionOf(function), length)
}

// pollerSession assumes a role for a poller: that of its function, without its ARN in the session.
func (e executionRoles) pollerSession(ctx context.Context, as poll.Role) (principal.Credentials, error) {
	c := e.assumeRole(as.Account, as.Function)
	c.Internal.SourceFunctionARN = ""
	return e.assume(ctx, c, as.ARN, sessionOf(as.Name), pollSession)
}

func (e executionRoles) assume(
	ctx context.Context, c *service.Call, role, session string, length time.Duration,
) (principal.Credentials, error) {
	answer, err := e.door.Do(ctx, c, &awssts.AssumeRoleInput{
		RoleArn: &role, RoleSessionName: &session, DurationSeconds: aws.Int32(int32(length / time.Second)),
	})
	if err != nil {
		return principal.Credentials{}, err
	}
	made := answer.Output.(*awssts.AssumeRoleOutput).Credentials
	return principal.Credentials{
		AccessKeyID: *made.AccessKeyId, SecretAccessKey: *made.SecretAccessKey, SessionToken: *made.SessionToken, Expires: *made.Expiration,
	}, nil
}

// logWriter writes functions' logs through the door, with the execution role's session.
type logWriter struct{ *server }

func (l logWriter) Write(ctx context.Context, f execution.Function, c principal.Credentials, stream string, events []execution.LogEvent) error {
	_, caller, err := l.directory.Authenticate(ctx, c.AccessKeyID, c.SessionToken)
	if err != nil {
		return fmt.Errorf("authenticate log writer of %s: %w", f.ARN, err)
	}
	call := func(operation string, in any) error {
		c := l.door.Internal(caller, f.Account, "logs", operation, service.Internal{})
		_, err := l.door.Do(ctx, c, in)
		if e, ok := errors.AsType[*awserr.Error](err); err != nil && (!ok || !e.Sender()) { // the role is not to blame
			l.logger.ErrorContext(ctx, "A function's log could not be written.", "request_id", c.RequestID, "err", err)
		}
		return err
	}
	put := &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: &f.LogGroup, LogStreamName: &stream, LogEvents: make([]logstypes.InputLogEvent, len(events)),
	}
	for i, e := range events {
		put.LogEvents[i] = logstypes.InputLogEvent{Timestamp: aws.Int64(e.Time.UnixMilli()), Message: &e.Message}
	}
	err = call("PutLogEvents", put)
	if !hasCode(err, "ResourceNotFoundException") {
		return err
	}
	// The first lines of a stream: make what is missing, as far as the role may.
	if err := call("CreateLogStream", &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &f.LogGroup, LogStreamName: &stream}); err != nil {
		if !hasCode(err, "ResourceNotFoundException") {
			return err
		}
		err := call("CreateLogGroup", &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &f.LogGroup})
		if err != nil && !hasCode(err, "ResourceAlreadyExistsException") {
			return err
		}
		if err := call("CreateLogStream", &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &f.LogGroup, LogStreamName: &stream}); err != nil {
			return err
		}
	}
	return call("PutLogEvents", put)
}

func hasCode(err error, code string) bool {
	e, ok := errors.AsType[*awserr.Error](err)
	return ok && e.Code == code
}

func fixedRoots(fixed principal.Credentials) map[string]principal.Credentials {
	if fixed.AccessKeyID == "" {
		return nil
	}
	return map[string]principal.Credentials{defaultAccount: fixed}
}

// withDirectory lets fn use the accounts of a data directory. A server may run on it meanwhile: the store is for several processes, and
// what it has not met yet it reads there.
func withDirectory(ctx context.Context, dir dataDir, fn func(context.Context, *directory.Directory) error) (err error) {
	choice, err := dir.firstChoice()
	if err != nil {
		return err
	}
	keyFile, err := dir.firstKeyPlace()
	if err != nil {
		return err
	}
	db, keys, err := dir.openWith(ctx, choice, keyFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	data, err := awsdata.Load()
	if err != nil {
		return err
	}
	log := audit.New(db, audit.Options{})
	d := directory.New(directory.Config{DB: log.Recorded(), Keyring: keys, Managed: managedPolicies{data}, Partition: partition, Now: time.Now})
	defer d.Close()
	return fn(audit.System(ctx, "licet command"), d)
}

// denials reads the decision log for sts.
type denials struct{ *server }

// Denial makes the denied decision of a request again, from the same inputs.
func (d denials) Denial(ctx context.Context, requestID string) (sts.Denial, error) {
	rec, err := d.decisions.Get(ctx, requestID)
	if errors.Is(err, audit.ErrNotFound) {
		return sts.Denial{}, fmt.Errorf("%w: %s", sts.ErrNoDenial, requestID)
	}
	if err != nil {
		return sts.Denial{}, fmt.Errorf("read decision: %w", err)
	}
	for i := range rec.Decisions {
		decided := &rec.Decisions[i]
		if decided.Allowed {
			continue
		}
		policies, err := d.decisions.Policies(ctx, decided.Policies)
		if err != nil {
			return sts.Denial{}, fmt.Errorf("restore policies: %w", err)
		}
		decision := authz.Explain(decided.Request, policies).Decision
		return sts.Denial{Account: rec.Account, Request: decided.Request, Decision: decision}, nil
	}
	return sts.Denial{}, fmt.Errorf("%w: %s", sts.ErrNoDenial, requestID)
}
