package simulator

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
)

// exclusions are the policies that a simulation leaves out.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyIdentifier.html
type exclusions struct {
	inline, awsManaged, userManaged, boundary, scp bool
	// managed are friendly names of managed policies, with wildcards: a path does not count (recorded).
	managed []managedExclusion
	named   []types.InlinePolicyIdentifierType
}

type managedExclusion struct{ account, name string }

func newExclusions(list []types.PolicyIdentifier) (exclusions, error) {
	var x exclusions
	for _, id := range list {
		var err error
		switch id := id.(type) {
		case *types.PolicyIdentifierMemberPolicyType:
			err = x.addType(id.Value)
		case *types.PolicyIdentifierMemberPolicyArn:
			err = x.addARN(id.Value)
		case *types.PolicyIdentifierMemberInlinePolicyIdentifier:
			err = x.addInline(id.Value)
		}
		if err != nil {
			return exclusions{}, err
		}
	}
	return x, nil
}

func (x *exclusions) addType(t types.PolicyIdentifierPolicyType) error {
	switch t {
	case types.PolicyIdentifierPolicyTypeInline:
		x.inline = true
	case types.PolicyIdentifierPolicyTypeAwsManaged:
		x.awsManaged = true
	case types.PolicyIdentifierPolicyTypeUserManaged:
		x.userManaged = true
	case types.PolicyIdentifierPolicyTypePermissionBoundary:
		x.boundary = true
	case types.PolicyIdentifierPolicyTypeScp:
		x.scp = true
	case types.PolicyIdentifierPolicyTypeRcp: // ignored: no simulation has any
	default:
		return request.Violation("policyExclusionList",
			"Member must satisfy enum value set: [inline, aws-managed, user-managed, permission-boundary, scp, rcp]")
	}
	return nil
}

// addARN takes the ARN of a managed policy, with wildcards in the name alone. AWS's texts are not known.
func (x *exclusions) addARN(text string) error {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "policy/") {
		return request.InvalidInput("Invalid policy identifier: %s is not the ARN of a managed policy.", text)
	}
	path, name := record.PolicyPathAndName(text)
	if name == "" || strings.ContainsAny(a.AccountID+path, "*?") || strings.Count(name, "*") > 1 {
		return request.InvalidInput("Invalid policy identifier: %s has a wildcard where none may be.", text)
	}
	x.managed = append(x.managed, managedExclusion{a.AccountID, name})
	return nil
}

func (x *exclusions) addInline(id types.InlinePolicyIdentifierType) error {
	owner := aws.ToString(id.AttachmentName)
	switch {
	case aws.ToString(id.PolicyName) == "" || owner == "":
		return request.InvalidInput("Invalid policy identifier: an inline policy has a name and an owner.")
	case strings.Count(owner, "*") > 1 || strings.ContainsAny(*id.PolicyName, "*?"):
		return request.InvalidInput("Invalid policy identifier: %s of %s has a wildcard where none may be.", *id.PolicyName, owner)
	case id.AttachmentType != types.AttachmentTypeUser && id.AttachmentType != types.AttachmentTypeGroup &&
		id.AttachmentType != types.AttachmentTypeRole:
		return request.Violation("policyExclusionList", "Member must satisfy enum value set: [user, group, role]")
	}
	x.named = append(x.named, id)
	return nil
}

// has tells whether a policy is left out.
func (x *exclusions) has(s directory.Source) bool {
	if s.Inline != "" {
		for _, id := range x.named {
			if *id.PolicyName == s.Inline && string(id.AttachmentType) == string(s.Owner.Kind) && matchesName(*id.AttachmentName, s.Owner.Name) {
				return true
			}
		}
		return x.inline
	}
	a, err := arn.Parse(s.Policy.ARN)
	if err != nil {
		return false
	}
	for _, m := range x.managed {
		if _, name := record.PolicyPathAndName(s.Policy.ARN); m.account == a.AccountID && matchesName(m.name, name) {
			return true
		}
	}
	return a.AccountID == record.AWSAccount && x.awsManaged || a.AccountID != record.AWSAccount && x.userManaged
}

// matchesName compares a name with a pattern that has one "*" at most.
func matchesName(pattern, name string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return sameButFor(pattern, name)
	}
	return len(name) >= len(before)+len(after) && sameButFor(before, name[:len(before)]) && sameButFor(after, name[len(name)-len(after):])
}

// sameButFor compares texts of which the first may have "?" for any character.
func sameButFor(pattern, name string) bool {
	if len(pattern) != len(name) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] != '?' && pattern[i] != name[i] {
			return false
		}
	}
	return true
}
