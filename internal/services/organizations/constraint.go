package organizations

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/authz"
)

// Limits of https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html at their default values. SCPs have had
// 10 attachments for each entity since May 2026 (iam.md L1).
const (
	maxAccounts   = 10
	maxInvites    = 20 // a day, without those that were accepted
	maxUnits      = 2000
	maxUnitDepth  = 5
	maxSCPs       = 10_000
	maxRCPs       = 1000
	maxAttachSCPs = 10
	maxAttachRCPs = 5
	maxTags       = 50

	maxName           = 128
	maxDescription    = 512
	maxNotes          = 1024
	maxContent        = 1_000_000
	maxTagKey         = 128
	maxTagValue       = 256
	maxResourcePolicy = 40_000
	maxEmail          = 64
	minEmail          = 6
)

// check holds a required value against the pattern of its shape.
func check(value *string, pattern *regexp.Regexp) error {
	if value == nil {
		return required()
	}
	if !pattern.MatchString(*value) {
		return patternMismatch()
	}
	return nil
}

func required() error {
	return invalidInput(types.InvalidInputExceptionReasonInputRequired, "You must include a value for all required parameters.") // our text
}

// checkLength holds a value against the bounds of its shape, in characters. The texts are ours.
func checkLength(value string, least, most int) error {
	switch n := utf8.RuneCountInString(value); {
	case n < least:
		return invalidInput(types.InvalidInputExceptionReasonMinLengthExceeded,
			"You provided a string parameter that is shorter than allowed.")
	case n > most:
		return invalidInput(types.InvalidInputExceptionReasonMaxLengthExceeded,
			"You provided a string parameter that is longer than allowed.")
	}
	return nil
}

func checkName(value *string) error {
	if value == nil {
		return required()
	}
	return checkLength(*value, 1, maxName)
}

// checkPolicyType wants a type that AWS has, and that licet has.
func checkPolicyType(t types.PolicyType) error {
	switch {
	case t == "":
		return required()
	case slices.Contains(policyTypes(), t):
		return nil
	case slices.Contains(t.Values(), t):
		return notImplemented("the policy type " + string(t))
	}
	return invalidInput(types.InvalidInputExceptionReasonInvalidEnumPolicyType, "You specified an invalid policy type string.")
}

// checkTags takes tags whose keys differ in more than case, which condition keys do not tell apart.
func checkTags(in []types.Tag) ([]tag, error) {
	if err := checkTagCount(len(in)); err != nil {
		return nil, err
	}
	var out []tag
	for _, t := range in {
		if t.Key == nil || t.Value == nil {
			return nil, required()
		}
		if err := checkLength(*t.Key, 1, maxTagKey); err != nil {
			return nil, err
		}
		if err := checkLength(*t.Value, 0, maxTagValue); err != nil {
			return nil, err
		}
		if strings.HasPrefix(authz.FoldKey(*t.Key), "aws:") {
			return nil, invalidInput(types.InvalidInputExceptionReasonInvalidSystemTagsParameter,
				"You specified a tag key that is a system tag. You can't add, edit, or delete system tag keys because they're reserved for AWS use.")
		}
		if indexOfTag(out, *t.Key) >= 0 {
			return nil, invalidInput(types.InvalidInputExceptionReasonDuplicateTagKey,
				"Tag keys must be unique among the tags attached to the same entity.")
		}
		out = append(out, tag{*t.Key, *t.Value})
	}
	return out, nil
}

// checkTagKeys takes no more keys than a resource can have.
func checkTagKeys(keys []string) error {
	if len(keys) > maxTags {
		return invalidInput(types.InvalidInputExceptionReasonMaxLengthExceeded, "You provided more tag keys than a resource can have.") // our text
	}
	for _, key := range keys {
		if err := checkLength(key, 1, maxTagKey); err != nil {
			return err
		}
	}
	return nil
}

func checkTagCount(n int) error {
	if n > maxTags {
		return constraint(types.ConstraintViolationExceptionReasonMaxTagLimitExceeded,
			"You have exceeded the number of tags allowed on this resource.")
	}
	return nil
}

func indexOfTag(tags []tag, key string) int {
	return slices.IndexFunc(tags, func(t tag) bool { return authz.FoldKey(t.Key) == authz.FoldKey(key) })
}
