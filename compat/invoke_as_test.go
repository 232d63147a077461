package compat

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/licet/licet/internal/sampleevent"
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
	args = append([]string{"invoke-as", service, "--json", "--function", f.arn}, args...)
	if !slices.Contains(args, "--sample") && !slices.Contains(args, "--payload") {
		args = append(args, "--payload", `{"n":1}`)
	}
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

// For every service that invokes by resource-based policies, with an event as it sends it: without a permission nothing runs, and the refusal is
// in the decision log with its smallest fix; with it the function runs; for another source or account it does not.
func TestInvokeAsEveryService(t *testing.T) {
	t.Parallel()
	f, root := server.newFunction(t, echo), server.as(server.root)
	for _, e := range sampleevent.All() {
		if e.Principal == "" {
			continue
		}
		t.Run(e.Name, func(t *testing.T) {
			source := e.ARN(sampleevent.Values{Account: account, Region: "us-east-1", Partition: "aws"})
			if source == "" {
				source = "arn:aws:example:us-east-1:" + account + ":" + strings.ReplaceAll(e.Name, "/", "-")
			}
			source += "-" + strings.ReplaceAll(e.Name, "/", "-") // its own: services share the function
			right := []string{"--source-arn", source, "--source-account", account, "--sync", "--sample", e.Name}
			denied, err := server.invokeAs(t, e.Principal, f, right...)
			if err == nil || !denied.Denied || denied.Status != 403 || denied.Payload != "" {
				t.Fatalf("without a permission: got %+v, %v", denied, err)
			}
			x := server.explain(t, denied.RequestID)
			if len(x.Decisions) != 1 || x.Decisions[0].Fix == nil || !x.Decisions[0].Fix.Verified || len(x.Decisions[0].Fix.Changes) != 1 {
				t.Fatalf("got %+v, want the refusal with its fix", x)
			}
			fix := x.Decisions[0].Fix.Changes[0].Statement
			for _, want := range []string{`"Service":"` + e.Principal + `"`, `"aws:SourceArn":"` + source + `"`, `"aws:SourceAccount":"` + account + `"`} {
				if !strings.Contains(fix, want) {
					t.Errorf("the fix %s lacks %s", fix, want)
				}
			}
			must(root.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
				FunctionName: &f.name, StatementId: aws.String(strings.ReplaceAll(e.Name, "/", "-")), Action: aws.String("lambda:InvokeFunction"),
				Principal: &e.Principal, SourceArn: &source, SourceAccount: aws.String(account),
			}))(t)
			allowed, err := server.invokeAs(t, e.Principal, f, right...)
			if err != nil || allowed.Status != 200 || !sameJSON(allowed.Payload, string(e.JSON(sampleevent.Values{Account: account, SourceARN: source}))) {
				t.Errorf("with it: got %+v, %v", allowed, err)
			}
			for _, wrong := range [][]string{
				{"--source-arn", source + "-2", "--source-account", account, "--sync"},
				{"--source-arn", source, "--source-account", "111122223333", "--sync"},
			} {
				if r, err := server.invokeAs(t, e.Principal, f, wrong...); err == nil || !r.Denied {
					t.Errorf("%q: got %+v, %v", wrong, r, err)
				}
			}
		})
	}
}

// The organization of the source, an alias, and an event from a file.
func TestInvokeAsMore(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	root := l.as(l.root)
	f := l.newFunction(t, echo)
	v := must(root.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: &f.name}))(t)
	must(root.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: &f.name, Name: aws.String("live"), FunctionVersion: v.Version}))(t)
	org := must(organizations.NewFromConfig(l.config(l.root)).CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{}))(t)
	must(root.lambda.PutResourcePolicy(t.Context(), &lambda.PutResourcePolicyInput{
		ResourceArn: aws.String(f.arn + ":live"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},` +
			`"Action":"lambda:InvokeFunction","Resource":"` + f.arn + `:live","Condition":{"StringEquals":{"aws:SourceOrgID":"` + *org.Organization.Id + `"}}}]}`),
	}))(t)
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"from":"a file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	right := []string{"--source-arn", "arn:aws:s3:::photos", "--source-org-id", *org.Organization.Id, "--qualifier", "live", "--sync", "--payload", "@" + event}
	if r, err := l.invokeAs(t, "s3.amazonaws.com", f, right...); err != nil || !sameJSON(r.Payload, `{"from":"a file"}`) {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, wrong := range [][]string{
		{"--source-arn", "arn:aws:s3:::photos", "--source-org-id", "o-0000000000", "--qualifier", "live", "--sync"},
		{"--source-arn", "arn:aws:s3:::photos", "--qualifier", "live", "--sync"},
		{"--source-arn", "arn:aws:s3:::photos", "--source-org-id", *org.Organization.Id, "--sync"}, // the function's own policy is another
	} {
		if r, err := l.invokeAs(t, "s3.amazonaws.com", f, wrong...); err == nil || !r.Denied {
			t.Errorf("%q: got %+v, %v", wrong, r, err)
		}
	}
	if _, err := l.command(t, l.root, l.binary, "invoke-as", "sns.amazonaws.com", "--function", f.arn, "--source-arn", "a", "--sample", "s3/put"); err == nil ||
		!strings.Contains(err.Error(), "is of s3.amazonaws.com") {
		t.Errorf("an event of another service: got %v", err)
	}
	out := must(l.command(t, l.root, l.binary, "events", "show", "sqs", "--source-arn", "arn:aws:sqs:eu-west-1:"+account+":q"))(t)
	if !strings.Contains(out, `"eventSourceARN": "arn:aws:sqs:eu-west-1:`+account+`:q"`) {
		t.Errorf("got %s", out)
	}
	if out = must(l.command(t, l.root, l.binary, "events", "list"))(t); strings.Count(out, "\n") != len(sampleevent.All())+1 {
		t.Errorf("got %s", out)
	}
}
