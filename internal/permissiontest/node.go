package permissiontest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/internal/landscape"
)

// Error is something wrong with a file of tests.
type Error struct {
	At      landscape.Place
	Column  int
	Message string
}

func (e *Error) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("%s: %s", e.At, e.Message)
	}
	return fmt.Sprintf("%s:%d: %s", e.At, e.Column, e.Message)
}

// reader reads nodes of one file. The first error stays.
type reader struct {
	file string
	err  error
}

func (r *reader) place(n *yaml.Node) landscape.Place {
	return landscape.Place{File: r.file, Line: n.Line}
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{At: r.place(n), Column: n.Column, Message: fmt.Sprintf(format, args...)}
	}
}

// fields are the members of a mapping: what is not among known, or there twice, is an error.
func (r *reader) fields(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	out := make(map[string]*yaml.Node)
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s must be a mapping", what)
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !slices.Contains(known, key.Value) {
			r.fail(key, "%s has no %q; it has %s", what, key.Value, strings.Join(known, ", "))
		}
		if out[key.Value] != nil {
			r.fail(key, "%q is there twice", key.Value)
		}
		out[key.Value] = value
	}
	return out
}

// each calls fn for the members of a mapping, which may have any names.
func (r *reader) each(n *yaml.Node, what string, fn func(key string, at, value *yaml.Node)) {
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s must be a mapping", what)
		return
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			r.fail(key, "%q is there twice", key.Value)
		}
		seen[key.Value] = true
		fn(key.Value, key, n.Content[i+1])
	}
}

// text is a scalar; "" for none.
func (r *reader) text(n *yaml.Node, what string) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" {
		r.fail(n, "%s must be a text", what)
		return ""
	}
	return n.Value
}

// texts is a scalar or a list of scalars.
func (r *reader) texts(n *yaml.Node, what string) []string {
	var list []string
	for _, item := range r.items(n) {
		list = append(list, r.text(item, what))
	}
	return list
}

// items are those of a list; anything else is the only one.
func (r *reader) items(n *yaml.Node) []*yaml.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode:
		return n.Content
	default:
		return []*yaml.Node{n}
	}
}

// strings are texts by name.
func (r *reader) strings(n *yaml.Node, what string) map[string]string {
	out := make(map[string]string)
	r.each(n, what, func(key string, _, value *yaml.Node) { out[key] = r.text(value, what+" "+key) })
	return out
}

// flag is true or false.
func (r *reader) flag(n *yaml.Node, what string) bool {
	if n == nil {
		return false
	}
	var b bool
	if err := n.Decode(&b); err != nil {
		r.fail(n, "%s must be true or false", what)
	}
	return b
}

// json is a mapping as JSON, in its own order: policies may be written in YAML, too. A date is the text that it was written as, and so is a
// policy's version.
func (r *reader) json(n *yaml.Node) []byte {
	var b bytes.Buffer
	r.write(&b, n)
	return b.Bytes()
}

func (r *reader) write(b *bytes.Buffer, n *yaml.Node) {
	separator := ""
	next := func() { b.WriteString(separator); separator = ", " }
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		r.each(n, "this", func(key string, _, value *yaml.Node) {
			next()
			r.scalar(b, key)
			b.WriteString(": ")
			r.write(b, value)
		})
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for _, item := range n.Content {
			next()
			r.write(b, item)
		}
		b.WriteByte(']')
	default:
		var v any = n.Value
		if n.Tag == "!!bool" || n.Tag == "!!null" { // numbers are texts to a policy, and accounts may start with a zero
			if err := n.Decode(&v); err != nil {
				r.fail(n, "%v", err)
			}
		}
		r.scalar(b, v)
	}
}

func (r *reader) scalar(b *bytes.Buffer, v any) {
	text, err := json.Marshal(v)
	if err != nil && r.err == nil {
		r.err = &Error{At: landscape.Place{File: r.file}, Message: err.Error()}
	}
	b.Write(text)
}

// parse reads the one document of a text. Tags of templates, such as !Ref, are refused, and so are aliases: tests have no need of them, and they can grow without bound.
func (r *reader) parse(text []byte) *yaml.Node {
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	var n yaml.Node
	if err := decoder.Decode(&n); err != nil {
		r.err = syntaxError(r.file, err)
		return nil
	}
	root := n.Content[0]
	r.noAliases(root, 0)
	var another yaml.Node
	if err := decoder.Decode(&another); !errors.Is(err, io.EOF) && r.err == nil {
		r.fail(root, "a file has one document; what follows the --- would be passed over")
	}
	return root
}

// deepest is how far mappings and lists may be nested.
const deepest = 100

func (r *reader) noAliases(n *yaml.Node, depth int) {
	switch {
	case n.Kind == yaml.AliasNode:
		r.fail(n, "aliases are not read here")
		return
	case depth > deepest:
		r.fail(n, "this is nested too deeply")
		return
	case strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!"):
		r.fail(n, "%s is for templates: it means nothing here", n.Tag)
		return
	}
	for _, c := range n.Content {
		r.noAliases(c, depth+1)
	}
}
