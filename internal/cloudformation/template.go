package cloudformation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/internal/landscape"
)

// Options say where a template will be deployed, and with what.
type Options struct {
	Account, Region, Partition string
	// StackName is the stack's; "" is the template's file name.
	StackName  string
	Parameters map[string]string
	// ManagedPolicy gives the text of an AWS managed policy.
	ManagedPolicy func(arn string) (text string, ok bool)
	// ManagedPolicyARN finds one by its name.
	ManagedPolicyARN func(name string) (arn string, ok bool)
}

// Takes tells whether a file looks like a template.
func Takes(text []byte) bool {
	t, err := parse("", text)
	return err == nil && t.section("Resources") != nil
}

// Load reads a template. The error says with its line what is no template.
func Load(name string, text []byte, o Options) (*landscape.Landscape, error) {
	t, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	if t.section("Resources") == nil {
		return nil, fmt.Errorf("%s: there are no Resources: this is no template", name)
	}
	if o.StackName == "" {
		o.StackName = stackName(name)
	}
	s := newStack(t, o)
	s.load()
	if s.err != nil {
		return nil, s.err
	}
	return s.out, nil
}

// stackName makes a name of a stack of a file's.
func stackName(file string) string {
	base := filepath.Base(file)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	base = regexp.MustCompile(`[^A-Za-z0-9-]+`).ReplaceAllString(base, "-")
	return strings.Trim(base, "-")
}

// template is a parsed file.
type template struct {
	file string
	root *yaml.Node
}

// deepest is how far a template may be nested, largest how many bytes it may have: CloudFormation takes 1 MB.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const (
	deepest = 200
	largest = 4 << 20
)

func parse(file string, text []byte) (*template, error) {
	if len(text) > largest {
		return nil, fmt.Errorf("%s: a template has at most %d bytes", file, largest)
	}
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		text = bytes.ReplaceAll(text, []byte("\t"), []byte(" ")) // JSON's space, which YAML refuses; no text of JSON has it
	}
	var n, another yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&n); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(&another); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: a template is one document; this file has more", file)
	}
	if len(n.Content) != 1 || n.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: a template is a mapping", file)
	}
	t := &template{file: file, root: n.Content[0]}
	return t, t.check(t.root, 0)
}

// check refuses what CloudFormation refuses (aliases) and what cannot be read in one way (a key that is there twice).
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
func (t *template) check(n *yaml.Node, depth int) error {
	switch {
	case n.Kind == yaml.AliasNode:
		return fmt.Errorf("%s: templates have no aliases", t.at(n))
	case depth > deepest:
		return fmt.Errorf("%s: this is nested too deeply", t.at(n))
	case n.Kind == yaml.MappingNode:
		seen := make(map[string]bool, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if n.Content[i].Kind != yaml.ScalarNode {
				return fmt.Errorf("%s: a key must be a text", t.at(n.Content[i]))
			}
			if seen[key] {
				return fmt.Errorf("%s: %q is there twice", t.at(n.Content[i]), key)
			}
			seen[key] = true
		}
	}
	for _, c := range n.Content {
		if err := t.check(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (t *template) at(n *yaml.Node) landscape.Place {
	if n == nil {
		return landscape.Place{File: t.file}
	}
	return landscape.Place{File: t.file, Line: n.Line}
}

func (t *template) section(name string) *yaml.Node { return child(t.root, name) }

// child is the value of a mapping's key; nil when it has none or is no mapping.
func child(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// members are the keys and values of a mapping in their order.
func members(n *yaml.Node) (keys []*yaml.Node, values []*yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		keys, values = append(keys, n.Content[i]), append(values, n.Content[i+1])
	}
	return keys, values
}
