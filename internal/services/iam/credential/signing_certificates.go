package credential

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
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// signingCertificateKey keeps whose a certificate is: in an account nobody else may upload it.
func signingCertificateKey(account, id string) string {
	return "iam/" + account + "/signing-certificate/" + id
}

// uploadSigningCertificate answers for a certificate that is there already as for a new one; its status stays (recorded).
func (s *handlers) uploadSigningCertificate(
	ctx context.Context, c *service.Call, in *sdk.UploadSigningCertificateInput,
) (*sdk.UploadSigningCertificateOutput, error) {
	made, err := s.newSigningCertificate(c, in.CertificateBody)
	if err != nil {
		return nil, err
	}
	out := &sdk.UploadSigningCertificateOutput{}
	err = s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *record.Identity) error {
		owner, err := tx.Get(signingCertificateKey(c.Account, made.ID))
		switch {
		case errors.Is(err, store.ErrNotFound):
			if len(e.Certificates) >= request.MaxSigningCertificates {
				return request.QuotaExceeded("CertificatesPerUser", request.MaxSigningCertificates)
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
		shown := *e.Certificate(made.ID)
		shown.Active = true
		wire := shown.Wire(e)
		out.Certificate = &wire
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// newSigningCertificate reads a certificate, which must be valid now. Its id is the hash of what it encodes (recorded).
func (s *handlers) newSigningCertificate(c *service.Call, body *string) (record.SigningCertificate, error) {
	if err := s.Patterns.CheckLatin("certificateBody", body, request.MaxCertificateBody); err != nil {
		return record.SigningCertificate{}, err
	}
	malformed := awserr.New("MalformedCertificate", http.StatusBadRequest, "Certificate %s is malformed.", *body)
	block, _ := pem.Decode([]byte(*body))
	if block == nil || block.Type != request.CertificateBlock {
		return record.SigningCertificate{}, malformed
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || c.Time.Before(cert.NotBefore) || c.Time.After(cert.NotAfter) {
		return record.SigningCertificate{}, malformed
	}
	id := sha1.Sum(cert.Raw)
	return record.SigningCertificate{
		ID: base32.StdEncoding.EncodeToString(id[:]), Body: *body, Active: true, Uploaded: c.Time.UTC().Truncate(time.Second),
	}, nil
}

func (s *handlers) listSigningCertificates(
	ctx context.Context, c *service.Call, in *sdk.ListSigningCertificatesInput,
) (*sdk.ListSigningCertificatesOutput, error) {
	p, k, name, err := s.PageOfUser(c, in.UserName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	e, err := s.Read(ctx, c.Account, k, name)
	if err != nil {
		return nil, err
	}
	l := request.Cut(p, request.SortedBy(e.Certificates, certificateID), certificateID)
	out := &sdk.ListSigningCertificatesOutput{IsTruncated: l.Truncated, Marker: l.Marker, Certificates: []types.SigningCertificate{}}
	for _, cert := range l.Items {
		out.Certificates = append(out.Certificates, cert.Wire(e))
	}
	return out, nil
}

func (s *handlers) updateSigningCertificate(
	ctx context.Context, c *service.Call, in *sdk.UpdateSigningCertificateInput,
) (*sdk.UpdateSigningCertificateOutput, error) {
	active, err := record.NewStatus(in.Status)
	if err != nil {
		return nil, err
	}
	err = s.changeKeys(ctx, c, in.UserName, func(_ store.Tx, e *record.Identity) error {
		cert, err := s.ownCertificate(e, in.CertificateId)
		if err == nil {
			cert.Active = active
		}
		return err
	})
	return &sdk.UpdateSigningCertificateOutput{}, err
}

func (s *handlers) deleteSigningCertificate(
	ctx context.Context, c *service.Call, in *sdk.DeleteSigningCertificateInput,
) (*sdk.DeleteSigningCertificateOutput, error) {
	err := s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *record.Identity) error {
		cert, err := s.ownCertificate(e, in.CertificateId)
		if err != nil {
			return err
		}
		id := cert.ID
		e.Certificates = slices.DeleteFunc(e.Certificates, func(c record.SigningCertificate) bool { return c.ID == id })
		return tx.Delete(signingCertificateKey(c.Account, id))
	})
	return &sdk.DeleteSigningCertificateOutput{}, err
}

// ownCertificate finds a certificate among those of an identity.
func (s *handlers) ownCertificate(e *record.Identity, id *string) (*record.SigningCertificate, error) {
	text := aws.ToString(id)
	if err := request.CheckLength("certificateId", text, 24, 128); err != nil {
		return nil, err
	}
	if err := s.Patterns.AccessKeyID.Check("certificateId", text); err != nil {
		return nil, err
	}
	cert := e.Certificate(text)
	if cert == nil {
		return nil, request.NoSuchEntity("The Certificate with id %s cannot be found.", text)
	}
	return cert, nil
}

func certificateID(c record.SigningCertificate) string { return c.ID }
