package iam

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/saml"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// Limits of https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
const (
	maxSAMLProviders = 100
	minSAMLMetadata  = 1000
	maxSAMLMetadata  = 10000000
	maxPrivateKeys   = 2
	// providerYears is how long a provider is valid whose metadata does not say (seen in answers of AWS).
	providerYears = 100
)

// onNewSAMLProvider is the resource of CreateSAMLProvider: the provider's ARN to be.
func (s *providerHandlers) onNewSAMLProvider(_ context.Context, c *service.Call, in any) (service.Target, error) {
	name := member[*string](in, "Name")
	if name == nil {
		return service.Target{}, violation("name", "Member must not be null")
	}
	if err := checkLength("name", *name, 1, maxSAMLName); err != nil {
		return service.Target{}, err
	}
	if err := s.patterns.samlName.check("name", *name); err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: s.providerARN(c.Account, samlKind, *name), Account: c.Account}
	requestTags(in, nil, &t.Keys)
	return t, nil
}

func (s *providerHandlers) createSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.CreateSAMLProviderInput,
) (*sdk.CreateSAMLProviderOutput, error) {
	p := &provider{Kind: samlKind, Name: *in.Name, UUID: "SAMLSP" + rand.Text()[:16]}
	if in.SAMLMetadataDocument == nil {
		return nil, violation("sAMLMetadataDocument", "Member must not be null")
	}
	if err := setMetadata(p, *in.SAMLMetadataDocument, c.Time); err != nil {
		return nil, err
	}
	if in.AddPrivateKey != nil {
		if err := s.addPrivateKey(p, *in.AddPrivateKey, c.Time); err != nil {
			return nil, err
		}
	}
	if err := setEncryption(p, in.AssertionEncryptionMode); err != nil {
		return nil, err
	}
	var err error
	if p.Tags, err = s.patterns.checkTags(in.Tags); err != nil {
		return nil, err
	}
	exists := alreadyExists("Provider with name %s already exists.", *in.Name)
	if err := s.addProvider(ctx, c, p, exists, "SAMLProvidersPerAccount", maxSAMLProviders); err != nil {
		return nil, err
	}
	return &sdk.CreateSAMLProviderOutput{
		SAMLProviderArn: aws.String(s.providerARN(c.Account, samlKind, p.Name)), Tags: wireTags(byKey(p.Tags)),
	}, nil
}

// setMetadata checks and keeps a metadata document.
func setMetadata(p *provider, text string, now time.Time) error {
	if err := checkLength("sAMLMetadataDocument", text, minSAMLMetadata, maxSAMLMetadata); err != nil {
		return err
	}
	m, err := saml.ParseMetadata(text)
	if err != nil {
		refused := invalidInput("Could not parse metadata")
		refused.Detail = err.Error()
		return refused
	}
	p.Metadata, p.ValidUntil = text, m.ValidUntil.UTC()
	if m.ValidUntil.IsZero() {
		p.ValidUntil = now.UTC().Truncate(time.Second).AddDate(providerYears, 0, 0)
	}
	return nil
}

// addPrivateKey checks and seals a key that decrypts assertions. The texts about keys are those of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_saml.html.
func (s *providerHandlers) addPrivateKey(p *provider, text string, now time.Time) error {
	if err := checkLength("addPrivateKey", text, 1, maxPrivateKey); err != nil {
		return err
	}
	if _, err := parseRSAKey(text); err != nil {
		refused := invalidInput("Invalid private key.")
		refused.Detail = err.Error()
		return refused
	}
	if len(p.PrivateKeys) >= maxPrivateKeys {
		return limitExceeded("Private key limit of %d is reached.", maxPrivateKeys)
	}
	key := privateKey{ID: rand.Text(), Uploaded: now.UTC().Truncate(time.Second)}
	var err error
	if key.PEM, err = sealSecret(s.keyring, samlKeyPurpose, key.ID, text); err != nil {
		return fmt.Errorf("seal private key: %w", err)
	}
	p.PrivateKeys = append(p.PrivateKeys, key)
	return nil
}

// parseRSAKey reads an RSA key in PEM.
func parseRSAKey(text string) (*rsa.PrivateKey, error) {
	key, err := parsePrivateKey(text)
	if err != nil {
		return nil, err
	}
	if key, ok := key.(*rsa.PrivateKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("it is a %T", key)
}

// setEncryption keeps the mode; a provider without one takes both kinds of assertion. What it requires it must have a key for.
func setEncryption(p *provider, mode types.AssertionEncryptionModeType) error {
	switch mode {
	case "":
	case types.AssertionEncryptionModeTypeAllowed, types.AssertionEncryptionModeTypeRequired:
		p.Encryption = string(mode)
	default:
		return violation("assertionEncryptionMode", "Member must satisfy enum value set: [Required, Allowed]")
	}
	if p.Encryption == string(types.AssertionEncryptionModeTypeRequired) && len(p.PrivateKeys) == 0 {
		return invalidInput("Unable to set assertion encryption mode to Required because no private key is provided.")
	}
	return nil
}

func (s *providerHandlers) getSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.GetSAMLProviderInput,
) (*sdk.GetSAMLProviderOutput, error) {
	p, err := s.ownProvider(ctx, c, samlKind, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetSAMLProviderOutput{
		AssertionEncryptionMode: types.AssertionEncryptionModeType(p.Encryption), CreateDate: aws.Time(p.Created),
		PrivateKeyList: []types.SAMLPrivateKey{}, SAMLMetadataDocument: aws.String(p.Metadata), SAMLProviderUUID: aws.String(p.UUID),
		Tags: append([]types.Tag{}, wireTags(byKey(p.Tags))...), ValidUntil: aws.Time(p.ValidUntil),
	}
	if p.Encryption == "" {
		out.AssertionEncryptionMode = types.AssertionEncryptionModeTypeAllowed
	}
	for _, k := range p.PrivateKeys {
		out.PrivateKeyList = append(out.PrivateKeyList, types.SAMLPrivateKey{KeyId: aws.String(k.ID), Timestamp: aws.Time(k.Uploaded)})
	}
	return out, nil
}

func (s *providerHandlers) listSAMLProviders(
	ctx context.Context, c *service.Call, _ *sdk.ListSAMLProvidersInput,
) (*sdk.ListSAMLProvidersOutput, error) {
	all, err := s.listProviders(ctx, c.Account, samlKind)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListSAMLProvidersOutput{SAMLProviderList: []types.SAMLProviderListEntry{}}
	for _, p := range all {
		out.SAMLProviderList = append(out.SAMLProviderList, types.SAMLProviderListEntry{
			Arn: aws.String(s.providerARN(c.Account, samlKind, p.Name)), CreateDate: aws.Time(p.Created), ValidUntil: aws.Time(p.ValidUntil),
		})
	}
	return out, nil
}

func (s *providerHandlers) updateSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.UpdateSAMLProviderInput,
) (*sdk.UpdateSAMLProviderOutput, error) {
	switch {
	case in.AddPrivateKey != nil && in.RemovePrivateKey != nil:
		return nil, invalidInput("Unable to add and remove private keys in the same request. " +
			"Set a value for only one of the two parameters.")
	case in.SAMLMetadataDocument == nil && in.AddPrivateKey == nil && in.RemovePrivateKey == nil && in.AssertionEncryptionMode == "":
		return nil, invalidInput("Unable to update identity provider. No updates are defined for metadata or encryption assertion.")
	}
	err := s.changeProvider(ctx, c, samlKind, in.SAMLProviderArn, func(p *provider) error {
		if in.SAMLMetadataDocument != nil {
			if err := setMetadata(p, *in.SAMLMetadataDocument, c.Time); err != nil {
				return err
			}
		}
		if in.AddPrivateKey != nil {
			if err := s.addPrivateKey(p, *in.AddPrivateKey, c.Time); err != nil {
				return err
			}
		}
		if in.RemovePrivateKey != nil {
			n := len(p.PrivateKeys)
			p.PrivateKeys = slices.DeleteFunc(p.PrivateKeys, func(k privateKey) bool { return k.ID == *in.RemovePrivateKey })
			if len(p.PrivateKeys) == n {
				return invalidInput("Failed to remove private key because the Key ID does not match a private key.")
			}
		}
		if in.RemovePrivateKey != nil && len(p.PrivateKeys) == 0 && in.AssertionEncryptionMode == "" &&
			p.Encryption == string(types.AssertionEncryptionModeTypeRequired) {
			return invalidInput("Failed to remove private key.")
		}
		return setEncryption(p, in.AssertionEncryptionMode)
	})
	return &sdk.UpdateSAMLProviderOutput{SAMLProviderArn: in.SAMLProviderArn}, err
}

// deleteSAMLProvider answers NoSuchEntity for one that does not exist
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteSAMLProvider.html#API_DeleteSAMLProvider_Errors). Roles that trust it are left
// as they are.
func (s *providerHandlers) deleteSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.DeleteSAMLProviderInput,
) (*sdk.DeleteSAMLProviderOutput, error) {
	name, err := s.ownProviderName(c, samlKind, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx store.Tx) error {
		if _, err := s.getProvider(tx, c.Account, samlKind, name); err != nil {
			return err
		}
		return tx.Delete(providerKey(c.Account, samlKind, name))
	})
	return &sdk.DeleteSAMLProviderOutput{}, err
}
