package audit

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/store/storetest"
)

func TestFilter(t *testing.T) {
	l := New(storetest.New(t), Options{})
	for i, d := range []struct{ caller, issuer, action, resource string }{
		{"arn:aws:iam::1:user/dev", "", "sqs:SendMessage", "arn:aws:sqs:::q"},
		{"arn:aws:sts::1:assumed-role/r/a", "arn:aws:iam::1:role/x/r", "sqs:SendMessage", "arn:aws:sqs:::p"},
		{"arn:aws:sts::1:assumed-role/r/b", "arn:aws:iam::1:role/x/r", "lambda:InvokeFunction", "arn:aws:lambda:::function:f"},
	} {
		rec := record(madeAt(time.Duration(i)*time.Second, i), time.Duration(i)*time.Second)
		rec.Operation = string(rune('a' + i))
		rec.Caller = principal.Caller{Principal: authz.Principal{ARN: d.caller, IssuerARN: d.issuer}}
		rec.Decisions = []Decision{
			{Request: authz.Request{Action: "iam:PassRole", Resource: "arn:aws:iam::1:role/other"}},
			{Request: authz.Request{Action: d.action, Resource: d.resource}},
		}
		begin(t, l, rec)
	}
	for _, tt := range []struct {
		filter Filter
		want   string
	}{
		{Filter{}, "cba"},
		{Filter{Action: "SQS:sendmessage"}, "ba"},
		{Filter{Action: "sqs:*", Resource: "arn:aws:sqs:::q"}, "a"},
		{Filter{Action: "sqs:*", Resource: "arn:aws:iam:*"}, ""}, // of two different decisions
		{Filter{Resource: "*:function:*"}, "c"},
		{Filter{Principal: "arn:aws:iam::1:role/x/r"}, "cb"},
		{Filter{Principal: "arn:aws:sts::1:assumed-role/r/b"}, "c"},
		{Filter{Principal: "*/dev"}, "a"},
		{Filter{Principal: "arn:aws:iam::1:role/x"}, ""},
	} {
		list, err := l.List(t.Context(), "111111111111", tt.filter)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range list {
			got += r.Operation
		}
		if got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.filter, got, tt.want)
		}
	}
	seen := 0
	if err := l.Each(t.Context(), "111111111111", Filter{}, func(Record) bool { seen++; return seen < 2 }); err != nil || seen != 2 {
		t.Errorf("got %d records, %v: want those up to the end that was asked for", seen, err)
	}
}

// A pattern means what the regular expression does that it stands for.
func FuzzLike(f *testing.F) {
	f.Add("a*b", "aXb")
	f.Add("*", "")
	f.Add("a*ab", "ab")
	f.Add("**a*", "bab")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		parts := strings.Split(pattern, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		want, err := regexp.Compile(`(?s)\A` + strings.Join(parts, `.*`) + `\z`)
		if err != nil {
			return // not UTF-8
		}
		if got := like(pattern, text); got != want.MatchString(text) {
			t.Errorf("%q, %q: got %v", pattern, text, got)
		}
	})
}
