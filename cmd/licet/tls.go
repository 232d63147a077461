package main

import (
	"net"
	"slices"
	"time"

	"github.com/licet/licet/internal/tlscert"
)

// openTLS finds the certificates of the front door, if it is to have any.
func (s *server) openTLS(c config) error {
	switch {
	case c.TLSCertificate != "":
		files, err := tlscert.Open(c.TLSCertificate, c.TLSKey, time.Now, s.logger)
		if err != nil {
			return err
		}
		s.tls = tlscert.Config(files)
	case c.TLS:
		own, err := tlscert.OpenAuthority(c.Data, c.tlsHosts(), time.Now)
		if err != nil {
			return err
		}
		s.tls = tlscert.Config(own)
	}
	return nil
}

// tlsHosts are the names and addresses that certificates of the server's own are good for: this machine's, with those of function URLs and
// buckets, the one it listens on, and what else is wanted.
func (c config) tlsHosts() []string {
	hosts := []string{
		"localhost", "127.0.0.1", "::1", "*.localhost", "*.lambda-url." + c.Region + ".localhost", "*.s3.localhost", "*.s3." + c.Region + ".localhost",
	}
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && host != "" && !net.ParseIP(host).IsUnspecified() {
		hosts = append(hosts, host)
	}
	for _, host := range c.TLSHosts {
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
