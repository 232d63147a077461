package certificate

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/target"
)

// handlers are the operations on server certificates.
type handlers struct {
	*target.Store
	keyring *secret.Keyring
}

// Operations is the table of server certificates.
func Operations(t *target.Store, k *secret.Keyring) []service.Operation {
	s := &handlers{Store: t, keyring: k}
	return []service.Operation{
		target.Op("UploadServerCertificate", s.onNewServerCertificate, s.uploadServerCertificate,
			target.Tagging[sdk.UploadServerCertificateInput]("iam:TagServerCertificate", s.onNewServerCertificate)),
		target.Op("GetServerCertificate", s.onServerCertificate(), s.getServerCertificate),
		target.Op("ListServerCertificates", target.Anywhere, s.listServerCertificates),
		target.Op("UpdateServerCertificate", s.onServerCertificate(), s.updateServerCertificate, s.updateServerCertificateTarget),
		target.Op("DeleteServerCertificate", s.onServerCertificate(), s.deleteServerCertificate),
		target.Op("TagServerCertificate", s.onServerCertificate(target.RequestTags), s.tagServerCertificate),
		target.Op("UntagServerCertificate", s.onServerCertificate(target.RequestTagKeys), s.untagServerCertificate),
		target.Op("ListServerCertificateTags", s.onServerCertificate(), s.listServerCertificateTags),
	}
}
