package compat

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// TestRecordAndGenerate is the whole story: a function lacks permissions, is recorded, gets the least policy, and works.
func TestRecordAndGenerate(t *testing.T) {
	t.Parallel()
	root, ctx := server.as(server.root), t.Context()
	from, to := server.newQueue(t, "VisibilityTimeout", "0"), server.newQueue(t)
	// What it has is broader than it needs, and partly for nothing.
	r := server.newRole(t, trustLambda, `{"Sid":"Wide","Effect":"Allow","Action":["sqs:Receive*","sqs:PurgeQueue"],"Resource":"*"}`)
	f := server.newFunction(t, forwards, func(in *lambda.CreateFunctionInput) { in.Role, in.Timeout = &r.arn, aws.Int32(30) })
	event := fmt.Sprintf(`{"from":%q,"to":%q}`, from.url, to.url)
	run := func(want string) {
		t.Helper()
		check(t, root.send(t, from, "a"), failure{})
		if got := must(root.invoke(t, f.name, event))(t); got != want && !(strings.HasSuffix(want, "…") && strings.HasPrefix(got, strings.TrimSuffix(want, "…"))) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	licet := func(args ...string) (string, error) { return server.command(t, server.root, server.binary, args...) }
	run(`"AccessDenied: User: …`)

	if out := must(licet("record", "start", "--role", r.name))(t); !strings.Contains(out, "RECORDING "+r.arn) {
		t.Errorf("got %s", out)
	}
	run("2") // with the one that was left behind
	if out := must(licet("record", "stop", "--role", r.arn))(t); strings.Contains(out, r.arn) {
		t.Errorf("got %s", out)
	}
	run(`"AccessDenied: User: …`)

	// What is missing is an error, as CI wants it.
	out, err := licet("generate-policy", "--role", r.name, "--check")
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("got %v, want exit status 1", err)
	}
	for _, want := range []string{
		"missing  sqs:SendMessage on " + to.arn, "missing  sqs:DeleteMessage on " + from.arn, "unused   Action sqs:PurgeQueue  in " + r.name + "/inline/own",
		"broad    Action sqs:Receive*", "needed: sqs:ReceiveMessage", "broad    Resource *", "needed: " + from.arn,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("got no %q in\n%s", want, out)
		}
	}
	least := must(licet("generate-policy", "--role", r.name, "--since", "1h", "--generalize", "exact"))(t)
	var doc struct {
		Statement []struct {
			Action, Resource any
			Condition        any
		}
	}
	if err := json.Unmarshal([]byte(least), &doc); err != nil {
		t.Fatalf("%v in %s", err, least)
	}
	for _, want := range []string{`"sqs:ReceiveMessage"`, `"sqs:DeleteMessage"`, `"sqs:SendMessage"`, `"` + to.arn + `"`, `"` + from.arn + `"`} {
		if strings.Count(least, want) != 1 {
			t.Errorf("got %s, want %s once", least, want)
		}
	}
	if strings.Contains(least, `"*"`) || strings.Contains(least, "Purge") || strings.Contains(least, "Version\": \"2008") {
		t.Errorf("got %s", least)
	}
	must(root.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &r.name, PolicyName: aws.String("own"), PolicyDocument: &least}))(t)
	run("2")
	if out := must(licet("generate-policy", "--role", r.name, "--check"))(t); strings.Contains(out, "missing") || strings.Contains(out, "broad") {
		t.Errorf("after all: got %s", out)
	}
	wide := must(licet("generate-policy", "--role", r.arn, "--generalize", "wildcard"))(t)
	if !strings.Contains(wide, `"arn:aws:sqs:us-east-1:`+account+`:*"`) || strings.Contains(wide, from.arn) {
		t.Errorf("got %s", wide)
	}
}

// Only the root switches recordings, and only on the server's own machine; everybody else is refused as ever.
func TestRecordRefuses(t *testing.T) {
	t.Parallel()
	r, p := server.newRole(t, trustLambda), server.newUser(t, allow("*", "*"))
	for _, tt := range []struct {
		name   string
		caller aws.Credentials
		args   []string
		want   string
	}{
		{"a user", p.credentials, []string{"record", "start"}, "Only the root"},
		{"a user, generate", p.credentials, []string{"generate-policy", "--role", r.name}, "Only the root"},
		{"no such role", server.root, []string{"record", "start", "--role", "none"}, "There is no role none"},
		{"a user for a role", server.root, []string{"record", "start", "--role", p.arn}, "role must be the name of a role"},
		{"another account's role", server.root, []string{"record", "start", "--role", "arn:aws:iam::999999999999:role/r"}, "The principal must be"},
		{"nothing seen", server.root, []string{"generate-policy", "--role", r.name}, "has no calls of " + r.arn},
		{"how", server.root, []string{"generate-policy", "--role", r.name, "--generalize", "all"}, "generalize must be"},
		{"no role", server.root, []string{"generate-policy"}, "--role is missing"},
	} {
		out, err := server.command(t, tt.caller, server.binary, tt.args...)
		if err == nil || !strings.Contains(err.Error(), tt.want) || out != "" {
			t.Errorf("%s: got %q, %v, want an error with %q", tt.name, out, err, tt.want)
		}
	}
	resp := must(http.Post(server.url+"/_licet/record", "", nil))(t)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("unsigned: got %s", resp.Status)
	}
}

// A recording of an account ends at the account: what another's policies deny stays denied, and its own calls are marked.
func TestRecordAccount(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	other := l.newAccount(t)
	arn, stranger := l.userOf(t, other, allow("s3:*", "*"))
	q, p := l.newQueue(t), l.newUser(t)
	out, err := exec.Command(l.binary, "record", "start", "--data", l.data, "--account", other.id).Output()
	if err != nil || !strings.Contains(string(out), "RECORDING all principals of account "+other.id) {
		t.Fatalf("got %s, %v", out, err)
	}
	check(t, stranger.send(t, q, "x"), sqsDenied(arn, "sqs:sendmessage", q.arn, "resource-based policy"))
	if _, err := stranger.sqs.ListQueues(t.Context(), nil); err != nil {
		t.Errorf("its own account: got %v", err)
	}
	if err := p.send(t, q, "x"); err == nil {
		t.Error("the other account's recording let a call of this one through")
	}
	l.end(t)
	l.start(t)
	if out := l.licet(t, "record", "status", "--account", other.id); !strings.HasPrefix(out, "Nothing is recorded") {
		t.Errorf("after a start: got %s", out)
	}
}
