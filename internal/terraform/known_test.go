package terraform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/licet/licet/internal/landscape"
)

// item is a resource of a plan: what is planned, what of it is not known, and its expressions, all as JSON; "" is an empty object.
type item struct{ address, values, unknown, expressions string }

// planOf writes a plan of resources in the root module, with further changes as JSON.
func planOf(t testing.TB, changes string, items ...item) []byte {
	t.Helper()
	type object = map[string]any
	parsed := func(text string) (v any) {
		if text == "" {
			text = "{}"
		}
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return v
	}
	planned, all, config, seen := []any{}, []any{}, []any{}, make(map[string]bool)
	if changes != "" {
		all = parsed(changes).([]any)
	}
	for _, i := range items {
		steps, mode := traversal(i.address), "managed"
		if steps[0].name == "data" {
			steps, mode = steps[1:], "data"
		}
		r := object{"address": i.address, "mode": mode, "type": steps[0].name, "name": steps[1].name, "values": parsed(i.values)}
		key := strings.TrimSuffix(i.address, steps[len(steps)-1].String())
		if steps[len(steps)-1].isIndex {
			r["index"] = steps[len(steps)-1].index
		} else {
			key = i.address
		}
		planned = append(planned, r)
		actions := []string{"create"}
		all = append(all, object{
			"address": i.address, "mode": mode, "type": r["type"], "name": r["name"],
			"change": object{"actions": actions, "after": r["values"], "after_unknown": parsed(i.unknown)},
		})
		if !seen[key] {
			seen[key] = true
			config = append(config, object{"address": key, "mode": mode, "type": r["type"], "name": r["name"], "expressions": parsed(i.expressions)})
		}
	}
	text, err := json.Marshal(object{
		"format_version": "1.2", "planned_values": object{"root_module": object{"resources": planned}}, "resource_changes": all,
		"configuration": object{"root_module": object{"resources": config}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const (
	allow = `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}]}`
	// lambdaTrust is the argument of a role that Lambda may take.
	lambdaTrust = `"assume_role_policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"}}]}"`
	trusted     = `"assume_role_policy":{"constant_value":"x"}`
	created     = `{"arn":true,"id":true,"inline_policy":true,"managed_policy_arns":true}`
)

func role(address, name string) item {
	return item{address, `{"name":"` + name + `",` + lambdaTrust + `}`, created, `{"name":{"constant_value":"` + name + `"},` + trusted + `}`}
}

func refs(list ...string) string {
	text, _ := json.Marshal(map[string]any{"references": list}) // texts can be written
	return string(text)
}

// TestDecisions are plans in which it is easy to be sure of too much.
func TestDecisions(t *testing.T) {
	bucket := item{"aws_s3_bucket.b", `{"bucket":"b"}`, `{"arn":true,"id":true}`, `{"bucket":{"constant_value":"b"}}`}
	document := func(resources, unknown, expression string) item {
		return item{
			"data.aws_iam_policy_document.d", `{"statement":[{"actions":["s3:GetObject"],"resources":` + resources + `}]}`,
			`{"json":true,"statement":[{"resources":` + unknown + `}]}`, `{"statement":[{"actions":{"constant_value":["s3:GetObject"]},"resources":` + expression + `}]}`,
		}
	}
	given := item{"aws_iam_role_policy.p", `{"name":"p","role":"r"}`, `{"policy":true}`,
		`{"name":{"constant_value":"p"},"role":` + refs("aws_iam_role.r.id") + `,"policy":` + refs("data.aws_iam_policy_document.d.json", "data.aws_iam_policy_document.d") + `}`}
	someone := item{"aws_iam_user.u", `{"name":"u"}`, `{"arn":true}`, `{"name":{"constant_value":"u"}}`}
	tagged := item{"aws_iam_user_policy.p", `{"user":"u","name":"p","policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"dynamodb:*\",\"Resource\":\"*\"},` +
		`{\"Effect\":\"Deny\",\"Action\":\"dynamodb:*\",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{\"aws:ResourceTag/env\":\"prod\"}}}]}"}`, ``, ``}
	for name, c := range map[string]struct {
		changes string
		items   []item
		call    string
		want    string
	}{
		"the ARN, or more": {"", []item{role("aws_iam_role.r", "r"), bucket, given, document(`[null]`, `[true]`, refs("aws_s3_bucket.b.arn", "aws_s3_bucket.b"))},
			"r s3:GetObject b/x", "unsure"},
		"no other bucket": {"", []item{role("aws_iam_role.r", "r"), bucket, given, document(`[null]`, `[true]`, refs("aws_s3_bucket.b.arn", "aws_s3_bucket.b"))},
			"r s3:GetObject arn:aws:s3:::c/x", "denied"},
		"a choice of two": {"", []item{role("aws_iam_role.r", "r"), bucket, given, document(`[null]`, `[true]`, refs("var.all", "aws_s3_bucket.b.arn", "aws_s3_bucket.b"))},
			"r s3:GetObject arn:aws:s3:::c/x", "unsure"},
		"a list with constants": {"", []item{role("aws_iam_role.r", "r"), bucket, given, document(`null`, `true`, refs("aws_s3_bucket.b.arn", "aws_s3_bucket.b"))},
			"r s3:GetObject arn:aws:s3:::c/x", "unsure"},
		"a document in another's text": {"", []item{role("aws_iam_role.r", "r"), bucket,
			{"aws_iam_role_policy.p", `{"name":"p","role":"r"}`, `{"policy":true}`, `{"policy":` + refs("aws_s3_bucket.b.arn", "aws_s3_bucket.b") + `}`}},
			"r sqs:SendMessage arn:aws:sqs:us-east-1:111122223333:q", "unsure"},
		"statements that a loop makes": {"", []item{role("aws_iam_role.r", "r"), given,
			{"data.aws_iam_policy_document.d", `{}`, `{"json":true,"statement":true}`, `{}`}},
			"r s3:GetObject arn:aws:s3:::c/x", "unsure"},
		"one of the instances": {"", []item{role("aws_iam_role.r[0]", "r0"), role("aws_iam_role.r[1]", "r1"),
			{"aws_iam_role_policy.p[0]", `{"name":"p","policy":"` + allow + `"}`, `{"role":true}`, `{"role":` + refs("aws_iam_role.r", "count.index") + `}`},
			{"aws_iam_role_policy.p[1]", `{"name":"p","policy":"` + strings.ReplaceAll(allow, "GetObject", "PutObject") + `"}`, `{"role":true}`, ``}},
			"r1 s3:GetObject arn:aws:s3:::c/x", "denied"},
		"an index that is computed": {"", []item{role("aws_iam_role.r[0]", "r0"), role("aws_iam_role.r[1]", "r1"),
			{"aws_iam_role_policy.p[0]", `{"name":"p","policy":"` + allow + `"}`, `{"role":true}`, `{"role":` + refs("aws_iam_role.r", "count.index") + `}`}},
			"r1 s3:GetObject arn:aws:s3:::c/x", "unsure"},
		"a role that is not known": {"", []item{role("aws_iam_role.r", "r"),
			{"aws_iam_role_policy.p", `{"name":"p","policy":"` + allow + `"}`, `{"role":true}`, `{"role":` + refs("local.role") + `}`}},
			"r s3:GetObject arn:aws:s3:::c/x", "unsure"},
		"a policy that will be destroyed": {
			`[{"address":"aws_iam_role_policy.old","mode":"managed","type":"aws_iam_role_policy","name":"old","change":{"actions":["delete"],"before":{"role":"r","name":"old"},"after":null}}]`,
			[]item{{"aws_iam_role.r", `{"name":"r","arn":"arn:aws:iam::111122223333:role/r",` + lambdaTrust + `,"inline_policy":[{"name":"old","policy":"` + allow + `"}],"managed_policy_arns":[]}`, ``, `{"name":{"constant_value":"r"}}`}},
			"r s3:GetObject arn:aws:s3:::c/x", "denied"},
		"a policy that somebody else gave": {"",
			[]item{{"aws_iam_role.r", `{"name":"r","arn":"arn:aws:iam::111122223333:role/r",` + lambdaTrust + `,"inline_policy":[{"name":"other","policy":"` + allow + `"}],"managed_policy_arns":[]}`, ``, `{"name":{"constant_value":"r"}}`}},
			"r s3:GetObject arn:aws:s3:::c/x", "allowed"},
		"an attachment that will be destroyed": {
			`[{"address":"aws_iam_role_policy_attachment.old","mode":"managed","type":"aws_iam_role_policy_attachment","name":"old","change":{"actions":["delete"],"before":{"role":"r","policy_arn":"arn:aws:iam::aws:policy/ReadOnlyAccess"},"after":null}}]`,
			[]item{{"aws_iam_role.r", `{"name":"r","arn":"arn:aws:iam::111122223333:role/r",` + lambdaTrust + `,"inline_policy":[],"managed_policy_arns":["arn:aws:iam::aws:policy/ReadOnlyAccess"]}`, ``, `{"name":{"constant_value":"r"}}`}},
			"r s3:GetObject arn:aws:s3:::c/x", "denied"},
		"the policy of a queue that will be destroyed": {
			`[{"address":"aws_sqs_queue_policy.old","mode":"managed","type":"aws_sqs_queue_policy","name":"old","change":{"actions":["delete"],"before":{"queue_url":"https://sqs.eu-west-1.amazonaws.com/111122223333/q"},"after":null}}]`,
			[]item{role("aws_iam_role.r", "r"), {"aws_sqs_queue.q", `{"name":"q","arn":"arn:aws:sqs:eu-west-1:111122223333:q","policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":\"sqs:SendMessage\",\"Resource\":\"*\"}]}"}`, ``, `{"name":{"constant_value":"q"}}`}},
			"r sqs:SendMessage q", "denied"},
		"a managed policy of nobody's": {"", []item{role("aws_iam_role.r", "r"),
			{"aws_iam_role_policy_attachment.p", `{"role":"r","policy_arn":"arn:aws:iam::111122223333:policy/elsewhere"}`, ``, ``}},
			"r s3:GetObject arn:aws:s3:::c/x", "unsure"},
		"a policy for several": {"", []item{role("aws_iam_role.r", "r"),
			{"aws_iam_policy.p", `{"name":"p","path":"/a/","policy":"` + allow + `"}`, `{"arn":true,"id":true}`, `{"name":{"constant_value":"p"},"path":{"constant_value":"/a/"}}`},
			{"aws_iam_policy_attachment.p", `{"name":"p","roles":["r"],"users":null,"groups":null}`, `{"policy_arn":true}`, `{"policy_arn":` + refs("aws_iam_policy.p.arn", "aws_iam_policy.p") + `}`}},
			"r s3:GetObject arn:aws:s3:::c/x", "allowed"},
		"a boundary of the plan's": {"", []item{
			{"aws_iam_policy.p", `{"name":"p","policy":"` + strings.ReplaceAll(allow, "GetObject", "PutObject") + `"}`, `{"arn":true}`, `{"name":{"constant_value":"p"}}`},
			{"aws_iam_user.u", `{"name":"u"}`, `{"arn":true,"permissions_boundary":true}`, `{"name":{"constant_value":"u"},"permissions_boundary":` + refs("aws_iam_policy.p.arn", "aws_iam_policy.p") + `}`},
			{"aws_iam_user_policy.p", `{"user":"u","name":"p","policy":"` + allow + `"}`, ``, ``}},
			"u s3:GetObject arn:aws:s3:::c/x", "denied"},
		"a document over another": {"", []item{role("aws_iam_role.r", "r"), given,
			{"data.aws_iam_policy_document.base", `{"json":"{\"Statement\":[{\"Sid\":\"A\",\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"},{\"Effect\":\"Allow\",\"Action\":\"sqs:*\",\"Resource\":\"*\"}]}"}`, ``, ``},
			{"data.aws_iam_policy_document.d", `{"source_policy_documents":[null],"statement":[{"sid":"A","effect":"Deny","actions":["s3:*"],"resources":["*"]}]}`,
				`{"json":true,"source_policy_documents":[true],"statement":[{"resources":[false]}]}`, `{"source_policy_documents":` + refs("data.aws_iam_policy_document.base.json", "data.aws_iam_policy_document.base") + `,"statement":[{}]}`}},
			"r sqs:SendMessage arn:aws:sqs:us-east-1:111122223333:q", "allowed"},
		"principals in another order": {"", []item{role("aws_iam_role.r", "r"),
			{"aws_sqs_queue.q", `{"name":"q"}`, `{"arn":true}`, `{"name":{"constant_value":"q"}}`},
			{"data.aws_iam_policy_document.d", `{"statement":[{"actions":["sqs:SendMessage"],"resources":["*"],"principals":[{"type":"AWS","identifiers":[null]},{"type":"Service","identifiers":["sns.amazonaws.com"]}]}]}`,
				`{"json":true,"statement":[{"principals":[{"identifiers":[true]},{"identifiers":[false]}]}]}`,
				`{"statement":[{"principals":[{"type":{"constant_value":"Service"},"identifiers":{"constant_value":["sns.amazonaws.com"]}},{"type":{"constant_value":"AWS"},"identifiers":` + refs("aws_iam_role.r.arn", "aws_iam_role.r") + `}]}]}`},
			{"aws_sqs_queue_policy.q", `{"queue_url":"https://sqs.us-east-1.amazonaws.com/111122223333/q"}`, `{"policy":true}`, `{"policy":` + refs("data.aws_iam_policy_document.d.json") + `}`}},
			"aws_iam_role.r sqs:SendMessage q", "allowed"},
		"a tag that is not known": {"", []item{someone, tagged, {"aws_dynamodb_table.t", `{"name":"t","tags":{"a":"b"}}`, `{"arn":true,"tags":{"env":true},"tags_all":{"env":true}}`, `{"name":{"constant_value":"t"}}`}},
			"u dynamodb:GetItem t", "unsure"},
		"tags that are not known": {"", []item{someone, tagged, {"aws_dynamodb_table.t", `{"name":"t"}`, `{"arn":true,"tags":true,"tags_all":true}`, `{"name":{"constant_value":"t"}}`}},
			"u dynamodb:GetItem t", "unsure"},
		"tags that only their provider may add to": {"", []item{someone, tagged, {"aws_dynamodb_table.t", `{"name":"t"}`, `{"arn":true,"tags_all":true}`, `{"name":{"constant_value":"t"}}`}},
			"u dynamodb:GetItem t", "allowed"},
		"a policy of nobody knows which bucket": {"", []item{role("aws_iam_role.r", "r"), bucket,
			{"aws_iam_role_policy.p", `{"name":"p","role":"r","policy":"` + allow + `"}`, ``, ``},
			{"aws_s3_bucket_policy.b", `{"policy":"` + strings.Replace(allow, "Allow\\\"", "Deny\\\",\\\"Principal\\\":\\\"*\\\"", 1) + `"}`, `{"bucket":true}`, `{"bucket":` + refs("local.bucket") + `}`}},
			"r s3:GetObject b/x", "unsure"},
		"a permission of nobody knows which function": {"", []item{role("aws_iam_role.r", "r"),
			{"aws_lambda_function.f", `{"function_name":"f"}`, `{"arn":true,"role":true}`, `{"function_name":{"constant_value":"f"},"role":` + refs("aws_iam_role.r.arn", "aws_iam_role.r") + `}`},
			{"aws_lambda_permission.p", `{"action":"lambda:InvokeFunction","principal":"sns.amazonaws.com"}`, `{"function_name":true}`, `{"function_name":` + refs("local.function") + `}`}},
			"sns.amazonaws.com lambda:InvokeFunction f", "unsure"},
		"a permission of nobody knows which function for others": {"", []item{role("aws_iam_role.r", "r"),
			{"aws_iam_role_policy.p", `{"name":"p","role":"r","policy":"` + strings.Replace(allow, "s3:GetObject", "lambda:InvokeFunction", 1) + `"}`, ``, ``},
			{"aws_lambda_function.f", `{"function_name":"f"}`, `{"arn":true,"role":true}`, `{"function_name":{"constant_value":"f"},"role":` + refs("aws_iam_role.r.arn", "aws_iam_role.r") + `}`},
			{"aws_lambda_permission.p", `{"action":"lambda:InvokeFunction","principal":"sns.amazonaws.com"}`, `{"function_name":true}`, `{"function_name":` + refs("local.function") + `}`}},
			"aws_iam_role.r lambda:InvokeFunction f", "allowed"},
		"documents in a circle": {"", []item{role("aws_iam_role.r", "r"), given,
			{"data.aws_iam_policy_document.d", `{"source_policy_documents":[null]}`, `{"json":true,"source_policy_documents":[true]}`,
				`{"source_policy_documents":` + refs("data.aws_iam_policy_document.d.json", "data.aws_iam_policy_document.d") + `}`}},
			"r s3:GetObject arn:aws:s3:::c/x", "unsure"},
		"everybody's URL": {"", []item{role("aws_iam_role.r", "r"),
			{"aws_lambda_function.f", `{"function_name":"f"}`, `{"arn":true,"role":true}`, `{"function_name":{"constant_value":"f"},"role":` + refs("aws_iam_role.r.arn", "aws_iam_role.r") + `}`},
			{"aws_lambda_function_url.f", `{"function_name":"f","authorization_type":"NONE"}`, ``, ``}},
			"arn:aws:iam::444455556666:root lambda:InvokeFunctionUrl f", "denied"}, // without the key lambda:FunctionUrlAuthType
		"an alias": {"", []item{role("aws_iam_role.r", "r"),
			{"aws_lambda_function.f", `{"function_name":"f"}`, `{"arn":true,"role":true}`, `{"function_name":{"constant_value":"f"},"role":` + refs("aws_iam_role.r.arn", "aws_iam_role.r") + `}`},
			{"aws_lambda_alias.live", `{"name":"live","function_name":"f"}`, `{"arn":true}`, `{"name":{"constant_value":"live"}}`},
			{"aws_lambda_permission.p", `{"action":"lambda:InvokeFunction","function_name":"f","qualifier":"live","principal":"sns.amazonaws.com"}`, `{"statement_id":true}`, ``}},
			"sns.amazonaws.com lambda:InvokeFunction aws_lambda_alias.live", "allowed"},
		"an alias is not its function": {"", []item{role("aws_iam_role.r", "r"),
			{"aws_lambda_function.f", `{"function_name":"f"}`, `{"arn":true,"role":true}`, `{"function_name":{"constant_value":"f"},"role":` + refs("aws_iam_role.r.arn", "aws_iam_role.r") + `}`},
			{"aws_lambda_permission.p", `{"action":"lambda:InvokeFunction","function_name":"f","qualifier":"live","principal":"sns.amazonaws.com"}`, `{"statement_id":true}`, ``}},
			"sns.amazonaws.com lambda:InvokeFunction f", "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Load("p.json", planOf(t, c.changes, c.items...), options())
			if err != nil {
				t.Fatal(err)
			}
			words := strings.Fields(c.call)
			if got := ask(t, l, landscape.Call{Principal: words[0], Action: words[1], Resource: words[2]}); got != c.want {
				t.Errorf("got %s, want %s\n%s", got, c.want, shown(l))
			}
		})
	}
}

// What one plan gives to somebody whom another one declares counts.
func TestGivenElsewhere(t *testing.T) {
	deny := strings.Replace(allow, "Allow", "Deny", 1)
	for name, given := range map[string]item{
		"a document":                       {"aws_iam_role_policy.p", `{"name":"p","role":"r","policy":"` + deny + `"}`, ``, ``},
		"a document for nobody knows whom": {"aws_iam_role_policy.p", `{"name":"p","policy":"` + deny + `"}`, `{"role":true}`, `{"role":` + refs("local.role") + `}`},
		"a managed policy":                 {"aws_iam_role_policy_attachment.p", `{"role":"r","policy_arn":"arn:aws:iam::111122223333:policy/elsewhere"}`, ``, ``},
	} {
		l, err := Load("a.json", planOf(t, "", role("aws_iam_role.r", "r"), item{"aws_iam_role_policy.own", `{"name":"own","role":"r","policy":"` + allow + `"}`, ``, ``}), options())
		if err != nil {
			t.Fatal(err)
		}
		other, err := Load("b.json", planOf(t, "", given), options())
		if err != nil {
			t.Fatal(err)
		}
		l.Join(other)
		if got := ask(t, l, landscape.Call{Principal: "r", Action: "s3:GetObject", Resource: "arn:aws:s3:::c/x"}); got == "allowed" {
			t.Errorf("%s: got %s\n%s", name, got, shown(l))
		}
	}
}
