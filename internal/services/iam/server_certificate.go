package iam

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// maxPrivateKey is the bound of the API model on a key in PEM.
const maxPrivateKey = 16384

const maxCertificateChain = 2097152

const certificateBlock = "CERTIFICATE"

// serverCertificate is the stored form of a server certificate. PrivateKey is sealed together with the id.
type serverCertificate struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Path       string    `json:"path"`
	Body       string    `json:"body"`
	Chain      string    `json:"chain,omitempty"`
	PrivateKey []byte    `json:"private_key"`
	Uploaded   time.Time `json:"uploaded"`
	Expires    time.Time `json:"expires"`
	Tags       []tag     `json:"tags,omitempty"`
}

func serverCertificatePrefix(account string) string {
	return "iam/" + account + "/server-certificate/"
}

func serverCertificateKey(account, name string) string {
	return serverCertificatePrefix(account) + strings.ToLower(name)
}

func (n names) serverCertificateARN(account, path, name string) string {
	return n.arn(account, "server-certificate"+path+name)
}

// findServerCertificate reads a certificate by its name, which must be spelled as it was made.
func findServerCertificate(r store.Reader, account, name string) (*serverCertificate, error) {
	cert, err := store.GetJSON[*serverCertificate](r, serverCertificateKey(account, name))
	if errors.Is(err, store.ErrNotFound) || err == nil && cert.Name != name {
		return nil, noSuchEntity("The Server Certificate with name %s cannot be found.", name)
	}
	return cert, err
}

func putServerCertificate(tx store.Tx, account string, cert *serverCertificate) error {
	return store.PutJSON(tx, serverCertificateKey(account, cert.Name), cert)
}

// claimServerCertificate makes sure that a name is free.
func claimServerCertificate(r store.Reader, account, name string) error {
	_, err := r.Get(serverCertificateKey(account, name))
	if err == nil {
		return alreadyExists("The Server Certificate with name %s already exists.", name)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// changeServerCertificate is change for a certificate.
func (s *certificateHandlers) changeServerCertificate(ctx context.Context, account, name string, fn func(*serverCertificate) error) error {
	return s.db.Update(ctx, func(tx store.Tx) error {
		cert, err := findServerCertificate(tx, account, name)
		if err != nil {
			return err
		}
		if err := fn(cert); err != nil {
			return err
		}
		return putServerCertificate(tx, account, cert)
	})
}

// readServerCertificate reads a certificate by its name.
func (s *certificateHandlers) readServerCertificate(ctx context.Context, account, name string) (cert *serverCertificate, err error) {
	err = s.db.View(ctx, func(r store.Reader) (err error) {
		cert, err = findServerCertificate(r, account, name)
		return err
	})
	return cert, err
}

func malformedCertificate(format string, args ...any) error {
	return awserr.New("MalformedCertificate", http.StatusBadRequest, format, args...)
}

// parseServerCertificate reads a certificate that is valid now, and holds it against its key and chain. The texts are recorded, but
// for those of keys that cannot be read and of certificates that are not valid yet.
func parseServerCertificate(now time.Time, body, key, chain string) (*x509.Certificate, error) {
	certs, ok := parseCertificates(body)
	if !ok || len(certs) != 1 {
		return nil, malformedCertificate("Unable to parse certificate. Please ensure the certificate is in PEM format.")
	}
	leaf := certs[0]
	switch {
	case now.After(leaf.NotAfter):
		return nil, malformedCertificate("Certificate is no longer valid. The 'Not After' date restriction on the certificate has passed.")
	case now.Before(leaf.NotBefore):
		return nil, malformedCertificate("Certificate is not yet valid. The 'Not Before' date restriction on the certificate has not passed.")
	}
	if err := checkPrivateKey(leaf, key); err != nil {
		return nil, err
	}
	if chain == "" {
		return leaf, nil
	}
	issuers, ok := parseCertificates(chain)
	if !ok || len(issuers) == 0 {
		return nil, malformedCertificate("")
	}
	signed := leaf
	for i, issuer := range issuers {
		if signed.CheckSignatureFrom(issuer) != nil {
			if i == 0 {
				i = -1 // recorded, as is the place of a later one
			}
			return nil, malformedCertificate("Unable to validate certificate chain. The certificate chain must start with the immediate "+
				"signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: %d", i)
		}
		signed = issuer
	}
	return leaf, nil
}

// parseCertificates reads a text of certificates and nothing else.
func parseCertificates(text string) (certs []*x509.Certificate, ok bool) {
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return certs, strings.TrimSpace(string(rest)) == ""
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != certificateBlock {
			return nil, false
		}
		certs = append(certs, cert)
	}
}

// checkPrivateKey holds a private key against the certificate of its public key.
func checkPrivateKey(leaf *x509.Certificate, text string) error {
	private, err := parsePrivateKey(text)
	if err != nil {
		return malformedCertificate("Unable to parse key. Please ensure the key is in PEM format.")
	}
	if public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(private.Public()) {
		return awserr.New("KeyPairMismatch", http.StatusBadRequest,
			"The private key did not match the public key provided. Please verify the key material and try again.")
	}
	return nil
}

// parsePrivateKey reads an RSA or EC key in one of the forms that PEM has for them.
func parsePrivateKey(text string) (crypto.Signer, error) {
	block, rest := pem.Decode([]byte(text))
	for block != nil && block.Type == "EC PARAMETERS" { // openssl writes them ahead of the key
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case *ecdsa.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("key of type %T", key)
}

// onServerCertificate is the resource of operations on one certificate.
func (s *certificateHandlers) onServerCertificate(more ...keys) resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		name := member[*string](in, "ServerCertificateName")
		if err := s.patterns.checkName("serverCertificateName", name, maxServerCertificateName); err != nil {
			return service.Target{}, err
		}
		t := service.Target{
			ARN: s.serverCertificateARN(c.Account, "/", *name), Named: "server certificate " + *name, Account: c.Account,
		}
		cert, err := s.readServerCertificate(ctx, c.Account, *name)
		switch {
		case err == nil:
			t.ARN = s.serverCertificateARN(c.Account, cert.Path, cert.Name)
			resourceTags(&t.Keys, cert.Tags)
		case !isMissing(err):
			return service.Target{}, err
		}
		for _, m := range more {
			m(in, nil, &t.Keys)
		}
		return t, nil
	}
}

// onNewServerCertificate is the resource of UploadServerCertificate: the certificate's ARN to be.
func (s *certificateHandlers) onNewServerCertificate(_ context.Context, c *service.Call, in any) (service.Target, error) {
	name, path := member[*string](in, "ServerCertificateName"), member[*string](in, "Path")
	if err := s.patterns.checkName("serverCertificateName", name, maxServerCertificateName); err != nil {
		return service.Target{}, err
	}
	if err := s.patterns.checkPath("path", path); err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: s.serverCertificateARN(c.Account, pathOr(path), *name), Account: c.Account}
	requestTags(in, nil, &t.Keys)
	return t, nil
}

func (s *certificateHandlers) wireServerCertificate(account string, cert *serverCertificate) *types.ServerCertificateMetadata {
	return &types.ServerCertificateMetadata{
		Arn: aws.String(s.serverCertificateARN(account, cert.Path, cert.Name)), Path: aws.String(cert.Path),
		ServerCertificateId: aws.String(cert.ID), ServerCertificateName: aws.String(cert.Name),
		Expiration: aws.Time(cert.Expires), UploadDate: aws.Time(cert.Uploaded),
	}
}
