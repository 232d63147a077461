package tlscert

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// clock is turned by tests.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)} }

var hosts = []string{"localhost", "127.0.0.1", "::1", "*.lambda-url.us-east-1.localhost"}

func authority(t *testing.T, dir string, c *clock) *Authority {
	t.Helper()
	a, err := OpenAuthority(dir, hosts, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// handshake connects to a server with certificates of s, as a client that trusts ca and looks for a host.
func handshake(t *testing.T, s Source, ca, host string, at time.Time, change func(*tls.Config)) (*x509.Certificate, error) {
	t.Helper()
	pool, err := Pool(ca)
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	defer client.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		_ = tls.Server(server, Config(s)).Handshake() // the client tells
	}()
	defer func() { <-done }()
	defer client.Close()
	config := &tls.Config{RootCAs: pool, ServerName: host, Time: func() time.Time { return at }}
	if change != nil {
		change(config)
	}
	conn := tls.Client(client, config)
	if err := conn.Handshake(); err != nil {
		return nil, err
	}
	return conn.ConnectionState().PeerCertificates[0], nil
}

func TestAuthority(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	a := authority(t, dir, c)
	ca := filepath.Join(dir, CertificateFile)
	for host, good := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true, "abc.lambda-url.us-east-1.localhost": true, "example.com": false, "127.0.0.2": false,
	} {
		if _, err := handshake(t, a, ca, host, c.now(), nil); (err == nil) != good {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := handshake(t, a, ca, "localhost", c.now(), func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if info, err := os.Stat(filepath.Join(dir, keyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
	// The next start has the same authority, and so has another server with its files.
	other := t.TempDir()
	for _, name := range []string{CertificateFile, keyFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(other, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{dir, other} {
		if _, err := handshake(t, authority(t, dir, c), ca, "localhost", c.now(), nil); err != nil {
			t.Errorf("after a start: %v", err)
		}
	}
	// Clients that trust the system alone do not trust it.
	if _, err := handshake(t, a, ca, "localhost", c.now(), func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }); err == nil {
		t.Error("trusted by anybody")
	}
}

func TestAuthorityRenews(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	a := authority(t, dir, c)
	ca := filepath.Join(dir, CertificateFile)
	serials := map[string]bool{}
	for range 100 { // days, a certificate is good for 90
		leaf, err := handshake(t, a, ca, "localhost", c.now(), nil)
		if err != nil {
			t.Fatalf("%v: %v", c.Time, err)
		}
		serials[leaf.SerialNumber.String()] = true
		c.Time = c.Add(24 * time.Hour)
	}
	if len(serials) != 2 {
		t.Errorf("%d certificates in 100 days, want 2", len(serials))
	}
	c.Time = c.Add(-70 * 24 * time.Hour) // it was wrong
	if _, err := handshake(t, a, ca, "localhost", c.now(), nil); err != nil {
		t.Errorf("after the clock was set back: %v", err)
	}
	c.Time = newClock().Add(authorityLife + time.Hour)
	if _, err := OpenAuthority(dir, hosts, c.now); err == nil {
		t.Error("an authority that is over makes certificates")
	}
}

func TestAuthorityRefusals(t *testing.T) {
	c := newClock()
	for name, change := range map[string]func(dir string) error{
		"open to others": func(dir string) error { return os.Chmod(filepath.Join(dir, keyFile), 0o644) },
		"no certificate": func(dir string) error { return os.Remove(filepath.Join(dir, CertificateFile)) },
		"damaged":        func(dir string) error { return os.WriteFile(filepath.Join(dir, keyFile), []byte("x"), 0o600) },
		"another's": func(dir string) error {
			other := t.TempDir()
			if _, err := OpenAuthority(other, hosts, c.now); err != nil {
				return err
			}
			return os.Rename(filepath.Join(other, keyFile), filepath.Join(dir, keyFile))
		},
	} {
		dir := t.TempDir()
		authority(t, dir, c)
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenAuthority(dir, hosts, c.now); err == nil {
			// A certificate that clients were told to trust is never replaced unasked, as long as its key is there.
			t.Errorf("%s: opened", name)
		}
	}
	if _, err := OpenAuthority(t.TempDir(), nil, c.now); err == nil {
		t.Error("opened without hosts")
	}
}

// give writes a certificate of a's and its key to two files.
func give(t *testing.T, a *Authority, certificate, key string) {
	t.Helper()
	leaf, err := a.issue()
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFiles(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	a := authority(t, dir, c)
	ca, certificate, key := filepath.Join(dir, CertificateFile), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	quiet := slog.New(slog.DiscardHandler)
	if _, err := Open(certificate, key, c.now, quiet); err == nil {
		t.Error("opened what is not there")
	}
	give(t, a, certificate, key)
	f, err := Open(certificate, key, c.now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	serial := func() string {
		t.Helper()
		leaf, err := handshake(t, f, ca, "localhost", c.now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return leaf.SerialNumber.String()
	}
	first := serial()
	if err := os.WriteFile(certificate, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Time = c.Add(time.Minute)
	if serial() != first {
		t.Error("another certificate from a damaged file")
	}
	give(t, a, certificate, key)
	c.Time = c.Add(time.Minute)
	if serial() == first {
		t.Error("the files have changed, and the certificate has not")
	}
	c.Time = c.Add(leafLife)
	if _, err := f.Certificate(nil); err == nil {
		t.Error("a certificate that is over is served")
	}
	if _, err := Open(certificate, key, c.now, quiet); err == nil {
		t.Error("opened a certificate that is over")
	}
}

func TestPool(t *testing.T) {
	if _, err := Pool(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there")
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Pool(empty); err == nil {
		t.Error("a file without certificates")
	}
}
