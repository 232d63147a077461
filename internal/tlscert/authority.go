package tlscert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	// CertificateFile and keyFile are those of an authority in its directory.
	CertificateFile = "ca.pem"
	keyFile         = "ca-key.pem"

	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	// renewal is how long before its end a certificate is made anew.
	renewal = 30 * 24 * time.Hour
	// backdate lets clients in whose clocks are behind.
	backdate = time.Hour
)

// Authority is a Source of certificates for some hosts, made by a certificate authority of its own, which clients are told to trust.
type Authority struct {
	hosts []string
	now   func() time.Time
	ca    *x509.Certificate
	key   *ecdsa.PrivateKey

	mu   sync.Mutex
	leaf *tls.Certificate
}

// OpenAuthority opens the authority in a directory, or makes it there. hosts are names, of which the first label may be "*", and addresses.
// Servers that clients trust alike have the same two files.
func OpenAuthority(dir string, hosts []string, now func() time.Time) (*Authority, error) {
	if len(hosts) == 0 {
		return nil, errors.New("a certificate needs a host")
	}
	a := &Authority{hosts: slices.Clone(hosts), now: now}
	_, err := os.Stat(filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = a.create(dir)
	}
	if err == nil {
		err = a.read(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	if _, err := a.Certificate(nil); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Authority) read(dir string) error {
	name := filepath.Join(dir, keyFile)
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o and is open to others: chmod 600 it", name, mode)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, CertificateFile), name)
	if err != nil {
		return err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return fmt.Errorf("%s is not the ECDSA key of a certificate authority", name)
	}
	a.ca, a.key = pair.Leaf, key
	return nil
}

// create writes the key last: a certificate without it is of a start that was broken off.
func (a *Authority) create(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := a.template(authorityLife)
	template.Subject = pkix.Name{CommonName: "licet, certificate authority of " + template.NotBefore.Format(time.DateOnly)}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, CertificateFile), "CERTIFICATE", der, 0o644); err != nil {
		return err
	}
	return write(filepath.Join(dir, keyFile), "PRIVATE KEY", pkcs8, 0o600)
}

// write writes a file of PEM durably.
func write(name, kind string, der []byte, mode fs.FileMode) error {
	tmp, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	if err := errors.Join(pem.Encode(tmp, &pem.Block{Type: kind, Bytes: der}), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (a *Authority) template(life time.Duration) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails: crypto/rand
	now := a.now()
	return &x509.Certificate{SerialNumber: serial, NotBefore: now.Add(-backdate), NotAfter: now.Add(life)}
}

// Certificate gives one that is good for some time to come.
func (a *Authority) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	// One that begins in the future was made while the clock was wrong.
	if now := a.now(); a.leaf != nil && now.Before(a.leaf.Leaf.NotAfter.Add(-renewal)) && !now.Before(a.leaf.Leaf.NotBefore) {
		return a.leaf, nil
	}
	leaf, err := a.issue()
	if err != nil {
		return nil, fmt.Errorf("make TLS certificate: %w", err)
	}
	a.leaf = leaf
	return leaf, nil
}

func (a *Authority) issue() (*tls.Certificate, error) {
	if a.now().After(a.ca.NotAfter) {
		return nil, errors.New("the certificate authority is over: remove " + CertificateFile + " and " + keyFile + ", and the next start makes another")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := a.template(leafLife)
	if template.NotAfter.After(a.ca.NotAfter) {
		template.NotAfter = a.ca.NotAfter
	}
	template.Subject = pkix.Name{CommonName: a.hosts[0]}
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range a.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.ca, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.ca.Raw}, PrivateKey: key, Leaf: leaf}, nil
}
