package provider

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/saml"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
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
func (s *handlers) onNewSAMLProvider(_ context.Context, c *service.Call, in any) (service.Target, error) {
	name := target.Member[*string](in, "Name")
	if name == nil {
		return service.Target{}, request.Violation("name", "Member must not be null")
	}
	if err := request.CheckLength("name", *name, 1, record.MaxSAMLName); err != nil {
		return service.Target{}, err
	}
	if err := s.Patterns.SAMLName.Check("name", *name); err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: s.ProviderARN(c.Account, record.SAMLKind, *name), Account: c.Account}
	target.NewTags(in, nil, &t.Keys)
	return t, nil
}

func (s *handlers) createSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.CreateSAMLProviderInput,
) (*sdk.CreateSAMLProviderOutput, error) {
	p := &record.Provider{Kind: record.SAMLKind, Name: *in.Name, UUID: "SAMLSP" + rand.Text()[:16]}
	if in.SAMLMetadataDocument == nil {
		return nil, request.Violation("sAMLMetadataDocument", "Member must not be null")
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
	if p.Tags, err = s.Patterns.CheckTags(in.Tags); err != nil {
		return nil, err
	}
	exists := request.AlreadyExists("Provider with name %s already exists.", *in.Name)
	if err := s.addProvider(ctx, c, p, exists, "SAMLProvidersPerAccount", maxSAMLProviders); err != nil {
		return nil, err
	}
	return &sdk.CreateSAMLProviderOutput{
		SAMLProviderArn: aws.String(s.ProviderARN(c.Account, record.SAMLKind, p.Name)), Tags: request.WireTags(request.ByKey(p.Tags)),
	}, nil
}

// setMetadata checks and keeps a metadata document.
func setMetadata(p *record.Provider, text string, now time.Time) error {
	if err := request.CheckLength("sAMLMetadataDocument", text, minSAMLMetadata, maxSAMLMetadata); err != nil {
		return err
	}
	m, err := saml.ParseMetadata(text)
	if err != nil {
		refused := request.InvalidInput("Could not parse metadata")
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
func (s *handlers) addPrivateKey(p *record.Provider, text string, now time.Time) error {
	if err := request.CheckLength("addPrivateKey", text, 1, request.MaxPrivateKey); err != nil {
		return err
	}
	if _, err := request.ParseRSAKey(text); err != nil {
		refused := request.InvalidInput("Invalid private key.")
		refused.Detail = err.Error()
		return refused
	}
	if len(p.PrivateKeys) >= maxPrivateKeys {
		return request.LimitExceeded("Private key limit of %d is reached.", maxPrivateKeys)
	}
	key := record.PrivateKey{ID: rand.Text(), Uploaded: now.UTC().Truncate(time.Second)}
	var err error
	if key.PEM, err = record.SealSecret(s.keyring, record.SAMLKeyPurpose, key.ID, text); err != nil {
		return fmt.Errorf("seal private key: %w", err)
	}
	p.PrivateKeys = append(p.PrivateKeys, key)
	return nil
}

// setEncryption keeps the mode; a provider without one takes both kinds of assertion. What it requires it must have a key for.
func setEncryption(p *record.Provider, mode types.AssertionEncryptionModeType) error {
	switch mode {
	case "":
	case types.AssertionEncryptionModeTypeAllowed, types.AssertionEncryptionModeTypeRequired:
		p.Encryption = string(mode)
	default:
		return request.Violation("assertionEncryptionMode", "Member must satisfy enum value set: [Required, Allowed]")
	}
	if p.Encryption == string(types.AssertionEncryptionModeTypeRequired) && len(p.PrivateKeys) == 0 {
		return request.InvalidInput("Unable to set assertion encryption mode to Required because no private key is provided.")
	}
	return nil
}

func (s *handlers) getSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.GetSAMLProviderInput,
) (*sdk.GetSAMLProviderOutput, error) {
	p, err := s.ownProvider(ctx, c, record.SAMLKind, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetSAMLProviderOutput{
		AssertionEncryptionMode: types.AssertionEncryptionModeType(p.Encryption), CreateDate: aws.Time(p.Created),
		PrivateKeyList: []types.SAMLPrivateKey{}, SAMLMetadataDocument: aws.String(p.Metadata), SAMLProviderUUID: aws.String(p.UUID),
		Tags: append([]types.Tag{}, request.WireTags(request.ByKey(p.Tags))...), ValidUntil: aws.Time(p.ValidUntil),
	}
	if p.Encryption == "" {
		out.AssertionEncryptionMode = types.AssertionEncryptionModeTypeAllowed
	}
	for _, k := range p.PrivateKeys {
		out.PrivateKeyList = append(out.PrivateKeyList, types.SAMLPrivateKey{KeyId: aws.String(k.ID), Timestamp: aws.Time(k.Uploaded)})
	}
	return out, nil
}

func (s *handlers) listSAMLProviders(
	ctx context.Context, c *service.Call, _ *sdk.ListSAMLProvidersInput,
) (*sdk.ListSAMLProvidersOutput, error) {
	all, err := s.listProviders(ctx, c.Account, record.SAMLKind)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListSAMLProvidersOutput{SAMLProviderList: []types.SAMLProviderListEntry{}}
	for _, p := range all {
		out.SAMLProviderList = append(out.SAMLProviderList, types.SAMLProviderListEntry{
			Arn: aws.String(s.ProviderARN(c.Account, record.SAMLKind, p.Name)), CreateDate: aws.Time(p.Created), ValidUntil: aws.Time(p.ValidUntil),
		})
	}
	return out, nil
}

func (s *handlers) updateSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.UpdateSAMLProviderInput,
) (*sdk.UpdateSAMLProviderOutput, error) {
	switch {
	case in.AddPrivateKey != nil && in.RemovePrivateKey != nil:
		return nil, request.InvalidInput("Unable to add and remove private keys in the same request. " +
			"Set a value for only one of the two parameters.")
	case in.SAMLMetadataDocument == nil && in.AddPrivateKey == nil && in.RemovePrivateKey == nil && in.AssertionEncryptionMode == "":
		return nil, request.InvalidInput("Unable to update identity provider. No updates are defined for metadata or encryption assertion.")
	}
	err := s.changeProvider(ctx, c, record.SAMLKind, in.SAMLProviderArn, func(p *record.Provider) error {
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
			p.PrivateKeys = slices.DeleteFunc(p.PrivateKeys, func(k record.PrivateKey) bool { return k.ID == *in.RemovePrivateKey })
			if len(p.PrivateKeys) == n {
				return request.InvalidInput("Failed to remove private key because the Key ID does not match a private key.")
			}
		}
		if in.RemovePrivateKey != nil && len(p.PrivateKeys) == 0 && in.AssertionEncryptionMode == "" &&
			p.Encryption == string(types.AssertionEncryptionModeTypeRequired) {
			return request.InvalidInput("Failed to remove private key.")
		}
		return setEncryption(p, in.AssertionEncryptionMode)
	})
	return &sdk.UpdateSAMLProviderOutput{SAMLProviderArn: in.SAMLProviderArn}, err
}

// deleteSAMLProvider answers NoSuchEntity for one that does not exist
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteSAMLProvider.html#API_DeleteSAMLProvider_Errors). Roles that trust it are left
// as they are.
func (s *handlers) deleteSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.DeleteSAMLProviderInput,
) (*sdk.DeleteSAMLProviderOutput, error) {
	name, err := s.ownProviderName(c, record.SAMLKind, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if _, err := s.GetProvider(tx, c.Account, record.SAMLKind, name); err != nil {
			return err
		}
		return tx.Delete(record.ProviderKey(c.Account, record.SAMLKind, name))
	})
	return &sdk.DeleteSAMLProviderOutput{}, err
}
