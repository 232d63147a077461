package lambda

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/licet/licet/internal/awserr"
)

// denial is the answer to a call that was not permitted. Body and status: lambda.md 2.8.
func denial(message string) error { return accessDenied(message) }

func accessDenied(message string) *awserr.Error {
	return awserr.New("AccessDeniedException", http.StatusForbidden, "%s", message)
}

// userError makes an error of the model. Nearly all of them carry the member Type (lambda.md 6.1).
func userError(code string, status int, format string, args ...any) *awserr.Error {
	e := awserr.New(code, status, format, args...)
	e.Members = map[string]string{"Type": "User"}
	return e
}

func invalidParameter(format string, args ...any) error {
	return userError("InvalidParameterValueException", http.StatusBadRequest, format, args...)
}

func invalidRequestContent(format string, args ...any) error {
	return userError("InvalidRequestContentException", http.StatusBadRequest, format, args...)
}

func notFound(format string, args ...any) error {
	return userError("ResourceNotFoundException", http.StatusNotFound, format, args...)
}

func functionNotFound(arn string) error { return notFound("Function not found: %s", arn) }

func conflict(format string, args ...any) error {
	return userError("ResourceConflictException", http.StatusConflict, format, args...)
}

// preconditionFailed names the operation that gives the latest revision (lambda.md 1.3).
func preconditionFailed(api string) error {
	return userError("PreconditionFailedException", http.StatusPreconditionFailed,
		"The Revision Id provided does not match the latest Revision Id. Call the %s API to retrieve the latest Revision Id", api)
}

// entityTooLarge is the front end's answer; it is not in the model and has no Type.
func entityTooLarge(format string, args ...any) error {
	return awserr.New("RequestEntityTooLargeException", http.StatusRequestEntityTooLarge, format, args...)
}

// throttled answers for a limit of concurrency. Text and reasons: lambda.md 7.1.
func throttled(reason string) error {
	e := userError("TooManyRequestsException", http.StatusTooManyRequests, "Rate Exceeded.")
	e.Members["Reason"] = reason
	return e
}

// cannotAssume has the text by which SDKs and Terraform know to try again (lambda.md 3.1).
func cannotAssume() error {
	return invalidParameter("The role defined for the function cannot be assumed by Lambda.")
}

// crossAccountRole: lambda.md 3.1.
func crossAccountRole() error { return accessDenied("Cross-account pass role is not allowed.") }

// notImplemented refuses a member, or a value of one, that would otherwise be ignored silently.
func notImplemented(operation, what string) error {
	return awserr.New("NotImplemented", http.StatusNotImplemented,
		"licet does not implement %s of the operation %s of lambda.", what, operation)
}

// validationFailed joins violations of the model's constraints as AWS does. It is not in the model and has no Type (lambda.md 6.1).
func validationFailed(violations []string) error {
	count := "1 validation error"
	if n := len(violations); n > 1 {
		count = strconv.Itoa(n) + " validation errors"
	}
	return awserr.New("ValidationException", http.StatusBadRequest, "%s detected: %s", count, strings.Join(violations, "; "))
}
