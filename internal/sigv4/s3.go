package sigv4

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/licet/licet/internal/awserr"
)

// S3 has its own codes, statuses and texts: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList.

// forS3 gives an error its answer for clients of S3.
func (e *Error) forS3(answer *awserr.Error) *Error {
	e.s3 = answer
	return e
}

// ofS3 is the answer for a client of S3.
func (e *Error) ofS3() *awserr.Error {
	if e.s3 != nil {
		return e.s3
	}
	switch e.Kind {
	case Unsigned, Missing:
		return awserr.New("AccessDenied", http.StatusForbidden, "Access Denied")
	case Incomplete:
		return awserr.New("AuthorizationHeaderMalformed", http.StatusBadRequest, "The authorization header is malformed; %s", e.Message)
	case Expired:
		return awserr.New("AccessDenied", http.StatusForbidden, "Request has expired")
	case UnknownKey:
		return awserr.New("InvalidAccessKeyId", http.StatusForbidden, "The AWS Access Key Id you provided does not exist in our records.")
	case ExpiredToken:
		return awserr.New("ExpiredToken", http.StatusBadRequest, "The provided token has expired.")
	}
	return signatureDoesNotMatch()
}

func signatureDoesNotMatch() *awserr.Error {
	return awserr.New("SignatureDoesNotMatch", http.StatusForbidden,
		"The request signature we calculated does not match the signature you provided. Check your key and signing method.")
}

func skewed() *awserr.Error {
	return awserr.New("RequestTimeTooSkewed", http.StatusForbidden, "The difference between the request time and the current time is too large.")
}

func headersNotSigned(name string) *awserr.Error {
	e := awserr.New("AccessDenied", http.StatusForbidden, "There were headers present in the request which were not signed")
	e.Members = map[string]string{"HeadersNotSigned": strings.ToLower(name)}
	return e
}

// wrongScope tells what is wrong with the credential scope. SDKs look at the region and try that one.
func (s *Signed) wrongScope(scope Scope) *awserr.Error {
	code, what := "AuthorizationHeaderMalformed", "The authorization header is malformed; "
	if s.Presigned {
		code, what = "AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter; "
	}
	malformed := func(format string, args ...any) *awserr.Error {
		return awserr.New(code, http.StatusBadRequest, "%s", what+fmt.Sprintf(format, args...))
	}
	switch {
	case !slices.Contains(scope.Regions, s.Region) && len(scope.Regions) > 0:
		e := malformed("the region '%s' is wrong; expecting '%s'", s.Region, scope.Regions[0])
		e.Members = map[string]string{"Region": scope.Regions[0]}
		return e
	case !slices.Contains(scope.Services, s.Service):
		return malformed("incorrect service \"%s\". This endpoint belongs to \"%s\".", s.Service, serviceS3)
	case s.terminator != terminator:
		return malformed("incorrect terminal \"%s\". This endpoint uses \"%s\".", s.terminator, terminator)
	}
	return malformed("Invalid credential date \"%s\". This date is not the same as X-Amz-Date: \"%s\".", s.Date, s.Time.Format("20060102"))
}
