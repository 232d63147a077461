package functionurl

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// The headers of cross-origin resource sharing that a URL can set
// (https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors).
const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowMethods     = "Access-Control-Allow-Methods"
	allowHeaders     = "Access-Control-Allow-Headers"
	allowCredentials = "Access-Control-Allow-Credentials"
	exposeHeaders    = "Access-Control-Expose-Headers"
	maxAge           = "Access-Control-Max-Age"
)

// isPreflight tells requests by which browsers ask whether they may make another: Lambda answers them where the URL says how, and the
// function does where it does not (https://fetch.spec.whatwg.org/#cors-preflight-request).
func isPreflight(c *types.Cors, r *http.Request) bool {
	return c != nil && r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// preflight are the headers by which Lambda answers: those of the configuration, whatever is asked for. Their forms are recorded
// (rimutaka, "AWS Lambda Function URL with CORS explained by example").
func preflight(c *types.Cors, r *http.Request) http.Header {
	h := shared(c, r)
	if h.Get(allowOrigin) == "" {
		return h
	}
	set(h, allowHeaders, strings.Join(c.AllowHeaders, ","))
	set(h, allowMethods, strings.Join(c.AllowMethods, ","))
	if c.MaxAge != nil {
		h.Set(maxAge, strconv.Itoa(int(*c.MaxAge)))
	}
	return h
}

// shared are the headers of all responses: "Lambda automatically adds the CORS headers to all responses through the function URL". An origin
// that is not allowed gets none, by which its browser keeps the response to itself.
func shared(c *types.Cors, r *http.Request) http.Header {
	h := http.Header{}
	if c == nil {
		return h
	}
	h.Set("Vary", "Origin")
	origin := r.Header.Get("Origin")
	switch {
	case origin == "":
		return h
	case slices.ContainsFunc(c.AllowOrigins, func(o string) bool { return strings.EqualFold(o, origin) }):
		h.Set(allowOrigin, origin)
	case slices.Contains(c.AllowOrigins, "*"):
		h.Set(allowOrigin, "*")
	default:
		return h
	}
	set(h, exposeHeaders, strings.Join(c.ExposeHeaders, ","))
	if aws.ToBool(c.AllowCredentials) {
		h.Set(allowCredentials, "true")
	}
	return h
}

func set(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// override puts the headers of a configuration in the place of the function's own: "If there are conflicting headers, the configured CORS
// headers on the function URL take precedence". A function may vary by more than the origin.
func override(h http.Header, c *types.Cors, configured http.Header) {
	if c == nil {
		return
	}
	for _, name := range []string{allowOrigin, allowCredentials, exposeHeaders} {
		h.Del(name)
	}
	for name, values := range configured {
		if name == "Vary" {
			h[name] = append(h[name], values...)
		} else {
			h[name] = values
		}
	}
}
