package main

import (
	"embed"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"strings"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

// testdata holds policies, and beside each x.json the same rules in Cedar's language: x.cedar, translated by hand.
//
//go:embed testdata
var testdata embed.FS

// question is one decision to be measured.
type question struct {
	name     string
	request  authz.Request
	policies authz.Policies
	// call, when set, is what the request's context is made from within the measured time. Otherwise the context is ready.
	call *service.Call
	// cedar asks the same in Cedar's language; nil where that cannot say it.
	cedar *cedarQuestion
	// allowed is the right answer. An evaluator that gives another is not measured: it is an error.
	allowed bool
	// target is for our evaluator: time and allocations of a decision.
	target string
}

// analystCall is an s3:GetObject of a role session over HTTPS, as the dispatcher sees it once the operation is decoded. Its context
// has 19 keys.
func analystCall() *service.Call {
	return &service.Call{
		RequestID: "3d1c6a5e-6f0e-4b59-9d0a-2f6f2c4f9b11",
		Time:      time.Date(2026, time.September, 15, 10, 30, 0, 0, time.UTC),
		Account:   "111122223333", Region: "eu-central-1", Partition: "aws", Service: "s3", Operation: "GetObject",
		SourceIP: netip.MustParseAddr("10.24.8.77"), SecureTransport: true,
		UserAgent: "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.7",
		Caller: principal.Caller{
			Principal: authz.Principal{
				Kind: authz.AssumedRole, Account: "111122223333", ID: "AROAC0MPANYSFINANCE01", SessionName: "mary.major",
				ARN:       "arn:aws:sts::111122223333:assumed-role/finance-analyst/mary.major",
				IssuerARN: "arn:aws:iam::111122223333:role/teams/finance-analyst",
			},
			AccessKeyID: "ASIAC0MPANYSFINANCE0",
			Tags:        principal.NewTags(map[string]string{"team": "finance", "stage": "prod", "cost-center": "4711"}),
			Session: &principal.Session{
				MFA: true, IssuedAt: time.Date(2026, time.September, 15, 9, 58, 12, 0, time.UTC), SourceIdentity: "mary.major",
			},
		},
	}
}

// requestOf is the analyst's request for an action on a resource, with its context.
func requestOf(c *service.Call, action, resource string) authz.Request {
	return authz.Request{
		Principal: c.Caller.Principal, Action: action, Resource: resource, ResourceAccount: c.Account, Context: dispatch.GlobalKeys(c),
	}
}

// company is the question of the identity policies in testdata/company: ten, of five statements each, of four conditions each.
//
// All 50 statements are Allow; the Action and the Resource of each match, by an exact name or by a pattern, alone or in a list. The
// four conditions of a statement have four different operators of these: StringEquals on a tag of the principal, IpAddress, Bool,
// DateGreaterThan or NumericLessThan, StringLike. In 49 statements three hold and one fails, in every position and with every
// operator; in the last statement of the last policy all four hold. No statement is like another: names, patterns, ranges and
// values differ, and which elements are combined in which order.
//
// An evaluator that reads statements in order must therefore come to the last, and one that sorts them out by action or by a prefix
// of the resource sorts out few. There is no Deny: having read the last Allow, an evaluator has read everything.
func company() (*question, error) {
	identity, err := documents("testdata/company", policy.Identity)
	if err != nil {
		return nil, err
	}
	call := analystCall()
	q := &question{
		name:     fmt.Sprintf("%d policies x 5 statements x 4 conditions", len(identity)),
		request:  requestOf(call, "s3:GetObject", "arn:aws:s3:::acme-lake-eu-central-1/finance/reports/2026/q3/summary.parquet"),
		policies: authz.Policies{Identity: identity},
		allowed:  true,
		target:   "1 µs, 0",
	}
	q.cedar, err = cedarFiles(call, q.request, "testdata/company/*.cedar")
	return q, err
}

// fromCall is the same question, asked by one who has the decoded call only and must make the context first.
func fromCall(q *question) *question {
	from := *q
	from.name, from.target, from.call = "the same, with building the context", "2.5 µs, 4", analystCall()
	return &from
}

// invoke is a typical lambda:InvokeFunction: a role session with three AWS managed policies calls a function of its own account,
// whose policy lets S3 and another account call it, too. AWSLambda_FullAccess decides; the function's policy says nothing about
// this caller.
func invoke() (*question, error) {
	data, err := awsdata.Load()
	if err != nil {
		return nil, err
	}
	var identity []authz.Policy
	for _, name := range []string{"service-role/AWSLambdaBasicExecutionRole", "AWSLambda_FullAccess", "AmazonS3ReadOnlyAccess"} {
		managed, ok := data.ManagedPolicy("arn:aws:iam::aws:policy/" + name)
		if !ok {
			return nil, fmt.Errorf("no managed policy %s", name)
		}
		p, err := document(managed.Name, []byte(managed.Document()), policy.Identity)
		if err != nil {
			return nil, err
		}
		p.ARN = managed.ARN
		identity = append(identity, p)
	}
	resource, err := documents("testdata/invoke", policy.Resource)
	if err != nil {
		return nil, err
	}
	call := analystCall()
	q := &question{
		name:     "lambda:InvokeFunction, 3 managed policies",
		request:  requestOf(call, "lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:111122223333:function:resize"),
		policies: authz.Policies{Identity: identity, Resource: &resource[0]},
		allowed:  true,
		target:   "0.5 µs, 0",
	}
	q.cedar, err = cedarFiles(call, q.request, "testdata/invoke/*.cedar")
	return q, err
}

// documents reads the policies of a folder, in the order of their names.
func documents(dir string, k policy.Kind) ([]authz.Policy, error) {
	files, err := fs.Glob(testdata, dir+"/*.json")
	if err != nil {
		return nil, err
	}
	var policies []authz.Policy
	for _, file := range files {
		text, err := testdata.ReadFile(file)
		if err != nil {
			return nil, err
		}
		p, err := document(strings.TrimSuffix(path.Base(file), ".json"), text, k)
		if err != nil {
			return nil, err
		}
		policies = append(policies, p)
	}
	return policies, nil
}

// document parses a policy that AWS would have to take: it is valid and not too large.
func document(name string, text []byte, k policy.Kind) (authz.Policy, error) {
	d, problem := policy.Problem(text, k)
	if problem != "" {
		return authz.Policy{}, fmt.Errorf("policy %s: %s", name, problem)
	}
	if n := policy.Size(text, k); n > maxSize {
		return authz.Policy{}, fmt.Errorf("policy %s has %d characters, more than %d", name, n, maxSize)
	}
	return authz.Policy{Name: name, Document: d}, nil
}

// maxSize is the quota of a managed policy, in characters that are not white space
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
const maxSize = 6144
