package report

import (
	"context"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// Actions knows the actions of AWS's services. It never changes and is safe for concurrent use.
type Actions interface {
	// Services are the prefixes of all services, sorted. Names gives the names of a service's actions, without the prefix.
	Services() []string
	Names(service string) []string
}

// grantedServices finds the services of which identity-based policies grant something: an action that a statement allows, on whatever
// resource and condition, and that none denies on every resource without condition.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateServiceLastAccessedDetails.html
func grantedServices(ctx context.Context, actions Actions, policies []authz.Policy) ([]string, error) {
	return boundServices(ctx, actions, [][]authz.Policy{policies})
}

// boundServices is grantedServices for policies by level, as an organization has them: every level has to allow the action.
func boundServices(ctx context.Context, actions Actions, levels [][]authz.Policy) ([]string, error) {
	var all levelGrants
	for _, level := range levels {
		all = append(all, newGrants(level))
	}
	var out []string
	for _, service := range actions.Services() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if all.service(service, actions) {
			out = append(out, service)
		}
	}
	return out, nil
}

// levelGrants are the outlines of policies by level.
type levelGrants []*grants

// service tells whether something of a service is granted. An action that no service has is granted with the whole service alone: most
// policies are answered by that, and the tables of hundreds of services stay packed.
func (all levelGrants) service(service string, actions Actions) bool {
	const whole = "-"
	for _, g := range all {
		if !g.allows(service, whole) && !g.mentions(service) {
			return false
		}
	}
	return all.allow(service, whole) || slices.ContainsFunc(actions.Names(service), func(name string) bool { return all.allow(service, name) })
}

func (all levelGrants) allow(service, name string) bool {
	return !slices.ContainsFunc(all, func(g *grants) bool { return !g.allows(service, name) })
}

// grants is the outline of policies: what they say without their resources and conditions.
type grants struct {
	set *authz.Set
	// prefixes are the services that statements allow by their own name; any tells that some are allowed by a pattern.
	prefixes map[string]bool
	any      bool
}

func newGrants(policies []authz.Policy) *grants {
	g := &grants{prefixes: make(map[string]bool)}
	everywhere := []policy.Text{{Value: "*"}}
	outline := &policy.Document{Version: policy.Version2012}
	for _, p := range policies {
		for _, s := range p.Document.Statements {
			if s.Effect == policy.Allow {
				g.mention(s)
			} else if len(s.Condition) > 0 || !slices.ContainsFunc(s.Resource, func(t policy.Text) bool { return t.Value == "*" }) {
				continue
			}
			outline.Statements = append(outline.Statements, policy.Statement{
				Effect: s.Effect, Action: s.Action, NotAction: s.NotAction, Resource: everywhere,
			})
		}
	}
	g.set = authz.Compile(authz.Policies{Identity: []authz.Policy{{Name: "outline", Document: outline}}})
	return g
}

func (g *grants) mention(s policy.Statement) {
	for _, a := range s.Action {
		prefix, _, _ := strings.Cut(strings.ToLower(a.Value), ":")
		if strings.ContainsAny(prefix, "*?") {
			g.any = true
		}
		g.prefixes[prefix] = true
	}
	g.any = g.any || s.NotAction != nil
}

// service tells whether something of a service is granted.
func (g *grants) service(service string, actions Actions) bool {
	return levelGrants{g}.service(service, actions)
}

func (g *grants) mentions(service string) bool { return g.any || g.prefixes[service] }

func (g *grants) allows(service, name string) bool {
	return g.set.Decide(&authz.Request{
		Principal: authz.Principal{Kind: authz.User, Account: "000000000000"}, Action: service + ":" + name, Resource: "*",
	}).Allowed
}
