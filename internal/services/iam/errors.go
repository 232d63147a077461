package iam

import (
	"net/http"
	"strings"

	"github.com/licet/licet/internal/awserr"
)

// The codes and statuses are those of https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and of each
// operation's page; the texts were recorded from AWS unless a comment says otherwise.

func accessDenied(message string) error {
	return awserr.New("AccessDenied", http.StatusForbidden, "%s", message)
}

// invalidToken answers session credentials without MFA of a user, which may not call IAM.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
func invalidToken() error {
	return awserr.New("InvalidClientTokenId", http.StatusForbidden, "The security token included in the request is invalid.")
}

func noSuchEntity(format string, args ...any) error {
	return awserr.New("NoSuchEntity", http.StatusNotFound, format, args...)
}

func noSuchIdentity(k kind, name string) error {
	if k == profileKind {
		return noSuchEntity("Instance Profile %s cannot be found.", name)
	}
	return noSuchEntity("The %s with name %s cannot be found.", k, name)
}

func noSuchPolicy(arn string) error {
	return noSuchEntity("Policy %s does not exist or is not attachable.", arn)
}

// policyNotFound is the text of operations on what a policy has (tags, attachments) instead of on its documents.
func policyNotFound(arn string) error { return noSuchEntity("Policy %s was not found.", arn) }

func noSuchVersion(arn, version string) error {
	return noSuchEntity("Policy %s version %s does not exist or is not attachable.", arn, version)
}

const alreadyExistsCode = "EntityAlreadyExists"

func alreadyExists(format string, args ...any) error {
	return awserr.New(alreadyExistsCode, http.StatusConflict, format, args...)
}

func identityExists(k kind, name string) error {
	if k == profileKind {
		return alreadyExists("Instance Profile %s already exists.", name)
	}
	word := string(k)
	return alreadyExists("%s%s with name %s already exists.", strings.ToUpper(word[:1]), word[1:], name)
}

// policyNotAttachable has the text of roles; that of users and groups is not known.
func policyNotAttachable(to kind) error {
	word := string(to)
	return awserr.New("PolicyNotAttachable", http.StatusBadRequest,
		"Cannot attach a Service Role Policy to a Customer %s%s.", strings.ToUpper(word[:1]), word[1:])
}

func deleteConflict(message string) error {
	return awserr.New("DeleteConflict", http.StatusConflict, "%s", message)
}

func limitExceeded(format string, args ...any) error {
	return awserr.New("LimitExceeded", http.StatusConflict, format, args...)
}

func quotaExceeded(quota string, limit int) error {
	return limitExceeded("Cannot exceed quota for %s: %d", quota, limit)
}

func malformedPolicy(format string, args ...any) *awserr.Error {
	return awserr.New("MalformedPolicyDocument", http.StatusBadRequest, format, args...)
}

func validationError(format string, args ...any) error {
	return awserr.New("ValidationError", http.StatusBadRequest, format, args...)
}

func invalidInput(format string, args ...any) *awserr.Error {
	return awserr.New("InvalidInput", http.StatusBadRequest, format, args...)
}

func noUserName() error {
	return validationError("Must specify userName when calling with non-User credentials")
}

// protectedRole guards the paths of roles that only AWS makes and changes (iam.md T8). The text is from third-party logs.
func protectedRole(name string) error {
	return awserr.New("UnmodifiableEntity", http.StatusBadRequest, "%s", protectedText(name))
}

func protectedText(name string) string {
	return "Cannot perform the operation on the protected role '" + name + "' - this role is only modifiable by AWS"
}

// featureEnabled and featureDisabled have the texts of
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableOutboundWebIdentityFederation.html#API_EnableOutboundWebIdentityFederation_Errors
// and of its counterparts.
func featureEnabled() error {
	return awserr.New("FeatureEnabled", http.StatusConflict,
		"The request failed because outbound identity federation is already enabled for your AWS account.")
}

func featureDisabled() error {
	return awserr.New("FeatureDisabled", http.StatusNotFound,
		"The request failed because outbound identity federation is already disabled for your AWS account.")
}

// The errors of centralized root access; the texts are ours.

func organizationNotFound() error {
	return awserr.New("OrganizationNotFoundException", http.StatusBadRequest, "No organization is associated with your account.")
}

func organizationNotInAllFeaturesMode() error {
	return awserr.New("OrganizationNotInAllFeaturesModeException", http.StatusBadRequest,
		"Your organization does not have all features enabled.")
}

func accountNotManagementOrDelegatedAdministrator() error {
	return awserr.New("AccountNotManagementOrDelegatedAdministratorException", http.StatusBadRequest,
		"The account making the request is not the management account or delegated administrator account for centralized root access.")
}

func callerIsNotManagementAccount() error {
	return awserr.New("CallerIsNotManagementAccountException", http.StatusBadRequest,
		"The account making the request is not the management account for the organization.")
}

func serviceAccessNotEnabled() error {
	return awserr.New("ServiceAccessNotEnabledException", http.StatusBadRequest,
		"Trusted access is not enabled for IAM in AWS Organizations.")
}
