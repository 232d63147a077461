package leastpolicy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

var role = authz.Principal{
	Kind: authz.AssumedRole, Account: "111111111111", ARN: "arn:aws:sts::111111111111:assumed-role/r/s",
	IssuerARN: "arn:aws:iam::111111111111:role/r", ID: "AROA", SessionName: "s",
}

// seen makes requests of "action resource [key=value]".
func seen(lines ...string) []authz.Request {
	var out []authz.Request
	for _, l := range lines {
		f := strings.Fields(l)
		r := authz.Request{Principal: role, Action: f[0], Resource: f[1]}
		for _, kv := range f[2:] {
			key, value, _ := strings.Cut(kv, "=")
			r.Context.Set(key, value)
		}
		out = append(out, r)
	}
	return out
}

// lines are the statements of a policy in short.
func lines(t *testing.T, text []byte) []string {
	t.Helper()
	d, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range d.Statements {
		l := s.Sid + ":"
		for _, list := range [][]policy.Text{s.Action, s.Resource} {
			l += " " + strings.Join(values(list), ",")
		}
		for _, c := range s.Condition {
			l += fmt.Sprintf(" if %s %s %s", c.Operator.Value, c.Key.Value, strings.Join(values(c.Values), ","))
		}
		out = append(out, l)
	}
	return out
}

func values(list []policy.Text) (out []string) {
	for _, v := range list {
		out = append(out, v.Value)
	}
	return out
}

const (
	sqsARN    = "arn:aws:sqs:us-east-1:111111111111:"
	lambdaARN = "arn:aws:lambda:us-east-1:111111111111:function:"
)

func TestGenerate(t *testing.T) {
	for _, tt := range []struct {
		name string
		g    Generalization
		seen []authz.Request
		want []string
	}{
		{"exact, grouped and sorted", Exact,
			seen("sqs:SendMessage "+sqsARN+"b", "lambda:InvokeFunction "+lambdaARN+"f", "sqs:SendMessage "+sqsARN+"a", "sqs:GetQueueUrl "+sqsARN+"a",
				"sqs:GetQueueUrl "+sqsARN+"b", "sqs:SendMessage "+sqsARN+"b", "sqs:ListQueues *", "sqs:DeleteMessage "+sqsARN+"b"),
			[]string{
				"Lambda1: lambda:InvokeFunction " + lambdaARN + "f",
				"Sqs1: sqs:DeleteMessage " + sqsARN + "b",
				"Sqs2: sqs:GetQueueUrl,sqs:SendMessage " + sqsARN + "a," + sqsARN + "b",
				"Sqs3: sqs:ListQueues *",
			}},
		{"pairs that were not seen are not allowed", Exact, seen("s3:GetObject arn:aws:s3:::in/a", "s3:PutObject arn:aws:s3:::out/a"),
			[]string{"S31: s3:GetObject arn:aws:s3:::in/a", "S32: s3:PutObject arn:aws:s3:::out/a"}},
		{"prefix", Prefix,
			seen("s3:GetObject arn:aws:s3:::b/img/1.png", "s3:GetObject arn:aws:s3:::b/img/2.png", "s3:GetObject arn:aws:s3:::b/doc/1", "s3:GetObject arn:aws:s3:::c/img/1",
				"sqs:SendMessage "+sqsARN+"one", "sqs:SendMessage "+sqsARN+"two"),
			[]string{"S31: s3:GetObject arn:aws:s3:::b/doc/1,arn:aws:s3:::b/img/*,arn:aws:s3:::c/img/1", "Sqs1: sqs:SendMessage " + sqsARN + "one," + sqsARN + "two"}},
		{"prefix of the names of log streams", Prefix,
			seen("logs:PutLogEvents arn:aws:logs:us-east-1:1:log-group:/aws/lambda/f:log-stream:2026/11/26/a", "logs:PutLogEvents arn:aws:logs:us-east-1:1:log-group:/aws/lambda/f:log-stream:2026/11/27/b"),
			[]string{"Logs1: logs:PutLogEvents arn:aws:logs:us-east-1:1:log-group:/aws/lambda/f:log-stream:2026/11/*"}},
		{"names of log streams that Lambda made up", Exact,
			seen("logs:PutLogEvents arn:aws:logs:us-east-1:1:log-group:/aws/lambda/f:log-stream:2026/11/27/[$LATEST]b7c00046af8cddee8533f6dd0c22d8e7",
				"logs:PutLogEvents arn:aws:logs:us-east-1:1:log-group:/aws/lambda/f:log-stream:mine"),
			[]string{"Logs1: logs:PutLogEvents arn:aws:logs:us-east-1:1:log-group:/aws/lambda/f:log-stream:*"}},
		{"ends that nobody knew", Exact,
			seen("secretsmanager:GetSecretValue arn:aws:secretsmanager:us-east-1:1:secret:db-??????", "s3:GetObject arn:aws:s3:::b/a-??????",
				"ses:SendEmail arn:aws:ses:us-east-1:1:identity/*"),
			[]string{"S31: s3:GetObject arn:aws:s3:::b/a-${?}${?}${?}${?}${?}${?}", "Secretsmanager1: secretsmanager:GetSecretValue arn:aws:secretsmanager:us-east-1:1:secret:db-*",
				"Ses1: ses:SendEmail arn:aws:ses:us-east-1:1:identity/*"}},
		{"wildcard", Wildcard,
			seen("s3:GetObject arn:aws:s3:::b/img/1.png", "s3:ListBucket arn:aws:s3:::b", "sqs:SendMessage "+sqsARN+"one", "lambda:InvokeFunction "+lambdaARN+"f:1", "iam:GetRole arn:aws:iam::1:role/a/b"),
			[]string{"Iam1: iam:GetRole arn:aws:iam::1:role/*", "Lambda1: lambda:InvokeFunction " + lambdaARN + "*", "S31: s3:GetObject arn:aws:s3:::b/*",
				"S32: s3:ListBucket arn:aws:s3:::b", "Sqs1: sqs:SendMessage " + sqsARN + "*"}},
		{"conditions of actions that hand on power", Exact,
			seen("iam:PassRole arn:aws:iam::1:role/a iam:PassedToService=lambda.amazonaws.com", "iam:PassRole arn:aws:iam::1:role/b iam:PassedToService=ec2.amazonaws.com",
				"iam:PassRole arn:aws:iam::1:role/c iam:PassedToService=ec2.amazonaws.com", "iam:PassRole arn:aws:iam::1:role/a iam:PassedToService=ec2.amazonaws.com",
				"iam:PassRole arn:aws:iam::1:role/d"),
			[]string{
				"Iam1: iam:PassRole arn:aws:iam::1:role/a if StringEquals iam:PassedToService ec2.amazonaws.com,lambda.amazonaws.com",
				"Iam2: iam:PassRole arn:aws:iam::1:role/b,arn:aws:iam::1:role/c if StringEquals iam:PassedToService ec2.amazonaws.com",
				"Iam3: iam:PassRole arn:aws:iam::1:role/d",
			}},
		{"a wider resource does not spread the values of a narrower one", Exact,
			seen("lambda:CreateEventSourceMapping * lambda:FunctionArn=a", "lambda:CreateEventSourceMapping arn:aws:lambda:us-east-1:1:x lambda:FunctionArn=a",
				"lambda:CreateEventSourceMapping arn:aws:lambda:us-east-1:1:x lambda:FunctionArn=b", "lambda:CreateEventSourceMapping arn:aws:lambda:us-east-1:1:y lambda:FunctionArn=a"),
			[]string{
				"Lambda1: lambda:CreateEventSourceMapping * if StringEquals lambda:FunctionArn a",
				"Lambda2: lambda:CreateEventSourceMapping arn:aws:lambda:us-east-1:1:x if StringEquals lambda:FunctionArn b",
			}},
		{"what looks like a wildcard or a variable is none", Exact, seen("s3:GetObject arn:aws:s3:::b/*?${aws:username}"),
			[]string{"S31: s3:GetObject arn:aws:s3:::b/${*}${?}${$}{aws:username}"}},
		{"no resources, which covers all", Exact, seen("sqs:SendMessage *", "sqs:SendMessage "+sqsARN+"a"), []string{"Sqs1: sqs:SendMessage *"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := Generate(tt.seen, tt.g)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lines(t, text), tt.want); diff != "" {
				t.Errorf("-got +want:\n%s", diff)
			}
			replay(t, text, tt.seen)
			slices.Reverse(tt.seen)
			if again, err := Generate(tt.seen, tt.g); err != nil || string(again) != string(text) {
				t.Errorf("in another order: got %s, %v", again, err)
			}
		})
	}
	if _, err := Generate(nil, Exact); !errors.Is(err, ErrNothing) {
		t.Errorf("nothing: got %v", err)
	}
	list := seen("iam:PassRole arn:aws:iam::1:role/a")
	list[0].Context.SetList("iam:PassedToService", "a.amazonaws.com", "b.amazonaws.com")
	if text, err := Generate(list, Exact); err == nil {
		t.Errorf("a value that no condition can name is left out: %s", text)
	}
	for _, bad := range []string{"sqs:SendMessage queue", "sqs:* *", "SendMessage *", ": *", "sqs:SendMessage arn:aws:sqs"} {
		if text, err := Generate(seen(bad), Exact); err == nil {
			t.Errorf("%s: got %s", bad, text)
		}
	}
}

// replay decides the requests by the policy alone: all are allowed, and without any one element some are not.
func replay(t *testing.T, text []byte, requests []authz.Request) {
	t.Helper()
	doc, err := policy.Parse(text)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	denied := func(d *policy.Document) string {
		set := authz.Compile(authz.Policies{Identity: []authz.Policy{{Name: "least", Document: d}}})
		for i := range requests {
			if r := own(requests[i]); !set.Decide(&r).Allowed {
				return r.Action + " " + r.Resource
			}
		}
		return ""
	}
	if d := denied(doc); d != "" {
		t.Errorf("%s is denied by\n%s", d, text)
	}
	without := func(what string, change func(*policy.Document)) {
		d := *doc
		d.Statements = slices.Clone(doc.Statements)
		change(&d)
		if denied(&d) == "" {
			t.Errorf("nobody needs %s of\n%s", what, text)
		}
	}
	for i, s := range doc.Statements {
		without("statement "+s.Sid, func(d *policy.Document) { d.Statements = slices.Delete(d.Statements, i, i+1) })
		for j := range s.Action {
			without("action "+s.Action[j].Value, func(d *policy.Document) {
				d.Statements[i].Action = slices.Delete(slices.Clone(s.Action), j, j+1)
			})
		}
		for j := range s.Resource {
			without("resource "+s.Resource[j].Value, func(d *policy.Document) {
				d.Statements[i].Resource = slices.Delete(slices.Clone(s.Resource), j, j+1)
			})
		}
		for j := range s.Condition {
			for k := range s.Condition[j].Values {
				without("value "+s.Condition[j].Values[k].Value, func(d *policy.Document) {
					c := slices.Clone(s.Condition)
					c[j].Values = slices.Delete(slices.Clone(c[j].Values), k, k+1)
					d.Statements[i].Condition = c
				})
			}
		}
	}
}

// FuzzGenerate replays what was seen against what was generated, whatever was seen.
func FuzzGenerate(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, "a/b")
	f.Add([]byte{0, 0, 0, 1, 1, 1, 2, 2, 2, 40, 41, 42, 90, 91, 92}, "*${x}?")
	f.Fuzz(func(t *testing.T, choices []byte, word string) {
		actions := []string{"iam:PassRole", "iam:passrole", "s3:GetObject", "s3:PutObject", "sqs:SendMessage", "lambda:CreateEventSourceMapping", "logs:PutLogEvents"}
		heads := []string{"", "arn:aws:s3:::b/", "arn:aws:s3:::", "arn:aws:logs:us-east-1:1:log-group:g:log-stream:", sqsARN, lambdaARN, "arn:aws:iam::1:role/"}
		tails := []string{word, "a/b", "a/c", "a", "a-1", "a-2:x", word + "/" + word, "b." + word, "2026/11/27/[1]b7c00046af8cddee8533f6dd0c22d8e7"}
		conditions := []string{"", "lambda.amazonaws.com", word, "ec2.amazonaws.com"}
		var requests []authz.Request
		for c := range slices.Chunk(choices[:len(choices)/3*3], 3) {
			r := authz.Request{Principal: role, Action: actions[int(c[0])%len(actions)], Resource: "*"}
			if head := heads[int(c[1])%len(heads)]; head != "" {
				r.Resource = head + tails[int(c[2])%len(tails)]
			}
			if value := conditions[int(c[1]/8)%len(conditions)]; value != "" {
				r.Context.Set(conditionOf("iam:PassRole"), value)
				r.Context.Set("lambda:FunctionArn", value)
			}
			requests = append(requests, r)
		}
		for _, g := range []Generalization{Exact, Prefix, Wildcard} {
			text, err := Generate(requests, g)
			if err != nil {
				if len(requests) > 0 && strings.ToValidUTF8(word, "") == word && !strings.ContainsFunc(word, func(r rune) bool { return r < ' ' }) && word != "" {
					t.Fatalf("%s: %v", g, err)
				}
				return
			}
			replay(t, text, requests)
			doc, err := policy.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if g == Exact {
				onlyAsked(t, doc, requests)
			}
			c := Compare(requests, []authz.Policy{{Name: "least", Document: doc}}, doc)
			if len(c.Missing)+len(c.Unused)+len(c.Broad) > 0 {
				t.Errorf("%s: compared with itself: %+v\n%s", g, c, text)
			}
		}
	})
}

// onlyAsked decides requests made of the parts of others: those are allowed alone that were asked, or that differ in the name of a log stream
// that Lambda made up.
func onlyAsked(t *testing.T, doc *policy.Document, requests []authz.Request) {
	t.Helper()
	set := authz.Compile(authz.Policies{Identity: []authz.Policy{{Name: "least", Document: doc}}})
	some := requests[:min(10, len(requests))]
	for _, a := range some {
		for _, b := range some {
			for _, c := range some {
				r := own(authz.Request{Principal: role, Action: a.Action, Resource: b.Resource, Context: c.Context})
				asked := slices.ContainsFunc(requests, func(s authz.Request) bool {
					stream := madeUpStream().FindStringSubmatch(s.Resource)
					key := conditionOf(s.Action)
					_, has := s.Context.Get(key)
					return strings.EqualFold(s.Action, r.Action) &&
						(s.Resource == r.Resource || s.Resource == "*" || stream != nil && strings.HasPrefix(r.Resource, stream[1])) &&
						(key == "" || !has || ConditionValue(s) == ConditionValue(r))
				})
				if allowed := set.Decide(&r).Allowed; allowed && !asked {
					t.Fatalf("%s on %s with %q was not asked, and is allowed by\n%s", r.Action, r.Resource, ConditionValue(r), policy.Print(doc))
				}
			}
		}
	}
}

func TestCompare(t *testing.T) {
	doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[
{"Sid":"Queues","Effect":"Allow","Action":["sqs:SendMessage","sqs:Purge*"],"Resource":["` + sqsARN + `a","` + sqsARN + `b"]},
{"Sid":"All","Effect":"Allow","Action":"s3:*","Resource":"*"},
{"Sid":"Old","Effect":"Allow","Action":"sns:Publish","Resource":"*"},
{"Sid":"Deny","Effect":"Deny","Action":"iam:*","Resource":"*"},
{"Sid":"Not","Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:ec2:*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	requests := seen("sqs:SendMessage "+sqsARN+"a", "s3:GetObject arn:aws:s3:::b/1", "s3:PutObject arn:aws:s3:::b/1", "iam:GetRole arn:aws:iam::1:role/a")
	text, err := Generate(requests, Exact)
	if err != nil {
		t.Fatal(err)
	}
	least, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) policy.Position { return doc.Position(strings.Index(string(doc.Source), text)) }
	object := []string{"arn:aws:s3:::b/1"}
	want := Comparison{
		Missing: []Permission{{"iam:GetRole", "arn:aws:iam::1:role/a", true}},
		Unused: []Element{
			{"own", "Queues", at(`"sqs:Purge*"`), "Action", "sqs:Purge*", nil},
			{"own", "Queues", at(`"` + sqsARN + `b"`), "Resource", sqsARN + "b", nil},
			{"own", "Old", at(`{"Sid":"Old"`), "Statement", "", nil},
		},
		Broad: []Element{
			{"own", "All", at(`"s3:*"`), "Action", "s3:*", []string{"s3:GetObject", "s3:PutObject"}},
			{"own", "All", at(`"*"},
{"Sid":"Old`), "Resource", "*", object},
			{"own", "Not", at(`"iam:*","NotResource"`), "NotAction", "iam:*", nil},
			{"own", "Not", at(`"arn:aws:ec2:*"`), "NotResource", "arn:aws:ec2:*", nil},
		},
	}
	if diff := cmp.Diff(Compare(requests, []authz.Policy{{Name: "own", Document: doc}}, least), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
