package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

// TestSimulationIsWhatIsEnforced makes requests at random, lets dispatch decide them, and asks the simulator about the same.
func TestSimulationIsWhatIsEnforced(t *testing.T) {
	const identities, requests = 30, 40
	l := newLaboratory(t)
	outcomes := make(map[types.PolicyEvaluationDecisionType]int)
	for range identities {
		l.newPolicies()
		for range requests {
			r := l.newRequest()
			enforced, keys := l.enforce(r)
			simulated := l.simulate(r, keys)
			if simulated != enforced {
				t.Errorf("%s: simulated %s, enforced %s\npolicies %s\nresource policy %s", r, simulated, enforced, l.policies, r.policy)
			}
			outcomes[enforced]++
		}
	}
	for _, d := range types.PolicyEvaluationDecisionType("").Values() {
		if outcomes[d] < identities {
			t.Errorf("%d requests were decided %s: the cases do not say much", outcomes[d], d)
		}
	}
}

// laboratory is a server, and a dispatcher that decides any request by the policies of the server's users and roles.
type laboratory struct {
	t        *testing.T
	s        *server
	root     principal.Caller
	callers  []principal.Caller // of alice and of worker
	sources  []string           // their ARNs
	limits   []string           // policies to be boundaries
	policies []string           // what is in force, for the reader of a failure
	door     *dispatch.Dispatcher
	log      *lastRecord
	r        *rand.Rand
}

// lastRecord is a decision log of one entry.
type lastRecord struct{ record *audit.Record }

func (l *lastRecord) Begin(ctx context.Context, r *audit.Record) (context.Context, error) {
	l.record = r
	return ctx, nil
}

func (l *lastRecord) Fail(context.Context, audit.Failure) error { return nil }

// probe is a request about one resource.
type probe struct {
	caller         int
	action, policy string
	target         service.Target
}

func (p probe) String() string {
	return fmt.Sprintf("caller %d, %s on %s of %s", p.caller, p.action, p.target.ARN, p.target.Account)
}

const otherAccount = "999999999999"

// resources of each action.
func resourcesOf(action, account string) []string {
	switch action {
	case "s3:GetObject", "s3:PutObject":
		return []string{"arn:aws:s3:::b/alice", "arn:aws:s3:::b/x"}
	case "lambda:InvokeFunction":
		return []string{"arn:aws:lambda:us-east-1:" + account + ":function:f", "arn:aws:lambda:us-east-1:" + account + ":function:f:1"}
	case "kms:Decrypt":
		return []string{"arn:aws:kms:us-east-1:" + account + ":key/k"}
	default:
		return []string{"arn:aws:iam::" + account + ":role/r"}
	}
}

func probedActions() []string {
	return []string{"s3:GetObject", "s3:PutObject", "lambda:InvokeFunction", "kms:Decrypt", "sts:AssumeRole"}
}

func newLaboratory(t *testing.T) *laboratory {
	c := goodConfig()
	c.Data = filepath.Join(t.TempDir(), "data")
	s, err := newServer(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	l := &laboratory{t: t, s: s, log: &lastRecord{}, r: rand.New(rand.NewPCG(1, 2))}
	if _, l.root, err = s.directory.Authenticate(t.Context(), s.root.AccessKeyID, ""); err != nil {
		t.Fatal(err)
	}
	l.callers = []principal.Caller{l.newUser(), l.newRole()}
	l.sources = []string{l.callers[0].ARN, l.callers[1].IssuerARN}
	for i := range 4 {
		name := fmt.Sprintf("limit%d", i)
		p := l.iam(&awsiam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(l.document(""))}).(*awsiam.CreatePolicyOutput)
		l.limits = append(l.limits, *p.Policy.Arn)
	}
	l.door = l.newDoor()
	return l
}

// newDoor offers an operation for each action.
func (l *laboratory) newDoor() *dispatch.Dispatcher {
	probes := service.Service{API: &protocol.API{SigningName: "probe"}, Denial: func(message string) error { return errors.New(message) }}
	target := func(_ context.Context, _ *service.Call, in *probe) (service.Target, error) { return in.target, nil }
	done := func(context.Context, *service.Call, *probe) (*struct{}, error) { return &struct{}{}, nil }
	for _, action := range probedActions() {
		probes.API.Operations = append(probes.API.Operations, protocol.Operation{Name: action})
		probes.Operations = append(probes.Operations, service.Op(action, action, target, done))
	}
	door, err := dispatch.New(dispatch.Config{
		Services: []service.Service{probes}, Policies: l.s.directory, Organizations: l.s.organizations,
		KnownAction: func(string) bool { return true }, Log: l.log,
		Mode: dispatch.Enforce, Now: time.Now, Region: defaultRegion, Partition: partition,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return door
}

func (l *laboratory) call(caller principal.Caller, serviceName, operation string) *service.Call {
	return &service.Call{
		RequestID: dispatch.NewRequestID(), Time: time.Now(), Caller: caller, Account: defaultAccount, Region: defaultRegion,
		Partition: partition, Service: serviceName, Operation: operation, SourceIP: netip.MustParseAddr("192.0.2.7"), SecureTransport: true,
	}
}

// iam makes a call as root, which the input names.
func (l *laboratory) iam(in any) any {
	l.t.Helper()
	return l.as(l.root, "iam", strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", in), "*iam."), "Input"), in)
}

func (l *laboratory) as(caller principal.Caller, serviceName, operation string, in any) any {
	l.t.Helper()
	answer, err := l.s.door.Do(l.t.Context(), l.call(caller, serviceName, operation), in)
	if err != nil {
		l.t.Fatalf("%s: %v", operation, err)
	}
	return answer.Output
}

func (l *laboratory) newUser() principal.Caller {
	name, group := aws.String("alice"), aws.String("g")
	l.iam(&awsiam.CreateUserInput{UserName: name})
	l.iam(&awsiam.CreateGroupInput{GroupName: group})
	l.iam(&awsiam.AddUserToGroupInput{UserName: name, GroupName: group})
	key := l.iam(&awsiam.CreateAccessKeyInput{UserName: name}).(*awsiam.CreateAccessKeyOutput).AccessKey
	return l.authenticate(*key.AccessKeyId, "")
}

func (l *laboratory) newRole() principal.Caller {
	name := aws.String("worker")
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + l.callerARN("user/alice") + `"},"Action":"sts:AssumeRole"}}`
	l.iam(&awsiam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: &trust})
	key := l.iam(&awsiam.CreateAccessKeyInput{UserName: aws.String("alice")}).(*awsiam.CreateAccessKeyOutput).AccessKey
	session := l.as(l.authenticate(*key.AccessKeyId, ""), "sts", "AssumeRole", &awssts.AssumeRoleInput{
		RoleArn: aws.String(l.callerARN("role/worker")), RoleSessionName: aws.String("work"),
	}).(*awssts.AssumeRoleOutput).Credentials
	return l.authenticate(*session.AccessKeyId, *session.SessionToken)
}

func (l *laboratory) callerARN(resource string) string {
	return "arn:aws:iam::" + defaultAccount + ":" + resource
}

func (l *laboratory) authenticate(id, token string) principal.Caller {
	l.t.Helper()
	_, caller, err := l.s.directory.Authenticate(l.t.Context(), id, token)
	if err != nil {
		l.t.Fatal(err)
	}
	return caller
}

func (l *laboratory) pick(from ...string) string { return from[l.r.IntN(len(from))] }

// newPolicies gives both callers other policies and other boundaries.
func (l *laboratory) newPolicies() {
	texts := []string{l.document(""), l.document(""), l.document("")}
	l.policies = texts
	p := aws.String("p")
	l.iam(&awsiam.PutUserPolicyInput{UserName: aws.String("alice"), PolicyName: p, PolicyDocument: &texts[0]})
	l.iam(&awsiam.PutGroupPolicyInput{GroupName: aws.String("g"), PolicyName: p, PolicyDocument: &texts[1]})
	l.iam(&awsiam.PutRolePolicyInput{RoleName: aws.String("worker"), PolicyName: p, PolicyDocument: &texts[2]})
	limit := l.pick(l.limits...)
	l.iam(&awsiam.PutUserPermissionsBoundaryInput{UserName: aws.String("alice"), PermissionsBoundary: &limit})
	l.iam(&awsiam.PutRolePermissionsBoundaryInput{RoleName: aws.String("worker"), PermissionsBoundary: &limit})
	if l.r.IntN(2) == 0 {
		l.iam(&awsiam.DeleteUserPermissionsBoundaryInput{UserName: aws.String("alice")})
		l.iam(&awsiam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("worker")})
	}
}

// document writes an identity-based policy or, for an action, the policy of its resource.
func (l *laboratory) document(resourceOf string) string {
	statements := make([]string, 1+l.r.IntN(3))
	for i := range statements {
		statements[i] = l.statement(resourceOf)
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func (l *laboratory) statement(resourceOf string) string {
	parts := []string{`"Effect":"` + l.pick("Allow", "Allow", "Allow", "Allow", "Deny") + `"`}
	if resourceOf == "" {
		parts = append(parts, `"`+l.pick("Action", "Action", "Action", "NotAction")+`":"`+
			l.pick("*", "*", "s3:*", "s3:Get*", "lambda:InvokeFunction", "kms:*", "sts:AssumeRole")+`"`,
			`"Resource":"`+l.pick("*", "*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}", "arn:aws:lambda:*:*:function:f",
				"arn:aws:iam::*:role/*", "arn:aws:kms:*:*:key/*")+`"`)
	} else {
		parts = append(parts, `"Principal":`+l.pick(`"*"`, `{"AWS":"`+defaultAccount+`"}`, `{"AWS":"`+l.callers[0].ARN+`"}`,
			`{"AWS":"`+l.callers[1].IssuerARN+`"}`, `{"AWS":"`+otherAccount+`"}`),
			`"Action":"`+l.pick(resourceOf, resourceOf, strings.Split(resourceOf, ":")[0]+":*")+`"`)
		if !strings.HasPrefix(resourceOf, "sts:") {
			parts = append(parts, `"Resource":"`+l.pick("arn:aws:s3:::b/*", "arn:aws:lambda:*:*:function:*", "arn:aws:kms:*:*:key/k")+`"`)
		}
	}
	if l.r.IntN(3) == 0 {
		parts = append(parts, `"Condition":`+l.pick(
			`{"Bool":{"aws:SecureTransport":"true"}}`, `{"StringLike":{"aws:username":"al*"}}`, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}}`,
			`{"StringNotEqualsIfExists":{"test:x":"1"}}`, `{"ForAnyValue:StringEquals":{"test:list":["a"]}}`, `{"ForAllValues:StringEquals":{"test:list":["a"]}}`,
			`{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`, `{"Null":{"test:x":"true"}}`, `{"NumericLessThan":{"test:n":"5"}}`,
			`{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01"}}`, `{"StringEquals":{"aws:userid":"${aws:userid}"}}`,
			`{"StringNotEquals":{"aws:PrincipalAccount":"`+otherAccount+`"}}`))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// newRequest makes a request, about a resource with a policy every other time: without one nothing is decided across accounts.
func (l *laboratory) newRequest() probe {
	p := probe{caller: l.r.IntN(len(l.callers)), action: l.pick(probedActions()...)}
	p.target.Account = defaultAccount
	if l.r.IntN(2) == 0 {
		p.target.Account = l.pick(defaultAccount, otherAccount)
		p.policy = l.document(p.action)
		doc, err := policy.Parse([]byte(p.policy))
		if err != nil {
			l.t.Fatal(err)
		}
		p.target.Policy = &authz.Policy{Name: "policy of the resource", Document: doc}
		p.target.Trust = strings.HasPrefix(p.action, "sts:") || strings.HasPrefix(p.action, "kms:")
	}
	p.target.ARN = l.pick(resourcesOf(p.action, p.target.Account)...)
	if l.r.IntN(2) == 0 {
		p.target.Keys.Set("test:x", l.pick("1", "2"))
		p.target.Keys.Set("test:n", l.pick("1", "7"))
		p.target.Keys.SetList("test:list", l.pick("a", "b"), "a")
	}
	return p
}

// enforce lets dispatch decide, and gives the condition keys that it had.
func (l *laboratory) enforce(p probe) (types.PolicyEvaluationDecisionType, authz.Context) {
	_, err := l.door.Do(l.t.Context(), l.call(l.callers[p.caller], "probe", p.action), &p)
	keys := l.log.record.Decisions[0].Request.Context
	switch {
	case err == nil:
		return types.PolicyEvaluationDecisionTypeAllowed, keys
	case strings.Contains(err.Error(), "with an explicit deny"):
		return types.PolicyEvaluationDecisionTypeExplicitDeny, keys
	case strings.Contains(err.Error(), "is not authorized to perform"):
		return types.PolicyEvaluationDecisionTypeImplicitDeny, keys
	}
	l.t.Fatalf("%s: %v", p, err)
	return "", keys
}

func (l *laboratory) simulate(p probe, keys authz.Context) types.PolicyEvaluationDecisionType {
	l.t.Helper()
	in := &awsiam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &l.sources[p.caller], ActionNames: []string{p.action}, ResourceArns: []string{p.target.ARN},
		ResourceOwner: aws.String("arn:aws:iam::" + p.target.Account + ":root"),
	}
	if p.policy != "" {
		in.ResourcePolicy = &p.policy
	}
	for name, value := range keys.All {
		kind := types.ContextKeyTypeEnumString
		if value.Multi {
			kind = types.ContextKeyTypeEnumStringList
		}
		in.ContextEntries = append(in.ContextEntries, types.ContextEntry{ContextKeyName: aws.String(name), ContextKeyType: kind, ContextKeyValues: value.Values})
	}
	return l.iam(in).(*awsiam.SimulatePrincipalPolicyOutput).EvaluationResults[0].EvalDecision
}
