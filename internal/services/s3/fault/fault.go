// Package fault makes the errors of S3: codes, statuses and texts of
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList, unless a comment says otherwise.
//
// It knows nothing of buckets. Values are immutable once made.
package fault

import (
	"net/http"

	"github.com/licet/licet/internal/awserr"
)

// New makes an error with members of its document, as name and value in turns.
func New(code string, status int, message string, members ...string) *awserr.Error {
	e := awserr.New(code, status, "%s", message)
	if len(members) > 0 {
		e.Members = make(map[string]string, len(members)/2)
	}
	for i := 0; i+1 < len(members); i += 2 {
		e.Members[members[i]] = members[i+1]
	}
	return e
}

// AccessDenied is all that callers of other accounts are told.
func AccessDenied() error { return New("AccessDenied", http.StatusForbidden, "Access Denied") }

// NoSuchBucket names the bucket that is not there.
func NoSuchBucket(name string) error {
	return New("NoSuchBucket", http.StatusNotFound, "The specified bucket does not exist", "BucketName", name)
}

// NoSuchKey names the object that is not there.
func NoSuchKey(key string) error {
	return New("NoSuchKey", http.StatusNotFound, "The specified key does not exist.", "Key", key)
}

// NoSuchVersion is about a version of an object that is there, or not.
func NoSuchVersion(key, version string) error {
	return New("NoSuchVersion", http.StatusNotFound, "The specified version does not exist.", "Key", key, "VersionId", version)
}

// NoSuchUpload is about a multipart upload.
func NoSuchUpload(id string) error {
	return New("NoSuchUpload", http.StatusNotFound,
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", "UploadId", id)
}

// InvalidArgument names the argument at fault.
func InvalidArgument(message, name, value string) error {
	return New("InvalidArgument", http.StatusBadRequest, message, "ArgumentName", name, "ArgumentValue", value)
}

// InvalidRequest is for what cannot be meant.
func InvalidRequest(message string) error {
	return New("InvalidRequest", http.StatusBadRequest, message)
}

// MalformedXML is for documents that lack something.
func MalformedXML() error {
	return New("MalformedXML", http.StatusBadRequest,
		"The XML you provided was not well-formed or did not validate against our published schema")
}

// PreconditionFailed names the header that did not hold.
func PreconditionFailed(condition string) error {
	return New("PreconditionFailed", http.StatusPreconditionFailed,
		"At least one of the pre-conditions you specified did not hold", "Condition", condition)
}

// BadDigest tells that a payload is not what its checksum, or its MD5, says.
func BadDigest(what string) error {
	return New("BadDigest", http.StatusBadRequest, "The "+what+" you specified did not match what we received.")
}

// Unavailable asks the client to try again: there is no room.
func Unavailable() error {
	return New("SlowDown", http.StatusServiceUnavailable, "Please reduce your request rate.")
}

// NotImplemented answers for a member that licet does not have.
func NotImplemented(operation, member string) error {
	return awserr.New("NotImplemented", http.StatusNotImplemented,
		"licet does not implement %s of the operation %s of S3.", member, operation)
}
