package nearest

import (
	"slices"
	"testing"
)

func TestOf(t *testing.T) {
	words := []string{"GetObject", "GetObjectAcl", "PutObject", "ListBucket", "s3"}
	for word, want := range map[string][]string{
		"GetObjct":  {"GetObject"},
		"getobject": {"GetObject", "GetObjectAcl", "PutObject"},
		"Get":       {"GetObject", "GetObjectAcl"},
		"Gutobject": {"GetObject", "PutObject"},
		"Nothing":   {},
		"":          {},
		"ec2":       {},
	} {
		if got := Of(word, words); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
