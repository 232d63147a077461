package leastpolicy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// Generalization says how far the resources of a policy may reach beyond those that were seen.
type Generalization string

// The generalizations.
const (
	// Exact allows the very resources that were seen, but any log stream where Lambda had made up the name of one: it never comes again.
	Exact Generalization = "exact"
	// Prefix puts resources of an action together that have the beginning of their names in common.
	Prefix Generalization = "prefix"
	// Wildcard allows all resources of the kinds that were seen, in their accounts and regions; in their buckets, of S3.
	Wildcard Generalization = "wildcard"
)

// conditionOf is the key that limits what a grant of an action hands on, and has its value from the call; "" for most.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html,
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html (event source mappings are made on *)
func conditionOf(action string) string {
	switch strings.ToLower(action) {
	case "iam:passrole":
		return "iam:PassedToService"
	case "iam:createservicelinkedrole":
		return "iam:AWSServiceName"
	case "lambda:createeventsourcemapping":
		return "lambda:FunctionArn"
	default:
		return ""
	}
}

// Generate writes the policy that allows requests, indented. Without requests there is no policy, which must have a statement: the error
// is ErrNothing. A request whose resource no policy can name is an error.
func Generate(requests []authz.Request, g Generalization) ([]byte, error) {
	if len(requests) == 0 {
		return nil, ErrNothing
	}
	actions, err := permissionsOf(requests)
	if err != nil {
		return nil, err
	}
	doc := &policy.Document{Version: policy.Version2012, HasVersion: true}
	doc.Statements = statementsOf(actions, g)
	compact := policy.Print(doc)
	if _, err := policy.Parse(compact); err != nil {
		return nil, fmt.Errorf("write policy: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "  "); err != nil {
		return nil, fmt.Errorf("indent policy: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// permissions are what was seen of one action.
type permissions struct {
	action string
	// values of the action's condition, by resource; a nil set is for any value.
	values map[string]valueSet
}

// valueSet are values of a condition key; nil stands for all, also for none at all.
type valueSet map[string]bool

func (v valueSet) union(w valueSet) valueSet {
	if v == nil || w == nil {
		return nil
	}
	out := make(valueSet, len(v)+len(w))
	for _, s := range []valueSet{v, w} {
		for value := range s {
			out[value] = true
		}
	}
	return out
}

// without is what is left of v where w is allowed already; false when nothing is.
func (v valueSet) without(w valueSet) (valueSet, bool) {
	switch {
	case w == nil:
		return nil, false
	case v == nil:
		return nil, true
	}
	out := make(valueSet, len(v))
	for value := range v {
		if !w[value] {
			out[value] = true
		}
	}
	return out, len(out) > 0
}

func (v valueSet) sorted() []string {
	list := make([]string, 0, len(v))
	for value := range v {
		list = append(list, value)
	}
	slices.Sort(list)
	return list
}

// permissionsOf gathers requests by action, whose case does not count.
func permissionsOf(requests []authz.Request) ([]*permissions, error) {
	byAction := make(map[string]*permissions)
	for _, r := range requests {
		if err := Nameable(r); err != nil {
			return nil, err
		}
		key := strings.ToLower(r.Action)
		p := byAction[key]
		if p == nil {
			p = &permissions{action: r.Action, values: make(map[string]valueSet)}
			byAction[key] = p
		}
		p.action = min(p.action, r.Action)
		var values valueSet
		if v, ok := conditionValue(r); ok {
			values = valueSet{v: true}
		}
		if before, seen := p.values[r.Resource]; seen {
			values = before.union(values)
		}
		p.values[r.Resource] = values
	}
	list := make([]*permissions, 0, len(byAction))
	for _, p := range byAction {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *permissions) int {
		return strings.Compare(strings.ToLower(a.action), strings.ToLower(b.action))
	})
	return list, nil
}

// ConditionValue is the value of the condition under which a request is allowed; "" when there is none. Requests with the same action,
// resource and value make no difference to each other.
func ConditionValue(r authz.Request) string {
	v, _ := conditionValue(r)
	return v
}

func conditionValue(r authz.Request) (value string, ok bool) {
	name := conditionOf(r.Action)
	if name == "" {
		return "", false
	}
	v, ok := r.Context.Get(name)
	if !ok || v.Multi || len(v.Values) != 1 || !utf8.ValidString(v.Values[0]) {
		return "", false
	}
	return v.Values[0], true
}

// Nameable tells whether a policy can name action and resource of a request; the error says why not.
func Nameable(r authz.Request) error {
	service, name, ok := strings.Cut(r.Action, ":")
	if !ok || service == "" || name == "" || strings.ContainsAny(r.Action, "*?") {
		return fmt.Errorf("%q is not an action", r.Action)
	}
	if !utf8.ValidString(r.Action + "\n" + r.Resource) {
		return fmt.Errorf("%q on %q is not text", r.Action, r.Resource)
	}
	if key := conditionOf(r.Action); key != "" {
		// Without the condition the grant would hand on more than was asked.
		if _, present := r.Context.Get(key); present && ConditionValue(r) == "" {
			return fmt.Errorf("%s on %s: a policy cannot name the value of %s", r.Action, r.Resource, key)
		}
	}
	if r.Resource != "*" && (!strings.HasPrefix(r.Resource, "arn:") || len(strings.SplitN(r.Resource, ":", arnParts)) < arnParts) {
		return fmt.Errorf("%s: the resource %q is not an ARN", r.Action, r.Resource)
	}
	return nil
}

// statementsOf puts the actions with the same resources under the same condition together.
func statementsOf(actions []*permissions, g Generalization) []policy.Statement {
	type statement struct {
		service   string
		actions   []string
		patterns  []string
		condition string
		values    []string
	}
	var all []*statement
	byKey := make(map[string]*statement)
	for _, p := range actions {
		byValues := make(map[string]*statement)
		service, _, _ := strings.Cut(strings.ToLower(p.action), ":")
		var own []*statement
		for _, pattern := range generalize(p.values, g) {
			s := &statement{service: service, actions: []string{p.action}}
			if pattern.values != nil {
				s.condition, s.values = conditionOf(p.action), pattern.values.sorted()
			}
			key := keyOf(s.values...) + s.condition
			if byValues[key] == nil {
				byValues[key] = s
				own = append(own, s)
			}
			byValues[key].patterns = append(byValues[key].patterns, pattern.text())
		}
		for _, s := range own {
			slices.Sort(s.patterns)
			key := keyOf(append([]string{s.service, s.condition, keyOf(s.values...)}, s.patterns...)...)
			if same := byKey[key]; same != nil {
				same.actions = append(same.actions, p.action)
				continue
			}
			byKey[key] = s
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b *statement) int {
		return cmp.Or(strings.Compare(a.service, b.service), slices.Compare(a.actions, b.actions), slices.Compare(a.patterns, b.patterns))
	})
	out := make([]policy.Statement, len(all))
	numbers := make(map[string]int)
	for i, s := range all {
		out[i] = policy.Statement{Effect: policy.Allow, Action: texts(s.actions), Resource: texts(s.patterns)}
		numbers[s.service]++
		out[i].Sid = sid(s.service, numbers[s.service])
		if s.condition != "" {
			for j := range s.values {
				s.values[j] = strings.ReplaceAll(s.values[j], "${", "${$}{")
			}
			out[i].Condition = []policy.Condition{{
				Operator: policy.Text{Value: "StringEquals"}, Key: policy.Text{Value: s.condition}, Values: texts(s.values),
			}}
		}
	}
	return out
}

// keyOf makes one key of texts.
func keyOf(list ...string) string { return fmt.Sprintf("%q", list) }

func texts(list []string) []policy.Text {
	out := make([]policy.Text, len(list))
	for i, t := range list {
		out[i].Value = t
	}
	return out
}

// sid names a statement after its service. A Sid has letters and digits only.
func sid(service string, number int) string {
	letters := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, service)
	if letters == "" {
		letters = "s"
	}
	return fmt.Sprintf("%s%s%d", strings.ToUpper(letters[:1]), letters[1:], number)
}
