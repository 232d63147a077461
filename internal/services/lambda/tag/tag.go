// Package tag has the rules of tags, which functions, event source mappings and code signing configurations share.
package tag

import (
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
)

// Limits of tags: https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// Check refuses tags that AWS would not keep.
func Check(tags map[string]string) error {
	if len(tags) > maxTags {
		return fault.InvalidParameter("Number of tags exceeds resource tag limit.")
	}
	for k, v := range tags {
		switch {
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return fault.InvalidParameter("aws: prefixed tag key names are not allowed for external use.")
		case k == "" || utf8.RuneCountInString(k) > maxTagKey:
			return fault.InvalidParameter("The tag key must have a length from 1 to %d: %s", maxTagKey, k)
		case utf8.RuneCountInString(v) > maxTagValue:
			return fault.InvalidParameter("The value of tag %s must have a length of at most %d.", k, maxTagValue)
		}
	}
	return CheckClash(tags)
}

// CheckClash refuses keys that differ only in case; the text is ours.
func CheckClash(tags map[string]string) error {
	if a, b, clash := service.TagClash(tags); clash {
		return fault.InvalidParameter("The tag keys %s and %s differ only in case.", a, b)
	}
	return nil
}

// InRequest sets the condition keys of tags in a request.
func InRequest(keys *authz.Context, tags map[string]string) {
	if len(tags) == 0 {
		return
	}
	names := make([]string, 0, len(tags))
	for k, v := range tags {
		keys.Set("aws:RequestTag/"+k, v)
		names = append(names, k)
	}
	keys.SetList("aws:TagKeys", names...)
}

// OfNew sets the condition keys of tags in a request that makes the resource, which must be the target's.
func OfNew(keys *authz.Context, tags map[string]string) {
	InRequest(keys, tags)
	for k, v := range tags {
		service.TagOfNew(keys, k, v)
	}
}

// OfResource sets the condition keys of the tags that a resource has.
func OfResource(keys *authz.Context, tags map[string]string) {
	for k, v := range tags {
		keys.Set("aws:ResourceTag/"+k, v)
	}
}
