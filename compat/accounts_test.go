package compat

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// tenant is an account with the clients of its root.
type tenant struct {
	id string
	clients
}

// licet runs a command of the binary on the server's data directory.
func (l *licet) licet(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(l.binary, append(args, "--data", l.data)...).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("licet %v: %s", args, exit.Stderr)
		}
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// newAccount makes an account while the server runs.
func (l *licet) newAccount(t *testing.T) tenant {
	t.Helper()
	return l.account(t, l.licet(t, "account", "create", unique("account")))
}

// account gives the root of an account.
func (l *licet) account(t *testing.T, id string) tenant {
	t.Helper()
	var c aws.Credentials
	for line := range strings.Lines(l.licet(t, "env", "--account", id)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		switch value = strings.Trim(value, "'"); name {
		case "AWS_ACCESS_KEY_ID":
			c.AccessKeyID = value
		case "AWS_SECRET_ACCESS_KEY":
			c.SecretAccessKey = value
		}
	}
	return tenant{id, l.as(c)}
}

// userOf makes a user of the account with an inline policy of the statements, and gives its ARN and clients.
func (l *licet) userOf(t *testing.T, a tenant, statements ...string) (arn string, c clients) {
	t.Helper()
	name := unique("user")
	user := must(a.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}))(t).User
	must(a.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: &name, PolicyName: aws.String("own"), PolicyDocument: document(statements...),
	}))(t)
	key := must(a.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name}))(t).AccessKey
	return *user.Arn, l.as(aws.Credentials{AccessKeyID: *key.AccessKeyId, SecretAccessKey: *key.SecretAccessKey})
}

// roleOf makes a role of the account and gives its ARN.
func roleOf(t *testing.T, a tenant, principal string, statements ...string) string {
	t.Helper()
	name := unique("role")
	r := must(a.iam.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: document(trust(principal)),
	}))(t).Role
	if len(statements) > 0 {
		must(a.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
			RoleName: &name, PolicyName: aws.String("own"), PolicyDocument: document(statements...),
		}))(t)
	}
	return *r.Arn
}

// assumeRole asks for a session.
func assumeRole(t *testing.T, c clients, arn string) (*sts.AssumeRoleOutput, error) {
	t.Helper()
	return c.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("session")})
}

// newFunctionOf makes a function of the account.
func newFunctionOf(t *testing.T, a tenant, role string) (*lambda.CreateFunctionOutput, error) {
	t.Helper()
	return a.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String(unique("function")), Runtime: types.RuntimePython311, Handler: aws.String("code.handler"), Role: &role,
		Code: &types.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: echo})}, Timeout: aws.Int32(30),
	})
}

// An account that is made while the server runs is there with the next call, with its own root and nothing of the others.
func TestAccounts(t *testing.T) {
	t.Parallel()
	id := server.licet(t, "account", "create", "Blue team", "--email", "blue@example.com", "--id", "210987654321")
	if id != "210987654321" {
		t.Errorf("got id %s", id)
	}
	a := server.account(t, id)
	who := must(a.sts.GetCallerIdentity(t.Context(), nil))(t)
	if *who.Account != id || *who.Arn != "arn:aws:iam::"+id+":root" {
		t.Errorf("got %s, %s", *who.Account, *who.Arn)
	}
	if got := server.account(t, id); got.credentials != a.credentials {
		t.Error("licet env made another key")
	}
	if users := must(a.iam.ListUsers(t.Context(), nil))(t).Users; len(users) != 0 {
		t.Errorf("a new account has users: %v", users)
	}
	var all []struct{ ID, Name, Email string }
	if err := json.Unmarshal([]byte(server.licet(t, "account", "list", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	want := struct{ ID, Name, Email string }{id, "Blue team", "blue@example.com"}
	found := false
	for _, got := range all {
		if got.ID == id {
			found = cmp.Equal(got, want)
		}
	}
	if !found {
		t.Errorf("got %+v, want %+v among them", all, want)
	}
	if list := server.licet(t, "account", "list"); !strings.Contains(list, id+"  Blue team") || !strings.Contains(list, account) {
		t.Errorf("got list\n%s", list)
	}
	for name, args := range map[string][]string{
		"the id is taken":     {"account", "create", "x", "--id", id},
		"the email is taken":  {"account", "create", "x", "--email", "BLUE@example.com"},
		"no id":               {"account", "create", "x", "--id", "12"},
		"no such account":     {"env", "--account", "999999999998"},
		"an id with a letter": {"account", "create", "x", "--id", "12345678901x"},
	} {
		if out, err := exec.Command(server.binary, append(args, "--data", server.data)...).CombinedOutput(); err == nil {
			t.Errorf("%s: got %s, want an error", name, out)
		}
	}
}

// A role of another account can be assumed when its trust policy and the caller's own policies both allow it (iam.md D5).
func TestCrossAccountRole(t *testing.T) {
	t.Parallel()
	a, b := server.newAccount(t), server.newAccount(t)
	arn, user := server.userOf(t, a, allow("sts:AssumeRole", "*"))
	_, idle := server.userOf(t, a, allow("s3:*", "*"))
	trusting := roleOf(t, b, `{"AWS":"arn:aws:iam::`+a.id+`:root"}`, allow("lambda:ListFunctions", "*"))
	closed := roleOf(t, b, `{"AWS":"arn:aws:iam::`+b.id+`:root"}`)

	got, err := assumeRole(t, user, trusting)
	if err != nil {
		t.Fatal(err)
	}
	session := server.as(sessionCredentials(got.Credentials))
	if who := must(session.sts.GetCallerIdentity(t.Context(), nil))(t); *who.Account != b.id {
		t.Errorf("the session is of account %s, want %s", *who.Account, b.id)
	}
	must(session.lambda.ListFunctions(t.Context(), nil))(t)
	_, err = assumeRole(t, user, closed)
	check(t, err, failure{403, "AccessDenied", "User: " + arn + " is not authorized to perform: sts:AssumeRole on resource: " + closed +
		" because no role trust policy allows the sts:AssumeRole action"})
	if _, err = assumeRole(t, idle, trusting); code(err) != "AccessDenied" {
		t.Errorf("a caller without a permission of its own: got %v", err)
	}
}

// A function lets another account's user in by its resource policy; the user's own policies must allow it too, and IAM has no
// resource policies, so that nobody acts on another account's users.
func TestCrossAccountFunction(t *testing.T) {
	t.Parallel()
	a, b := server.newAccount(t), server.newAccount(t)
	arn, user := server.userOf(t, a, allow("lambda:*", "*"), allow("iam:*", "*"))
	_, idle := server.userOf(t, a, allow("s3:*", "*"))
	role := roleOf(t, b, trustLambda)
	f := must(newFunctionOf(t, b, role))(t)
	name := *f.FunctionName

	_, err := user.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: f.FunctionArn})
	check(t, err, lambdaDenied(arn, "lambda:GetFunction", *f.FunctionArn, "resource-based policy"))
	for _, action := range []string{"lambda:GetFunction", "lambda:InvokeFunction"} {
		must(b.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: &name, StatementId: aws.String(strings.ReplaceAll(action, ":", "-")), Action: aws.String(action),
			Principal: aws.String(a.id),
		}))(t)
	}
	must(user.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: f.FunctionArn}))(t)
	if got, err := user.invoke(t, *f.FunctionArn, `{"a":1}`); err != nil || got != `{"a": 1}` {
		t.Errorf("got %s, %v", got, err)
	}
	_, err = idle.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: f.FunctionArn})
	if code(err) != "AccessDeniedException" {
		t.Errorf("a caller without a permission of its own: got %v", err)
	}
	// The role is granted, not its account: a session of another role is not let in.
	theirs := roleOf(t, a, `{"AWS":"`+a.id+`"}`, allow("lambda:*", "*"))
	must(b.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: &name, StatementId: aws.String("role"), Action: aws.String("lambda:GetFunctionConfiguration"), Principal: &theirs,
	}))(t)
	_, operator := server.userOf(t, a, allow("sts:AssumeRole", "*"))
	session := must(assumeRole(t, operator, theirs))(t)
	must(server.as(sessionCredentials(session.Credentials)).lambda.GetFunctionConfiguration(t.Context(),
		&lambda.GetFunctionConfigurationInput{FunctionName: f.FunctionArn}))(t)
	_, err = user.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: f.FunctionArn})
	check(t, err, lambdaDenied(arn, "lambda:GetFunctionConfiguration", *f.FunctionArn, "resource-based policy"))

	// IAM's operations name users by name only, which is that of the caller's account.
	_, err = user.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(role[strings.LastIndex(role, "/")+1:])})
	if code(err) != "NoSuchEntity" {
		t.Errorf("got %v", err)
	}
	managed := must(b.iam.CreatePolicy(t.Context(), &iam.CreatePolicyInput{
		PolicyName: aws.String(unique("policy")), PolicyDocument: document(allow("s3:*", "*")),
	}))(t).Policy.Arn
	_, err = user.iam.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: managed})
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(arn, "iam:GetPolicy", byName(*managed), "resource-based policy")})
}
