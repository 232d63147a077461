package resourcepolicy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/policy"
)

// FuzzDocument: what is made of a document parses, and has its statements as they were.
func FuzzDocument(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Id":"a\"b","Statement":[{"Sid":"x","Effect":"Allow","Principal":"*","Action":"*","Resource":"${aws:username}"}]}`)
	f.Add(` { "Statement" : {"Effect":"Deny","NotPrincipal":{"AWS":["1"]},"NotAction":["a:b"],"NotResource":"*",` +
		`"Condition":{"Null":{"aws:x":true},"StringLike":{"k":["\u0024{aws:username}","${*}"]}}} , "Version":"2008-10-17"}`)
	const added = `{"Sid":"added","Effect":"Allow","Principal":"*","Action":"lambda:*","Resource":"*"}`
	f.Fuzz(func(t *testing.T, text string) {
		d, err := policy.Parse([]byte(text))
		if err != nil {
			return
		}
		more, err := withStatement(d, added)
		if err != nil {
			t.Fatal(err)
		}
		longer := parse(t, more)
		if longer.Version != d.Version || longer.HasVersion != d.HasVersion || longer.ID != d.ID {
			t.Fatalf("%q became %q", text, more)
		}
		if got, want := statementsOf(longer), append(statementsOf(d), added); !cmp.Equal(got, want) {
			t.Fatalf("got statements %q, want %q", got, want)
		}
		less, err := withoutStatement(longer, len(d.Statements))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := statementsOf(parse(t, less)), statementsOf(d); !cmp.Equal(got, want) {
			t.Fatalf("got statements %q, want %q", got, want)
		}
		both := parse(t, joinedText(longer, d))
		if len(both.Statements) != len(longer.Statements)+len(d.Statements) || both.Version != policy.Version2012 {
			t.Fatalf("%q joined to itself is %q", text, both.Source)
		}
		if d.Version == policy.Version2012 {
			if got, want := statementsOf(both), append(statementsOf(longer), statementsOf(d)...); !cmp.Equal(got, want) {
				t.Fatalf("got statements %q, want %q", got, want)
			}
		}
	})
}

func parse(t *testing.T, text string) *policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return d
}
