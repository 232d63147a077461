package authz

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// piece is a part of a random pattern: how it is spelled, and what it means.
type piece struct {
	spelled  string
	wild     byte   // '*', '?' or 0
	text     string // what it stands for, if it is no wildcard
	variable bool
	absent   bool // a variable without a value
}

var (
	literalPieces  = []string{"a", "b", "ab", ":", ":", ":", ":", "日", "é", "b:", "arn:aws:s3:::", "arn:a", "a:b:", "日:", "b\xff"}
	variablePieces = []piece{
		{spelled: "${*}", text: "*"}, {spelled: "${?}", text: "?"}, {spelled: "${$}", text: "$"},
		{spelled: "${k:plain}", text: "ab", variable: true}, {spelled: "${k:colons}", text: "a:b::", variable: true},
		{spelled: "${k:star}", text: "*", variable: true}, {spelled: "${k:empty}", text: "", variable: true},
		{spelled: "${k:part}", text: "\xe6", variable: true}, {spelled: "${k:rest}", text: "\x97\xa5", variable: true},
		{spelled: "${k:byte}", text: "a\xffb", variable: true}, {spelled: "${k:mark}", text: "\xff\x01", variable: true},
		{spelled: "${k:wide}", text: "日é", variable: true}, {spelled: "${k:absent}", variable: true, absent: true},
		{spelled: "${k:absent, 'b'}", text: "b", variable: true}, {spelled: "${k:colons}", text: "a:b::", variable: true},
	}
	chars = []string{"a", "b", ":", "日", "é", "\xff", "\xe6", "*", "?", "c", "\x97"}
)

func randomPattern(r *rand.Rand, variables bool) []piece {
	var out []piece
	long := r.IntN(4) == 0
	for range r.IntN(14) {
		switch n := r.IntN(10); {
		case n < 5:
			text := literalPieces[r.IntN(len(literalPieces))]
			if long && text != ":" {
				text = strings.Repeat(text, 1+r.IntN(40))
			}
			out = append(out, piece{spelled: text, text: text})
		case n < 7 || n < 8 && !variables:
			out = append(out, piece{spelled: "*", wild: '*'})
		case n < 9 || !variables:
			out = append(out, piece{spelled: "?", wild: '?'})
		default:
			out = append(out, variablePieces[r.IntN(len(variablePieces))])
		}
	}
	return out
}

// charsOf splits text into characters. A byte that is no UTF-8 is one.
func charsOf(text string) (out []string) {
	for text != "" {
		_, size := utf8.DecodeRuneInString(text)
		out, text = append(out, text[:size]), text[size:]
	}
	return out
}

// plainMatch tries all lengths of every wildcard. Wildcards that are barred match no colon.
func plainMatch(pattern []piece, barred []bool, text []string) bool {
	ends := make([]bool, len(text)+1) // where the pieces so far can end
	ends[0] = true
	for i, p := range pattern {
		next := make([]bool, len(text)+1)
		want := charsOf(p.text)
		for at, ok := range ends {
			switch {
			case !ok:
			case p.wild == '?':
				if at < len(text) && !(barred[i] && text[at] == ":") {
					next[at+1] = true
				}
			case p.wild == '*':
				for next[at] = true; at < len(text) && !(barred[i] && text[at] == ":"); at++ {
					next[at+1] = true
				}
			default:
				if end := at + len(want); end <= len(text) && slices.Equal(text[at:end], want) {
					next[end] = true
				}
			}
		}
		ends = next
	}
	return ends[len(text)]
}

// wantedMatch is what a pattern of a dialect must say of text.
func wantedMatch(pattern []piece, d dialect, text string) truth {
	barred := make([]bool, len(pattern)+1)
	colons := 0
	misplaced, hasVariable := false, false
	for i, p := range pattern {
		if p.absent {
			return no
		}
		hasVariable = hasVariable || p.variable
		misplaced = misplaced || d == resourceDialect && strings.HasPrefix(p.spelled, "${") && colons < arnColons
		barred[i] = d != plainDialect && colons < arnColons
		endsSegment := i == len(pattern)-1 || strings.HasPrefix(pattern[i+1].spelled, ":")
		if d == resourceDialect && p.wild == '*' && endsSegment {
			barred[i] = false
		}
		colons += strings.Count(p.text, ":")
	}
	matches := plainMatch(pattern, barred, charsOf(text))
	onlyStar := len(pattern) == 1 && pattern[0].wild == '*'
	switch {
	case misplaced:
		return unknown
	case d == arnDialect && colons < arnColons:
		return no
	case d == resourceDialect && colons < arnColons && !matches && !onlyStar:
		if plainMatch(append(pattern[:len(pattern):len(pattern)], piece{wild: '*'}), barred, charsOf(text)) {
			return unknown
		}
		return no
	default:
		return truthOf(matches)
	}
}

// randomText makes a text that the pattern matches, or nearly so.
func randomText(r *rand.Rand, pattern []piece) string {
	var b strings.Builder
	for _, p := range pattern {
		switch {
		case p.wild == '?':
			b.WriteString(chars[r.IntN(len(chars))])
		case p.wild == '*':
			for range r.IntN(4) {
				b.WriteString(strings.Repeat(chars[r.IntN(len(chars))], 1+r.IntN(3)*r.IntN(40)))
			}
		default:
			b.WriteString(p.text)
		}
	}
	text := b.String()
	if r.IntN(3) == 0 {
		at := r.IntN(len(text) + 1)
		text = text[:at] + chars[r.IntN(len(chars))] + text[min(at+r.IntN(3), len(text)):]
	}
	return text
}

// TestRandomPatterns compares patterns of each dialect, with variables, with a matcher that tries everything. The memory is the same
// for all of them, as between the requests to a server.
func TestRandomPatterns(t *testing.T) {
	var req Request
	for _, p := range variablePieces {
		if name, ok := strings.CutPrefix(p.spelled, "${k:"); ok && !strings.Contains(name, "absent") {
			req.Context.Set("k:"+strings.TrimSuffix(name, "}"), p.text)
		}
	}
	sc := &scratch{}
	outcomes := map[truth]int{}
	seeds := uint64(20_000)
	if testing.Short() {
		seeds = 6_000
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 3))
		pattern := randomPattern(r, seed%2 == 0)
		spelled := ""
		for _, p := range pattern {
			spelled += p.spelled
		}
		d := dialect(r.IntN(3))
		c := compiler{group: &group{}, variables: true, keys: map[string]uint32{}}
		g := c.pattern(spelled, d)
		e := evaluation{req: &req, scratch: sc}
		e.enter(c.group)
		for range 2 {
			text := randomText(r, pattern)
			got, want := e.glob(&g, text), wantedMatch(pattern, d, text)
			if got != want {
				t.Fatalf("seed %d: dialect %d, pattern %q, text %q: got %v, want %v", seed, d, spelled, text, got, want)
			}
			outcomes[got]++
		}
	}
	t.Log(outcomes)
	for _, outcome := range []truth{no, unknown, yes} {
		if outcomes[outcome] < int(seeds)/40 {
			t.Errorf("outcome %v: %d times", outcome, outcomes[outcome])
		}
	}
}
