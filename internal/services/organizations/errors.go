package organizations

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/internal/awserr"
)

// Codes and reasons are those of the SDK's model; every error of the client has status 400. The texts are those that error reports of
// clients (Terraform's among them) and moto show, where we found any, and else of the model's own words, unless a comment says that they
// are ours.

func failure(code, message string) error {
	return awserr.New(code, http.StatusBadRequest, "%s", message)
}

func withReason(code, reason, message string) error {
	e := awserr.New(code, http.StatusBadRequest, "%s", message)
	e.Members = map[string]string{"Reason": reason}
	return e
}

func accessDenied(message string) error { return failure("AccessDeniedException", message) }

// noSay answers a caller whose account has no say in the organization.
func noSay() error { return accessDenied("You don't have permissions to access this resource.") }

func notInUse() error {
	return failure("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
}

func alreadyInOrganization() error {
	return failure("AlreadyInOrganizationException", "The AWS account is already a member of an organization.")
}

func organizationNotEmpty() error {
	return failure("OrganizationNotEmptyException", "To delete an organization you must first remove all member accounts (except the master).")
}

func accountNotFound() error {
	return failure("AccountNotFoundException", "You specified an account that doesn't exist.")
}

func accountAlreadyClosed() error {
	return failure("AccountAlreadyClosedException", "The provided account is already closed.")
}

func requestNotFound() error {
	return failure("CreateAccountStatusNotFoundException", "You specified a create account request that doesn't exist.")
}

func rootNotFound() error {
	return failure("RootNotFoundException", "You specified a root that doesn't exist.")
}

func unitNotFound() error {
	return failure("OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist.")
}

func unitExists() error {
	return failure("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")
}

func unitNotEmpty() error {
	return failure("OrganizationalUnitNotEmptyException",
		"The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.")
}

func parentNotFound() error {
	return failure("ParentNotFoundException", "You specified parent that doesn't exist.")
}

func sourceNotFound() error {
	return failure("SourceParentNotFoundException", "You specified a source parent that doesn't exist.") // our text
}

func destinationNotFound() error {
	return failure("DestinationParentNotFoundException", "You specified a destination parent that doesn't exist.") // our text
}

func duplicateAccount() error {
	return failure("DuplicateAccountException", "The account is already in the destination parent.") // our text
}

func childNotFound() error {
	return failure("ChildNotFoundException", "You specified a child that doesn't exist.")
}

func targetNotFound() error {
	return failure("TargetNotFoundException", "You specified a target that doesn't exist.")
}

func policyNotFound() error {
	return failure("PolicyNotFoundException", "You specified a policy that doesn't exist.")
}

func policyExists() error {
	return failure("DuplicatePolicyException", "A policy with the same name already exists.")
}

func policyInUse() error {
	return failure("PolicyInUseException",
		"The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.")
}

func policyAttached() error {
	return failure("DuplicatePolicyAttachmentException", "A policy with the specified name and type already exists.")
}

func policyNotAttached() error {
	return failure("PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root.")
}

// malformedPolicy has one text for all that can be wrong; where it is goes to the decision log.
func malformedPolicy(where string) error {
	e := awserr.New("MalformedPolicyDocumentException", http.StatusBadRequest,
		"The provided policy document does not meet the requirements of the specified policy type.")
	e.Detail = where
	return e
}

func resourcePolicyNotFound() error {
	return failure("ResourcePolicyNotFoundException", "We can't find a resource policy for the organization.") // our text
}

func typeEnabled() error {
	return failure("PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled.")
}

func typeNotEnabled() error {
	return failure("PolicyTypeNotEnabledException", "This operation can be performed only for enabled policy types.")
}

func typeNotAvailable() error {
	return failure("PolicyTypeNotAvailableForOrganizationException",
		"You can't use the specified policy type with the feature set currently enabled for this organization.") // our text
}

func masterCannotLeave() error {
	return failure("MasterCannotLeaveOrganizationException",
		"You can't remove a management account from an organization. If you want the management account to become a member account in "+
			"another organization, you must first delete the current organization of the management account.")
}

func handshakeNotFound() error {
	return failure("HandshakeNotFoundException", "We can't find a handshake with the HandshakeId that you specified.")
}

func handshakeExists() error {
	return failure("DuplicateHandshakeException",
		"A handshake with the same action and target already exists.") // our text
}

func alreadyInState(state types.HandshakeState) error {
	return failure("HandshakeAlreadyInStateException", "The specified handshake is already in the state "+string(state)+".") // our text
}

func invalidTransition(state types.HandshakeState) error {
	return failure("InvalidHandshakeTransitionException", "The specified handshake is in the state "+string(state)+".") // our text
}

func handshakeConstraint(reason types.HandshakeConstraintViolationExceptionReason, message string) error {
	return withReason("HandshakeConstraintViolationException", string(reason), message)
}

func accountNotRegistered() error {
	return failure("AccountNotRegisteredException",
		"The provided account is not a registered delegated administrator for your organization.")
}

func accountRegistered() error {
	return failure("AccountAlreadyRegisteredException",
		"The provided account is already a delegated administrator for your organization.")
}

func constraint(reason types.ConstraintViolationExceptionReason, message string) error {
	return withReason("ConstraintViolationException", string(reason), message)
}

func invalidInput(reason types.InvalidInputExceptionReason, message string) error {
	return withReason("InvalidInputException", string(reason), message)
}

func patternMismatch() error {
	return invalidInput(types.InvalidInputExceptionReasonInvalidPattern, "You provided a value that does not match the required pattern.")
}

// notImplemented answers for a value of an enumeration that licet does not have.
func notImplemented(what string) error {
	return awserr.New("NotImplemented", http.StatusNotImplemented, "licet does not implement %s of Organizations.", what)
}
