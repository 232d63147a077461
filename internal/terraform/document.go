package terraform

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/licet/licet/internal/landscape"
)

// policyDocument is the attribute json of a data source aws_iam_policy_document that is read only when the plan is applied: what the plan
// tells of its statements, with marks for the rest.
// https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
func (p *plan) policyDocument(r *instance) string {
	if text, ok := p.documents[r]; ok {
		return text
	}
	p.documents[r] = landscape.Unknown(r.Address + ".json") // for one that refers to itself
	b := r.block()
	statements := p.merged(b, "source_policy_documents", "source_json")
	for _, s := range b.blocks("statement") {
		statements = override(statements, p.documentStatement(s))
	}
	for _, s := range p.merged(b, "override_policy_documents", "override_json") {
		statements = override(statements, s)
	}
	version := p.valueText(b, "version")
	if version == "" {
		version = "2012-10-17"
	}
	if text := encode(map[string]any{"Version": version, "Statement": statements}); len(text) <= longestDocument {
		p.documents[r] = text
	}
	return p.documents[r]
}

// longestDocument is far more than AWS takes: documents of documents could grow without bound.
const longestDocument = 1 << 20

// encode writes a tree whose marks, and whose characters < and >, stay as they are.
func encode(tree any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		return landscape.Unknown("a document that cannot be written") // it was read as JSON, and can be
	}
	return strings.TrimSpace(b.String())
}

// override adds a statement, in the place of one with the same Sid.
func override(all []any, statement any) []any {
	s, _ := statement.(map[string]any)
	if sid, _ := s["Sid"].(string); sid != "" {
		for i, other := range all {
			if o, _ := other.(map[string]any); o["Sid"] == sid {
				all = slices.Clone(all)
				all[i] = statement
				return all
			}
		}
	}
	return append(all, statement)
}

// merged are the statements of the documents in a list, and in an older argument of one.
func (p *plan) merged(b block, list, single string) (all []any) {
	for _, text := range p.listed(b, list) {
		all = append(all, statementsOf(text)...)
	}
	if text := p.valueText(b, single); text != "" {
		all = append(all, statementsOf(text)...)
	}
	return all
}

func statementsOf(document string) []any {
	var d struct{ Statement any }
	if document == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return []any{landscape.Unknown("a document: " + landscape.Shown(document))}
	}
	if list, ok := d.Statement.([]any); ok {
		return list
	}
	return []any{d.Statement}
}

// listed are the texts of a list in which each is nothing but a reference, where it is not known: a document, a principal. Where it cannot be
// told which reference is which item, the items are unknown.
func (p *plan) listed(b block, name string) []string {
	unknown := member(b.unknown, name)
	whole := []string{landscape.Unknown(b.address + "." + name)}
	if unknown == true {
		return whole
	}
	list, _ := b.values[name].([]any)
	var known []string
	missing := 0
	for i, item := range list {
		if element(unknown, i) == true {
			missing++
			continue
		}
		known = append(known, asText(item))
	}
	if missing == 0 {
		return known
	}
	refs := references(b.expressions[name])
	if len(refs) != missing {
		return append(known, whole...)
	}
	for _, ref := range refs {
		v, ok := p.follow(p.scopeOf(b.of), ref, "")
		text, isText := v.(string)
		if !ok || !isText {
			text = whole[0]
		}
		known = append(known, text)
	}
	return known
}

// variables are written &{aws:username} in Terraform.
var variables = strings.NewReplacer("&{", "${")

func (p *plan) documentStatement(b block) any {
	if b.unknown == true {
		return landscape.Unknown(b.address)
	}
	out := map[string]any{"Effect": "Allow"}
	if effect := p.valueText(b, "effect"); effect != "" {
		out["Effect"] = effect
	}
	if sid := p.valueText(b, "sid"); sid != "" {
		out["Sid"] = sid
	}
	for name, argument := range map[string]string{
		"Action": "actions", "NotAction": "not_actions", "Resource": "resources", "NotResource": "not_resources",
	} {
		if list := p.openList(b, argument); len(list) > 0 {
			out[name] = replaced(list)
		}
	}
	for name, argument := range map[string]string{"Principal": "principals", "NotPrincipal": "not_principals"} {
		if blocks := b.blocks(argument); len(blocks) > 0 {
			out[name] = p.documentPrincipals(blocks)
		}
	}
	if blocks := b.blocks("condition"); len(blocks) > 0 {
		out["Condition"] = p.documentConditions(blocks)
	}
	return out
}

func replaced(list []string) []any {
	out := make([]any, len(list))
	for i, text := range list {
		out[i] = variables.Replace(text)
	}
	return out
}

func (p *plan) documentPrincipals(blocks []block) any {
	out := make(map[string]any)
	for _, b := range blocks {
		kind, who := p.valueText(b, "type"), p.listed(b, "identifiers")
		if b.unknown == true {
			return landscape.Unknown(b.address)
		}
		if kind == "*" && slices.Equal(who, []string{"*"}) {
			return "*"
		}
		before, _ := out[kind].([]any)
		out[kind] = append(before, replaced(who)...)
	}
	return out
}

func (p *plan) documentConditions(blocks []block) any {
	out := make(map[string]any)
	for _, b := range blocks {
		if b.unknown == true {
			return landscape.Unknown(b.address)
		}
		test, key := p.valueText(b, "test"), p.valueText(b, "variable")
		keys, _ := out[test].(map[string]any)
		if keys == nil {
			keys = make(map[string]any)
			out[test] = keys
		}
		before, _ := keys[key].([]any)
		keys[key] = append(before, replaced(p.openList(b, "values"))...)
	}
	return out
}
