package cloudformation

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/internal/landscape"
)

// stack is a template on its way to a landscape.
type stack struct {
	*template
	Options
	out *landscape.Landscape
	err error

	resources map[string]*resource
	order     []*resource
	globals   *yaml.Node // of SAM; nil for none
	// principals and policies by ARN, and what groups have.
	principals map[string]*landscape.Principal
	managed    map[string]landscape.Policy
	groups     map[string]*group
	members    map[string][]string // group ARNs of a user's ARN
	// owners are the resources of the landscape by ARN; statements are added to their policies.
	owners     map[string]*landscape.Resource
	statements map[string][]any

	// anybodys are policies for resources of a type of which nobody knows which.
	anybodys map[string]string

	noted   map[landscape.Note]bool
	depth   int             // of evaluations in others
	steps   int             // that were taken
	judging map[string]bool // conditions under way
	naming  map[string]bool // resources whose name is being found
}

// group is what its members have.
type group struct{ policies []landscape.Policy }

// resource is one of the template's, or one that SAM makes of it.
type resource struct {
	id, kind string
	at       *yaml.Node
	props    *yaml.Node
	// unsure tells that its condition is not known.
	unsure bool
	// name and arn once they are known.
	name, arn string
}

func newStack(t *template, o Options) *stack {
	return &stack{
		template: t, Options: o, out: &landscape.Landscape{Partition: o.Partition, Account: o.Account, Region: o.Region},
		resources: make(map[string]*resource), principals: make(map[string]*landscape.Principal), managed: make(map[string]landscape.Policy),
		groups: make(map[string]*group), members: make(map[string][]string), owners: make(map[string]*landscape.Resource),
		statements: make(map[string][]any), anybodys: make(map[string]string), noted: make(map[landscape.Note]bool), judging: make(map[string]bool), naming: make(map[string]bool),
	}
}

func (s *stack) fail(n *yaml.Node, format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("%s: %s", s.at(n), landscape.Shown(fmt.Sprintf(format, args...)))
	}
}

// note adds a note, once.
func (s *stack) note(n *yaml.Node, format string, args ...any) {
	note := landscape.Note{At: s.at(n), Text: landscape.Shown(fmt.Sprintf(format, args...))}
	if !s.noted[note] {
		s.noted[note] = true
		s.out.Notes = append(s.out.Notes, note)
	}
}

// load reads everything: resources and their names first, for policies refer to them.
func (s *stack) load() {
	s.transforms()
	parameters, _ := members(s.section("Parameters"))
	for _, key := range parameters {
		s.out.Parameters = append(s.out.Parameters, key.Value)
	}
	keys, values := members(s.section("Resources"))
	for i, key := range keys {
		s.declare(key, values[i])
	}
	for _, r := range s.order {
		s.place(r)
	}
	for _, r := range s.order {
		s.overlooked(r)
	}
	for _, pass := range []map[string]func(*stack, *resource){declarers, readers} {
		for _, r := range s.order {
			if read := pass[r.kind]; read != nil && s.err == nil {
				read(s, r)
			}
		}
	}
	s.finish()
}

// transforms wants every macro to be SAM: what others make of the template nobody knows.
func (s *stack) transforms() {
	n := s.section("Transform")
	for _, name := range s.texts(n) {
		switch name {
		case "AWS::Serverless-2016-10-31":
			s.globals = s.section("Globals")
		case "AWS::LanguageExtensions", "AWS::CodeDeployBlueGreen", "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16":
		default:
			s.unread(n, "what the macro "+name+" makes of the template (aws cloudformation get-template --template-stage Processed shows it)")
		}
	}
	s.included(s.root)
}

// included finds macros that stand among other members of a mapping, which they change.
func (s *stack) included(n *yaml.Node) {
	if child(n, "Fn::Transform") != nil && len(n.Content) > 2 {
		s.unread(n, "what the macro at line "+strconv.Itoa(n.Line)+" makes of what stands beside it")
	}
	for _, c := range n.Content {
		s.included(c)
	}
}

// unread notes what may change any decision.
func (s *stack) unread(n *yaml.Node, what string) {
	s.note(n, "It is not known %s", what)
	s.out.Unread = append(s.out.Unread, landscape.Shown(what))
}

// declare takes a resource in, unless its condition is false.
func (s *stack) declare(key, n *yaml.Node) {
	r := &resource{id: key.Value, at: key, props: child(n, "Properties")}
	kind := child(n, "Type")
	if kind == nil {
		if name, _, ok := strings.Cut(key.Value, "::"); ok && name == "Fn" {
			s.unread(key, "which resources "+key.Value+" makes")
			return
		}
		s.fail(key, "the resource %s has no Type", key.Value)
		return
	}
	r.kind = kind.Value
	if c := child(n, "Condition"); c != nil {
		switch s.condition(c.Value) {
		case no:
			return
		case maybe:
			r.unsure = true
			s.note(key, "Whether %s is there depends on the condition %s, which is not known", r.id, c.Value)
		}
	}
	s.add(r)
	keys, values := members(child(n, "Connectors")) // https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/reference-sam-connector.html
	for i, at := range keys {
		s.add(&resource{
			id: r.id + at.Value, kind: "AWS::Serverless::Connector", at: at, unsure: r.unsure,
			props: with(child(values[i], "Properties"), at, object{"Source": object{"Id": r.id}}),
		})
	}
}

func (s *stack) add(r *resource) {
	if s.resources[r.id] != nil {
		return // the template's own goes before SAM's
	}
	s.resources[r.id] = r
	s.order = append(s.order, r)
	var expand func(*stack, *resource)
	if r.kind, expand = transform(r.kind); expand != nil {
		expand(s, r)
	}
	if strings.HasPrefix(r.kind, "AWS::IAM::") && kinds[r.kind].arn == "" && declarers[r.kind] == nil && readers[r.kind] == nil {
		s.note(r.at, "%s is not read", r.kind)
	}
}

// prop is the value of a property; nil where there is none, or AWS::NoValue.
func (s *stack) prop(r *resource, names ...string) *yaml.Node {
	n := s.chosen(r.props)
	for _, name := range names {
		n = s.chosen(child(n, name))
	}
	return n
}

// chosen is what Fn::If chooses, as far as its condition is known; one that is not stays as it is, and is noted.
func (s *stack) chosen(n *yaml.Node) *yaml.Node {
	name, arg, ok := callOf(n)
	switch {
	case ok && name == "Ref" && arg.Value == "AWS::NoValue":
		return nil
	case !ok || name != "If":
		return n
	}
	args := s.args(n, arg, 3, 3)
	if args == nil {
		return nil
	}
	switch s.condition(args[0].Value) {
	case yes:
		return s.chosen(args[1])
	case no:
		return s.chosen(args[2])
	}
	s.note(n, "What the condition %s chooses is not known", args[0].Value)
	return n
}

// place puts a resource of the landscape where policies and calls find it.
func (s *stack) place(r *resource) {
	k, ok := kinds[r.kind]
	if !ok || k.arn == "" || k.principal {
		return
	}
	s.owner(r.arnOf(s), r)
}

// owner is the resource of the landscape with an ARN.
func (s *stack) owner(arn string, r *resource) *landscape.Resource {
	if o := s.owners[arn]; o != nil {
		return o
	}
	o := &landscape.Resource{ARN: arn}
	if r != nil {
		o.At, o.Type, o.Names = s.at(r.at), r.kind, []string{r.id}
		if name := r.nameOf(s); name != r.id && !landscape.IsUnknown(name) {
			o.Names = append(o.Names, name)
		}
		// Tags of buckets are no keys of calls unless the bucket says so.
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html
		if r.kind != "AWS::S3::Bucket" || s.text(s.prop(r, "AbacStatus")) == "Enabled" {
			o.Tags = s.tags(s.prop(r, "Tags"))
		}
	}
	s.owners[arn] = o
	s.out.Resources = append(s.out.Resources, o)
	return o
}

// tags reads a list of Key and Value, or a mapping. What is not known is marked.
func (s *stack) tags(n *yaml.Node) map[string]string {
	out := make(map[string]string)
	switch v := s.value(n).(type) {
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok {
				out[key] = text
			}
		}
	case []any:
		for _, item := range v {
			tag, _ := item.(map[string]any)
			key, _ := tag["Key"].(string)
			if landscape.IsUnknown(key) || tag == nil {
				out[landscape.AnyTag] = landscape.Unknown("a tag")
			} else if value, ok := tag["Value"].(string); ok && key != "" {
				out[key] = value
			}
		}
	case string:
		out[landscape.AnyTag] = v
	}
	return out
}

// finish gives resources the policies that were gathered, and users what their groups have.
func (s *stack) finish() {
	for kind, what := range s.anybodys {
		for _, r := range s.order {
			if r.kind != kind {
				continue
			}
			arn := r.arnOf(s)
			switch kind {
			case "AWS::Lambda::Alias":
				arn = s.aliasARN(r)
			case "AWS::Lambda::Version":
				arn = s.versionARN(r)
			}
			s.grant(arn, landscape.Unknown(what))
		}
	}
	for arn, list := range s.statements {
		o := s.owner(arn, nil)
		name := "resource-based policy of " + cmp.Or(strings.Join(o.Names, ", "), landscape.Shown(arn))
		p, err := landscape.NewPolicy(name, "", map[string]any{"Version": "2012-10-17", "Statement": list})
		if err != nil {
			s.fail(nil, "%s: %v", name, err)
			return
		}
		o.Policy = &p
	}
	for user, groups := range s.members {
		p := s.principals[user]
		if p == nil {
			continue
		}
		for _, arn := range groups {
			g := s.groups[arn]
			if g == nil {
				p.Policies = append(p.Policies, landscape.Anything("group "+landscape.Shown(arn), "the group is not declared here"))
				continue
			}
			p.Policies = append(p.Policies, g.policies...)
		}
	}
}
