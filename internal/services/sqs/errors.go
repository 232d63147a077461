package sqs

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/services/sqs/queue"
)

// Codes are those of the JSON protocol; the codecs know the older ones. Texts were recorded from AWS by third parties
// (localstack/localstack, tests/aws/services/sqs) unless a comment says otherwise; statuses are those of the model's trait awsQueryError.

var action = regexp.MustCompile(`\bsqs:[A-Z][A-Za-z]+`)

// accessDenied words a denial as SQS does, with the action in lower case ("is not authorized to perform: sqs:sendmessage on resource").
func accessDenied(message string) error {
	return awserr.New("AccessDeniedException", http.StatusForbidden, "%s", action.ReplaceAllStringFunc(message, strings.ToLower))
}

func noQueue() error {
	return awserr.New("QueueDoesNotExist", http.StatusBadRequest, "The specified queue does not exist.")
}

func invalidValue(format string, args ...any) *awserr.Error {
	return awserr.New("InvalidParameterValueException", http.StatusBadRequest, format, args...)
}

// badValue is about the value of one parameter.
func badValue(value any, parameter, reason string) *awserr.Error {
	return invalidValue("Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

func missing(parameter string) *awserr.Error {
	return awserr.New("MissingRequiredParameterException", http.StatusBadRequest, "The request must contain the parameter %s.", parameter)
}

func unknownAttribute(name string) error {
	return awserr.New("InvalidAttributeName", http.StatusBadRequest, "Unknown Attribute %s.", name)
}

func badAttribute(name string) error {
	return awserr.New("InvalidAttributeValue", http.StatusBadRequest, "Invalid value for the parameter %s.", name)
}

func badAttributeBecause(name, reason string) error {
	return awserr.New("InvalidAttributeValue", http.StatusBadRequest, "Invalid value for the parameter %s. Reason: %s", name, reason)
}

func queueExists(attribute string) error {
	return awserr.New("QueueNameExists", http.StatusBadRequest,
		"A queue already exists with the same name and a different value for attribute %s", attribute)
}

// deletedRecently has AWS's text as its users report it.
func deletedRecently() error {
	return awserr.New("QueueDeletedRecently", http.StatusBadRequest,
		"You must wait 60 seconds after deleting a queue before you can create another with the same name.")
}

func purgeInProgress(name string) error {
	return awserr.New("PurgeQueueInProgress", http.StatusForbidden, "Only one PurgeQueue operation on %s is allowed every 60 seconds.", name)
}

// tooManyActions is AddPermission's; the text is AWS's as its users report it.
func tooManyActions(n int) error {
	return awserr.New("OverLimit", http.StatusForbidden, "%d Actions were found, maximum allowed is %d.", n, maxActions)
}

// overLimit is the answer to a receive when too many messages of a standard queue are in flight; the text is ours.
func overLimit() error {
	return awserr.New("OverLimit", http.StatusForbidden, "Too many messages of the queue are in flight: the limit is %d.", queue.MaxInFlight)
}

func badHandle(handle string) error {
	return awserr.New("ReceiptHandleIsInvalid", http.StatusNotFound, "The input receipt handle \"%s\" is not a valid receipt handle.", handle)
}

// noResource is about an ARN of a message move task.
func noResource(format string, args ...any) error {
	return awserr.New("ResourceNotFoundException", http.StatusNotFound, format, args...)
}

func invalidContents() *awserr.Error {
	return awserr.New("InvalidMessageContents", http.StatusBadRequest, "Invalid characters found. Valid unicode characters are "+
		"#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
}

func notImplemented(what string) error {
	return awserr.New("NotImplemented", http.StatusNotImplemented, "licet does not implement %s of SQS.", what)
}

// answer turns an error of the room below into the client's. handle is the receipt handle that it is about.
func answer(err error, handle string) error {
	switch {
	case errors.Is(err, queue.ErrGone):
		return noQueue()
	case errors.Is(err, queue.ErrOverLimit):
		return overLimit()
	case errors.Is(err, queue.ErrHandle):
		return badHandle(handle)
	case errors.Is(err, queue.ErrExpired):
		return badValue(handle, "ReceiptHandle", "The receipt handle has expired.")
	case errors.Is(err, queue.ErrNoMessage):
		return badValue(handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
	case errors.Is(err, queue.ErrTooLong):
		return invalidValue("Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
	}
	return err
}
