package request

import (
	"errors"
	"net/http"

	"github.com/licet/licet/internal/awserr"
)

// The codes and statuses are those of https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and of each
// operation's page; the texts were recorded from AWS unless a comment says otherwise.

// AccessDenied answers who may not act.
func AccessDenied(message string) error {
	return awserr.New("AccessDenied", http.StatusForbidden, "%s", message)
}

// NoSuchEntity answers for what does not exist.
func NoSuchEntity(format string, args ...any) error {
	return awserr.New("NoSuchEntity", http.StatusNotFound, format, args...)
}

// NoSuchPolicy is the text of operations on a policy's documents.
func NoSuchPolicy(arn string) error {
	return NoSuchEntity("Policy %s does not exist or is not attachable.", arn)
}

// PolicyNotFound is the text of operations on what a policy has (tags, attachments) instead of on its documents.
func PolicyNotFound(arn string) error { return NoSuchEntity("Policy %s was not found.", arn) }

// AlreadyExistsCode is the code of AlreadyExists.
const AlreadyExistsCode = "EntityAlreadyExists"

// AlreadyExists answers for a name that is taken.
func AlreadyExists(format string, args ...any) error {
	return awserr.New(AlreadyExistsCode, http.StatusConflict, format, args...)
}

// DeleteConflict answers for what cannot be deleted yet.
func DeleteConflict(message string) error {
	return awserr.New("DeleteConflict", http.StatusConflict, "%s", message)
}

// LimitExceeded answers for too many of something.
func LimitExceeded(format string, args ...any) error {
	return awserr.New("LimitExceeded", http.StatusConflict, format, args...)
}

// QuotaExceeded is LimitExceeded for a quota of AWS.
func QuotaExceeded(quota string, limit int) error {
	return LimitExceeded("Cannot exceed quota for %s: %d", quota, limit)
}

// ValidationError answers for a member that is not as its model says.
func ValidationError(format string, args ...any) error {
	return awserr.New("ValidationError", http.StatusBadRequest, format, args...)
}

// InvalidInput answers for a member that cannot be acted upon.
func InvalidInput(format string, args ...any) *awserr.Error {
	return awserr.New("InvalidInput", http.StatusBadRequest, format, args...)
}

// NoUserName answers callers who are no user and name none.
func NoUserName() error {
	return ValidationError("Must specify userName when calling with non-User credentials")
}

// ProtectedRole guards the paths of roles that only AWS makes and changes (iam.md T8). The text is from third-party logs.
func ProtectedRole(name string) error {
	return awserr.New("UnmodifiableEntity", http.StatusBadRequest, "%s", ProtectedText(name))
}

// ProtectedText is the text of ProtectedRole.
func ProtectedText(name string) string {
	return "Cannot perform the operation on the protected role '" + name + "' - this role is only modifiable by AWS"
}

// IsMissing recognizes NoSuchEntity.
func IsMissing(err error) bool {
	e, ok := errors.AsType[*awserr.Error](err)
	return ok && e.Status == http.StatusNotFound
}
