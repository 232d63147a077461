package landscape

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// Marks of what is not known, from the private use area of Unicode: no file has them by chance, and Clean removes them.
const (
	openMark  = '\ue000'
	closeMark = '\ue001'
)

// Unknown marks a value that is not known; what says which it is, for a person. The mark may be a part of a longer text.
func Unknown(what string) string { return string(openMark) + Clean(what) + string(closeMark) }

// IsUnknown tells whether a text has a mark.
func IsUnknown(text string) bool { return strings.ContainsRune(text, openMark) }

// Clean is a text without marks, as a file may have it.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r == openMark || r == closeMark {
			return -1
		}
		return r
	}, text)
}

// Shown is a text for a person: what is not known stands in angle brackets.
func Shown(text string) string {
	return strings.NewReplacer(string(openMark), "<", string(closeMark), ">").Replace(text)
}

// Optional marks a statement that may not be there; what says on what that depends.
func Optional(statement any, what string) any {
	return map[string]any{optionalMark: Clean(what), "Statement": statement}
}

// optionalMark is a key that no statement of a file has.
const optionalMark = string(openMark) + "optional"

// Policy is a policy in its two readings, which are the same where everything is known.
type Policy struct {
	// Name is for a reader, ARN that of a managed policy.
	Name, ARN string
	// Unknown says what is not known in it; empty where everything is.
	Unknown []string
	least   *policy.Document // nil: permits nothing, denies nothing
	most    *policy.Document
}

// Anything is a policy of which nothing is known.
func Anything(name, what string) Policy {
	return Policy{Name: name, Unknown: []string{Shown(what)}, least: denyAll(), most: allowAll()}
}

// ParsePolicy reads a document whose text is given. The error is of policy.Parse.
func ParsePolicy(name, arn string, text []byte) (Policy, error) {
	d, err := policy.Parse(text)
	if err != nil {
		return Policy{}, err
	}
	return Policy{Name: name, ARN: arn, least: d, most: d}, nil
}

// NewPolicy makes a policy of a document as encoding/json gives it to an any, in which Unknown marks what is not known. The error is of
// policy.Parse.
func NewPolicy(name, arn string, document any) (Policy, error) {
	var b bounds
	most, least := b.document(document, true), b.document(document, false)
	if len(b.unknown) == 0 {
		text, err := json.Marshal(document)
		if err != nil {
			return Policy{}, fmt.Errorf("write policy: %w", err)
		}
		return ParsePolicy(name, arn, text)
	}
	slices.Sort(b.unknown)
	p := Policy{Name: name, ARN: arn, Unknown: slices.Compact(b.unknown)}
	for _, reading := range []struct {
		tree any
		to   **policy.Document
	}{{most, &p.most}, {least, &p.least}} {
		if reading.tree == nil {
			continue
		}
		text, err := json.Marshal(reading.tree)
		if err != nil {
			return Policy{}, fmt.Errorf("write policy: %w", err)
		}
		if *reading.to, err = policy.Parse(text); err != nil {
			return Policy{}, err
		}
	}
	return p, nil
}

// with is a policy that has the statements of another, too.
func (p Policy) with(other Policy) Policy {
	p.Unknown = slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.Unknown, other.Unknown))))
	p.least, p.most = both(p.least, other.least), both(p.most, other.most)
	return p
}

// both has the statements of two documents. Their places are those of each one's own text, of which there is none then.
func both(a, b *policy.Document) *policy.Document {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	joined := *a
	if b.Version == policy.Version2012 {
		joined.Version, joined.HasVersion = b.Version, b.HasVersion
	}
	joined.Source = nil
	joined.Statements = nil
	for _, s := range slices.Concat(a.Statements, b.Statements) {
		s.Span, s.At = policy.Span{}, policy.Places{}
		joined.Statements = append(joined.Statements, s)
	}
	return &joined
}

// reading is one of the two; false when it says nothing.
func (p Policy) reading(most bool) (authz.Policy, bool) {
	d := p.least
	if most {
		d = p.most
	}
	return authz.Policy{ARN: p.ARN, Name: p.Name, Document: d}, d != nil
}

func allowAll() *policy.Document { return everything("Allow") }
func denyAll() *policy.Document  { return everything("Deny") }

func everything(effect string) *policy.Document {
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":"*","Resource":"*"}]}`))
	if err != nil {
		panic(err) // the text is above
	}
	return d
}

// bounds makes the readings of a document, and gathers what is not known.
type bounds struct{ unknown []string }

// document is a reading: nil when no statement is left.
func (b *bounds) document(tree any, most bool) any {
	doc, ok := tree.(map[string]any)
	if !ok {
		if b.has(tree) {
			return document([]any{wholly(most)})
		}
		return tree
	}
	out := make(map[string]any, len(doc))
	for name, value := range doc {
		if name != "Statement" {
			out[name] = plain(value)
			continue
		}
		list, several := value.([]any)
		if !several {
			list = []any{value}
		}
		kept := []any{}
		for _, s := range list {
			if s = b.statement(s, most); s != nil {
				kept = append(kept, s)
			}
		}
		if len(kept) == 0 && len(list) > 0 {
			return nil
		}
		out[name] = kept
	}
	return out
}

func document(statements []any) any {
	return map[string]any{"Version": string(policy.Version2012), "Statement": statements}
}

// wholly is the statement that one of which nothing is known may be.
func wholly(most bool) any {
	effect := "Deny"
	if most {
		effect = "Allow"
	}
	return map[string]any{"Effect": effect, "Action": "*", "Resource": "*"}
}

// statement is one reading of a statement: nil when it does not apply.
func (b *bounds) statement(tree any, most bool) any {
	s, ok := tree.(map[string]any)
	if !ok {
		if b.has(tree) {
			return wholly(most)
		}
		return tree
	}
	if what, optional := s[optionalMark].(string); optional {
		b.unknown = append(b.unknown, what)
		inner, ok := s["Statement"].(map[string]any)
		if !ok || b.has(inner["Effect"]) {
			return wholly(most)
		}
		if most != (inner["Effect"] != "Deny") {
			return nil
		}
		return b.statement(inner, most)
	}
	if b.has(s["Effect"]) {
		return wholly(most)
	}
	// An Allow that matches more permits more, a Deny less.
	wide := most == (s["Effect"] != "Deny")
	out := make(map[string]any, len(s))
	for name, value := range s {
		if !b.has(value) {
			out[name] = value
			continue
		}
		switch name {
		case "Sid":
			out[name] = "Unknown"
		case "Action", "Resource":
			if out[name] = values(value, wide); out[name] == nil {
				return nil
			}
		case "Principal", "NotPrincipal": // who it may be is left out: bound puts the caller there
			if !wide {
				return nil
			}
		case "Condition":
			if !wide {
				return nil
			}
			if c := b.conditions(value); len(c) > 0 {
				out[name] = c
			}
		case "NotAction", "NotResource":
			if !wide {
				return nil
			}
			if out[name] = values(value, false); out[name] == nil { // nothing is excepted
				delete(out, name)
				out[strings.TrimPrefix(name, "Not")] = "*"
			}
		default:
			return wholly(most)
		}
	}
	return out
}

// conditions are those that are known: without the others a statement matches more.
func (b *bounds) conditions(tree any) map[string]any {
	operators, _ := tree.(map[string]any)
	out := make(map[string]any)
	for operator, keys := range operators {
		known := make(map[string]any)
		byKey, _ := keys.(map[string]any)
		for key, value := range byKey {
			if !b.has(value) && !IsUnknown(key) {
				known[key] = value
			}
		}
		if len(known) > 0 && !IsUnknown(operator) {
			out[operator] = known
		}
	}
	return out
}

// values are actions or resources: with wildcards in the place of what is not known, or without those of which something is not. nil when
// none is left.
func values(tree any, wide bool) any {
	list, several := tree.([]any)
	if !several {
		list = []any{tree}
	}
	kept := []any{}
	for _, v := range list {
		text, ok := v.(string)
		switch {
		case !ok || !IsUnknown(text):
			kept = append(kept, v)
		case wide:
			kept = append(kept, wildcards(text))
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// wildcards puts a star in the place of each mark.
func wildcards(text string) string {
	var out strings.Builder
	for text != "" {
		before, rest, marked := strings.Cut(text, string(openMark))
		out.WriteString(before)
		if !marked {
			break
		}
		out.WriteByte('*')
		_, text, _ = strings.Cut(rest, string(closeMark))
	}
	return out.String()
}

// has tells whether a tree has a mark, and notes what it says.
func (b *bounds) has(tree any) bool {
	found := false
	walk(tree, func(text string) {
		for rest := text; ; {
			_, after, marked := strings.Cut(rest, string(openMark))
			if !marked {
				return
			}
			var what string
			what, rest, _ = strings.Cut(after, string(closeMark))
			b.unknown, found = append(b.unknown, what), true
		}
	})
	return found
}

// plain is a tree whose marks are made readable.
func plain(tree any) any {
	if text, ok := tree.(string); ok {
		return Shown(text)
	}
	return tree
}

func walk(tree any, visit func(text string)) {
	switch t := tree.(type) {
	case string:
		visit(t)
	case []any:
		for _, v := range t {
			walk(v, visit)
		}
	case map[string]any:
		for name, v := range t {
			visit(name)
			walk(v, visit)
		}
	}
}
