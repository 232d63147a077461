package resourcepolicy

import (
	"context"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/policy"
)

// The condition keys of the operations on permissions (lambda.md 2.4).
const (
	principalKey = "lambda:Principal"
	authTypeKey  = "lambda:FunctionUrlAuthType"
)

// grantee is whom a statement is about, as condition keys say it, and the auth type of function URLs that it is for; "" for none.
//
// The keys have one value, a document may have many. So a call that writes or removes a document needs its permissions once for each:
// "only for s3.amazonaws.com" allows no document that names somebody else, and "not for *" denies every one that names everybody.
type grantee struct{ principal, authType string }

// grantees are those that statements name, whatever their effect, each once. name gives a principal as keys have it.
func grantees(statements []policy.Statement, name func(policy.PrincipalEntry) (string, error)) ([]grantee, error) {
	var all []grantee
	seen := make(map[grantee]bool)
	for i := range statements {
		s := &statements[i]
		for _, e := range entriesOf(s) {
			who, err := name(e)
			if err != nil {
				return nil, err
			}
			for _, authType := range authTypesOf(s) {
				if g := (grantee{who, authType}); !seen[g] {
					seen[g] = true
					all = append(all, g)
				}
			}
		}
	}
	return all, nil
}

// entriesOf are the principals of a statement, excepted ones too.
func entriesOf(s *policy.Statement) []policy.PrincipalEntry {
	var all []policy.PrincipalEntry
	for _, p := range []*policy.Principals{s.Principal, s.NotPrincipal} {
		if p == nil {
			continue
		}
		if p.Any {
			all = append(all, policy.PrincipalEntry{Type: "AWS", Value: policy.Text{Value: "*"}})
		}
		all = append(all, p.Entries...)
	}
	return all
}

// authTypesOf are the values that a statement compares the auth type with, each once; one "" if it does not.
func authTypesOf(s *policy.Statement) []string {
	var all []string
	for _, c := range s.Condition {
		if strings.EqualFold(c.Key.Value, authTypeKey) {
			for _, v := range c.Values {
				if !slices.Contains(all, v.Value) {
					all = append(all, v.Value)
				}
			}
		}
	}
	if all == nil {
		return []string{""}
	}
	return all
}

// asGiven names a principal as the request does.
func asGiven(e policy.PrincipalEntry) (string, error) { return e.Value.Value, nil }

// kept names principals of a policy that is there: accounts by their numbers, by which AddPermission is asked for them.
func (m *Service) kept(ctx context.Context) func(policy.PrincipalEntry) (string, error) {
	return func(e policy.PrincipalEntry) (string, error) {
		if root := accountPrincipal.FindStringSubmatch(e.Value.Value); root != nil {
			return root[1], nil
		}
		return m.shown(ctx, e)
	}
}

// standing are the grantees of the policy that there is now.
func (m *Service) standing(ctx context.Context, r request.Function) ([]grantee, error) {
	p, err := m.find(ctx, m.key(r))
	if err != nil || p == nil {
		return nil, err
	}
	return grantees(p.document().Statements, m.kept(ctx))
}

// maxPrincipals of a whole policy bounds the decisions that one call takes, all of which are logged. It is ours.
const maxPrincipals = 100

// checkNumber refuses documents that name too many. Each principal may go with both auth types that there are; what else is compared with
// the auth type is any text, of which a document has room for thousands.
func checkNumber(statements []policy.Statement) error {
	principals, pairs := make(map[string]bool), make(map[grantee]bool)
	for i := range statements {
		for _, e := range entriesOf(&statements[i]) {
			principals[e.Value.Value] = true
		}
	}
	if n := len(principals); n > maxPrincipals {
		return fault.InvalidParameter("The policy names %d principals. The maximum is %d.", n, maxPrincipals)
	}
	for i := range statements {
		authTypes := authTypesOf(&statements[i])
		for _, e := range entriesOf(&statements[i]) {
			for _, authType := range authTypes {
				if pairs[grantee{e.Value.Value, authType}] = true; len(pairs) > 2*maxPrincipals {
					return fault.InvalidParameter("The policy names more than %d pairs of a principal and an auth type of function URLs.", 2*maxPrincipals)
				}
			}
		}
	}
	return nil
}

// principalsOf are grantees without what else they have.
func principalsOf(all []grantee) []grantee {
	var out []grantee
	for _, g := range all {
		if g.authType = ""; !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

// needs are the permissions for an action on a resource, one for each grantee; one without keys when there is none.
func (m *Service) needs(ctx context.Context, c *service.Call, action string, r request.Function, all []grantee) ([]service.Need, error) {
	t, err := m.functions.Target(ctx, c, action, r)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return []service.Need{{Action: action, Target: t}}, nil
	}
	needs := make([]service.Need, len(all))
	for i, g := range all {
		needs[i] = service.Need{Action: action, Target: t.With(g.keys)}
	}
	return needs, nil
}

func (g grantee) keys(keys *authz.Context) {
	keys.Set(principalKey, g.principal)
	if g.authType != "" {
		keys.Set(authTypeKey, g.authType)
	}
}
