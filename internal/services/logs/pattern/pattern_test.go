package pattern

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Messages and patterns are those of
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html, where a row does not say otherwise.
const (
	trail = `{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
		"objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "ThisFlag": true, "cluster.name": "c"}`
	users = `{"user": {"id": 1, "email": "John.Stiles@example.com"}, "users": [{"id": 2, "email": "John.Doe@example.com"},
		{"id": 3, "email": "Jane.Doe@example.com"}], "actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]]}`
	access = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
)

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern string
		matches []string
		others  []string
	}{
		{"", []string{"", "anything"}, nil},
		{`" "`, []string{"", "x y"}, nil},
		{"ERROR", []string{"[ERROR 400] BAD REQUEST", "Exiting with ERRORCODE: -1"}, []string{"error", "[WARN] x"}},
		{"ERROR ARGUMENTS", []string{"[ERROR 419] MISSING ARGUMENTS"}, []string{"[ERROR 400] BAD REQUEST", "ARGUMENTS"}},
		{"?ERROR ?ARGUMENTS", []string{"[ERROR 400] BAD REQUEST", "ARGUMENTS"}, []string{"[INFO] REQUEST FAILED"}},
		{"?ERROR ?ARGUMENTS REQUEST", []string{"[INFO] REQUEST FAILED", "[ERROR] 400 BAD REQUEST"}, []string{"ERROR"}},
		{`"INTERNAL SERVER ERROR"`, []string{"[ERROR 500] INTERNAL SERVER ERROR"}, []string{"INTERNAL ERROR SERVER"}},
		{"ERROR -ARGUMENTS", []string{"[ERROR 400] BAD REQUEST"}, []string{"[ERROR 419] MISSING ARGUMENTS", "x"}},
		{`"ERROR" - "Exiting"`, []string{"[ERROR] A fatal exception"}, []string{"Exiting with ERRORCODE: -1"}},
		{"-ERROR", []string{"", "fine"}, []string{"an ERROR"}},
		{`"a \"b\" \\ c"`, []string{`x a "b" \ c y`}, []string{"a b c"}},
		{"%AUTHORIZED%", []string{"[ERROR 401] UNAUTHORIZED REQUEST", "[SUCCESS 200] AUTHORIZED"}, []string{"authorized"}},
		{"%^[hc]at%", []string{"hat", "cat x"}, []string{"a hat", "bat"}},
		{"%[hc]at$%", []string{"a hat", "cat\n"}, []string{"hats", "cat\nx"}},
		{"%colou?r%", []string{"color", "colour"}, []string{"colouur"}},
		{"%^a{,2}$%", []string{"", "a", "aa"}, []string{"aaa"}},
		{"%^a{3,5}$%", []string{"aaa", "aaaaa"}, []string{"aa", "aaaaaa"}},
		{"%^starting|^initializing|^shutting down%", []string{"starting ...", "shutting down"}, []string{"skipping initializing ..."}},
		{`%\[.\]%`, []string{"[a]", "[]]", "[ ]"}, []string{"[]", "a"}},
		{`%10\.10\.0\.1%`, []string{"from 10.10.0.1"}, []string{"10010,051"}},
		{`%\x28\d\W\s%`, []string{"(1- "}, []string{"(a- "}},
		{`-%a+%`, []string{"b"}, []string{"bab"}},

		{"[ip=%127\\.0\\.0\\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]", []string{access},
			[]string{strings.Replace(access, "404", "200", 1), "x " + access, "127.0.0.1"}},
		{"[..., request =*.html*, status_code = 4*, bytes]", []string{access, "x " + access}, []string{access + " x"}},
		{"[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]",
			[]string{access, strings.Replace(access, "404", "410", 1)}, []string{strings.Replace(access, "404", "401", 1)}},
		{"[ip, user, ..., bytes > 1000]", []string{access}, []string{strings.Replace(access, "1534", "999", 1), strings.Replace(access, "1534", "many", 1)}},
		{"[w1=ERROR, w2]", []string{"ERROR 09/25/2014 12:00:02 Failed to process request"}, []string{"INFO x", "ERROR"}},
		{"[w1!=ERROR && w1!=WARNING, w2]", []string{"INFO 09/25/2014 12:00:00 GET"}, []string{"ERROR x", "WARNING x"}},
		{"[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]",
			[]string{"INFO 09/25/2014 12:00:00 GET /service/resource/67 1200"},
			[]string{"INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310"}},
		// The pattern that the console offers for functions, and lines of Node.js.
		{`[timestamp=*Z, request_id="*-*", event]`, []string{"2020-01-01T00:00:00.000Z\t1-2\tINFO\tHello to you\n"}, []string{"START RequestId: 1-2"}},
		{"[a=(1), b]", nil, nil},

		{`{ $.eventType = "UpdateTrail" }`, []string{trail, "\n " + trail + "\n"}, []string{users, "UpdateTrail", trail + "}", "x " + trail, ""}},
		{"{ $.sourceIPAddress != 123.123.* }", []string{trail}, []string{strings.Replace(trail, "111.111", "123.123", 1), "{}"}},
		{`{ $.arrayKey[0] = "value" }`, []string{trail}, []string{`{"arrayKey": "value"}`, `{"arrayKey": []}`}},
		{"{ $.objectList[1].id = 2 }", []string{trail}, []string{`{"objectList": [1, 2]}`, `{"objectList": [{}, {"id": 1}]}`}},
		{"{ $.SomeObject IS NULL }", []string{trail}, []string{"{}", `{"SomeObject": 0}`}},
		{"{ $.SomeOtherObject NOT EXISTS }", []string{trail}, []string{`{"SomeOtherObject": null}`, "text"}},
		{"{ $.ThisFlag IS TRUE }", []string{trail}, []string{`{"ThisFlag": false}`, `{"ThisFlag": "true"}`}},
		{"{ $.ThisFlag IS FALSE }", []string{`{"ThisFlag": false}`}, []string{trail}},
		{"{ $.eventType = %Trail% }", []string{trail}, []string{users}},
		{"{ $.arrayKey[*] = %val.{2}% }", []string{trail}, []string{`{"arrayKey": ["val"]}`}},
		{`{ $.* = %111\.111\.111\.1[0-9]{1,2}% }`, []string{trail}, []string{users}},
		{"{ $.['cluster.name'] = \"c\" }", []string{trail}, []string{`{"cluster": {"name": "c"}}`}},
		{`{ $.detail-type = "x" }`, []string{`{"detail-type": "x"}`}, nil},
		{"{ $.users = 1 || $.users != 1 }", nil, []string{`{"users": [1, 2, 3]}`, users}},
		{`{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }`, []string{users}, []string{trail}},
		{`{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }`, nil, []string{users}},
		{`{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }`, []string{users}, nil},
		{`{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }`, nil, []string{users}},
		{"{ $.latency >= 500 }", []string{`{"latency": 500}`, `{"latency": 5.5e2}`}, []string{`{"latency": 499.9}`, `{"latency": "900"}`, `{}`}},
		{"{ $.numbers[0] < 10e-3 }", []string{`{"numbers": [0.001]}`}, []string{`{"numbers": [1]}`, `{"numbers": 0}`}},
		{"{ $.latency > +1000 }", []string{`{"latency": 1001}`}, []string{`{"latency": 1000}`}},
		{"{ $.n <= -1.5 }", []string{`{"n": -2}`}, []string{`{"n": -1}`}},
		{"{ $.number[0] = 1e+3 }", []string{`{"number": [1000]}`}, []string{`{"number": [1001]}`}},
		{`{ $.latency = "*" }`, []string{`{"latency": 0}`, `{"latency": "x"}`}, []string{"{}", `{"latency": null}`}},
		{`{ $.a = "*b*c*" }`, []string{`{"a": "xb*cx"}`}, []string{`{"a": "bxc"}`}},
		{"{($.eventSource = kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=ScheduleKeyDeletion))}",
			[]string{`{"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}`}, []string{`{"eventSource": "kms.amazonaws.com"}`}},
	} {
		p, err := Parse(test.pattern)
		if len(test.matches)+len(test.others) == 0 {
			if err == nil {
				t.Errorf("%s: no error", test.pattern)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		for _, m := range test.matches {
			if !p.Match(m) {
				t.Errorf("%s does not match %q", test.pattern, m)
			}
		}
		for _, m := range test.others {
			if p.Match(m) {
				t.Errorf("%s matches %q", test.pattern, m)
			}
		}
	}
}

// Texts without a comment are ours, for no user has quoted AWS's.
func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		pattern string
		offset  int
		message string
	}{
		{"{$.a=", 4, "If a filter pattern starts with '{' it must end with '}'"}, // jorgebastida/awslogs#210
		{" [a, b", 5, "If a filter pattern starts with '[' it must end with ']'"},
		{"{", 0, "If a filter pattern starts with '{' it must end with '}'"},
		{`""`, 0, `Invalid character(s) in term '""'`}, // DefangLabs/defang#1008
		{"?Status: timeout", 7, "Invalid character(s) in term ':'"},
		{"a (b)", 2, "Invalid character(s) in term '('"},
		{`{ $."sc-status" = 5* }`, 2, `Invalid character(s) in term '$."'`},
		{"%a(b)%", 2, "Invalid character(s) in term '('"},
		{`%a\(b%`, 2, `Invalid character(s) in term '\('`},
		{"%something!%", 10, "Invalid character(s) in term '!'"},
		{`%\b%`, 1, `Invalid character(s) in term '\b'`},
		{`%\x2%`, 1, `Invalid character(s) in term '\x'`},
		{"%a", 0, "Invalid character(s) in term '%'"},
		{"%%", 0, "Invalid character(s) in term '%%'"},
		{"%a{1001}%", 0, "Invalid filter pattern"},
		{"%[a%", 0, "Invalid filter pattern"},
		{"é", 0, "Invalid character(s) in term 'é'"},
		{"a -", 3, "Invalid filter pattern"},
		{`"open`, 0, `Invalid character(s) in term '"'`},
		// awsdocs/amazon-cloudwatch-logs-user-guide#21
		{"[ip, user, username, timestamp, request, status_code = 4* && bytes > 1000]", 61, "Invalid filter pattern"},
		{"[..., a, ...]", 9, "Invalid filter pattern"},
		{"[a=%a%, b=%b%, c=%c%]", 20, "Invalid filter pattern"},
		{"[a > x]", 4, "Invalid filter pattern"},
		{"[a b]", 3, "Invalid filter pattern"},
		{"[a=1 | a=2]", 5, "Invalid character(s) in term '|'"},
		{"{ a = 1 }", 2, "Invalid filter pattern"},
		{"{ $ = 1 }", 2, "Invalid character(s) in term '$'"},
		{"{ $.a }", 6, "Invalid filter pattern"},
		{"{ $.a IS x }", 9, "Invalid filter pattern"},
		{"{ $.a IS NOT NULL }", 9, "Invalid filter pattern"},
		{"{ $.a EXISTS }", 6, "Invalid filter pattern"},
		{"{ $.a NOT x }", 10, "Invalid filter pattern"},
		{"{ $.a = 'Root' }", 8, "Invalid character(s) in term '''"}, // hashicorp/terraform#17078
		{"{ ($.a = 1 }", 11, "Invalid filter pattern"},
		{"{ $.a = 1) }", 9, "Invalid character(s) in term ')'"},
		{"{ $.a[x] = 1 }", 6, "Invalid filter pattern"},
		{"{ $.a[1 = 1 }", 7, "Invalid filter pattern"},
		{"{ $.a['b = 1 }", 6, "Invalid character(s) in term '''"},
		{"{ $.*[*] = 1 }", 2, "Invalid filter pattern"},
		{"{ $.* = 1 || $.* = 2 || $.* = 3 || $.* = 4 }", 35, "Invalid filter pattern"},
		{strings.Repeat("a", MaxLength+1), MaxLength + 1, "Invalid filter pattern"},
	} {
		_, err := Parse(test.pattern)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Offset != test.offset || e.Message != test.message {
			t.Errorf("%s: got %+v, want %d: %s", test.pattern, err, test.offset, test.message)
		}
	}
}

func TestFields(t *testing.T) {
	p, err := Parse("[..., request=*.html*, status_code=4*,]")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"status_code": "404", "request": "GET /index.html HTTP/1.0", "7": "1534", "4": "10/Oct/2000:13:25:15 -0700",
		"3": "frank", "2": "Prod", "1": "127.0.0.1",
	}
	if diff := cmp.Diff(want, p.Fields(access)); diff != "" {
		t.Error(diff)
	}
	terms, err := Parse("ERROR")
	if err != nil || terms.Fields("ERROR") != nil || terms.HasFields() || !p.HasFields() {
		t.Errorf("terms have no fields: %v", err)
	}
	json, err := Parse("{ $.a = 1 }")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][3]bool{
		"$status_code": {true, false, false}, "status_code": {}, "$none": {}, "$": {}, "$.a": {false, true, false}, "$.b[0]": {false, true, false},
	} {
		if got := [3]bool{p.Extracts(name), json.Extracts(name), terms.Extracts(name)}; got != want {
			t.Errorf("%s: extracted by fields, JSON, terms: %v, want %v", name, got, want)
		}
	}
}

func TestSelector(t *testing.T) {
	for selector, want := range map[string]string{
		"$.eventType": "UpdateTrail", "$.objectList[1].id": "2", "$.SomeObject": "", "$.none": "", "$.ThisFlag": "", "$.['cluster.name']": "c",
	} {
		s, err := ParseSelector(selector)
		if err != nil {
			t.Errorf("%s: %v", selector, err)
			continue
		}
		if got, ok := s.Value(trail); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %v", selector, got, ok)
		}
	}
	for _, selector := range []string{"", "a", "$", "$.", "$.a ", "$.a = 1"} {
		if _, err := ParseSelector(selector); err == nil {
			t.Errorf("%q: no error", selector)
		}
	}
}

// No text and no message make it panic, and an error points into the text.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "ERROR -x ?y", `"a b" %c+%`, "[a, b=1 || b=2, ..., c>3]", `{ $.a[*]['b'] != "x*" && ($.c IS NULL || $.d NOT EXISTS) }`, "{ $.['", "[=",
	} {
		f.Add(seed, trail)
		f.Add(seed, access)
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		p, err := Parse(text)
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Offset < 0 || e.Offset > len(text) || e.Message == "" {
				t.Fatalf("error %#v of %q", err, text)
			}
			return
		}
		p.Match(message)
		p.Fields(message)
	})
}
