package console

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// protect sets the headers of every answer. Forms and scripts are the console's own; nothing else is loaded, and no page may frame it.
// The referrer goes to the console alone: without any, browsers would hide the Origin of a form as well.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// knows tells a host under which the console answers. A page of elsewhere can let its own name point to this machine, and would then be
// of the same origin as the console.
func (c *Console) knows(hostport string) bool {
	host, ok := hostName(hostport)
	return ok && (loopback(host) || slices.ContainsFunc(c.config.Hosts, func(name string) bool { return strings.EqualFold(name, host) }))
}

// hostName takes the port off a host.
func hostName(hostport string) (host string, ok bool) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]"), true
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return host, err == nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// secure tells whether the browser speaks HTTPS: with the server, or with a proxy before it. Under any name but loopback's it must, for
// else it would not say what it shows (shown).
func secure(r *http.Request) bool {
	host, ok := hostName(r.Host)
	return r.TLS != nil || ok && !loopback(host)
}

// sameOrigin tells whether a form comes from a page under the very host and port it is sent to. Browsers always say so of a POST.
func sameOrigin(r *http.Request) bool {
	origin, err := url.Parse(r.Header.Get("Origin"))
	if err != nil || origin.Host == "" {
		return false
	}
	scheme := "http"
	if secure(r) {
		scheme = "https"
	}
	return origin.Scheme == scheme && strings.EqualFold(origin.Host, r.Host)
}

// private tells whether a secret may be sent over the connection: nobody else can read it. The other end may be a proxy on this machine.
func private(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}
