package sigv4

import (
	"crypto/hmac"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"

	// serviceS3 has rules of its own: paths are taken as they are, and payloads may be unsigned.
	serviceS3       = "s3"
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// Scope is what a signature must be for. An empty list takes nothing.
type Scope struct {
	Regions  []string
	Services []string
	// Bucket is the one that the request's host names, "" for none: a signature of version 2 is not over the host, but over the bucket.
	Bucket string
}

// Verifier checks signatures.
type Verifier struct{ keys keys }

// New makes a Verifier.
func New() *Verifier { return &Verifier{} }

// Check proves that r with body was signed with the secret key, for the scope, at about now. It gives nil or an *Error.
func (v *Verifier) Check(r *http.Request, body []byte, s *Signed, secret string, scope Scope, now time.Time) error {
	if s.version2 { // no other service than S3 has it
		return invalid("%s", mismatchText)
	}
	if err := s.checkTime(now); err != nil {
		return err
	}
	if err := s.checkScope(scope); err != nil {
		return err
	}
	if err := s.checkHeaders(r); err != nil {
		return err
	}
	payload, err := s.payloadHash(r, body)
	if err != nil {
		return err
	}
	return v.compare(r, s, secret, payload)
}

// compare checks the signature of a request whose canonical form ends in payload.
func (v *Verifier) compare(r *http.Request, s *Signed, secret, payload string) error {
	var room [1024]byte // most requests have room in it
	request, err := s.appendRequest(room[:0], r, payload)
	if err != nil {
		return err
	}
	var textRoom [256]byte
	text := s.appendStringToSign(textRoom[:0], request)
	if !hmac.Equal(v.keys.get(secret, s).code(text), s.signature) {
		return mismatch(string(request), string(text))
	}
	return nil
}

// skew is how far a request's time may be from the server's. Clients of STS, IAM and S3 report "15 min." in AWS's text, those of
// other services "5 min."
func (s *Signed) skew() time.Duration {
	switch s.Service {
	case "sts", "iam", serviceS3:
		return 15 * time.Minute
	}
	return 5 * time.Minute
}

// checkTime checks the request's time against the server's. A presigned request says how long it is good; if it does not, it is
// good as long as any other.
func (s *Signed) checkTime(now time.Time) error {
	skew := s.skew()
	earliest, latest, minutes := now.Add(-skew), now.Add(skew), int(skew.Minutes())
	switch {
	case s.Time.After(latest):
		return invalid("Signature not yet current: %s is still later than %s (%s + %d min.)",
			stamp(s.Time), stamp(latest), stamp(now), minutes).forS3(skewed())
	case s.expires > 0 && now.After(s.Time.Add(s.expires)):
		return &Error{Kind: Expired}
	case s.expires == 0 && s.Time.Before(earliest):
		return invalid("Signature expired: %s is now earlier than %s (%s - %d min.)",
			stamp(s.Time), stamp(earliest), stamp(now), minutes).forS3(skewed())
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(timeFormat) }

// checkScope checks the credential scope and tells all that is wrong with it.
func (s *Signed) checkScope(scope Scope) error {
	var wrong strings.Builder
	if !slices.Contains(scope.Regions, s.Region) {
		wrong.WriteString("Credential should be scoped to a valid region. ")
	}
	if !slices.Contains(scope.Services, s.Service) {
		fmt.Fprintf(&wrong, "Credential should be scoped to correct service: '%s'. ", strings.Join(scope.Services, "' or '"))
	}
	if s.terminator != terminator {
		fmt.Fprintf(&wrong, "Credential should be scoped with a valid terminator: '%s', not '%s'. ", terminator, s.terminator)
	}
	if day := s.Time.Format("20060102"); s.Date != day {
		fmt.Fprintf(&wrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "+
			"'%s' != '%s', from '%s'.", s.Date, day, stamp(s.Time))
	}
	if wrong.Len() > 0 {
		return invalid("%s", wrong.String()).forS3(s.wrongScope(scope))
	}
	return nil
}

// checkHeaders checks that every x-amz- header is signed: X-Amz-Target names the operation.
func (s *Signed) checkHeaders(r *http.Request) error {
	for name := range r.Header {
		const prefix = "x-amz-"
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) && !s.signs(name) {
			return invalid("There were headers present in the request which were not signed: %s", strings.ToLower(name)).forS3(headersNotSigned(name))
		}
	}
	return nil
}

// signs reports whether a header is signed.
func (s *Signed) signs(header string) bool {
	for _, name := range s.signedHeaders {
		if strings.EqualFold(name, header) {
			return true
		}
	}
	return false
}
