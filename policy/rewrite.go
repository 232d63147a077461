package policy

import (
	"cmp"
	"fmt"
	"slices"
)

// RewritePrincipals gives the source of a document with other principals: replace gives the value that takes the place of each entry of
// a Principal or NotPrincipal element. Everything else stays byte for byte, and so does a value that is replaced by itself. An error of
// replace ends it.
func RewritePrincipals(d *Document, replace func(PrincipalEntry) (string, error)) ([]byte, error) {
	var entries []PrincipalEntry
	for i := range d.Statements {
		for _, p := range []*Principals{d.Statements[i].Principal, d.Statements[i].NotPrincipal} {
			if p != nil {
				entries = append(entries, p.Entries...)
			}
		}
	}
	// Elements of a statement come in any order.
	slices.SortFunc(entries, func(a, b PrincipalEntry) int { return cmp.Compare(a.Value.Span.Start, b.Value.Span.Start) })
	var p printer
	at := 0
	for _, e := range entries {
		value, err := replace(e)
		if err != nil {
			return nil, fmt.Errorf("replace principal %s: %w", e.Value.Value, err)
		}
		if value == e.Value.Value {
			continue
		}
		p.Write(d.Source[at:e.Value.Span.Start])
		p.string(value)
		at = e.Value.Span.End
	}
	p.Write(d.Source[at:])
	return p.Bytes(), nil
}
