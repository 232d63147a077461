package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/licet/licet/internal/decisiontable"
)

// simulateFiles are policies that decide each in another way.
func simulateFiles() map[string]string {
	return map[string]string{
		"identity.json": `{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":"sqs:*","Resource":"*"},
  {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::photos","Condition":{"StringLike":{"s3:prefix":"in/*"}}},
  {"Effect":"Deny","Action":"sqs:PurgeQueue","Resource":"*"}]}`,
		"boundary.json": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:Send*","Resource":"*"}}`,
		"scp.json":      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"sqs:Receive*","Resource":"*"}}`,
		"queue.json": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},
			"Action":"sqs:ReceiveMessage","Resource":"*"}}`,
		"broken.json": `{"Statement":`,
		"stack.json": `{"Resources":{"Jobs":{"Type":"AWS::SQS::Queue","Properties":{"QueueName":"jobs"}},"Worker":{"Type":"AWS::IAM::Role","Properties":{
			"RoleName":"worker","AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
			"Principal":{"Service":"ec2.amazonaws.com"}}]},"Policies":[{"PolicyName":"p","PolicyDocument":{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":"sqs:SendMessage","Resource":{"Fn::GetAtt":["Jobs","Arn"]}}]}}]}}}}`,
	}
}

func TestPolicySimulate(t *testing.T) {
	const queue = "arn:aws:sqs:us-east-1:111122223333:jobs"
	out, status := runPolicy(t, simulateFiles(), "", "simulate", "--identity", "identity.json", "--as", "arn:aws:iam::111122223333:user/ann",
		"--action", "sqs:*ceiveMessage,sqs:PurgeQueue,s3:ListBucket", "--resource", queue, "--resource", "arn:aws:s3:::photos")
	wantRun(t, out, status, `A   arn:aws:sqs:us-east-1:111122223333:jobs
B   arn:aws:s3:::photos

arn:aws:iam::111122223333:user/ann  A              B
sqs:ReceiveMessage                  allow          -
sqs:PurgeQueue                      explicit deny  explicit deny
s3:ListBucket                       implicit deny  conditional
`, 0)
	for name, tt := range map[string]struct {
		args []string
		want string // action and outcome
	}{
		"a condition is met":         {[]string{"--action", "s3:ListBucket", "--resource", "arn:aws:s3:::photos", "--context", "s3:prefix=in/a"}, "s3:ListBucket allow"},
		"the boundary limits":        {[]string{"--boundary", "boundary.json", "--action", "sqs:SendMessage,sqs:ReceiveMessage"}, "sqs:SendMessage allow; sqs:ReceiveMessage implicit deny"},
		"the organization limits":    {[]string{"--scp", "scp.json", "--action", "sqs:SendMessage,sqs:ReceiveMessage"}, "sqs:SendMessage allow; sqs:ReceiveMessage implicit deny"},
		"the session limits":         {[]string{"--session", "boundary.json", "--action", "sqs:SendMessage,sqs:ReceiveMessage"}, "sqs:SendMessage allow; sqs:ReceiveMessage implicit deny"},
		"a policy of AWS":            {[]string{"--boundary", "arn:aws:iam::aws:policy/ReadOnlyAccess", "--action", "sqs:SendMessage"}, "sqs:SendMessage implicit deny"},
		"a pattern, and its actions": {[]string{"--action", "sqs:*MessageMoveTask"}, "sqs:CancelMessageMoveTask allow; sqs:StartMessageMoveTask allow"},
	} {
		args := append([]string{"simulate", "--identity", "identity.json", "--json"}, tt.args...)
		if got := outcomes(t, args...); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	// Without policies of its own, the user is let in by the queue's.
	got := outcomes(t, "simulate", "--json", "--resource-policy", "queue.json", "--as", "arn:aws:iam::111122223333:user/ann,arn:aws:iam::111122223333:user/bob",
		"--action", "sqs:ReceiveMessage", "--resource", queue)
	if want := "sqs:ReceiveMessage allow; sqs:ReceiveMessage implicit deny"; got != want {
		t.Errorf("resource policy: got %q, want %q", got, want)
	}
}

// A pattern names the actions that an object has, and none of its bucket.
func TestPolicySimulateObject(t *testing.T) {
	runPolicy(t, map[string]string{"all.json": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`}, "", "lint", "all.json")
	got := outcomes(t, "simulate", "--json", "--identity", "all.json", "--action", "s3:GetObjectT*,s3:GetBucketT*,s3:ListBucket*", "--resource", "arn:aws:s3:::photos/a.png")
	if want := "s3:GetObjectTagging allow; s3:GetObjectTorrent allow"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// outcomes runs licet policy simulate --json in the directory that there is.
func outcomes(t *testing.T, args ...string) string {
	t.Helper()
	out, status := runPolicy(t, nil, "", args...)
	var cells []decisiontable.Cell
	if err := json.Unmarshal([]byte(out), &cells); err != nil || status != 0 {
		t.Fatalf("%v: status %d, %v\n%s", args, status, err, out)
	}
	var list []string
	for _, c := range cells {
		if c.Explanation != nil {
			t.Error("an explanation that nobody asked for")
		}
		list = append(list, c.Action+" "+string(c.Outcome))
	}
	return strings.Join(list, "; ")
}

// What a template declares is the table.
func TestPolicySimulateTemplate(t *testing.T) {
	out, status := runPolicy(t, simulateFiles(), "", "simulate", "--from", "stack.json", "--action", "sqs:SendMessage,sqs:ReceiveMessage", "--csv")
	want := []string{
		"principal,action,resource,outcome,by,reason",
		"Worker,sqs:SendMessage,arn:aws:sqs:us-east-1:123456789012:jobs,allow,identity-based,",
		"Worker,sqs:ReceiveMessage,arn:aws:sqs:us-east-1:123456789012:jobs,implicit deny,identity-based,",
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 0 || len(lines) != len(want) {
		t.Fatalf("status %d\n%s", status, out)
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("got %s, want %s", lines[i], want[i])
		}
	}
	out, status = runPolicy(t, nil, "", "simulate", "--identity", "identity.json", "--action", "sqs:PurgeQueue", "--explain")
	if status != 0 || !strings.Contains(out, "DENIED: ") || !strings.Contains(out, "identity.json 4:13 decides") {
		t.Errorf("status %d\n%s", status, out)
	}
}

func TestPolicySimulateErrors(t *testing.T) {
	runPolicy(t, simulateFiles(), "", "lint", "queue.json")
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no action":         {nil, "--action says what is asked"},
		"unknown action":    {[]string{"--action", "sqs:SendMesage"}, "did you mean sqs:SendMessage?"},
		"unlike any":        {[]string{"--action", "sqs:Fetch*"}, `no action of AWS is like "sqs:Fetch*"`},
		"broken policy":     {[]string{"--action", "sqs:SendMessage", "--identity", "broken.json"}, "broken.json: line 1, column 14"},
		"no policy":         {[]string{"--action", "sqs:SendMessage", "--identity", "none.json"}, "no such file"},
		"no managed policy": {[]string{"--action", "sqs:SendMessage", "--scp", "arn:aws:iam::aws:policy/None"}, "AWS has no managed policy"},
		"no template":       {[]string{"--action", "sqs:SendMessage", "--from", "queue.json"}, "is not a template or plan"},
		"template's own":    {[]string{"--action", "sqs:SendMessage", "--from", "stack.json", "--identity", "queue.json"}, "their own policies"},
		"no owner":          {[]string{"--action", "sqs:SendMessage", "--resource-policy", "queue.json"}, "--resource-policy wants --resource"},
		"nothing fits":      {[]string{"--action", "sqs:Send*", "--resource", "arn:aws:s3:::b"}, "none of the actions takes one of the resources"},
		"no principal":      {[]string{"--action", "sqs:SendMessage", "--as", "ann"}, `there is no principal "ann"`},
		"no resource":       {[]string{"--action", "sqs:SendMessage", "--resource", "jobs"}, `there is no resource "jobs"`},
		"context":           {[]string{"--action", "sqs:SendMessage", "--context", "a"}, "--context must be key=value"},
		"both outputs":      {[]string{"--action", "sqs:SendMessage", "--csv", "--json"}, "--csv goes with neither"},
		"server's own":      {[]string{"--action", "sqs:SendMessage", "--server", "--scp", "queue.json"}, "it goes with none"},
		"server's nobody":   {[]string{"--action", "sqs:SendMessage", "--server"}, "--server wants --as"},
		"too many":          {[]string{"--action", "*", "--as", strings.TrimSuffix(strings.Repeat("s3.amazonaws.com,", 10), ",")}, "more than 100000 cells"},
	} {
		out, status := runPolicy(t, nil, "", append([]string{"simulate"}, tt.args...)...)
		if status != 2 || !strings.Contains(out, tt.want) {
			t.Errorf("%s: status %d, want %q\n%s", name, status, tt.want, out)
		}
	}
}
