package service

import "strings"

// OwnerKnows tells the condition keys that say of a resource what its account alone knows: its tags (aws:ResourceTag/…, iam:ResourceTag/…
// and the like), and in which units of its organization the account is. Callers of other accounts must not be shown their values.
func OwnerKnows(key string) bool {
	return strings.Contains(strings.ToLower(key), ":resourcetag/") || strings.EqualFold(key, "aws:ResourceOrgPaths")
}
