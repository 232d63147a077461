package sts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/oidc/oidctest"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/saml"
	"github.com/licet/licet/internal/saml/samltest"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

// trustedProviders knows one provider of each kind.
type trustedProviders struct {
	oidc oidc.Provider
	saml saml.Provider
}

const samlARN = "arn:aws:iam::111122223333:saml-provider/corp"

func (p *trustedProviders) OIDCProvider(_ context.Context, of, issuer string) (oidc.Provider, error) {
	if of != account || issuer != p.oidc.URL {
		return oidc.Provider{}, principal.ErrNoProvider
	}
	return p.oidc, nil
}

func (p *trustedProviders) SAMLProvider(_ context.Context, arn string) (saml.Provider, error) {
	if arn != samlARN {
		return saml.Provider{}, principal.ErrNoProvider
	}
	return p.saml, nil
}

// federation is a world with providers.
type federation struct {
	*world
	idp       *oidctest.Provider
	corp      *samltest.Provider
	providers *trustedProviders
}

func newFederation(t *testing.T) *federation {
	t.Helper()
	f := &federation{world: newWorld(t), idp: oidctest.New(t), corp: samltest.New(t, "https://corp.example.com")}
	metadata, err := saml.ParseMetadata(f.corp.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	f.providers = &trustedProviders{
		oidc.Provider{URL: f.idp.URL, ClientIDs: []string{"client"}},
		saml.Provider{Metadata: metadata, UUID: "SAMLSP1", ValidUntil: f.now.Add(time.Hour)},
	}
	f.s = New(Config{
		Directory: f.d, Keyring: f.keys, Organization: f.d, Providers: f.providers, Tokens: oidc.New(func() time.Time { return f.now }),
		KnownKey: func(key string) bool { return strings.EqualFold(key, issuerName(f.idp.URL)+":actor") },
	})
	return f
}

func (f *federation) anonymous() *service.Call {
	c := f.call(principal.Caller{Principal: authz.Principal{Kind: authz.Anonymous}})
	c.Account = ""
	return c
}

func (f *federation) web(claims map[string]any) *sdk.AssumeRoleWithWebIdentityInput {
	all := map[string]any{"iss": f.idp.URL, "sub": "me", "aud": "client", "iat": f.now.Unix(), "exp": f.now.Add(time.Hour).Unix()}
	maps.Copy(all, claims)
	token := oidctest.Sign(f.t, jose.ES256, "ec", oidctest.ECKey(f.t), all)
	return &sdk.AssumeRoleWithWebIdentityInput{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("job"), WebIdentityToken: &token}
}

func (f *federation) samlInput(s samltest.Statement) *sdk.AssumeRoleWithSAMLInput {
	return &sdk.AssumeRoleWithSAMLInput{RoleArn: aws.String(roleARN), PrincipalArn: aws.String(samlARN), SAMLAssertion: aws.String(f.corp.Response(s))}
}

func (f *federation) statement(attributes ...samltest.Attribute) samltest.Statement {
	return f.corp.Good(f.now, append([]samltest.Attribute{
		{Name: samlRole, Values: []string{roleARN + "," + samlARN}}, {Name: samlSessionName, Values: []string{"alice"}},
	}, attributes...)...)
}

// needs identifies the caller and describes what is to be decided: who, the actions, the keys of the first.
func (f *federation) needs(operation string, in any) (who authz.Principal, actions, keys []string) {
	f.t.Helper()
	op := f.operation(operation)
	c, err := op.Identify(f.t.Context(), f.anonymous(), in)
	if err != nil {
		f.t.Fatal(err)
	}
	needs, err := op.Needs(f.t.Context(), c, in)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, n := range needs {
		actions = append(actions, n.Action)
		if !n.Target.Trust || n.Target.ARN != roleARN || n.Target.Account != account || c.Account != account {
			f.t.Errorf("got target %+v in account %s", n.Target, c.Account)
		}
		wantError(f.t, n.Denied(authz.Decision{}), 403, "AccessDenied", "Not authorized to perform "+n.Action)
	}
	for name, v := range needs[0].Target.Keys.All {
		text := fmt.Sprintf("%s=%v", name, v.Values)
		if v.Multi {
			text += " multi"
		}
		keys = append(keys, text)
	}
	slices.Sort(keys)
	return c.Caller.Principal, actions, keys
}

func TestWebIdentityNeeds(t *testing.T) {
	f := newFederation(t)
	name := issuerName(f.idp.URL)
	who, actions, keys := f.needs("AssumeRoleWithWebIdentity", f.web(map[string]any{
		"aud": "api", "azp": "client", "amr": []string{"pwd", "otp"}, "actor": "octocat", "email": "me@example.com",
		"https://aws.amazon.com/source_identity": "alice",
		"https://aws.amazon.com/tags":            map[string]any{"principal_tags": map[string]any{"team": []string{"red"}}, "transitive_tag_keys": []string{"team"}},
	}))
	if want := (authz.Principal{Kind: authz.WebIdentity, ARN: "arn:aws:iam::111122223333:oidc-provider/" + name}); who != want {
		t.Errorf("got %+v, want %+v", who, want)
	}
	if diff := cmp.Diff(actions, []string{"sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"}); diff != "" {
		t.Errorf("actions (-got +want):\n%s", diff)
	}
	want := []string{
		name + ":actor=[octocat]", name + ":amr=[pwd otp] multi", name + ":aud=[client]", name + ":azp=[client]", name + ":oaud=[api]", name + ":sub=[me]",
		"aws:RequestTag/team=[red]", "aws:ResourceTag/team=[blue]", "aws:TagKeys=[team] multi", "iam:ResourceTag/team=[blue]",
		"sts:RoleSessionName=[job]", "sts:SourceIdentity=[alice]", "sts:TransitiveTagKeys=[team] multi",
	}
	if diff := cmp.Diff(keys, want); diff != "" {
		t.Errorf("keys (-got +want):\n%s", diff)
	}
}

func TestWebIdentitySession(t *testing.T) {
	f := newFederation(t)
	in := f.web(map[string]any{"https://aws.amazon.com/tags/principal_tags/team": "red", "https://aws.amazon.com/tags/transitive_tag_keys": []string{"team"}})
	in.Policy, in.DurationSeconds = aws.String(allowAll), aws.Int32(900)
	got, err := f.do(f.anonymous(), "AssumeRoleWithWebIdentity", in)
	if err != nil {
		t.Fatal(err)
	}
	token, err := principal.OpenToken(f.keys, *got.(*sdk.AssumeRoleWithWebIdentityOutput).Credentials.SessionToken)
	if err != nil {
		t.Fatal(err)
	}
	name, issued := issuerName(f.idp.URL), f.now.Truncate(time.Second)
	want := principal.Session{
		RoleARN: roleARN, RoleID: "AROAX", Name: "job", Generation: 4, Policy: allowAll, HasPolicies: true, Tags: map[string]string{"team": "red"},
		TransitiveTagKeys: []string{"team"}, FederatedProvider: "arn:aws:iam::111122223333:oidc-provider/" + name,
		ProviderKeys: map[string]authz.Value{name + ":aud": {Values: []string{"client"}}, name + ":sub": {Values: []string{"me"}}},
		IssuedAt:     issued, Expires: issued.Add(15 * time.Minute),
	}
	if diff := cmp.Diff(token.Session, want); diff != "" {
		t.Errorf("session (-got +want):\n%s", diff)
	}
}

func TestWebIdentityErrors(t *testing.T) {
	f := newFederation(t)
	malformed := func(claim string) string { return "The claim " + claim + " of the ID Token provided is malformed." }
	tests := []struct {
		claims        map[string]any
		change        func(*sdk.AssumeRoleWithWebIdentityInput)
		status        int
		code, message string
	}{
		{nil, func(in *sdk.AssumeRoleWithWebIdentityInput) { in.WebIdentityToken = nil }, 400, "ValidationError", "1 validation error detected: Value null at 'webIdentityToken' failed to satisfy constraint: Member must not be null"},
		{nil, func(in *sdk.AssumeRoleWithWebIdentityInput) { in.RoleArn = aws.String("arn:aws:iam::1/2:role/deploy") }, 400, "ValidationError", "arn:aws:iam::1/2:role/deploy is invalid"},
		{nil, func(in *sdk.AssumeRoleWithWebIdentityInput) { in.RoleArn = aws.String("arn:aws:s3:::bucket/x") }, 400, "ValidationError", "arn:aws:s3:::bucket/x is invalid"},
		{nil, func(in *sdk.AssumeRoleWithWebIdentityInput) { in.ProviderId = aws.String("www.amazon.com") }, 501, "NotImplemented", "licet does not implement the member ProviderId of AssumeRoleWithWebIdentity."},
		{nil, func(in *sdk.AssumeRoleWithWebIdentityInput) {
			in.RoleArn = aws.String("arn:aws:iam::444455556666:role/r")
		}, 400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for " + f.idp.URL},
		{nil, func(in *sdk.AssumeRoleWithWebIdentityInput) { in.DurationSeconds = aws.Int32(7201) }, 400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{map[string]any{"exp": f.now.Add(-time.Second).Unix()}, nil, 400, "ExpiredTokenException", fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %d", f.now.Unix(), f.now.Add(-time.Second).Unix())},
		{map[string]any{"https://aws.amazon.com/tags": "x"}, nil, 400, "InvalidIdentityToken", malformed(tagsClaim)},
		{map[string]any{"https://aws.amazon.com/tags": map[string]any{"principal_tags": []string{"a"}}}, nil, 400, "InvalidIdentityToken", malformed(tagsClaim)},
		{map[string]any{"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"a": []string{"1", "2"}}}}, nil, 400, "InvalidIdentityToken", malformed(tagsClaim)},
		{map[string]any{"https://aws.amazon.com/tags": map[string]any{"transitive_tag_keys": "a"}}, nil, 400, "InvalidIdentityToken", malformed(tagsClaim)},
		{map[string]any{"https://aws.amazon.com/tags": map[string]any{"transitive_tag_keys": []string{"a"}}}, nil, 400, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."},
		{map[string]any{"https://aws.amazon.com/source_identity": 5}, nil, 400, "InvalidIdentityToken", malformed(sourceIdentityClaim)},
	}
	for _, tt := range tests {
		in := f.web(tt.claims)
		if tt.change != nil {
			tt.change(in)
		}
		_, err := f.do(f.anonymous(), "AssumeRoleWithWebIdentity", in)
		wantError(t, err, tt.status, tt.code, tt.message)
	}
}

func TestSAMLNeeds(t *testing.T) {
	f := newFederation(t)
	who, actions, keys := f.needs("AssumeRoleWithSAML", f.samlInput(f.statement(
		samltest.Attribute{Name: samlTag + "team", Values: []string{"red"}}, samltest.Attribute{Name: samlTransitive, Values: []string{"team"}},
		samltest.Attribute{Name: samlSourceIdentity, Values: []string{"alice"}},
		samltest.Attribute{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.1", Values: []string{"staff", "member"}},
		samltest.Attribute{Name: "urn:oid:0.9.2342.19200300.100.1.3", Values: []string{"alice@example.com"}})))
	if want := (authz.Principal{Kind: authz.SAML, ARN: samlARN}); who != want {
		t.Errorf("got %+v, want %+v", who, want)
	}
	if diff := cmp.Diff(actions, []string{"sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"}); diff != "" {
		t.Errorf("actions (-got +want):\n%s", diff)
	}
	want := []string{
		"aws:RequestTag/team=[red]", "aws:ResourceTag/team=[blue]", "aws:TagKeys=[team] multi", "iam:ResourceTag/team=[blue]",
		"saml:aud=[https://signin.aws.amazon.com/saml]", "saml:doc=[111122223333/corp]", "saml:edupersonaffiliation=[staff member] multi",
		"saml:iss=[https://corp.example.com]", "saml:mail=[alice@example.com]", "saml:namequalifier=[LG/pVfF+L7P+rGTCCW2Rt0poJ3k=]",
		"saml:sub=[alice@example.com]", "saml:sub_type=[persistent]", "sts:RoleSessionName=[alice]", "sts:SourceIdentity=[alice]",
		"sts:TransitiveTagKeys=[team] multi",
	}
	if diff := cmp.Diff(keys, want); diff != "" {
		t.Errorf("keys (-got +want):\n%s", diff)
	}
}

// Two attributes that are one condition key give it the same value each time: who may choose one of them cannot ask until it is that.
func TestSAMLKeysOfTwoAttributes(t *testing.T) {
	f := newFederation(t)
	in := f.samlInput(f.statement(
		samltest.Attribute{Name: "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", Values: []string{"claim@example.com"}},
		samltest.Attribute{Name: "urn:oid:0.9.2342.19200300.100.1.3", Values: []string{"oid@example.com"}}))
	for range 20 {
		if _, _, keys := f.needs("AssumeRoleWithSAML", in); !slices.Contains(keys, "saml:mail=[oid@example.com]") {
			t.Fatalf("got %v", keys)
		}
	}
}

// Nor do claims whose names differ in case only.
func TestWebIdentityKeysOfTwoClaims(t *testing.T) {
	f := newFederation(t)
	in := f.web(map[string]any{"ACTOR": "shouted", "Actor": "spoken", "actor": "me"})
	for range 20 {
		_, _, keys := f.needs("AssumeRoleWithWebIdentity", in)
		if !slices.ContainsFunc(keys, func(key string) bool { return strings.HasSuffix(strings.ToLower(key), ":actor=[me]") }) {
			t.Fatalf("got %v", keys)
		}
	}
}

func TestSAMLPlaceAndTime(t *testing.T) {
	f := newFederation(t)
	const audience, tooLate = "Response does not contain the required audience.", "Token must be redeemed within 5 minutes of issuance"
	tests := map[string]struct {
		change        func(*samltest.Statement)
		code, message string
	}{
		"good":                     {func(*samltest.Statement) {}, "", ""},
		"urn":                      {func(s *samltest.Statement) { s.Audience = "urn:amazon:webservices" }, "", ""},
		"a region":                 {func(s *samltest.Statement) { s.Recipient = "https://eu-west-1.signin.aws.amazon.com/saml" }, "", ""},
		"the provider's own place": {func(s *samltest.Statement) { s.Recipient = "https://signin.aws.amazon.com/saml/acs/SAMLSP1" }, "", ""},
		"another's place":          {func(s *samltest.Statement) { s.Recipient = "https://signin.aws.amazon.com/saml/acs/SAMLSP2" }, "InvalidIdentityToken", audience},
		"plain HTTP":               {func(s *samltest.Statement) { s.Recipient = "http://signin.aws.amazon.com/saml" }, "InvalidIdentityToken", audience},
		"a path":                   {func(s *samltest.Statement) { s.Audience = "https://signin.aws.amazon.com/saml/x" }, "InvalidIdentityToken", audience},
		"issued 5 minutes ago":     {func(s *samltest.Statement) { s.Issued = f.now.Truncate(time.Second).Add(-5 * time.Minute) }, "ExpiredTokenException", tooLate},
		"issued just before":       {func(s *samltest.Statement) { s.Issued = f.now.Add(-4 * time.Minute) }, "", ""},
		"ended":                    {func(s *samltest.Statement) { s.Until = f.now.Truncate(time.Second) }, "ExpiredTokenException", tooLate},
		"session ended":            {func(s *samltest.Statement) { s.SessionUntil = f.now.Truncate(time.Second) }, "ExpiredTokenException", tooLate},
		"in the future":            {func(s *samltest.Statement) { s.NotBefore = f.now.Add(10 * time.Minute) }, "InvalidIdentityToken", "The SAML assertion is not valid yet."},
		"two names":                {func(s *samltest.Statement) { s.Attributes[1].Values = []string{"a1", "b1"} }, "InvalidIdentityToken", "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"},
		"a bad name":               {func(s *samltest.Statement) { s.Attributes[1].Values = []string{"a b"} }, "InvalidIdentityToken", "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"},
		"a role that begins so":    {func(s *samltest.Statement) { s.Attributes[0].Values = []string{roleARN + "x," + samlARN} }, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML"},
		"another provider":         {func(s *samltest.Statement) { s.Attributes[0].Values = []string{roleARN + "," + samlARN + "x"} }, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML"},
	}
	for name, tt := range tests {
		s := f.statement()
		tt.change(&s)
		_, err := f.do(f.anonymous(), "AssumeRoleWithSAML", f.samlInput(s))
		e, ok := errors.AsType[*awserr.Error](err)
		if (err == nil) != (tt.code == "") || ok && (e.Code != tt.code || e.Message != tt.message) {
			t.Errorf("%s: got %v, want %s: %s", name, err, tt.code, tt.message)
		}
	}
	in, endless := f.samlInput(f.statement()), samlARN+strings.Repeat("p", 2048)
	in.PrincipalArn = &endless
	_, err := f.do(f.anonymous(), "AssumeRoleWithSAML", in)
	wantError(t, err, 400, "ValidationError", "1 validation error detected: Value '"+endless+"' at 'principalArn' failed to satisfy constraint: "+
		"Member must have length less than or equal to 2048")
	f.providers.saml.ValidUntil = f.now
	_, err = f.do(f.anonymous(), "AssumeRoleWithSAML", f.samlInput(f.statement()))
	wantError(t, err, 400, "InvalidIdentityToken", "The metadata of the specified provider has expired.")
}

func TestAssumeRoot(t *testing.T) {
	w := newWorld(t)
	const member, task = "444455556666", "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"
	in := func(target, task string) *sdk.AssumeRootInput {
		return &sdk.AssumeRootInput{TargetPrincipal: &target, TaskPolicyArn: &types.PolicyDescriptorType{Arn: &task}}
	}
	caller := roleSession(principal.Session{SourceIdentity: "me"})
	for _, target := range []string{member, "arn:aws:iam::" + member + ":root"} {
		needs, err := w.operation("AssumeRoot").Needs(t.Context(), w.call(caller), in(target, task))
		if err != nil {
			t.Fatal(err)
		}
		key, _ := needs[0].Target.Keys.Get("sts:TaskPolicyArn")
		owner, _ := needs[0].Target.Keys.Get("aws:ResourceAccount")
		if needs[0].Target.ARN != "arn:aws:iam::"+member+":root" || needs[0].Target.Account != account || key.Values[0] != task || owner.Values[0] != member {
			t.Errorf("got target %+v", needs[0].Target)
		}
		got, err := w.do(w.call(caller), "AssumeRoot", in(target, task))
		if err != nil {
			t.Fatal(err)
		}
		token, err := principal.OpenToken(w.keys, *got.(*sdk.AssumeRootOutput).Credentials.SessionToken)
		if err != nil {
			t.Fatal(err)
		}
		s := token.Session
		if s.UserARN != "arn:aws:iam::"+member+":root" || s.UserID != member || !s.HasPolicies || !slices.Equal(s.PolicyARNs, []string{task}) ||
			s.Expires.Sub(s.IssuedAt) != 15*time.Minute || s.SourceIdentity != "me" {
			t.Errorf("got %+v", s)
		}
	}
	for _, tt := range []struct {
		caller        principal.Caller
		in            *sdk.AssumeRootInput
		status        int
		code, message string
	}{
		{root(), in(member, task), 403, "AccessDenied", "The root user cannot call AssumeRoot."},
		{user(), in("777788889999", task), 403, "AccessDenied", "AssumeRoot needs centralized root access, and the account 777788889999 to be a member of your organization."},
		{user(), in(member, managed), 400, "ValidationError", managed + " is not a task policy of AssumeRoot."},
		{user(), in("arn:aws:iam::"+member+":user/x", task), 400, "ValidationError", "arn:aws:iam::" + member + ":user/x is invalid"},
		{user(), in("the-member-account", task), 400, "ValidationError", "the-member-account is invalid"},
		{user(), in("me", task), 400, "ValidationError", "1 validation error detected: Value 'me' at 'targetPrincipal' failed to satisfy constraint: Member must have length greater than or equal to 12"},
		{user(), &sdk.AssumeRootInput{}, 400, "ValidationError", "1 validation error detected: Value null at 'targetPrincipal' failed to satisfy constraint: Member must not be null"},
	} {
		_, err := w.do(w.call(tt.caller), "AssumeRoot", tt.in)
		wantError(t, err, tt.status, tt.code, tt.message)
	}
}

// denials is a decision log with one denial.
type denials map[string]Denial

func (d denials) Denial(_ context.Context, id string) (Denial, error) {
	if found, ok := d[id]; ok {
		return found, nil
	}
	return Denial{}, ErrNoDenial
}

func TestDecodeAuthorizationMessage(t *testing.T) {
	w := newWorld(t)
	doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	request := authz.Request{
		Principal: user().Principal, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourceAccount: account,
	}
	request.Context.Set("aws:SecureTransport", "false")
	request.Context.Set("aws:ResourceTag/team", "red")
	denial := func(owner string) Denial {
		r := request
		r.ResourceAccount = owner
		return Denial{Account: account, Request: r, Decision: authz.Explain(r, authz.Policies{Resource: &authz.Policy{Name: "bucket", Document: doc}}).Decision}
	}
	other := denial(account)
	other.Account = "444455556666"
	w.s.denials = denials{"own": denial(account), "foreign": denial("444455556666"), "other": other}
	decode := func(id string) (string, error) {
		message, err := EncodeAuthorizationMessage(w.keys, id)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.do(w.call(user()), "DecodeAuthorizationMessage", &sdk.DecodeAuthorizationMessageInput{EncodedMessage: &message})
		if err != nil {
			return "", err
		}
		return *got.(*sdk.DecodeAuthorizationMessageOutput).DecodedMessage, nil
	}
	const (
		secure  = `{"key":"aws:SecureTransport","values":{"items":[{"value":"false"}]}}`
		tag     = `{"key":"aws:ResourceTag/team","values":{"items":[{"value":"red"}]}},`
		matched = `{"statementId":"","effect":"DENY","principals":{"items":[{"value":"*"}]},"principalGroups":{"items":[]},"actions":{"items":[{"value":"s3:*"}]},"resources":{"items":[{"value":"*"}]},"conditions":{"items":[` + secure + `]}}`
		head    = `{"allowed":false,"explicitDeny":true,"matchedStatements":{"items":[`
		middle  = `]},"failures":{"items":[]},"context":{"principal":{"id":"AIDAX","name":"alice","arn":"arn:aws:iam::111122223333:user/alice"},"action":"s3:GetObject","resource":"arn:aws:s3:::b/k","conditions":{"items":[`
		tail    = `]}}}`
	)
	for id, want := range map[string]string{"own": head + matched + middle + tag + secure + tail, "foreign": head + middle + secure + tail} {
		got, err := decode(id)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v\nwant %s", id, got, err, want)
		}
	}
	for _, id := range []string{"other", "gone"} {
		_, err := decode(id)
		wantError(t, err, 400, "InvalidAuthorizationMessageException", "Message is not valid")
	}
}

// Federated users, and sessions of users, may call little of STS.
func TestBarredSessions(t *testing.T) {
	w := newWorld(t)
	federated := principal.Caller{Principal: authz.Principal{
		Kind: authz.FederatedUser, Account: account, ARN: "arn:aws:sts::111122223333:federated-user/bob", ID: "AIDAX", SessionName: "bob",
	}, Session: &principal.Session{Name: "bob"}}
	session := user()
	session.Session = &principal.Session{}
	const barred = "The security token included in the request is invalid."
	for operation, in := range map[string]any{
		"AssumeRole": input(nil), "GetAccessKeyInfo": &sdk.GetAccessKeyInfoInput{}, "GetWebIdentityToken": &sdk.GetWebIdentityTokenInput{},
		"DecodeAuthorizationMessage": &sdk.DecodeAuthorizationMessageInput{}, "AssumeRoot": &sdk.AssumeRootInput{},
	} {
		_, err := w.operation(operation).Needs(t.Context(), w.call(federated), in)
		wantError(t, err, 403, "InvalidClientTokenId", barred)
		if operation == "AssumeRole" {
			continue
		}
		_, err = w.operation(operation).Needs(t.Context(), w.call(session), in)
		wantError(t, err, 403, "InvalidClientTokenId", barred)
	}
	for _, caller := range []principal.Caller{federated, session, roleSession(principal.Session{})} {
		_, err := w.do(w.call(caller), "GetFederationToken", &sdk.GetFederationTokenInput{Name: aws.String("eve")})
		wantError(t, err, 403, "AccessDenied", "Cannot call GetFederationToken with session credentials")
	}
}
