package sts

import (
	"fmt"
	"net/http"

	"github.com/licet/licet/internal/awserr"
)

// Codes and statuses: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors and
// CommonErrors.

func accessDenied(message string) error {
	return awserr.New("AccessDenied", http.StatusForbidden, "%s", message)
}

// invalidToken answers session credentials without MFA of a user, which may call AssumeRole and GetCallerIdentity only.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
func invalidToken() error {
	return awserr.New("InvalidClientTokenId", http.StatusForbidden, "The security token included in the request is invalid.")
}

func validationError(format string, args ...any) error {
	return awserr.New("ValidationError", http.StatusBadRequest, format, args...)
}

// violation is AWS's answer to a member that breaks its model. STS shows the value.
func violation(member, value, format string, args ...any) error {
	return validationError("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s",
		value, member, fmt.Sprintf(format, args...))
}

func missingMember(member string) error {
	return validationError("1 validation error detected: Value null at '%s' failed to satisfy constraint: "+
		"Member must not be null", member)
}

func invalidParameter(format string, args ...any) error {
	return awserr.New("InvalidParameterValue", http.StatusBadRequest, format, args...)
}

// notAuthorized denies callers who hold but a provider's token: they are told no more than that.
func notAuthorized(action string) error { return accessDenied("Not authorized to perform " + action) }

func invalidIdentityToken(format string, args ...any) *awserr.Error {
	return awserr.New("InvalidIdentityToken", http.StatusBadRequest, format, args...)
}

func expiredToken(format string, args ...any) *awserr.Error {
	return awserr.New("ExpiredTokenException", http.StatusBadRequest, format, args...)
}

// idpCommunicationError and idpRejectedClaim have the texts of
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors.
func idpCommunicationError() *awserr.Error {
	return awserr.New("IDPCommunicationError", http.StatusBadRequest,
		"The request could not be fulfilled because the identity provider (IDP) that was asked to verify the incoming identity token could not be reached.")
}

func idpRejectedClaim() *awserr.Error {
	return awserr.New("IDPRejectedClaim", http.StatusForbidden, "The identity provider (IdP) reported that authentication failed.")
}

// invalidAuthorizationMessage answers whatever message was not made here, is about another account, or has left the decision log.
func invalidAuthorizationMessage() error {
	return awserr.New("InvalidAuthorizationMessageException", http.StatusBadRequest, "Message is not valid")
}

// outboundDisabled and durationEscalation have the texts of
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html#API_GetWebIdentityToken_Errors.
func outboundDisabled() error {
	return awserr.New("OutboundWebIdentityFederationDisabledException", http.StatusForbidden,
		"The outbound web identity federation feature is not enabled for this account.")
}

func durationEscalation() error {
	return awserr.New("SessionDurationEscalationException", http.StatusForbidden,
		"The requested token duration would extend the session beyond its original expiration time.")
}

func malformedPolicy(message string) *awserr.Error {
	return awserr.New("MalformedPolicyDocument", http.StatusBadRequest, "%s", message)
}

// packedPolicyTooLarge has the one text that was seen in logs, whatever takes the space.
func packedPolicyTooLarge(percent int) error {
	return awserr.New("PackedPolicyTooLarge", http.StatusBadRequest,
		"Packed size of session tags consumes %d%% of allotted space.", percent)
}

// notImplemented refuses a member that would be ignored otherwise.
func notImplemented(member, operation string) error {
	return awserr.New("NotImplemented", http.StatusNotImplemented,
		"licet does not implement the member %s of %s.", member, operation)
}

// The texts about MFA are from logs of AWS's clients.

func invalidMFA() error {
	return accessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
}

func wrongMFADevice() error {
	return accessDenied("MultiFactorAuthentication failed, unable to validate MFA code.  " +
		"Please verify your MFA serial number is valid and associated with this user.")
}

func incompleteMFA() error {
	return accessDenied("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
}
