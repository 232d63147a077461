package cloudformation

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/internal/landscape"
)

// Values are texts, lists ([]any) and mappings (map[string]any), as encoding/json has them; numbers and truth values are texts, as they are
// to CloudFormation. nil is null, noValue what AWS::NoValue removes.
type removed struct{}

var noValue = removed{}

// value evaluates a node.
func (s *stack) value(n *yaml.Node) any {
	if n == nil {
		return nil
	}
	if !s.enter(n) {
		return landscape.Unknown("something that refers to itself")
	}
	defer s.leave()
	if name, arg, ok := call(n); ok {
		v := s.call(n, name, arg)
		if text, ok := v.(string); ok {
			return s.resolved(n, text)
		}
		return v
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := make(map[string]any, len(n.Content)/2)
		keys, values := members(n)
		for i, key := range keys {
			if v := s.value(values[i]); v != noValue {
				out[key.Value] = v
			}
		}
		return out
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			if v := s.value(item); v != noValue {
				list = append(list, v)
			}
		}
		return list
	}
	if n.ShortTag() == "!!null" {
		return nil
	}
	return s.dynamic(n)
}

// longest is how many steps a template may take: what refers to itself, or to others again and again, ends.
const longest = 1 << 18

// enter begins a step, unless there were too many, or it is too deep in others.
func (s *stack) enter(n *yaml.Node) bool {
	s.steps++
	if s.steps > longest || s.depth > deepest {
		s.fail(n, "this takes too long to work out")
		return false
	}
	s.depth++
	return true
}

func (s *stack) leave() { s.depth-- }

// call tells whether a node is an intrinsic function, in either of its forms.
func call(n *yaml.Node) (name string, arg *yaml.Node, ok bool) {
	if tag := n.Tag; strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!") && len(tag) > 1 {
		plain := *n
		plain.Tag = ""
		if n.Kind == yaml.ScalarNode {
			plain.Tag = "!!str"
		}
		return tag[1:], &plain, true
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		key := n.Content[0].Value
		if key == "Ref" {
			return key, n.Content[1], true
		}
		if name, is := strings.CutPrefix(key, "Fn::"); is {
			return name, n.Content[1], true
		}
	}
	return "", nil, false
}

// dynamicReference may be marked already: a text may go through several functions.
var dynamicReference = regexp.MustCompile(`\x{e000}?\{\{resolve:[^{}]*\}\}`)

// dynamic is a text that is written in the template.
func (s *stack) dynamic(n *yaml.Node) string { return s.resolved(n, landscape.Clean(n.Value)) }

// resolved is a text in which references that CloudFormation resolves at a deployment are not known. Functions may put them together.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
func (s *stack) resolved(n *yaml.Node, text string) string {
	return dynamicReference.ReplaceAllStringFunc(text, func(ref string) string {
		if landscape.IsUnknown(ref[:len("\ue000")]) {
			return ref
		}
		return s.unknown(n, ref)
	})
}

// unknown marks a value, and notes it.
func (s *stack) unknown(n *yaml.Node, what string) string {
	s.note(n, "%s is not known before the deployment", what)
	return landscape.Unknown(what)
}

// call evaluates a function by the name that follows "Fn::" or, in YAML, "!".
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
func (s *stack) call(n *yaml.Node, name string, arg *yaml.Node) any {
	switch name {
	case "Ref":
		return s.ref(n, s.text(arg))
	case "GetAtt":
		return s.getAtt(n, arg)
	case "Sub":
		return s.sub(n, arg)
	case "Join":
		return s.join(n, arg)
	case "Split":
		return s.split(n, arg)
	case "Select":
		return s.pick(n, arg)
	case "If":
		return s.choose(n, arg)
	case "FindInMap":
		return s.findInMap(n, arg)
	case "Base64":
		if text := s.text(arg); !landscape.IsUnknown(text) {
			return base64.StdEncoding.EncodeToString([]byte(text))
		}
		return landscape.Unknown("Base64 of something")
	case "Cidr":
		return s.cidr(n, arg)
	case "ImportValue":
		return s.unknown(n, "the import "+landscape.Shown(s.text(arg)))
	case "GetAZs":
		return s.unknown(n, "the list of availability zones")
	case "ToJsonString":
		return s.toJSON(n, arg)
	case "Length":
		if list, ok := s.value(arg).([]any); ok && !hasUnknown(list) {
			return strconv.Itoa(len(list))
		}
		return s.unknown(n, "the length of a list")
	case "Transform":
		return s.unknown(n, "what a macro makes")
	case "Equals", "And", "Or", "Not", "Condition":
		switch s.truth(n) {
		case yes:
			return "true"
		case no:
			return "false"
		}
		return s.unknown(n, "a condition")
	}
	return s.unknown(n, "Fn::"+name)
}

// text is a value that must be a text.
func (s *stack) text(n *yaml.Node) string {
	switch v := s.value(n).(type) {
	case string:
		return v
	case nil, removed:
		return ""
	default:
		return s.unknown(n, "a list or mapping where a text is wanted")
	}
}

// texts is a value that must be a text or a list of texts.
func (s *stack) texts(n *yaml.Node) []string { return textsOf(s.value(n)) }

func textsOf(v any) []string {
	var list []string
	switch v := v.(type) {
	case string:
		list = append(list, v)
	case []any:
		for _, item := range v {
			if text, ok := item.(string); ok {
				list = append(list, text)
			}
		}
	}
	return list
}

// args are those of a function that takes a list of so many; nil when it has others.
func (s *stack) args(n, arg *yaml.Node, least, most int) []*yaml.Node {
	if arg.Kind != yaml.SequenceNode || len(arg.Content) < least || len(arg.Content) > most {
		s.fail(n, "this function takes a list of %d values", least)
		return nil
	}
	return arg.Content
}

func (s *stack) sub(n, arg *yaml.Node) any {
	text, own := arg, map[string]string{}
	if arg.Kind == yaml.SequenceNode {
		args := s.args(n, arg, 2, 2)
		if args == nil {
			return ""
		}
		text = args[0]
		keys, values := members(args[1])
		for i, key := range keys {
			own[key.Value] = s.text(values[i])
		}
	}
	return substitution.ReplaceAllStringFunc(s.dynamic(text), func(match string) string {
		name := strings.TrimSpace(match[2 : len(match)-1])
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		if v, ok := own[name]; ok {
			return v
		}
		var v any
		if logical, attribute, dotted := strings.Cut(name, "."); dotted {
			v = s.attribute(n, logical, attribute)
		} else {
			v = s.ref(n, name)
		}
		if text, ok := v.(string); ok {
			return text
		}
		return s.unknown(n, name)
	})
}

var substitution = regexp.MustCompile(`\$\{[^{}]*\}`)

func (s *stack) join(n, arg *yaml.Node) any {
	args := s.args(n, arg, 2, 2)
	if args == nil {
		return ""
	}
	separator, v := s.text(args[0]), s.value(args[1])
	list, ok := v.([]any)
	if !ok {
		return s.unknown(n, "a list that is joined")
	}
	parts := make([]string, len(list))
	for i, item := range list {
		if parts[i], ok = item.(string); !ok {
			parts[i] = s.unknown(n, "an item that is joined")
		}
	}
	return strings.Join(parts, separator)
}

func (s *stack) split(n, arg *yaml.Node) any {
	args := s.args(n, arg, 2, 2)
	if args == nil {
		return ""
	}
	separator, text := s.text(args[0]), s.text(args[1])
	if landscape.IsUnknown(separator) || separator == "" {
		return s.unknown(n, "parts of a text")
	}
	mark := ""
	if i := strings.IndexRune(text, '\ue000'); i >= 0 { // how many parts that is, and which come after it, nobody knows
		mark, _, _ = strings.Cut(text[i:], "\ue001")
		text, mark = text[:i], mark+"\ue001"
	}
	parts := strings.Split(text, separator)
	parts[len(parts)-1] += mark
	list := make([]any, len(parts))
	for i, part := range parts {
		list[i] = part
	}
	return list
}

func (s *stack) pick(n, arg *yaml.Node) any {
	args := s.args(n, arg, 2, 2)
	if args == nil {
		return ""
	}
	list, ok := s.value(args[1]).([]any)
	i, err := strconv.Atoi(s.text(args[0]))
	if !ok || err != nil || i < 0 || i >= len(list) {
		return s.unknown(n, "an item of a list")
	}
	return list[i]
}

func (s *stack) choose(n, arg *yaml.Node) any {
	args := s.args(n, arg, 3, 3)
	if args == nil {
		return ""
	}
	switch s.condition(args[0].Value) {
	case yes:
		return s.value(args[1])
	case no:
		return s.value(args[2])
	}
	a, b := s.value(args[1]), s.value(args[2])
	if same(a, b) {
		return a
	}
	return s.unknown(n, "what the condition "+args[0].Value+" chooses")
}

func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	_, removedA := a.(removed)
	_, removedB := b.(removed)
	return errX == nil && errY == nil && string(x) == string(y) && removedA == removedB
}

func (s *stack) findInMap(n, arg *yaml.Node) any {
	args := s.args(n, arg, 3, 4)
	if args == nil {
		return ""
	}
	found := s.section("Mappings")
	for _, a := range args[:3] {
		key := s.text(a)
		if landscape.IsUnknown(key) {
			return s.unknown(n, "a value of the mapping "+args[0].Value)
		}
		found = child(found, key)
	}
	if found != nil {
		return s.value(found)
	}
	if len(args) == 4 {
		if otherwise := child(args[3], "DefaultValue"); otherwise != nil {
			return s.value(otherwise)
		}
	}
	s.fail(n, "the mapping has no such value")
	return ""
}

// cidr gives the address blocks of a block: so many, each with so many bits for hosts.
func (s *stack) cidr(n, arg *yaml.Node) any {
	args := s.args(n, arg, 2, 3)
	if args == nil {
		return ""
	}
	block, errBlock := netip.ParsePrefix(s.text(args[0]))
	count, errCount := strconv.Atoi(s.text(args[1]))
	if errBlock != nil || errCount != nil || count < 1 || count > 256 || !block.Addr().Is4() || len(args) < 3 {
		return s.unknown(n, "a list of address blocks")
	}
	bits, err := strconv.Atoi(s.text(args[2]))
	if err != nil || bits < 1 || bits > 30 {
		return s.unknown(n, "a list of address blocks")
	}
	first := block.Masked().Addr().As4()
	start := uint32(first[0])<<24 | uint32(first[1])<<16 | uint32(first[2])<<8 | uint32(first[3])
	list := make([]any, count)
	for i := range list {
		a := start + uint32(i)<<bits
		list[i] = fmt.Sprintf("%d.%d.%d.%d/%d", byte(a>>24), byte(a>>16), byte(a>>8), byte(a), 32-bits)
	}
	return list
}

func (s *stack) toJSON(n, arg *yaml.Node) any {
	text, err := json.Marshal(s.value(arg))
	if err != nil {
		return s.unknown(n, "a text of JSON")
	}
	return string(text)
}

// truth is what a condition is, as far as it is known.
type truth int

const (
	maybe truth = iota
	yes
	no
)

func not(t truth) truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return maybe
}

// condition is one of the template's, by its name.
func (s *stack) condition(name string) truth {
	n := child(s.section("Conditions"), name)
	if n == nil {
		s.fail(s.root, "there is no condition %q", name)
		return maybe
	}
	if s.judging[name] {
		s.fail(n, "the condition %q depends on itself", name)
		return maybe
	}
	s.judging[name] = true
	defer delete(s.judging, name)
	return s.truth(n)
}

// truth evaluates a condition function.
func (s *stack) truth(n *yaml.Node) truth {
	if !s.enter(n) {
		return maybe
	}
	defer s.leave()
	name, arg, ok := call(n)
	if key := child(n, "Condition"); !ok && key != nil && len(n.Content) == 2 {
		name, arg, ok = "Condition", key, true
	}
	if !ok {
		return maybe
	}
	switch name {
	case "Condition":
		return s.condition(arg.Value)
	case "Not":
		if args := s.args(n, arg, 1, 1); args != nil {
			return not(s.truth(args[0]))
		}
	case "And", "Or":
		// An Or is an And of opposites.
		decisive, all := no, yes
		if name == "Or" {
			decisive, all = yes, no
		}
		out := all
		for _, a := range s.args(n, arg, 1, 100) {
			switch s.truth(a) {
			case decisive:
				return decisive
			case maybe:
				out = maybe
			}
		}
		return out
	case "Equals":
		if args := s.args(n, arg, 2, 2); args != nil {
			a, b := s.value(args[0]), s.value(args[1])
			switch {
			case same(a, b) && (!hasUnknown(a) || sameNode(args[0], args[1])): // two that are called alike may differ
				return yes
			case hasUnknown(a) || hasUnknown(b):
				return maybe
			}
			return no
		}
	}
	return maybe
}

// sameNode tells whether two nodes are written alike.
func sameNode(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, sameNode)
}

func hasUnknown(v any) bool {
	switch v := v.(type) {
	case string:
		return landscape.IsUnknown(v)
	case []any:
		for _, item := range v {
			if hasUnknown(item) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if hasUnknown(item) {
				return true
			}
		}
	}
	return false
}
