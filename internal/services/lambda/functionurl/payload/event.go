package payload

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Request is an HTTP request to a function URL, with what its event says of it.
type Request struct {
	HTTP *http.Request
	// Path is that of the URL, as sent; "" means "/".
	Path string
	Body []byte
	// ID of the URL, and the Domain name by which it is known.
	ID, Domain string
	RequestID  string
	Time       time.Time
	// SourceIP is "" where that is not known.
	SourceIP string
	// TraceID is the X-Amzn-Trace-Id that the function sees.
	TraceID string
	// Account owns the function; Caller is who signed the request, nil for a URL that takes requests of anybody.
	Account string
	Caller  *Caller
}

// Caller is the identity of who signed a request.
type Caller struct {
	AccessKey string `json:"accessKey"`
	AccountID string `json:"accountId"`
	CallerID  string `json:"callerId"`
	// CognitoIdentity is always null.
	CognitoIdentity *struct{} `json:"cognitoIdentity"`
	// PrincipalOrgID is nil for an account that is in no organization.
	PrincipalOrgID *string `json:"principalOrgId"`
	UserARN        string  `json:"userArn"`
	UserID         string  `json:"userId"`
}

// event is format 2.0. Members that are not there, are not there in recorded events either, though the page shows null.
type event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	Body                  *string           `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	Authorizer   *authorizer `json:"authorizer,omitempty"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

type authorizer struct {
	IAM *Caller `json:"iam"`
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// unused stands in members that function URLs have no use for.
const unused = "$default"

// Event is the event of a request.
func (r Request) Event() ([]byte, error) {
	path := r.Path
	if path == "" {
		path = "/"
	}
	e := event{
		Version: "2.0", RouteKey: unused, RawPath: path, RawQueryString: r.HTTP.URL.RawQuery,
		Cookies: cookies(r.HTTP.Header.Values("Cookie")), Headers: r.headers(), QueryStringParameters: parameters(r.HTTP.URL.RawQuery),
		RequestContext: requestContext{
			AccountID: r.Account, APIID: r.ID, DomainName: r.Domain, DomainPrefix: r.ID, RequestID: r.RequestID, RouteKey: unused, Stage: unused,
			Time: r.Time.UTC().Format("02/Jan/2006:15:04:05 +0000"), TimeEpoch: r.Time.UnixMilli(),
			HTTP: httpContext{
				Method: r.HTTP.Method, Path: path, Protocol: r.HTTP.Proto, SourceIP: r.SourceIP, UserAgent: r.HTTP.UserAgent(),
			},
		},
	}
	if r.Caller != nil {
		e.RequestContext.Authorizer = &authorizer{r.Caller}
	} else {
		e.RequestContext.AccountID = "anonymous" // in all recorded events of URLs that take requests of anybody
	}
	if len(r.Body) > 0 {
		text := string(r.Body)
		if e.IsBase64Encoded = !isText(r.HTTP.Header.Get("Content-Type"), r.Body); e.IsBase64Encoded {
			text = base64.StdEncoding.EncodeToString(r.Body)
		}
		e.Body = &text
	}
	// Signs of HTML stay as they are: six bytes for each would make of a page that Lambda takes an event that it does not.
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// isText tells bodies that are in the event as they are. Which these are is measured, not documented (of API Gateway's HTTP APIs, which have
// the same format: ministackorg/ministack, pull request 766; of function URLs LocalStack's test_lambda_url_form_payload): forms, and bodies
// without a type, are not among them. A body that is no UTF-8 cannot be text in JSON, whatever it says.
func isText(contentType string, body []byte) bool {
	if !utf8.Valid(body) {
		return false
	}
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		t, _, _ = strings.Cut(strings.ToLower(contentType), ";")
		t = strings.TrimSpace(t)
	}
	switch t {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(t, "text/")
}

// hopByHop are the headers of the connection with the client; recorded events have none of them.
var hopByHop = map[string]bool{
	"connection": true, "expect": true, "keep-alive": true, "proxy-authenticate": true, "proxy-authorization": true,
	"proxy-connection": true, "te": true, "trailer": true, "transfer-encoding": true, "upgrade": true,
}

// headers are lower-cased, values of one name joined. What signed the request is not in recorded events.
func (r Request) headers() map[string]string {
	all := make(map[string]string, len(r.HTTP.Header)+7)
	for name, values := range r.HTTP.Header {
		name = strings.ToLower(name)
		if hopByHop[name] || name == "authorization" && r.Caller != nil {
			continue
		}
		separator := ","
		if name == "cookie" {
			separator = "; "
		}
		all[name] = strings.Join(values, separator)
	}
	all["host"] = r.HTTP.Host
	if r.TraceID != "" {
		all["x-amzn-trace-id"] = r.TraceID
	}
	if r.SourceIP != "" {
		before := all["x-forwarded-for"]
		if before != "" {
			before += ", "
		}
		all["x-forwarded-for"] = before + r.SourceIP
	}
	proto, port := "http", "80"
	if t := r.HTTP.TLS; t != nil {
		proto, port = "https", "443"
		all["x-amzn-tls-version"] = strings.Replace(tls.VersionName(t.Version), " ", "v", 1)
		all["x-amzn-tls-cipher-suite"] = tls.CipherSuiteName(t.CipherSuite)
	}
	if _, given, err := net.SplitHostPort(r.HTTP.Host); err == nil {
		port = given
	}
	all["x-forwarded-proto"], all["x-forwarded-port"] = proto, port
	return all
}

// cookies takes the cookies of a request apart.
func cookies(headers []string) (all []string) {
	for _, h := range headers {
		for c := range strings.SplitSeq(h, ";") {
			if c = strings.TrimSpace(c); c != "" {
				all = append(all, c)
			}
		}
	}
	return all
}

// parameters are decoded, values of one name joined. What cannot be decoded stays as it is: the raw string has it, too.
func parameters(query string) map[string]string {
	if query == "" {
		return nil
	}
	values := map[string][]string{} // joined at the end: a query may have one name thousands of times
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name = decoded(name)
		values[name] = append(values[name], decoded(value))
	}
	all := make(map[string]string, len(values))
	for name, list := range values {
		all[name] = strings.Join(list, ",")
	}
	return all
}

func decoded(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
