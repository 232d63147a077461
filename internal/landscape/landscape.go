package landscape

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
)

// Landscape is what files declare in one account and region.
type Landscape struct {
	Partition, Account, Region string
	Principals                 []*Principal
	Resources                  []*Resource
	// SCPs and RCPs by level, from the organization's root to the account; nil when there is no organization.
	SCPs, RCPs [][]Policy
	// Notes say what a loader could not resolve.
	Notes []Note
	// Calls are those that must be permitted for what is declared to work, such as the reads of an event source.
	Calls []Call
	// Given are policies for principals that the loader has not found: Join gives them to those of other landscapes.
	Given []Given
	// Unread says what may change any decision and could not be read, such as what a macro makes; none is sure then.
	Unread []string
	// Parameters are the names of those that a source has.
	Parameters []string
}

// Given is a policy for a principal that is named. A name that is not known may be anybody's of the kind.
type Given struct {
	Kind   authz.PrincipalKind
	Name   string
	Policy Policy
}

// Place is where something stands in a file; Line counts from 1, 0 for the whole file.
type Place struct {
	File string
	Line int
}

func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Note is something that a loader could not resolve.
type Note struct {
	At   Place
	Text string
}

// Principal is a user or a role.
type Principal struct {
	At Place
	// Kind is authz.User or authz.AssumedRole: a role acts through its sessions.
	Kind authz.PrincipalKind
	// ARN of the user or role.
	ARN string
	// Names by which a call may name it beside the ARN: its own, and the one that the file has for it.
	Names []string
	// Policies are the identity-based ones, also of a user's groups.
	Policies []Policy
	Boundary *Policy
	// Trust is the trust policy of a role.
	Trust *Policy
	// Tags by key; their values may be marked by Unknown.
	Tags map[string]string
}

// Name is the last part of the ARN.
func (p *Principal) Name() string { return p.ARN[strings.LastIndexByte(p.ARN, '/')+1:] }

// Resource is what may have a resource-based policy.
type Resource struct {
	At  Place
	ARN string
	// Type is the CloudFormation type, such as AWS::S3::Bucket.
	Type  string
	Names []string
	// Policy is the resource-based policy; nil for none.
	Policy *Policy
	// Required marks a policy without which nobody has access, as those of KMS keys.
	Required bool
	// Tags by key; their values may be marked by Unknown.
	Tags map[string]string
	// Role is the ARN of a function's execution role; "" for others.
	Role string
}

// AnyTag is the key of a tag in place of tags that are not known.
const AnyTag = ""

// Note adds a note.
func (l *Landscape) Note(at Place, format string, args ...any) {
	l.Notes = append(l.Notes, Note{at, Shown(fmt.Sprintf(format, args...))})
}

// Join adds what another landscape of the same account and region declares. One may declare a resource that the other gives a policy, and a
// principal that the other gives one.
func (l *Landscape) Join(other *Landscape) {
	l.Principals = append(l.Principals, other.Principals...)
	for _, r := range other.Resources {
		l.AddResource(r)
	}
	l.SCPs, l.RCPs = append(l.SCPs, other.SCPs...), append(l.RCPs, other.RCPs...)
	l.Notes, l.Calls = append(l.Notes, other.Notes...), append(l.Calls, other.Calls...)
	l.Unread, l.Parameters = append(l.Unread, other.Unread...), append(l.Parameters, other.Parameters...)
	l.Given = slices.DeleteFunc(append(l.Given, other.Given...), l.give)
}

// give gives a policy to whom it is for; false when nobody has the name, or others may have it.
func (l *Landscape) give(g Given) (given bool) {
	unknown := IsUnknown(g.Name)
	for _, p := range l.Principals {
		if unknown && p.Kind == g.Kind {
			p.Policies = append(p.Policies, Anything(g.Policy.Name, "to whom it is given"))
			continue
		}
		if p.Kind == g.Kind && (p.Name() == g.Name || p.ARN == g.Name) {
			p.Policies, given = append(p.Policies, g.Policy), true
		}
	}
	return given
}

// AddResource adds a resource. What is said of one that is there already is put together: its policy has the statements of both.
func (l *Landscape) AddResource(r *Resource) {
	i := slices.IndexFunc(l.Resources, func(o *Resource) bool { return o.ARN == r.ARN })
	if i < 0 {
		l.Resources = append(l.Resources, r)
		return
	}
	both := *l.Resources[i]
	both.Names = slices.Compact(slices.Sorted(slices.Values(slices.Concat(both.Names, r.Names))))
	if both.Type == "" {
		both.At, both.Type = r.At, r.Type
	}
	both.Role = cmp.Or(both.Role, r.Role)
	both.Required = both.Required || r.Required
	both.Tags = maps.Clone(both.Tags)
	if both.Tags == nil {
		both.Tags = make(map[string]string)
	}
	maps.Copy(both.Tags, r.Tags)
	switch {
	case both.Policy == nil:
		both.Policy = r.Policy
	case r.Policy != nil:
		joined := both.Policy.with(*r.Policy)
		both.Policy = &joined
	}
	l.Resources[i] = &both
}

// Principal finds a principal by its ARN or one of its names; nil when there is none. A name of several is an error.
func (l *Landscape) Principal(name string) (*Principal, error) {
	return only(name, l.Principals, func(p *Principal) bool { return p.ARN == name || slices.Contains(p.Names, name) })
}

// Resource finds a resource by its ARN or one of its names; nil when there is none. A name of several is an error.
func (l *Landscape) Resource(name string) (*Resource, error) {
	return only(name, l.Resources, func(r *Resource) bool { return r.ARN == name || slices.Contains(r.Names, name) })
}

func only[T any](name string, all []*T, is func(*T) bool) (found *T, err error) {
	for _, one := range all {
		if !is(one) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%q is the name of several", name)
		}
		found = one
	}
	return found, nil
}

// ResourceARN is the ARN that a call names: an ARN, "*" or what is not known as it is, else the name of a resource, with what follows it: Photos/in/a.png is an
// object in the bucket Photos, Resize:live an alias of the function Resize.
func (l *Landscape) ResourceARN(text string) (string, error) {
	if text == "*" || strings.HasPrefix(text, "arn:") || IsUnknown(text) {
		return text, nil
	}
	name, rest := text, ""
	if i := strings.IndexAny(text, "/:"); i >= 0 {
		name, rest = text[:i], text[i:]
	}
	r, err := l.Resource(name)
	if err != nil {
		return "", err
	}
	if r != nil {
		return r.ARN + rest, nil
	}
	p, err := l.Principal(name)
	if err != nil {
		return "", err
	}
	if p == nil || rest != "" {
		var names []string
		for _, r := range l.Resources {
			names = append(names, r.Names[:min(1, len(r.Names))]...)
		}
		if len(names) == 0 {
			return "", fmt.Errorf("there is no resource %q: none is declared, so that it must be an ARN, or *", name)
		}
		return "", fmt.Errorf("there is no resource %q; known are %s", name, known(names))
	}
	return p.ARN, nil
}

// callers are the names of who can call: principals, and functions with a role.
func (l *Landscape) callers() (names []string) {
	for _, p := range l.Principals {
		names = append(names, p.Names[:min(1, len(p.Names))]...)
	}
	for _, r := range l.Resources {
		if r.Role != "" {
			names = append(names, r.Names[:min(1, len(r.Names))]...)
		}
	}
	return names
}

// known lists names for a message.
func known(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	if n := len(names); n > 20 {
		return strings.Join(names[:20], ", ") + fmt.Sprintf(" and %d more", n-20)
	}
	return strings.Join(names, ", ")
}

// FunctionARN is the ARN of a function without the version or alias that it may have.
func FunctionARN(arn string) string {
	if parts := strings.SplitN(arn, ":", 8); len(parts) == 8 {
		return strings.Join(parts[:7], ":")
	}
	return arn
}

// NamedFunction is the ARN of a function by what names one: a name, an ARN or a partial one, with a qualifier or without; prefix is what the ARNs of
// functions begin with, to "function:" (https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html, FunctionName).
func NamedFunction(prefix, name string) string {
	account := accountOf(prefix + "f")
	switch {
	case strings.HasPrefix(name, "arn:"), name == "":
		return name
	case strings.HasPrefix(name, account+":function:"):
		return prefix + strings.TrimPrefix(name, account+":function:")
	case strings.HasPrefix(name, "function:"):
		return prefix + strings.TrimPrefix(name, "function:")
	}
	return prefix + name
}

// Grantee is the Principal element that AddPermission writes for a principal: everybody, an ARN, an account, or a service (lambda.md 1.2).
func Grantee(partition, principal string) any {
	switch {
	case principal == "*":
		return "*"
	case IsUnknown(principal), strings.HasPrefix(principal, "arn:"):
		return map[string]any{"AWS": principal}
	case len(principal) == 12 && strings.Trim(principal, "0123456789") == "":
		return map[string]any{"AWS": "arn:" + partition + ":iam::" + principal + ":root"}
	}
	return map[string]any{"Service": principal}
}

// ownerOf is the resource that has the policy for what an ARN names: itself or, of S3, its bucket, and of an index its table ("you can
// include access permissions to a table and its indexes": https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html).
// A function's versions and aliases have policies of their own.
func (l *Landscape) ownerOf(arn string) *Resource {
	for _, r := range l.Resources {
		part, within := strings.CutPrefix(arn, r.ARN+"/")
		if r.ARN == arn || within && (strings.Contains(r.ARN, ":s3:") || strings.Contains(r.ARN, ":dynamodb:") && strings.HasPrefix(part, "index/")) {
			return r
		}
	}
	return nil
}
