package permissiontest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/landscape"
)

const photos = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/public/*"}]}`

// options has one file of policies, one managed policy, and two actions of which one is like a third.
func options() Options {
	return Options{
		ReadFile: func(path string) ([]byte, error) {
			switch path {
			case "dir/photos.json":
				return []byte(photos), nil
			case "dir/source.txt":
				return []byte("source"), nil
			case "dir/cut.json":
				return []byte("{\n\"Resources\": {},\n}"), nil
			case "dir/cut.yaml":
				return []byte("Resources:\n  A: {B: c\n"), nil
			}
			return nil, fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
		},
		ManagedPolicy: func(arn string) (string, bool) {
			return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}`, arn == "arn:aws:iam::aws:policy/Logs"
		},
		Action: func(action string) (string, bool) {
			if action == "s3:GetObjekt" {
				return "s3:GetObject", false
			}
			return "", strings.HasPrefix(action, "s3:") || strings.HasPrefix(action, "logs:") || action == "sts:AssumeRole"
		},
		Resource: func(action, resource string) string {
			if action == "s3:DeleteObject" && resource == "*" {
				return "which object?"
			}
			return ""
		},
		Key: func(_, key string) bool { return key != "aws:SorceArn" },
		Loaders: []Loader{{
			Takes: func(text []byte) bool { return string(text) == "source" },
			Load: func(name string, _ []byte, s Settings) (*landscape.Landscape, error) {
				if s.Parameters["Fail"] != "" {
					return nil, errors.New("the template is broken")
				}
				l := &landscape.Landscape{Partition: s.Partition, Account: s.Account, Region: s.Region, Parameters: []string{"Fail"}}
				l.Resources = []*landscape.Resource{{ARN: "arn:aws:s3:::of-source", Names: []string{"OfSource"}}}
				l.Note(landscape.Place{File: name, Line: 7}, "a note")
				l.Calls = []landscape.Call{{Principal: "worker", Action: "s3:GetObject", Resource: "OfSource/x", Why: "to read its source"}}
				return l, nil
			},
		}},
	}
}

const sample = `account: "111122223333"
region: eu-west-1
sources: [source.txt]
sufficient: true
principals:
  worker:
    policies:
      - arn:aws:iam::aws:policy/Logs
      - Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: s3:GetObject
            Resource: arn:aws:s3:::of-source/*
          - {Effect: Deny, Action: s3:DeleteObject, Resource: "*"}
          - {Effect: Allow, Action: s3:ListAllMyBuckets, Resource: "*"}
    boundary: {Version: "2012-10-17", Statement: [{Effect: Allow, NotAction: s3:ListAllMyBuckets, Resource: "*"}]}
    tags: {team: blue}
  alice: {kind: user, policies: []}
resources:
  Photos: {arn: "arn:aws:s3:::photos", policy: photos.json}
tests:
  - name: all
    as: [worker, alice]
    can: s3:GetObject Photos/public/a
    missing:
      - s3:GetObject,s3:PutObject Photos/a Photos/b
  - as: worker
    cannot:
      - {action: s3:DeleteObject, resource: Photos/a, by: identity-based policy}
      - {action: s3:ListAllMyBuckets, by: permissions boundary}
  - name: wrong
    as: worker
    can: [s3:PutObject Photos/a]
    cannot: [s3:GetObject OfSource/a, {action: s3:DeleteObject, resource: Photos/a, by: permissions boundary}]
    missing: [s3:DeleteObject Photos/a, s3:ListAllMyBuckets]
  - name: not decided
    as: nobody
    can: [s3:PutObject Photos/a]
  - name: not known
    as: arn:aws:iam::111122223333:role/elsewhere
    can: [s3:PutObject Photos/a]
`

func read(t *testing.T, text string) *File {
	t.Helper()
	f, err := Read("dir/x.licet.yaml", []byte(text), options())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func run(t *testing.T, f *File, chosen func(string) bool) []Result {
	t.Helper()
	results, err := Run(t.Context(), f, Offline{f.Landscape, time.Unix(1_800_000_000, 0)}, chosen, nil)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func all(string) bool { return true }

func TestRun(t *testing.T) {
	var got []string
	for _, r := range run(t, read(t, sample), all) {
		got = append(got, fmt.Sprintf("%s: %s: %s %s", r.Test, r.Case, r.Verdict, r.Reason))
	}
	want := `roles and policies suffice for what is configured: worker can s3:GetObject OfSource/x: passed 
all: worker can s3:GetObject Photos/public/a: passed 
all: alice can s3:GetObject Photos/public/a: passed 
all: worker is missing s3:GetObject Photos/a: passed 
all: alice is missing s3:GetObject Photos/a: passed 
all: worker is missing s3:GetObject Photos/b: passed 
all: alice is missing s3:GetObject Photos/b: passed 
all: worker is missing s3:PutObject Photos/a: passed 
all: alice is missing s3:PutObject Photos/a: passed 
all: worker is missing s3:PutObject Photos/b: passed 
all: alice is missing s3:PutObject Photos/b: passed 
worker: worker cannot s3:DeleteObject Photos/a: passed 
worker: worker cannot s3:ListAllMyBuckets: passed 
wrong: worker can s3:PutObject Photos/a: failed It is denied.
wrong: worker cannot s3:GetObject OfSource/a: failed It is allowed.
wrong: worker cannot s3:DeleteObject Photos/a: failed It is decided by the identity-based policy.
wrong: worker is missing s3:DeleteObject Photos/a: failed Nothing is missing: a statement denies it.
wrong: worker is missing s3:ListAllMyBuckets: passed 
not decided: nobody can s3:PutObject Photos/a: broken there is no principal "nobody": it must be the name or ARN of a user, role or function, or a service such as s3.amazonaws.com; known are alice, worker
not known: arn:aws:iam::111122223333:role/elsewhere can s3:PutObject Photos/a: unsure It depends on what is not known: policies of arn:aws:iam::111122223333:role/elsewhere: the principal is not declared here.`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

func TestSummary(t *testing.T) {
	results := run(t, read(t, sample), func(test string) bool { return strings.HasPrefix(test, "not") || test == "wrong" })
	s := Sum(results)
	if got := s.String(); got != "7 calls in 3 tests: 1 as expected, 4 not, 1 unsure, 1 broken" || s.OK() {
		t.Errorf("got %s, %t", got, s.OK())
	}
	if (Summary{}).OK() {
		t.Error("no case at all is no success")
	}
}

func TestReadErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "x.licet.yaml:1: there is nothing in it: a file has tests"},
		"not YAML":       {"region: x\na: {b: c\n", "x.licet.yaml:2: did not find expected"},
		"no YAML":        {"region: x\n\n\tb: c", "x.licet.yaml:3: found a tab character"},
		"a list":         {"[]", "1:1: a file of tests must be a mapping"},
		"no tests":       {"region: x", "there are no tests"},
		"unknown key":    {"test: []", `1:1: a file of tests has no "test"; it has sources`},
		"twice":          {"tests: []\ntests: []", `"tests" is there twice`},
		"unknown action": {"tests:\n  - as: x\n    can: s3:GetObjekt", "3:10: AWS has no action s3:GetObjekt; did you mean s3:GetObject?"},
		"no such action": {"tests:\n  - as: x\n    can: what:Ever", "AWS has no action what:Ever"},
		"no principal":   {"tests:\n  - can: s3:GetObject", "2:5: a test must say as whom it calls"},
		"nothing wanted": {"tests:\n  - as: x", "a test must expect something"},
		"same name":      {"tests:\n  - {as: x, can: s3:A}\n  - {as: x, can: s3:A}", "another test has the name"},
		"account":        {"account: 123", "account must have twelve digits"},
		"no file":        {"principals: {a: {policies: [none.json]}}", "file does not exist"},
		"no managed":     {"principals: {a: {policies: ['arn:aws:iam::aws:policy/None']}}", "AWS has no managed policy"},
		"bad policy":     {"principals: {a: {policies: [{Statement: 1}]}}", "a at line 1"},
		"kind":           {"principals: {a: {kind: group}}", "kind must be role or user"},
		"trust":          {"principals: {a: {kind: user, trust: photos.json}}", "users have no trust policy"},
		"arn of other":   {"principals: {a: {arn: 'arn:aws:iam::1:user/a'}}", "this is not the ARN of a role"},
		"no arn":         {"resources: {a: {}}", "the resource must have its arn"},
		"source":         {"sources: photos.json", "is neither a CloudFormation"},
		"source cut off": {"sources: cut.json", "x.licet.yaml:1:10: cut.json is neither"},
		"and where":      {"sources: cut.json", "cut.json:3: invalid character"},
		"not a template": {"sources: cut.yaml", "cut.yaml:2: did not find"},
		"broken source":  {"sources: source.txt\nparameters: {Fail: x}", "1:10: the template is broken"},
		"by":             {"tests:\n  - {as: x, cannot: {action: s3:A, by: law}}", "by must be one of"},
		"alias":          {"a: &a [1]\ntests: *a", "aliases are not read here"},
		"deep":           {"tests: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "nested too deeply"},
		"null":           {"tests:\n  - {as: x, can: }", "a call must be a text"},
		"source unknown": {"tests:\n  - {as: s3.amazonaws.com, source: Nothing, can: s3:A}", `there is no resource "Nothing"`},
		"resource":       {"tests:\n  - {as: x, cannot: s3:DeleteObject}", "2:21: which object?"},
		"key":            {"tests:\n  - {as: x, context: {aws:SorceArn: y}, cannot: s3:A x}", "calls of s3:A have no condition key aws:SorceArn"},
		"parameter":      {"sources: source.txt\nparameters: {Fial: x}", `2:14: no source has a parameter "Fial"`},
		"declared twice": {"principals: {a: {}, b: {arn: 'arn:aws:iam::123456789012:role/a'}}", "is declared already"},
		"two documents":  {"tests:\n  - {as: x, can: s3:A}\n---\ntests: []", "a file has one document"},
		"tag":            {"principals: {a: {policies: [{Statement: [{Resource: !Sub '${X}'}]}]}}", "!Sub is for templates"},
		"needs nothing":  {"sufficient: true", "nothing in the sources needs a permission"},
		"levels":         {"organization: {scps: x}", "must be a list of levels"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read("dir/x.licet.yaml", []byte(c.text), options())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// An account is twelve digits, whatever YAML makes of them.
func TestAccountsOfPolicies(t *testing.T) {
	f := read(t, `resources:
  Photos:
    arn: arn:aws:s3:::photos
    policy: {Version: 2012-10-17, Statement: {Effect: Allow, Principal: {AWS: [012345670123, 012345678901]}, Action: s3:GetObject, Resource: "*"}}
tests:
  - {as: ["arn:aws:iam::012345670123:root", "arn:aws:iam::012345678901:root"], can: s3:GetObject Photos/a}
`)
	for _, r := range run(t, f, all) {
		if r.Verdict != Passed {
			t.Errorf("%s: %s", r.Case, r.Reason)
		}
	}
}

// Where something may deny a call, not only a statement may be missing.
func TestMissingButMaybeDenied(t *testing.T) {
	f := read(t, sample)
	b := landscape.Anything("imported", "what it says")
	none, err := landscape.ParsePolicy("none", "", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	f.Landscape.Principals[0].Policies, f.Landscape.Principals[0].Boundary = []landscape.Policy{none}, &b
	for _, r := range run(t, f, func(name string) bool { return name == "all" }) {
		if r.Case.Want == Missing && r.Case.Call.Principal == "worker" && r.Verdict != Unsure {
			t.Errorf("%s: %s", r.Case, r.Verdict)
		}
	}
}

func TestOutputs(t *testing.T) {
	f := read(t, sample)
	results := run(t, f, all)
	var b bytes.Buffer
	if err := WriteJUnit(&b, results, 1500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(b.Bytes(), &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 20 || suites.Failures != 4 || suites.Errors != 2 || len(suites.Suites) != 6 || suites.Time != "1.500" {
		t.Errorf("JUnit: got %+v", suites)
	}
	b.Reset()
	if err := WriteJSON(&b, results); err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(b.Bytes(), &list); err != nil || len(list) != 20 {
		t.Errorf("JSON: got %d results, %v", len(list), err)
	}
	for _, r := range list {
		if (r["explanation"] == nil) != (r["verdict"] == "broken" || r["verdict"] == "unsure") {
			t.Errorf("JSON: got %v", r)
		}
	}
	b.Reset()
	if err := WriteGitHub(&b, results); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 6 || !strings.HasPrefix(lines[0], "::error file=dir/x.licet.yaml,line=33,title=worker can s3%3APutObject Photos/a::failed: It is denied.%0ADENIED: User") {
		t.Errorf("GitHub: got %d lines, %s", len(lines), lines[0])
	}
	b.Reset()
	if err := WriteGitHubError(&b, &Error{At: landscape.Place{File: "dir/x.licet.yaml", Line: 3}, Message: "100% wrong"}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != "::error file=dir/x.licet.yaml,line=3,title=The file cannot be used::100%25 wrong\n" {
		t.Errorf("GitHub: got %s", got)
	}
	var text strings.Builder
	for _, l := range Report(f, results) {
		for _, p := range l {
			text.WriteString(p.Text)
		}
		text.WriteString("\n")
	}
	for _, want := range []string{"  note  dir/source.txt:7: a note\n", "  ✓ all  (10 calls)\n", "  ✗ wrong  (5 calls)\n    dir/x.licet.yaml:33  worker can s3:PutObject Photos/a\n      failed: It is denied.\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, text.String())
		}
	}
}

// Whatever is in a file, it is read or refused, and what is read can be run.
func FuzzRead(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("tests:\n  - {as: s3.amazonaws.com, source: 'arn:aws:s3:::b', can: 's3:A,s3:B x y'}\n"))
	f.Add([]byte("principals: {a: {policies: [{Version: 2012-10-17, Statement: []}]}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Read("dir/x.licet.yaml", text, options())
		if err != nil || file.Cases() > 100 {
			return
		}
		if s := Sum(run(t, file, all)); s.Cases != file.Cases() {
			t.Errorf("%d of %d cases were run", s.Cases, file.Cases())
		}
	})
}

// BenchmarkThousandCases reads and runs a file of a thousand cases.
func BenchmarkThousandCases(b *testing.B) {
	var text strings.Builder
	text.WriteString(sample[:strings.Index(sample, "tests:")] + "tests:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  - {name: n%d, as: worker, can: s3:GetObject OfSource/%d}\n", i, i)
	}
	for b.Loop() {
		f, err := Read("dir/x.licet.yaml", []byte(text.String()), options())
		if err != nil {
			b.Fatal(err)
		}
		results, err := Run(b.Context(), f, Offline{f.Landscape, time.Unix(1_800_000_000, 0)}, all, nil)
		if s := Sum(results); err != nil || s.Passed != 1001 {
			b.Fatalf("%v, %v", s, err)
		}
	}
}
