package restxml

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/licet/licet/internal/protocol"
)

// place is what a path names. A key without a bucket there is none.
type place struct {
	bucket, key string
	labels      map[string]string // of another service's path
}

// locate reads path and host: http://bucket.host/key and http://host/bucket/key are the same
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html).
func (c *Codec) locate(r *http.Request) (place, error) {
	if c.hosted == nil {
		return place{}, nil
	}
	bucket, path := c.hosted(r.Host), strings.TrimPrefix(r.URL.EscapedPath(), "/")
	if bucket == "" {
		bucket, path, _ = strings.Cut(path, "/")
	}
	var at place
	var err error
	if at.bucket, err = url.PathUnescape(bucket); err == nil {
		at.key, err = url.PathUnescape(path)
	}
	if err != nil {
		return place{}, invalid("The path is malformed.")
	}
	return at, nil
}

// route is how an operation is asked for.
type route struct {
	op       *operation
	onBucket bool
	onObject bool
	literals url.Values // parameters with their values; "" for any
	id       string     // what SDKs call it; clients other than the SDKs leave it out
	needed   []protocol.Binding
}

// telling are the parameters and headers that are needed where an operation has them, and tell it from one that has not: a copy from a
// put, a part of an upload from an object, one configuration from the list of all.
var telling = []string{"uploadId", "id", "annotationName", "X-Amz-Copy-Source"}

func newRoute(op *protocol.Operation, inBuckets bool) (*route, error) {
	if op.HTTP == nil {
		return nil, fmt.Errorf("operation %s has no HTTP binding", op.Name)
	}
	path, query, _ := strings.Cut(op.HTTP.URI, "?")
	literals, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("operation %s: %w", op.Name, err)
	}
	_, hasBucket := op.Input.FieldByName("Bucket")
	r := &route{op: &operation{Operation: op}, onBucket: hasBucket, literals: literals, id: literals.Get("x-id")}
	literals.Del("x-id")
	switch {
	case !inBuckets:
		r.onBucket, r.op.template = false, strings.Split(strings.TrimPrefix(path, "/"), "/")
	case path == "/":
	case path == "/{Key+}":
		r.onObject = true
	default: // WriteGetObjectResponse is S3 Object Lambda's, which has hosts of its own
		return nil, nil
	}
	for _, b := range op.HTTP.Input {
		if slices.Contains(telling, b.Name) {
			r.needed = append(r.needed, b)
		}
	}
	return r, nil
}

// sortRoutes puts first what asks for more.
func sortRoutes(routes []*route) {
	slices.SortStableFunc(routes, func(a, b *route) int {
		return cmp.Compare(len(b.literals)+len(b.needed), len(a.literals)+len(a.needed))
	})
}

func (r *route) match(req *http.Request, at place, query url.Values) bool {
	if r.op.template != nil && !fits(r.op.template, req.URL.EscapedPath()) {
		return false
	}
	if req.Method != r.op.HTTP.Method || r.onBucket != (at.bucket != "") || r.onObject != (at.key != "") {
		return false
	}
	if id := query.Get("x-id"); id != "" && r.id != "" && id != r.id {
		return false
	}
	for name, values := range r.literals {
		if got, ok := query[name]; !ok || values[0] != "" && values[0] != got[0] {
			return false
		}
	}
	for _, b := range r.needed {
		if b.Place == protocol.InQuery && !query.Has(b.Name) || b.Place == protocol.InHeader && req.Header.Get(b.Name) == "" {
			return false
		}
	}
	return true
}

// fits tells whether a path is a template with its labels, of which one with a plus sign takes all that follows, replaced by some text.
func fits(template []string, path string) bool {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, t := range template {
		switch {
		case i >= len(segments):
			return false
		case strings.HasSuffix(t, "+}"):
			return segments[i] != ""
		case strings.HasPrefix(t, "{") && segments[i] != "":
		case t != segments[i]:
			return false
		}
	}
	return len(template) == len(segments)
}

// labels are the texts that stand for the labels of a template in a path that fits it.
func labels(template []string, path string) (map[string]string, error) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	found := map[string]string{}
	for i, t := range template {
		name, isLabel := strings.CutPrefix(strings.TrimSuffix(t, "}"), "{")
		if !isLabel {
			continue
		}
		text := segments[i]
		if rest, greedy := strings.CutSuffix(name, "+"); greedy {
			name, text = rest, strings.Join(segments[i:], "/")
		}
		decoded, err := url.PathUnescape(text)
		if err != nil {
			return nil, invalid("The path is malformed.")
		}
		found[name] = decoded
	}
	return found, nil
}
