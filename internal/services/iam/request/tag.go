package request

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
)

// Tag is a tag, as it is kept.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// WithTags sets tags. A key that differs by case only from one that is there takes its place.
func WithTags(have, set []Tag) ([]Tag, error) {
	out := slices.Clone(have)
	for _, t := range set {
		i := slices.IndexFunc(out, func(o Tag) bool { return sameKey(o.Key, t.Key) })
		if i < 0 {
			out = append(out, t)
		} else {
			out[i] = t
		}
	}
	if len(out) > maxTags {
		return nil, LimitExceeded("The number of tags has reached the maximum limit.") // AWS's text is not known
	}
	return out, nil
}

// WithoutTags takes tags away.
func WithoutTags(have []Tag, keys []string) []Tag {
	return slices.DeleteFunc(slices.Clone(have), func(t Tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return sameKey(k, t.Key) })
	})
}

func sameKey(a, b string) bool { return authz.FoldKey(a) == authz.FoldKey(b) }

// ListTags is a page of tags, by key.
func ListTags(have []Tag, marker *string, maxItems *int32) (Listing[types.Tag], error) {
	p, err := NewPage(marker, maxItems)
	if err != nil {
		return Listing[types.Tag]{}, err
	}
	l := Cut(p, ByKey(have), func(t Tag) string { return t.Key })
	return Listing[types.Tag]{Items: append([]types.Tag{}, WireTags(l.Items)...), Marker: l.Marker, Truncated: l.Truncated}, nil
}

// WireTags gives tags as they are shown; nil when there are none.
func WireTags(tags []Tag) []types.Tag {
	var out []types.Tag
	for _, t := range tags {
		out = append(out, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out
}

// ShownTags gives tags as lists of them show them: sorted, and empty rather than left out.
func ShownTags(tags []Tag) []types.Tag { return append([]types.Tag{}, WireTags(ByKey(tags))...) }

// ByKey sorts tags as lists show them.
func ByKey(tags []Tag) []Tag {
	return slices.SortedFunc(slices.Values(tags), func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
}
