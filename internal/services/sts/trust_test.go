package sts_test

import (
	"iter"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	iamsdk "github.com/aws/aws-sdk-go-v2/service/iam"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/sts"
	"github.com/licet/licet/internal/store/storetest"
)

type noPolicies struct{}

func (noPolicies) ManagedPolicy(string) (directory.ManagedPolicy, bool) {
	return directory.ManagedPolicy{}, false
}
func (noPolicies) All() iter.Seq[directory.ManagedPolicy] {
	return func(func(directory.ManagedPolicy) bool) {}
}

const account = "111122223333"

// cloud is IAM and STS on one store, with decisions.
type cloud struct {
	t   *testing.T
	d   *directory.Directory
	ops map[string]service.Operation
}

func newCloud(t *testing.T) *cloud {
	keys := secret.New([secret.KeySize]byte{1})
	config := directory.Config{DB: storetest.New(t), Keyring: keys, Managed: noPolicies{}, Partition: "aws", Now: time.Now}
	c := &cloud{t: t, d: directory.New(config), ops: make(map[string]service.Operation)}
	t.Cleanup(c.d.Close)
	for _, s := range []service.Service{iam.New(iam.Config{Config: config}, c.d).Definition(nil, nil), sts.New(sts.Config{Directory: c.d, Keyring: keys}).Definition(nil, nil)} {
		for _, op := range s.Operations {
			c.ops[op.Name] = op
		}
	}
	return c
}

func (c *cloud) call(caller principal.Caller) *service.Call {
	return &service.Call{Caller: caller, Account: account, Partition: "aws", Time: time.Now()}
}

// root makes a call that is not judged.
func (c *cloud) root(operation string, in any) any {
	c.t.Helper()
	out, err := c.ops[operation].Handle(c.t.Context(), c.call(principal.Caller{Principal: authz.Principal{Kind: authz.Root, Account: account}}), in)
	if err != nil {
		c.t.Fatalf("%s: %v", operation, err)
	}
	return out
}

// user makes a user with a key and gives the key.
func (c *cloud) user(name string) string {
	c.t.Helper()
	c.root("CreateUser", &iamsdk.CreateUserInput{UserName: &name})
	return *c.root("CreateAccessKey", &iamsdk.CreateAccessKeyInput{UserName: &name}).(*iamsdk.CreateAccessKeyOutput).AccessKey.AccessKeyId
}

func (c *cloud) caller(key, token string) principal.Caller {
	c.t.Helper()
	_, caller, err := c.d.Authenticate(c.t.Context(), key, token)
	if err != nil {
		c.t.Fatal(err)
	}
	return caller
}

// mayAssume judges AssumeRole.
func (c *cloud) mayAssume(caller principal.Caller, role string) bool {
	c.t.Helper()
	in := &sdk.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + account + ":role/" + role), RoleSessionName: aws.String("job")}
	needs, err := c.ops["AssumeRole"].Needs(c.t.Context(), c.call(caller), in)
	if err != nil {
		c.t.Fatal(err)
	}
	p, err := c.d.Policies(c.t.Context(), caller)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, n := range needs {
		p.Resource, p.Trust = n.Target.Policy, n.Target.Trust
		if !authz.Compile(p).Decide(&authz.Request{
			Principal: caller.Principal, Action: n.Action, Resource: n.Target.ARN, ResourceAccount: n.Target.Account, Context: n.Target.Keys,
		}).Allowed {
			return false
		}
	}
	return true
}

func trust(principals string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principals + `,"Action":"sts:AssumeRole"}]}`)
}

func TestTrust(t *testing.T) {
	c := newCloud(t)
	alice := c.user("alice")
	arn := "arn:aws:iam::" + account
	c.root("CreateRole", &iamsdk.CreateRoleInput{RoleName: aws.String("direct"), AssumeRolePolicyDocument: trust(`{"AWS":"` + arn + `:user/alice"}`)})
	c.root("CreateRole", &iamsdk.CreateRoleInput{RoleName: aws.String("account"), AssumeRolePolicyDocument: trust(`{"AWS":"` + account + `"}`)})
	c.root("CreateRole", &iamsdk.CreateRoleInput{RoleName: aws.String("chained"), AssumeRolePolicyDocument: trust(`{"AWS":"` + arn + `:role/direct"}`)})
	c.root("CreateRole", &iamsdk.CreateRoleInput{RoleName: aws.String("lambda"), AssumeRolePolicyDocument: trust(`{"Service":"lambda.amazonaws.com"}`)})

	check := func(who string, caller principal.Caller, want map[string]bool) {
		t.Helper()
		for role, allowed := range want {
			if got := c.mayAssume(caller, role); got != allowed {
				t.Errorf("%s may assume %s: got %v, want %v", who, role, got, allowed)
			}
		}
	}
	// Named directly a user needs nothing else; its account only delegates (iam.md T1).
	check("alice", c.caller(alice, ""), map[string]bool{"direct": true, "account": false, "chained": false, "lambda": false, "missing": false})
	c.root("PutUserPolicy", &iamsdk.PutUserPolicyInput{
		UserName: aws.String("alice"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`),
	})
	check("alice with a policy", c.caller(alice, ""), map[string]bool{"direct": true, "account": true, "chained": false, "lambda": false, "missing": false})

	service := principal.Caller{Principal: authz.Principal{Kind: authz.Service, ARN: "lambda.amazonaws.com"}}
	check("lambda", service, map[string]bool{"direct": false, "account": false, "lambda": true})

	// A session of the role that is trusted.
	in := &sdk.AssumeRoleInput{RoleArn: aws.String(arn + ":role/direct"), RoleSessionName: aws.String("job")}
	call := c.call(c.caller(alice, ""))
	var err error
	if call.Judged, err = c.ops["AssumeRole"].Needs(t.Context(), call, in); err != nil {
		t.Fatal(err)
	}
	out, err := c.ops["AssumeRole"].Handle(t.Context(), call, in)
	if err != nil {
		t.Fatal(err)
	}
	keys := out.(*sdk.AssumeRoleOutput).Credentials
	check("session", c.caller(*keys.AccessKeyId, *keys.SessionToken), map[string]bool{"chained": true, "direct": false, "account": false})

	// Another user under the old name is not trusted (iam.md P4).
	c.root("UpdateUser", &iamsdk.UpdateUserInput{UserName: aws.String("alice"), NewUserName: aws.String("eve")})
	impostor := c.user("alice")
	check("new alice", c.caller(impostor, ""), map[string]bool{"direct": false})
	check("renamed alice", c.caller(alice, ""), map[string]bool{"direct": true})
}
