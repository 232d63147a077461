package landscape

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/authz"
)

const account = "111122223333"

func parsed(t *testing.T, name, text string) Policy {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(strings.NewReplacer("<", string(openMark), ">", string(closeMark)).Replace(text)), &tree); err != nil {
		t.Fatal(err)
	}
	p, err := NewPolicy(name, "", tree)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func statement(text string) string { return `{"Version":"2012-10-17","Statement":[` + text + `]}` }

// sample has a role with the policies, and a function that runs with it.
func sample(t *testing.T, policies ...string) *Landscape {
	t.Helper()
	role := &Principal{
		Kind: authz.AssumedRole, ARN: "arn:aws:iam::" + account + ":role/path/worker", Names: []string{"worker", "WorkerRole"},
		Tags: map[string]string{"team": "blue"},
	}
	for _, text := range policies {
		role.Policies = append(role.Policies, parsed(t, "worker/own", statement(text)))
	}
	trust := parsed(t, "trust", statement(`{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`))
	role.Trust = &trust
	invoke := parsed(t, "policy of Work", statement(`{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",`+
		`"Resource":"arn:aws:lambda:eu-west-1:`+account+`:function:work","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::photos"}}}`))
	guard := parsed(t, "policy of Guarded", statement(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/admin"}}}`))
	shared := parsed(t, "policy of Table", statement(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/u"},"Action":"dynamodb:Query",`+
		`"Resource":"arn:aws:dynamodb:eu-west-1:`+account+`:table/t/index/*"}`))
	return &Landscape{
		Partition: "aws", Account: account, Region: "eu-west-1", Principals: []*Principal{
			role, {Kind: authz.AssumedRole, ARN: "arn:aws:iam::" + account + ":role/untrusting", Names: []string{"untrusting"}},
			{Kind: authz.User, ARN: "arn:aws:iam::" + account + ":user/robot.amazonaws.com", Names: []string{"robot.amazonaws.com"}, Policies: role.Policies},
		},
		Resources: []*Resource{
			{ARN: "arn:aws:s3:::photos", Names: []string{"photos", "Photos"}, Type: "AWS::S3::Bucket", Tags: map[string]string{"team": "blue"}},
			{ARN: "arn:aws:lambda:eu-west-1:" + account + ":function:work", Names: []string{"work", "Work", "aws_lambda_function.work"}, Role: role.ARN, Policy: &invoke},
			{ARN: "arn:aws:lambda:eu-west-1:" + account + ":function:work:live", Names: []string{"Live"}, Role: role.ARN},
			{ARN: "arn:aws:lambda:eu-west-1:" + account + ":function:imported", Names: []string{"Imported"}, Role: Unknown("an import")},
			{ARN: "arn:aws:s3:::guarded", Names: []string{"Guarded"}, Policy: &guard},
			{ARN: "arn:aws:kms:eu-west-1:" + account + ":key/own", Names: []string{"Key"}},
			{ARN: "arn:aws:dynamodb:eu-west-1:" + account + ":table/t", Names: []string{"Table"}, Policy: &shared},
		},
	}
}

// ask decides, and says "allowed", "denied" or "unsure".
func ask(t *testing.T, l *Landscape, c Call) string {
	t.Helper()
	a, err := l.Explain(c, time.Unix(1_800_000_000, 0))
	switch {
	case err != nil:
		t.Fatal(err)
	case a.Unsure != nil:
		return "unsure"
	case a.Decision.Allowed:
		return "allowed"
	}
	return "denied"
}

func TestExplain(t *testing.T) {
	const read = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}`
	var source, elsewhere authz.Context
	source.Set("aws:SourceArn", "arn:aws:s3:::photos")
	elsewhere.Set("aws:SourceArn", "arn:aws:s3:::others")
	var organizationID, unknownSource, otherTag authz.Context
	otherTag.Set("aws:ResourceTag/a", "c")
	organizationID.Set("aws:PrincipalOrgID", "o-1")
	unknownSource.Set("aws:SourceArn", "arn:aws:s3:::"+Unknown("the bucket"))
	for name, c := range map[string]struct {
		policy string
		call   Call
		want   string
	}{
		"allowed":        {read, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/in/a.png"}, "allowed"},
		"by its ARN":     {read, Call{Principal: "arn:aws:iam::" + account + ":role/path/worker", Action: "s3:GetObject", Resource: "arn:aws:s3:::photos/a"}, "allowed"},
		"function's":     {read, Call{Principal: "Work", Action: "s3:GetObject", Resource: "photos/a"}, "allowed"},
		"denied":         {read, Call{Principal: "worker", Action: "s3:PutObject", Resource: "Photos/in/a.png"}, "denied"},
		"other resource": {read, Call{Principal: "worker", Action: "s3:GetObject", Resource: "arn:aws:s3:::others/a"}, "denied"},
		"source function": {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"ArnEquals":{"lambda:SourceFunctionArn":"arn:aws:lambda:eu-west-1:` + account + `:function:work"}}}`,
			Call{Principal: "Work", Action: "s3:GetObject", Resource: "Photos/a"}, "allowed"},
		"not the function": {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"ArnEquals":{"lambda:SourceFunctionArn":"arn:aws:lambda:eu-west-1:` + account + `:function:work"}}}`,
			Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "denied"},
		"tags": {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}`,
			Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "allowed"},
		"session policy":  {read, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a", Session: []Policy{}}, "denied"},
		"name with a dot": {read, Call{Principal: "aws_lambda_function.work", Action: "s3:GetObject", Resource: "photos/a"}, "allowed"},
		"service":         {read, Call{Principal: "s3.amazonaws.com", Action: "lambda:InvokeFunction", Resource: "Work", Context: source}, "allowed"},
		"other bucket":    {read, Call{Principal: "s3.amazonaws.com", Action: "lambda:InvokeFunction", Resource: "Work", Context: elsewhere}, "denied"},
		"alias":           {read, Call{Principal: "s3.amazonaws.com", Action: "lambda:InvokeFunction", Resource: "Work:live", Context: source}, "denied"},
		"trust":           {read, Call{Principal: "lambda.amazonaws.com", Action: "sts:AssumeRole", Resource: "worker"}, "allowed"},
		"no trust":        {read, Call{Principal: "ec2.amazonaws.com", Action: "sts:AssumeRole", Resource: "worker"}, "denied"},
		"root":            {read, Call{Principal: "arn:aws:iam::" + account + ":root", Action: "s3:GetObject", Resource: "Photos/a"}, "allowed"},

		"unknown who":             {read, Call{Principal: "arn:aws:iam::" + account + ":role/other", Action: "s3:GetObject", Resource: "Photos/a"}, "unsure"},
		"unknown, but refused":    {read, Call{Principal: "arn:aws:iam::444455556666:role/other", Action: "s3:GetObject", Resource: "Photos/a"}, "denied"},
		"foreign resource":        {read, Call{Principal: "worker", Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-west-1:444455556666:q"}, "denied"},
		"foreign, permitted":      {`{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`, Call{Principal: "worker", Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-west-1:444455556666:q"}, "unsure"},
		"foreign tags":            {`{"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/a":"b"}}}`, Call{Principal: "worker", Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-west-1:444455556666:q"}, "unsure"},
		"foreign tags, given":     {`{"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/a":"b"}}}`, Call{Principal: "worker", Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-west-1:444455556666:q", Context: otherTag}, "denied"},
		"address":                 {`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "unsure"},
		"address of others":       {read + `,{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "allowed"},
		"organization":            {read + `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "unsure"},
		"organization is given":   {read + `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a", Context: organizationID}, "allowed"},
		"identifier":              {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/${aws:userid}/*"}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a/b"}, "unsure"},
		"identifier elsewhere":    {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/x/${aws:userid}/*"}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a/b"}, "denied"},
		"unknown source":          {read, Call{Principal: "s3.amazonaws.com", Action: "lambda:InvokeFunction", Resource: "Work", Context: unknownSource}, "unsure"},
		"name like a service's":   {read, Call{Principal: "robot.amazonaws.com", Action: "s3:GetObject", Resource: "Photos/a"}, "allowed"},
		"name of an unknown role": {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`, Call{Principal: "Imported", Action: "s3:GetObject", Resource: "Guarded/a"}, "unsure"},
		"no trust policy":         {`{"Effect":"Allow","Action":"*","Resource":"*"}`, Call{Principal: "worker", Action: "sts:AssumeRole", Resource: "untrusting"}, "unsure"},
		"tags without trust":      {`{"Effect":"Allow","Action":"*","Resource":"*"}`, Call{Principal: "worker", Action: "sts:TagSession", Resource: "worker"}, "denied"},
		"user as a role":          {`{"Effect":"Allow","Action":"*","Resource":"*"}`, Call{Principal: "worker", Action: "sts:AssumeRole", Resource: "robot.amazonaws.com"}, "denied"},
		"alias' own name":         {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"ArnEquals":{"lambda:SourceFunctionArn":"arn:aws:lambda:eu-west-1:` + account + `:function:work"}}}`, Call{Principal: "Live", Action: "s3:GetObject", Resource: "Photos/a"}, "allowed"},
		"key of which no file is": {`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`, Call{Principal: "worker", Action: "kms:Decrypt", Resource: "arn:aws:kms:eu-west-1:" + account + ":key/k"}, "unsure"},
		"key without a policy":    {`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`, Call{Principal: "worker", Action: "kms:Decrypt", Resource: "Key"}, "unsure"},
		"key, not permitted":      {read, Call{Principal: "worker", Action: "kms:Decrypt", Resource: "arn:aws:kms:eu-west-1:" + account + ":key/k"}, "unsure"},
		"role of another":         {read, Call{Principal: "lambda.amazonaws.com", Action: "sts:AssumeRole", Resource: Unknown("an import")}, "unsure"},
		"index":                   {read, Call{Principal: "arn:aws:iam::444455556666:user/u", Action: "dynamodb:Query", Resource: "Table/index/x"}, "unsure"},
		"unknown resource":        {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::<B>/*"}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "unsure"},
		"other action anyway":     {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::<B>/*"}`, Call{Principal: "worker", Action: "s3:PutObject", Resource: "Photos/a"}, "denied"},
		"other service anyway":    {`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::<B>/*"}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "arn:aws:sqs:eu-west-1:" + account + ":q"}, "denied"},
		"unknown denial":          {read + `,{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::<B>/*"}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "unsure"},
		"denial of others":        {read + `,{"Effect":"Deny","Action":"s3:PutObject","Resource":"<B>"}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "allowed"},
		"unknown condition":       {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"<O>"}}}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "unsure"},
		"known condition fails":   {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"<O>","aws:username":"x"}}}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "denied"},
		"unknown statement":       {`"<S>"`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "unsure"},
		"unknown effect":          {read + `,{"Effect":"<E>","Action":"s3:GetObject","Resource":"*"}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "unsure"},
		"NotResource":             {`{"Effect":"Allow","Action":"s3:GetObject","NotResource":"<B>"}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "unsure"},
		"NotAction":               {`{"Effect":"Deny","NotAction":["s3:GetObject","<A>"],"Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "allowed"},
		"allowed twice":           {read + `,{"Effect":"Allow","Action":"s3:*","Resource":"<B>"}`, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}, "allowed"},
		"resource not known":      {`{"Effect":"Allow","Action":"*","Resource":"*"}`, Call{Principal: "worker", Action: "sqs:SendMessage", Resource: Unknown("import")}, "unsure"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, sample(t, c.policy), c.call); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A name that nobody has is no service's, because it has a dot: a call that must be denied would be, whatever the policies say.
func TestNobody(t *testing.T) {
	l := sample(t, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`)
	for _, name := range []string{"aws_iam_role.wroker", "module.app.aws_iam_role.worker", "app.worker", "wroker", "amazonaws.com", ".amazonaws.com", ""} {
		if a, err := l.Explain(Call{Principal: name, Action: "s3:GetObject", Resource: "Photos/a"}, time.Unix(1_800_000_000, 0)); err == nil {
			t.Errorf("%q: got %v, want an error", name, a.Decision.Allowed)
		}
	}
	for _, name := range []string{"s3.amazonaws.com", "logs.eu-west-1.amazonaws.com", "ec2.amazonaws.com.cn", "alexa-appkit.amazon.com", "x.aws.internal"} {
		if got := ask(t, l, Call{Principal: name, Action: "s3:GetObject", Resource: "Photos/a"}); got != "denied" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// A boundary that is not known may deny everything, or nothing.
func TestUnknownBoundary(t *testing.T) {
	l := sample(t, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`)
	b := Anything("boundary", "imported")
	l.Principals[0].Boundary = &b
	if got := ask(t, l, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}); got != "unsure" {
		t.Errorf("got %s", got)
	}
	if got := ask(t, l, Call{Principal: "worker", Action: "s3:PutObject", Resource: "Photos/a"}); got != "denied" {
		t.Errorf("got %s", got)
	}
}

// One whose statements may all not apply permits nothing then: it must not be taken for no boundary.
func TestEmptyBoundary(t *testing.T) {
	l := sample(t, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`)
	b := parsed(t, "boundary", statement(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"<B>"}`))
	l.Principals[0].Boundary = &b
	if got := ask(t, l, Call{Principal: "worker", Action: "s3:GetObject", Resource: "Photos/a"}); got != "unsure" {
		t.Errorf("got %s", got)
	}
}

func TestNames(t *testing.T) {
	l := sample(t)
	l.Resources = append(l.Resources, &Resource{ARN: "arn:aws:sqs:eu-west-1:" + account + ":photos", Names: []string{"photos"}})
	for _, c := range []Call{
		{Principal: "nobody", Action: "s3:GetObject", Resource: "*"},
		{Principal: "worker", Action: "s3:GetObject", Resource: "nothing"},
		{Principal: "worker", Action: "s3:GetObject", Resource: "photos/a"}, // two have the name
		{Principal: "arn:aws:s3:::photos", Action: "s3:GetObject", Resource: "*"},
	} {
		if a, err := l.Explain(c, time.Now()); err == nil {
			t.Errorf("%s on %s: got %v, want an error", c.Principal, c.Resource, a.Decision)
		}
	}
}

// What only a resource-based policy says is not known while it is not, whoever it may name, and however he is limited besides.
func TestUnknownResourcePolicy(t *testing.T) {
	for name, p := range map[string]Policy{
		"wholly":    Anything("policy of Photos", "imported"),
		"principal": parsed(t, "policy of Photos", statement(`{"Effect":"Allow","Principal":{"AWS":"<P>"},"Action":"s3:*","Resource":"*"}`)),
		"statement": parsed(t, "policy of Photos", statement(`"<S>"`)),
	} {
		t.Run(name, func(t *testing.T) {
			l := sample(t)
			l.Resources[0].Policy = &p
			b := parsed(t, "boundary", statement(`{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`))
			l.Principals[2].Boundary = &b // a grant to the user itself is not limited by it
			for _, who := range []string{"worker", "robot.amazonaws.com", "s3.amazonaws.com", "arn:aws:iam::444455556666:root"} {
				if got := ask(t, l, Call{Principal: who, Action: "s3:PutObject", Resource: "Photos/a"}); got != "unsure" {
					t.Errorf("%s: got %s", who, got)
				}
			}
		})
	}
}

// What sources say of the same things is put together.
func TestJoin(t *testing.T) {
	const all = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
	l := sample(t, all)
	p := parsed(t, "policy of Photos", statement(`{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}`))
	q := parsed(t, "policy of Photos", statement(`{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*"}`))
	for _, policy := range []Policy{p, q} {
		l.Join(&Landscape{Resources: []*Resource{{ARN: "arn:aws:s3:::photos", Policy: &policy}}})
	}
	l.Join(&Landscape{Given: []Given{
		{authz.AssumedRole, "worker", parsed(t, "elsewhere", statement(`{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}`))},
		{authz.User, "worker", parsed(t, "of another", statement(`{"Effect":"Deny","Action":"s3:ListBucket","Resource":"*"}`))},
	}})
	for action, want := range map[string]string{"s3:PutObject": "denied", "s3:GetObject": "denied", "s3:DeleteObject": "denied", "s3:ListBucket": "allowed"} {
		if got := ask(t, l, Call{Principal: "worker", Action: action, Resource: "Photos/a"}); got != want {
			t.Errorf("%s: got %s, want %s", action, got, want)
		}
	}
	if len(l.Given) != 1 {
		t.Errorf("%d policies are left, want that of a user", len(l.Given))
	}
	l.Join(&Landscape{Unread: []string{"what a macro makes"}})
	if got := ask(t, l, Call{Principal: "worker", Action: "s3:ListBucket", Resource: "Photos"}); got != "unsure" {
		t.Errorf("with something unread: got %s", got)
	}
}

// RCPs bind the services that know them, and no others.
func TestResourceControlPolicies(t *testing.T) {
	l := sample(t, `{"Effect":"Allow","Action":["s3:*","lambda:*"],"Resource":"*"}`)
	l.RCPs = [][]Policy{{parsed(t, "rcp", statement(`{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`))}}
	for action, c := range map[string][2]string{"S3:GetObject": {"Photos/a", "denied"}, "lambda:InvokeFunction": {"Work", "allowed"}} {
		if got := ask(t, l, Call{Principal: "worker", Action: action, Resource: c[0]}); got != c[1] {
			t.Errorf("%s: got %s, want %s", action, got, c[1])
		}
	}
}
