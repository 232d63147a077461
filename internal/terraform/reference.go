package terraform

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// step is a part of a reference: a name, or the index of count or for_each.
type step struct {
	name    string
	index   any
	isIndex bool
}

// String is the step as an address has it.
func (s step) String() string {
	switch i := s.index.(type) {
	case string:
		return "[" + strconv.Quote(i) + "]"
	case float64:
		return fmt.Sprintf("[%d]", int(i))
	}
	return s.name
}

// traversal splits a reference such as module.app["a"].bucket_arn. Of one that is not well-formed it has what it could read.
func traversal(text string) (steps []step) {
	for text != "" {
		switch text[0] {
		case '.':
			text = text[1:]
		case '[':
			var index any
			d := json.NewDecoder(strings.NewReader(text[1:]))
			if err := d.Decode(&index); err != nil {
				return steps
			}
			switch index.(type) {
			case string, float64:
			default:
				return steps
			}
			end := 1 + int(d.InputOffset())
			if end >= len(text) || text[end] != ']' {
				return steps
			}
			steps, text = append(steps, step{index: index, isIndex: true}), text[end+1:]
		default:
			end := strings.IndexAny(text, ".[")
			if end < 0 {
				end = len(text)
			}
			steps, text = append(steps, step{name: text[:end]}), text[end:]
		}
	}
	return steps
}

// references are those of an expression, without those that are a part of another: Terraform lists aws_s3_bucket.b.arn and aws_s3_bucket.b.
func references(expression any) []string {
	e, _ := expression.(map[string]any)
	list, _ := e["references"].([]any)
	var all []string
	for _, item := range list {
		if text, ok := item.(string); ok {
			all = append(all, text)
		}
	}
	var kept []string
	for _, ref := range all {
		longer := func(other string) bool {
			return len(other) > len(ref) && strings.HasPrefix(other, ref) && (other[len(ref)] == '.' || other[len(ref)] == '[')
		}
		if !slices.ContainsFunc(all, longer) && !slices.Contains(kept, ref) {
			kept = append(kept, ref)
		}
	}
	return kept
}

// deepest is how far references are followed.
const deepest = 40

// scope is where an expression stands: in a module, for an instance with an index of so many instances.
type scope struct {
	in    *module
	index any
	count int
}

func (p *plan) scopeOf(r *instance) scope {
	return scope{in: r.in, index: r.Index, count: p.counts[join(r.in.address, r.key())]}
}

// caller is where the arguments of a module stand.
func (m *module) caller(p *plan) scope {
	return scope{in: m.parent, index: m.index, count: p.counts[m.call]}
}

// evaluate is the value of an expression that is a constant or nothing but a reference. Whether it is that the plan does not tell: only ask
// where nothing else can be. attribute is the one meant where the plan leaves it out, as for aws_iam_role.x[each.key].arn.
func (p *plan) evaluate(from scope, expression any, attribute string) (any, bool) {
	e, ok := expression.(map[string]any)
	if !ok {
		return nil, false
	}
	if v, constant := e["constant_value"]; constant {
		return v, true
	}
	refs := references(expression)
	if len(refs) > 1 { // these choose an instance
		refs = slices.DeleteFunc(refs, isIndexReference)
	}
	if len(refs) != 1 {
		return nil, false
	}
	return p.follow(from, refs[0], attribute)
}

func isIndexReference(ref string) bool { return ref == "each.key" || ref == "count.index" }

// follow is the value of a reference.
func (p *plan) follow(from scope, ref, attribute string) (any, bool) {
	if p.depth > deepest {
		return nil, false
	}
	p.depth++
	defer func() { p.depth-- }()
	steps := traversal(ref)
	if len(steps) < 2 {
		return nil, false
	}
	switch steps[0].name {
	case "var":
		return p.variable(from.in, steps[1].name, attribute)
	case "each":
		if steps[1].name == "key" && from.index != nil {
			return from.index, true
		}
		return nil, false
	case "module":
		return p.output(from, steps, attribute)
	case "local", "path", "terraform", "self", "count":
		return nil, false
	}
	key, rest := steps[0].name+"."+steps[1].name, steps[2:]
	if steps[0].name == "data" && len(steps) > 2 {
		key, rest = key+"."+steps[2].name, steps[3:]
	}
	at := join(from.in.address, key)
	r := p.byAddr[at]
	if len(rest) > 0 && rest[0].isIndex {
		r, rest = p.byAddr[at+rest[0].String()], rest[1:]
	} else if r == nil && from.index != nil && p.counts[at] == from.count {
		// x[each.key], of what has as many instances. Else the index is computed in some other way, of which the plan does not tell.
		r = p.byAddr[at+step{index: from.index, isIndex: true}.String()]
	}
	if r == nil {
		return nil, false
	}
	if len(rest) > 0 {
		attribute = rest[0].name
	}
	if attribute == "" || len(rest) > 1 {
		return nil, false
	}
	return p.attribute(r, attribute), true
}

func (p *plan) variable(in *module, name, attribute string) (any, bool) {
	if in.parent == nil {
		v, ok := p.doc.Variables[name]
		return v.Value, ok
	}
	if e, ok := in.inputs[name]; ok {
		return p.evaluate(in.caller(p), e, attribute)
	}
	if in.config != nil {
		v, ok := in.config.Variables[name]
		return v.Default, ok
	}
	return nil, false
}

// output is the value of module.NAME.OUTPUT.
func (p *plan) output(from scope, steps []step, attribute string) (any, bool) {
	at, rest := join(from.in.address, "module."+steps[1].name), steps[2:]
	if len(rest) > 0 && rest[0].isIndex {
		at, rest = at+rest[0].String(), rest[1:]
	} else if p.modules[at] == nil && from.index != nil && p.counts[at] == from.count {
		at += step{index: from.index, isIndex: true}.String()
	}
	m := p.modules[at]
	if m == nil || m.config == nil || len(rest) != 1 {
		return nil, false
	}
	out, ok := m.config.Outputs[rest[0].name]
	if !ok {
		return nil, false
	}
	return p.evaluate(scope{in: m}, out.Expression, attribute)
}
