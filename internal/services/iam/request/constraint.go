package request

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
)

// Limits of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (iam.md L1–L3), at their default values.
const (
	MaxUserName    = 64
	MaxRoleName    = 64
	MaxGroupName   = 128
	MaxPolicyName  = 128
	MaxProfile     = 128
	MaxARN         = 2048
	maxPath        = 512
	MaxDescription = 1000
	maxTags        = 50
	maxTagKey      = 128
	maxTagValue    = 256
	MaxPageSize    = 1000

	MaxUsers         = 5000
	MaxGroups        = 300
	MaxRoles         = 1000
	MaxPolicies      = 1500
	MaxGroupsPerUser = 10
	MaxAccessKeys    = 2
	MaxMFADevices    = 8
	MaxSSHPublicKeys = 5
	// maxServiceCredentials is for each service.
	MaxServiceCredentials    = 2
	MaxSigningCertificates   = 2
	MaxServerCertificates    = 20
	MaxServerCertificateName = 128
	MaxAttachedPolicies      = 10
	MaxPolicyVersions        = 5
	MaxProfiles              = 1000
	MaxRolesPerProfile       = 1

	// maxSerialNumber is that of the API model (EnableMFADevice).
	MaxSerialNumber = 256

	// maxCertificateBody is that of the API model on a text in PEM (UploadSigningCertificate, UploadServerCertificate, UploadSSHPublicKey).
	MaxCertificateBody = 16384

	MinSessionSeconds = 3600
	MaxSessionSeconds = 43200
)

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

// Patterns are immutable after New.
type Patterns struct {
	Name, path, tagKey, tagValue, description, VersionID, AccessKeyID pattern
	SerialNumber, Digits, latin, AccountAlias, ServiceName, SAMLName  pattern
	EntityPath, OrganizationsPolicyID                                 pattern
}

// NewPatterns compiles the patterns.
func NewPatterns() Patterns {
	return Patterns{
		Name:        newPattern(`[\w+=,.@-]+`),
		path:        newPattern(`/|/[\x21-\x7e]+/`),
		tagKey:      newPattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]+`),
		tagValue:    newPattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`),
		description: newPattern(`[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`),
		VersionID:   newPattern(`v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`),
		AccessKeyID: newPattern(`[\w]+`),
		SAMLName:    newPattern(`[\w._-]+`),

		SerialNumber: newPattern(`[\w+=/:,.@-]+`),
		Digits:       newPattern(`[\d]+`),
		ServiceName:  newPattern(`[\w.-]+`),
		latin:        newPattern(`[\u0009\u000A\u000D\u0020-\u00FF]+`),

		EntityPath:            newPattern(`^o-[0-9a-z]{10,32}\/r-[0-9a-z]{4,32}[0-9a-z-\/]*`),
		OrganizationsPolicyID: newPattern(`^p-[0-9a-zA-Z_]{8,128}$`),
		// Go has no look-ahead.
		AccountAlias: pattern{`^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`, regexp.MustCompile(`^[a-z0-9](?:-?[a-z0-9])*$`)},
	}
}

// Violation is AWS's answer to a member that breaks its model. IAM leaves out the value.
func Violation(member, format string, args ...any) error {
	return Violations(problem(member, format, args...))
}

// problem is what violation says of one member.
func problem(member, format string, args ...any) string {
	return fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", member, fmt.Sprintf(format, args...))
}

// Violations is AWS's answer to members that break its model; problems that are "" are none.
func Violations(problems ...string) error {
	problems = slices.DeleteFunc(problems, func(p string) bool { return p == "" })
	switch len(problems) {
	case 0:
		return nil
	case 1:
		return ValidationError("1 validation error detected: %s", problems[0])
	}
	return ValidationError("%d validation errors detected: %s", len(problems), strings.Join(problems, "; "))
}

// CheckLength checks how many characters a member has.
func CheckLength(member, value string, least, most int) error {
	switch n := utf8.RuneCountInString(value); {
	case n < least:
		return Violation(member, "Member must have length greater than or equal to %d", least)
	case n > most:
		return Violation(member, "Member must have length less than or equal to %d", most)
	}
	return nil
}

// Check holds a member against the pattern.
func (p pattern) Check(member, value string) error {
	if !p.re.MatchString(value) {
		return Violation(member, "Member must satisfy regular expression pattern: %s", p.text)
	}
	return nil
}

// CheckName checks a required name.
func (p Patterns) CheckName(member string, value *string, most int) error {
	if value == nil {
		return Violation(member, "Member must not be null")
	}
	if err := CheckLength(member, *value, 1, most); err != nil {
		return err
	}
	if !p.Name.re.MatchString(*value) {
		return ValidationError("The specified value for %s is invalid. "+
			"It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
	return nil
}

// CheckPath checks an optional path.
func (p Patterns) CheckPath(member string, value *string) error {
	if value == nil {
		return nil
	}
	if err := CheckLength(member, *value, 1, maxPath); err != nil {
		return err
	}
	// Wildcards and variables would change the meaning of the ARN where it is written into a policy.
	if !p.path.re.MatchString(*value) || strings.ContainsAny(*value, "*?$") || strings.Contains(*value, "//") {
		return ValidationError("The specified value for %s is invalid. "+
			"It must begin and end with / and contain only alphanumeric characters and/or / characters.", member)
	}
	return nil
}

// CheckPathPrefix checks an optional prefix of paths.
func (p Patterns) CheckPathPrefix(value *string) error {
	if value == nil {
		return nil
	}
	if err := CheckLength("pathPrefix", *value, 1, maxPath); err != nil {
		return err
	}
	if !strings.HasPrefix(*value, "/") {
		return ValidationError("The specified value for pathPrefix is invalid. " +
			"It must begin with the / character and contain only alphanumeric characters and/or / characters.")
	}
	return nil
}

// CheckDescription checks the optional description of a role; that of a policy may have all characters
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html).
func (p Patterns) CheckDescription(value *string) error {
	if value == nil {
		return nil
	}
	if err := CheckLength("description", *value, 0, MaxDescription); err != nil {
		return err
	}
	return p.description.Check("description", *value)
}

// CheckTags checks tags of a request. Keys that differ by case only are refused for every kind of resource: a condition on such
// a tag would have two values (iam.md C6).
func (p Patterns) CheckTags(tags []types.Tag) ([]Tag, error) {
	if len(tags) > maxTags {
		return nil, Violation("tags", "Member must have length less than or equal to %d", maxTags)
	}
	seen := make(map[string]bool, len(tags))
	out := make([]Tag, len(tags))
	for i, t := range tags {
		member := fmt.Sprintf("tags.%d.member.", i+1)
		if t.Key == nil {
			return nil, Violation(member+"key", "Member must not be null")
		}
		if t.Value == nil {
			return nil, Violation(member+"value", "Member must not be null")
		}
		out[i] = Tag{Key: *t.Key, Value: *t.Value}
		if err := p.checkTag(member, out[i]); err != nil {
			return nil, err
		}
		folded := authz.FoldKey(*t.Key)
		if seen[folded] {
			return nil, InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[folded] = true
	}
	return out, nil
}

// CheckCasedTags is CheckTags for what has tag keys with case in AWS: all but users and roles
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating). Its text was recorded.
func (p Patterns) CheckCasedTags(tags []types.Tag) ([]Tag, error) {
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		if t.Key != nil && seen[*t.Key] && len(tags) <= maxTags {
			return nil, InvalidInput("Duplicate tag keys found.")
		}
		seen[aws.ToString(t.Key)] = true
	}
	return p.CheckTags(tags)
}

func (p Patterns) checkTag(member string, t Tag) error {
	if err := CheckLength(member+"key", t.Key, 1, maxTagKey); err != nil {
		return err
	}
	if err := p.tagKey.Check(member+"key", t.Key); err != nil {
		return err
	}
	if err := CheckLength(member+"value", t.Value, 0, maxTagValue); err != nil {
		return err
	}
	if err := p.tagValue.Check(member+"value", t.Value); err != nil {
		return err
	}
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating: the prefix is reserved.
	if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
		return InvalidInput("aws: prefixed tag key names are not allowed for external use.")
	}
	return nil
}

// CheckTagKeys checks the keys of tags that a request removes.
func (p Patterns) CheckTagKeys(keys []string) error {
	if len(keys) > maxTags {
		return Violation("tagKeys", "Member must have length less than or equal to %d", maxTags)
	}
	for _, k := range keys {
		if n := utf8.RuneCountInString(k); n < 1 || n > maxTagKey || !p.tagKey.re.MatchString(k) {
			return Violation("tagKeys", "Member must satisfy constraint: [Member must have length less than or equal to %d, "+
				"Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: %s, "+
				"Member must not be null]", maxTagKey, p.tagKey.text)
		}
	}
	return nil
}

// CheckLatin checks a required text of Latin-1: a password, a key, a certificate.
func (p Patterns) CheckLatin(member string, text *string, most int) error {
	if text == nil {
		return Violation(member, "Member must not be null")
	}
	if err := CheckLength(member, *text, 1, most); err != nil {
		return err
	}
	return p.latin.Check(member, *text)
}

// CheckRange checks an optional number.
func CheckRange(member string, value *int32, least, most int32) error {
	return Violations(RangeProblem(member, value, least, most))
}

// RangeProblem is what CheckRange says; "" when the number is good.
func RangeProblem(member string, value *int32, least, most int32) string {
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
