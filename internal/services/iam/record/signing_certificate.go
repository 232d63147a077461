package record

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// SigningCertificate is the stored form of an X.509 signing certificate, in the record of its user.
type SigningCertificate struct {
	ID       string    `json:"id"`
	Body     string    `json:"body"`
	Active   bool      `json:"active"`
	Uploaded time.Time `json:"uploaded"`
}

// Wire is the certificate as it is shown.
func (c SigningCertificate) Wire(e *Identity) types.SigningCertificate {
	return types.SigningCertificate{
		CertificateBody: aws.String(c.Body), CertificateId: aws.String(c.ID), Status: WireStatus(c.Active),
		UploadDate: aws.Time(c.Uploaded), UserName: aws.String(e.Name),
	}
}
