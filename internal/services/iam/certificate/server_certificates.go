package certificate

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

func (s *handlers) uploadServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.UploadServerCertificateInput,
) (*sdk.UploadServerCertificateOutput, error) {
	made, err := s.newServerCertificate(c, in)
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if err := claimServerCertificate(tx, c.Account, made.Name); err != nil {
			return err
		}
		n, err := record.Count(tx, record.ServerCertificatePrefix(c.Account), request.MaxServerCertificates)
		if err != nil {
			return err
		}
		if n >= request.MaxServerCertificates {
			return request.QuotaExceeded("ServerCertificatesPerAccount", request.MaxServerCertificates) // the quota's name is not known
		}
		return putServerCertificate(tx, c.Account, made)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.UploadServerCertificateOutput{
		ServerCertificateMetadata: s.wireServerCertificate(c.Account, made), Tags: request.WireTags(made.Tags),
	}, nil
}

func (s *handlers) newServerCertificate(c *service.Call, in *sdk.UploadServerCertificateInput) (*serverCertificate, error) {
	tags, err := s.Patterns.CheckCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := s.Patterns.CheckLatin("certificateBody", in.CertificateBody, request.MaxCertificateBody); err != nil {
		return nil, err
	}
	if err := s.Patterns.CheckLatin("privateKey", in.PrivateKey, request.MaxPrivateKey); err != nil {
		return nil, err
	}
	if in.CertificateChain != nil {
		if err := s.Patterns.CheckLatin("certificateChain", in.CertificateChain, maxCertificateChain); err != nil {
			return nil, err
		}
	}
	leaf, err := parseServerCertificate(c.Time, *in.CertificateBody, *in.PrivateKey, aws.ToString(in.CertificateChain))
	if err != nil {
		return nil, err
	}
	id, err := principal.NewUniqueID(principal.CertificateIDPrefix, c.Account)
	if err != nil {
		return nil, err
	}
	sealed, err := record.SealSecret(s.keyring, record.ServerCertificatePurpose, id, *in.PrivateKey)
	if err != nil {
		return nil, err
	}
	return &serverCertificate{
		ID: id, Name: *in.ServerCertificateName, Path: request.PathOr(in.Path), Body: strings.TrimSpace(*in.CertificateBody),
		Chain: strings.TrimSpace(aws.ToString(in.CertificateChain)), PrivateKey: sealed, Uploaded: c.Time.UTC().Truncate(time.Second),
		Expires: leaf.NotAfter.UTC(), Tags: tags,
	}, nil
}

func (s *handlers) getServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.GetServerCertificateInput,
) (*sdk.GetServerCertificateOutput, error) {
	cert, err := s.readServerCertificate(ctx, c.Account, *in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	out := &types.ServerCertificate{
		CertificateBody: aws.String(cert.Body), ServerCertificateMetadata: s.wireServerCertificate(c.Account, cert),
		Tags: append([]types.Tag{}, request.WireTags(cert.Tags)...),
	}
	if cert.Chain != "" {
		out.CertificateChain = aws.String(cert.Chain)
	}
	return &sdk.GetServerCertificateOutput{ServerCertificate: out}, nil
}

func (s *handlers) listServerCertificates(
	ctx context.Context, c *service.Call, in *sdk.ListServerCertificatesInput,
) (*sdk.ListServerCertificatesOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if err := s.Patterns.CheckPathPrefix(in.PathPrefix); err != nil {
		return nil, err
	}
	load := func(_ store.Reader, item store.Item) (*serverCertificate, string, error) {
		cert, err := store.DecodeJSON[*serverCertificate](item)
		if err != nil {
			return nil, "", err
		}
		return cert, cert.Path, nil
	}
	var l request.Listing[*serverCertificate]
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
		l, err = record.ScanPage(r, record.ServerCertificatePrefix(c.Account), in.PathPrefix, p, load)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.ListServerCertificatesOutput{
		IsTruncated: l.Truncated, Marker: l.Marker, ServerCertificateMetadataList: []types.ServerCertificateMetadata{},
	}
	for _, cert := range l.Items {
		out.ServerCertificateMetadataList = append(out.ServerCertificateMetadataList, *s.wireServerCertificate(c.Account, cert))
	}
	return out, nil
}

func (s *handlers) updateServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.UpdateServerCertificateInput,
) (*sdk.UpdateServerCertificateOutput, error) {
	return &sdk.UpdateServerCertificateOutput{}, s.DB.Update(ctx, func(tx store.Tx) error {
		cert, err := findServerCertificate(tx, c.Account, *in.ServerCertificateName)
		if err != nil {
			return err
		}
		old := serverCertificateKey(c.Account, cert.Name)
		cert.rename(in)
		if key := serverCertificateKey(c.Account, cert.Name); key != old {
			if err := claimServerCertificate(tx, c.Account, cert.Name); err != nil {
				return err
			}
			if err := tx.Delete(old); err != nil {
				return err
			}
		}
		return putServerCertificate(tx, c.Account, cert)
	})
}

// rename gives the certificate the new name and path of a call.
func (cert *serverCertificate) rename(in *sdk.UpdateServerCertificateInput) {
	if in.NewServerCertificateName != nil {
		cert.Name = *in.NewServerCertificateName
	}
	if in.NewPath != nil {
		cert.Path = *in.NewPath
	}
}

// updateServerCertificateTarget needs the permission on the certificate as it will be named, too.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateServerCertificate.html
func (s *handlers) updateServerCertificateTarget(
	ctx context.Context, c *service.Call, in *sdk.UpdateServerCertificateInput,
) ([]service.Need, error) {
	if in.NewServerCertificateName == nil && in.NewPath == nil {
		return nil, nil
	}
	if in.NewServerCertificateName != nil {
		if err := s.Patterns.CheckName("newServerCertificateName", in.NewServerCertificateName, request.MaxServerCertificateName); err != nil {
			return nil, err
		}
	}
	if err := s.Patterns.CheckPath("newPath", in.NewPath); err != nil {
		return nil, err
	}
	cert, err := s.readServerCertificate(ctx, c.Account, *in.ServerCertificateName)
	if request.IsMissing(err) {
		cert, err = &serverCertificate{Name: *in.ServerCertificateName, Path: "/"}, nil
	}
	if err != nil {
		return nil, err
	}
	cert.rename(in)
	t := service.Target{ARN: s.ServerCertificateARN(c.Account, cert.Path, cert.Name), Account: c.Account}
	target.ResourceTags(&t.Keys, cert.Tags)
	return []service.Need{{Action: "iam:UpdateServerCertificate", Target: t}}, nil
}

func (s *handlers) deleteServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.DeleteServerCertificateInput,
) (*sdk.DeleteServerCertificateOutput, error) {
	return &sdk.DeleteServerCertificateOutput{}, s.DB.Update(ctx, func(tx store.Tx) error {
		cert, err := findServerCertificate(tx, c.Account, *in.ServerCertificateName)
		if err != nil {
			return err
		}
		return tx.Delete(serverCertificateKey(c.Account, cert.Name))
	})
}

func (s *handlers) tagServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.TagServerCertificateInput,
) (*sdk.TagServerCertificateOutput, error) {
	if len(in.Tags) == 0 {
		return nil, request.InvalidInput("The provided tag map must not be null/empty.")
	}
	set, err := s.Patterns.CheckCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	err = s.changeServerCertificate(ctx, c.Account, *in.ServerCertificateName, func(cert *serverCertificate) (err error) {
		cert.Tags, err = request.WithTags(cert.Tags, set)
		return err
	})
	return &sdk.TagServerCertificateOutput{}, err
}

func (s *handlers) untagServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.UntagServerCertificateInput,
) (*sdk.UntagServerCertificateOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, request.InvalidInput("The provided tag keys must not be null/empty.")
	}
	if err := s.Patterns.CheckTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	err := s.changeServerCertificate(ctx, c.Account, *in.ServerCertificateName, func(cert *serverCertificate) error {
		cert.Tags = request.WithoutTags(cert.Tags, in.TagKeys)
		return nil
	})
	return &sdk.UntagServerCertificateOutput{}, err
}

func (s *handlers) listServerCertificateTags(
	ctx context.Context, c *service.Call, in *sdk.ListServerCertificateTagsInput,
) (*sdk.ListServerCertificateTagsOutput, error) {
	cert, err := s.readServerCertificate(ctx, c.Account, *in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	l, err := request.ListTags(cert.Tags, in.Marker, in.MaxItems)
	return &sdk.ListServerCertificateTagsOutput{Tags: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}
