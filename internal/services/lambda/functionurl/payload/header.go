package payload

import (
	"net/http"
	"strings"
)

// Headers of functions that would meet those of the server itself reach the client under another name, those of a connection do not reach it
// at all. AWS documents no list of them for function URLs. WWW-Authenticate is what users of function URLs report; the others are those that
// published answers of API Gateway and of Lambda's own API have under the same new name.
const remapped = "X-Amzn-Remapped-"

// ours begins the headers in which the server says how it decided, and by which command that is explained: no function says it for it.
const ours = "X-Licet-"

var renamed = map[string]bool{
	"Authorization": true, "Connection": true, "Content-Length": true, "Date": true, "Host": true, "Server": true, "User-Agent": true,
	"Www-Authenticate": true, "X-Amzn-Requestid": true, "X-Amzn-Trace-Id": true,
}

// put adds a header of a function, and tells whether HTTP can have it.
func put(h http.Header, name, value string) bool {
	if !isToken(name) || !isValue(value) {
		return false
	}
	name = http.CanonicalHeaderKey(name)
	switch {
	case renamed[name], strings.HasPrefix(name, ours):
		h.Set(remapped+name, value)
	case hopByHop[strings.ToLower(name)]:
	default:
		h.Set(name, value)
	}
	return true
}

// isToken tells what may be the name of a header (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// isValue tells what may be the value of a header (RFC 9110, 5.5).
func isValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
