package policylint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/policy"
)

func linter(t testing.TB) *Linter {
	t.Helper()
	data, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	return New(data)
}

const head = `{"Version":"2012-10-17","Statement":[` + "\n"

// Each row is a statement and what is found in it: severity, code and the text of the element.
func TestVocabulary(t *testing.T) {
	l := linter(t)
	for name, tt := range map[string]struct {
		kind      policy.Kind
		statement string
		want      []string
		message   string // part of the first one
	}{
		"what exists is fine": {
			statement: `{"Effect":"Allow","Action":["s3:GetObject","S3:getobjectversion","lambda:Invoke*","sqs:*"],"Resource":"*"}`,
		},
		"an action that AWS has not": {
			statement: `{"Effect":"Allow","Action":"s3:GetObjects","Resource":"*"}`,
			want:      []string{"ERROR INVALID_ACTION"},
			message:   "AWS has no action s3:GetObjects; did you mean s3:GetObject?",
		},
		"a pattern that is like no action": {
			statement: `{"Effect":"Deny","NotAction":"sqs:Fetch*","Resource":"*"}`,
			want:      []string{"ERROR INVALID_ACTION"},
			message:   "No action of sqs is like Fetch*.",
		},
		"a service that AWS has not": {
			statement: `{"Effect":"Allow","Action":"dynamdb:GetItem","Resource":"*"}`,
			want:      []string{"ERROR INVALID_SERVICE_IN_ACTION"},
			message:   `AWS has no service "dynamdb"; did you mean dynamodb?`,
		},
		"a key that its service has not": {
			statement: `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"StringEquals":{"s3:prefixes":"a"}}}`,
			want:      []string{"ERROR INVALID_SERVICE_CONDITION_KEY"},
			message:   "s3 has no condition key s3:prefixes, and no request has it; did you mean s3:prefix?",
		},
		"a key of no service": {
			statement: `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"StringEquals":{"s4:prefix":"a"}}}`,
			want:      []string{"ERROR INVALID_SERVICE_CONDITION_KEY"},
		},
		"keys of tags, of identity providers and of calls from functions are fine": {
			statement: `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{
				"s3:ExistingObjectTag/team":"a","lambda:SourceFunctionArn":"arn:aws:lambda:us-east-1:111122223333:function:f",
				"graph.facebook.com:id":"a","saml:aud":"a"}}}`,
		},
		"an action that knows the key of another": {
			statement: `{"Effect":"Allow","Action":["s3:ListBucket","s3:GetBucketLocation"],"Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":"a/*"}}}`,
			want:      []string{"ERROR UNSUPPORTED_ACTION_FOR_CONDITION_KEY"},
			message:   "Requests for s3:GetBucketLocation have no s3:prefix",
		},
		"a condition that holds without its key is fine": {
			statement: `{"Effect":"Allow","Action":"s3:GetBucketLocation","Resource":"arn:aws:s3:::b","Condition":{"StringLikeIfExists":{"s3:prefix":"a/*"}}}`,
		},
		"request tags of an action without tags": {
			statement: `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}}`,
			want:      []string{"ERROR UNSUPPORTED_ACTION_FOR_CONDITION_KEY"},
		},
		"tags of resources in a service without tags": {
			statement: `{"Effect":"Deny","Action":"sts:GetCallerIdentity","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}}`,
			want:      nil, // of which roles, that STS acts on, have tags
		},
		"a service without tags": {
			statement: `{"Effect":"Deny","Action":"account:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}}`,
			want:      []string{"SECURITY_WARNING DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"},
		},
		"allowed in a service without tags": {
			statement: `{"Effect":"Allow","Action":"account:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}}`,
			want:      []string{"SUGGESTION ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"},
		},
		"a list without a set operator": {
			statement: `{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{"StringEquals":{"dynamodb:LeadingKeys":"a"}}}`,
			want:      []string{"WARNING MISSING_QUALIFIER"},
		},
		"one value with ForAllValues": {
			statement: `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"ForAllValues:StringEquals":{"s3:prefix":"a"}}}`,
			want:      []string{"SECURITY_WARNING FORALLVALUES_WITH_SINGLE_VALUED_KEY"},
		},
		"objects of a bucket": {
			statement: `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos"}`,
			want:      []string{"WARNING RESOURCE_OF_OTHER_TYPE"},
			message:   "which none of the resources is, and the statement never allows it",
		},
		"the bucket of objects": {
			statement: `{"Effect":"Deny","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::photos/*"}`,
			want:      []string{"SECURITY_WARNING RESOURCE_OF_OTHER_TYPE"},
			message:   "s3:ListBucket acts on",
		},
		"a bucket that ends in a star may be its objects": {
			statement: `{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::photos*"}`,
		},
		"actions without resources": {
			statement: `{"Effect":"Allow","Action":"lambda:ListFunctions","Resource":"arn:aws:lambda:us-east-1:111122223333:function:*"}`,
			want:      []string{"WARNING RESOURCE_OF_OTHER_TYPE"},
			message:   "lambda:ListFunctions cannot be limited to resources",
		},
		"aliases, streams and variables are fine": {
			statement: `{"Effect":"Allow","Action":["lambda:InvokeFunction","logs:PutLogEvents","iam:GetUser"],"Resource":[
				"arn:aws:lambda:us-east-1:111122223333:function:f:live","arn:aws:logs:*:*:log-group:/aws/lambda/f:*",
				"arn:aws:iam::111122223333:user/${aws:username}"]}`,
		},
		"an ARN that its service has not": {
			statement: `{"Effect":"Allow","Action":"lambda:*","Resource":"arn:aws:lambda:us-east-1:111122223333:funktion:f"}`,
			want:      []string{"ERROR INVALID_ARN_RESOURCE"},
		},
		"no Region": {
			statement: `{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs::111122223333:q"}`,
			want:      []string{"ERROR MISSING_ARN_REGION"},
		},
		"no account": {
			statement: `{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1::q"}`,
			want:      []string{"ERROR MISSING_ARN_ACCOUNT"},
		},
		"a Region too much": {
			statement: `{"Effect":"Allow","Action":"route53:*","Resource":"arn:aws:route53:us-east-1::hostedzone/Z"}`,
			want:      []string{"ERROR ARN_REGION_NOT_ALLOWED"},
		},
		"an account too much": {
			statement: `{"Effect":"Allow","Action":"apigateway:*","Resource":"arn:aws:apigateway:us-east-1:111122223333:/restapis/a"}`,
			want:      []string{"ERROR ARN_ACCOUNT_NOT_ALLOWED"},
		},
		"ARNs of no service": {
			statement: `{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqss:us-east-1:111122223333:q"}`,
			want:      []string{"ERROR INVALID_SERVICE"},
		},
		"ARNs with another service than its actions": {
			statement: `{"Effect":"Allow","Action":"s3-object-lambda:GetObject","Resource":"arn:aws:s3-object-lambda:us-east-1:111122223333:accesspoint/a"}`,
		},
		"a trust policy": {
			kind: policy.Trust,
			statement: `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession"],
				"Condition":{"StringEquals":{"sts:ExternalId":"a"}}}`,
			want:    []string{"ERROR UNSUPPORTED_ACTION_FOR_CONDITION_KEY"},
			message: "sts:TagSession",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.kind == "" {
				tt.kind = policy.Identity
			}
			text := []byte(head + tt.statement + "]}")
			var got []string
			first := ""
			for _, f := range l.Findings(text, tt.kind) {
				got = append(got, fmt.Sprintf("%s %s", f.Severity, f.Code))
				if first == "" {
					first = f.Message
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s%s", diff, first)
			}
			if !strings.Contains(first, tt.message) {
				t.Errorf("got %q, want %q", first, tt.message)
			}
		})
	}
}

// The policies of AWS itself are a corpus of what is right, but for services and actions that have been withdrawn, and for actions beside
// resources that they do not take. A resource of a type that its service has is never called unknown.
func TestManagedPolicies(t *testing.T) {
	l := linter(t)
	counts := make(map[string]int)
	values := 0
	var others []string // looked at one by one: s3:ListBucket of a bucket's objects, and the like
	for p := range l.data.ManagedPolicies() {
		text := []byte(p.Document())
		d, err := policy.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.Statements {
			values += len(s.Action) + len(s.NotAction)
		}
		known := make(map[string]bool)
		for _, f := range policy.Validate(d, policy.Identity) {
			known[fmt.Sprint(f.Code, f.Span)] = true
		}
		for _, f := range l.Findings(text, policy.Identity) {
			if !known[fmt.Sprint(f.Code, f.Span)] {
				counts[f.Code]++
			}
			if f.Code == ResourceOfOtherType && strings.Contains(f.Message, " acts on ") {
				others = append(others, p.Name+": "+f.Message)
			}
		}
	}
	for _, code := range []string{
		"INVALID_SERVICE", "INVALID_ARN_RESOURCE", "MISSING_ARN_REGION", "MISSING_ARN_ACCOUNT", "ARN_REGION_NOT_ALLOWED", "ARN_ACCOUNT_NOT_ALLOWED",
	} {
		if counts[code] > 0 {
			t.Errorf("%s: %d findings", code, counts[code])
		}
	}
	if len(others) == 0 || len(others) > 20 {
		t.Errorf("%d actions are of other types than the resources:\n%s", len(others), strings.Join(others, "\n"))
	}
	if unknown := counts["INVALID_ACTION"] + counts["INVALID_SERVICE_IN_ACTION"]; unknown*100 > values {
		t.Errorf("%d of %d actions are unknown", unknown, values)
	}
}

func TestGuess(t *testing.T) {
	for text, want := range map[string]string{
		head + `{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`:                                 "identity",
		`{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`:                            "inline",
		head + `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"}}]}`:   "trust",
		head + `{"Effect":"Allow","Action":"s3:*","Principal":"*","Resource":"arn:aws:s3:::b"}]}`:    "resource",
		head + `{"Effect":"Allow","Action":"sts:*","Resource":"arn:aws:iam::111122223333:role/r"}]}`: "identity",
		`{`: "identity",
	} {
		if got := Guess([]byte(text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for _, name := range Types() {
		if k, ok := KindOf(name); !ok || policy.Findings([]byte(head+`{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`), k) == nil && k == "" {
			t.Errorf("%s is no type", name)
		}
	}
}

func TestIsPolicy(t *testing.T) {
	for text, want := range map[string]bool{
		head + `{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`: true,
		`{"Statement":[]}`:                                       true,
		`{"Statement":[{"Effect":"Allow",}]}`:                    true, // broken, and meant to be one
		`{"Resources":{"A":{"Statement":[{"Effect":"Allow"}]}}}`: false,
		`{"name":"package"}`:                                     false,
		`[1,`:                                                    false,
	} {
		if got := IsPolicy([]byte(text)); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
}

// A text that is no policy has one finding, which says what stands where.
func TestSyntax(t *testing.T) {
	got := linter(t).Findings([]byte("{\n  // everything\n}"), policy.Identity)
	want := []Finding{{
		Severity: policy.Error, Code: "JSON_SYNTAX_ERROR", Refused: true,
		Message:  "Found a comment where a name in quotes should be: JSON has none.",
		Position: policy.Position{Line: 2, Column: 3}, End: policy.Position{Line: 2, Column: 4}, Span: policy.Span{Start: 4, End: 5},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func results(t *testing.T) []Result {
	text := []byte(head + `{"Effect":"Allow","Action":"s3:GetObjects","Resource":"arn:aws:s3:::é/*","Condition":{"StringEquals":{"s3:qqqqqqq":"ä"}}}]}`)
	return []Result{
		{File: "a,b.json", Text: text, Type: "identity", Guessed: true, Findings: linter(t).Findings(text, policy.Identity)},
		{File: "c.json", Text: []byte("{}"), Type: "trust", Findings: linter(t).Findings([]byte("{}"), policy.Trust)},
	}
}

func TestReport(t *testing.T) {
	all := results(t)
	var b strings.Builder
	for _, r := range all {
		for _, line := range r.Report() {
			for _, p := range line {
				b.WriteString(p.Text)
			}
			b.WriteByte('\n')
		}
	}
	b.WriteString(Summary(all))
	want := `a,b.json:2:28: error: AWS has no action s3:GetObjects; did you mean s3:GetObject? (INVALID_ACTION)
     2 │ {"Effect":"Allow","Action":"s3:GetObjects","Resource":"arn:aws:s3:::é/*","Condition":{"StringEquals"…
       │                            ^^^^^^^^^^^^^^^
a,b.json:2:104: error: s3 has no condition key s3:qqqqqqq, and no request has it. (INVALID_SERVICE_CONDITION_KEY)
     2 │ …:s3:::é/*","Condition":{"StringEquals":{"s3:qqqqqqq":"ä"}}}]}
       │                                          ^^^^^^^^^^^^
c.json:1:1: error: A policy needs a Statement. (MISSING_STATEMENT)
     1 │ {}
       │ ^^
2 policies (1 identity by its looks, 1 trust): 3 errors`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if n := AtLeast(all, policy.Error); n != 3 {
		t.Errorf("%d errors", n)
	}
}

func TestMachineOutput(t *testing.T) {
	all := results(t)
	var github, sarif, list bytes.Buffer
	if err := WriteGitHub(&github, all); err != nil {
		t.Fatal(err)
	}
	want := "::error file=a%2Cb.json,line=2,endLine=2,col=28,endColumn=43,title=INVALID_ACTION::AWS has no action s3:GetObjects; did you mean s3:GetObject?\n"
	if !strings.HasPrefix(github.String(), want) {
		t.Errorf("got %s", &github)
	}
	if err := WriteSARIF(&sarif, all); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(sarif.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	found := log.Runs[0].Results
	if len(found) != 3 || len(log.Runs[0].Tool.Driver.Rules) != 3 {
		t.Fatalf("got %s", &sarif)
	}
	if region := found[1].Locations[0].Physical.Region; region.StartColumn != 103 || region.EndColumn != 115 || region.StartLine != 2 { // é is one character
		t.Errorf("got %+v", region)
	}
	if err := WriteJSON(&list, all[:1]); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(list.String(), `"message": "AWS has no action s3:GetObjects; did you mean s3:GetObject?"`) {
		t.Errorf("got %s", &list)
	}
}

// FuzzFindings gives any text as a policy of any kind: findings stand in the text and can be shown.
func FuzzFindings(f *testing.F) {
	l := linter(f)
	f.Add(`{"Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:GetObject"],"Resource":["arn:aws:s3:::${aws:username}*/?","arn:aws:iam:::x"],
		"Condition":{"ForAllValues:StringLike":{"s3:prefix":["a"],"aws:ResourceTag/a":"é"}}}]}`)
	f.Add("{\"Statement\":[{\"Effect\":\"Deny\",\"NotAction\":\"\xff\"")
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range Types() {
			kind, _ := KindOf(name)
			r := Result{File: "f", Text: []byte(text), Type: name, Findings: l.Findings([]byte(text), kind)}
			if (len(policy.Findings([]byte(text), kind)) > 0) != (len(r.Findings) > 0) && len(r.Findings) == 0 {
				t.Fatal("findings of the language are lost")
			}
			for _, f := range r.Findings {
				start, end := r.characters(f)
				if f.Message == "" || f.Code == "" || f.Span.End > len(text) || start.Column < 1 || end.Column < 1 || f.End.Line < f.Position.Line {
					t.Fatalf("%+v", f)
				}
			}
			r.Report()
		}
	})
}

// FuzzOverlap compares the walk over two patterns with one that tries texts.
func FuzzOverlap(f *testing.F) {
	f.Add("a*b?", "a${X}b", "axbyb")
	f.Add("arn:aws:s3:::b/*", "arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::b/c")
	f.Fuzz(func(t *testing.T, pattern, arn, text string) {
		if len(pattern)+len(arn)+len(text) > 200 {
			return
		}
		c := &checker{steps: maxSteps}
		p, tpl := patternOf(pattern), templateOf(arn)
		if takes(p, text) && takes(tpl.tokens, text) && !c.overlap(p, tpl) {
			t.Fatalf("%q has the forms of %q and %q", text, pattern, arn)
		}
		exact := make([]token, len(text))
		for i := range exact {
			exact[i] = token{byte: text[i]}
		}
		if got, want := c.overlap(exact, tpl), takes(tpl.tokens, text); got != want {
			t.Fatalf("%q as %q: got %t, want %t", text, arn, got, want)
		}
	})
}

// takes tells whether a text has a form, by trying.
func takes(tokens []token, text string) bool {
	if len(tokens) == 0 {
		return text == ""
	}
	first, rest := tokens[0], tokens[1:]
	if !first.repeats {
		return text != "" && first.takes(text[0]) && takes(rest, text[1:])
	}
	for i := 0; ; i++ {
		if takes(rest, text[i:]) {
			return true
		}
		if i == len(text) || !first.takes(text[i]) {
			return false
		}
	}
}
