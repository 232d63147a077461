package functionurl

import (
	"net"
	"net/http"
	"strings"
)

// PathPrefix begins the paths of function URLs where clients cannot resolve their host names: /_licet/lambda-url/<id>/ and the path.
const PathPrefix = "/_licet/lambda-url/"

// address is what a request says of the URL that it is for.
type address struct {
	id string
	// region is "" where the path names the URL.
	region string
	// domain is the host's name, without its port; "" where the path names the URL.
	domain string
	// path is what of the path, as sent, is the URL's own.
	path string
}

// IsRequest tells whether a request is for a function URL: by its host, <id>.lambda-url.<region> below any domain, or by its path.
func IsRequest(r *http.Request) bool {
	_, ok := addressOf(r)
	return ok
}

func addressOf(r *http.Request) (address, bool) {
	path := r.URL.EscapedPath()
	if a, ok := parseHost(r.Host); ok {
		a.path = path
		return a, true
	}
	rest, ok := strings.CutPrefix(path, PathPrefix)
	if !ok {
		return address{}, false
	}
	id, own, _ := strings.Cut(rest, "/")
	return address{id: id, path: "/" + own}, true
}

// parseHost reads the name of a host, in which case does not count.
func parseHost(host string) (address, bool) {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	id, rest, found := strings.Cut(name, ".")
	rest, isURL := strings.CutPrefix(rest, "lambda-url.")
	region, below, _ := strings.Cut(rest, ".")
	if !found || !isURL || id == "" || region == "" || below == "" {
		return address{}, false
	}
	return address{id: id, region: region, domain: name}, true
}
