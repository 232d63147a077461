package execution

import (
	"errors"
	"fmt"
)

// ErrThrottled says that an invocation was refused because of a limit; nothing ran. It is used as a value:
//
//	var throttled execution.ErrThrottled
//	if errors.As(err, &throttled) { … }
type ErrThrottled struct {
	// Reason as in TooManyRequestsException: "ConcurrentInvocationLimitExceeded", "FunctionInvocationRateLimitExceeded", or one of these
	// with Reserved before Function or Concurrent: "ReservedFunctionConcurrentInvocationLimitExceeded".
	Reason string
}

func (e ErrThrottled) Error() string { return "invocation throttled: " + e.Reason }

// ErrRole says that Lambda could not assume the execution role; nothing ran. Credentials returns it (lambda.md 3.1), Invoke
// passes it on in its chain. It is used as a value, like ErrThrottled.
type ErrRole struct {
	// Role is the execution role's ARN.
	Role string
	// Err says why, for the log.
	Err error
}

func (e ErrRole) Error() string { return fmt.Sprintf("assume execution role %s: %v", e.Role, e.Err) }

// Unwrap gives the reason.
func (e ErrRole) Unwrap() error { return e.Err }

// ErrSnapStart says that an environment could not be restored from its snapshot; the function did not run, its log says why. It is used as
// a value, like ErrThrottled.
type ErrSnapStart struct {
	// Timeout says that the Restore phase took too long; otherwise the runtime, or a hook of the function, failed in it.
	Timeout bool
}

func (e ErrSnapStart) Error() string { return "restore environment: " + e.Code() }

// Code is what AWS calls the error (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors).
func (e ErrSnapStart) Code() string {
	if e.Timeout {
		return "SnapStartTimeoutException"
	}
	return "SnapStartException"
}

// ErrClosed says that the manager is shutting down: the invocation did not run, or was cut short.
var ErrClosed = errors.New("execution: shutting down")
