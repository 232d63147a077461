package sts

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/licet/licet/authz"
)

// Limits of https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (iam.md L1, L3).
const (
	minDuration        = 900
	maxRoleDuration    = 43200
	maxChainedDuration = 3600
	defaultDuration    = 3600

	maxSessionPolicies = 10
	maxSessionPolicy   = 2048
	maxSessionTags     = 50

	maxARN = 2048
)

// pattern is a constraint of AWS's API model, with the text in which AWS names it.
type pattern struct {
	text string
	re   *regexp.Regexp
}

func newPattern(text string) pattern { return pattern{text, regexp.MustCompile(`^(?:` + text + `)$`)} }

// patterns are immutable after New.
type patterns struct{ sessionName, externalID, tagKey, tagValue, serialNumber, tokenCode pattern }

func newPatterns() patterns {
	return patterns{
		sessionName: newPattern(`[\w+=,.@-]*`),
		externalID:  newPattern(`[\w+=,.@:\/-]*`),
		tagKey:      newPattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]+`),
		tagValue:    newPattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`),

		serialNumber: newPattern(`[\w+=/:,.@-]*`),
		tokenCode:    newPattern(`[\d]*`),
	}
}

// check holds a text against length and pattern.
func (p pattern) check(member, value string, least, most int) error {
	switch n := utf8.RuneCountInString(value); {
	case n < least:
		return violation(member, value, "Member must have length greater than or equal to %d", least)
	case n > most:
		return violation(member, value, "Member must have length less than or equal to %d", most)
	case !p.re.MatchString(value):
		return violation(member, value, "Member must satisfy regular expression pattern: %s", p.text)
	}
	return nil
}

// checkARN wants an ARN to be there, and not too short or long. What is in it shows later.
func checkARN(member string, text *string, least int) error {
	if text == nil {
		return missingMember(member)
	}
	switch n := utf8.RuneCountInString(*text); {
	case n < least:
		return violation(member, *text, "Member must have length greater than or equal to %d", least)
	case n > maxARN:
		return violation(member, *text, "Member must have length less than or equal to %d", maxARN)
	}
	return nil
}

func checkDuration(seconds *int32, most int32) error {
	if seconds == nil {
		return nil
	}
	value := strconv.Itoa(int(*seconds))
	switch {
	case *seconds < minDuration:
		return violation("durationSeconds", value, "Member must have value greater than or equal to %d", minDuration)
	case *seconds > most:
		return violation("durationSeconds", value, "Member must have value less than or equal to %d", most)
	}
	return nil
}

// checkTags checks session tags and returns them by key.
func (p patterns) checkTags(tags []types.Tag) (map[string]string, error) {
	if len(tags) > maxSessionTags {
		return nil, tooManyMembers("tags", maxSessionTags)
	}
	out := make(map[string]string, len(tags))
	folded := make(map[string]bool, len(tags))
	for i, t := range tags {
		member := fmt.Sprintf("tags.%d.member.", i+1)
		if t.Key == nil {
			return nil, missingMember(member + "key")
		}
		if t.Value == nil {
			return nil, missingMember(member + "value")
		}
		if err := p.tagKey.check(member+"key", *t.Key, 1, 128); err != nil {
			return nil, err
		}
		if err := p.tagValue.check(member+"value", *t.Value, 0, 256); err != nil {
			return nil, err
		}
		key := authz.FoldKey(*t.Key)
		if strings.HasPrefix(key, "aws:") {
			// The prefix is reserved: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html. AWS's text is not
			// known.
			return nil, invalidParameter("aws: prefixed tag key names are not allowed for external use.")
		}
		if folded[key] {
			return nil, invalidParameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		folded[key] = true
		out[*t.Key] = *t.Value
	}
	return out, nil
}
