package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Signed is what a request says of its signature. None of it is to be trusted before Check. It is immutable.
type Signed struct {
	AccessKeyID string
	// Token is the session token, or "" for long-term keys.
	Token string
	// Date (YYYYMMDD), Region and Service are the credential scope.
	Date, Region, Service string
	// Time is when the request says that it was signed.
	Time time.Time
	// Presigned tells that the signature is in the query.
	Presigned bool

	expires       time.Duration // 0 where the request does not say
	terminator    string
	signedHeaders []string
	signature     []byte

	// version2 marks a signature of the older version, which is good until a time, and has no Region.
	version2 bool
	until    time.Time
}

// Parse reads the signature off the Authorization header or the query. It gives ErrUnsigned where there is neither.
func Parse(r *http.Request) (*Signed, error) {
	header := r.Header.Values("Authorization")
	var query url.Values
	if strings.Contains(r.URL.RawQuery, "X-Amz-") || strings.Contains(r.URL.RawQuery, "AWSAccessKeyId") {
		var err error
		if query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
			return nil, incomplete("Unable to parse the query string: %v", err)
		}
	}
	older, err := parseVersion2(query)
	if err != nil {
		return nil, err
	}
	presigned := older != nil || query.Has("X-Amz-Algorithm") || query.Has("X-Amz-Signature") || query.Has("X-Amz-Credential")
	switch {
	case presigned && len(header) > 0:
		return nil, invalid("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
	case older != nil && query.Has("X-Amz-Signature"):
		return nil, invalid("Found signatures of two versions.")
	case older != nil:
		return older, nil
	case presigned:
		return parseQuery(query)
	case len(header) > 1:
		return nil, incomplete("Found more than one 'Authorization' header.")
	case len(header) == 1:
		return parseHeader(r, header[0])
	}
	return nil, ErrUnsigned
}

// parseHeader reads the Authorization header:
// AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…
func parseHeader(r *http.Request, header string) (*Signed, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	if !strings.HasPrefix(scheme, "AWS4-") {
		return nil, ErrMissing
	}
	parts := map[string]string{}
	for part := range strings.FieldsFuncSeq(rest, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' }) {
		k, v, ok := strings.Cut(part, "=")
		if _, twice := parts[k]; !ok || twice {
			return nil, incomplete("Authorization header is no list of key=value pairs. %s", hashed(header))
		}
		parts[k] = v
	}
	var missing strings.Builder
	for _, k := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[k] == "" {
			missing.WriteString("Authorization header requires '" + k + "' parameter. ")
		}
	}
	date, one := dateHeader(r)
	if !one {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		return nil, incomplete("%s%s", missing.String(), hashed(header))
	}
	token := r.Header.Values("X-Amz-Security-Token")
	if len(token) > 1 {
		return nil, incomplete("Found more than one 'X-Amz-Security-Token' header.")
	}
	s := &Signed{Token: strings.Join(token, "")}
	return s, s.set(scheme, date, parts["SignedHeaders"], parts["Credential"], parts["Signature"])
}

// dateHeader gives the header that dates the request, and whether it is there once.
func dateHeader(r *http.Request) (string, bool) {
	dates := r.Header.Values("X-Amz-Date")
	if len(dates) == 0 {
		dates = r.Header.Values("Date")
	}
	if len(dates) != 1 {
		return "", false
	}
	return dates[0], true
}

// hashed stands for a header that must not be repeated to whoever reads the error.
func hashed(header string) string {
	sum := sha256.Sum256([]byte(header))
	return "(Hashed with SHA-256 and encoded with Base64) Authorization=" + base64.StdEncoding.EncodeToString(sum[:])
}

// parseQuery reads the query of a presigned request.
func parseQuery(query url.Values) (*Signed, error) {
	const reexamine = "Re-examine the query-string parameters."
	var missing strings.Builder
	for _, k := range []string{"Algorithm", "Credential", "Signature", "SignedHeaders", "Date"} {
		if query.Get("X-Amz-"+k) == "" {
			missing.WriteString("AWS query-string parameters must include 'X-Amz-" + k + "'. ")
		}
	}
	if missing.Len() > 0 {
		return nil, incomplete("%s%s", missing.String(), reexamine)
	}
	for k, v := range query {
		if strings.HasPrefix(k, "X-Amz-") && len(v) > 1 {
			return nil, incomplete("AWS query-string parameter '%s' comes more than once. %s", k, reexamine)
		}
	}
	s := &Signed{Presigned: true, Token: query.Get("X-Amz-Security-Token")}
	if query.Has("X-Amz-Expires") {
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html: at most seven days.
		n, err := strconv.Atoi(query.Get("X-Amz-Expires"))
		if err != nil || n < 1 || n > 604800 {
			return nil, incomplete("X-Amz-Expires must be a number of seconds from 1 to 604800.")
		}
		s.expires = time.Duration(n) * time.Second
	}
	return s, s.set(query.Get("X-Amz-Algorithm"), query.Get("X-Amz-Date"), query.Get("X-Amz-SignedHeaders"),
		query.Get("X-Amz-Credential"), query.Get("X-Amz-Signature"))
}

// set fills s from the parts that both forms have, in the order in which AWS checks them.
func (s *Signed) set(scheme, date, signedHeaders, credential, signature string) error {
	t, err := parseTime(date)
	if err != nil {
		return incomplete("Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", date)
	}
	s.Time = t
	s.signedHeaders = strings.Split(signedHeaders, ";")
	if !s.signs("host") {
		return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if scheme != algorithm {
		return incomplete("Unsupported AWS 'algorithm': '%s' (only %s for now). ", scheme, algorithm)
	}
	parts := strings.Split(credential, "/")
	if len(parts) != 5 {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'",
			credential)
	}
	s.AccessKeyID, s.Date, s.Region, s.Service, s.terminator = parts[0], parts[1], parts[2], parts[3], parts[4]
	if s.signature, err = hex.DecodeString(signature); err != nil {
		return invalid("%s", mismatchText)
	}
	return nil
}

// parseTime reads the time of X-Amz-Date, or of Date, which may be an HTTP date.
func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		t, err = http.ParseTime(text)
	}
	return t.UTC(), err
}
