package iam

import (
	"net/http"
	"strings"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
)

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

func noSuchVersion(arn, version string) error {
	return request.NoSuchEntity("Policy %s version %s does not exist or is not attachable.", arn, version)
}

func malformedPolicy(format string, args ...any) *awserr.Error {
	return awserr.New("MalformedPolicyDocument", http.StatusBadRequest, format, args...)
}

// policyNotAttachable has the text of roles; that of users and groups is not known.
func policyNotAttachable(to record.Kind) error {
	word := string(to)
	return awserr.New("PolicyNotAttachable", http.StatusBadRequest,
		"Cannot attach a Service Role Policy to a Customer %s%s.", strings.ToUpper(word[:1]), word[1:])
}
