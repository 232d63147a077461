package certificate

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

const maxCertificateChain = 2097152

// serverCertificate is the stored form of a server certificate. PrivateKey is sealed together with the id.
type serverCertificate struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Path       string        `json:"path"`
	Body       string        `json:"body"`
	Chain      string        `json:"chain,omitempty"`
	PrivateKey []byte        `json:"private_key"`
	Uploaded   time.Time     `json:"uploaded"`
	Expires    time.Time     `json:"expires"`
	Tags       []request.Tag `json:"tags,omitempty"`
}

func serverCertificateKey(account, name string) string {
	return record.ServerCertificatePrefix(account) + strings.ToLower(name)
}

// findServerCertificate reads a certificate by its name, which must be spelled as it was made.
func findServerCertificate(r store.Reader, account, name string) (*serverCertificate, error) {
	cert, err := store.GetJSON[*serverCertificate](r, serverCertificateKey(account, name))
	if errors.Is(err, store.ErrNotFound) || err == nil && cert.Name != name {
		return nil, request.NoSuchEntity("The Server Certificate with name %s cannot be found.", name)
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
		return request.AlreadyExists("The Server Certificate with name %s already exists.", name)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// changeServerCertificate is Change for a certificate.
func (s *handlers) changeServerCertificate(ctx context.Context, account, name string, fn func(*serverCertificate) error) error {
	return s.DB.Update(ctx, func(tx store.Tx) error {
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
func (s *handlers) readServerCertificate(ctx context.Context, account, name string) (cert *serverCertificate, err error) {
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
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
		if err != nil || block.Type != request.CertificateBlock {
			return nil, false
		}
		certs = append(certs, cert)
	}
}

// checkPrivateKey holds a private key against the certificate of its public key.
func checkPrivateKey(leaf *x509.Certificate, text string) error {
	private, err := request.ParsePrivateKey(text)
	if err != nil {
		return malformedCertificate("Unable to parse key. Please ensure the key is in PEM format.")
	}
	if public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(private.Public()) {
		return awserr.New("KeyPairMismatch", http.StatusBadRequest,
			"The private key did not match the public key provided. Please verify the key material and try again.")
	}
	return nil
}

// onServerCertificate is the resource of operations on one certificate.
func (s *handlers) onServerCertificate(more ...target.Keys) target.Resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		name := target.Member[*string](in, "ServerCertificateName")
		if err := s.Patterns.CheckName("serverCertificateName", name, request.MaxServerCertificateName); err != nil {
			return service.Target{}, err
		}
		t := service.Target{
			ARN: s.ServerCertificateARN(c.Account, "/", *name), Named: "server certificate " + *name, Account: c.Account,
		}
		cert, err := s.readServerCertificate(ctx, c.Account, *name)
		switch {
		case err == nil:
			t.ARN = s.ServerCertificateARN(c.Account, cert.Path, cert.Name)
			target.ResourceTags(&t.Keys, cert.Tags)
		case !request.IsMissing(err):
			return service.Target{}, err
		}
		for _, m := range more {
			m(in, nil, &t.Keys)
		}
		return t, nil
	}
}

// onNewServerCertificate is the resource of UploadServerCertificate: the certificate's ARN to be.
func (s *handlers) onNewServerCertificate(_ context.Context, c *service.Call, in any) (service.Target, error) {
	name, path := target.Member[*string](in, "ServerCertificateName"), target.Member[*string](in, "Path")
	if err := s.Patterns.CheckName("serverCertificateName", name, request.MaxServerCertificateName); err != nil {
		return service.Target{}, err
	}
	if err := s.Patterns.CheckPath("path", path); err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: s.ServerCertificateARN(c.Account, request.PathOr(path), *name), Account: c.Account}
	target.NewTags(in, nil, &t.Keys)
	return t, nil
}

func (s *handlers) wireServerCertificate(account string, cert *serverCertificate) *types.ServerCertificateMetadata {
	return &types.ServerCertificateMetadata{
		Arn: aws.String(s.ServerCertificateARN(account, cert.Path, cert.Name)), Path: aws.String(cert.Path),
		ServerCertificateId: aws.String(cert.ID), ServerCertificateName: aws.String(cert.Name),
		Expiration: aws.Time(cert.Expires), UploadDate: aws.Time(cert.Uploaded),
	}
}
