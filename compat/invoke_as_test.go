package compat

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// invoked is what `licet invoke-as --json` prints.
type invoked struct {
	RequestID      string `json:"request_id"`
	InvocationType string `json:"invocation_type"`
	Status         int
	Denied         bool
	Code, Message  string
	Payload        string
}

// invokeAs runs the binary. err is its exit status.
func (l *licet) invokeAs(t *testing.T, service string, f function, args ...string) (invoked, error) {
	t.Helper()
	args = append([]string{"invoke-as", service, "--json", "--function", f.arn, "--payload", `{"n":1}`}, args...)
	out, err := l.command(t, l.root, l.binary, args...)
	var r invoked
	if jsonErr := json.Unmarshal([]byte(out), &r); jsonErr != nil {
		t.Fatalf("%v, %v in %q", err, jsonErr, out)
	}
	return r, err
}

// A service gets in by the function's policy and for the source that it names, and nothing runs otherwise.
func TestInvokeAs(t *testing.T) {
	t.Parallel()
	f, root := server.newFunction(t, echo), server.as(server.root)
	const bucket, principal = "arn:aws:s3:::photos", "s3.amazonaws.com"
	right := []string{"--source-arn", bucket, "--source-account", account, "--sync"}
	refused := func(args ...string) invoked {
		t.Helper()
		r, err := server.invokeAs(t, principal, f, args...)
		if err == nil || !strings.Contains(err.Error(), "licet explain "+r.RequestID) {
			t.Errorf("%v: got error %v, want the command that explains", args, err)
		}
		if !r.Denied || r.Status != 403 || r.Code != "AccessDeniedException" || r.Payload != "" {
			t.Errorf("%v: got %+v, want a denial", args, r)
		}
		return r
	}
	denied := refused(right...)
	e := server.explain(t, denied.RequestID)
	if e.Record.Allowed || e.Record.Caller.ARN != principal || e.Record.Operation != "Invoke" || len(e.Decisions) != 1 ||
		e.Decisions[0].Message != denied.Message || e.Decisions[0].Fix == nil || !e.Decisions[0].Fix.Verified ||
		len(e.Decisions[0].Fix.Changes) != 1 || !strings.Contains(e.Decisions[0].Fix.Changes[0].Statement, principal) {
		t.Errorf("got %+v, want the refusal with its fix", e)
	}
	must(root.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: &f.name, StatementId: aws.String("s3"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String(principal),
		SourceArn: aws.String(bucket), SourceAccount: aws.String(account),
	}))(t)
	r, err := server.invokeAs(t, principal, f, right...)
	if err != nil || r.Status != 200 || r.Denied || r.InvocationType != "RequestResponse" || strings.ReplaceAll(r.Payload, " ", "") != `{"n":1}` {
		t.Errorf("allowed: got %+v, %v", r, err)
	}
	if r, err = server.invokeAs(t, principal, f, right[:4]...); err != nil || r.Status != 202 || r.InvocationType != "Event" {
		t.Errorf("as S3 does: got %+v, %v", r, err)
	}
	refused("--source-arn", bucket+"-2", "--source-account", account, "--sync")
	refused("--source-arn", bucket, "--source-account", "111122223333", "--sync")
	refused("--source-arn", bucket, "--sync") // the policy asks for the account
	if r, err = server.invokeAs(t, "sns.amazonaws.com", f, right...); err == nil || !r.Denied {
		t.Errorf("another service: got %+v, %v", r, err)
	}
	_, err = server.command(t, server.root, server.binary, append([]string{"invoke-as", "s3", "--function", f.name}, right...)...)
	if err == nil || !strings.Contains(err.Error(), "Did you mean s3.amazonaws.com?") {
		t.Errorf("no such service: got %v", err)
	}
	other := strings.Replace(f.arn, account, "111122223333", 1)
	_, err = server.command(t, server.root, server.binary, append([]string{"invoke-as", principal, "--function", other}, right...)...)
	if err == nil || !strings.Contains(err.Error(), "must be the name of a function of account "+account) {
		t.Errorf("a function of another account: got %v", err)
	}
}
