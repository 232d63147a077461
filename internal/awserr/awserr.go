// Package awserr is the one error type that may reach a client.
//
// A service makes its own errors in one place, with AWS's code, HTTP status and text; a protocol codec writes them in its own
// shape. Every other error becomes InternalFailure at the edge, its text only in the log. Values are immutable after they are
// made and safe to share.
package awserr

import (
	"fmt"
	"net/http"
)

// Error is an AWS API error: what the client sees, and a cause that it does not see.
type Error struct {
	// Code is AWS's error code without namespace, such as "ResourceNotFoundException".
	Code string
	// Status is the HTTP status.
	Status int
	// Message is the text for the client. Empty means the member is sent as null, as AWS does in a few places.
	Message string
	// Members are further modelled members of the error shape by wire name, such as Type or Reason.
	Members map[string]string
	// Headers are further response headers, such as Retry-After.
	Headers map[string]string
	// Detail is for the decision log, where `licet explain` finds it; it is not sent.
	Detail string
	// Cause goes to the log and never to the client.
	Cause error
}

// New makes an error with a formatted message.
func New(code string, status int, format string, args ...any) *Error {
	return &Error{Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

// Error gives code and message, for logs.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Cause)
	}
	return e.Code + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Sender reports whether the client is at fault (query protocol's Type Sender against Receiver).
func (e *Error) Sender() bool { return e.Status < 500 }

// Fault is "Sender" or "Receiver", as the query protocol says whose fault an error is.
func (e *Error) Fault() string {
	if e.Sender() {
		return "Sender"
	}
	return "Receiver"
}

// Internal wraps a failure of the server. The client learns nothing of cause.
// Code and status: https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html (InternalFailure, 500).
func Internal(cause error) *Error {
	return &Error{
		Code: "InternalFailure", Status: http.StatusInternalServerError, Cause: cause,
		Message: "The request processing has failed because of an unknown error, exception or failure.",
	}
}

// NotImplemented answers for an operation of AWS that licet does not have.
func NotImplemented(service, operation string) *Error {
	return New("NotImplemented", http.StatusNotImplemented, "licet does not implement the operation %s of %s.", operation, service)
}
