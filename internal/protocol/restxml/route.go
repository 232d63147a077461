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
type place struct{ bucket, key string }

// locate reads path and host: http://bucket.host/key and http://host/bucket/key are the same
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html).
func (c *Codec) locate(r *http.Request) (place, error) {
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

func newRoute(op *protocol.Operation) (*route, error) {
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
	switch path {
	case "/":
	case "/{Key+}":
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
