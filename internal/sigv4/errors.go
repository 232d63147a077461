package sigv4

import (
	"fmt"
	"net/http"

	"github.com/licet/licet/internal/awserr"
)

// Kind is a way in which a request fails to authenticate.
type Kind int

// The kinds. The last two are for the caller to give: only it knows keys and tokens.
const (
	// Unsigned is a request without any authentication: an anonymous one.
	Unsigned Kind = iota
	// Missing is a request that needs AWS's authentication and has none, or another scheme's.
	Missing
	// Incomplete is a signature that lacks a part or cannot be read.
	Incomplete
	// Invalid is a signature that is not that of the request, or not for this service, region or time.
	Invalid
	// Expired is a presigned request past its time.
	Expired
	// UnknownKey is an access key, or a session token, that the server does not know.
	UnknownKey
	// ExpiredToken is a session token past its time.
	ExpiredToken
)

// Error says why a request is not authenticated.
type Error struct {
	Kind Kind
	// Message is the text for the client; "" stands for AWS's usual one.
	Message string
	// Explanation is what the server would have signed. It repeats the request, session token included: not for logs.
	Explanation string

	s3 *awserr.Error // S3's own answer, where it says more than the kind; nil elsewhere
}

// The errors that say all by their kind. They are never changed.
var (
	ErrUnsigned     = &Error{Kind: Unsigned}
	ErrMissing      = &Error{Kind: Missing}
	ErrUnknownKey   = &Error{Kind: UnknownKey}
	ErrExpiredToken = &Error{Kind: ExpiredToken}
)

// Error gives the text, for logs.
func (e *Error) Error() string {
	return "authenticate request: " + e.AWS(Query).Code + ": " + e.AWS(Query).Message
}

// Family is a group of protocols whose services answer these errors alike.
type Family int

// The families.
const (
	RESTJSON Family = iota
	JSON
	Query
	S3
)

// AWS gives the answer for a client of a service of the family. Statuses: the JSON protocols answer every such error with 400,
// restJson with 403 (both as clients report), the query protocol as
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html has it.
func (e *Error) AWS(f Family) *awserr.Error {
	if f == S3 {
		return e.ofS3()
	}
	a := e.answer()
	out := &awserr.Error{Code: a.json, Status: http.StatusForbidden, Message: e.Message}
	if out.Message == "" {
		out.Message = a.text
	}
	switch f {
	case JSON:
		out.Status = http.StatusBadRequest
		out.Message += e.Explanation
	case RESTJSON:
		out.Message += e.Explanation
		if e.Kind == Unsigned || e.Kind == Missing {
			out.Message = "Missing Authentication Token"
		}
	case Query:
		out.Code, out.Status = a.query, a.status
	}
	return out
}

// answer is the code in the JSON protocols, code and status in the query protocol, and the usual text.
type answer struct {
	json, query string
	status      int
	text        string
}

func (e *Error) answer() answer {
	switch e.Kind {
	case Unsigned, Missing:
		return answer{"MissingAuthenticationTokenException", "MissingAuthenticationToken", 403,
			"Request is missing Authentication Token"}
	case Incomplete:
		return answer{"IncompleteSignatureException", "IncompleteSignature", 400,
			"The request signature does not conform to AWS standards."}
	case Expired:
		return answer{"InvalidSignatureException", "RequestExpired", 400, "Request has expired."}
	case UnknownKey:
		return answer{"UnrecognizedClientException", "InvalidClientTokenId", 403,
			"The security token included in the request is invalid."}
	case ExpiredToken:
		return answer{"ExpiredTokenException", "ExpiredToken", 403,
			"The security token included in the request is expired"}
	}
	return answer{"InvalidSignatureException", "SignatureDoesNotMatch", 403, mismatchText}
}

const mismatchText = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// mismatch explains a wrong signature as AWS's JSON services do.
func mismatch(request, text string) *Error {
	return &Error{Kind: Invalid, Message: mismatchText, Explanation: "\n\nThe Canonical String for this request should have been\n'" +
		request + "'\n\nThe String-to-Sign should have been\n'" + text + "'\n"}
}

func invalid(format string, args ...any) *Error {
	return &Error{Kind: Invalid, Message: fmt.Sprintf(format, args...)}
}

func incomplete(format string, args ...any) *Error {
	return &Error{Kind: Incomplete, Message: fmt.Sprintf(format, args...)}
}
