package lambda

import (
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// taggable reads the member Resource of the operations on tags. Functions are the only resources with tags here.
func taggable(v *request.Validator, c *service.Call, resource *string) (request.Function, error) {
	v.RequiredText("resource", resource, taggableText)
	if err := v.Err(); err != nil {
		return request.Function{}, err
	}
	a, err := arn.Parse(*resource)
	if err != nil { // its pattern is that of an ARN
		return request.Function{}, err
	}
	kind, name, _ := strings.Cut(a.Resource, ":")
	if kind != "function" {
		return request.Function{}, fault.NotImplemented(c.Operation, "Resource of type "+kind)
	}
	r := request.Function{Partition: a.Partition, Region: a.Region, Account: a.AccountID}
	r.Name, r.Qualifier, _ = strings.Cut(name, ":")
	if r.Qualifier != "" {
		return request.Function{}, fault.InvalidParameter(
			"Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	return r, r.Reachable(c)
}

// Limits of tags: https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags map[string]string) error {
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
	return checkTagClash(tags)
}

// checkTagClash refuses keys that differ only in case; the text is ours.
func checkTagClash(tags map[string]string) error {
	if a, b, clash := service.TagClash(tags); clash {
		return fault.InvalidParameter("The tag keys %s and %s differ only in case.", a, b)
	}
	return nil
}
