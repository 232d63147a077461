package report

import (
	"context"
	"errors"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// quotas are what GetAccountSummary tells beside the counts.
func quotas() map[string]int32 {
	return map[string]int32{
		"AccessKeysPerUserQuota":          request.MaxAccessKeys,
		"AssumeRolePolicySizeQuota":       int32(policy.Limit(policy.Trust)),
		"AttachedPoliciesPerGroupQuota":   request.MaxAttachedPolicies,
		"AttachedPoliciesPerRoleQuota":    request.MaxAttachedPolicies,
		"AttachedPoliciesPerUserQuota":    request.MaxAttachedPolicies,
		"GroupPolicySizeQuota":            int32(record.MaxInlineSize(record.GroupKind)),
		"GroupsPerUserQuota":              request.MaxGroupsPerUser,
		"GroupsQuota":                     request.MaxGroups,
		"InstanceProfilesQuota":           request.MaxProfiles,
		"PoliciesQuota":                   request.MaxPolicies,
		"PolicySizeQuota":                 int32(policy.Limit(policy.Identity)),
		"PolicyVersionsInUseQuota":        10000,
		"RolePolicySizeQuota":             int32(record.MaxInlineSize(record.RoleKind)),
		"RolesQuota":                      request.MaxRoles,
		"ServerCertificatesQuota":         request.MaxServerCertificates,
		"SigningCertificatesPerUserQuota": request.MaxSigningCertificates,
		"UserPolicySizeQuota":             int32(record.MaxInlineSize(record.UserKind)),
		"UsersQuota":                      request.MaxUsers,
		"VersionsPerPolicyQuota":          request.MaxPolicyVersions,
	}
}

func (s *handlers) getAccountSummary(
	ctx context.Context, c *service.Call, _ *sdk.GetAccountSummaryInput,
) (*sdk.GetAccountSummaryOutput, error) {
	var summary map[string]int32
	err := s.DB.View(ctx, func(r store.Reader) error {
		summary = quotas()
		// What the root user does not have here.
		summary["AccountMFAEnabled"], summary["AccountPasswordPresent"] = 0, 0
		return errors.Join(
			countInto(r, summary, map[string]string{
				"Users": record.NamePrefix(c.Account, record.UserKind), "Groups": record.NamePrefix(c.Account, record.GroupKind),
				"Roles":            record.NamePrefix(c.Account, record.RoleKind),
				"InstanceProfiles": record.NamePrefix(c.Account, record.ProfileKind),
				"Policies":         record.PolicyPrefix(c.Account), "ServerCertificates": record.ServerCertificatePrefix(c.Account),
				"MFADevices": record.MFAPrefix(c.Account),
			}),
			countMFAInUse(r, c.Account, summary), countPoliciesInUse(r, c.Account, summary), countOfRoot(r, c.Account, summary),
			tokenVersion(r, c.Account, summary), countProviders(r, c.Account, summary),
		)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetAccountSummaryOutput{SummaryMap: summary}, nil
}

// countProviders counts identity providers of both kinds.
func countProviders(r store.Reader, account string, summary map[string]int32) error {
	for _, k := range []record.ProviderKind{record.OIDCKind, record.SAMLKind} {
		n, err := record.Count(r, record.ProviderPrefix(account, k), 0)
		if err != nil {
			return err
		}
		summary["Providers"] += int32(n)
	}
	return nil
}

// countInto counts the keys below prefixes.
func countInto(r store.Reader, summary map[string]int32, prefixes map[string]string) error {
	for name, prefix := range prefixes {
		n, err := record.Count(r, prefix, 0)
		if err != nil {
			return err
		}
		summary[name] = int32(n)
	}
	return nil
}

func countMFAInUse(r store.Reader, account string, summary map[string]int32) error {
	items, err := r.Scan(record.MFAPrefix(account), "", 0)
	if err != nil {
		return err
	}
	summary["MFADevicesInUse"] = 0
	for _, item := range items {
		d, err := store.DecodeJSON[*record.MFADevice](item)
		if err != nil {
			return err
		}
		if d.UserID != "" {
			summary["MFADevicesInUse"]++
		}
	}
	return nil
}

// countPoliciesInUse counts the managed policies, AWS's own among them, that something is attached to or bounded by: one version of
// each is in use (recorded).
func countPoliciesInUse(r store.Reader, account string, summary map[string]int32) error {
	inUse := make(map[string]bool)
	for _, u := range []record.Use{record.Attached, record.Boundary} {
		prefix := record.UsesPrefix(account, u)
		items, err := r.Scan(prefix, "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			arn, _, _ := strings.Cut(strings.TrimPrefix(item.Key, prefix), "/")
			inUse[arn] = true
		}
	}
	summary["PolicyVersionsInUse"] = int32(len(inUse))
	return nil
}

// countOfRoot tells what the root user has, as 1 or 0.
func countOfRoot(r store.Reader, account string, summary map[string]int32) error {
	root, err := record.GetIdentity(r, account, record.RootKind, account)
	if err != nil {
		return err
	}
	summary["AccountAccessKeysPresent"] = int32(min(1, len(root.AccessKeys)))
	summary["AccountSigningCertificatesPresent"] = int32(min(1, len(root.Certificates)))
	return nil
}

// tokenVersion tells which session tokens the global endpoint gives, by the number in their names.
func tokenVersion(r store.Reader, account string, summary map[string]int32) error {
	summary["GlobalEndpointTokenVersion"] = 1
	item, err := r.Get(record.TokenVersionKey(account))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil && types.GlobalEndpointTokenVersion(item.Value) == types.GlobalEndpointTokenVersionV2Token {
		summary["GlobalEndpointTokenVersion"] = 2
	}
	return err
}
