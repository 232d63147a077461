package saml

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/russellhaering/gosaml2/types"
)

// ErrMetadata means that a text is not the metadata of an identity provider.
var ErrMetadata = errors.New("saml: invalid metadata")

// Metadata is what a provider says of itself.
type Metadata struct {
	// EntityID is the provider's name, which its assertions have as their issuer.
	EntityID string
	// ValidUntil is zero when the document does not say.
	ValidUntil time.Time
	// Certificates hold the keys that the provider signs with.
	Certificates []*x509.Certificate
}

// minKeyBits is the weakest RSA key that signatures are taken of, as at AWS
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_saml.html, "Could not parse metadata").
const minKeyBits = 1024

// ParseMetadata reads a metadata document. The error wraps ErrMetadata.
func ParseMetadata(text string) (*Metadata, error) {
	if err := checkText([]byte(text)); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMetadata, err)
	}
	var d types.EntityDescriptor
	if err := xml.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &d); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMetadata, err)
	}
	m := &Metadata{EntityID: d.EntityID, ValidUntil: d.ValidUntil}
	switch {
	case m.EntityID == "":
		return nil, fmt.Errorf("%w: it has no entityID", ErrMetadata)
	case d.IDPSSODescriptor == nil:
		return nil, fmt.Errorf("%w: it has no IDPSSODescriptor", ErrMetadata)
	case len(d.IDPSSODescriptor.SingleSignOnServices) == 0:
		return nil, fmt.Errorf("%w: it has no SingleSignOnService", ErrMetadata)
	}
	for _, k := range d.IDPSSODescriptor.KeyDescriptors {
		if k.Use != "" && k.Use != "signing" {
			continue
		}
		for _, c := range k.KeyInfo.X509Data.X509Certificates {
			cert, err := parseCertificate(c.Data)
			if err != nil {
				return nil, fmt.Errorf("%w: %v", ErrMetadata, err)
			}
			m.Certificates = append(m.Certificates, cert)
		}
	}
	if m.Certificates == nil {
		return nil, fmt.Errorf("%w: it has no certificate to verify signatures with", ErrMetadata)
	}
	return m, nil
}

func parseCertificate(text string) (*x509.Certificate, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, fmt.Errorf("certificate: %v", err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("certificate: %v", err)
	}
	if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minKeyBits {
		return nil, fmt.Errorf("the key of a certificate has %d bits", key.N.BitLen())
	}
	return cert, nil
}

// maxDepth bounds how deep elements may be nested.
const maxDepth = 64

// checkText refuses documents that a reader could understand in two ways, or that cost more than they are worth.
func checkText(text []byte) error {
	if err := survives(text); err != nil {
		return err
	}
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	for depth, roots := 0, 0; ; {
		token, err := d.Token()
		if token == nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		switch token.(type) {
		case xml.Directive:
			return errors.New("it has a document type")
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
		case xml.EndElement:
			depth--
		}
		if depth > maxDepth || roots > 1 {
			return errors.New("it is nested too deep, or has more than one root")
		}
	}
}
