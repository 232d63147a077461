package registry

import (
	"fmt"
	"io"
	"net"
	"net/http"
)

// guarded refuses plain HTTP to other machines, which the library would use for private addresses; and to this one, where others
// than the registry may listen, unless the registry itself is here: one elsewhere could send us anywhere.
type guarded struct {
	http.RoundTripper
	here   bool
	mirror string // host of the registry that a person told us to ask, in any way; "" for none
	limit  int64  // of the bytes of an answer, when not 0
}

// errLong is an answer that is longer than what was asked for may be.
var errLong = fmt.Errorf("%w: it is longer than %d bytes", ErrKind, maxManifest)

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	switch host := r.URL.Hostname(); {
	case g.mirror != "" && r.URL.Host == g.mirror:
	case isLoopback(host) && !g.here:
		return nil, fmt.Errorf("%s is not asked for a registry elsewhere", host)
	case !isLoopback(host) && r.URL.Scheme != "https":
		return nil, fmt.Errorf("%s is not asked without TLS", host)
	}
	answer, err := g.RoundTripper.RoundTrip(r)
	if err == nil && g.limit > 0 {
		answer.Body = &limited{answer.Body, g.limit}
	}
	return answer, err
}

// limited is a body that fails when it is too long.
type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(b []byte) (int, error) {
	n, err := l.ReadCloser.Read(b)
	if l.left -= int64(n); l.left < 0 {
		return 0, errLong
	}
	return n, err
}

// isLoopback tells the names of this machine; the unspecified address reaches it, too.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip.IsLoopback() || ip.IsUnspecified()
}
