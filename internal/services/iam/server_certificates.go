package iam

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *certificateHandlers) uploadServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.UploadServerCertificateInput,
) (*sdk.UploadServerCertificateOutput, error) {
	made, err := s.newServerCertificate(c, in)
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx store.Tx) error {
		if err := claimServerCertificate(tx, c.Account, made.Name); err != nil {
			return err
		}
		n, err := count(tx, serverCertificatePrefix(c.Account), maxServerCertificates)
		if err != nil {
			return err
		}
		if n >= maxServerCertificates {
			return quotaExceeded("ServerCertificatesPerAccount", maxServerCertificates) // the quota's name is not known
		}
		return putServerCertificate(tx, c.Account, made)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.UploadServerCertificateOutput{
		ServerCertificateMetadata: s.wireServerCertificate(c.Account, made), Tags: wireTags(made.Tags),
	}, nil
}

func (s *certificateHandlers) newServerCertificate(c *service.Call, in *sdk.UploadServerCertificateInput) (*serverCertificate, error) {
	tags, err := s.patterns.checkCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := s.patterns.checkLatin("certificateBody", in.CertificateBody, maxCertificateBody); err != nil {
		return nil, err
	}
	if err := s.patterns.checkLatin("privateKey", in.PrivateKey, maxPrivateKey); err != nil {
		return nil, err
	}
	if in.CertificateChain != nil {
		if err := s.patterns.checkLatin("certificateChain", in.CertificateChain, maxCertificateChain); err != nil {
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
	sealed, err := sealSecret(s.keyring, serverCertificatePurpose, id, *in.PrivateKey)
	if err != nil {
		return nil, err
	}
	return &serverCertificate{
		ID: id, Name: *in.ServerCertificateName, Path: pathOr(in.Path), Body: strings.TrimSpace(*in.CertificateBody),
		Chain: strings.TrimSpace(aws.ToString(in.CertificateChain)), PrivateKey: sealed, Uploaded: c.Time.UTC().Truncate(time.Second),
		Expires: leaf.NotAfter.UTC(), Tags: tags,
	}, nil
}

func (s *certificateHandlers) getServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.GetServerCertificateInput,
) (*sdk.GetServerCertificateOutput, error) {
	cert, err := s.readServerCertificate(ctx, c.Account, *in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	out := &types.ServerCertificate{
		CertificateBody: aws.String(cert.Body), ServerCertificateMetadata: s.wireServerCertificate(c.Account, cert),
		Tags: append([]types.Tag{}, wireTags(cert.Tags)...),
	}
	if cert.Chain != "" {
		out.CertificateChain = aws.String(cert.Chain)
	}
	return &sdk.GetServerCertificateOutput{ServerCertificate: out}, nil
}

func (s *certificateHandlers) listServerCertificates(
	ctx context.Context, c *service.Call, in *sdk.ListServerCertificatesInput,
) (*sdk.ListServerCertificatesOutput, error) {
	p, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if err := s.patterns.checkPathPrefix(in.PathPrefix); err != nil {
		return nil, err
	}
	load := func(_ store.Reader, item store.Item) (*serverCertificate, string, error) {
		cert, err := store.DecodeJSON[*serverCertificate](item)
		if err != nil {
			return nil, "", err
		}
		return cert, cert.Path, nil
	}
	var l listing[*serverCertificate]
	err = s.db.View(ctx, func(r store.Reader) (err error) {
		l, err = scanPage(r, serverCertificatePrefix(c.Account), in.PathPrefix, p, load)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.ListServerCertificatesOutput{
		IsTruncated: l.truncated, Marker: l.marker, ServerCertificateMetadataList: []types.ServerCertificateMetadata{},
	}
	for _, cert := range l.items {
		out.ServerCertificateMetadataList = append(out.ServerCertificateMetadataList, *s.wireServerCertificate(c.Account, cert))
	}
	return out, nil
}

func (s *certificateHandlers) updateServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.UpdateServerCertificateInput,
) (*sdk.UpdateServerCertificateOutput, error) {
	return &sdk.UpdateServerCertificateOutput{}, s.db.Update(ctx, func(tx store.Tx) error {
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
func (s *certificateHandlers) updateServerCertificateTarget(
	ctx context.Context, c *service.Call, in *sdk.UpdateServerCertificateInput,
) ([]service.Need, error) {
	if in.NewServerCertificateName == nil && in.NewPath == nil {
		return nil, nil
	}
	if in.NewServerCertificateName != nil {
		if err := s.patterns.checkName("newServerCertificateName", in.NewServerCertificateName, maxServerCertificateName); err != nil {
			return nil, err
		}
	}
	if err := s.patterns.checkPath("newPath", in.NewPath); err != nil {
		return nil, err
	}
	cert, err := s.readServerCertificate(ctx, c.Account, *in.ServerCertificateName)
	if isMissing(err) {
		cert, err = &serverCertificate{Name: *in.ServerCertificateName, Path: "/"}, nil
	}
	if err != nil {
		return nil, err
	}
	cert.rename(in)
	t := service.Target{ARN: s.serverCertificateARN(c.Account, cert.Path, cert.Name), Account: c.Account}
	resourceTags(&t.Keys, cert.Tags)
	return []service.Need{{Action: "iam:UpdateServerCertificate", Target: t}}, nil
}

func (s *certificateHandlers) deleteServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.DeleteServerCertificateInput,
) (*sdk.DeleteServerCertificateOutput, error) {
	return &sdk.DeleteServerCertificateOutput{}, s.db.Update(ctx, func(tx store.Tx) error {
		cert, err := findServerCertificate(tx, c.Account, *in.ServerCertificateName)
		if err != nil {
			return err
		}
		return tx.Delete(serverCertificateKey(c.Account, cert.Name))
	})
}

func (s *certificateHandlers) tagServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.TagServerCertificateInput,
) (*sdk.TagServerCertificateOutput, error) {
	if len(in.Tags) == 0 {
		return nil, invalidInput("The provided tag map must not be null/empty.")
	}
	set, err := s.patterns.checkCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	err = s.changeServerCertificate(ctx, c.Account, *in.ServerCertificateName, func(cert *serverCertificate) (err error) {
		cert.Tags, err = withTags(cert.Tags, set)
		return err
	})
	return &sdk.TagServerCertificateOutput{}, err
}

func (s *certificateHandlers) untagServerCertificate(
	ctx context.Context, c *service.Call, in *sdk.UntagServerCertificateInput,
) (*sdk.UntagServerCertificateOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, invalidInput("The provided tag keys must not be null/empty.")
	}
	if err := s.patterns.checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	err := s.changeServerCertificate(ctx, c.Account, *in.ServerCertificateName, func(cert *serverCertificate) error {
		cert.Tags = withoutTags(cert.Tags, in.TagKeys)
		return nil
	})
	return &sdk.UntagServerCertificateOutput{}, err
}

func (s *certificateHandlers) listServerCertificateTags(
	ctx context.Context, c *service.Call, in *sdk.ListServerCertificateTagsInput,
) (*sdk.ListServerCertificateTagsOutput, error) {
	cert, err := s.readServerCertificate(ctx, c.Account, *in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	l, err := listTags(cert.Tags, in.Marker, in.MaxItems)
	return &sdk.ListServerCertificateTagsOutput{Tags: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}
