package authz

// truth is the outcome of a comparison. The order makes min the logical and, max the logical or.
//
// What cannot be understood is unknown: an operator that AWS does not have, a number that is none, a variable where none may stand.
// It keeps an Allow from matching and makes a Deny match (iam.md C15, D17).
type truth uint8

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth { return yes - t }

// holds tells whether an element with this outcome lets its statement, a Deny or an Allow, match.
func (t truth) holds(deny bool) bool { return t == yes || t == unknown && deny }
