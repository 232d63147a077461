package iam

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/service"
)

const defaultPageSize = 100

// page is what a list operation was asked for: the place to go on after, and how many.
type page struct {
	after string
	size  int
}

// newPage checks Marker and MaxItems. A marker is the encoded key of the last item that was given out; clients must not look
// into it (https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html).
func newPage(marker *string, maxItems *int32) (page, error) {
	p := page{size: defaultPageSize}
	if err := checkRange("maxItems", maxItems, 1, maxPageSize); err != nil {
		return page{}, err
	}
	if maxItems != nil {
		p.size = int(*maxItems)
	}
	if marker == nil {
		return p, nil
	}
	after, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || len(after) == 0 || bytes.IndexByte(after, 0) >= 0 {
		return page{}, invalidMarker()
	}
	p.after = string(after)
	return p, nil
}

func invalidMarker() error { return validationError("Invalid Marker.") }

// listing is an answer's part of a list.
type listing[T any] struct {
	items []T
	// last is the key of the last item, or of the one before the page.
	last      string
	marker    *string
	truncated bool
}

// sortedBy gives a list sorted by key.
func sortedBy[T any](items []T, key func(T) string) []T {
	return slices.SortedFunc(slices.Values(items), func(a, b T) int { return strings.Compare(key(a), key(b)) })
}

// cut takes the page out of a list that is sorted by key.
func cut[T any](p page, items []T, key func(T) string) listing[T] {
	l := listing[T]{last: p.after}
	for _, item := range items {
		k := key(item)
		if p.after != "" && k <= p.after {
			continue
		}
		if len(l.items) == p.size {
			l.truncated, l.marker = true, newMarker(l.last)
			break
		}
		l.items = append(l.items, item)
		l.last = k
	}
	return l
}

func newMarker(last string) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString([]byte(last)))
}

// pageOfUser is the page of a list that belongs to a user, whose name may be left out.
func (s *Store) pageOfUser(c *service.Call, userName, marker *string, size *int32) (p page, k kind, name string, err error) {
	if p, err = newPage(marker, size); err != nil {
		return page{}, "", "", err
	}
	k, name, err = s.userOrCaller(c, userName)
	return p, k, name, err
}
