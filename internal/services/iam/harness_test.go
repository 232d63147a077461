package iam

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/report"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

const account = "111122223333"

const (
	allowAll  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	trustEC2  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	readOnly  = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	basicRole = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
	forAWS    = "arn:aws:iam::aws:policy/aws-service-role/AWSLambdaServiceRolePolicy"
)

// awsData loads the tables once for all tests.
var awsData = sync.OnceValues(awsdata.Load)

// catalogue is a small ManagedPolicies.
type catalogue []directory.ManagedPolicy

func (c catalogue) ManagedPolicy(arn string) (directory.ManagedPolicy, bool) {
	i := slices.IndexFunc(c, func(p directory.ManagedPolicy) bool { return p.ARN == arn })
	if i < 0 {
		return directory.ManagedPolicy{}, false
	}
	return c[i], true
}

func (c catalogue) All() iter.Seq[directory.ManagedPolicy] { return slices.Values(c) }

// world is a service with its directory on one store.
type world struct {
	t  testing.TB
	db store.DB
	s  *Service
	// config is the directory's.
	config   directory.Config
	lastUsed *directory.LastUsed
	entities report.Entities
	orgs     *company // nil when no account is in an organization
	d        *directory.Directory
	ops      map[string]service.Operation
	now      time.Time
	root     principal.Caller
	uses     map[string][]report.ServiceUse // by unique id
}

// LastUses makes a world a Usage.
func (w *world) LastUses(_ context.Context, _, id string) ([]report.ServiceUse, error) {
	return w.uses[id], nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, db: storetest.New(t), now: time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC), ops: make(map[string]service.Operation), uses: make(map[string][]report.ServiceUse)}
	created := time.Date(2015, 2, 6, 18, 40, 0, 0, time.UTC)
	w.config = directory.Config{
		Organizations: w,
		DB:            w.db, Keyring: secret.New([secret.KeySize]byte{1}), Partition: "aws", Now: func() time.Time { return w.now },
		Issuer: func(id string) string { return "https://issuer/" + id },
		Managed: catalogue{
			{ARN: readOnly, Name: "ReadOnlyAccess", Path: "/", VersionID: "v9", Created: created, Updated: created, Document: allowAll},
			{ARN: forAWS, Name: "AWSLambdaServiceRolePolicy", Path: "/aws-service-role/", VersionID: "v1", Created: created, Updated: created, Document: allowAll},
			{ARN: basicRole, Name: "AWSLambdaBasicExecutionRole", Path: "/service-role/", VersionID: "v1", Created: created, Updated: created, Document: allowAll},
		},
	}
	w.start()
	if _, _, err := w.d.EnsureAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	w.root = principal.Caller{Principal: authz.Principal{Kind: authz.Root, Account: account, ARN: "arn:aws:iam::" + account + ":root"}}
	return w
}

// start starts a process on the world's store, in the place of the one that there was.
func (w *world) start() {
	w.t.Helper()
	actions, err := awsData()
	if err != nil {
		w.t.Fatal(err)
	}
	w.d, w.lastUsed = directory.New(w.config), directory.NewLastUsed(w.db)
	w.t.Cleanup(w.d.Close)
	w.s = newService(Config{Config: w.config, Actions: actions, Usage: w, LastUsed: w.lastUsed, Entities: w.entities}, w.d, 1)
	for _, op := range w.s.operations() {
		w.ops[op.Name] = op
	}
}

// Member makes a world an Organizations.
func (w *world) Member(ctx context.Context, account string) (*organization.Member, error) {
	if w.orgs == nil {
		return nil, nil
	}
	return w.orgs.Member(ctx, account)
}

// AccountUses joins the uses of the account's principals.
func (w *world) AccountUses(_ context.Context, id string) ([]report.ServiceUse, error) {
	return w.uses[id], nil
}

// as makes a call of an operation, as dispatch does for one that is allowed.
func (w *world) as(caller principal.Caller, operation string, in any) (any, error) {
	w.t.Helper()
	op, ok := w.ops[operation]
	if !ok {
		w.t.Fatalf("no operation %s", operation)
	}
	c := &service.Call{Caller: caller, Account: caller.Account, Region: "us-east-1", Partition: "aws", Time: w.now, Operation: operation}
	if _, err := op.Needs(w.t.Context(), c, in); err != nil {
		return nil, err
	}
	return op.Handle(w.t.Context(), c, in)
}

// call is a call of root.
func (w *world) call() *service.Call {
	return &service.Call{Caller: w.root, Account: account, Region: "us-east-1", Partition: "aws", Time: w.now}
}

// do makes a call as root; the operation is told by the type of the input.
func (w *world) do(in any) (any, error) {
	w.t.Helper()
	return w.as(w.root, operationOf(in), in)
}

func operationOf(in any) string {
	name := strings.TrimPrefix(typeName(in), "*iam.")
	return strings.TrimSuffix(name, "Input")
}

// must makes a call as root that succeeds.
func must[Out any](w *world, in any) *Out {
	w.t.Helper()
	out, err := w.do(in)
	if err != nil {
		w.t.Fatalf("%s: %v", operationOf(in), err)
	}
	return out.(*Out)
}

// wantError holds an error against code and message.
func wantError(t testing.TB, err error, code, message string) {
	t.Helper()
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok || e.Code != code || e.Message != message {
		t.Errorf("got error %v, want %s: %s", err, code, message)
	}
}

func (w *world) user(name string) string {
	w.t.Helper()
	return *must[sdk.CreateUserOutput](w, &sdk.CreateUserInput{UserName: &name}).User.UserId
}

func (w *world) role(name, trust string) string {
	w.t.Helper()
	return *must[sdk.CreateRoleOutput](w, &sdk.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}).Role.RoleId
}

func (w *world) policy(name string) string {
	w.t.Helper()
	return *must[sdk.CreatePolicyOutput](w, &sdk.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(allowAll)}).Policy.Arn
}

func (w *world) group(name string) {
	w.t.Helper()
	must[sdk.CreateGroupOutput](w, &sdk.CreateGroupInput{GroupName: &name})
}

// key makes an access key of a user.
func (w *world) key(user string) (id, secretKey string) {
	w.t.Helper()
	k := must[sdk.CreateAccessKeyOutput](w, &sdk.CreateAccessKeyInput{UserName: &user}).AccessKey
	return *k.AccessKeyId, *k.SecretAccessKey
}
