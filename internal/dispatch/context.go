package dispatch

import (
	"strconv"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
)

// globalKeys gives the condition keys that do not depend on the operation, each under the rule of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html ("Availability").
func globalKeys(c *service.Call) authz.Context {
	var k authz.Context
	k.Set("aws:CurrentTime", c.Time.UTC().Format(time.RFC3339))
	k.Set("aws:EpochTime", strconv.FormatInt(c.Time.Unix(), 10))
	k.Set("aws:SecureTransport", strconv.FormatBool(c.SecureTransport))
	k.Set("aws:RequestedRegion", c.Region)
	if c.SourceIP.IsValid() {
		k.Set("aws:SourceIp", c.SourceIP.String())
	}
	if c.UserAgent != "" {
		k.Set("aws:UserAgent", c.UserAgent)
	}
	principalKeys(&k, c)
	if c.Internal != nil {
		k.Merge(c.Internal.Keys)
	}
	return k
}

// principalKeys sets the keys that describe the caller.
func principalKeys(k *authz.Context, c *service.Call) {
	p := c.Caller
	isService := p.Kind == authz.Service
	k.Set("aws:PrincipalIsAWSService", strconv.FormatBool(isService))
	if p.Kind == authz.Anonymous {
		k.Set("aws:PrincipalType", string(p.Kind))
		return
	}
	k.Set("aws:ViaAWSService", "false")
	if isService {
		k.Set("aws:PrincipalServiceName", p.ARN)
		return
	}
	k.Set("aws:PrincipalAccount", p.Account)
	k.Set("aws:PrincipalArn", principalARN(p.Principal))
	k.Set("aws:PrincipalType", string(p.Kind))
	k.Set("aws:userid", userID(p.Principal))
	if p.UserName != "" {
		k.Set("aws:username", p.UserName)
	}
	for key, value := range p.Tags {
		k.Set("aws:PrincipalTag/"+key, value)
	}
	s := p.Session
	if s == nil {
		return
	}
	// Present only with temporary credentials: the keys of a long-term user lack it (iam.md C17).
	k.Set("aws:MultiFactorAuthPresent", strconv.FormatBool(s.MFA))
	k.Set("aws:TokenIssueTime", s.IssuedAt.UTC().Format(time.RFC3339))
	if s.SourceIdentity != "" {
		k.Set("aws:SourceIdentity", s.SourceIdentity)
	}
	if s.SourceFunctionARN != "" {
		k.Set("lambda:SourceFunctionArn", s.SourceFunctionARN)
	}
}

// principalARN is the value of aws:PrincipalArn: for a role session the role with its path, not the session (iam.md T6).
func principalARN(p authz.Principal) string {
	if p.Kind == authz.AssumedRole {
		return p.IssuerARN
	}
	return p.ARN
}

// userID is the value of aws:userid
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable).
func userID(p authz.Principal) string {
	switch p.Kind {
	case authz.Root:
		return p.Account
	case authz.AssumedRole, authz.WebIdentity, authz.SAML:
		return p.ID + ":" + p.SessionName
	case authz.FederatedUser:
		return p.Account + ":" + p.SessionName
	default:
		return p.ID
	}
}
