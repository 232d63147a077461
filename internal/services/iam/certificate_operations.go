package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
)

// certificateHandlers are the operations on server certificates.
type certificateHandlers struct {
	*Store
	keyring *secret.Keyring
}

// certificateOperations is the table of server certificates.
func certificateOperations(t *Store, k *secret.Keyring) []service.Operation {
	s := &certificateHandlers{Store: t, keyring: k}
	return []service.Operation{
		op("UploadServerCertificate", s.onNewServerCertificate, s.uploadServerCertificate,
			tagging[sdk.UploadServerCertificateInput]("iam:TagServerCertificate", s.onNewServerCertificate)),
		op("GetServerCertificate", s.onServerCertificate(), s.getServerCertificate),
		op("ListServerCertificates", anywhere, s.listServerCertificates),
		op("UpdateServerCertificate", s.onServerCertificate(), s.updateServerCertificate, s.updateServerCertificateTarget),
		op("DeleteServerCertificate", s.onServerCertificate(), s.deleteServerCertificate),
		op("TagServerCertificate", s.onServerCertificate(requestTags), s.tagServerCertificate),
		op("UntagServerCertificate", s.onServerCertificate(requestTagKeys), s.untagServerCertificate),
		op("ListServerCertificateTags", s.onServerCertificate(), s.listServerCertificateTags),
	}
}
