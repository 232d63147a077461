package organizations

import (
	"context"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// Which action has which resource and keys:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html. All resources count as the caller's
// account's: who calls from another account of the organization needs its own permission, and then a say in the organization.

// place finds the target of a call. v.org is nil for a caller whose account is in no organization. Inputs of different operations have
// the members that matter here under the same names; a test runs every row of the table.
type place func(v *view, in any) (service.Target, error)

// keys adds condition keys of an operation, or refuses its input.
type keys func(v *view, in any, k *authz.Context) error

// op makes a row of the table. Every action has the name of its operation, and needs it on every place.
func op[In, Out any](s *Service, name string, at place, h handler[In, Out], more ...place) service.Operation {
	action := "organizations:" + name
	needs := make([]service.Needs[In], len(more))
	for i, m := range more {
		needs[i] = func(ctx context.Context, c *service.Call, in *In) ([]service.Need, error) {
			t, err := s.locate(ctx, c, h.who, m, in)
			return []service.Need{{Action: action, Target: t}}, err
		}
	}
	return service.Op(name, action, func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		return s.locate(ctx, c, h.who, at, in)
	}, h.do, needs...)
}

// tagged makes a row of an operation that makes something with tags: "If the request includes tags, then the requester must have the
// organizations:TagResource permission" (API_CreateAccount).
func tagged[In, Out any](s *Service, name string, at place, h handler[In, Out]) service.Operation {
	at = with(at, requestTags)
	resource := func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		return s.locate(ctx, c, h.who, at, in)
	}
	tagging := func(ctx context.Context, c *service.Call, in *In) ([]service.Need, error) {
		if len(service.Member[[]types.Tag](in, "Tags")) == 0 {
			return nil, nil
		}
		t, err := resource(ctx, c, in)
		return []service.Need{{Action: "organizations:TagResource", Target: t}}, err
	}
	return service.Op(name, "organizations:"+name, resource, h.do, tagging)
}

// locate finds a place in the caller's organization as it is now.
func (s *Service) locate(ctx context.Context, c *service.Call, who say, at place, in any) (t service.Target, err error) {
	err = s.db.View(ctx, func(r store.Reader) error {
		o, err := organizationOf(r, c.Account)
		if err != nil {
			return err
		}
		v := view{Service: s, r: r, call: c, org: o}
		delegated := v.delegated(c.Operation, who)
		v.blind = o != nil && !delegated && !v.hasSay(who)
		if t, err = at(&v, in); err == nil && delegated {
			err = v.delegate(&t)
		}
		return err
	})
	return t, err
}

// anywhere is the place of actions without resource-level permissions.
func anywhere(*view, any) (service.Target, error) { return service.Target{ARN: "*"}, nil }

// with adds keys to those of a place.
func with(at place, more ...keys) place {
	return func(v *view, in any) (service.Target, error) {
		t, err := at(v, in)
		for _, m := range more {
			if err != nil {
				return service.Target{}, err
			}
			err = m(v, in, &t.Keys)
		}
		return t, err
	}
}

// onNode is a root, unit or account that a member of the input names by its id.
func onNode(member string, pattern *regexp.Regexp) place {
	return func(v *view, in any) (service.Target, error) {
		id := service.Member[*string](in, member)
		if err := check(id, pattern); err != nil {
			return service.Target{}, err
		}
		return v.nodeTarget(*id), nil
	}
}

// nodeTarget answers for nodes that are not there, too.
func (v *view) nodeTarget(id string) service.Target {
	o := v.scope()
	t := service.Target{ARN: v.nodeARN(o, id)}
	if n := o.Nodes[id]; n != nil && !v.blind {
		resourceTags(&t.Keys, n.Tags)
	}
	return t
}

// scope is the caller's organization, or for who has none one that is empty.
func (v *view) scope() *tree {
	if v.org == nil {
		return &tree{Management: v.call.Account}
	}
	return v.org
}

// onPolicy is a policy that a member of the input names by its id.
func onPolicy(member string, pattern *regexp.Regexp) place {
	return func(v *view, in any) (service.Target, error) {
		id := service.Member[*string](in, member)
		if err := check(id, pattern); err != nil {
			return service.Target{}, err
		}
		return v.policyTarget(*id)
	}
}

func (v *view) policyTarget(id string) (service.Target, error) {
	o := v.scope()
	p, err := findPolicy(v.r, o.ID, id)
	if isMissing(err) || v.blind {
		p, err = &orgPolicy{ID: id, Type: types.PolicyTypeServiceControlPolicy}, nil
	}
	if err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: v.policyARN(o, p)}
	resourceTags(&t.Keys, p.Tags)
	t.Keys.Set("organizations:PolicyType", string(p.Type))
	return t, nil
}

// onTaggable is what a ResourceId names.
func onTaggable(v *view, in any) (service.Target, error) {
	id := service.Member[*string](in, "ResourceId")
	if err := check(id, v.patterns.taggable); err != nil {
		return service.Target{}, err
	}
	switch {
	case v.patterns.policy.MatchString(*id):
		return v.policyTarget(*id)
	case strings.HasPrefix(*id, "rp-"):
		t := service.Target{ARN: v.resourcePolicyARN(v.scope(), *id)}
		if d := v.scope().Delegation; d != nil && d.ID == *id && !v.blind {
			resourceTags(&t.Keys, d.Tags)
		}
		return t, nil
	}
	return v.nodeTarget(*id), nil
}

// onNewPolicy is the place of CreatePolicy: what ARNs of the organization's policies of the type begin with.
func onNewPolicy(v *view, in any) (service.Target, error) {
	t := service.Member[types.PolicyType](in, "Type")
	if err := checkPolicyType(t); err != nil {
		return service.Target{}, err
	}
	target := service.Target{ARN: v.policyARN(v.scope(), &orgPolicy{Type: t})}
	target.Keys.Set("organizations:PolicyType", string(t))
	return target, nil
}

// onInvited is the account that is invited; "*" where it is named by its email address.
func onInvited(v *view, in any) (service.Target, error) {
	party := service.Member[*types.HandshakeParty](in, "Target")
	if party == nil || party.Id == nil {
		return service.Target{}, required()
	}
	if party.Type != types.HandshakePartyTypeAccount {
		return service.Target{ARN: "*"}, nil
	}
	if err := check(party.Id, v.patterns.account); err != nil {
		return service.Target{}, err
	}
	return v.nodeTarget(*party.Id), nil
}

// onHandshake is an invitation. To others than its two accounts it looks like one that is not there.
func onHandshake(v *view, in any) (service.Target, error) {
	id := service.Member[*string](in, "HandshakeId")
	if err := check(id, v.patterns.handshake); err != nil {
		return service.Target{}, err
	}
	o := v.scope()
	h, err := store.GetJSON[*handshake](v.r, handshakePrefix+*id)
	if isMissing(err) || err == nil && !h.concerns(v.call.Account) {
		h, err = &handshake{ID: *id, Organization: o.ID, Management: o.Management}, nil
	}
	if err != nil {
		return service.Target{}, err
	}
	return service.Target{ARN: v.handshakeARN(h)}, nil
}

func resourceTags(k *authz.Context, tags []tag) {
	for _, t := range tags {
		k.Set("aws:ResourceTag/"+t.Key, t.Value)
	}
}

// requestTags sets the keys that describe tags in a request.
func requestTags(_ *view, in any, k *authz.Context) error {
	tags, err := checkTags(service.Member[[]types.Tag](in, "Tags"))
	if err != nil {
		return err
	}
	var names []string
	for _, t := range tags {
		k.Set("aws:RequestTag/"+t.Key, t.Value)
		names = append(names, t.Key)
	}
	if names != nil {
		k.SetList("aws:TagKeys", names...)
	}
	return nil
}

func requestTagKeys(_ *view, in any, k *authz.Context) error {
	names := service.Member[[]string](in, "TagKeys")
	if len(names) > 0 {
		k.SetList("aws:TagKeys", names...)
	}
	return checkTagKeys(names)
}

// policyType is the key organizations:PolicyType of operations whose input has the type, in a member of that name.
func policyType(member string) keys {
	return func(_ *view, in any, k *authz.Context) error {
		t := service.Member[types.PolicyType](in, member)
		if err := checkPolicyType(t); err != nil {
			return err
		}
		k.Set("organizations:PolicyType", string(t))
		return nil
	}
}

// attachedType is the key organizations:PolicyType of the place that an attachment is for.
func attachedType(v *view, in any, k *authz.Context) error {
	t, err := v.policyTarget(aws.ToString(service.Member[*string](in, "PolicyId")))
	if err != nil {
		return err
	}
	if value, ok := t.Keys.Get("organizations:PolicyType"); ok {
		k.Set("organizations:PolicyType", value.Values[0])
	}
	return nil
}

// servicePrincipal is the key organizations:ServicePrincipal.
func servicePrincipal(v *view, in any, k *authz.Context) error {
	name := service.Member[*string](in, "ServicePrincipal")
	if err := v.checkService(name); err != nil {
		return err
	}
	k.Set("organizations:ServicePrincipal", *name)
	return nil
}

// maybeServicePrincipal is servicePrincipal where the member may be missing.
func maybeServicePrincipal(v *view, in any, k *authz.Context) error {
	if service.Member[*string](in, "ServicePrincipal") == nil {
		return nil
	}
	return servicePrincipal(v, in, k)
}

// request wants the id of a call of CreateAccount.
func request(v *view, in any, _ *authz.Context) error {
	return check(service.Member[*string](in, "CreateAccountRequestId"), v.patterns.request)
}
