package edge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/blob/blobtest"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol/json"
	"github.com/licet/licet/internal/protocol/query"
	"github.com/licet/licet/internal/protocol/restjson"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/lambdaapi"
	"github.com/licet/licet/internal/services/logs/logsapi"
	"github.com/licet/licet/internal/services/organizations/organizationsapi"
	"github.com/licet/licet/internal/services/sts/stsapi"
	"github.com/licet/licet/internal/store/storetest"
	"github.com/licet/licet/policy"
)

const (
	account = "111122223333"
	other   = "444455556666"
	region  = "eu-central-1"
)

// world is a server of three services, one of each protocol, whose operations do what a test needs.
type world struct {
	*Server
	t     testing.TB
	url   string
	now   time.Time
	log   *audit.Log
	blobs blob.Store
	keys  *secret.Keyring
	links *CodeLinks
	// remote is the address that requests come from; nil: the true one.
	remote *string
	// calls that reached an operation.
	calls chan *service.Call
	// held operations wait for it to be closed.
	held chan struct{}
}

// Authenticate knows the root of two accounts, a session of a root that may do one task, a user who may do anything, one who may do nothing, and keys that go wrong.
func (w *world) Authenticate(_ context.Context, id, token string) (string, principal.Caller, error) {
	caller := func(kind authz.PrincipalKind, account, name string) (string, principal.Caller, error) {
		return "secret of " + id, principal.Caller{
			Principal:   authz.Principal{Kind: kind, Account: account, ARN: "arn:aws:iam::" + account + ":" + name, ID: id},
			AccessKeyID: id,
		}, nil
	}
	switch id {
	case "ROOT":
		return caller(authz.Root, account, "root")
	case "TASK": // a session of AssumeRoot
		secret, c, err := caller(authz.Root, account, "root")
		c.Session = &principal.Session{PolicyARNs: []string{"arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}, HasPolicies: true}
		return secret, c, err
	case "OTHERROOT":
		return caller(authz.Root, other, "root")
	case "USER":
		return caller(authz.User, account, "user/may")
	case "NOBODY":
		return caller(authz.User, account, "user/may-not")
	case "EXPIRED":
		return "", principal.Caller{}, ErrExpiredToken
	case "BROKEN":
		return "", principal.Caller{}, errors.New("disk on fire")
	case "EMPTY":
		_, c, _ := caller(authz.Root, account, "root")
		return "", c, nil
	}
	return "", principal.Caller{}, ErrUnknownKey
}

func (w *world) Member(context.Context, string) (*organization.Member, error) { return nil, nil }

func (w *world) Policies(_ context.Context, c principal.Caller) (authz.Policies, error) {
	if c.AccessKeyID == "NOBODY" || c.Kind == authz.Root {
		return authz.Policies{}, nil
	}
	return authz.Policies{Identity: []authz.Policy{document(w.t, "may", `{"Effect":"Allow","Action":"*","Resource":"*"}`)}}, nil
}

func document(t testing.TB, name, statement string) authz.Policy {
	t.Helper()
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + statement + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return authz.Policy{Name: name, Document: d}
}

// theirRole is a role of the other account, whose trust policy has secrets.
func (w *world) theirRole(_ context.Context, _ *service.Call, in *sts.AssumeRoleInput) (service.Target, error) {
	if in.RoleArn == nil {
		return service.Target{}, awserr.New("ValidationError", 400, "no role")
	}
	trust := document(w.t, "secret-policy-name", `{"Sid":"SecretSid","Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole",`+
		`"Condition":{"StringEquals":{"sts:ExternalId":"secret-external-id"}}}`)
	target := service.Target{ARN: *in.RoleArn, Account: other, Policy: &trust, Trust: true}
	target.Keys.Set("aws:ResourceTag/team", "secret-tag")
	if in.ExternalId != nil {
		target.Keys.Set("sts:ExternalId", *in.ExternalId)
	}
	return target, nil
}

// reached is a handler.
func reached[In, Out any](w *world, out *Out, err error) service.Handler[In, Out] {
	return func(_ context.Context, c *service.Call, _ *In) (*Out, error) {
		w.calls <- c
		return out, err
	}
}

func malformed(context.Context, *service.Call, *lambda.GetPolicyInput) (service.Target, error) {
	return service.Target{}, awserr.New("ValidationException", 400, "malformed")
}

// present takes a token for the name of a key.
func (w *world) present(ctx context.Context, c *service.Call, in *sts.AssumeRoleWithWebIdentityInput) (err error) {
	if in.WebIdentityToken == nil {
		return awserr.New("InvalidIdentityToken", 400, "no token")
	}
	_, c.Caller, err = w.Authenticate(ctx, *in.WebIdentityToken, "")
	return err
}

func (w *world) services() []service.Service {
	w.t.Helper()
	lambdaAPI, logsAPI, stsAPI := lambdaapi.API(), logsapi.API(), stsapi.API()
	organizationsAPI := organizationsapi.API()
	rest, err := restjson.New(lambdaAPI)
	if err != nil {
		w.t.Fatal(err)
	}
	denial := func(m string) error { return awserr.New("AccessDeniedException", 403, "%s", m) }
	hold := func(_ context.Context, c *service.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
		w.calls <- c
		<-w.held
		return &lambda.InvokeOutput{StatusCode: 200, Payload: in.Payload}, nil
	}
	boom := func(context.Context, *service.Call, *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
		panic("boom")
	}
	return []service.Service{
		{API: lambdaAPI, Codec: rest, Denial: denial, Operations: []service.Operation{
			service.Op("Invoke", "lambda:InvokeFunction", service.Any[lambda.InvokeInput], hold),
			service.Op("GetFunction", "lambda:GetFunction", service.Any[lambda.GetFunctionInput], boom),
			service.Op("GetPolicy", "lambda:GetPolicy", malformed, reached[lambda.GetPolicyInput](w, &lambda.GetPolicyOutput{}, nil)),
			service.Op("ListTags", "lambda:ListTags", service.Any[lambda.ListTagsInput],
				reached[lambda.ListTagsInput, lambda.ListTagsOutput](w, nil, errors.New("password in the cause"))),
			service.Op("ListFunctions", "lambda:ListFunctions", service.Any[lambda.ListFunctionsInput],
				reached[lambda.ListFunctionsInput](w, &lambda.ListFunctionsOutput{}, nil)),
		}},
		{API: logsAPI, Codec: json.New(logsAPI, json.Version11), Denial: denial, Operations: []service.Operation{
			service.Op("DescribeLogGroups", "logs:DescribeLogGroups", service.Any[cloudwatchlogs.DescribeLogGroupsInput],
				reached[cloudwatchlogs.DescribeLogGroupsInput](w, &cloudwatchlogs.DescribeLogGroupsOutput{}, nil)),
		}},
		{API: organizationsAPI, Codec: json.New(organizationsAPI, json.Version11), Denial: denial, Operations: []service.Operation{
			service.Exempt("ListRoots", "organizations:ListRoots", "for the test",
				reached[organizations.ListRootsInput](w, &organizations.ListRootsOutput{}, nil)),
		}},
		{API: stsAPI, Codec: query.New(stsAPI), Denial: denial, Operations: []service.Operation{
			service.Exempt("GetCallerIdentity", "sts:GetCallerIdentity", "always allowed",
				reached[sts.GetCallerIdentityInput](w, &sts.GetCallerIdentityOutput{}, nil)),
			service.Unsigned("AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentity", w.present,
				func(action string) error {
					return awserr.New("AccessDenied", 403, "not authorized to perform %s", action)
				},
				service.Any[sts.AssumeRoleWithWebIdentityInput],
				reached[sts.AssumeRoleWithWebIdentityInput](w, &sts.AssumeRoleWithWebIdentityOutput{}, nil)),
			service.Op("AssumeRole", "sts:AssumeRole", w.theirRole, reached[sts.AssumeRoleInput](w, &sts.AssumeRoleOutput{}, nil)),
		}},
	}
}

func newWorld(t testing.TB, mode dispatch.Mode) *world {
	t.Helper()
	w := &world{
		t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), log: audit.New(storetest.New(t), audit.Options{}),
		blobs: blobtest.New(t), keys: secret.New([secret.KeySize]byte{1}), calls: make(chan *service.Call, 10), held: make(chan struct{}),
	}
	now := func() time.Time { return w.now }
	w.links = NewCodeLinks(w.blobs, w.keys, now)
	d, err := dispatch.New(dispatch.Config{
		Services: w.services(), Policies: w, Organizations: w, KnownAction: func(string) bool { return true }, Log: w.log,
		Mode: mode, Now: now, Region: region, Partition: "aws",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Server, err = New(Config{
		Dispatcher: d, Keys: w, Decisions: w.log, Code: w.links, Message: func(id string) (string, error) { return "about " + id, nil }, Gatherer: prometheus.NewRegistry(),
		Logger: slog.New(slog.DiscardHandler), Now: now, Region: region, Partition: "aws", Mode: mode,
	})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.remote != nil {
			r.RemoteAddr = *w.remote
		}
		w.ServeHTTP(rw, r)
	}))
	t.Cleanup(front.Close)
	w.url = front.URL
	return w
}

// request is a call of an operation, or of a page.
type request struct {
	method, path, body string
	service            string
	header             map[string]string
	key                string // that signs; "" for none
	region             string // "" for the server's
}

func listFunctions() request {
	return request{method: "GET", path: "/2015-03-31/functions", service: "lambda"}
}

func describeLogGroups() request {
	return request{method: "POST", path: "/", body: "{}", service: "logs", header: map[string]string{
		"X-Amz-Target": "Logs_20140328.DescribeLogGroups", "Content-Type": "application/x-amz-json-1.1",
	}}
}

func listRoots() request {
	return request{method: "POST", path: "/", body: "{}", service: "organizations", header: map[string]string{
		"X-Amz-Target": "AWSOrganizationsV20161128.ListRoots", "Content-Type": "application/x-amz-json-1.1",
	}}
}

func form(body string) request {
	return request{method: "POST", path: "/", body: body + "&Version=2011-06-15", service: "sts", header: map[string]string{
		"Content-Type": "application/x-www-form-urlencoded",
	}}
}

func getCallerIdentity() request { return form("Action=GetCallerIdentity") }

func assumeRole(more string) request {
	return form("Action=AssumeRole&RoleSessionName=s1&RoleArn=arn:aws:iam::" + other + ":role/theirs" + more)
}

func page(path string) request { return request{method: "GET", path: path, service: SigningName} }

func (r request) by(key string) request { r.key = key; return r }

// make makes and signs the request.
func (w *world) make(q request) *http.Request { w.t.Helper(); return w.makeFor("", q) }

// makeFor makes a request for another host than the server's own; "" for that.
func (w *world) makeFor(host string, q request) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), q.method, w.url+q.path, bytes.NewReader([]byte(q.body)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Host = host
	for k, v := range q.header {
		r.Header.Set(k, v)
	}
	if q.key == "" {
		return r
	}
	if q.region == "" {
		q.region = region
	}
	sum := sha256.Sum256([]byte(q.body))
	c := aws.Credentials{AccessKeyID: q.key, SecretAccessKey: "secret of " + q.key}
	if q.key == "EMPTY" {
		c.SecretAccessKey = ""
	}
	if err := v4.NewSigner().SignHTTP(w.t.Context(), c, r, hex.EncodeToString(sum[:]), q.service, q.region, w.now); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// answer is a response.
type answer struct {
	status int
	header http.Header
	body   string
}

func (w *world) send(r *http.Request) answer {
	w.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func (w *world) do(q request) answer { w.t.Helper(); return w.send(w.make(q)) }
