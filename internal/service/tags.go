package service

import (
	"maps"
	"slices"

	"github.com/licet/licet/authz"
)

// TagOfNew sets aws:ResourceTag/… for a resource that a call makes with a tag: the key is there "when the requested resource already has
// attached tags or in requests that create a resource with an attached tag"
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag). Lambda's own
// example needs it to create a function (https://docs.aws.amazon.com/lambda/latest/dg/attribute-based-access-control-example.html, step 1).
func TagOfNew(keys *authz.Context, key, value string) { keys.Set("aws:ResourceTag/"+key, value) }

// TagClash finds two tag keys that differ only in case. Condition keys such as aws:RequestTag/Team compare without case, so a
// decision could not tell the two apart; AWS calls its own choice between them unpredictable
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html). Services refuse such tags before anything is decided.
func TagClash(tags map[string]string) (a, b string, clash bool) {
	seen := make(map[string]string, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		folded := authz.FoldKey(key)
		if other, ok := seen[folded]; ok {
			return other, key, true
		}
		seen[folded] = key
	}
	return "", "", false
}
