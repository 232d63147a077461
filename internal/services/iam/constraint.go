package iam

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// Limits of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (iam.md L1–L3), at their default values.
const (
	maxUserName    = 64
	maxRoleName    = 64
	maxGroupName   = 128
	maxPolicyName  = 128
	maxProfile     = 128
	maxARN         = 2048
	maxPath        = 512
	maxDescription = 1000
	maxTags        = 50
	maxTagKey      = 128
	maxTagValue    = 256
	maxPageSize    = 1000

	maxUsers         = 5000
	maxGroups        = 300
	maxRoles         = 1000
	maxPolicies      = 1500
	maxGroupsPerUser = 10
	maxAccessKeys    = 2
	maxMFADevices    = 8
	maxSSHPublicKeys = 5
	// maxServiceCredentials is for each service.
	maxServiceCredentials    = 2
	maxSigningCertificates   = 2
	maxServerCertificates    = 20
	maxServerCertificateName = 128
	maxAttachedPolicies      = 10
	maxPolicyVersions        = 5
	maxProfiles              = 1000
	maxRolesPerProfile       = 1

	// maxSerialNumber is that of the API model (EnableMFADevice).
	maxSerialNumber = 256

	// maxCertificateBody is that of the API model on a text in PEM (UploadSigningCertificate, UploadServerCertificate, UploadSSHPublicKey).
	maxCertificateBody = 16384

	minSessionSeconds = 3600
	maxSessionSeconds = 43200
)

// maxInlineSize is the limit of all inline policies of an identity together.
func maxInlineSize(k kind) int {
	switch k {
	case userKind:
		return 2048
	case groupKind:
		return 5120
	default:
		return 10240
	}
}

// pattern is a constraint of AWS's API model, with the text in which AWS names it.
type pattern struct {
	text string
	re   *regexp.Regexp
}

// newPattern compiles a pattern of the model, which writes characters as Java does: \u00A1 is \x{00A1} in Go.
func newPattern(text string) pattern {
	inGo := regexp.MustCompile(`\\u([0-9A-F]{4})`).ReplaceAllString(text, `\x{$1}`)
	return pattern{text, regexp.MustCompile(`^(?:` + inGo + `)$`)}
}

// patterns are immutable after New.
type patterns struct {
	name, path, tagKey, tagValue, description, versionID, accessKeyID pattern
	serialNumber, digits, latin, accountAlias, serviceName, samlName  pattern
}

func newPatterns() patterns {
	return patterns{
		name:        newPattern(`[\w+=,.@-]+`),
		path:        newPattern(`/|/[\x21-\x7e]+/`),
		tagKey:      newPattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]+`),
		tagValue:    newPattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`),
		description: newPattern(`[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`),
		versionID:   newPattern(`v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`),
		accessKeyID: newPattern(`[\w]+`),
		samlName:    newPattern(`[\w._-]+`),

		serialNumber: newPattern(`[\w+=/:,.@-]+`),
		digits:       newPattern(`[\d]+`),
		serviceName:  newPattern(`[\w.-]+`),
		latin:        newPattern(`[\u0009\u000A\u000D\u0020-\u00FF]+`),
		// Go has no look-ahead.
		accountAlias: pattern{`^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`, regexp.MustCompile(`^[a-z0-9](?:-?[a-z0-9])*$`)},
	}
}

// violation is AWS's answer to a member that breaks its model. IAM leaves out the value.
func violation(member, format string, args ...any) error {
	return violations(problem(member, format, args...))
}

// problem is what violation says of one member.
func problem(member, format string, args ...any) string {
	return fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", member, fmt.Sprintf(format, args...))
}

// violations is AWS's answer to members that break its model; problems that are "" are none.
func violations(problems ...string) error {
	problems = slices.DeleteFunc(problems, func(p string) bool { return p == "" })
	switch len(problems) {
	case 0:
		return nil
	case 1:
		return validationError("1 validation error detected: %s", problems[0])
	}
	return validationError("%d validation errors detected: %s", len(problems), strings.Join(problems, "; "))
}

func checkLength(member, value string, least, most int) error {
	switch n := utf8.RuneCountInString(value); {
	case n < least:
		return violation(member, "Member must have length greater than or equal to %d", least)
	case n > most:
		return violation(member, "Member must have length less than or equal to %d", most)
	}
	return nil
}

func (p pattern) check(member, value string) error {
	if !p.re.MatchString(value) {
		return violation(member, "Member must satisfy regular expression pattern: %s", p.text)
	}
	return nil
}

// checkName checks a required name.
func (p patterns) checkName(member string, value *string, most int) error {
	if value == nil {
		return violation(member, "Member must not be null")
	}
	if err := checkLength(member, *value, 1, most); err != nil {
		return err
	}
	if !p.name.re.MatchString(*value) {
		return validationError("The specified value for %s is invalid. "+
			"It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
	return nil
}

// checkPath checks an optional path.
func (p patterns) checkPath(member string, value *string) error {
	if value == nil {
		return nil
	}
	if err := checkLength(member, *value, 1, maxPath); err != nil {
		return err
	}
	// Wildcards and variables would change the meaning of the ARN where it is written into a policy.
	if !p.path.re.MatchString(*value) || strings.ContainsAny(*value, "*?$") || strings.Contains(*value, "//") {
		return validationError("The specified value for %s is invalid. "+
			"It must begin and end with / and contain only alphanumeric characters and/or / characters.", member)
	}
	return nil
}

func (p patterns) checkPathPrefix(value *string) error {
	if value == nil {
		return nil
	}
	if err := checkLength("pathPrefix", *value, 1, maxPath); err != nil {
		return err
	}
	if !strings.HasPrefix(*value, "/") {
		return validationError("The specified value for pathPrefix is invalid. " +
			"It must begin with the / character and contain only alphanumeric characters and/or / characters.")
	}
	return nil
}

// checkDescription checks the optional description of a role; that of a policy may have all characters
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html).
func (p patterns) checkDescription(value *string) error {
	if value == nil {
		return nil
	}
	if err := checkLength("description", *value, 0, maxDescription); err != nil {
		return err
	}
	return p.description.check("description", *value)
}

// checkTags checks tags of a request. Keys that differ by case only are refused for every kind of resource: a condition on such
// a tag would have two values (iam.md C6).
func (p patterns) checkTags(tags []types.Tag) ([]tag, error) {
	if len(tags) > maxTags {
		return nil, violation("tags", "Member must have length less than or equal to %d", maxTags)
	}
	seen := make(map[string]bool, len(tags))
	out := make([]tag, len(tags))
	for i, t := range tags {
		member := fmt.Sprintf("tags.%d.member.", i+1)
		if t.Key == nil {
			return nil, violation(member+"key", "Member must not be null")
		}
		if t.Value == nil {
			return nil, violation(member+"value", "Member must not be null")
		}
		out[i] = tag{Key: *t.Key, Value: *t.Value}
		if err := p.checkTag(member, out[i]); err != nil {
			return nil, err
		}
		folded := authz.FoldKey(*t.Key)
		if seen[folded] {
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[folded] = true
	}
	return out, nil
}

// checkCasedTags is checkTags for what has tag keys with case in AWS: all but users and roles
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating). Its text was recorded.
func (p patterns) checkCasedTags(tags []types.Tag) ([]tag, error) {
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		if t.Key != nil && seen[*t.Key] && len(tags) <= maxTags {
			return nil, invalidInput("Duplicate tag keys found.")
		}
		seen[aws.ToString(t.Key)] = true
	}
	return p.checkTags(tags)
}

func (p patterns) checkTag(member string, t tag) error {
	if err := checkLength(member+"key", t.Key, 1, maxTagKey); err != nil {
		return err
	}
	if err := p.tagKey.check(member+"key", t.Key); err != nil {
		return err
	}
	if err := checkLength(member+"value", t.Value, 0, maxTagValue); err != nil {
		return err
	}
	if err := p.tagValue.check(member+"value", t.Value); err != nil {
		return err
	}
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating: the prefix is reserved.
	if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
		return invalidInput("aws: prefixed tag key names are not allowed for external use.")
	}
	return nil
}

func (p patterns) checkTagKeys(keys []string) error {
	if len(keys) > maxTags {
		return violation("tagKeys", "Member must have length less than or equal to %d", maxTags)
	}
	for _, k := range keys {
		if n := utf8.RuneCountInString(k); n < 1 || n > maxTagKey || !p.tagKey.re.MatchString(k) {
			return violation("tagKeys", "Member must satisfy constraint: [Member must have length less than or equal to %d, "+
				"Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: %s, "+
				"Member must not be null]", maxTagKey, p.tagKey.text)
		}
	}
	return nil
}

// checkLatin checks a required text of Latin-1: a password, a key, a certificate.
func (p patterns) checkLatin(member string, text *string, most int) error {
	if text == nil {
		return violation(member, "Member must not be null")
	}
	if err := checkLength(member, *text, 1, most); err != nil {
		return err
	}
	return p.latin.check(member, *text)
}

func checkRange(member string, value *int32, least, most int32) error {
	return violations(rangeProblem(member, value, least, most))
}

func rangeProblem(member string, value *int32, least, most int32) string {
	switch {
	case value == nil:
		return ""
	case *value < least:
		return problem(member, "Member must have value greater than or equal to %d", least)
	case *value > most:
		return problem(member, "Member must have value less than or equal to %d", most)
	}
	return ""
}

// checkDocumentLength is the API model's bound on a policy's text, before whitespace is left out.
func checkDocumentLength(member string, text *string) error {
	if text == nil {
		return violation(member, "Member must not be null")
	}
	return checkLength(member, aws.ToString(text), 1, 131072)
}

// checkDocument parses a policy that is to be saved, or answers as AWS does for one that cannot be.
func checkDocument(text string, k policy.Kind) (*policy.Document, error) {
	doc, problem := policy.Problem([]byte(text), k)
	if problem != "" {
		err := malformedPolicy("%s", problem)
		err.Detail = policy.Locate([]byte(text), k)
		return nil, err
	}
	return doc, nil
}
