package authz

import (
	"regexp"
	"strings"
	"testing"
)

// match compares text with a pattern of a dialect, in a group of its own.
func match(pattern string, d dialect, text string) truth {
	c := compiler{group: &group{}, variables: true}
	g := c.pattern(pattern, d)
	e := evaluation{group: c.group, scratch: &scratch{}}
	return e.glob(&g, text)
}

// FuzzPattern compares patterns of each dialect with regular expressions that say the same.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"*", ""}, {"a*b?c", "axxbyc"}, {"**a**", "bab"}, {"?", "ä"}, {"*\n", "a\n"}, {"", ""}, {"a?*?b", "a日b"},
		{"arn:aws:lambda:*:function:x", "arn:aws:lambda:us-east-1:1:function:x"}, {"arn:aws:s3:::b/*", "arn:aws:s3:::b/a:c"},
		{"a*n:?:*a:*:::", "arn:b:ca:::x:"}, {"arn:a*s:*:?:1:x?y*", "arn:aws:s3:e:1:x:yz"}, {"${*}*${?}", "*x?"},
		{"*a*a*", "a"}, {"*a*a*", "ba"}, {"a*b*b*c", "abc"}, {"a*b*b*c", "abbc"},
		{"a\x01*", "a\x01b"}, {"\x01**", "\x01"}, {"*aaaab*", strings.Repeat("a", 200)}, {strings.Repeat("?a", 40) + "*", strings.Repeat("a", 130)},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		pattern, text = strings.ToValidUTF8(pattern, "x"), strings.ToValidUTF8(text, "y")
		pattern = strings.ReplaceAll(pattern, "$", "") // variables have tests of their own
		comparePattern(t, pattern, text)
	})
}

func expressionOf(pattern, char, run string) string {
	return strings.NewReplacer(`\*`, run, `\?`, char).Replace(regexp.QuoteMeta(pattern))
}

// segmentedExpression lets wildcards of the first five segments match no colon but, if crossing, for a "*" that ends its segment.
func segmentedExpression(pattern string, crossing bool) string {
	segments := strings.SplitN(pattern, ":", arnColons+1)
	for i, s := range segments {
		if i == arnColons {
			segments[i] = expressionOf(s, ".", ".*")
			continue
		}
		end := ""
		if rest, ok := strings.CutSuffix(s, "*"); ok && crossing {
			s, end = rest, ".*"
		}
		segments[i] = expressionOf(s, "[^:]", "[^:]*") + end
	}
	return strings.Join(segments, ":")
}

// TestPatternLengths compares patterns with regular expressions on texts of every length around the words that places are kept in. Short
// tests take the lengths next to those of words.
func TestPatternLengths(t *testing.T) {
	for _, alphabet := range []string{"ab", "a:b", "aéb", "日:a"} {
		characters := []rune(alphabet)
		for n := range 140 {
			if testing.Short() && n > 3 && n%64 > 3 && n%64 < 61 {
				continue
			}
			text := make([]rune, n)
			for i := range text {
				text[i] = characters[(i*i+i/3)%len(characters)]
			}
			any := strings.Repeat("?", n)
			comparePattern(t, any+"*", string(text), string(text)+"a", strings.TrimPrefix(string(text), "a"))
			for shape := range 12 {
				pattern := patternOf(text, shape)
				comparePattern(t, pattern, string(text), string(text)+"a", strings.Replace(string(text), "a", "b", 1))
				if t.Failed() {
					return
				}
			}
		}
	}
}

// patternOf replaces some characters of a text by wildcards.
func patternOf(text []rune, shape int) string {
	var b strings.Builder
	for i, c := range text {
		switch {
		case shape < 4 && i%(shape+2) == 0:
			b.WriteByte('?')
		case shape >= 4 && shape < 8 && i%(3*shape) == shape:
			b.WriteByte('*')
		case shape >= 8 && i%5 == shape%5:
			b.WriteString("?*"[i%2 : i%2+1])
		default:
			b.WriteRune(c)
		}
	}
	if shape%3 == 0 {
		return "*" + b.String() + "*?"
	}
	return b.String()
}

// comparePattern compares a pattern, in each dialect, with a regular expression that says the same.
func comparePattern(t *testing.T, pattern string, texts ...string) {
	t.Helper()
	for d, expression := range map[dialect]string{
		plainDialect:    expressionOf(pattern, ".", ".*"),
		resourceDialect: segmentedExpression(pattern, true),
		arnDialect:      segmentedExpression(pattern, false),
	} {
		re := regexp.MustCompile(`(?s)\A` + expression + `\z`)
		isARN := d != arnDialect || strings.Count(pattern, ":") >= arnColons
		for _, text := range texts {
			want := isARN && re.MatchString(text)
			if got := match(pattern, d, text) == yes; got != want {
				t.Errorf("dialect %d, pattern %q, text %q: got %v, want %v", d, pattern, text, got, want)
			}
		}
	}
}

// TestPatternIsLinear would not end if the wildcards were tried one after the other.
func TestPatternIsLinear(t *testing.T) {
	text := strings.Repeat("a", 5000)
	for _, pattern := range []string{
		strings.Repeat("a*", 2000) + "b", "*" + strings.Repeat("a*", 2000) + "b*", "*" + strings.Repeat("?a*", 1000) + "b*",
		"*" + strings.Repeat("?a", 2000) + "b*",
	} {
		if match(pattern, plainDialect, text) != no {
			t.Errorf("%.20s… matches", pattern)
		}
		if match(strings.TrimRight(pattern, "b*")+"*", plainDialect, text) != yes {
			t.Errorf("%.20s… without its b does not match", pattern)
		}
	}
}

// TestInvalidUTF8MatchesItsWildcardsOnly: a byte that is no UTF-8 is a character of its own, which no pattern names.
func TestInvalidUTF8MatchesItsWildcardsOnly(t *testing.T) {
	text := "a\xffb"
	for pattern, want := range map[string]truth{"a?b": yes, "a*": yes, "a\uFFFDb": no, "ab": no, "a??b": no, "*?b": yes} {
		if got := match(pattern, plainDialect, text); got != want {
			t.Errorf("%q: got %v, want %v", pattern, got, want)
		}
	}
	// The first two of the three bytes of "€" are no part of it.
	for pattern, want := range map[string]truth{"\xe2\x82*": no, "*\xac": no, "*\x82?": no, "\xe2\x82": no, "€": yes, "?": yes} {
		if got := match(pattern, plainDialect, "€"); got != want {
			t.Errorf("%q: got %v, want %v", pattern, got, want)
		}
	}
}

// TestVariablesAmidWildcards compares patterns with long values of variables.
func TestVariablesAmidWildcards(t *testing.T) {
	for _, n := range []int{1, 64, 100, 200} {
		long := strings.Repeat("a", n)
		var req Request
		req.Context.Set("k:long", long)
		req.Context.Set("k:mark", "\xff\x01") // as wildcards are written
		for name, tt := range map[string]struct {
			dialect       dialect
			pattern, text string
			want          truth
		}{
			"a character":              {plainDialect, "?${k:long}", "b" + long, yes},
			"too many characters":      {plainDialect, "?${k:long}??*", "b" + long + "c", no},
			"a mark":                   {plainDialect, "?${k:mark}" + long, "b\xff\x01" + long, yes},
			"no wildcard":              {plainDialect, "?${k:mark}" + long, "bcd" + long, no},
			"a segment":                {arnDialect, "arn:aws:s3:a?b:1:${k:long}", "arn:aws:s3:acb:1:" + long, yes},
			"no colon in a segment":    {arnDialect, "arn:aws:s3:a?b:1:${k:long}", "arn:aws:s3:a:b:1:" + long, no},
			"no colons in a segment":   {arnDialect, "arn:aws:s3:a*b:1:${k:long}", "arn:aws:s3:a::b:1:" + long, no},
			"a colon in the resource":  {arnDialect, "arn:aws:s3:a:1:b?${k:long}", "arn:aws:s3:a:1:b:" + long, yes},
			"colons in a plain text":   {plainDialect, "arn:aws:s3:a?b:1:${k:long}", "arn:aws:s3:a:b:1:" + long, yes},
			"nothing between stars":    {plainDialect, "b*${k:long}*b", "bb", no},
			"enough between stars":     {plainDialect, "b*${k:long}*b", "bc" + long + "b", yes},
			"one text between stars":   {plainDialect, "*b${k:long}*", "xb" + long + "y", yes},
			"not two between stars":    {plainDialect, "*b${k:long}*", "b-" + long, no},
			"nor in the reverse order": {plainDialect, "*${k:long}b*", long + "-b", no},
			"half a character":         {plainDialect, "${k:long}\xe6*", long + "日", no},
			"half a character, alone":  {plainDialect, "${k:long}\xe6*", long + "\xe6日", yes},
			"a character before a run": {plainDialect, "${k:long}?*", long, no},
		} {
			c := compiler{group: &group{}, variables: true, keys: map[string]uint32{}}
			g := c.pattern(tt.pattern, tt.dialect)
			e := evaluation{req: &req, scratch: &scratch{}}
			e.enter(c.group)
			if got := e.glob(&g, tt.text); got != tt.want {
				t.Errorf("%s, %d bytes: got %v, want %v", name, n, got, tt.want)
			}
		}
	}
}

// TestCanSplit: patterns with variables that need no search are told from those that do.
func TestCanSplit(t *testing.T) {
	for pattern, want := range map[string][3]bool{ // plain, resource, ARN
		"${k:v}":                         {true, true, true},
		"a${k:v}b":                       {true, true, true},
		"a${k:v}*":                       {true, true, true},
		"*${k:v}":                        {true, true, false}, // misplaced in a resource
		"a${k:v}*b${k:v}":                {true, false, false},
		"a${k:v}*${k:v}*b${k:v}":         {true, false, false},
		"*a*${k:v}*":                     {true, false, false},
		"*a${k:v}*":                      {false, false, false},
		"b*a${k:v}*b":                    {false, false, false},
		"*${k:v}*a${k:v}*":               {false, false, false},
		"a?${k:v}":                       {false, false, false},
		"a\xe6${k:v}":                    {false, false, false},
		"arn:aws:s3:::b/${k:v}/*":        {true, true, true},
		"arn:aws:s3:::b/*/${k:v}":        {true, true, false},
		"arn:aws:s3:::b/*/${k:v}/*":      {false, false, false},
		"arn:aws:s3:::b/*${k:v}*/${k:v}": {true, true, false},
	} {
		for d, want := range want {
			c := compiler{group: &group{}, variables: true, keys: map[string]uint32{}}
			if g := c.pattern(pattern, dialect(d)); c.group.templates[g.lo].split != want {
				t.Errorf("%q in dialect %d: got %v, want %v", pattern, d, !want, want)
			}
		}
	}
}
