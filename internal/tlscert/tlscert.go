// Package tlscert gives a server its TLS certificates: from files that others renew, or from an authority of its own.
//
// It never looks at requests. A Source is safe for concurrent use. A certificate that cannot be renewed is served on, and the error told, until it
// would be served although it is over: then handshakes fail. Keys are ECDSA P-256; files with keys are readable by their owner alone.
package tlscert

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Source gives the certificate for each handshake.
type Source interface {
	Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// Config is that of a server with certificates of s.
func Config(s Source) *tls.Config {
	return &tls.Config{
		GetCertificate: s.Certificate,
		MinVersion:     tls.VersionTLS12, // the least that AWS takes, too: https://docs.aws.amazon.com/lambda/latest/dg/infrastructure-security.html
		NextProtos:     []string{"h2", "http/1.1"},
	}
}

// lookEvery is how often files are looked at for a change.
const lookEvery = time.Second

// Files is a Source of a certificate and its key in PEM, which is read again when one of the files changes.
type Files struct {
	certificate, key string
	now              func() time.Time
	logger           *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	read    [2]stamp
	looked  time.Time
}

// stamp tells one state of a file from the next.
type stamp struct {
	modified time.Time
	size     int64
}

// Open reads a certificate, with the chain behind it, and its key.
func Open(certificate, key string, now func() time.Time, logger *slog.Logger) (*Files, error) {
	f := &Files{certificate: certificate, key: key, now: now, logger: logger}
	var err error
	if f.read, err = f.stamps(); err == nil {
		f.current, err = f.load()
	}
	if err != nil {
		return nil, fmt.Errorf("read TLS certificate: %w", err)
	}
	f.looked = now()
	return f, nil
}

func (f *Files) stamps() (s [2]stamp, err error) {
	for i, name := range []string{f.certificate, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return s, err
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}

func (f *Files) load() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return nil, err
	}
	if f.now().After(c.Leaf.NotAfter) {
		return nil, fmt.Errorf("the certificate in %s has been over since %s", f.certificate, c.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return &c, nil
}

// Certificate gives the certificate in the files.
func (f *Files) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.looked) >= lookEvery || now.Before(f.looked) {
		f.looked = now
		f.renew()
	}
	if f.now().After(f.current.Leaf.NotAfter) {
		return nil, errors.New("the certificate is over")
	}
	return f.current, nil
}

// renew reads the files again if they have changed. They may be half written: then the next look reads them. f.mu is held.
func (f *Files) renew() {
	s, err := f.stamps()
	if err == nil && s == f.read {
		return
	}
	var c *tls.Certificate
	if err == nil {
		c, err = f.load()
	}
	if err != nil {
		f.logger.Warn("The TLS certificate has changed and cannot be read; the one before is used.", slog.Any("err", err))
		return
	}
	f.current, f.read = c, s
	f.logger.Info("The TLS certificate was read anew.", slog.Time("until", c.Leaf.NotAfter))
}

// Pool is the authorities of the system and those in a file of PEM.
func Pool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read certificate authorities: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", file)
	}
	return pool, nil
}
