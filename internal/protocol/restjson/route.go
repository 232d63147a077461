package restjson

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/licet/licet/internal/protocol"
)

// route is an operation's method and path. It is immutable.
type route struct {
	op       *operation
	method   string
	segments []segment
	// literals are the query parameters that the request must have, such as find=LayerVersion.
	literals url.Values
}

// segment is a part of a path between slashes: text, or a label.
type segment struct {
	text  string
	label string
	// greedy labels take all that is left of the path, slashes included. They stand last.
	greedy bool
}

// newRoute parses an operation's HTTP binding: https://smithy.io/2.0/spec/http-bindings.html#http-trait
func newRoute(op *protocol.Operation) (*route, error) {
	h, ok := smithy.SchemaTrait[*traits.HTTP](op.Schema)
	if !ok {
		return nil, fmt.Errorf("operation %s has no HTTP binding", op.Name)
	}
	path, query, _ := strings.Cut(h.URI, "?")
	literals, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("parse URI %s of operation %s: %w", h.URI, op.Name, err)
	}
	r := &route{op: &operation{Operation: op, code: cmp.Or(op.Code, h.Code)}, method: h.Method, literals: literals}
	r.op.route = r
	for _, part := range split(path) {
		r.segments = append(r.segments, parseSegment(part))
	}
	return r, nil
}

func parseSegment(part string) segment {
	if !strings.HasPrefix(part, "{") || !strings.HasSuffix(part, "}") {
		return segment{text: part}
	}
	name, greedy := strings.CutSuffix(part[1:len(part)-1], "+")
	return segment{label: name, greedy: greedy}
}

// split cuts an escaped path at its slashes. One slash at the end changes nothing: AWS accepts it, and some SDKs send it.
func split(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// sortRoutes puts routes in the order in which they are tried: literal text before labels, and required query before none.
func sortRoutes(routes []*route) {
	slices.SortStableFunc(routes, func(a, b *route) int {
		for i := range min(len(a.segments), len(b.segments)) {
			if d := a.segments[i].rank() - b.segments[i].rank(); d != 0 {
				return d
			}
		}
		return len(b.literals) - len(a.literals)
	})
}

func (s segment) rank() int {
	switch {
	case s.greedy:
		return 2
	case s.label != "":
		return 1
	}
	return 0
}

// match reports whether a request with these path segments and this query is one for r.
func (r *route) match(method string, path []string, query url.Values) bool {
	if method != r.method || !r.matchPath(path) {
		return false
	}
	for name, values := range r.literals {
		if !slices.Equal(query[name], values) {
			return false
		}
	}
	return true
}

func (r *route) matchPath(path []string) bool {
	for i, s := range r.segments {
		switch {
		case i >= len(path):
			return false
		case s.greedy:
			return true
		case s.label == "" && s.text != path[i]:
			return false
		case s.label != "" && !labelable(path[i]):
			return false
		}
	}
	return len(path) == len(r.segments)
}

// labelable reports whether a path segment may stand for a label. Dot segments may not: SigV4 signs paths without them, so a
// request could be made to mean something else than was signed.
func labelable(s string) bool { return s != "" && s != "." && s != ".." }

// label gives the value of the label called name in a path that matches r.
func (r *route) label(path []string, name string) (string, error) {
	for i, s := range r.segments {
		switch {
		case s.label != name:
		case s.greedy:
			return url.PathUnescape(strings.Join(path[i:], "/"))
		default:
			return url.PathUnescape(path[i])
		}
	}
	return "", fmt.Errorf("no label %s", name)
}
