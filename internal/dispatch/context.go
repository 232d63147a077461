package dispatch

import (
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
)

// GlobalKeys gives the condition keys that do not depend on the operation, each under the rule of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html ("Availability"). What cannot be known is
// absent.
func GlobalKeys(c *service.Call) authz.Context {
	var k authz.Context
	t := format(c)
	k.Set("aws:CurrentTime", t.now)
	k.Set("aws:EpochTime", t.epoch)
	k.Set("aws:SecureTransport", strconv.FormatBool(c.SecureTransport))
	k.Set("aws:RequestedRegion", requestedRegion(c))
	setIfAny(&k, "aws:SourceIp", t.address)
	// As the decision log, which is JSON, keeps them: an explanation must see what the decision saw.
	setIfAny(&k, "aws:UserAgent", strings.ToValidUTF8(c.UserAgent, "\uFFFD"))
	setIfAny(&k, "aws:referer", strings.ToValidUTF8(c.Referer, "\uFFFD"))
	principalKeys(&k, c, &t)
	sessionKeys(&k, c, &t)
	if c.Internal != nil {
		forwardKeys(&k, c.Internal.CalledVia)
		k.Merge(c.Internal.Keys)
	}
	return k
}

// requestedRegion is that of the signature, but for IAM: "IAM calls are always made to the us-east-1 Region", where its one endpoint is.
func requestedRegion(c *service.Call) string {
	if c.Service == "iam" && c.Partition == "aws" {
		return "us-east-1"
	}
	return c.Region
}

// principalKeys sets the keys that describe the caller. For aws:PrincipalType, aws:userid and aws:username see the table of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable.
func principalKeys(k *authz.Context, c *service.Call, t *texts) {
	k.Set("aws:ViaAWSService", "false")
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
		k.Set("aws:PrincipalIsAWSService", "true")
		k.Set("aws:PrincipalServiceName", p.ARN)
		k.SetList("aws:PrincipalServiceNamesList", p.ARN)
		return
	}
	k.Set("aws:PrincipalIsAWSService", "false")
	k.Set("aws:PrincipalAccount", p.Account)
	k.Set("aws:PrincipalType", string(p.Kind))
	k.Merge(p.Tags.Keys())
	switch p.Kind {
	case authz.Root:
		k.Set("aws:PrincipalArn", p.ARN)
		k.Set("aws:userid", p.Account)
	case authz.AssumedRole:
		k.Set("aws:PrincipalArn", p.IssuerARN) // the role with its path, not the session (iam.md T6)
		k.Set("aws:userid", t.session)
	case authz.FederatedUser:
		k.Set("aws:PrincipalArn", p.ARN)
		k.Set("aws:userid", t.session)
	default:
		k.Set("aws:PrincipalArn", p.ARN)
		k.Set("aws:userid", p.ID)
		k.Set("aws:username", p.UserName)
	}
}

// sessionKeys sets the keys that only temporary credentials have. That the keys of a long-term user lack those about MFA, so that Bool
// with "false" does not match, is the classic trap (iam.md C17).
func sessionKeys(k *authz.Context, c *service.Call, t *texts) {
	s := c.Caller.Session
	if s == nil {
		return
	}
	k.Set("aws:TokenIssueTime", t.issued)
	if c.Caller.Kind == authz.Root && s.HasPolicies { // sessions of AssumeRoot have their task's policy, GetSessionToken takes none
		k.Set("aws:AssumedRoot", "true")
	}
	if s.FederatedProvider == "" && c.Caller.Kind != authz.FederatedUser {
		k.Set("aws:MultiFactorAuthPresent", strconv.FormatBool(s.MFA))
		if s.MFA {
			k.Set("aws:MultiFactorAuthAge", t.age)
		}
	}
	if !strings.Contains(s.FederatedProvider, ":saml-provider/") {
		setIfAny(k, "aws:FederatedProvider", s.FederatedProvider)
	}
	setIfAny(k, "aws:SourceIdentity", s.SourceIdentity)
	setIfAny(k, "lambda:SourceFunctionArn", s.SourceFunctionARN)
	for name, value := range s.ProviderKeys {
		if value.Multi {
			k.SetList(name, value.Values...)
		} else if len(value.Values) == 1 {
			k.Set(name, value.Values[0])
		}
	}
}

// forwardKeys sets the keys of a forward access session, in which services call with the credentials of the principal that called the
// first of them. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html (iam.md C18)
func forwardKeys(k *authz.Context, services []string) {
	if len(services) == 0 {
		return
	}
	k.Set("aws:ViaAWSService", "true")
	k.SetList("aws:CalledVia", services...)
	k.Set("aws:CalledViaFirst", services[0])
	k.Set("aws:CalledViaLast", services[len(services)-1])
	if _, ok := k.Get("aws:MultiFactorAuthPresent"); !ok {
		// "For the subsequent request, AWS uses temporary credentials", and the key is "set to a value of false".
		k.Set("aws:MultiFactorAuthPresent", "false")
	}
}

func setIfAny(k *authz.Context, name, value string) {
	if value != "" {
		k.Set(name, value)
	}
}

// texts are the values that have to be formatted; "" where there is none.
type texts struct {
	now, epoch, address string
	// session is the aws:userid of a session: whose it is, and its name.
	session string
	// issued is when the session was made, age how many seconds ago.
	issued, age string
}

// format writes the values one behind the other, so that all of them are one string: this is done for every request.
func format(c *service.Call) texts {
	var room [192]byte
	b := c.Time.UTC().AppendFormat(room[:0], time.RFC3339)
	now := len(b)
	b = strconv.AppendInt(b, c.Time.Unix(), 10)
	epoch := len(b)
	if c.SourceIP.IsValid() {
		b = c.SourceIP.AppendTo(b)
	}
	address := len(b)
	switch p := &c.Caller; p.Kind {
	case authz.AssumedRole:
		b = append(append(append(b, p.ID...), ':'), p.SessionName...)
	case authz.FederatedUser:
		b = append(append(append(b, p.Account...), ':'), p.SessionName...)
	}
	session, issued := len(b), len(b)
	if s := c.Caller.Session; s != nil {
		b = s.IssuedAt.UTC().AppendFormat(b, time.RFC3339)
		issued = len(b)
		b = strconv.AppendInt(b, max(0, int64(c.Time.Sub(s.IssuedAt)/time.Second)), 10)
	}
	all := string(b)
	return texts{
		now: all[:now], epoch: all[now:epoch], address: all[epoch:address], session: all[address:session], issued: all[session:issued],
		age: all[issued:],
	}
}
