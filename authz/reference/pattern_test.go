package reference

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzMatches compares wildcard matching with a regular expression.
func FuzzMatches(f *testing.F) {
	for _, seed := range [][2]string{{"*", ""}, {"a*b?c", "axxbyc"}, {"**a**", "bab"}, {"?", "ä"}, {"a", "a\xff"}, {"*\n", "a\n"}, {"", ""}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		pattern, text = strings.ToValidUTF8(pattern, "x"), strings.ToValidUTF8(text, "y")
		expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile(`(?s)\A` + expression + `\z`).MatchString(text)
		if got := matches(tokens([]piece{{text: pattern}}), text); got != want {
			t.Errorf("pattern %q, text %q: got %v, want %v", pattern, text, got, want)
		}
		if !matches(tokens([]piece{{text: text, literal: true}}), text) {
			t.Errorf("%q does not match itself", text)
		}
	})
}

// FuzzResource compares the rules of ARN segments with a regular expression that is written from the same sentence.
func FuzzResource(f *testing.F) {
	for _, seed := range [][2]string{
		{"arn:aws:lambda:*:function:x", "arn:aws:lambda:us-east-1:1:function:x"},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/a:c"},
		{"a*n:?:*a:*:::", "arn:b:ca:::x:"},
		{"*", "*"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		pattern, text = strings.ToValidUTF8(pattern, "x"), strings.ToValidUTF8(text, "y")
		ts := tokens([]piece{{text: pattern}})
		segment(ts, []piece{{text: pattern}})
		if got, want := matches(ts, text), resourceExpression(pattern).MatchString(text); got != want {
			t.Errorf("pattern %q, text %q: got %v, want %v", pattern, text, got, want)
		}
	})
}

func resourceExpression(pattern string) *regexp.Regexp {
	segments := strings.SplitN(pattern, ":", arnColons+1)
	for i, s := range segments {
		inSegment := i < arnColons
		last := inSegment && strings.HasSuffix(s, "*")
		if last {
			s = strings.TrimSuffix(s, "*")
		}
		run, char := `.*`, `.`
		if inSegment {
			run, char = `[^:]*`, `[^:]`
		}
		s = strings.NewReplacer(`\*`, run, `\?`, char).Replace(regexp.QuoteMeta(s))
		if last {
			s += `.*`
		}
		segments[i] = s
	}
	return regexp.MustCompile(`(?s)\A` + strings.Join(segments, ":") + `\z`)
}

// TestMatchesIsLinear would not end if the wildcards were tried one after the other.
func TestMatchesIsLinear(t *testing.T) {
	pattern := strings.Repeat("a*", 200) + "b"
	if matches(tokens([]piece{{text: pattern}}), strings.Repeat("a", 5000)) {
		t.Error("matches")
	}
}

func TestInvalidUTF8MatchesItsWildcardsOnly(t *testing.T) {
	text := "a\xffb"
	for pattern, want := range map[string]bool{"a?b": true, "a*": true, "a\uFFFDb": false, "ab": false} {
		if got := matches(tokens([]piece{{text: pattern}}), text); got != want {
			t.Errorf("%q: got %v, want %v", pattern, got, want)
		}
	}
}
