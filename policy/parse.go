package policy

import (
	"bytes"
	"fmt"
	"slices"
)

// SyntaxError says why a text is not a policy, and where.
type SyntaxError struct {
	// Offset is the byte in the text at which the fault was seen; it is the length of the text when the text ends too early.
	Offset   int
	Position Position
	// Message is a clause in lower case, without the position.
	Message string
	// NotJSON is true when the text is not even JSON. AWS words that differently for trust policies; see Problem.
	NotJSON bool
	// Code names the fault as IAM Access Analyzer does; see Finding.
	Code string
	// End is the byte after the element at fault.
	End int
}

// Error gives the message with line and column.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Position.Line, e.Position.Column, e.Message)
}

func syntaxError(src []byte, code string, at Span, format string, args ...any) *SyntaxError {
	return &SyntaxError{
		Offset:   at.Start,
		Position: linesOf(src).Position(at.Start),
		Message:  fmt.Sprintf(format, args...),
		Code:     code,
		End:      min(at.End, len(src)),
	}
}

// Parse reads a policy document. The error is a *SyntaxError. It takes what every policy type may contain; Validate says whether
// a document can be saved as a given type.
//
// Names of elements are those of the grammar, case and all. Refused are unknown and duplicate elements, both elements of a pair
// such as Action and NotAction, a missing Effect or Statement, and values of the wrong JSON type. Wherever the grammar has a
// list, a single value will do. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
//
// Parse takes time linear in the length of the text.
func Parse(text []byte) (*Document, error) {
	p := parser{src: bytes.Clone(text)}
	v, err := scan(p.src)
	if err != nil {
		return nil, err
	}
	return p.document(v)
}

// parser turns JSON values into the parts of a document.
type parser struct{ src []byte }

func (p parser) errorAt(code string, s Span, format string, args ...any) error {
	return syntaxError(p.src, code, s, format, args...)
}

// want refuses a value of another kind than the element takes.
func (p parser) want(kind valueKind, element string, v value) error {
	if v.kind != kind {
		return p.errorAt("DATA_TYPE_MISMATCH", v.span, "%s is %s; it must be %s", element, v.kind, kind)
	}
	return nil
}

func (p parser) document(v value) (*Document, error) {
	if err := p.want(objectValue, "the policy", v); err != nil {
		return nil, err
	}
	d := &Document{Source: p.src, Version: Version2008}
	for _, m := range v.members {
		var err error
		switch m.name.Value {
		case "Version":
			d.HasVersion, d.VersionAt = true, m.value.span
			d.Version, err = p.version(m.value)
		case "Id":
			d.IDAt = m.value.span
			d.ID, err = p.string("Id", m.value)
		case "Statement":
			d.Statements, err = p.statements(m.value)
		default:
			err = p.errorAt("INVALID_POLICY_ELEMENT", m.name.Span, "unknown element %q in a policy", m.name.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(d.Statements) == 0 {
		return nil, p.errorAt("MISSING_STATEMENT", v.span, "a policy needs a Statement")
	}
	return d, nil
}

func (p parser) version(v value) (Version, error) {
	s, err := p.string("Version", v)
	if err != nil {
		return "", err
	}
	switch version := Version(s); version {
	case Version2008, Version2012:
		return version, nil
	default:
		return "", p.errorAt("INVALID_VERSION", v.span, "unknown Version %q", s)
	}
}

func (p parser) string(element string, v value) (string, error) {
	return v.text, p.want(stringValue, element, v)
}

func (p parser) statements(v value) ([]Statement, error) {
	items := v.items
	if v.kind != arrayValue {
		items = []value{v}
	}
	out := make([]Statement, 0, len(items))
	for _, item := range items {
		s, err := p.statement(item)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

const bothElements = "UNSUPPORTED_ELEMENT_COMBINATION"

func (p parser) statement(v value) (Statement, error) {
	if err := p.want(objectValue, "a statement", v); err != nil {
		return Statement{}, err
	}
	s := Statement{Span: v.span}
	for _, m := range v.members {
		if err := p.element(&s, m); err != nil {
			return Statement{}, err
		}
	}
	switch {
	case s.Effect == "":
		return Statement{}, p.errorAt("MISSING_EFFECT", v.span, "a statement needs an Effect")
	case s.Principal != nil && s.NotPrincipal != nil:
		return Statement{}, p.errorAt(bothElements, v.span, "a statement has both Principal and NotPrincipal")
	case s.Action != nil && s.NotAction != nil:
		return Statement{}, p.errorAt(bothElements, v.span, "a statement has both Action and NotAction")
	case s.Resource != nil && s.NotResource != nil:
		return Statement{}, p.errorAt(bothElements, v.span, "a statement has both Resource and NotResource")
	}
	return s, nil
}

// element reads one element of a statement.
func (p parser) element(s *Statement, m member) (err error) {
	switch name := m.name.Value; name {
	case "Sid":
		s.At.Sid = m.value.span
		s.Sid, err = p.string(name, m.value)
	case "Effect":
		s.At.Effect = m.value.span
		s.Effect, err = p.effect(m.value)
	case "Principal":
		s.Principal, err = p.principals(name, m.value)
	case "NotPrincipal":
		s.NotPrincipal, err = p.principals(name, m.value)
	case "Action":
		s.At.Action = m.value.span
		s.Action, err = p.strings(name, m.value)
	case "NotAction":
		s.At.NotAction = m.value.span
		s.NotAction, err = p.strings(name, m.value)
	case "Resource":
		s.At.Resource = m.value.span
		s.Resource, err = p.strings(name, m.value)
	case "NotResource":
		s.At.NotResource = m.value.span
		s.NotResource, err = p.strings(name, m.value)
	case "Condition":
		s.At.Condition = m.value.span
		s.Condition, s.At.EmptyOperators, err = p.conditions(m.value)
	default:
		err = p.errorAt("INVALID_POLICY_ELEMENT", m.name.Span, "unknown element %q in a statement", name)
	}
	return err
}

// effect takes the two spellings of reference_policies_elements_effect, whose values are case-sensitive.
func (p parser) effect(v value) (Effect, error) {
	s, err := p.string("Effect", v)
	if err != nil {
		return "", err
	}
	switch effect := Effect(s); effect {
	case Allow, Deny:
		return effect, nil
	default:
		return "", p.errorAt("INVALID_EFFECT", v.span, "Effect is %q; it must be \"Allow\" or \"Deny\"", s)
	}
}

// strings reads a string or an array of strings. The result is never nil.
func (p parser) strings(element string, v value) ([]Text, error) {
	return p.texts(element, v, stringValue)
}

// texts reads a value of one of the kinds, or an array of such values. The result is never nil.
func (p parser) texts(element string, v value, kinds ...valueKind) ([]Text, error) {
	items := v.items
	if v.kind != arrayValue {
		items = []value{v}
	}
	out := make([]Text, 0, len(items))
	for _, item := range items {
		if !slices.Contains(kinds, item.kind) {
			return nil, p.errorAt("DATA_TYPE_MISMATCH", item.span, "a value of %s is %s; it must be %s", element, item.kind, kinds[0])
		}
		out = append(out, Text{Value: item.text, Span: item.span})
	}
	return out, nil
}

func (p parser) principals(element string, v value) (*Principals, error) {
	out := &Principals{Span: v.span}
	if v.kind == stringValue && v.text == "*" {
		out.Any = true
		return out, nil
	}
	if v.kind != objectValue {
		return nil, p.errorAt("INVALID_PRINCIPAL_FORMAT", v.span, "%s must be \"*\" or an object", element)
	}
	for _, m := range v.members {
		switch m.name.Value {
		case "AWS", "Service", "Federated", "CanonicalUser":
		default:
			return nil, p.errorAt("INVALID_PRINCIPAL_KEY", m.name.Span, "unknown type of principal %q", m.name.Value)
		}
		values, err := p.strings(m.name.Value, m.value)
		if err != nil {
			return nil, err
		}
		if len(values) == 0 {
			out.Empty = append(out.Empty, m.value.span)
		}
		for _, t := range values {
			out.Entries = append(out.Entries, PrincipalEntry{Type: m.name.Value, Value: t})
		}
	}
	return out, nil
}

// conditions reads {operator: {key: values}}. Values may be JSON numbers and booleans, whose quotes the grammar calls optional.
// empty are the operators without keys.
func (p parser) conditions(v value) (out []Condition, empty []Span, err error) {
	if err := p.want(objectValue, "Condition", v); err != nil {
		return nil, nil, err
	}
	for _, operator := range v.members {
		if err := p.want(objectValue, operator.name.Value, operator.value); err != nil {
			return nil, nil, err
		}
		if len(operator.value.members) == 0 {
			empty = append(empty, operator.value.span)
		}
		for _, key := range operator.value.members {
			values, err := p.texts(key.name.Value, key.value, stringValue, numberValue, boolValue)
			if err != nil {
				return nil, nil, err
			}
			out = append(out, Condition{
				Operator: operator.name,
				Key:      key.name,
				Values:   values,
				Span:     Span{key.name.Span.Start, key.value.span.End},
			})
		}
	}
	return out, empty, nil
}
