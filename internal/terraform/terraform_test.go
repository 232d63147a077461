package terraform

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/landscape"
)

var update = flag.Bool("update", false, "write what is there now as what is wanted")

// awsManaged are stand-ins for AWS's managed policies.
var awsManaged = map[string]string{
	"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}`,
	"arn:aws:iam::aws:policy/ReadOnlyAccess":                           `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:Get*","s3:Get*"],"Resource":"*"}]}`,
}

func options() Options {
	return Options{Account: "111122223333", Region: "us-east-1", Partition: "aws", ManagedPolicy: func(arn string) (string, bool) {
		text, ok := awsManaged[arn]
		return text, ok
	}}
}

func load(t *testing.T, file string) *landscape.Landscape {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	if !Takes(text) {
		t.Fatalf("%s is not taken for a plan", file)
	}
	l, err := Load(file, text, options())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// shown is a landscape for a reader.
func shown(l *landscape.Landscape) string {
	var b bytes.Buffer
	policy := func(what string, p landscape.Policy) {
		fmt.Fprintf(&b, "  %s %s", what, p.Name)
		if len(p.Unknown) > 0 {
			fmt.Fprintf(&b, " (unknown: %s)", strings.Join(p.Unknown, "; "))
		}
		b.WriteByte('\n')
	}
	for _, p := range l.Principals {
		fmt.Fprintf(&b, "%s %s\n", landscape.Shown(p.ARN), strings.Join(p.Names, " "))
		for _, own := range p.Policies {
			policy("policy", own)
		}
		if p.Trust != nil {
			policy("trust", *p.Trust)
		}
		if p.Boundary != nil {
			policy("boundary", *p.Boundary)
		}
	}
	b.WriteString("\n")
	for _, r := range l.Resources {
		fmt.Fprintf(&b, "%s %s %s %s %v\n", landscape.Shown(r.ARN), r.Type, strings.Join(r.Names, " "), landscape.Shown(r.Role), r.Tags)
		if r.Policy != nil {
			policy("policy", *r.Policy)
		}
	}
	b.WriteString("\n")
	for _, n := range l.Notes {
		fmt.Fprintf(&b, "%s: %s\n", n.At, n.Text)
	}
	b.WriteString("\n")
	for _, c := range l.Calls {
		fmt.Fprintf(&b, "%s %s %s (%s)", c.Principal, c.Action, landscape.Shown(c.Resource), c.Why)
		for key, v := range c.Context.All {
			fmt.Fprintf(&b, " %s=%s", key, strings.Join(v.Values, ","))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := shown(load(t, filepath.Base(file)))
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// ask decides, and says "allowed", "denied" or "unsure".
func ask(t *testing.T, l *landscape.Landscape, c landscape.Call) string {
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

// TestFirst is a plan of what does not exist yet.
func TestFirst(t *testing.T) {
	l := load(t, "first.json")
	for _, c := range []struct{ call, want string }{
		// By a reference, of which the plan does not tell what follows it.
		{"aws_lambda_function.resize s3:GetObject aws_s3_bucket.photos/in/a.png", "unsure"},
		{"aws_lambda_function.resize s3:GetObject aws_s3_bucket.thumbnails/in/a.png", "denied"},
		{"aws_lambda_function.resize s3:PutObject aws_s3_bucket.photos/in/a.png", "denied"},
		// By a name.
		{"aws_lambda_function.resize sqs:SendMessage aws_sqs_queue.done", "allowed"},
		{"aws_iam_role.resize sqs:SendMessage done", "allowed"},
		{"aws_iam_role.resize sqs:SendMessage jobs", "denied"},
		{"aws_iam_role.resize logs:PutLogEvents *", "allowed"},
		{"lambda.amazonaws.com sts:AssumeRole aws_iam_role.resize", "allowed"},
		{"ec2.amazonaws.com sts:AssumeRole aws_iam_role.resize", "denied"},
		// A policy of jsonencode, of which nothing is known, below a boundary.
		{"ci lambda:GetFunction aws_lambda_function.resize", "unsure"},
		{"ci lambda:UpdateFunctionCode aws_lambda_function.resize", "denied"},
		// In a module.
		{`module.worker["b"].aws_lambda_function.this sqs:ReceiveMessage aws_sqs_queue.jobs`, "unsure"},
		{`module.worker["b"].aws_lambda_function.this sqs:ReceiveMessage aws_sqs_queue.done`, "denied"},
		{"worker-b sqs:PurgeQueue aws_sqs_queue.jobs", "denied"},
		// By the queue's policy, which has the ARN that an output of the module gives.
		{`module.worker["a"].aws_iam_role.this sqs:ReceiveMessage aws_sqs_queue.jobs`, "allowed"},
		{"arn:aws:iam::111122223333:root kms:Decrypt aws_kms_key.main", "allowed"},
		{"ci kms:Decrypt aws_kms_key.main", "denied"},
	} {
		words := strings.Fields(c.call)
		if got := ask(t, l, landscape.Call{Principal: words[0], Action: words[1], Resource: words[2]}); got != c.want {
			t.Errorf("%s: got %s, want %s", c.call, got, c.want)
		}
	}
}

func TestInvoke(t *testing.T) {
	l := load(t, "first.json")
	for source, want := range map[string]string{
		"arn:aws:events:eu-west-1:111122223333:rule/nightly": "allowed",
		"arn:aws:events:eu-west-1:111122223333:rule/other":   "denied",
	} {
		var keys authz.Context
		keys.Set("aws:SourceArn", source)
		c := landscape.Call{Principal: "events.amazonaws.com", Action: "lambda:InvokeFunction", Resource: "aws_lambda_function.resize", Context: keys}
		if got := ask(t, l, c); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
}

// minimal is a plan with resources, given as JSON.
func minimal(version, resources, more string) string {
	return `{"format_version":"` + version + `","planned_values":{"root_module":{"resources":[` + resources + `]}}` + more + `}`
}

func TestRefused(t *testing.T) {
	identity := `{"address":"data.aws_caller_identity.c","mode":"data","type":"aws_caller_identity","name":"c","values":{"account_id":"444455556666"}}`
	policy := func(text string) string {
		return `{"address":"aws_iam_policy.p","mode":"managed","type":"aws_iam_policy","name":"p","values":{"name":"p","policy":"` + text + `"}}`
	}
	for name, c := range map[string]struct{ text, want string }{
		"a later format":   {minimal("2.0", "", ""), `p.json: the format of plans has version "2.0": only major versions 0 and 1 are known`},
		"no version":       {minimal("", "", ""), `p.json: the format of plans has version "": only major versions 0 and 1 are known`},
		"no values":        {`{"format_version":"1.2"}`, "p.json: there are no planned_values: this is no plan"},
		"marks":            {minimal("1.2", policy(`\uE000`), ""), "p.json: the characters U+E000 and U+E001 are not read"},
		"another account":  {minimal("1.2", identity, ""), `p.json: the plan was made for the account 444455556666, not 111122223333: give the account in the test file (account: "444455556666")`},
		"no policy":        {minimal("1.2", policy("x"), ""), "p.json: aws_iam_policy.p: aws_iam_policy.p is not JSON: invalid character 'x' looking for beginning of value"},
		"no address":       {minimal("1.2", `{"type":"aws_s3_bucket"}`, ""), "p.json: a resource has no address: this is no plan"},
		"not JSON":         {"{", "p.json: this is not the JSON of a plan: unexpected end of JSON input"},
		"a list of values": {`{"format_version":"1.0","planned_values":[]}`, "p.json: this is not the JSON of a plan: json: cannot unmarshal array into Go struct field document.planned_values of type terraform.values"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load("p.json", []byte(c.text), options())
			if got := fmt.Sprint(err); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTakes(t *testing.T) {
	for text, want := range map[string]bool{
		minimal("1.2", "", ""): true, `{"format_version":"1.0","values":{}}`: true, `{"format_version":"1.0"}`: false,
		`{"Resources":{}}`: false, "Resources: {}": false, "": false, "{": false,
	} {
		if got := Takes([]byte(text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestReferences(t *testing.T) {
	for _, c := range []struct{ list, want []any }{
		{[]any{"aws_s3_bucket.b.arn", "aws_s3_bucket.b"}, []any{"aws_s3_bucket.b.arn"}},
		{[]any{"aws_s3_bucket.b[0].arn", "aws_s3_bucket.b[0]", "aws_s3_bucket.b"}, []any{"aws_s3_bucket.b[0].arn"}},
		{[]any{"aws_s3_bucket.b", "aws_s3_bucket.bb.arn", "aws_s3_bucket.bb"}, []any{"aws_s3_bucket.b", "aws_s3_bucket.bb.arn"}},
		{[]any{"var.x", "var.x", 7}, []any{"var.x"}},
	} {
		var got []any
		for _, ref := range references(map[string]any{"references": c.list}) {
			got = append(got, ref)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v: -want +got:\n%s", c.list, diff)
		}
	}
}

func TestTraversal(t *testing.T) {
	for text, want := range map[string]string{
		`module.app["a.b[c]"].aws_iam_role.x[12].arn`: `module|app|["a.b[c]"]|aws_iam_role|x|[12]|arn`,
		"var.x":   "var|x",
		"a[":      "a",
		"a[1":     "a",
		"a[true]": "a",
		"":        "",
	} {
		var got []string
		for _, s := range traversal(text) {
			got = append(got, s.String())
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s: got %q", text, got)
		}
	}
}

func FuzzLoad(f *testing.F) {
	// Small ones: to make a whole plan smaller takes the fuzzer longer than it has.
	f.Add(planOf(f, "", role("aws_iam_role.r", "r"),
		item{"data.aws_iam_policy_document.d", `{"statement":[{"actions":["s3:*"],"resources":[null]}]}`, `{"json":true,"statement":[{"resources":[true]}]}`,
			`{"statement":[{"resources":` + refs("aws_s3_bucket.b.arn") + `}]}`},
		item{"aws_s3_bucket.b", `{"bucket":"b"}`, `{"arn":true}`, `{"bucket":{"constant_value":"b"}}`},
		item{"aws_iam_role_policy.p", `{"role":"r"}`, `{"policy":true}`, `{"policy":` + refs("data.aws_iam_policy_document.d.json") + `}`}))
	f.Add(planOf(f, "", role("aws_iam_role.r[0]", "r"),
		item{"aws_lambda_function.f[0]", `{"function_name":"f"}`, `{"arn":true,"role":true}`, `{"role":` + refs("aws_iam_role.r", "count.index") + `}`},
		item{"aws_lambda_event_source_mapping.m", `{"function_name":"f"}`, `{"event_source_arn":true}`, ""},
		item{"aws_lambda_permission.p", `{"function_name":"f","action":"lambda:InvokeFunction","principal":"*"}`, `{"source_arn":true}`, `{"source_arn":{}}`}))
	f.Add([]byte(minimal("1.2", `{"address":"module.a.module.b[0].aws_iam_role.r","mode":"managed","type":"aws_iam_role","name":"r","index":0,"values":{}}`, "")))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := Load("f", text, options())
		if err != nil {
			return
		}
		for _, r := range l.Resources {
			if slices.Contains(r.Names, "") {
				t.Errorf("%s has an empty name", r.ARN)
			}
		}
		for _, c := range l.Calls {
			if c.Principal == "" || c.Resource == "" {
				t.Errorf("a call by %q on %q", c.Principal, c.Resource)
			}
		}
		for _, c := range l.Calls[:min(len(l.Calls), 20)] {
			_, _ = l.Explain(c, time.Unix(1_800_000_000, 0)) // a name may be that of several
		}
	})
}
