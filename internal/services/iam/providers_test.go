package iam

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/saml/samltest"
)

const providerARN = "arn:aws:iam::111122223333:oidc-provider/idp.example.com/tenant"

func TestOpenIDConnectProvider(t *testing.T) {
	w := newWorld(t)
	s, arn := aws.String, aws.String(providerARN)
	thumb := strings.Repeat("AB", 20)
	made := must[sdk.CreateOpenIDConnectProviderOutput](w, &sdk.CreateOpenIDConnectProviderInput{
		Url: s("https://idp.example.com/tenant"), ClientIDList: []string{"a", "a", "b"}, ThumbprintList: []string{thumb},
		Tags: []types.Tag{{Key: s("z"), Value: s("1")}, {Key: s("a"), Value: s("2")}},
	})
	if *made.OpenIDConnectProviderArn != providerARN || *made.Tags[0].Key != "a" {
		t.Errorf("got %s, tags %v", *made.OpenIDConnectProviderArn, made.Tags)
	}
	must[sdk.AddClientIDToOpenIDConnectProviderOutput](w, &sdk.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: s("c")})
	must[sdk.AddClientIDToOpenIDConnectProviderOutput](w, &sdk.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: s("c")})
	must[sdk.RemoveClientIDFromOpenIDConnectProviderOutput](w, &sdk.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: s("a")})
	must[sdk.RemoveClientIDFromOpenIDConnectProviderOutput](w, &sdk.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: s("a")})
	must[sdk.TagOpenIDConnectProviderOutput](w, &sdk.TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, Tags: []types.Tag{{Key: s("team"), Value: s("red")}}})
	must[sdk.UntagOpenIDConnectProviderOutput](w, &sdk.UntagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, TagKeys: []string{"z", "A"}})
	got := must[sdk.GetOpenIDConnectProviderOutput](w, &sdk.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	want := &sdk.GetOpenIDConnectProviderOutput{
		ClientIDList: []string{"b", "c"}, CreateDate: aws.Time(w.now.Truncate(time.Second)), ThumbprintList: []string{strings.ToLower(thumb)},
		Tags: []types.Tag{{Key: s("team"), Value: s("red")}}, Url: s("idp.example.com/tenant"),
	}
	if diff := cmp.Diff(got, want, sdkTypes, cmpopts.IgnoreUnexported(*got), cmpopts.IgnoreFields(*got, "ResultMetadata")); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	must[sdk.UpdateOpenIDConnectProviderThumbprintOutput](w, &sdk.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: arn, ThumbprintList: []string{}})
	if l := must[sdk.ListOpenIDConnectProvidersOutput](w, &sdk.ListOpenIDConnectProvidersInput{}).OpenIDConnectProviderList; len(l) != 1 || *l[0].Arn != providerARN {
		t.Errorf("got list %v", l)
	}
	if l := must[sdk.ListOpenIDConnectProviderTagsOutput](w, &sdk.ListOpenIDConnectProviderTagsInput{OpenIDConnectProviderArn: arn}); len(l.Tags) != 1 {
		t.Errorf("got tags %v", l.Tags)
	}
	must[sdk.DeleteOpenIDConnectProviderOutput](w, &sdk.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	must[sdk.DeleteOpenIDConnectProviderOutput](w, &sdk.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	_, err := w.do(&sdk.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	wantError(t, err, "NoSuchEntity", "OpenIDConnect Provider not found for arn "+providerARN)
}

func TestOpenIDConnectProviderErrors(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	url := s("https://idp.example.com/tenant")
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("client", i)
	}
	must[sdk.CreateOpenIDConnectProviderOutput](w, &sdk.CreateOpenIDConnectProviderInput{Url: url, ClientIDList: many[:100]})
	const detected = "1 validation error detected: Value at "
	foreign := "arn:aws:iam::444455556666:oidc-provider/idp.example.com/tenant"
	tests := []struct {
		in            any
		code, message string
	}{
		{&sdk.CreateOpenIDConnectProviderInput{Url: url}, "EntityAlreadyExists", "Provider with url https://idp.example.com/tenant already exists."},
		{&sdk.CreateOpenIDConnectProviderInput{}, "ValidationError", detected + "'url' failed to satisfy constraint: Member must not be null"},
		{&sdk.CreateOpenIDConnectProviderInput{Url: s("https://other.example.com"), ClientIDList: many}, "LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"},
		{&sdk.CreateOpenIDConnectProviderInput{Url: s("https://other.example.com"), ClientIDList: []string{strings.Repeat("a", 256)}}, "ValidationError", detected + "'clientIDList' failed to satisfy constraint: Member must have length less than or equal to 255"},
		{&sdk.CreateOpenIDConnectProviderInput{Url: s("https://other.example.com"), ThumbprintList: make([]string, 6)}, "InvalidInput", "Thumbprint list must contain fewer than 5 entries."},
		{&sdk.CreateOpenIDConnectProviderInput{Url: s("https://other.example.com"), ThumbprintList: []string{strings.Repeat("g", 40)}}, "InvalidInput", "Invalid thumbprint: " + strings.Repeat("g", 40)},
		{&sdk.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: s(providerARN), ClientID: s("more")}, "LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"},
		{&sdk.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: s(providerARN)}, "ValidationError", detected + "'clientID' failed to satisfy constraint: Member must not be null"},
		{&sdk.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: &foreign}, "NoSuchEntity", "OpenIDConnect Provider not found for arn " + foreign},
		{&sdk.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: &foreign}, "NoSuchEntity", "OpenIDConnect Provider not found for arn " + foreign},
		{&sdk.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: s("arn:aws:iam::111122223333:role/x")}, "ValidationError", "Invalid ARN: arn:aws:iam::111122223333:role/x"},
	}
	for _, tt := range tests {
		_, err := w.do(tt.in)
		wantError(t, err, tt.code, tt.message)
	}
	for _, bad := range []string{
		"http://idp.example.com", "idp.example.com", "https://", "https://idp.example.com?a=b", "https://idp.example.com#a", "https://u:p@idp.example.com",
		"https://idp.example.com/*", "https://idp.example.com/a b", "https://${aws:username}", "https://idp_x!.example.com", "https://aws", "ftp://127.0.0.1",
	} {
		_, err := w.do(&sdk.CreateOpenIDConnectProviderInput{Url: &bad})
		wantError(t, err, "ValidationError", "Invalid Open ID Connect Provider URL")
	}
	for _, good := range []string{"http://127.0.0.1:8080/x", "https://[::1]:8443", "https://localhost:1"} {
		must[sdk.CreateOpenIDConnectProviderOutput](w, &sdk.CreateOpenIDConnectProviderInput{Url: &good})
	}
}

func TestSAMLProvider(t *testing.T) {
	w := newWorld(t)
	s, arn := aws.String, aws.String("arn:aws:iam::111122223333:saml-provider/corp")
	idp, next := samltest.New(t, "https://idp.example.com"), samltest.New(t, "https://next.example.com")
	made := must[sdk.CreateSAMLProviderOutput](w, &sdk.CreateSAMLProviderInput{
		Name: s("corp"), SAMLMetadataDocument: s(idp.Metadata()), Tags: []types.Tag{{Key: s("a"), Value: s("1")}},
	})
	if *made.SAMLProviderArn != *arn || len(made.Tags) != 1 {
		t.Errorf("got %s, %v", *made.SAMLProviderArn, made.Tags)
	}
	created := w.now.Truncate(time.Second)
	got := must[sdk.GetSAMLProviderOutput](w, &sdk.GetSAMLProviderInput{SAMLProviderArn: arn})
	if !strings.HasPrefix(*got.SAMLProviderUUID, "SAMLSP") || len(*got.SAMLProviderUUID) != 22 || *got.SAMLMetadataDocument != idp.Metadata() ||
		!got.CreateDate.Equal(created) || !got.ValidUntil.Equal(created.AddDate(100, 0, 0)) || got.AssertionEncryptionMode != "Allowed" || len(got.PrivateKeyList) != 0 {
		t.Errorf("got %+v", got)
	}
	key := privateKeyPEM(t)
	must[sdk.UpdateSAMLProviderOutput](w, &sdk.UpdateSAMLProviderInput{
		SAMLProviderArn: arn, SAMLMetadataDocument: s(next.Metadata(`validUntil="2030-01-01T00:00:00Z"`)), AddPrivateKey: &key,
		AssertionEncryptionMode: types.AssertionEncryptionModeTypeRequired,
	})
	got = must[sdk.GetSAMLProviderOutput](w, &sdk.GetSAMLProviderInput{SAMLProviderArn: arn})
	if got.ValidUntil.Year() != 2030 || got.AssertionEncryptionMode != "Required" || len(got.PrivateKeyList) != 1 || !got.PrivateKeyList[0].Timestamp.Equal(created) {
		t.Errorf("got %+v", got)
	}
	_, err := w.do(&sdk.UpdateSAMLProviderInput{SAMLProviderArn: arn, RemovePrivateKey: got.PrivateKeyList[0].KeyId})
	wantError(t, err, "InvalidInput", "Failed to remove private key.")
	must[sdk.UpdateSAMLProviderOutput](w, &sdk.UpdateSAMLProviderInput{
		SAMLProviderArn: arn, RemovePrivateKey: got.PrivateKeyList[0].KeyId, AssertionEncryptionMode: types.AssertionEncryptionModeTypeAllowed,
	})
	must[sdk.TagSAMLProviderOutput](w, &sdk.TagSAMLProviderInput{SAMLProviderArn: arn, Tags: []types.Tag{{Key: s("b"), Value: s("2")}}})
	must[sdk.UntagSAMLProviderOutput](w, &sdk.UntagSAMLProviderInput{SAMLProviderArn: arn, TagKeys: []string{"a"}})
	if l := must[sdk.ListSAMLProviderTagsOutput](w, &sdk.ListSAMLProviderTagsInput{SAMLProviderArn: arn}); len(l.Tags) != 1 || *l.Tags[0].Key != "b" {
		t.Errorf("got tags %v", l.Tags)
	}
	if l := must[sdk.ListSAMLProvidersOutput](w, &sdk.ListSAMLProvidersInput{}).SAMLProviderList; len(l) != 1 || *l[0].Arn != *arn || l[0].ValidUntil.Year() != 2030 {
		t.Errorf("got list %v", l)
	}
	must[sdk.DeleteSAMLProviderOutput](w, &sdk.DeleteSAMLProviderInput{SAMLProviderArn: arn})
	_, err = w.do(&sdk.DeleteSAMLProviderInput{SAMLProviderArn: arn})
	wantError(t, err, "NoSuchEntity", "Manifest not found for arn "+*arn)
}

func TestSAMLProviderErrors(t *testing.T) {
	w := newWorld(t)
	s, arn := aws.String, aws.String("arn:aws:iam::111122223333:saml-provider/corp")
	metadata, key := samltest.New(t, "https://idp.example.com").Metadata(), privateKeyPEM(t)
	must[sdk.CreateSAMLProviderOutput](w, &sdk.CreateSAMLProviderInput{Name: s("corp"), SAMLMetadataDocument: &metadata})
	const detected = "1 validation error detected: Value at "
	tests := []struct {
		in            any
		code, message string
	}{
		{&sdk.CreateSAMLProviderInput{Name: s("corp"), SAMLMetadataDocument: &metadata}, "EntityAlreadyExists", "Provider with name corp already exists."},
		{&sdk.CreateSAMLProviderInput{Name: s("a/b"), SAMLMetadataDocument: &metadata}, "ValidationError", detected + `'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w._-]+`},
		{&sdk.CreateSAMLProviderInput{Name: s("x")}, "ValidationError", detected + "'sAMLMetadataDocument' failed to satisfy constraint: Member must not be null"},
		{&sdk.CreateSAMLProviderInput{Name: s("x"), SAMLMetadataDocument: s("<a/>")}, "ValidationError", detected + "'sAMLMetadataDocument' failed to satisfy constraint: Member must have length greater than or equal to 1000"},
		{&sdk.CreateSAMLProviderInput{Name: s("x"), SAMLMetadataDocument: s(strings.Repeat("x", 1000))}, "InvalidInput", "Could not parse metadata"},
		{&sdk.CreateSAMLProviderInput{Name: s("x"), SAMLMetadataDocument: &metadata, AddPrivateKey: s("x")}, "InvalidInput", "Invalid private key."},
		{&sdk.CreateSAMLProviderInput{Name: s("x"), SAMLMetadataDocument: &metadata, AssertionEncryptionMode: "Required"}, "InvalidInput", "Unable to set assertion encryption mode to Required because no private key is provided."},
		{&sdk.CreateSAMLProviderInput{Name: s("x"), SAMLMetadataDocument: &metadata, AssertionEncryptionMode: "Maybe"}, "ValidationError", detected + "'assertionEncryptionMode' failed to satisfy constraint: Member must satisfy enum value set: [Required, Allowed]"},
		{&sdk.UpdateSAMLProviderInput{SAMLProviderArn: arn}, "InvalidInput", "Unable to update identity provider. No updates are defined for metadata or encryption assertion."},
		{&sdk.UpdateSAMLProviderInput{SAMLProviderArn: arn, AddPrivateKey: &key, RemovePrivateKey: s("x")}, "InvalidInput", "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters."},
		{&sdk.UpdateSAMLProviderInput{SAMLProviderArn: arn, RemovePrivateKey: s("x")}, "InvalidInput", "Failed to remove private key because the Key ID does not match a private key."},
	}
	for _, tt := range tests {
		_, err := w.do(tt.in)
		wantError(t, err, tt.code, tt.message)
	}
	for range 2 {
		must[sdk.UpdateSAMLProviderOutput](w, &sdk.UpdateSAMLProviderInput{SAMLProviderArn: arn, AddPrivateKey: &key})
	}
	_, err := w.do(&sdk.UpdateSAMLProviderInput{SAMLProviderArn: arn, AddPrivateKey: &key})
	wantError(t, err, "LimitExceeded", "Private key limit of 2 is reached.")
}

func privateKeyPEM(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// Trust policies may name providers that exist, of either kind, and no others.
func TestTrustInProviders(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	must[sdk.CreateOpenIDConnectProviderOutput](w, &sdk.CreateOpenIDConnectProviderInput{Url: s("https://idp.example.com/tenant")})
	must[sdk.CreateSAMLProviderOutput](w, &sdk.CreateSAMLProviderInput{Name: s("corp"), SAMLMetadataDocument: s(samltest.New(t, "https://idp.example.com").Metadata())})
	federated := func(arn, action string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + arn + `"},"Action":"` + action + `"}]}`
	}
	w.role("web", federated(providerARN, "sts:AssumeRoleWithWebIdentity"))
	w.role("corp", federated("arn:aws:iam::111122223333:saml-provider/corp", "sts:AssumeRoleWithSAML"))
	for _, unknown := range []string{
		"arn:aws:iam::111122223333:oidc-provider/idp.example.com", "arn:aws:iam::111122223333:saml-provider/Corp",
		"arn:aws:iam::444455556666:saml-provider/corp", "arn:aws-cn:iam::111122223333:saml-provider/corp",
	} {
		_, err := w.do(&sdk.CreateRoleInput{RoleName: s("x"), AssumeRolePolicyDocument: s(federated(unknown, "sts:AssumeRoleWithSAML"))})
		wantError(t, err, "MalformedPolicyDocument", `Invalid principal in policy: "FEDERATED":"`+unknown+`"`)
	}
	must[sdk.DeleteSAMLProviderOutput](w, &sdk.DeleteSAMLProviderInput{SAMLProviderArn: s("arn:aws:iam::111122223333:saml-provider/corp")})
	if got := shown(t, w, "corp"); !strings.Contains(got, "saml-provider/corp") {
		t.Errorf("shown %s after the provider is gone", got)
	}
}

// The session that a user makes for somebody else has the user's policies, and nothing of them without session policies.
func TestFederatedUser(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	id := w.user("alice")
	must[sdk.TagUserOutput](w, &sdk.TagUserInput{UserName: s("alice"), Tags: []types.Tag{{Key: s("Team"), Value: s("red")}, {Key: s("site"), Value: s("a")}}})
	must[sdk.PutUserPolicyOutput](w, &sdk.PutUserPolicyInput{UserName: s("alice"), PolicyName: s("own"), PolicyDocument: s(allowAll)})
	authenticate := func(session principal.Session) principal.Caller {
		t.Helper()
		c := w.session(session)
		_, caller, err := w.d.Authenticate(t.Context(), c.AccessKeyID, c.SessionToken)
		if err != nil {
			t.Fatal(err)
		}
		return caller
	}
	arn := "arn:aws:iam::" + account + ":user/alice"
	bob := authenticate(principal.Session{UserARN: arn, UserID: id, Name: "bob", Tags: map[string]string{"team": "blue"}})
	want := authz.Principal{
		Kind: authz.FederatedUser, Account: account, ARN: "arn:aws:sts::" + account + ":federated-user/bob", IssuerARN: arn, ID: id, SessionName: "bob",
	}
	if bob.Principal != want || bob.UserName != "" || bob.Tags.Get("team") != "blue" || bob.Tags.Get("site") != "a" {
		t.Errorf("got %+v", bob)
	}
	p := w.policies(bob)
	if len(p.Identity) != 1 || p.Session == nil || len(p.Session) != 0 {
		t.Errorf("got %d identity policies, session policies %v", len(p.Identity), p.Session)
	}
	if p := w.policies(authenticate(principal.Session{UserARN: arn, UserID: id, Name: "bob", HasPolicies: true, Policy: allowAll})); len(p.Session) != 1 {
		t.Errorf("got session policies %v", p.Session)
	}
	guest := authenticate(principal.Session{UserARN: "arn:aws:iam::" + account + ":root", UserID: account, Name: "guest"})
	if guest.Kind != authz.FederatedUser || guest.IssuerARN != "arn:aws:iam::"+account+":root" || guest.ID != "" {
		t.Errorf("got %+v", guest)
	}
	if p := w.policies(guest); p.Identity != nil || p.Session == nil {
		t.Errorf("guest: got %+v", p)
	}
	for _, kind := range []authz.PrincipalKind{authz.WebIdentity, authz.SAML} {
		if p := w.policies(principal.Caller{Principal: authz.Principal{Kind: kind, ARN: providerARN}}); p.Identity != nil || p.Session != nil {
			t.Errorf("%s: got %+v", kind, p)
		}
	}
	_, err := w.as(bob, "ListUsers", &sdk.ListUsersInput{})
	wantError(t, err, "InvalidClientTokenId", "The security token included in the request is invalid.")
	assumed := w.root
	assumed.Session = &principal.Session{HasPolicies: true}
	if _, err := w.as(assumed, "ListUsers", &sdk.ListUsersInput{}); err != nil {
		t.Errorf("a session of AssumeRoot: got %v", err)
	}
}

// What STS is told of providers.
func TestProvidersForSTS(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	idp := samltest.New(t, "https://corp.example.com")
	must[sdk.CreateOpenIDConnectProviderOutput](w, &sdk.CreateOpenIDConnectProviderInput{Url: s("https://idp.example.com/tenant"), ClientIDList: []string{"a"}})
	key := privateKeyPEM(t)
	must[sdk.CreateSAMLProviderOutput](w, &sdk.CreateSAMLProviderInput{
		Name: s("corp"), SAMLMetadataDocument: s(idp.Metadata()), AddPrivateKey: &key, AssertionEncryptionMode: types.AssertionEncryptionModeTypeRequired,
	})
	got, err := w.d.OIDCProvider(t.Context(), account, "https://idp.example.com/tenant")
	if want := (oidc.Provider{URL: "https://idp.example.com/tenant", ClientIDs: []string{"a"}}); err != nil || !cmp.Equal(got, want, cmpopts.EquateEmpty()) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, of := range [][2]string{
		{account, "http://idp.example.com/tenant"}, {account, "https://idp.example.com"}, {"444455556666", "https://idp.example.com/tenant"}, {account, ""}, {"", "x"},
	} {
		if _, err := w.d.OIDCProvider(t.Context(), of[0], of[1]); !errors.Is(err, principal.ErrNoProvider) {
			t.Errorf("%v: got %v", of, err)
		}
	}
	corp, err := w.d.SAMLProvider(t.Context(), "arn:aws:iam::111122223333:saml-provider/corp")
	if err != nil || corp.Metadata.EntityID != "https://corp.example.com" || len(corp.Keys.Private) != 1 || !corp.Keys.Required || !strings.HasPrefix(corp.UUID, "SAMLSP") {
		t.Errorf("got %+v, %v", corp, err)
	}
	// It is asked for by whoever names it, and read once.
	again, err := w.d.SAMLProvider(t.Context(), "arn:aws:iam::111122223333:saml-provider/corp")
	if err != nil || again.Metadata != corp.Metadata {
		t.Errorf("got the metadata read again, %v", err)
	}
	must[sdk.UpdateSAMLProviderOutput](w, &sdk.UpdateSAMLProviderInput{
		SAMLProviderArn: s("arn:aws:iam::111122223333:saml-provider/corp"), SAMLMetadataDocument: s(samltest.New(t, "https://new.example.com").Metadata()),
	})
	if changed, err := w.d.SAMLProvider(t.Context(), "arn:aws:iam::111122223333:saml-provider/corp"); err != nil || changed.Metadata.EntityID != "https://new.example.com" {
		t.Errorf("changed: got %+v, %v", changed, err)
	}
	must[sdk.DeleteSAMLProviderOutput](w, &sdk.DeleteSAMLProviderInput{SAMLProviderArn: s("arn:aws:iam::111122223333:saml-provider/corp")})
	for _, arn := range []string{"arn:aws:iam::111122223333:saml-provider/corp", "arn:aws:iam::111122223333:saml-provider/none", "arn:aws:iam::111122223333:role/corp", ""} {
		if _, err := w.d.SAMLProvider(t.Context(), arn); !errors.Is(err, principal.ErrNoProvider) {
			t.Errorf("%s: got %v", arn, err)
		}
	}
}

func TestOutboundFederation(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	if _, err := w.d.Issuer(ctx, account); !errors.Is(err, principal.ErrNoProvider) {
		t.Errorf("got %v", err)
	}
	_, err := w.do(&sdk.GetOutboundWebIdentityFederationInfoInput{})
	wantError(t, err, "FeatureDisabled", "The request failed because outbound identity federation is already disabled for your AWS account.")
	url := *must[sdk.EnableOutboundWebIdentityFederationOutput](w, &sdk.EnableOutboundWebIdentityFederationInput{}).IssuerIdentifier
	issuer, err := w.d.Issuer(ctx, account)
	if err != nil || issuer.URL != url || len(issuer.Keys) != 2 {
		t.Fatalf("got %+v, %v", issuer, err)
	}
	public, err := w.d.PublicIssuer(ctx, strings.TrimPrefix(url, "https://issuer/"))
	if err != nil || public.Keys[0].ID != issuer.Keys[0].ID {
		t.Errorf("got %+v, %v", public, err)
	}
	if again, err := w.d.PublicIssuer(ctx, strings.TrimPrefix(url, "https://issuer/")); err != nil || again != public {
		t.Errorf("asked again: got %p, %v, want %p: keys are opened once", again, err, public)
	}
	for _, id := range []string{"", "x", "../x", "00000000-0000-0000-0000-000000000000"} {
		if _, err := w.d.PublicIssuer(ctx, id); !errors.Is(err, principal.ErrNoProvider) {
			t.Errorf("%q: got %v", id, err)
		}
	}
	must[sdk.DisableOutboundWebIdentityFederationOutput](w, &sdk.DisableOutboundWebIdentityFederationInput{})
	if _, err := w.d.Issuer(ctx, account); !errors.Is(err, principal.ErrNoProvider) {
		t.Errorf("disabled: got %v", err)
	}
	if again := *must[sdk.EnableOutboundWebIdentityFederationOutput](w, &sdk.EnableOutboundWebIdentityFederationInput{}).IssuerIdentifier; again != url {
		t.Errorf("got another URL %s", again)
	}
}
