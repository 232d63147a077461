package landscape

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/organization"
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
	// MaybeDenied says, where it is surely denied, what may have a statement that denies it.
	MaybeDenied []string
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
	j := judged{l, &c, &who, &on, openKeys(c, &who, &on)}
	unknown := slices.Concat(unknownIn(who.identity), unknownIn(who.boundary), unknownIn(on.policy), unknownIn(c.Session))
	for _, level := range slices.Concat(l.SCPs, l.RCPs) {
		unknown = append(unknown, unknownIn(level)...)
	}
	if IsUnknown(resource) {
		unknown = append(unknown, "the resource is "+Shown(resource))
	}
	answer.Explanation = authz.Explain(req, j.policies(false))
	for key := range j.keys.asked {
		unknown = append(unknown, "the key "+key+", unless the test's context gives it")
	}
	slices.Sort(unknown)
	unknown = append(slices.Compact(unknown), l.Unread...)
	whole := !IsUnknown(resource) && len(l.Unread) == 0
	if len(unknown) == 0 || answer.Decision.Allowed && whole {
		return answer, nil
	}
	// Where even the least is allowed, or the most is denied, the answer is sure.
	most := authz.Explain(req, j.policies(true))
	if !most.Decision.Allowed && whole {
		if answer.Decision.Explicit && !most.Decision.Explicit {
			answer.MaybeDenied = unknown
		}
		answer.Explanation = most
		return answer, nil
	}
	answer.Unsure = unknown
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
	tags     map[string]string
	note     string
	unknown  bool   // it is not declared, and so are its tags not
	role     string // of a function's that is not declared, its ARN, which may be marked by Unknown
}

func (l *Landscape) caller(c Call) (caller, error) {
	name := c.Principal
	p, err := l.Principal(name)
	if err != nil {
		return caller{}, err
	}
	f, err := l.Resource(name)
	if err != nil {
		return caller{}, err
	}
	isFunction := f != nil && f.Role != ""
	switch {
	case p != nil && isFunction && f.Role != p.ARN:
		return caller{}, fmt.Errorf("%q is the name of a principal and of a function with another role", name)
	case isFunction:
		return l.ofFunction(f)
	case p != nil:
		return l.acting(p, "licet-test", ""), nil
	case isService(name):
		return caller{caller: principal.Caller{Principal: authz.Principal{Kind: authz.Service, ARN: name}}}, nil
	}
	a, err := arn.Parse(name)
	if err != nil {
		message := fmt.Sprintf("there is no principal %q: it must be the name or ARN of a user, role or function, or a service such as s3.amazonaws.com", name)
		if names := l.callers(); len(names) > 0 {
			message += "; known are " + known(names)
		}
		return caller{}, errors.New(message)
	}
	return l.undeclared(name, a)
}

// isService tells whether a name is of a form that services' have, such as s3.amazonaws.com, logs.eu-west-1.amazonaws.com and
// alexa-appkit.amazon.com: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services
func isService(name string) bool {
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal", ".api.aws"} {
		before, ok := strings.CutSuffix(name, domain)
		if ok && before != "" && strings.Trim(before, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" {
			return true
		}
	}
	return false
}

// acting is the caller that a principal is.
func (l *Landscape) acting(p *Principal, session, function string) caller {
	out := caller{identity: p.Policies, tags: p.Tags}
	if p.Boundary != nil {
		out.boundary = []Policy{*p.Boundary}
	}
	account := accountOf(p.ARN)
	name := p.Name()
	tags := maps.Clone(p.Tags)
	maps.DeleteFunc(tags, func(key, value string) bool { return key == AnyTag || IsUnknown(value) })
	who := authz.Principal{Kind: p.Kind, Account: account, ARN: p.ARN}
	out.caller = principal.Caller{Principal: who, Tags: principal.NewTags(tags)}
	if p.Kind == authz.AssumedRole {
		out.caller.ARN = fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", partitionOf(p.ARN), account, name, session)
		out.caller.IssuerARN, out.caller.SessionName = p.ARN, session
		out.caller.Session = &principal.Session{RoleARN: p.ARN, Name: session, SourceFunctionARN: function}
	} else {
		out.caller.UserName = name
	}
	return out
}

// ofFunction is the session that Lambda makes for a function's code, whatever version of it runs (lambda.md 2.5).
func (l *Landscape) ofFunction(f *Resource) (caller, error) {
	arn := FunctionARN(f.ARN)
	name := arn[strings.LastIndexByte(arn, ':')+1:]
	role, err := l.Principal(f.Role)
	if err != nil {
		return caller{}, err
	}
	if role != nil {
		return l.acting(role, name, arn), nil
	}
	roleARN := Shown(f.Role)
	if IsUnknown(f.Role) { // of the function's account in any case (lambda.md 3.1)
		roleARN = "arn:" + l.Partition + ":iam::" + accountOf(arn) + ":role/" + roleARN
	}
	out := l.acting(&Principal{Kind: authz.AssumedRole, ARN: roleARN, Policies: []Policy{
		Anything("policies of "+Shown(f.Role), "the role is not declared here"),
	}}, name, arn)
	out.unknown, out.role = true, f.Role
	return out, nil
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
	out.unknown = true
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
	unknown bool // its tags are not known
}

// needsTrust are the actions that a role's trust policy decides: "the role trust policy must" allow tags and a source identity, too.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
func needsTrust(action string) bool {
	action = strings.ToLower(action)
	return strings.HasPrefix(action, "sts:assumerole") || action == "sts:tagsession" || action == "sts:setsourceidentity"
}

// isKey tells whether an ARN is that of a KMS key, which always has a policy ("every KMS key must have exactly one key policy"), without which
// no other permits anything. https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
func isKey(text string) bool {
	a, err := arn.Parse(text)
	return err == nil && a.Service == "kms" && strings.HasPrefix(a.Resource, "key/")
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
		if !needsTrust(action) {
			return t
		}
		t.trust = true
		switch {
		case role.Trust != nil:
			t.policy = []Policy{*role.Trust}
		case role.Kind == authz.AssumedRole:
			t.policy = []Policy{Anything("trust policy of "+role.Name(), "it is not given")}
		}
		return t
	}
	r := l.ownerOf(resource)
	switch {
	case r != nil:
		t.tags, t.trust = r.Tags, r.Required || isKey(r.ARN)
		switch {
		case r.Policy != nil:
			t.policy = []Policy{*r.Policy}
		case t.trust:
			t.policy = []Policy{Anything("policy of "+Shown(r.ARN), "it is not given")}
		}
	case t.account != l.Account, needsTrust(action), isKey(resource):
		t.policy = []Policy{Anything("policy of "+Shown(resource), "the resource is not declared here")}
		t.trust, t.unknown = needsTrust(action) || isKey(resource), true
	default:
		t.note = Shown(resource) + " is not declared: it is taken to have no policy and no tags of its own."
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
	if on.account != "" {
		keys.Set("aws:ResourceAccount", on.account)
	}
	for key, value := range on.tags {
		if key == AnyTag {
			continue
		}
		keys.Set("aws:ResourceTag/"+key, Shown(value))
	}
	keys.Merge(shown(c.Context))
	return authz.Request{
		Principal: who.caller.Principal, Action: c.Action, Resource: Shown(resource), ResourceAccount: on.account, Context: keys,
	}
}

// shown is a context whose values are for a policy to see.
func shown(c authz.Context) (out authz.Context) {
	for name, v := range c.All {
		values := make([]string, len(v.Values))
		for i, value := range v.Values {
			values[i] = Shown(value)
		}
		if v.Multi || len(values) != 1 {
			out.SetList(name, values...)
		} else {
			out.Set(name, values[0])
		}
	}
	return out
}

// openKeys are the keys of a call whose values are not known.
func openKeys(c Call, who *caller, on *target) *open {
	o := &open{given: &c.Context}
	missing := callKeys
	if who.caller.Kind == authz.Service {
		missing = serviceKeys
	}
	for _, key := range missing {
		if _, given := c.Context.Get(key); !given {
			o.add(key)
		}
	}
	if IsUnknown(who.role) {
		o.add("aws:PrincipalArn")
	}
	if who.unknown {
		o.add("aws:PrincipalTag/")
	}
	if on.unknown {
		o.add("aws:ResourceTag/")
	}
	for prefix, tags := range map[string]map[string]string{"aws:PrincipalTag/": who.tags, "aws:ResourceTag/": on.tags} {
		for key, value := range tags {
			if _, given := c.Context.Get(prefix + key); !given && IsUnknown(value) {
				o.add(prefix + key)
			}
		}
	}
	for name, v := range c.Context.All {
		if slices.ContainsFunc(v.Values, IsUnknown) {
			o.add(name)
		}
	}
	return o
}

// judged is a call with all that it is judged by.
type judged struct {
	*Landscape
	call *Call
	who  *caller
	on   *target
	keys *open
}

// policies is one reading of all that apply.
func (j *judged) policies(most bool) authz.Policies {
	out := authz.Policies{Identity: j.readings(j.who.identity, most), Trust: j.on.trust}
	for _, p := range j.who.boundary {
		read, _ := p.reading(most) // one without a document denies everything
		read = j.keys.reading(read, &j.who.caller.Principal, most, false)
		out.Boundary = &read
	}
	if j.call.Session != nil {
		out.Session = j.readings(j.call.Session, most)
	}
	for _, p := range j.on.policy {
		if read, says := p.reading(most); says {
			read = j.keys.reading(read, &j.who.caller.Principal, most, p.Unknown != nil)
			out.Resource = &read
		}
	}
	if j.who.caller.Account == j.Account {
		out.SCPs = j.levels(j.SCPs, most)
	}
	service, name, _ := strings.Cut(j.call.Action, ":")
	if j.on.account == j.Account && organization.BoundByRCPs(strings.ToLower(service)+":"+name) {
		out.RCPs = j.levels(j.RCPs, most)
	}
	return out
}

func (j *judged) readings(policies []Policy, most bool) []authz.Policy {
	list := []authz.Policy{}
	for _, p := range policies {
		if read, says := p.reading(most); says {
			list = append(list, j.keys.reading(read, &j.who.caller.Principal, most, false))
		}
	}
	return list
}

func (j *judged) levels(all [][]Policy, most bool) [][]authz.Policy {
	if all == nil {
		return nil
	}
	out := make([][]authz.Policy, len(all))
	for i, level := range all {
		out[i] = j.readings(level, most)
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
