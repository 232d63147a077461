package policy

import (
	"errors"
	"strings"
	"testing"
)

func TestRewritePrincipals(t *testing.T) {
	const text = `{ "Statement" : [ {"NotPrincipal": {"AWS":["a" , "b"]}, "Sid":"a", "Effect":"Deny","Action":"*","Resource":"*"},
	{"Effect":"Allow","Principal":{"Service":"a","AWS":"c\u0061"},"Action":"*","Resource":"*"},
	{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"} ] }`
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := RewritePrincipals(d, func(e PrincipalEntry) (string, error) {
		if e.Type == "AWS" && e.Value.Value != "b" {
			return `<"` + e.Value.Value + `>`, nil
		}
		return e.Value.Value, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(`["a" ,`, `["<\"a>" ,`, `"c\u0061"`, `"<\"ca>"`).Replace(text)
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	wrong := errors.New("wrong")
	if _, err := RewritePrincipals(d, func(PrincipalEntry) (string, error) { return "", wrong }); !errors.Is(err, wrong) {
		t.Errorf("got %v, want the error of replace", err)
	}
}

// FuzzRewritePrincipals: what is rewritten parses, has the new principals, and is the source again where they are put back.
func FuzzRewritePrincipals(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["1","2"],"Service":"s"},"Action":"*","Resource":"*"}]}`, `"<x>`)
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":"1"},"Action":"*","Resource":"*"}}`, "é\x00")
	f.Fuzz(func(t *testing.T, text, suffix string) {
		d, err := Parse([]byte(text))
		if err != nil {
			return
		}
		suffix = strings.ToValidUTF8(suffix, "?")
		same, err := RewritePrincipals(d, func(e PrincipalEntry) (string, error) { return e.Value.Value, nil })
		if err != nil || string(same) != text {
			t.Fatalf("got %q, %v for no change of %q", same, err, text)
		}
		changed, err := RewritePrincipals(d, func(e PrincipalEntry) (string, error) { return e.Value.Value + suffix, nil })
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(changed)
		if err != nil {
			t.Fatalf("%q became %q: %v", text, changed, err)
		}
		for i := range d.Statements {
			for j, p := range []*Principals{d.Statements[i].Principal, d.Statements[i].NotPrincipal} {
				if p == nil {
					continue
				}
				now := []*Principals{again.Statements[i].Principal, again.Statements[i].NotPrincipal}[j]
				for k := range p.Entries {
					if got, want := now.Entries[k].Value.Value, p.Entries[k].Value.Value+suffix; got != want {
						t.Fatalf("got principal %q, want %q", got, want)
					}
				}
			}
		}
	})
}
