package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const sample = `{
  "Version": "2012-10-17",
  "Id": "an id",
  "Statement": [{
    "Sid": "one",
    "Effect": "Allow",
    "Principal": {"AWS": ["111122223333", "*"], "Service": "s3.amazonaws.com"},
    "Action": "lambda:Invoke*",
    "NotResource": ["arn:aws:lambda:*:*:function:\u0066"],
    "Condition": {"NumericEquals": {"s3:max-keys": [10, 1.50]}, "Bool": {"aws:SecureTransport": true}}
  }, {"Effect": "Deny", "NotPrincipal": "*", "NotAction": [], "Resource": "*"}]
}`

// at is the text of the sample's n-th occurrence of a piece of source, with its span.
func at(value, source string, n int) Text {
	start := -1
	for range n {
		start += 1 + strings.Index(sample[start+1:], source)
	}
	return Text{Value: value, Span: Span{start, start + len(source)}}
}

func spanFrom(from, to string) Span {
	start := strings.Index(sample, from)
	return Span{start, start + strings.Index(sample[start:], to) + len(to)}
}

func TestParse(t *testing.T) {
	got, err := Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{
		Source: []byte(sample), Version: Version2012, HasVersion: true, ID: "an id",
		VersionAt: spanFrom(`"2012`, `17"`), IDAt: spanFrom(`"an id"`, `"an id"`),
		Statements: []Statement{{
			Sid: "one", Effect: Allow,
			Principal: &Principals{
				Entries: []PrincipalEntry{
					{"AWS", at("111122223333", `"111122223333"`, 1)},
					{"AWS", at("*", `"*"`, 1)},
					{"Service", at("s3.amazonaws.com", `"s3.amazonaws.com"`, 1)},
				},
				Span: spanFrom(`{"AWS"`, "}"),
			},
			Action:      []Text{at("lambda:Invoke*", `"lambda:Invoke*"`, 1)},
			NotResource: []Text{at("arn:aws:lambda:*:*:function:f", `"arn:aws:lambda:*:*:function:\u0066"`, 1)},
			Condition: []Condition{
				{
					Operator: at("NumericEquals", `"NumericEquals"`, 1), Key: at("s3:max-keys", `"s3:max-keys"`, 1),
					Values: []Text{at("10", "10", 3), at("1.50", "1.50", 1)},
					Span:   spanFrom(`"s3:max-keys"`, "]"),
				},
				{
					Operator: at("Bool", `"Bool"`, 1), Key: at("aws:SecureTransport", `"aws:SecureTransport"`, 1),
					Values: []Text{at("true", "true", 1)},
					Span:   spanFrom(`"aws:SecureTransport"`, "true"),
				},
			},
			Span: spanFrom("{\n    \"Sid\"", "\n  }"),
			At: Places{
				Sid: at("", `"one"`, 1).Span, Effect: at("", `"Allow"`, 1).Span, Action: at("", `"lambda:Invoke*"`, 1).Span,
				NotResource: spanFrom(`["arn:aws:lambda`, "]"), Condition: spanFrom(`{"NumericEquals"`, "}}"),
			},
		}, {
			Effect:       Deny,
			NotPrincipal: &Principals{Any: true, Span: at("", `"*"`, 2).Span},
			NotAction:    []Text{},
			Resource:     []Text{at("*", `"*"`, 3)},
			Span:         spanFrom(`{"Effect": "Deny"`, "}"),
			At:           Places{Effect: at("", `"Deny"`, 1).Span, NotAction: spanFrom(`[], "Res`, "[]"), Resource: at("", `"*"`, 3).Span},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse: -want +got\n%s", diff)
	}
}

func TestParseSingleStatementAndDefaults(t *testing.T) {
	text := []byte(` {"Statement":{"Effect":"Allow"}}` + "\r\n\t")
	got, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{Version: Version2008, Statements: []Statement{{Effect: Allow, Span: Span{14, 32}, At: Places{Effect: Span{24, 31}}}}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Document{}, "Source")); diff != "" {
		t.Errorf("Parse: -want +got\n%s", diff)
	}
	text[0] = 'x'
	if got.Source[0] != ' ' {
		t.Error("Source is not a private copy")
	}
}

func TestParseErrors(t *testing.T) {
	statement := func(elements string) string { return `{"Statement":[{"Effect":"Deny",` + elements + `}]}` }
	for _, test := range []struct {
		text    string
		offset  int
		message string
		notJSON bool
	}{
		{``, 0, "the text ends where a value should be", true},
		{`{`, 1, "the text ends where a name in quotes should be", true},
		{`{]`, 1, "found ']' where a name in quotes should be", true},
		{`{"a" 1}`, 5, "found '1' where a colon should be", true},
		{`{"a":1`, 6, "the text ends where a comma or '}' should be", true},
		{`{"a":1,}`, 7, "found '}' where a name in quotes should be", true},
		{`["a",]`, 5, "found ']' where a value should be", true},
		{`{} x`, 3, "text after the end of the policy", true},
		{"\xef\xbb\xbf{}", 0, "found '\\ufeff' where a value should be", true},
		{"\xff", 0, "invalid UTF-8", true},
		{"[\"a\xc0\xaf\"]", 3, "invalid UTF-8", true},
		{"[\"a\nb\"]", 3, "control character '\\n' in a string", true},
		{`["a`, 1, "string without end", true},
		{`["a\`, 3, "string without end", true},
		{`["\x"]`, 2, "unknown escape in a string", true},
		{`["\u12"]`, 2, `invalid \u escape in a string`, true},
		{`["\ud800"]`, 2, `invalid \u escape in a string`, true},
		{`["\ud800\u0041"]`, 2, `invalid \u escape in a string`, true},
		{`["\udc00\ud800"]`, 2, `invalid \u escape in a string`, true},
		{`[01]`, 2, "found '1' where a comma or ']' should be", true},
		{`[-]`, 2, "found ']' where a digit should be", true},
		{`[1.]`, 3, "found ']' where a digit should be", true},
		{`[1e+]`, 4, "found ']' where a digit should be", true},
		{`[NaN]`, 1, "found 'N' where a value should be", true},
		{`{"a":1,"a":2}`, 7, `duplicate element "a"`, false},
		{`{"a":1,"\u0061":2}`, 7, `duplicate element "a"`, false},
		{strings.Repeat("[", 1000), maxDepth + 1, "nested too deeply", false},
		{`[]`, 0, "the policy is an array; it must be an object", false},
		{`null`, 0, "the policy is null; it must be an object", false},
		{`{}`, 0, "a policy needs a Statement", false},
		{`{"Statement":[]}`, 0, "a policy needs a Statement", false},
		{`{"Statement":"x"}`, 13, "a statement is a string; it must be an object", false},
		{`{"Statement":[{}, 1]}`, 14, "a statement needs an Effect", false},
		{`{"statement":[]}`, 1, `unknown element "statement" in a policy`, false},
		{`{"Version":"2013-10-17"}`, 11, `unknown Version "2013-10-17"`, false},
		{`{"Version":2012}`, 11, "Version is a number; it must be a string", false},
		{`{"Id":{}}`, 6, "Id is an object; it must be a string", false},
		{statement(`"Effect":"Deny"`), 31, `duplicate element "Effect"`, false},
		{statement(`"effect":"Deny"`), 31, `unknown element "effect" in a statement`, false},
		{`{"Statement":{"Effect":"allow"}}`, 23, `Effect is "allow"; it must be "Allow" or "Deny"`, false},
		{`{"Statement":{"Effect":""}}`, 23, `Effect is ""; it must be "Allow" or "Deny"`, false},
		{statement(`"Sid":7`), 37, "Sid is a number; it must be a string", false},
		{statement(`"Action":1`), 40, "a value of Action is a number; it must be a string", false},
		{statement(`"Action":[["a"]]`), 41, "a value of Action is an array; it must be a string", false},
		{statement(`"Resource":{}`), 42, "a value of Resource is an object; it must be a string", false},
		{statement(`"Action":[],"NotAction":[]`), 14, "a statement has both Action and NotAction", false},
		{statement(`"Resource":"*","NotResource":"*"`), 14, "a statement has both Resource and NotResource", false},
		{statement(`"Principal":"*","NotPrincipal":"*"`), 14, "a statement has both Principal and NotPrincipal", false},
		{statement(`"Principal":"111122223333"`), 43, `Principal must be "*" or an object`, false},
		{statement(`"Principal":{"aws":"*"}`), 44, `unknown type of principal "aws"`, false},
		{statement(`"Principal":{"AWS":true}`), 50, "a value of AWS is a boolean; it must be a string", false},
		{statement(`"Condition":[]`), 43, "Condition is an array; it must be an object", false},
		{statement(`"Condition":{"Bool":"x"}`), 51, "Bool is a string; it must be an object", false},
		{statement(`"Condition":{"Bool":{"a":null}}`), 56, "a value of a is null; it must be a string", false},
		{statement(`"Condition":{"Bool":{"a":[{}]}}`), 57, "a value of a is an object; it must be a string", false},
	} {
		d, err := Parse([]byte(test.text))
		got, ok := errors.AsType[*SyntaxError](err)
		if !ok {
			t.Errorf("Parse(%.60q) = %v, %v; want a SyntaxError", test.text, d, err)
			continue
		}
		want := &SyntaxError{Offset: test.offset, Position: Position{1, test.offset + 1}, Message: test.message, NotJSON: test.notJSON}
		if got.Code == "" || got.End < got.Offset || got.End > len(test.text) {
			t.Errorf("Parse(%.60q): code %q, end %d", test.text, got.Code, got.End)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(SyntaxError{}, "Code", "End")); diff != "" {
			t.Errorf("Parse(%.60q): -want +got\n%s", test.text, diff)
		}
	}
}

func TestSyntaxErrorPosition(t *testing.T) {
	_, err := Parse([]byte("{\n \"Version\": 1\n}"))
	if got, want := err.Error(), "line 2, column 13: Version is a number; it must be a string"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestParseStrings(t *testing.T) {
	d, err := Parse([]byte(`{"Id":"\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00é","Statement":{"Effect":"Deny"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := "\"\\/\b\f\n\r\té😀é"; d.ID != want {
		t.Errorf("Id %q, want %q", d.ID, want)
	}
}

// ignorePlaces compares documents by what they say.
var ignorePlaces = cmp.Options{
	cmpopts.IgnoreTypes(Span{}, []Span(nil)),
	cmpopts.IgnoreFields(Document{}, "Source"),
}

func TestPrint(t *testing.T) {
	d, err := Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Version":"2012-10-17","Id":"an id","Statement":[{"Sid":"one","Effect":"Allow",` +
		`"Principal":{"AWS":["111122223333","*"],"Service":"s3.amazonaws.com"},"Action":"lambda:Invoke*",` +
		`"NotResource":"arn:aws:lambda:*:*:function:f",` +
		`"Condition":{"NumericEquals":{"s3:max-keys":["10","1.50"]},"Bool":{"aws:SecureTransport":"true"}}},` +
		`{"Effect":"Deny","NotPrincipal":"*","NotAction":[],"Resource":"*"}]}`
	if diff := cmp.Diff(want, string(Print(d))); diff != "" {
		t.Errorf("Print: -want +got\n%s", diff)
	}
}
