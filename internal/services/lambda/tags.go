package lambda

import (
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
)

// taggable reads the member Resource of the operations on tags. Functions are the only resources with tags here.
func (v *validator) taggable(c *service.Call, resource *string) (reference, error) {
	v.requiredText("resource", resource, taggableText)
	if err := v.err(); err != nil {
		return reference{}, err
	}
	a, err := arn.Parse(*resource)
	if err != nil { // its pattern is that of an ARN
		return reference{}, err
	}
	kind, name, _ := strings.Cut(a.Resource, ":")
	if kind != "function" {
		return reference{}, notImplemented(c.Operation, "Resource of type "+kind)
	}
	r := reference{partition: a.Partition, region: a.Region, account: a.AccountID}
	r.name, r.qualifier, _ = strings.Cut(name, ":")
	if r.qualifier != "" {
		return reference{}, invalidParameter(
			"Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	return r, r.reachable(c)
}

// Limits of tags: https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return invalidParameter("Number of tags exceeds resource tag limit.")
	}
	for k, v := range tags {
		switch {
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return invalidParameter("aws: prefixed tag key names are not allowed for external use.")
		case k == "" || utf8.RuneCountInString(k) > maxTagKey:
			return invalidParameter("The tag key must have a length from 1 to %d: %s", maxTagKey, k)
		case utf8.RuneCountInString(v) > maxTagValue:
			return invalidParameter("The value of tag %s must have a length of at most %d.", k, maxTagValue)
		}
	}
	return checkTagClash(tags)
}

// checkTagClash refuses keys that differ only in case; the text is ours.
func checkTagClash(tags map[string]string) error {
	if a, b, clash := service.TagClash(tags); clash {
		return invalidParameter("The tag keys %s and %s differ only in case.", a, b)
	}
	return nil
}
