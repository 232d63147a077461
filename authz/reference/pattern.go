package reference

import "unicode/utf8"

// token is one step of a pattern.
type token struct {
	kind tokenKind
	char rune // of a literal
}

type tokenKind int

const (
	literal         tokenKind = iota
	one                       // ? : any character
	oneInSegment              // ? in an ARN segment: any character but a colon
	anyRun                    // * : any characters, or none
	anyRunInSegment           // * in an ARN segment: any characters but colons
)

func (t token) isRun() bool { return t.kind == anyRun || t.kind == anyRunInSegment }

func (t token) accepts(char rune) bool {
	switch t.kind {
	case literal:
		return t.char == char
	case oneInSegment, anyRunInSegment:
		return char != ':'
	default:
		return true
	}
}

// tokens reads pattern text: * and ? are wildcards in what the policy's author wrote, and literal in what was substituted for a
// variable (iam.md X4).
func tokens(text []piece) []token {
	var out []token
	for _, p := range text {
		for _, char := range runes(p.text) {
			switch {
			case char == '*' && !p.literal:
				out = append(out, token{kind: anyRun})
			case char == '?' && !p.literal:
				out = append(out, token{kind: one})
			default:
				out = append(out, token{kind: literal, char: char})
			}
		}
	}
	return out
}

// runes splits text into characters. Bytes that are not UTF-8 become negative numbers, which equal nothing that a policy can say.
func runes(text string) []rune {
	out := make([]rune, 0, len(text))
	for i := 0; i < len(text); {
		char, size := utf8.DecodeRuneInString(text[i:])
		if char == utf8.RuneError && size == 1 {
			char = -1 - rune(text[i])
		}
		out = append(out, char)
		i += size
	}
	return out
}

// matches tells whether the pattern covers the whole text. It follows every way to read the pattern at once, so that it takes
// len(pattern) steps for each character, whatever the wildcards.
func matches(pattern []token, text string) bool {
	// reached[i]: the text so far is covered by pattern[:i].
	reached, next := make([]bool, len(pattern)+1), make([]bool, len(pattern)+1)
	reached[0] = true
	skipRuns(pattern, reached)
	for _, char := range runes(text) {
		clear(next)
		for i, t := range pattern {
			switch {
			case !reached[i] || !t.accepts(char):
			case t.isRun():
				next[i] = true
			default:
				next[i+1] = true
			}
		}
		skipRuns(pattern, next)
		reached, next = next, reached
	}
	return reached[len(pattern)]
}

// skipRuns adds the places that are reached because a run may be empty.
func skipRuns(pattern []token, reached []bool) {
	for i, t := range pattern {
		if reached[i] && t.isRun() {
			reached[i+1] = true
		}
	}
}
