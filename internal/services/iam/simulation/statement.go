package simulation

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// statements are those that made a decision: all that allow or, where one denies, all that deny.
func (s *Simulator) statements(d authz.Decision) []types.Statement {
	effect := policy.Allow
	if !d.Allowed {
		effect = policy.Deny
	}
	var out []types.Statement
	add := func(of authz.TypeTrace, kind types.PolicySourceType, id func(i int) string) {
		for i, p := range of.Policies {
			for _, st := range p.Statements {
				if !st.Matched || st.Effect != effect {
					continue
				}
				at := newStatement(id(i), kind, p.Policy.Document, st.Index)
				// One policy may come to a user on several ways.
				if !slices.ContainsFunc(out, func(t types.Statement) bool { return same(t, at) }) {
					out = append(out, at)
				}
			}
		}
	}
	add(trace(d, authz.IdentityBasedPolicy), identityType, func(i int) string { return s.Identity[i].ID })
	add(trace(d, authz.ResourceBasedPolicy, authz.RoleTrustPolicy), resourceType, func(int) string { return "ResourcePolicy" })
	if effect == policy.Deny {
		add(trace(d, authz.PermissionsBoundary), boundaryType, func(int) string { return s.Boundary.ID })
	}
	return out
}

// newStatement says where a statement stands. Lines and columns count from 1. A statement starts right behind what stands before it,
// the bracket or the previous statement, and ends right behind its brace; one that is not in a list starts behind its own first brace
// (recorded).
func newStatement(id string, kind types.PolicySourceType, doc *policy.Document, index int) types.Statement {
	span := doc.Statements[index].Span
	start := span.Start + 1
	switch before := bytes.TrimRight(doc.Source[:span.Start], " \t\r\n"); {
	case index > 0:
		start = doc.Statements[index-1].Span.End
	case len(before) > 0 && before[len(before)-1] == '[':
		start = len(before)
	}
	return types.Statement{
		SourcePolicyId: &id, SourcePolicyType: kind, StartPosition: newPosition(doc, start), EndPosition: newPosition(doc, span.End),
	}
}

// newPosition gives the place of a byte, with columns in characters.
func newPosition(doc *policy.Document, offset int) *types.Position {
	p := doc.Position(offset)
	line := doc.Source[offset-(p.Column-1) : offset]
	return &types.Position{Line: int32(p.Line), Column: int32(utf8.RuneCount(line) + 1)}
}

func same(a, b types.Statement) bool {
	return aws.ToString(a.SourcePolicyId) == aws.ToString(b.SourcePolicyId) && a.SourcePolicyType == b.SourcePolicyType &&
		*a.StartPosition == *b.StartPosition && *a.EndPosition == *b.EndPosition
}
