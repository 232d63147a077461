package dispatch

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// GlobalKeys gives the condition keys that do not depend on the operation, each under the rule of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html ("Availability"). What cannot be known is
// absent.
func GlobalKeys(c *service.Call) authz.Context {
	var k authz.Context
	k.SetTime("aws:CurrentTime", c.Time)
	k.SetNumber("aws:EpochTime", c.Time.Unix())
	k.SetBool("aws:SecureTransport", c.SecureTransport)
	k.Set("aws:RequestedRegion", requestedRegion(c))
	if c.SourceIP.IsValid() {
		k.SetAddress("aws:SourceIp", c.SourceIP)
	}
	setIfAny(&k, "aws:UserAgent", recordable(c.UserAgent))
	setIfAny(&k, "aws:referer", recordable(c.Referer))
	principalKeys(&k, c)
	sessionKeys(&k, c)
	if c.Internal != nil {
		forwardKeys(&k, c.Internal.CalledVia)
		k.Merge(c.Internal.Keys)
	}
	return k
}

// recordable gives a text as the decision log, which is JSON, keeps it: an explanation must see what the decision saw.
func recordable(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// requestedRegion is that of the signature, but for IAM: "IAM calls are always made to the us-east-1 Region", where its one endpoint is.
// So is that of Organizations (https://docs.aws.amazon.com/general/latest/gr/ao.html).
func requestedRegion(c *service.Call) string {
	if (c.Service == "iam" || c.Service == "organizations") && c.Partition == "aws" {
		return "us-east-1"
	}
	return c.Region
}

// principalKeys sets the keys that describe the caller. For aws:PrincipalType, aws:userid and aws:username see the table of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable.
func principalKeys(k *authz.Context, c *service.Call) {
	k.SetBool("aws:ViaAWSService", false)
	p := &c.Caller
	switch p.Kind {
	case authz.Anonymous:
		const anonymous = "anonymous"
		k.Set("aws:PrincipalType", string(p.Kind))
		k.Set("aws:PrincipalAccount", anonymous)
		k.Set("aws:userid", anonymous)
		return
	case authz.WebIdentity: // not signed: the provider's token takes the place of a signature
		k.Set("aws:FederatedProvider", p.ARN)
		return
	case authz.SAML:
		return
	case authz.Service:
		k.SetBool("aws:PrincipalIsAWSService", true)
		k.Set("aws:PrincipalServiceName", p.ARN)
		k.SetList("aws:PrincipalServiceNamesList", p.ARN)
		return
	}
	k.SetBool("aws:PrincipalIsAWSService", false)
	k.Set("aws:PrincipalAccount", p.Account)
	k.Set("aws:PrincipalType", string(p.Kind))
	k.Merge(p.Tags.Keys())
	switch p.Kind {
	case authz.Root:
		k.Set("aws:PrincipalArn", p.ARN)
		k.Set("aws:userid", p.Account)
	case authz.AssumedRole:
		k.Set("aws:PrincipalArn", p.IssuerARN) // the role with its path, not the session (iam.md T6)
		k.Set("aws:userid", p.ID+":"+p.SessionName)
	case authz.FederatedUser:
		k.Set("aws:PrincipalArn", p.ARN)
		k.Set("aws:userid", p.Account+":"+p.SessionName)
	default:
		k.Set("aws:PrincipalArn", p.ARN)
		k.Set("aws:userid", p.ID)
		k.Set("aws:username", p.UserName)
	}
}

// sessionKeys sets the keys that only temporary credentials have. That the keys of a long-term user lack those about MFA, so that Bool
// with "false" does not match, is the classic trap (iam.md C17).
func sessionKeys(k *authz.Context, c *service.Call) {
	s := c.Caller.Session
	if s == nil {
		return
	}
	k.SetTime("aws:TokenIssueTime", s.IssuedAt)
	if c.Caller.Kind == authz.Root && s.HasPolicies { // sessions of AssumeRoot have their task's policy, GetSessionToken takes none
		k.Set("aws:AssumedRoot", "true")
	}
	if s.FederatedProvider == "" && c.Caller.Kind != authz.FederatedUser {
		k.SetBool("aws:MultiFactorAuthPresent", s.MFA)
		if s.MFA {
			k.SetNumber("aws:MultiFactorAuthAge", max(0, int64(c.Time.Sub(s.IssuedAt)/time.Second)))
		}
	}
	if !strings.Contains(s.FederatedProvider, ":saml-provider/") {
		setIfAny(k, "aws:FederatedProvider", s.FederatedProvider)
	}
	setIfAny(k, "aws:SourceIdentity", s.SourceIdentity)
	setIfAny(k, "lambda:SourceFunctionArn", s.SourceFunctionARN)
	principal.SetProviderKeys(k, s.ProviderKeys)
}

// forwardKeys sets the keys of a forward access session, in which services call with the credentials of the principal that called the
// first of them. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html (iam.md C18)
func forwardKeys(k *authz.Context, services []string) {
	if len(services) == 0 {
		return
	}
	k.SetBool("aws:ViaAWSService", true)
	k.SetList("aws:CalledVia", services...)
	k.Set("aws:CalledViaFirst", services[0])
	k.Set("aws:CalledViaLast", services[len(services)-1])
	if _, ok := k.Get("aws:MultiFactorAuthPresent"); !ok {
		// "For the subsequent request, AWS uses temporary credentials", and the key is "set to a value of false".
		k.SetBool("aws:MultiFactorAuthPresent", false)
	}
}

func setIfAny(k *authz.Context, name, value string) {
	if value != "" {
		k.Set(name, value)
	}
}
