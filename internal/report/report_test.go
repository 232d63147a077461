package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

func text(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		for _, p := range l {
			b.WriteString(p.Text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func document(t *testing.T, source string) *policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var asked = authz.Request{
	Principal: authz.Principal{Kind: authz.User, Account: "111111111111", ARN: "arn:aws:iam::111111111111:user/dev", ID: "AIDA"},
	Action:    "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:111111111111:q",
}

// The carets stand under the element that decided, whatever the policy looks like.
func TestCaret(t *testing.T) {
	long := `{"Version":"2012-10-17","Id":"` + strings.Repeat("é", 80) + `","Statement":[`
	for _, tt := range []struct {
		name, source, under string
	}{
		{"allowed", "{\"Version\":\"2012-10-17\",\n \"Statement\":[{\n\"Effect\": \"Allow\",\n\"Action\":\"sqs:*\",\"Resource\":\"*\"}]}", `"Allow"`},
		{"denied", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\n\t\"Action\":\"*\",\"Resource\":\"*\"}]}", `"Deny"`},
		{"nearest resource", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\n\t\"Action\":\"sqs:*\",\"Resource\":\"arn:aws:sqs:*:*:x\"}]}", `"arn:aws:sqs:*:*:x"`},
		{"nearest action", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:Get*","Resource":"*"}]}`, `"sqs:Get*"`},
		{"one long line", long + `{"Effect":"Allow","Action":"sqs:Get*","Resource":"*"}]}`, `"sqs:Get*"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := authz.Policies{Identity: []authz.Policy{{Name: "own", Document: document(t, tt.source)}}}
			lines := strings.Split(text(Of(authz.Explain(asked, p))), "\n")
			for i, l := range lines {
				_, marks, ok := strings.Cut(l, "│ ")
				at := strings.IndexByte(marks, '^')
				if !ok || at < 0 || strings.Trim(marks[:at], " ") != "" {
					continue
				}
				_, shown, _ := strings.Cut(lines[i-1], "│ ")
				if got := string([]rune(shown)[at : at+strings.Count(marks, "^")]); got != tt.under {
					t.Errorf("got carets under %q, want %q\n%s", got, tt.under, strings.Join(lines, "\n"))
				}
				return
			}
			t.Errorf("no carets in\n%s", strings.Join(lines, "\n"))
		})
	}
}

func TestReport(t *testing.T) {
	p := authz.Policies{Identity: []authz.Policy{{Name: "own", Document: document(t, `{"Version":"2012-10-17","Statement":[
  {"Sid":"No","Effect":"Deny","Action":"sqs:*","Resource":"*"}]}`)}}}
	want := `DENIED: User: arn:aws:iam::111111111111:user/dev is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:us-east-1:111111111111:q with an explicit deny in an identity-based policy
  who       arn:aws:iam::111111111111:user/dev
  action    sqs:SendMessage
  resource  arn:aws:sqs:us-east-1:111111111111:q
  policies  ✗ identity-based       denies it  (1)

  own 2:24 "No" decides
     2 │   {"Sid":"No","Effect":"Deny","Action":"sqs:*","Resource":"*"}]}
       │                        ^^^^^^ matches this request

To allow it
  - remove from the identity-based policy own the Deny "No"
  - add to an identity-based policy of arn:aws:iam::111111111111:user/dev:
    {"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:111111111111:q"}
`
	if diff := cmp.Diff(text(Of(authz.Explain(asked, p))), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// Whatever the text and the span, a line has a bounded length and the carets stand inside of it.
func FuzzCut(f *testing.F) {
	f.Add("short", 1, 3)
	f.Add(strings.Repeat("é", 300), 200, 220)
	f.Add("\xff\t\x1b", 0, 3)
	f.Fuzz(func(t *testing.T, line string, start, end int) {
		if start < 0 || end < 0 {
			return
		}
		shown, column, length := cut(line, start, end)
		if n := utf8.RuneCountInString(shown); n > width+2 || column > n || length < 0 || column+length > n {
			t.Errorf("%q from %d to %d: got %q of %d characters, carets at %d, %d", line, start, end, shown, n, column, length)
		}
		if strings.ContainsAny(shown, "\t\x1b\n") {
			t.Errorf("%q shows control characters", shown)
		}
	})
}
