package landscape

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// Call is one that somebody would make.
type Call struct {
	// Principal is the name or ARN of a principal or of a function, whose execution role calls then; an ARN of an account's root; or the name
	// of a service, such as s3.amazonaws.com.
	Principal string
	// Action is the IAM action, Resource an ARN, "*", or the name of a resource with what follows it.
	Action, Resource string
	// Context has keys besides those that every call has, or other values for these.
	Context authz.Context
	// Session are session policies; nil for none.
	Session []Policy
	// Why says what the call is for, where a loader asks for it.
	Why string
}

// Answer is how a call would be decided.
type Answer struct {
	authz.Explanation
	// Unsure says what the decision depends on that is not known; nil when it is sure.
	Unsure []string
	// Notes are what was assumed.
	Notes []string
}

// Explain decides a call at a time. The error says what in the call names nothing.
func (l *Landscape) Explain(c Call, now time.Time) (Answer, error) {
	who, err := l.caller(c)
	if err != nil {
		return Answer{}, err
	}
	resource, err := l.ResourceARN(c.Resource)
	if err != nil {
		return Answer{}, err
	}
	on := l.target(resource, c.Action, who.caller.Account)
	var answer Answer
	if who.note != "" {
		answer.Notes = append(answer.Notes, who.note)
	}
	if on.note != "" {
		answer.Notes = append(answer.Notes, on.note)
	}
	req := l.request(c, &who, &on, resource, now)
	unknown := slices.Concat(unknownIn(who.identity), unknownIn(who.boundary), unknownIn(on.policy), unknownIn(c.Session))
	for _, level := range slices.Concat(l.SCPs, l.RCPs) {
		unknown = append(unknown, unknownIn(level)...)
	}
	if IsUnknown(resource) {
		unknown = append(unknown, "the resource is "+Shown(resource))
	}
	answer.Explanation = authz.Explain(req, l.policies(c, &who, &on, false))
	if len(unknown) == 0 || answer.Decision.Allowed && !IsUnknown(resource) {
		return answer, nil
	}
	// Where even the least is allowed, or the most is denied, the answer is sure.
	most := authz.Explain(req, l.policies(c, &who, &on, true))
	if !most.Decision.Allowed && !IsUnknown(resource) {
		answer.Explanation = most
		return answer, nil
	}
	slices.Sort(unknown)
	answer.Unsure = slices.Compact(unknown)
	return answer, nil
}

func unknownIn(policies []Policy) (list []string) {
	for _, p := range policies {
		for _, what := range p.Unknown {
			list = append(list, p.Name+": "+what)
		}
	}
	return list
}

// caller is who calls, with its policies.
type caller struct {
	caller   principal.Caller
	identity []Policy
	boundary []Policy // none or one
	note     string
}

func (l *Landscape) caller(c Call) (caller, error) {
	name := c.Principal
	p, err := l.Principal(name)
	if err != nil {
		return caller{}, err
	}
	if p != nil {
		return l.acting(p, "licet-test", ""), nil
	}
	f, err := l.Resource(name)
	if err != nil {
		return caller{}, err
	}
	if f != nil && f.Role != "" {
		return l.ofFunction(f)
	}
	if strings.Contains(name, ".") && !strings.ContainsAny(name, ":/*? ") { // a service, such as s3.amazonaws.com or alexa-appkit.amazon.com
		return caller{caller: principal.Caller{Principal: authz.Principal{Kind: authz.Service, ARN: name}}}, nil
	}
	a, err := arn.Parse(name)
	if err != nil {
		return caller{}, fmt.Errorf("there is no principal %q: it must be the name or ARN of a user, role or function, or a service such as s3.amazonaws.com", name)
	}
	return l.undeclared(name, a)
}

// acting is the caller that a principal is.
func (l *Landscape) acting(p *Principal, session, function string) caller {
	out := caller{identity: p.Policies}
	if p.Boundary != nil {
		out.boundary = []Policy{*p.Boundary}
	}
	account := accountOf(p.ARN)
	name := p.ARN[strings.LastIndexByte(p.ARN, '/')+1:]
	who := authz.Principal{Kind: p.Kind, Account: account, ARN: p.ARN}
	out.caller = principal.Caller{Principal: who, Tags: principal.NewTags(p.Tags)}
	if p.Kind == authz.AssumedRole {
		out.caller.ARN = fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", partitionOf(p.ARN), account, name, session)
		out.caller.IssuerARN, out.caller.SessionName = p.ARN, session
		out.caller.Session = &principal.Session{RoleARN: p.ARN, Name: session, SourceFunctionARN: function}
	} else {
		out.caller.UserName = name
	}
	return out
}

// ofFunction is the session that Lambda makes for a function's code (lambda.md 2.5).
func (l *Landscape) ofFunction(f *Resource) (caller, error) {
	name := f.ARN[strings.LastIndexByte(f.ARN, ':')+1:]
	role, err := l.Principal(f.Role)
	if err != nil {
		return caller{}, err
	}
	if role != nil {
		return l.acting(role, name, f.ARN), nil
	}
	return l.acting(&Principal{Kind: authz.AssumedRole, ARN: Shown(f.Role), Policies: []Policy{
		Anything("policies of "+Shown(f.Role), "the role is not declared here"),
	}}, name, f.ARN), nil
}

// undeclared is a principal that no file has: the root of an account, or somebody whose policies are not known.
func (l *Landscape) undeclared(name string, a arn.ARN) (caller, error) {
	if a.Service == "iam" && a.Resource == "root" {
		return caller{caller: principal.Caller{Principal: authz.Principal{Kind: authz.Root, Account: a.AccountID, ARN: name}}}, nil
	}
	kind, _, _ := strings.Cut(a.Resource, "/")
	p := &Principal{ARN: name, Policies: []Policy{Anything("policies of "+name, "the principal is not declared here")}}
	switch {
	case a.Service == "iam" && kind == "role":
		p.Kind = authz.AssumedRole
	case a.Service == "iam" && kind == "user":
		p.Kind = authz.User
	default:
		return caller{}, fmt.Errorf("%q is not the ARN of a user, a role or a root", name)
	}
	out := l.acting(p, "licet-test", "")
	out.note = name + " is not declared: what its own policies say is not known."
	return out, nil
}

// target is on what a call acts, with the policy of the resource.
type target struct {
	policy  []Policy // none or one
	trust   bool
	tags    map[string]string
	account string
	note    string
}

// needsTrust are the actions that a role's trust policy decides.
func needsTrust(action string) bool {
	return strings.HasPrefix(strings.ToLower(action), "sts:assumerole")
}

func (l *Landscape) target(resource, action, callerAccount string) target {
	if resource == "*" {
		return target{account: l.accountOr(callerAccount)}
	}
	t := target{account: accountOf(resource)}
	if t.account == "" { // buckets do not tell whose they are
		t.account = l.Account
	}
	if role, err := l.Principal(resource); err == nil && role != nil {
		t.tags = role.Tags
		if needsTrust(action) && role.Trust != nil {
			t.policy, t.trust = []Policy{*role.Trust}, true
		}
		return t
	}
	r := l.ownerOf(resource)
	switch {
	case r != nil:
		t.tags, t.trust = r.Tags, r.Required
		if r.Policy != nil {
			t.policy = []Policy{*r.Policy}
		}
	case t.account != l.Account, needsTrust(action):
		t.policy = []Policy{Anything("policy of "+Shown(resource), "the resource is not declared here")}
		t.trust = needsTrust(action)
	default:
		t.note = Shown(resource) + " is not declared: it is taken to have no policy of its own."
	}
	return t
}

func (l *Landscape) accountOr(account string) string {
	if account != "" {
		return account
	}
	return l.Account
}

// request is what is asked, as package dispatch asks it.
func (l *Landscape) request(c Call, who *caller, on *target, resource string, now time.Time) authz.Request {
	serviceName, _, _ := strings.Cut(c.Action, ":")
	call := &service.Call{
		Time: now, Caller: who.caller, Account: l.accountOr(who.caller.Account), Region: l.Region, Partition: l.Partition,
		Service: strings.ToLower(serviceName), SecureTransport: true,
	}
	if a, err := arn.Parse(resource); err == nil && a.Region != "" {
		call.Region = a.Region
	}
	if s := who.caller.Session; s != nil {
		s.IssuedAt = now
	}
	keys := dispatch.GlobalKeys(call)
	if resource != "*" {
		keys.Set("aws:ResourceAccount", on.account)
	}
	for key, value := range on.tags {
		keys.Set("aws:ResourceTag/"+key, value)
	}
	keys.Merge(c.Context)
	return authz.Request{
		Principal: who.caller.Principal, Action: c.Action, Resource: Shown(resource), ResourceAccount: on.account, Context: keys,
	}
}

// policies is one reading of all that apply.
func (l *Landscape) policies(c Call, who *caller, on *target, most bool) authz.Policies {
	out := authz.Policies{Identity: readings(who.identity, most), Trust: on.trust}
	for _, p := range who.boundary {
		read, _ := p.reading(most) // one without a document denies everything
		out.Boundary = &read
	}
	if c.Session != nil {
		out.Session = readings(c.Session, most)
	}
	for _, p := range on.policy {
		if read, says := p.reading(most); says {
			out.Resource = &read
		}
	}
	if who.caller.Account == l.Account {
		out.SCPs = levels(l.SCPs, most)
	}
	if on.account == l.Account {
		out.RCPs = levels(l.RCPs, most)
	}
	return out
}

func readings(policies []Policy, most bool) []authz.Policy {
	list := []authz.Policy{}
	for _, p := range policies {
		if read, says := p.reading(most); says {
			list = append(list, read)
		}
	}
	return list
}

func levels(all [][]Policy, most bool) [][]authz.Policy {
	if all == nil {
		return nil
	}
	out := make([][]authz.Policy, len(all))
	for i, level := range all {
		out[i] = readings(level, most)
	}
	return out
}

func accountOf(text string) string {
	if a, err := arn.Parse(text); err == nil {
		return a.AccountID
	}
	return ""
}

func partitionOf(text string) string {
	if a, err := arn.Parse(text); err == nil {
		return a.Partition
	}
	return "aws"
}
