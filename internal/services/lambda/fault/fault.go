// Package fault makes the errors of Lambda in AWS's words: codes and statuses of its model, texts recorded from AWS.
package fault

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/licet/licet/internal/awserr"
)

// Denial is the answer to a call that was not permitted. Body and status: lambda.md 2.8.
func Denial(message string) error { return AccessDenied(message) }

func AccessDenied(message string) *awserr.Error {
	return awserr.New("AccessDeniedException", http.StatusForbidden, "%s", message)
}

// New makes an error of the model. Nearly all of them carry the member Type (lambda.md 6.1).
func New(code string, status int, format string, args ...any) *awserr.Error {
	e := awserr.New(code, status, format, args...)
	e.Members = map[string]string{"Type": "User"}
	return e
}

func InvalidParameter(format string, args ...any) error {
	return New("InvalidParameterValueException", http.StatusBadRequest, format, args...)
}

// InvalidParameterUntyped has no member Type, as a few texts were recorded from AWS.
func InvalidParameterUntyped(format string, args ...any) error {
	return awserr.New("InvalidParameterValueException", http.StatusBadRequest, format, args...)
}

func InvalidRequestContent(format string, args ...any) error {
	return New("InvalidRequestContentException", http.StatusBadRequest, format, args...)
}

func NotFound(format string, args ...any) error {
	return New("ResourceNotFoundException", http.StatusNotFound, format, args...)
}

func FunctionNotFound(arn string) error { return NotFound("Function not found: %s", arn) }

func AliasNotFound(arn string) error { return NotFound("Cannot find alias arn: %s", arn) }

func Conflict(format string, args ...any) error {
	return New("ResourceConflictException", http.StatusConflict, format, args...)
}

// UpdateInProgress answers a change that met another one (lambda.md 7.4).
func UpdateInProgress(arn string) error {
	return Conflict("The operation cannot be performed at this time. An update is in progress for resource: %s", arn)
}

// PreconditionFailed names the operation that gives the latest revision (lambda.md 1.3).
func PreconditionFailed(api string) error {
	return New("PreconditionFailedException", http.StatusPreconditionFailed,
		"The Revision Id provided does not match the latest Revision Id. Call the %s API to retrieve the latest Revision Id", api)
}

// EntityTooLarge is the front end's answer; it is not in the model and has no Type.
func EntityTooLarge(format string, args ...any) error {
	return awserr.New("RequestEntityTooLargeException", http.StatusRequestEntityTooLarge, format, args...)
}

// Throttled answers for a limit of concurrency. Text and reasons: lambda.md 7.1. How many seconds AWS asks for is not recorded: a running
// invocation may end at any time.
func Throttled(reason string) error {
	e := New("TooManyRequestsException", http.StatusTooManyRequests, "Rate Exceeded.")
	e.Members["Reason"] = reason
	e.Headers = map[string]string{"Retry-After": "1"}
	return e
}

// NotRestored answers for a Restore phase that failed. Codes, statuses and texts are those of
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors.
func NotRestored(timeout bool) error {
	if timeout {
		return New("SnapStartTimeoutException", http.StatusRequestTimeout, "Lambda couldn't restore the snapshot within the timeout limit.")
	}
	return New("SnapStartException", http.StatusBadRequest,
		"The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs.")
}

// CannotAssume has the text by which SDKs and Terraform know to try again (lambda.md 3.1).
func CannotAssume() error {
	return InvalidParameter("The role defined for the function cannot be assumed by Lambda.")
}

// crossAccountRole: lambda.md 3.1.
func CrossAccountRole() error { return AccessDenied("Cross-account pass role is not allowed.") }

// NotImplemented refuses a member, or a value of one, that would otherwise be ignored silently.
func NotImplemented(operation, what string) error {
	return awserr.New("NotImplemented", http.StatusNotImplemented,
		"licet does not implement %s of the operation %s of lambda.", what, operation)
}

// Validation joins violations of the model's constraints as AWS does. It is not in the model and has no Type (lambda.md 6.1).
func Validation(violations []string) error {
	count := "1 validation error"
	if n := len(violations); n > 1 {
		count = strconv.Itoa(n) + " validation errors"
	}
	return awserr.New("ValidationException", http.StatusBadRequest, "%s detected: %s", count, strings.Join(violations, "; "))
}
