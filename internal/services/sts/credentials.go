package sts

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// credentials makes the keys of a session that begins now.
func (s *Service) credentials(
	c *service.Call, account string, session principal.Session, seconds int32,
) (*types.Credentials, error) {
	id, err := principal.NewAccessKeyID(principal.TemporaryKeyPrefix, account)
	if err != nil {
		return nil, err
	}
	session.IssuedAt, session.Expires = expiry(c, seconds)
	token := principal.Token{AccessKeyID: id, SecretAccessKey: principal.NewSecretAccessKey(), Session: session}
	sealed, err := token.Seal(s.keyring)
	if err != nil {
		return nil, err
	}
	return &types.Credentials{
		AccessKeyId: aws.String(sealed.AccessKeyID), SecretAccessKey: aws.String(sealed.SecretAccessKey),
		SessionToken: aws.String(sealed.SessionToken), Expiration: aws.Time(sealed.Expires),
	}, nil
}
