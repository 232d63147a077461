package compat

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// suppose asks the binary what would be decided.
func (l *licet) suppose(t *testing.T, as, action, resource string, context ...string) explanation {
	t.Helper()
	args := []string{"explain", "--json", "--as", as, "--action", action, "--resource", resource}
	for _, c := range context {
		args = append(args, "--context", c)
	}
	out, err := l.command(t, l.root, l.binary, args...)
	if err != nil {
		t.Fatal(err)
	}
	var e explanation
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return e
}

// What is supposed is what happens, with every policy that there is, and nothing happens by supposing.
func TestSupposeIsWhatHappens(t *testing.T) {
	t.Parallel()
	f, q := server.newFunction(t, echo), server.newQueue(t)
	p := server.newUser(t, allow("lambda:GetFunction", "*", `{"StringEquals":{"aws:PrincipalTag/team":"red"}}`))
	for range 2 { // at first nobody allows it, then the queue does
		err := p.send(t, q, "hello")
		e := server.suppose(t, p.arn, "sqs:SendMessage", q.arn)
		if e.Decisions[0].Decision.Allowed != (err == nil) || e.Record.Allowed != (err == nil) {
			t.Errorf("supposed %v, got %v", e.Decisions[0].Decision.Allowed, err)
		}
		_, err = server.as(server.root).sqs.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: &q.url, Attributes: map[string]string{"Policy": *document(
				`{"Effect":"Allow","Principal":{"AWS":"` + p.arn + `"},"Action":"sqs:SendMessage","Resource":"*"}`)},
		})
		check(t, err, failure{})
	}
	denied := failureOf(p.getFunction(t, f.name))
	if got := server.suppose(t, p.arn, "lambda:GetFunction", f.arn).Decisions[0]; got.Decision.Allowed || got.Message != denied.Message {
		t.Errorf("got %+v, want the denial %q", got, denied.Message)
	}
	if got := server.suppose(t, p.arn, "lambda:GetFunction", f.arn, "aws:PrincipalTag/team=red"); !got.Record.Allowed {
		t.Errorf("with the tag: got %s", got.Text)
	}
	var log []any
	out := must(server.command(t, server.root, server.binary, "explain", "--last", "--json", "--principal", p.arn))(t)
	if err := json.Unmarshal([]byte(out), &log); err != nil || len(log) != 1 || !strings.Contains(out, `"operation": "GetFunction"`) {
		t.Errorf("got %v, %s, want the last call that was made", err, out)
	}
}

// Services, sessions and the root are principals, too.
func TestSupposePrincipals(t *testing.T) {
	t.Parallel()
	r := server.newRole(t, trustLambda, allow("sqs:SendMessage", "*"))
	queueARN := "arn:aws:sqs:us-east-1:" + account + ":none"
	for _, tt := range []struct {
		as, action, resource string
		want                 bool
	}{
		{"lambda.amazonaws.com", "sts:AssumeRole", r.arn, true},
		{"ec2.amazonaws.com", "sts:AssumeRole", r.arn, false},
		{"arn:aws:iam::" + account + ":root", "sqs:DeleteQueue", queueARN, true},
		{r.arn, "sqs:SendMessage", queueARN, true},
		{r.arn, "sqs:DeleteQueue", queueARN, false},
		{"arn:aws:sts::" + account + ":assumed-role/" + r.name + "/me", "sqs:SendMessage", queueARN, true},
	} {
		if e := server.suppose(t, tt.as, tt.action, tt.resource); e.Record.Allowed != tt.want {
			t.Errorf("%s %s: got allowed %v\n%s", tt.as, tt.action, e.Record.Allowed, e.Text)
		}
	}
}

// An account learns nothing of another's policies that its calls would not tell.
func TestSupposeKeepsSecrets(t *testing.T) {
	t.Parallel()
	other := server.newAccount(t)
	p := server.newUser(t, allow("sts:AssumeRole", "*"))
	name := unique("role")
	role := must(other.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: document(
		`{"Sid":"Hidden","Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}`),
	}))(t).Role
	out := must(server.command(t, server.root, server.binary, "explain", "--json", "--as", p.arn, "--action", "sts:AssumeRole", "--resource", *role.Arn))(t)
	if strings.Contains(out, "Hidden") || strings.Contains(out, "secret") || strings.Contains(out, "ExternalId") || !strings.Contains(out, `"allowed": false`) {
		t.Errorf("got %s", out)
	}
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"Context keys cannot be made up for resources of other accounts",
			[]string{"--as", p.arn, "--action", "sts:AssumeRole", "--resource", *role.Arn, "--context", "sts:ExternalId=secret"}},
		{"What services may do in other accounts", []string{"--as", "lambda.amazonaws.com", "--action", "sts:AssumeRole", "--resource", *role.Arn}},
		{"The principal must be", []string{"--as", *role.Arn, "--action", "sqs:ListQueues"}},
		{"There is no principal", []string{"--as", p.arn + "x", "--action", "sqs:ListQueues"}},
		{"AWS has no action sqs:Nothing", []string{"--as", p.arn, "--action", "sqs:Nothing"}},
		{"The resource must be an ARN", []string{"--as", p.arn, "--action", "sqs:SendMessage", "--resource", "q"}},
		{"context must be of the form", []string{"--as", p.arn, "--action", "sqs:ListQueues", "--context", "x"}},
		{"--as wants --action", []string{"--as", p.arn}},
		{"--context goes with --as", []string{"--last", "--context", "a=b"}},
	} {
		out, err := server.command(t, server.root, server.binary, append([]string{"explain"}, tt.args...)...)
		if err == nil || !strings.Contains(err.Error(), tt.want) || out != "" {
			t.Errorf("%v: got %q, %v, want an error with %q", tt.args, out, err, tt.want)
		}
	}
	if _, err := server.command(t, p.credentials, server.binary, "explain", "--as", p.arn, "--action", "sqs:ListQueues"); err == nil ||
		!strings.Contains(err.Error(), "Only the root") {
		t.Errorf("a user: got %v", err)
	}
}

// The list of denials has one entry for each permission that is missing, and each denial names the command that explains it.
func TestExplainDenied(t *testing.T) {
	t.Parallel()
	q, p := server.newQueue(t), server.newUser(t)
	for range 3 {
		if err := p.send(t, q, "x"); err == nil {
			t.Fatal("a user without policies was let through")
		}
	}
	_, err := p.lambda.ListFunctions(t.Context(), nil)
	id := requestID(t, err)
	list := []string{"explain", "--denied", "--since", "1h", "--principal", p.arn}
	out := must(server.command(t, server.root, server.binary, list...))(t)
	first, last := strings.Index(out, "sqs:SendMessage  3 times"), strings.Index(out, "lambda:ListFunctions\n")
	if first < 0 || last < first || !strings.HasSuffix(out, "licet explain "+id+"\n") || strings.Contains(out, "\x1b") {
		t.Errorf("got %s", out)
	}
	out = must(server.command(t, server.root, server.binary, append(list, "--action", "lambda:*")...))(t)
	if strings.Contains(out, "sqs:") || !strings.Contains(out, "lambda:ListFunctions") {
		t.Errorf("got %s", out)
	}
	if out := must(server.command(t, server.root, server.binary, append(list, "--resource", "none")...))(t); !strings.HasPrefix(out, "Nothing was denied.") {
		t.Errorf("got %s", out)
	}
	cli, err := server.command(t, p.credentials, "/usr/bin/aws", "--endpoint-url", server.url, "lambda", "list-functions", "--debug")
	if err == nil || !strings.Contains(strings.ToLower(err.Error()), "x-licet-explain': 'licet explain ") {
		t.Errorf("got %s, %v, want the header", cli, err)
	}
}

// Buckets' ARNs do not tell whose they are; their policies are consulted, and those of other accounts are as secret as any.
func TestSupposeBuckets(t *testing.T) {
	t.Parallel()
	p, other := server.newUser(t, allow("s3:*", "*")), server.newAccount(t)
	for _, mine := range []bool{true, false} {
		c := server.s3Of(other.credentials)
		if mine {
			c = server.s3Of(server.root)
		}
		name := newBucket(t, c)
		must(c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: document(
			`{"Sid":"Hidden","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + name + `/secret/*"}`)}))(t)
		resource := "arn:aws:s3:::" + name + "/secret/1"
		ask := []string{"explain", "--json", "--as", p.arn, "--action", "s3:GetObject", "--resource", resource}
		out := must(server.command(t, server.root, server.binary, ask...))(t)
		if !strings.Contains(out, `"allowed": false`) || strings.Contains(out, "Hidden") != mine {
			t.Errorf("own %v: got %s", mine, out)
		}
		_, err := server.command(t, server.root, server.binary, append(ask, "--context", "aws:SourceVpc=x")...)
		if (err == nil) != mine {
			t.Errorf("own %v, with a key: got %v", mine, err)
		}
		ask[3] = "lambda.amazonaws.com"
		if _, err := server.command(t, server.root, server.binary, ask...); (err == nil) != mine {
			t.Errorf("own %v, by a service: got %v", mine, err)
		}
	}
}
