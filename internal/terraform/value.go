package terraform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/licet/licet/internal/landscape"
)

// block is an instance, or a nested block of one: what is planned, what of it is not known, and the expressions that make it.
type block struct {
	of          *instance
	values      map[string]any
	unknown     any
	expressions map[string]any
	address     string
}

func (r *instance) block() block {
	b := block{of: r, values: r.Values, unknown: r.unknown, address: r.Address}
	if r.config != nil {
		b.expressions = r.config.Expressions
	}
	return b
}

// blocks are the nested ones of a name. Of such that are not known themselves there is one, with nothing known.
func (b block) blocks(name string) (out []block) {
	unknown := member(b.unknown, name)
	if unknown == true {
		return []block{{of: b.of, unknown: true, address: b.address + "." + name}}
	}
	list, _ := b.values[name].([]any)
	expressions, _ := b.expressions[name].([]any)
	for i, item := range list {
		inner := block{of: b.of, unknown: element(unknown, i), address: fmt.Sprintf("%s.%s[%d]", b.address, name, i)}
		inner.values, _ = item.(map[string]any)
		if len(expressions) == len(list) { // else blocks are made by a loop, and which is which is not told
			if setBlocks[name] {
				inner.expressions = matching(expressions, inner.values)
			} else {
				inner.expressions, _ = expressions[i].(map[string]any)
			}
		}
		out = append(out, inner)
	}
	return out
}

// setBlocks are nested blocks whose order the plan does not keep.
var setBlocks = map[string]bool{
	"condition": true, "inline_policy": true, "not_principals": true, "principals": true, "source_access_configuration": true,
}

// matching are the expressions whose constants are the values; nil when they are not the only ones.
func matching(expressions []any, values map[string]any) (found map[string]any) {
	for _, item := range expressions {
		e, _ := item.(map[string]any)
		fits := len(expressions) == 1
		for name, expression := range e {
			text, isText := values[name].(string)
			if c, _ := expression.(map[string]any); isText && c["constant_value"] != nil {
				if fits = c["constant_value"] == text; !fits {
					break
				}
			}
		}
		if !fits {
			continue
		}
		if found != nil {
			return nil
		}
		found = e
	}
	return found
}

// member is what is not known of a member; true when nothing is.
func member(unknown any, name string) any {
	switch u := unknown.(type) {
	case bool:
		return u
	case map[string]any:
		return u[name]
	}
	return nil
}

func element(unknown any, i int) any {
	switch u := unknown.(type) {
	case bool:
		return u
	case []any:
		if i < len(u) {
			return u[i]
		}
	}
	return nil
}

// attribute is the value of an instance's argument or attribute: planned, computed from its name, or that of the reference which it is; else
// it is unknown. nil for one that is not set.
func (p *plan) attribute(r *instance, name string) any {
	unknown := member(r.unknown, name)
	if v := r.Values[name]; v != nil && unknown != true {
		return filled(v, unknown, r.Address+"."+name)
	}
	if v, ok := p.computed(r, name); ok {
		return v
	}
	return p.value(r.block(), name)
}

// value is that of an argument which AWS accepts only as it is: where it is unknown, it is taken for the one reference of its expression.
func (p *plan) value(b block, name string) any {
	unknown := member(b.unknown, name)
	if unknown != true {
		return filled(b.values[name], unknown, b.address+"."+name)
	}
	if v, ok := p.evaluate(p.scopeOf(b.of), b.expressions[name], linked(b.of, name)); ok && v != nil {
		return v
	}
	return landscape.Unknown(b.address + "." + name)
}

// linked is the attribute to which an argument refers, where the plan leaves it out.
func linked(r *instance, name string) string {
	switch name {
	case "role", "user", "group":
		if !strings.HasPrefix(r.Type, "aws_iam_") {
			return "arn"
		}
		return "name"
	case "bucket", "function_name":
		return name
	case "queue_url", "key_id", "rule":
		return "id"
	case "policy", "assume_role_policy":
		return "json"
	}
	return "arn"
}

// open is the value of an argument that may have more than a reference: an ARN to which something may be appended begins as it does, and how
// it ends is not known.
func (p *plan) open(b block, name string) string {
	if member(b.unknown, name) != true {
		return asText(b.values[name])
	}
	if all := p.beginnings(b, name); len(all) == 1 {
		return all[0]
	}
	return landscape.Unknown(b.address + "." + name)
}

// openList are the values of a list of such. What is not known may be any of its references; of a list that is wholly unknown not even that is
// sure, for it may have constants, too.
func (p *plan) openList(b block, name string) []string {
	unknown := member(b.unknown, name)
	if unknown == true {
		return []string{landscape.Unknown(b.address + "." + name)}
	}
	list, several := b.values[name].([]any)
	if !several {
		return asTexts(b.values[name])
	}
	var out []string
	for i, item := range list {
		if element(unknown, i) == true {
			out = append(out, p.beginnings(b, name)...)
			continue
		}
		out = append(out, asText(item))
	}
	return out
}

// beginnings are what an unknown value may begin with, one for each reference of its expression.
func (p *plan) beginnings(b block, name string) []string {
	unknown := []string{landscape.Unknown(b.address + "." + name)}
	refs := references(b.expressions[name])
	refs = slices.DeleteFunc(refs, isIndexReference)
	if len(refs) == 0 {
		return unknown
	}
	var out []string
	for _, ref := range refs {
		v, ok := p.follow(p.scopeOf(b.of), ref, "")
		text, isText := v.(string)
		if !ok || !isText || !strings.HasPrefix(text, "arn:") {
			return unknown
		}
		out = append(out, text+landscape.Unknown("what follows "+ref))
	}
	return out
}

// filled is a value in which what is not known is marked.
func filled(v, unknown any, what string) any {
	switch u := unknown.(type) {
	case bool:
		if u {
			return landscape.Unknown(what)
		}
	case map[string]any:
		of, _ := v.(map[string]any)
		out := make(map[string]any, len(of)+len(u))
		for name, value := range of {
			out[name] = value
		}
		for name, inner := range u {
			if inner = filled(of[name], inner, what+"."+name); inner != nil {
				out[name] = inner
			}
		}
		return out
	case []any:
		of, _ := v.([]any)
		out := slices.Clone(of)
		for i, inner := range u {
			if i >= len(out) {
				out = append(out, nil)
			}
			out[i] = filled(out[i], inner, fmt.Sprintf("%s[%d]", what, i))
		}
		return out
	}
	return v
}

// text is an attribute as a text; "" for one that is not set.
func (p *plan) text(r *instance, name string) string { return asText(p.attribute(r, name)) }

// valueText is that of an argument of a block.
func (p *plan) valueText(b block, name string) string { return asText(p.value(b, name)) }

// inside is an argument of the first of the blocks that a path of names leads to; "" when there is none.
func (p *plan) inside(b block, path ...string) string {
	for _, name := range path[:len(path)-1] {
		inner := b.blocks(name)
		if len(inner) == 0 {
			return ""
		}
		b = inner[0]
	}
	return p.valueText(b, path[len(path)-1])
}

func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// asTexts are those of a list; a value that is none is its only item.
func asTexts(v any) (out []string) {
	list, ok := v.([]any)
	if !ok && v != nil {
		list = []any{v}
	}
	for _, item := range list {
		out = append(out, asText(item))
	}
	return out
}
