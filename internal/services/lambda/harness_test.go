package lambda

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/blob/blobtest"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/registry"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/async"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

const (
	account  = "111122223333"
	stranger = "444455556666"
	region   = "eu-central-1"
	role     = "arn:aws:iam::111122223333:role/app"
	arnOfF   = "arn:aws:lambda:eu-central-1:111122223333:function:f"
)

// harness runs operations as dispatch does, but for the decision: first what they need, then the handler.
type harness struct {
	t      testing.TB
	lambda *Service
	db     *countingDB
	runner *fakeRunner
	// trusted roles, unique ids of users and roles by their ARNs, and whether ListTags is permitted.
	trusted   map[string]bool
	ids       map[string]string
	mayList   bool
	allowed   map[string]bool   // what execution roles may: "action resource"
	decrypts  bool              // whether the caller may use KMS keys
	vpcs      map[string]string // of subnets
	images    map[string]registry.Image
	account   string // of the caller
	now       time.Time
	random    float64 // what the service draws
	lastNeeds []service.Need
	asked     []service.Need // of Allowed
	acts      []act          // of execution roles
	actFails  error
	// onCanAssume, if set, runs while a role is checked.
	onCanAssume func()
}

func newHarness(t testing.TB) *harness {
	t.Helper()
	h := &harness{
		t: t, db: &countingDB{DB: storetest.New(t)}, runner: &fakeRunner{}, trusted: map[string]bool{role: true},
		ids: make(map[string]string), allowed: make(map[string]bool), mayList: true, account: account,
		now: time.Date(2026, 11, 23, 12, 0, 0, 7_000_000, time.UTC),
	}
	l, err := New(Config{
		DB: h.db, Blobs: blobtest.New(t), Keys: secret.New([secret.KeySize]byte{1}), CodeDir: codeDir(t), Runner: h.runner,
		Roles: h, Principals: h, CodeURLs: h, Permissions: h, VPCs: h.vpcOf, Images: h,
		FunctionURLs: func(region, id string) string { return "http://" + id + "." + region + ".test/" },
		Random:       func() float64 { return h.random },
		Now:          func() time.Time { return h.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	h.lambda = l
	l.bootID = func() string { return "a boot" }
	h.sweep() // as the server does when it starts
	return h
}

// sweep sweeps, and gives the directories that are left.
func (h *harness) sweep() []string {
	h.t.Helper()
	if err := h.lambda.Sweep(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	return h.unpacked()
}

// unpacked lists the directories of unpacked code.
func (h *harness) unpacked() (names []string) {
	h.t.Helper()
	dirs, err := os.ReadDir(h.lambda.CodeDir)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, d := range dirs {
		if d.Name() != bootFile {
			names = append(names, d.Name())
		}
	}
	return names
}

// codeDir is a temporary directory whose read-only content can be removed.
func codeDir(t testing.TB) string {
	dir := t.TempDir()
	t.Cleanup(func() {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chmod(path, 0o700)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	return dir
}

func (h *harness) CanAssume(_ context.Context, _ *service.Call, roleARN, _ string) (bool, error) {
	if h.onCanAssume != nil {
		h.onCanAssume()
	}
	return h.trusted[roleARN], nil
}

func (h *harness) Allows(_ context.Context, _, _, action, resource string) (bool, error) {
	return h.allowed[action+" "+resource], nil
}

// Act notes what is written to a destination.
func (h *harness) Act(_ context.Context, as async.Role, service, operation string, in any) error {
	h.acts = append(h.acts, act{as, service + ":" + operation, in})
	return h.actFails
}

// act is a call that an execution role makes.
type act struct {
	as        async.Role
	operation string
	in        any
}

func (h *harness) UniqueID(_ context.Context, arn string) (string, error) { return h.ids[arn], nil }

func (h *harness) PrincipalARN(_ context.Context, id string) (string, error) {
	for arn, of := range h.ids {
		if of == id {
			return arn, nil
		}
	}
	return "", nil
}

func (h *harness) CodeURL(_ context.Context, c *service.Call, name blob.Name) (string, error) {
	return "http://" + c.Host + "/code/" + string(name), nil
}

func (h *harness) Permitted(_ context.Context, c *service.Call, in any) (bool, error) {
	if _, ok := in.(*sdk.ListTagsInput); !ok || c.Operation != "ListTags" {
		return false, errors.New("unexpected question")
	}
	return h.mayList, nil
}

func (h *harness) Allowed(_ context.Context, _ *service.Call, need service.Need) (bool, error) {
	h.asked = append(h.asked, need)
	return h.decrypts, nil
}

func (h *harness) vpcOf(subnet string) (string, bool) {
	id, ok := h.vpcs[subnet]
	return id, ok
}

// Resolve has an error for an image whose name says so.
func (h *harness) Resolve(_ context.Context, name string) (registry.Image, error) {
	if i, ok := h.images[name]; ok {
		return i, nil
	}
	for _, err := range []error{registry.ErrName, registry.ErrDenied, registry.ErrKind} {
		if name == err.Error() {
			return registry.Image{}, err
		}
	}
	if name == "unreachable" {
		return registry.Image{}, errors.New("no route")
	}
	return registry.Image{}, registry.ErrMissing
}

func (h *harness) newCall(operation string) *service.Call {
	return &service.Call{
		RequestID: "8f1b2a52-7f2e-4b42-a1bb-6f3b7f6a0f10", Time: h.now,
		Caller: principal.Caller{Principal: authz.Principal{Kind: authz.User, Account: h.account,
			ARN: "arn:aws:iam::" + h.account + ":user/u"}},
		Account: h.account, Region: region, Partition: "aws", Service: "lambda", Operation: operation, Host: "localhost:4566",
	}
}

func (h *harness) needs(operation string, in any) ([]service.Need, error) {
	return h.operation(operation).Needs(h.t.Context(), h.newCall(operation), in)
}

func (h *harness) operation(name string) service.Operation {
	h.t.Helper()
	ops := h.lambda.operations()
	i := slices.IndexFunc(ops, func(o service.Operation) bool { return o.Name == name })
	if i < 0 {
		h.t.Fatalf("no operation %s", name)
	}
	return ops[i]
}

// do runs the operation of an input; its output is a pointer to Out.
func do[Out any](h *harness, in any) (*Out, error) {
	h.t.Helper()
	c := h.newCall(operationOf(in))
	op := h.operation(c.Operation)
	needs, err := op.Needs(h.t.Context(), c, in)
	if err != nil {
		return nil, err
	}
	h.lastNeeds = needs
	out, err := op.Handle(h.t.Context(), c, in)
	if err != nil {
		return nil, err
	}
	return out.(*Out), nil
}

// must is do for calls that succeed.
func must[Out any](h *harness, in any) *Out {
	h.t.Helper()
	out, err := do[Out](h, in)
	if err != nil {
		h.t.Fatalf("%s: %v", operationOf(in), err)
	}
	return out
}

// refuse runs an operation that fails, and compares code, status and text.
func refuse[Out any](h *harness, in any, code string, status int, message string) {
	h.t.Helper()
	_, err := do[Out](h, in)
	wantError(h.t, err, code, status, message)
}

func wantError(t testing.TB, err error, code string, status int, message string) {
	t.Helper()
	var e *awserr.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want %s", err, code)
	}
	if e.Code != code || e.Status != status || e.Message != message {
		t.Errorf("got  %s %d %s\nwant %s %d %s", e.Code, e.Status, e.Message, code, status, message)
	}
	if _, typed := e.Members["Type"]; typed == untyped(code, message) {
		t.Errorf("%s has a member Type: %t", code, typed)
	}
}

// untyped tells the errors that have no member Type: those outside the model, and some that were recorded from AWS without.
func untyped(code, message string) bool {
	switch code {
	case "ValidationException", "AccessDeniedException", "RequestEntityTooLargeException", "NotImplemented", "UnknownOperationException":
		return true
	}
	return strings.HasPrefix(message, "The Lambda code signing configuration ") ||
		strings.HasPrefix(message, "Specified ReservedConcurrentExecutions for function ") ||
		strings.HasPrefix(message, "Specified ConcurrentExecutions for function ")
}

func zipOf(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// newFunction is the input for a function with the least that is needed.
func (h *harness) newFunction(name string) *sdk.CreateFunctionInput {
	return &sdk.CreateFunctionInput{
		FunctionName: aws.String(name), Role: aws.String(role), Runtime: types.RuntimePython312, Handler: aws.String("app.handler"),
		Code: &types.FunctionCode{ZipFile: zipOf(h.t, map[string]string{"app.py": "first"})},
	}
}

func (h *harness) create(name string) *sdk.CreateFunctionOutput {
	h.t.Helper()
	return must[sdk.CreateFunctionOutput](h, h.newFunction(name))
}

// fakeRunner answers with the content of app.py in the function's code, and remembers what it was asked.
type fakeRunner struct {
	mu          sync.Mutex
	functions   []execution.Function
	invocations []execution.Invocation
	retired     []string // function ARN and version
	directories map[string]bool
	expected    []string // runtimes
	provisions  []execution.Provision
	provided    map[string]execution.Provisioned // by ARN and version
	// fail, if set, is the error of Invoke; outcome, if set, its result.
	fail    error
	outcome *execution.Result
	parts   []string // of a streamed response
	// contentType is that of a streamed response.
	contentType string
}

func (r *fakeRunner) Invoke(_ context.Context, f execution.Function, i execution.Invocation) (execution.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.functions = append(r.functions, f)
	r.invocations = append(r.invocations, i)
	if r.fail != nil {
		return execution.Result{}, r.fail
	}
	if i.Stream != nil {
		i.Stream.Begin()
		i.Stream.Type(r.contentType)
		for _, part := range r.parts {
			if err := i.Stream.Write([]byte(part)); err != nil {
				return execution.Result{}, err
			}
		}
		if r.outcome == nil {
			return execution.Result{}, nil
		}
	}
	if r.outcome != nil {
		return *r.outcome, nil
	}
	code, err := os.ReadFile(filepath.Join(f.CodeDir, "app.py"))
	return execution.Result{Payload: []byte(`"` + string(code) + `"`), LogTail: []byte("END " + i.RequestID)}, err
}

func (r *fakeRunner) Retire(functionARN, version string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retired = append(r.retired, functionARN+" "+version)
}

func (r *fakeRunner) Expect(runtime string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected = append(r.expected, runtime)
}

func (r *fakeRunner) Directories() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.directories
}

func (r *fakeRunner) Provision(all []execution.Provision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.provisions = all
}

func (r *fakeRunner) Provisioned(functionARN, version string) (execution.Provisioned, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.provided[functionARN+":"+version]
	return p, ok
}

// operationOf is the operation of an input, by the name of its type.
func operationOf(in any) string {
	return strings.TrimSuffix(reflect.TypeOf(in).Elem().Name(), "Input")
}

// countingDB counts reads.
type countingDB struct {
	store.DB
	views atomic.Int64
}

func (d *countingDB) View(ctx context.Context, fn func(store.Reader) error) error {
	d.views.Add(1)
	return d.DB.View(ctx, fn)
}

// keysOf prints condition keys, one a line, in order.
func keysOf(c authz.Context) string {
	var lines []string
	for name, v := range c.All {
		slices.Sort(v.Values)
		lines = append(lines, name+"="+strings.Join(v.Values, ","))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
