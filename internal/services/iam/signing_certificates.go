package iam

import (
	"context"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base32"
	"encoding/pem"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// signingCertificate is the stored form of an X.509 signing certificate, in the record of its user.
type signingCertificate struct {
	ID       string    `json:"id"`
	Body     string    `json:"body"`
	Active   bool      `json:"active"`
	Uploaded time.Time `json:"uploaded"`
}

// signingCertificateKey keeps whose a certificate is: in an account nobody else may upload it.
func signingCertificateKey(account, id string) string {
	return "iam/" + account + "/signing-certificate/" + id
}

// uploadSigningCertificate answers for a certificate that is there already as for a new one; its status stays (recorded).
func (s *credentialHandlers) uploadSigningCertificate(
	ctx context.Context, c *service.Call, in *sdk.UploadSigningCertificateInput,
) (*sdk.UploadSigningCertificateOutput, error) {
	made, err := s.newSigningCertificate(c, in.CertificateBody)
	if err != nil {
		return nil, err
	}
	out := &sdk.UploadSigningCertificateOutput{}
	err = s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *identity) error {
		owner, err := tx.Get(signingCertificateKey(c.Account, made.ID))
		switch {
		case errors.Is(err, store.ErrNotFound):
			if len(e.Certificates) >= maxSigningCertificates {
				return quotaExceeded("CertificatesPerUser", maxSigningCertificates)
			}
			e.Certificates = append(e.Certificates, made)
			if err := tx.Put(signingCertificateKey(c.Account, made.ID), []byte(e.ID)); err != nil {
				return err
			}
		case err != nil:
			return err
		case string(owner.Value) != e.ID:
			return awserr.New("DuplicateCertificate", http.StatusConflict, "Duplicate certificate uploaded.")
		}
		shown := *e.certificate(made.ID)
		shown.Active = true
		wire := shown.wire(e)
		out.Certificate = &wire
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// newSigningCertificate reads a certificate, which must be valid now. Its id is the hash of what it encodes (recorded).
func (s *credentialHandlers) newSigningCertificate(c *service.Call, body *string) (signingCertificate, error) {
	if err := s.patterns.checkLatin("certificateBody", body, maxCertificateBody); err != nil {
		return signingCertificate{}, err
	}
	malformed := awserr.New("MalformedCertificate", http.StatusBadRequest, "Certificate %s is malformed.", *body)
	block, _ := pem.Decode([]byte(*body))
	if block == nil || block.Type != certificateBlock {
		return signingCertificate{}, malformed
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || c.Time.Before(cert.NotBefore) || c.Time.After(cert.NotAfter) {
		return signingCertificate{}, malformed
	}
	id := sha1.Sum(cert.Raw)
	return signingCertificate{
		ID: base32.StdEncoding.EncodeToString(id[:]), Body: *body, Active: true, Uploaded: c.Time.UTC().Truncate(time.Second),
	}, nil
}

func (s *credentialHandlers) listSigningCertificates(
	ctx context.Context, c *service.Call, in *sdk.ListSigningCertificatesInput,
) (*sdk.ListSigningCertificatesOutput, error) {
	p, k, name, err := s.pageOfUser(c, in.UserName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	e, err := s.read(ctx, c.Account, k, name)
	if err != nil {
		return nil, err
	}
	l := cut(p, sortedBy(e.Certificates, certificateID), certificateID)
	out := &sdk.ListSigningCertificatesOutput{IsTruncated: l.truncated, Marker: l.marker, Certificates: []types.SigningCertificate{}}
	for _, cert := range l.items {
		out.Certificates = append(out.Certificates, cert.wire(e))
	}
	return out, nil
}

func (s *credentialHandlers) updateSigningCertificate(
	ctx context.Context, c *service.Call, in *sdk.UpdateSigningCertificateInput,
) (*sdk.UpdateSigningCertificateOutput, error) {
	active, err := newStatus(in.Status)
	if err != nil {
		return nil, err
	}
	err = s.changeKeys(ctx, c, in.UserName, func(_ store.Tx, e *identity) error {
		cert, err := s.ownCertificate(e, in.CertificateId)
		if err == nil {
			cert.Active = active
		}
		return err
	})
	return &sdk.UpdateSigningCertificateOutput{}, err
}

func (s *credentialHandlers) deleteSigningCertificate(
	ctx context.Context, c *service.Call, in *sdk.DeleteSigningCertificateInput,
) (*sdk.DeleteSigningCertificateOutput, error) {
	err := s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *identity) error {
		cert, err := s.ownCertificate(e, in.CertificateId)
		if err != nil {
			return err
		}
		id := cert.ID
		e.Certificates = slices.DeleteFunc(e.Certificates, func(c signingCertificate) bool { return c.ID == id })
		return tx.Delete(signingCertificateKey(c.Account, id))
	})
	return &sdk.DeleteSigningCertificateOutput{}, err
}

// ownCertificate finds a certificate among those of an identity.
func (s *credentialHandlers) ownCertificate(e *identity, id *string) (*signingCertificate, error) {
	text := aws.ToString(id)
	if err := checkLength("certificateId", text, 24, 128); err != nil {
		return nil, err
	}
	if err := s.patterns.accessKeyID.check("certificateId", text); err != nil {
		return nil, err
	}
	cert := e.certificate(text)
	if cert == nil {
		return nil, noSuchEntity("The Certificate with id %s cannot be found.", text)
	}
	return cert, nil
}

// certificate is the one of an id; nil when there is none.
func (e *identity) certificate(id string) *signingCertificate {
	i := slices.IndexFunc(e.Certificates, func(c signingCertificate) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &e.Certificates[i]
}

func certificateID(c signingCertificate) string { return c.ID }

func (c signingCertificate) wire(e *identity) types.SigningCertificate {
	return types.SigningCertificate{
		CertificateBody: aws.String(c.Body), CertificateId: aws.String(c.ID), Status: wireStatus(c.Active),
		UploadDate: aws.Time(c.Uploaded), UserName: aws.String(e.Name),
	}
}
