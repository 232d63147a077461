package invoker

import (
	"slices"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	for i, s := range table {
		if i > 0 && s.Principal <= table[i-1].Principal {
			t.Errorf("%s stands behind %s", s.Principal, table[i-1].Principal)
		}
		if !strings.HasSuffix(s.Principal, ".amazonaws.com") && !strings.HasSuffix(s.Principal, ".amazon.com") ||
			strings.ContainsAny(s.Principal, ":/*? ") {
			t.Errorf("%q is no name of a service", s.Principal)
		}
		if got, ok := Find(s.Principal, "us-east-1"); !ok || got != s {
			t.Errorf("%s: got %+v, %v", s.Principal, got, ok)
		}
		if got := Near(s.Principal); len(got) == 0 || !slices.Contains(got, s.Principal) {
			t.Errorf("%s is not near itself: got %v", s.Principal, got)
		}
	}
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		name string
		want bool
	}{
		{"sns.us-east-1.amazonaws.com", true},
		{"sns.eu-west-1.amazonaws.com", false}, // another region's
		{"s3.us-east-1.amazonaws.com", false},
		{"S3.amazonaws.com", false},
		{"s3", false},
		{"cloudfront.amazonaws.com", false},
		{"", false},
	} {
		got, ok := Find(tt.name, "us-east-1")
		if ok != tt.want || ok && (got.Principal != tt.name || !got.Async) {
			t.Errorf("%q: got %+v, %v", tt.name, got, ok)
		}
	}
}

func TestNear(t *testing.T) {
	for name, want := range map[string]string{
		"s3": "s3.amazonaws.com", "S3.amazonaws.com": "s3.amazonaws.com", "event.amazonaws.com": "events.amazonaws.com",
		"cognito": "cognito-idp.amazonaws.com", "lgos.amazonaws.com": "logs.amazonaws.com",
	} {
		if got := Near(name); !slices.Contains(got, want) {
			t.Errorf("%s: got %v, want %s among them", name, got, want)
		}
	}
	for _, name := range []string{"nothing-of-the-kind.amazonaws.com"} {
		if got := Near(name); len(got) > 0 {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
