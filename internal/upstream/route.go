package upstream

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/licet/licet/internal/awsdata"
)

// route is the method and path of an operation of a REST API. It is immutable.
type route struct {
	model     *awsdata.Model
	operation string
	bound     awsdata.ModelOperation
	segments  []segment
	// slash tells that the path ends with one.
	slash bool
	// literals are the query parameters that a request for the operation has.
	literals url.Values
}

// segment is a part of a path between slashes: text, or a label, or a label that takes all that is left.
type segment struct {
	text, label string
	greedy      bool
}

func routesOf(m *awsdata.Model) []*route {
	var routes []*route
	for _, name := range slices.Sorted(maps.Keys(m.Operations)) {
		bound := m.Operations[name]
		if bound.URI == "" {
			continue
		}
		path, query, _ := strings.Cut(bound.URI, "?")
		literals, err := url.ParseQuery(query)
		if err != nil {
			continue // no request is for it
		}
		r := &route{model: m, operation: name, bound: bound, literals: literals, slash: strings.HasSuffix(path, "/")}
		for _, part := range split(path) {
			r.segments = append(r.segments, parseSegment(part))
		}
		routes = append(routes, r)
	}
	return routes
}

func parseSegment(part string) segment {
	label, ok := strings.CutPrefix(part, "{")
	if !ok || !strings.HasSuffix(label, "}") {
		return segment{text: part}
	}
	label, greedy := strings.CutSuffix(strings.TrimSuffix(label, "}"), "+")
	return segment{label: label, greedy: greedy}
}

// split cuts an escaped path at its slashes. One at the end changes nothing.
func split(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// sortRoutes puts routes in the order in which they are tried: text before labels, more segments before fewer, required query before none.
func sortRoutes(routes []*route) {
	rank := func(s segment) int {
		switch {
		case s.greedy:
			return 2
		case s.label != "":
			return 1
		}
		return 0
	}
	slices.SortStableFunc(routes, func(a, b *route) int {
		for i := range min(len(a.segments), len(b.segments)) {
			if d := rank(a.segments[i]) - rank(b.segments[i]); d != 0 {
				return d
			}
		}
		if d := len(b.segments) - len(a.segments); d != 0 {
			return d
		}
		return len(b.literals) - len(a.literals)
	})
}

// match gives the labels of a request with this method, these path segments and this query, if it is one for r.
func (r *route) match(method string, path []string, query url.Values) (map[string]string, bool) {
	if method != r.bound.Method {
		return nil, false
	}
	for name, values := range r.literals {
		if !slices.Equal(query[name], values) {
			return nil, false
		}
	}
	labels := make(map[string]string)
	for i, s := range r.segments {
		taken := 1
		if s.greedy { // what stands after it takes its own
			taken = len(path) - (len(r.segments) - i - 1)
		}
		if taken < 1 || taken > len(path) {
			return nil, false
		}
		if s.label != "" {
			text, err := url.PathUnescape(strings.Join(path[:taken], "/"))
			if err != nil {
				return nil, false
			}
			labels[s.label] = text
		} else if s.text != path[0] {
			return nil, false
		}
		path = path[taken:]
		if s.greedy {
			return labels, r.endsWith(i+1, path)
		}
	}
	return labels, len(path) == 0
}

// endsWith tells whether path is the text of the segments from the i-th on.
func (r *route) endsWith(i int, path []string) bool {
	return slices.EqualFunc(r.segments[i:], path, func(s segment, text string) bool { return s.label == "" && s.text == text })
}

// plain tells paths that servers cannot read in different ways: dots and empty segments may be taken away, which would make another path.
func plain(path []string) bool {
	return !slices.ContainsFunc(path, func(s string) bool {
		text, err := url.PathUnescape(s)
		return err != nil || text == "" || slices.ContainsFunc(strings.FieldsFunc(text, func(c rune) bool { return c == '/' || c == '\\' }),
			func(part string) bool { return part == "." || part == ".." })
	})
}

// find gives the route of a request. There is none for a path that is another operation's to a server that takes %2F for a slash.
func (r *remote) find(method, escapedPath string, query url.Values) (*route, map[string]string, bool) {
	path := split(escapedPath)
	if !plain(path) {
		return nil, nil, false
	}
	slash := strings.HasSuffix(escapedPath, "/")
	found, labels := r.best(method, path, slash, query)
	if cut := cutWithin(path); found != nil && len(cut) != len(path) {
		if other, _ := r.best(method, cut, slash, query); other != nil && other.operation != found.operation {
			return nil, nil, false
		}
	}
	return found, labels, found != nil
}

// cutWithin cuts segments also at the slashes that are escaped in them. The path is plain.
func cutWithin(path []string) (cut []string) {
	for _, segment := range path {
		text, err := url.PathUnescape(segment)
		if err != nil {
			return path
		}
		for part := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == '/' }) {
			cut = append(cut, url.PathEscape(part))
		}
	}
	return cut
}

// best gives the first route that matches. Two may differ in a slash at the end alone: then it counts.
func (r *remote) best(method string, path []string, slash bool, query url.Values) (found *route, labels map[string]string) {
	for _, route := range r.routes {
		l, ok := route.match(method, path, query)
		switch {
		case !ok:
		case found == nil:
			found, labels = route, l
		case len(found.segments) != len(route.segments) || len(found.literals) != len(route.literals) || !found.sameText(route):
		case found.slash != route.slash && slash == route.slash:
			found, labels = route, l
		}
	}
	return found, labels
}

// sameText tells whether two routes have their labels in the same places, and the same text.
func (r *route) sameText(o *route) bool {
	return slices.EqualFunc(r.segments, o.segments, func(a, b segment) bool { return a.text == b.text && a.greedy == b.greedy })
}
