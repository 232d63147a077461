package policy

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormat(t *testing.T) {
	const text = `{"Statement":{"Condition":{"StringEquals":{"aws:username":["a"],"s3:prefix":[]},"Bool":{"aws:SecureTransport":true},"Null":{}},
  "Resource":["*"],"Action":["s3:GetObject","s3:Put*"],"Principal":{"Service":["b.amazonaws.com"],"AWS":[]},"Effect":"Allow",
  "Sid":""}, "Id":"<&\u0041","Version":"2012-10-17"}`
	const want = `{
  "Version": "2012-10-17",
  "Id": "<&A",
  "Statement": [
    {
      "Sid": "",
      "Effect": "Allow",
      "Principal": {
        "Service": "b.amazonaws.com",
        "AWS": []
      },
      "Action": [
        "s3:GetObject",
        "s3:Put*"
      ],
      "Resource": "*",
      "Condition": {
        "StringEquals": {
          "aws:username": "a",
          "s3:prefix": []
        },
        "Bool": {
          "aws:SecureTransport": "true"
        },
        "Null": {}
      }
    }
  ]
}
`
	got, err := Format([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// A comment is refused where it stands, and called one.
func TestFormatRefusesComments(t *testing.T) {
	for text, column := range map[string]int{
		"// why\n{}":               1,
		"{ # why\n}":               3,
		`{"Id":/* why */"a"}`:      7,
		`{"Id":"a" // why` + "\n}": 11,
	} {
		_, err := Format([]byte(text))
		e, ok := errors.AsType[*SyntaxError](err)
		if !ok || e.Position.Line != 1 || e.Position.Column != column || !strings.Contains(e.Message, "a comment") || !e.NotJSON {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzFormat wants what is formatted to say what it said, whatever it was, and to stay as it is.
func FuzzFormat(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`{"Statement":[{"Effect":"Deny","Action":[],"NotResource":["a"],"Condition":{"Null":{},"Bool":{"a":[true,1.50,"\u2028"]}}}]}`))
	f.Add([]byte(`{"Id":"","Statement":{"Effect":"Allow","Sid":"","Principal":{"AWS":[],"Federated":"a<b>&"}}}`))
	for _, c := range readCorpus(f) {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before, err := Parse(text)
		formatted, formatErr := Format(text)
		if (err == nil) != (formatErr == nil) {
			t.Fatalf("parsed: %v, formatted: %v", err, formatErr)
		}
		if err != nil {
			return
		}
		after, err := Parse(formatted)
		if err != nil {
			t.Fatalf("parse what was formatted: %v\n%s", err, formatted)
		}
		if diff := cmp.Diff(before, after, ignorePlaces); diff != "" {
			t.Fatalf("-before +after\n%s", diff)
		}
		for i, s := range before.Statements {
			if a, b := len(s.At.EmptyOperators), len(after.Statements[i].At.EmptyOperators); a != b {
				t.Fatalf("statement %d: %d operators without keys have become %d", i, a, b)
			}
		}
		again, err := Format(formatted)
		if err != nil || !bytes.Equal(again, formatted) {
			t.Fatalf("formatted again: %v\n%s\nwant\n%s", err, again, formatted)
		}
	})
}
