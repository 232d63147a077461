package provider

import (
	"context"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

// Limits of https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (iam.md L2).
const (
	maxOIDCProviders = 100
	maxClientIDs     = 100
	maxClientID      = 255
	maxProviderURL   = 255
	maxThumbprints   = 5
	thumbprintLength = 40
)

// onNewOIDCProvider is the resource of CreateOpenIDConnectProvider: the provider's ARN to be.
func (s *handlers) onNewOIDCProvider(_ context.Context, c *service.Call, in any) (service.Target, error) {
	name, _, err := checkProviderURL(target.Member[*string](in, "Url"))
	if err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: s.ProviderARN(c.Account, record.OIDCKind, name), Account: c.Account}
	target.NewTags(in, nil, &t.Keys)
	return t, nil
}

// checkProviderURL checks the URL of an issuer and takes its scheme off: https, or http for a provider on this machine, where AWS has
// none. Wildcards and variables would change the meaning of the ARN where it is written into a policy.
func checkProviderURL(text *string) (name string, insecure bool, err error) {
	if text == nil {
		return "", false, request.Violation("url", "Member must not be null")
	}
	if err := request.CheckLength("url", *text, 1, maxProviderURL); err != nil {
		return "", false, err
	}
	u, err := url.Parse(*text)
	insecure = err == nil && u.Scheme == "http" && oidc.IsLoopback(u.Host)
	if err != nil || u.Scheme != "https" && !insecure || !isHost(u.Host) || u.User != nil || u.RawQuery != "" || u.ForceQuery ||
		u.Fragment != "" || u.String() != *text || strings.ContainsAny(*text, "*?$ #") {
		return "", false, request.ValidationError("Invalid Open ID Connect Provider URL")
	}
	return strings.TrimPrefix(*text, u.Scheme+"://"), insecure, nil
}

// isHost tells whether text is the name or address of a host, with or without a port. The name has a dot, but for this machine's: it is
// the prefix of condition keys, and must not be taken for that of a service.
func isHost(text string) bool {
	if _, err := netip.ParseAddrPort(text); err == nil {
		return true
	}
	return oidc.IsLoopback(text) || regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)+(:[0-9]{1,5})?$`).MatchString(text)
}

func checkClientID(member, id string) error { return request.CheckLength(member, id, 1, maxClientID) }

// checkThumbprints gives them in lower case.
func checkThumbprints(list []string) ([]string, error) {
	if len(list) > maxThumbprints {
		return nil, request.InvalidInput("Thumbprint list must contain fewer than %d entries.", maxThumbprints)
	}
	out := make([]string, 0, len(list))
	for _, t := range list {
		switch n := len(t); {
		case n < thumbprintLength:
			return nil, request.Violation("thumbprintList", "Member must satisfy constraint: [Member must have length less than or equal to %[1]d, "+
				"Member must have length greater than or equal to %[1]d]", thumbprintLength)
		case n > thumbprintLength, !regexp.MustCompile(`^[0-9a-fA-F]+$`).MatchString(t):
			return nil, request.InvalidInput("Invalid thumbprint: %s", t) // AWS's text is not known
		}
		out = append(out, strings.ToLower(t))
	}
	return out, nil
}

func (s *handlers) createOpenIDConnectProvider(
	ctx context.Context, c *service.Call, in *sdk.CreateOpenIDConnectProviderInput,
) (*sdk.CreateOpenIDConnectProviderOutput, error) {
	name, insecure, err := checkProviderURL(in.Url)
	if err != nil {
		return nil, err
	}
	p := &record.Provider{Kind: record.OIDCKind, Name: name, Insecure: insecure}
	for _, id := range in.ClientIDList {
		if err := checkClientID("clientIDList", id); err != nil {
			return nil, err
		}
		if !slices.Contains(p.ClientIDs, id) {
			p.ClientIDs = append(p.ClientIDs, id)
		}
	}
	if len(p.ClientIDs) > maxClientIDs {
		return nil, request.QuotaExceeded("ClientIdsPerOpenIdConnectProvider", maxClientIDs)
	}
	if p.Thumbprints, err = checkThumbprints(in.ThumbprintList); err != nil {
		return nil, err
	}
	if p.Tags, err = s.Patterns.CheckTags(in.Tags); err != nil {
		return nil, err
	}
	exists := request.AlreadyExists("Provider with url %s already exists.", *in.Url)
	if err := s.addProvider(ctx, c, p, exists, "OpenIdConnectProvidersPerAccount", maxOIDCProviders); err != nil {
		return nil, err
	}
	return &sdk.CreateOpenIDConnectProviderOutput{
		OpenIDConnectProviderArn: aws.String(s.ProviderARN(c.Account, record.OIDCKind, name)), Tags: request.WireTags(request.ByKey(p.Tags)),
	}, nil
}

// getOpenIDConnectProvider answers the URL without its scheme, as AWS does.
func (s *handlers) getOpenIDConnectProvider(
	ctx context.Context, c *service.Call, in *sdk.GetOpenIDConnectProviderInput,
) (*sdk.GetOpenIDConnectProviderOutput, error) {
	p, err := s.ownProvider(ctx, c, record.OIDCKind, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	return &sdk.GetOpenIDConnectProviderOutput{
		ClientIDList: append([]string{}, p.ClientIDs...), ThumbprintList: append([]string{}, p.Thumbprints...),
		CreateDate: aws.Time(p.Created), Url: aws.String(p.Name), Tags: append([]types.Tag{}, request.WireTags(request.ByKey(p.Tags))...),
	}, nil
}

func (s *handlers) listOpenIDConnectProviders(
	ctx context.Context, c *service.Call, _ *sdk.ListOpenIDConnectProvidersInput,
) (*sdk.ListOpenIDConnectProvidersOutput, error) {
	all, err := s.listProviders(ctx, c.Account, record.OIDCKind)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []types.OpenIDConnectProviderListEntry{}}
	for _, p := range all {
		out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, types.OpenIDConnectProviderListEntry{
			Arn: aws.String(s.ProviderARN(c.Account, record.OIDCKind, p.Name)),
		})
	}
	return out, nil
}

// deleteOpenIDConnectProvider is idempotent: "it does not fail or return an error if you call the operation for a provider that does not
// exist" (https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteOpenIDConnectProvider.html).
func (s *handlers) deleteOpenIDConnectProvider(
	ctx context.Context, c *service.Call, in *sdk.DeleteOpenIDConnectProviderInput,
) (*sdk.DeleteOpenIDConnectProviderOutput, error) {
	name, err := s.ownProviderName(c, record.OIDCKind, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error { return tx.Delete(record.ProviderKey(c.Account, record.OIDCKind, name)) })
	return &sdk.DeleteOpenIDConnectProviderOutput{}, err
}

func (s *handlers) updateOpenIDConnectProviderThumbprint(
	ctx context.Context, c *service.Call, in *sdk.UpdateOpenIDConnectProviderThumbprintInput,
) (*sdk.UpdateOpenIDConnectProviderThumbprintOutput, error) {
	if in.ThumbprintList == nil {
		return nil, request.Violation("thumbprintList", "Member must not be null")
	}
	thumbprints, err := checkThumbprints(in.ThumbprintList)
	if err != nil {
		return nil, err
	}
	err = s.changeProvider(ctx, c, record.OIDCKind, in.OpenIDConnectProviderArn, func(p *record.Provider) error {
		p.Thumbprints = thumbprints
		return nil
	})
	return &sdk.UpdateOpenIDConnectProviderThumbprintOutput{}, err
}

// addClientIDToOpenIDConnectProvider is idempotent.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddClientIDToOpenIDConnectProvider.html
func (s *handlers) addClientIDToOpenIDConnectProvider(
	ctx context.Context, c *service.Call, in *sdk.AddClientIDToOpenIDConnectProviderInput,
) (*sdk.AddClientIDToOpenIDConnectProviderOutput, error) {
	if in.ClientID == nil {
		return nil, request.Violation("clientID", "Member must not be null")
	}
	if err := checkClientID("clientID", *in.ClientID); err != nil {
		return nil, err
	}
	err := s.changeProvider(ctx, c, record.OIDCKind, in.OpenIDConnectProviderArn, func(p *record.Provider) error {
		if slices.Contains(p.ClientIDs, *in.ClientID) {
			return nil
		}
		if len(p.ClientIDs) >= maxClientIDs {
			return request.QuotaExceeded("ClientIdsPerOpenIdConnectProvider", maxClientIDs)
		}
		p.ClientIDs = append(p.ClientIDs, *in.ClientID)
		return nil
	})
	return &sdk.AddClientIDToOpenIDConnectProviderOutput{}, err
}

// removeClientIDFromOpenIDConnectProvider is idempotent.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveClientIDFromOpenIDConnectProvider.html
func (s *handlers) removeClientIDFromOpenIDConnectProvider(
	ctx context.Context, c *service.Call, in *sdk.RemoveClientIDFromOpenIDConnectProviderInput,
) (*sdk.RemoveClientIDFromOpenIDConnectProviderOutput, error) {
	if in.ClientID == nil {
		return nil, request.Violation("clientID", "Member must not be null")
	}
	if err := checkClientID("clientID", *in.ClientID); err != nil {
		return nil, err
	}
	err := s.changeProvider(ctx, c, record.OIDCKind, in.OpenIDConnectProviderArn, func(p *record.Provider) error {
		p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(id string) bool { return id == *in.ClientID })
		return nil
	})
	return &sdk.RemoveClientIDFromOpenIDConnectProviderOutput{}, err
}
