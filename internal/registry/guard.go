package registry

import (
	"fmt"
	"net"
	"net/http"
)

// guarded refuses plain HTTP to other machines, which the library would use for private addresses; and to this one, where others
// than the registry may listen, unless the registry itself is here: one elsewhere could send us anywhere.
type guarded struct {
	http.RoundTripper
	here   bool
	mirror string // host of the registry that a person told us to ask, in any way; "" for none
}

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	switch host := r.URL.Hostname(); {
	case g.mirror != "" && r.URL.Host == g.mirror:
	case isLoopback(host) && !g.here:
		return nil, fmt.Errorf("%s is not asked for a registry elsewhere", host)
	case !isLoopback(host) && r.URL.Scheme != "https":
		return nil, fmt.Errorf("%s is not asked without TLS", host)
	}
	return g.RoundTripper.RoundTrip(r)
}

// isLoopback tells the names of this machine; the unspecified address reaches it, too.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip.IsLoopback() || ip.IsUnspecified()
}
