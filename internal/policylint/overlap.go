package policylint

import (
	"strings"

	"github.com/licet/licet/policy"
)

// token is a piece of a pattern: a byte, or a wildcard that takes any byte but one.
type token struct {
	// byte is the byte that is taken or, by a wildcard, the one that is not: 0 for none.
	byte byte
	wild bool
	// repeats is true for a wildcard that takes any number of bytes, none too.
	repeats bool
}

// template is the ARN of a resource type.
type template struct {
	text   string
	tokens []token
}

// templateOf reads the ARN pattern of a resource type. Each of its placeholders stands for a byte at least, and for no colon but in the
// ARN's last part. The name of a bucket has no slash: with one an ARN is that of an object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func templateOf(pattern string) template {
	t := template{text: pattern}
	colons := 0
	for rest := pattern; rest != ""; {
		name, after, ok := placeholder(rest)
		if !ok {
			t.tokens = append(t.tokens, token{byte: rest[0]})
			if rest[0] == ':' {
				colons++
			}
			rest = rest[1:]
			continue
		}
		not := byte(0)
		switch {
		case colons < arnParts-1:
			not = ':'
		case name == "BucketName":
			not = '/'
		}
		t.tokens = append(t.tokens, token{byte: not, wild: true}, token{byte: not, wild: true, repeats: true})
		rest = after
	}
	return t
}

// placeholder cuts one, ${…} or <…>, from the beginning of a pattern.
func placeholder(text string) (name, rest string, ok bool) {
	switch {
	case strings.HasPrefix(text, "${"):
		return strings.Cut(text[len("${"):], "}")
	case strings.HasPrefix(text, "<"):
		return strings.Cut(text[1:], ">")
	}
	return "", "", false
}

// patternOf reads a resource of a policy. A variable may stand for anything.
func patternOf(resource string) []token {
	var tokens []token
	for _, p := range policy.SplitVariables(resource) {
		if p.Kind == policy.Variable || p.Kind == policy.Malformed {
			tokens = append(tokens, token{wild: true, repeats: true})
			continue
		}
		for i := range len(p.Text) {
			switch b := p.Text[i]; {
			case p.Kind == policy.Literal && b == '*':
				tokens = append(tokens, token{wild: true, repeats: true})
			case p.Kind == policy.Literal && b == '?':
				tokens = append(tokens, token{wild: true})
			default:
				tokens = append(tokens, token{byte: b})
			}
		}
	}
	return tokens
}

// overlap tells whether some text has both forms. When there are no steps left it says so of all.
func (c *checker) overlap(pattern []token, t template) bool {
	if c.steps -= len(pattern) * len(t.tokens); c.steps < 0 {
		return true
	}
	// reached[j] tells whether some text brings pattern to its current token and the template to token j.
	reached, next := make([]bool, len(t.tokens)+1), make([]bool, len(t.tokens)+1)
	reached[0] = true
	for i := 0; i <= len(pattern); i++ {
		clear(next)
		for j := 0; j <= len(t.tokens); j++ {
			if !reached[j] {
				continue
			}
			repeatP := i < len(pattern) && pattern[i].repeats
			repeatT := j < len(t.tokens) && t.tokens[j].repeats
			if repeatP { // takes nothing more
				next[j] = true
			}
			if repeatT {
				reached[j+1] = true
			}
			if i == len(pattern) || j == len(t.tokens) || !pattern[i].meets(t.tokens[j]) {
				continue
			}
			switch {
			case repeatP && repeatT: // what both take changes nothing
			case repeatP:
				reached[j+1] = true
			case repeatT:
				next[j] = true
			default:
				next[j+1] = true
			}
		}
		if i < len(pattern) {
			reached, next = next, reached
		}
	}
	return reached[len(t.tokens)]
}

// meets tells whether two tokens take a common byte.
func (t token) meets(o token) bool {
	switch {
	case t.wild && o.wild:
		return true
	case t.wild:
		return t.takes(o.byte)
	default:
		return o.takes(t.byte)
	}
}

func (t token) takes(b byte) bool { return t.wild != (t.byte == b) || t.wild && t.byte == 0 }
