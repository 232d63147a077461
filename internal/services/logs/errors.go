package logs

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/licet/licet/internal/awserr"
)

// Codes are those of the operations' pages. The service answers every error of the client with 400, denials too; the texts were
// recorded from AWS by third parties unless a comment says otherwise.

func accessDenied(message string) error {
	return awserr.New("AccessDeniedException", http.StatusBadRequest, "%s", message)
}

func groupNotFound() error {
	return awserr.New("ResourceNotFoundException", http.StatusBadRequest, "The specified log group does not exist.")
}

func streamNotFound() error {
	return awserr.New("ResourceNotFoundException", http.StatusBadRequest, "The specified log stream does not exist.")
}

// filterNotFound is about a filter of the kind metric or subscription.
func filterNotFound(kind string) error {
	return awserr.New("ResourceNotFoundException", http.StatusBadRequest, "The specified %s filter does not exist.", kind)
}

// limitExceeded has AWS's text (tsub/serverless-plugin-subscription-filter#3).
func limitExceeded() error {
	return awserr.New("LimitExceededException", http.StatusBadRequest, "Resource limit exceeded.")
}

func groupExists() error {
	return awserr.New("ResourceAlreadyExistsException", http.StatusBadRequest, "The specified log group already exists")
}

func streamExists() error {
	return awserr.New("ResourceAlreadyExistsException", http.StatusBadRequest, "The specified log stream already exists")
}

func invalidParameter(format string, args ...any) error {
	return awserr.New("InvalidParameterException", http.StatusBadRequest, format, args...)
}

func invalidToken() error { return invalidParameter("The specified nextToken is invalid.") }

func tooManyTags() error {
	// The limit is of https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html; the text is ours.
	return awserr.New("TooManyTagsException", http.StatusBadRequest, "A resource can have no more than %d tags.", maxTags)
}

// protected is the answer to who deletes a group that is protected. That the operation has this code is on its page; the text is
// ours.
func protected() error {
	return awserr.New("ValidationException", http.StatusBadRequest, "The log group has deletion protection.")
}

// unavailable is the modelled error of the server's side (API_PutLogEvents); the text is ours.
func unavailable() error {
	return awserr.New("ServiceUnavailableException", http.StatusServiceUnavailable, "There is no room for log events now.")
}

// notImplemented answers for a member that licet does not have.
func notImplemented(operation, member string) error {
	return awserr.New("NotImplemented", http.StatusNotImplemented,
		"licet does not implement the member %s of the operation %s of CloudWatch Logs.", member, operation)
}

// problems collects the constraints of the model that an input breaks. AWS names all of them in one answer.
type problems []string

// add notes that a value breaks a constraint.
func (p *problems) add(member, value, constraint string) {
	*p = append(*p, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must %s", value, member, constraint))
}

// addNull notes that a required member is missing.
func (p *problems) addNull(member string) {
	*p = append(*p, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", member))
}

// err is the answer, or nil if there are no problems.
func (p *problems) err() error {
	switch len(*p) {
	case 0:
		return nil
	case 1:
		return invalidParameter("1 validation error detected: %s", (*p)[0])
	default:
		return invalidParameter("%d validation errors detected: %s", len(*p), strings.Join(*p, "; "))
	}
}
