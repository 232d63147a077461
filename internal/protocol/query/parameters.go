package query

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/licet/licet/internal/protocol"
)

// A request can make the server use memory by its length, how many parameters it has and of how many parts their names are. No
// request of AWS's comes near these bounds, but for those with a SAML provider's metadata.
const (
	maxText = 1 << 20
	// maxMetadataText has room for 10,000,000 characters of metadata, each percent-encoded
	// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html).
	maxMetadataText = 3*10_000_000 + maxText
	maxParameters   = 10_000
	maxDepth        = 16
)

// parameters reads the query string and, of a POST, the body, once. Where both have a parameter the body's comes first.
func (c *Codec) parameters(r *protocol.Request) (url.Values, error) {
	if r.Form != nil {
		return r.Form, nil
	}
	if len(r.Body) > max(maxText, c.api.MaxForm) && (len(r.Body) > maxMetadataText || !takesMetadata(r.Body)) {
		return nil, malformed("too long a body")
	}
	text := r.HTTP.URL.RawQuery
	if r.HTTP.Method == http.MethodPost && len(r.Body) > 0 {
		text = strings.TrimSuffix(string(r.Body)+"&"+text, "&")
	}
	if strings.Count(text, "&") >= maxParameters {
		return nil, malformed("too many parameters")
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, malformed(err.Error())
	}
	r.Form = values
	return values, nil
}

// takesMetadata tells whether a body is of an operation that takes a SAML provider's metadata.
func takesMetadata(body []byte) bool {
	for part := range bytes.SplitSeq(body, []byte("&")) {
		if action, ok := bytes.CutPrefix(part, []byte("Action=")); ok {
			return string(action) == "CreateSAMLProvider" || string(action) == "UpdateSAMLProvider"
		}
	}
	return false
}

// tree holds parameters by the parts of their names: Tags.member.1.Key is the value at Tags, member, 1, Key.
type tree struct {
	value    string
	children map[string]*tree
}

func newTree(values url.Values) (*tree, error) {
	root := &tree{}
	for name, texts := range values {
		if strings.Count(name, ".") >= maxDepth {
			return nil, malformed("too many parts in the name of a parameter")
		}
		node := root
		for part := range strings.SplitSeq(name, ".") {
			node = node.grow(part)
		}
		node.value = texts[0]
	}
	return root, nil
}

func (n *tree) grow(part string) *tree {
	child := n.children[part]
	if child == nil {
		if n.children == nil {
			n.children = map[string]*tree{}
		}
		child = &tree{}
		n.children[part] = child
	}
	return child
}

// elements gives the children called 1, 2, … in that order; gaps are closed.
func (n *tree) elements() ([]*tree, error) {
	if n == nil {
		return nil, nil
	}
	var indexes []int
	for part := range n.children {
		i, err := strconv.Atoi(part)
		if err != nil || i < 1 || strconv.Itoa(i) != part {
			return nil, badValue(part + " is not a valid index.")
		}
		indexes = append(indexes, i)
	}
	slices.Sort(indexes)
	nodes := make([]*tree, len(indexes))
	for i, index := range indexes {
		nodes[i] = n.children[strconv.Itoa(index)]
	}
	return nodes, nil
}
