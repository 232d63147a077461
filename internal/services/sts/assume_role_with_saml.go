package sts

import (
	"context"
	"crypto/sha1" //nolint:gosec // AWS defines NameQualifier by it
	"encoding/base64"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/saml"
	"github.com/licet/licet/internal/service"
)

// Attributes of assertions for AWS.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html
const (
	samlAttributes     = "https://aws.amazon.com/SAML/Attributes/"
	samlRole           = samlAttributes + "Role"
	samlSessionName    = samlAttributes + "RoleSessionName"
	samlSourceIdentity = samlAttributes + "SourceIdentity"
	samlTag            = samlAttributes + "PrincipalTag:"
	samlTransitive     = samlAttributes + "TransitiveTagKeys"
	nameIDFormat       = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
)

// redeemWithin is how long after it was issued an assertion is taken.
const redeemWithin = 5 * time.Minute

// samlIdentity is who presents an assertion.
type samlIdentity struct {
	assertion *saml.Assertion
	provider  arn.ARN
	grant     *grant
}

// identifySAML verifies the assertion of AssumeRoleWithSAML against the provider that the call names.
func (s *Service) identifySAML(ctx context.Context, c *service.Call, in *sdk.AssumeRoleWithSAMLInput) error {
	provider, err := checkSAML(in)
	if err != nil {
		return err
	}
	trusted, err := s.providers.SAMLProvider(ctx, *in.PrincipalArn)
	if errors.Is(err, principal.ErrNoProvider) {
		return invalidIdentityToken("Specified provider doesn't exist")
	}
	if err != nil {
		return err
	}
	if !c.Time.Before(trusted.ValidUntil) {
		return invalidIdentityToken("The metadata of the specified provider has expired.") // AWS's text is not known
	}
	assertion, err := saml.Verify(*in.SAMLAssertion, trusted.Metadata, trusted.Keys)
	if err != nil {
		return assertionError(err)
	}
	if assertion.Issuer != trusted.Metadata.EntityID {
		return invalidIdentityToken("Issuer not present in specified provider")
	}
	if err := checkAssertion(assertion, trusted.UUID, c.Time); err != nil {
		return err
	}
	if !namesRole(assertion, *in.RoleArn, *in.PrincipalArn) {
		return notAuthorized("sts:AssumeRoleWithSAML")
	}
	i := &samlIdentity{assertion: assertion, provider: provider}
	if i.grant, err = s.samlGrant(i, in); err != nil {
		return err
	}
	role, err := arn.Parse(*in.RoleArn)
	if err != nil {
		return validationError("%s is invalid", *in.RoleArn)
	}
	c.Account = role.AccountID
	c.Caller = principal.Caller{Principal: authz.Principal{Kind: authz.SAML, ARN: *in.PrincipalArn}}
	c.Presented = i
	return nil
}

// checkSAML checks what needs no look-up.
func checkSAML(in *sdk.AssumeRoleWithSAMLInput) (provider arn.ARN, err error) {
	if err := checkRoleARN(in.RoleArn); err != nil {
		return arn.ARN{}, err
	}
	if err := checkARN("principalArn", in.PrincipalArn, 20); err != nil {
		return arn.ARN{}, err
	}
	provider, err = arn.Parse(*in.PrincipalArn)
	if err != nil || provider.Service != "iam" || !strings.HasPrefix(provider.Resource, "saml-provider/") {
		return arn.ARN{}, validationError("%s is invalid", *in.PrincipalArn)
	}
	if in.SAMLAssertion == nil {
		return arn.ARN{}, missingMember("sAMLAssertion")
	}
	if n := len(*in.SAMLAssertion); n < 4 || n > 100000 {
		return arn.ARN{}, validationError("1 validation error detected: Value at 'sAMLAssertion' failed to satisfy constraint: " +
			"Member must have length between 4 and 100000, inclusive") // AWS's text is not known; the assertion is not shown
	}
	if in.MinimumSessionTokenSize != nil {
		return arn.ARN{}, notImplemented("MinimumSessionTokenSize", "AssumeRoleWithSAML")
	}
	return provider, checkDuration(in.DurationSeconds, maxRoleDuration)
}

// assertionError words what is wrong with a response. The texts about signature and issuer are those of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_saml.html.
func assertionError(err error) error {
	var answer *awserr.Error
	switch {
	case errors.Is(err, saml.ErrSignature):
		answer = invalidIdentityToken("Response signature invalid")
	case errors.Is(err, saml.ErrStatus):
		answer = idpRejectedClaim()
	case errors.Is(err, saml.ErrEncryption):
		answer = invalidIdentityToken("The SAML assertion could not be decrypted.") // AWS's text is not known
	default:
		answer = invalidIdentityToken("Your request included an invalid SAML response.")
	}
	answer.Cause = err
	return answer
}

// isSignIn tells whether a URL is that of AWS's sign-in, of whatever region, for this provider if it names one.
func isSignIn(text, uuid string) bool {
	m := regexp.MustCompile(`^https://(?:[a-z0-9-]+\.)?signin\.aws\.amazon\.com/(?:static/)?saml(?:/acs/(\w+))?$`).FindStringSubmatch(text)
	return m != nil && (m[1] == "" || m[1] == uuid)
}

// checkAssertion holds an assertion against place and time.
func checkAssertion(a *saml.Assertion, uuid string, now time.Time) error {
	inAudience := func(list []string) bool {
		return slices.ContainsFunc(list, func(text string) bool { return text == "urn:amazon:webservices" || isSignIn(text, uuid) })
	}
	expired := func(end time.Time) bool { return !end.IsZero() && !now.Before(end) }
	switch {
	case len(a.Audiences) == 0, slices.ContainsFunc(a.Audiences, func(l []string) bool { return !inAudience(l) }), !isSignIn(a.Recipient, uuid):
		return invalidIdentityToken("Response does not contain the required audience.")
	case expired(a.ConfirmedUntil), expired(a.NotOnOrAfter), expired(a.SessionUntil), expired(a.Issued.Add(redeemWithin)):
		return expiredToken("Token must be redeemed within 5 minutes of issuance")
	case a.NotBefore.After(now.Add(redeemWithin)), a.Issued.After(now.Add(redeemWithin)):
		return invalidIdentityToken("The SAML assertion is not valid yet.") // AWS's text is not known
	}
	return nil
}

// namesRole tells whether the Role attribute has the pair of role and provider, in either order.
func namesRole(a *saml.Assertion, role, provider string) bool {
	return slices.ContainsFunc(a.Attributes[samlRole], func(text string) bool {
		first, second, _ := strings.Cut(text, ",")
		first, second = strings.TrimSpace(first), strings.TrimSpace(second)
		return first == role && second == provider || first == provider && second == role
	})
}

// samlGrant takes the session out of input and attributes.
func (s *Service) samlGrant(i *samlIdentity, in *sdk.AssumeRoleWithSAMLInput) (*grant, error) {
	a := i.assertion
	g := &grant{policy: in.Policy, policyARNs: in.PolicyArns, provider: *in.PrincipalArn, transitive: a.Attributes[samlTransitive]}
	names := a.Attributes[samlSessionName]
	if len(names) == 0 {
		return nil, invalidIdentityToken("RoleSessionName is required in AuthnResponse")
	}
	if g.name = names[0]; len(names) > 1 || s.patterns.sessionName.check("", g.name, 2, 64) != nil {
		return nil, invalidIdentityToken("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
	}
	if sources := a.Attributes[samlSourceIdentity]; len(sources) > 0 {
		g.sourceIdentity = sources[0]
	}
	if err := s.checkSourceIdentity(g.sourceIdentity); err != nil {
		return nil, err
	}
	for name, values := range a.Attributes {
		key, ok := strings.CutPrefix(name, samlTag)
		if !ok {
			continue
		}
		if len(values) != 1 {
			return nil, invalidIdentityToken("The attribute %s must have one value.", name) // AWS's text is not known
		}
		g.tags = append(g.tags, types.Tag{Key: aws.String(key), Value: aws.String(values[0])})
	}
	slices.SortFunc(g.tags, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	one := func(text string) authz.Value { return authz.Value{Values: []string{text}} }
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#cross-condition-keys-saml
	g.providerKeys = map[string]authz.Value{
		"saml:namequalifier": one(i.nameQualifier()), "saml:sub": one(a.Subject), "saml:sub_type": one(i.subjectType()),
	}
	return g, nil
}

// nameQualifier is the hash that API_AssumeRoleWithSAML defines, of issuer, account and "/" with the provider's name.
func (i *samlIdentity) nameQualifier() string {
	sum := sha1.Sum([]byte(i.assertion.Issuer + i.provider.AccountID + strings.TrimPrefix(i.provider.Resource, "saml-provider")))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (i *samlIdentity) subjectType() string {
	return strings.TrimPrefix(i.assertion.SubjectFormat, nameIDFormat)
}

// samlKeys are the condition keys that attributes become, by the names that directories have for the attributes; list tells which keys
// hold lists.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html#saml-attribute-mapping
func samlKeys() map[string]struct {
	key  string
	list bool
} {
	const edu, org, x500, pilot = "urn:oid:1.3.6.1.4.1.5923.1.1.1.", "urn:oid:1.3.6.1.4.1.5923.1.2.1.", "urn:oid:2.5.4.", "urn:oid:0.9.2342.19200300.100.1."
	const claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	return map[string]struct {
		key  string
		list bool
	}{
		edu + "1": {"edupersonaffiliation", true}, edu + "2": {"edupersonnickname", true}, edu + "3": {"edupersonorgdn", false},
		edu + "4": {"edupersonorgunitdn", true}, edu + "5": {"edupersonprimaryaffiliation", false},
		edu + "6": {"edupersonprincipalname", false}, edu + "7": {"edupersonentitlement", true},
		edu + "8": {"edupersonprimaryorgunitdn", false}, edu + "9": {"edupersonscopedaffiliation", true},
		edu + "10": {"edupersontargetedid", true}, edu + "11": {"edupersonassurance", true},
		org + "2": {"eduorghomepageuri", true}, org + "3": {"eduorgidentityauthnpolicyuri", true}, org + "4": {"eduorglegalname", true},
		org + "5": {"eduorgsuperioruri", true}, org + "6": {"eduorgwhitepagesuri", true}, x500 + "3": {"cn", true},
		claims + "name": {"name", false}, "http://schemas.xmlsoap.org/claims/CommonName": {"commonName", false},
		claims + "givenname": {"givenName", false}, claims + "surname": {"surname", false},
		"http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid": {"primaryGroupSID", false},
		claims + "emailaddress": {"mail", false}, x500 + "4": {"surname", false}, x500 + "42": {"givenName", false},
		x500 + "45": {"x500UniqueIdentifier", false}, pilot + "1": {"uid", false}, pilot + "3": {"mail", false},
		pilot + "45": {"organizationStatus", false},
	}
}

// setRequestKeys sets the keys of the assertion.
func (i *samlIdentity) setRequestKeys(k *authz.Context) {
	principal.SetProviderKeys(k, i.grant.providerKeys)
	k.Set("saml:aud", i.assertion.Recipient)
	k.Set("saml:iss", i.assertion.Issuer)
	k.Set("saml:doc", i.provider.AccountID+strings.TrimPrefix(i.provider.Resource, "saml-provider"))
	known := samlKeys()
	for _, name := range slices.Sorted(maps.Keys(known)) { // of two attributes for one key, the one of a directory comes last and stays
		values, to := i.assertion.Attributes[name], known[name]
		switch {
		case len(values) == 0:
		case to.list:
			k.SetList("saml:"+to.key, values...)
		default:
			k.Set("saml:"+to.key, values[0])
		}
	}
}

// roleForSAML is the target of AssumeRoleWithSAML: only the role's trust policy decides (iam.md T3).
func (s *Service) roleForSAML(ctx context.Context, c *service.Call, in *sdk.AssumeRoleWithSAMLInput) (service.Target, error) {
	i := c.Presented.(*samlIdentity)
	t, err := s.roleTarget(ctx, *in.RoleArn)
	if err != nil {
		return service.Target{}, err
	}
	i.setRequestKeys(&t.Keys)
	i.grant.setKeys(&t.Keys)
	return t, nil
}

// samlNeeds are the permissions to pass tags and a source identity.
func (s *Service) samlNeeds(ctx context.Context, c *service.Call, in *sdk.AssumeRoleWithSAMLInput) ([]service.Need, error) {
	t, err := s.roleForSAML(ctx, c, in)
	return c.Presented.(*samlIdentity).grant.needs(t), err
}

// assumeRoleWithSAML makes a session that ends with the one that the provider has, if that is earlier
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html, DurationSeconds).
func (s *Service) assumeRoleWithSAML(
	ctx context.Context, c *service.Call, in *sdk.AssumeRoleWithSAMLInput,
) (*sdk.AssumeRoleWithSAMLOutput, error) {
	i := c.Presented.(*samlIdentity)
	i.grant.until = i.assertion.SessionUntil
	made, err := s.makeSession(ctx, c, *in.RoleArn, in.DurationSeconds, i.grant)
	if err != nil {
		return nil, err
	}
	out := &sdk.AssumeRoleWithSAMLOutput{
		AssumedRoleUser: made.user, Credentials: made.credentials, Audience: aws.String(i.assertion.Recipient),
		Issuer: aws.String(i.assertion.Issuer), NameQualifier: aws.String(i.nameQualifier()), Subject: aws.String(i.assertion.Subject),
		SubjectType: aws.String(i.subjectType()),
		//lint:ignore SA1019 AWS still answers with it
		PackedPolicySize: made.packed,
	}
	if i.grant.sourceIdentity != "" {
		out.SourceIdentity = aws.String(i.grant.sourceIdentity)
	}
	return out, nil
}
