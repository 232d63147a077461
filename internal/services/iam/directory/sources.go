package directory

import (
	"context"
	"fmt"

	"github.com/licet/licet/authz"
)

// Source is a policy of an identity, with whom it comes from: the identity or one of its groups.
type Source struct {
	Owner *Known
	// inline is the name of an inline policy; "" for a managed one.
	Inline string
	Policy authz.Policy
}

// Id is how AWS calls the policy in results (recorded).
func (s Source) Id() string {
	if s.Inline == "" {
		return s.Policy.Name
	}
	return string(s.Owner.Kind) + "_" + s.Owner.Name + "_" + s.Inline
}

// Sources gives the identity-based policies of an identity, each with where it comes from.
func (d *Directory) Sources(ctx context.Context, e *Known) ([]Source, error) {
	grants, err := d.grants(ctx, e)
	if err != nil {
		return nil, err
	}
	var out []Source
	for _, g := range grants {
		for i, name := range g.inlineNames() {
			out = append(out, Source{Owner: g, Inline: name, Policy: g.inline[i]})
		}
		for _, policyARN := range g.Attached {
			managed, err := d.Policy(ctx, policyARN)
			if err != nil {
				return nil, fmt.Errorf("load policy of %s %s: %w", g.Kind, g.Name, err)
			}
			out = append(out, Source{Owner: g, Policy: managed})
		}
	}
	return out, nil
}
