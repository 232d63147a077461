package request

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// DefaultPageSize is how many items a page has when the request does not say.
const DefaultPageSize = 100

// Page is what a list operation was asked for: the place to go on after, and how many.
type Page struct {
	After string
	Size  int
}

// NewPage checks Marker and MaxItems. A marker is the encoded key of the last item that was given out; clients must not look
// into it (https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html).
func NewPage(marker *string, maxItems *int32) (Page, error) {
	p := Page{Size: DefaultPageSize}
	if err := CheckRange("maxItems", maxItems, 1, MaxPageSize); err != nil {
		return Page{}, err
	}
	if maxItems != nil {
		p.Size = int(*maxItems)
	}
	if marker == nil {
		return p, nil
	}
	after, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || len(after) == 0 || bytes.IndexByte(after, 0) >= 0 {
		return Page{}, InvalidMarker()
	}
	p.After = string(after)
	return p, nil
}

// InvalidMarker answers for a marker that was not given out.
func InvalidMarker() error { return ValidationError("Invalid Marker.") }

// Listing is an answer's part of a list.
type Listing[T any] struct {
	Items []T
	// last is the key of the last item, or of the one before the page.
	Last      string
	Marker    *string
	Truncated bool
}

// SortedBy gives a list sorted by key.
func SortedBy[T any](items []T, key func(T) string) []T {
	return slices.SortedFunc(slices.Values(items), func(a, b T) int { return strings.Compare(key(a), key(b)) })
}

// Cut takes the page out of a list that is sorted by key.
func Cut[T any](p Page, items []T, key func(T) string) Listing[T] {
	l := Listing[T]{Last: p.After}
	for _, item := range items {
		k := key(item)
		if p.After != "" && k <= p.After {
			continue
		}
		if len(l.Items) == p.Size {
			l.Truncated, l.Marker = true, NewMarker(l.Last)
			break
		}
		l.Items = append(l.Items, item)
		l.Last = k
	}
	return l
}

// NewMarker makes the marker of the page after the item with a key.
func NewMarker(last string) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString([]byte(last)))
}

// PathOr is a path of a request, or the one that is meant when there is none.
func PathOr(path *string) string {
	if path == nil {
		return "/"
	}
	return *path
}
