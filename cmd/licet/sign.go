package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/codesign"
)

// signatureValidity is AWS Signer's default: 135 months
// (https://docs.aws.amazon.com/signer/latest/api/API_PutSigningProfile.html, signatureValidityPeriod).
const signatureValidity = 135 * 30 * 24 * time.Hour

func signCommand() *cobra.Command {
	var profile, keyFile string
	var validity time.Duration
	cmd := &cobra.Command{
		Use:   "sign [flags] ARCHIVE SIGNED",
		Short: "Sign a deployment package or a layer, as AWS Signer does for Lambda",
		Long: "Sign the zip archive ARCHIVE and write it to SIGNED.\n\nThe server knows the publisher by serve --signing-profile ARN=CERTIFICATE; " +
			"a code signing configuration\nthat allows the profile's version lets in what its key signed.",
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return sign(args[0], args[1], profile, keyFile, validity, time.Now())
		},
	}
	f := cmd.Flags()
	f.StringVar(&profile, "signing-profile", "", "ARN of the version of the signing profile")
	f.StringVar(&keyFile, "key", "", "file with the private key of the profile's certificate, as PEM (PKCS #8)")
	f.DurationVar(&validity, "validity", signatureValidity, "how long the signature holds")
	return cmd
}

func sign(from, to, profile, keyFile string, validity time.Duration, now time.Time) error {
	a, err := arn.Parse(profile)
	if err != nil {
		return fmt.Errorf("--signing-profile: %w", err)
	}
	key, err := readKey(keyFile)
	if err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	archive, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("read archive: %w", err)
	}
	a.Resource = "/signing-jobs/" + uuid.NewString()
	signed, err := codesign.Sign(archive, codesign.Signature{
		Profile: profile, Job: a.String(), Signed: now.UTC(), Expires: now.Add(validity).UTC(),
	}, key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, signed, 0o644); err != nil {
		return fmt.Errorf("write signed archive: %w", err)
	}
	return nil
}

func readKey(file string) (crypto.Signer, error) {
	der, err := readPEM(file, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: a key of type %T does not sign", file, key)
	}
	return signer, nil
}

// readPEM reads the first block of a type.
func readPEM(file, kind string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for len(text) > 0 {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type == kind {
			return block.Bytes, nil
		}
	}
	return nil, fmt.Errorf("%s has no PEM block of type %s", file, kind)
}

// publishers reads the certificates of signing profiles, each given as ARN=file.
func publishers(profiles []string) (map[string]*x509.Certificate, error) {
	all := make(map[string]*x509.Certificate, len(profiles))
	for _, p := range profiles {
		profile, file, ok := strings.Cut(p, "=")
		if !ok || file == "" {
			return nil, fmt.Errorf("--signing-profile %q: want ARN=FILE", p)
		}
		if _, err := arn.Parse(profile); err != nil {
			return nil, fmt.Errorf("--signing-profile: %w", err)
		}
		der, err := readPEM(file, "CERTIFICATE")
		if err != nil {
			return nil, fmt.Errorf("--signing-profile: %w", err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("--signing-profile: parse %s: %w", file, err)
		}
		if all[profile] != nil {
			return nil, errors.New("--signing-profile " + profile + " is given twice")
		}
		all[profile] = certificate
	}
	return all, nil
}
