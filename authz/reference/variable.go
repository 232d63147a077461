package reference

import (
	"strings"

	"github.com/licet/licet/policy"
)

// piece is a run of text in a pattern. It is literal when it was substituted, so that its wildcards are plain characters.
type piece struct {
	text    string
	literal bool
}

// plain joins pieces to the text they stand for.
func plain(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
	}
	return b.String()
}

// operand is a text of a policy with its variables replaced.
type operand struct {
	pieces []piece
	// complete is no when a variable has no value, unknown when one is malformed. Then pieces are of no use.
	complete truth
}

func asWritten(text string) operand {
	return operand{pieces: []piece{{text: text}}, complete: yes}
}

// substitute replaces policy variables. Documents of version 2008-10-17 have none (iam.md V1). Only keys with a single value can
// be used; what is substituted is not read again (iam.md X2, X4).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (w walk) substitute(text string) operand {
	if w.doc.Version != policy.Version2012 {
		return asWritten(text)
	}
	out := operand{complete: yes}
	for _, part := range policy.SplitVariables(text) {
		p := piece{text: part.Text, literal: part.Kind != policy.Literal}
		switch part.Kind {
		case policy.Variable:
			value, ok := w.variable(part)
			if !ok {
				return operand{complete: no}
			}
			p.text = value
		case policy.Malformed:
			return operand{complete: unknown}
		}
		out.pieces = append(out.pieces, p)
	}
	return out
}

func (w walk) variable(part policy.Part) (string, bool) {
	value, ok := w.req.Context.Get(part.Text)
	switch {
	case !ok:
		return part.Default, part.HasDefault
	case value.Multi || len(value.Values) != 1:
		return "", false
	default:
		return value.Values[0], true
	}
}
