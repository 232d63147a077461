package decisiontable

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/landscape"
)

// asked decides calls of a role with a policy of three statements, and of one of which nothing is known.
func asked(t *testing.T) []Cell {
	t.Helper()
	p, err := landscape.ParsePolicy("p", "", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"},
		{"Effect":"Deny","Action":"sqs:PurgeQueue","Resource":"*"},
		{"Effect":"Allow","Action":"sqs:DeleteQueue","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	l := &landscape.Landscape{Partition: "aws", Account: "111122223333", Region: "us-east-1", Principals: []*landscape.Principal{
		{Kind: authz.User, ARN: "arn:aws:iam::111122223333:user/ann", Names: []string{"ann"}, Policies: []landscape.Policy{p}},
		{Kind: authz.User, ARN: "arn:aws:iam::111122223333:user/bob", Names: []string{"bob"}, Policies: []landscape.Policy{landscape.Anything("q", "it is imported")}},
	}}
	var cells []Cell
	for _, who := range []string{"ann", "bob"} {
		for _, action := range []string{"sqs:SendMessage", "sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:GetQueueUrl"} {
			c := landscape.Call{Principal: who, Action: action, Resource: "arn:aws:sqs:us-east-1:111122223333:jobs"}
			if who == "bob" {
				c.Resource = "*"
			}
			a, err := l.Explain(c, time.Unix(1_800_000_000, 0))
			if err != nil {
				t.Fatal(err)
			}
			cells = append(cells, CellOf(c, a))
		}
	}
	return cells
}

func TestReport(t *testing.T) {
	cells := asked(t)
	var b strings.Builder
	for _, line := range Report(cells) {
		var l strings.Builder
		for _, p := range line {
			l.WriteString(p.Text)
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	want := `A   arn:aws:sqs:us-east-1:111122223333:jobs
B   *

ann              A              B
sqs:SendMessage  allow          -
sqs:PurgeQueue   explicit deny  -
sqs:DeleteQueue  conditional    -
sqs:GetQueueUrl  implicit deny  -

bob              A              B
sqs:SendMessage  -              unsure
sqs:PurgeQueue   -              unsure
sqs:DeleteQueue  -              unsure
sqs:GetQueueUrl  -              unsure
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := cells[2].Reason; got != "allowed if the request meets Bool aws:MultiFactorAuthPresent" {
		t.Errorf("got %q", got)
	}
	if got := cells[4].Reason; got != "depends on what is not known: q: it is imported" {
		t.Errorf("got %q", got)
	}
	if got := len(Report(nil)) + len(Explain(nil)); got != 0 {
		t.Errorf("no cells have %d lines", got)
	}
}

func TestExplain(t *testing.T) {
	text := ""
	for _, line := range Explain(asked(t)) {
		for _, p := range line {
			text += p.Text
		}
		text += "\n"
	}
	for want, n := range map[string]int{"ALLOWED by": 1, "DENIED: ": 3, "UNSURE: bob": 4, "To allow it": 3, "jobs is not declared": 4} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("%q is there %d times, want %d\n%s", want, got, n, text)
		}
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	cells := asked(t)[:1]
	cells[0].Reason = `a "b", c`
	if err := WriteCSV(&b, cells); err != nil {
		t.Fatal(err)
	}
	want := "principal,action,resource,outcome,by,reason\n" +
		"ann,sqs:SendMessage,arn:aws:sqs:us-east-1:111122223333:jobs,allow,identity-based,\"a \"\"b\"\", c\"\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLetters(t *testing.T) {
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 27: "AB", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA"} {
		if got := letters(i); got != want {
			t.Errorf("%d: got %s, want %s", i, got, want)
		}
	}
}
