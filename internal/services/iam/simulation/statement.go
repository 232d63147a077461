package simulation

import (
	"bytes"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// places says where each statement of each policy stands: those of the principal, of its boundary and of the resource.
type places struct {
	identity           [][]types.Statement
	boundary, resource []types.Statement
}

func newPlaces(q *Question) places {
	p := places{identity: make([][]types.Statement, len(q.Identity))}
	for i, source := range q.Identity {
		p.identity[i] = placesIn(source.ID, identityType, source.Policy.Document)
	}
	if q.Boundary != nil {
		p.boundary = placesIn(q.Boundary.ID, boundaryType, q.Boundary.Policy.Document)
	}
	if q.Resource != nil {
		p.resource = placesIn("ResourcePolicy", resourceType, q.Resource.Document)
	}
	return p
}

// placesIn says where the statements of a document stand. A statement starts right behind what stands before it, the bracket or the
// previous statement, and ends right behind its brace; one that is not in a list starts behind its own first brace (recorded).
func placesIn(id string, kind types.PolicySourceType, doc *policy.Document) []types.Statement {
	at := walk{text: doc.Source, line: 1, column: 1}
	out := make([]types.Statement, len(doc.Statements))
	for i, s := range doc.Statements {
		start := s.Span.Start + 1
		switch before := bytes.TrimRight(doc.Source[:s.Span.Start], " \t\r\n"); {
		case i > 0:
			start = doc.Statements[i-1].Span.End
		case len(before) > 0 && before[len(before)-1] == '[':
			start = len(before)
		}
		out[i] = types.Statement{
			SourcePolicyId: &id, SourcePolicyType: kind, StartPosition: at.position(start), EndPosition: at.position(s.Span.End),
		}
	}
	return out
}

// walk goes through a text from place to place. Lines and columns count from 1, columns in characters.
type walk struct {
	text         []byte // what is still ahead
	offset       int
	line, column int
}

// position is the place of a byte that was not passed yet.
func (w *walk) position(offset int) *types.Position {
	passed := w.text[:offset-w.offset]
	w.text, w.offset = w.text[len(passed):], offset
	if lines := bytes.Count(passed, []byte{'\n'}); lines > 0 {
		w.line += lines
		w.column = 1
		passed = passed[bytes.LastIndexByte(passed, '\n')+1:]
	}
	w.column += utf8.RuneCount(passed)
	return &types.Position{Line: int32(w.line), Column: int32(w.column)}
}

// statements are those that made a decision: all that allow or, where one denies, all that deny.
func (s *Simulator) statements(d authz.Decision) []types.Statement {
	effect := policy.Allow
	if !d.Allowed {
		effect = policy.Deny
	}
	var out union
	add := func(of authz.TypeTrace, place func(policy, statement int) types.Statement) {
		for i, p := range of.Policies {
			for _, st := range p.Statements {
				if st.Matched && st.Effect == effect {
					out.add(place(i, st.Index)) // one policy may come to a user on several ways
				}
			}
		}
	}
	add(trace(d, authz.IdentityBasedPolicy), func(i, st int) types.Statement { return s.places.identity[i][st] })
	add(trace(d, authz.ResourceBasedPolicy, authz.RoleTrustPolicy), func(_, st int) types.Statement { return s.places.resource[st] })
	if effect == policy.Deny {
		add(trace(d, authz.PermissionsBoundary), func(_, st int) types.Statement { return s.places.boundary[st] })
	}
	return out.list
}

// union is a list of statements, each once.
type union struct {
	list []types.Statement
	seen map[statementKey]bool
}

type statementKey struct {
	id         string
	kind       types.PolicySourceType
	start, end types.Position
}

func (u *union) add(s types.Statement) {
	key := statementKey{aws.ToString(s.SourcePolicyId), s.SourcePolicyType, *s.StartPosition, *s.EndPosition}
	if u.seen[key] {
		return
	}
	if u.seen == nil {
		u.seen = make(map[statementKey]bool)
	}
	u.seen[key] = true
	u.list = append(u.list, s)
}
