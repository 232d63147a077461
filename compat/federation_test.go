package compat

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/oidc/oidctest"
	"github.com/licet/licet/internal/saml/samltest"
)

// anonymous are the clients of who has no credentials.
func (l *licet) anonymous() *sts.Client {
	config := l.config(aws.Credentials{})
	config.Credentials = aws.AnonymousCredentials{}
	return sts.NewFromConfig(config)
}

// federatedTrust is a statement of a trust policy that names a provider.
func federatedTrust(provider, actions, condition string) string {
	return `{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":` + actions + `,"Condition":` + condition + `}`
}

// newFederatedRole makes a role of one trust statement, that may list functions.
func (l *licet) newFederatedRole(t *testing.T, trust string) role {
	t.Helper()
	r := l.newRole(t, trustLambda, allow("lambda:ListFunctions", "*"), allow("sts:*", "*"))
	must(l.as(l.root).iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName: &r.name, PolicyDocument: document(trust),
	}))(t)
	return r
}

// webIdentity is a provider with the role that trusts it for one subject.
type webIdentity struct {
	*oidctest.Provider
	t    *testing.T
	arn  string
	name string // as in condition keys
	role role
}

func newWebIdentity(t *testing.T) *webIdentity {
	t.Helper()
	w := &webIdentity{Provider: oidctest.New(t), t: t}
	w.arn = *must(server.as(server.root).iam.CreateOpenIDConnectProvider(t.Context(), &iam.CreateOpenIDConnectProviderInput{
		Url: &w.URL, ClientIDList: []string{"client"},
	}))(t).OpenIDConnectProviderArn
	w.name = strings.TrimPrefix(w.URL, "http://")
	w.role = server.newFederatedRole(t, federatedTrust(w.arn, `["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`,
		`{"StringEquals":{"`+w.name+`:aud":"client"},"StringLike":{"`+w.name+`:sub":"repo:me/*"}}`))
	return w
}

func (w *webIdentity) claims(change map[string]any) map[string]any {
	now := time.Now()
	c := map[string]any{"iss": w.URL, "sub": "repo:me/app", "aud": "client", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	maps.Copy(c, change)
	return c
}

func (w *webIdentity) token(change map[string]any) string {
	return oidctest.Sign(w.t, jose.RS256, "rsa", oidctest.RSAKey(w.t), w.claims(change))
}

func (w *webIdentity) assume(token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	return server.anonymous().AssumeRoleWithWebIdentity(w.t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: &w.role.arn, RoleSessionName: aws.String("job"), WebIdentityToken: &token,
	})
}

func TestWebIdentity(t *testing.T) {
	t.Parallel()
	w := newWebIdentity(t)
	out := must(w.assume(w.token(nil)))(t)
	got := []string{*out.AssumedRoleUser.Arn, *out.Audience, *out.Provider, *out.SubjectFromWebIdentityToken}
	if diff := cmp.Diff(got, []string{w.role.sessionARN("job"), "client", w.arn, "repo:me/app"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	session := server.as(sessionCredentials(out.Credentials))
	if got := must(session.sts.GetCallerIdentity(t.Context(), nil))(t); *got.Arn != w.role.sessionARN("job") {
		t.Errorf("got %s", *got.Arn)
	}
	must(session.lambda.ListFunctions(t.Context(), nil))(t)

	// The session's policies can ask who it was, and which provider said so.
	provider, subject := `"aws:FederatedProvider":"`+w.arn+`"`, `"`+w.name+`:sub":"repo:me/app"`
	for condition, want := range map[string]failure{
		`{"StringEquals":{` + provider + `,` + subject + `}}`: {},
		`{"StringNotEquals":{` + provider + `}}`:              lambdaDenied(w.role.sessionARN("job"), "lambda:ListFunctions", "*", "identity-based policy"),
	} {
		server.permitRole(t, w.role, allow("lambda:ListFunctions", "*", condition))
		_, err := session.lambda.ListFunctions(t.Context(), nil)
		check(t, err, want)
	}
}

func TestWebIdentityRefusals(t *testing.T) {
	t.Parallel()
	w := newWebIdentity(t)
	stranger := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	parts := strings.Split(w.token(nil), ".")
	b64 := base64.RawURLEncoding.EncodeToString
	invalid := func(text string) failure { return failure{400, "InvalidIdentityToken", text} }
	notJWT := invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	keys := invalid("Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements")
	denied := failure{403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"}
	elsewhere := oidctest.New(t)
	tests := map[string]struct {
		token string
		want  failure
	}{
		"not a token":               {"access-token", notJWT},
		"alg none":                  {b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", notJWT},
		"HS256 with the public key": {oidctest.Sign(t, jose.HS256, "rsa", oidctest.RSAKey(t).N.Bytes(), w.claims(nil)), notJWT},
		"another's key":             {oidctest.Sign(t, jose.RS256, "rsa", stranger, w.claims(nil)), invalid("The ID Token provided has an invalid signature.")},
		"unknown key":               {oidctest.Sign(t, jose.RS256, "new", stranger, w.claims(nil)), keys},
		"unknown provider": {w.token(map[string]any{"iss": elsewhere.URL}),
			invalid("No OpenIDConnect provider found in your account for " + elsewhere.URL)},
		"https instead of http": {w.token(map[string]any{"iss": "https://" + w.name}),
			invalid("No OpenIDConnect provider found in your account for https://" + w.name)},
		"another audience": {w.token(map[string]any{"aud": "else"}), invalid("Incorrect token audience")},
		"no subject":       {w.token(map[string]any{"sub": ""}), invalid("Missing a required claim: sub")},
		"another subject":  {w.token(map[string]any{"sub": "repo:you/app"}), denied},
		"source identity": {w.token(map[string]any{"https://aws.amazon.com/source_identity": "alice"}),
			failure{403, "AccessDenied", "Not authorized to perform sts:SetSourceIdentity"}},
		"bad source identity": {w.token(map[string]any{"https://aws.amazon.com/source_identity": "aws:me"}),
			invalid(`Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"`)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := w.assume(tt.token)
			check(t, err, tt.want)
		})
	}
	if elsewhere.Requests() != 0 {
		t.Error("the server asked a provider that nobody registered")
	}
	_, err := w.assume(w.token(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}))
	if got := code(err); got != "ExpiredTokenException" {
		t.Errorf("expired: got %s", got)
	}

	// Another operation still needs a signature, and one that presents nothing is told so.
	_, err = server.anonymous().GetCallerIdentity(t.Context(), nil)
	check(t, err, failure{403, "MissingAuthenticationToken", "Request is missing Authentication Token"})

	must(server.as(server.root).iam.DeleteOpenIDConnectProvider(t.Context(), &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: &w.arn}))(t)
	_, err = w.assume(w.token(nil))
	check(t, err, invalid("No OpenIDConnect provider found in your account for "+w.URL))
}

// A provider that is not there, or redirects.
func TestWebIdentityProviderFails(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*webIdentity){
		"gone":       func(w *webIdentity) { w.Server.Close() },
		"redirected": func(w *webIdentity) { w.Answer = http.RedirectHandler(server.url, http.StatusFound).ServeHTTP },
	} {
		w := newWebIdentity(t)
		fail(w)
		_, err := w.assume(w.token(nil))
		if got := code(err); got != "IDPCommunicationError" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// Tags of the token are tags of the session; transitive ones stay in chains.
func TestWebIdentityTags(t *testing.T) {
	t.Parallel()
	w := newWebIdentity(t)
	token := w.token(map[string]any{"https://aws.amazon.com/tags": map[string]any{
		"principal_tags": map[string]any{"team": []string{"red"}, "stage": []string{"dev"}}, "transitive_tag_keys": []string{"team"},
	}})
	session := server.as(sessionCredentials(must(w.assume(token))(t).Credentials))
	server.permitRole(t, w.role, allow("lambda:ListFunctions", "*", `{"StringEquals":{"aws:PrincipalTag/team":"red","aws:PrincipalTag/stage":"dev"}}`),
		allow("sts:*", "*"))
	must(session.lambda.ListFunctions(t.Context(), nil))(t)

	second := server.newRole(t, trustLambda, allow("lambda:ListFunctions", "*", `{"StringEquals":{"aws:PrincipalTag/team":"red"},"Null":{"aws:PrincipalTag/stage":"true"}}`))
	must(server.as(server.root).iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &second.name, PolicyDocument: document(
		`{"Effect":"Allow","Principal":{"AWS":"` + w.role.arn + `"},"Action":["sts:AssumeRole","sts:TagSession"]}`)}))(t)
	must(server.assume(t, session, &sts.AssumeRoleInput{RoleArn: &second.arn}).lambda.ListFunctions(t.Context(), nil))(t)

	// Without sts:TagSession in the trust policy nobody passes tags.
	must(server.as(server.root).iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &w.role.name, PolicyDocument: document(
		federatedTrust(w.arn, `"sts:AssumeRoleWithWebIdentity"`, `{"StringEquals":{"`+w.name+`:aud":"client"}}`))}))(t)
	_, err := w.assume(token)
	check(t, err, failure{403, "AccessDenied", "Not authorized to perform sts:TagSession"})
}

// samlRole is a SAML provider with a role that trusts it.
func samlRole(t *testing.T) (idp *samltest.Provider, provider string, r role) {
	t.Helper()
	idp = samltest.New(t, "https://idp.example.com/"+unique("idp"))
	metadata := idp.Metadata()
	provider = *must(server.as(server.root).iam.CreateSAMLProvider(t.Context(), &iam.CreateSAMLProviderInput{
		Name: aws.String(unique("corp")), SAMLMetadataDocument: &metadata,
	}))(t).SAMLProviderArn
	r = server.newFederatedRole(t, federatedTrust(provider, `["sts:AssumeRoleWithSAML","sts:TagSession","sts:SetSourceIdentity"]`,
		`{"StringEquals":{"saml:aud":"`+samltest.AWS+`","saml:sub_type":"persistent","saml:edupersonorgdn":"example"}}`))
	return idp, provider, r
}

// samlAttributes are those that AWS wants, and more.
func samlAttributes(r role, provider string, more ...samltest.Attribute) []samltest.Attribute {
	const prefix = "https://aws.amazon.com/SAML/Attributes/"
	return append([]samltest.Attribute{
		{Name: prefix + "Role", Values: []string{"arn:aws:iam::000000000000:role/other," + provider, provider + "," + r.arn}},
		{Name: prefix + "RoleSessionName", Values: []string{"alice"}},
		{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.3", Values: []string{"example"}},
	}, more...)
}

func TestSAML(t *testing.T) {
	t.Parallel()
	idp, provider, r := samlRole(t)
	const prefix = "https://aws.amazon.com/SAML/Attributes/"
	statement := idp.Good(time.Now(), samlAttributes(r, provider,
		samltest.Attribute{Name: prefix + "PrincipalTag:team", Values: []string{"red"}},
		samltest.Attribute{Name: prefix + "TransitiveTagKeys", Values: []string{"team"}},
		samltest.Attribute{Name: prefix + "SourceIdentity", Values: []string{"alice"}})...)
	statement.SessionUntil = time.Now().Add(20 * time.Minute)
	for _, whole := range []bool{false, true} {
		statement.SignResponse = whole
		assertion := idp.Response(statement)
		out := must(server.anonymous().AssumeRoleWithSAML(t.Context(), &sts.AssumeRoleWithSAMLInput{
			RoleArn: &r.arn, PrincipalArn: &provider, SAMLAssertion: &assertion,
		}))(t)
		name := provider[strings.LastIndex(provider, "/"):]
		qualifier := sha1.Sum([]byte(idp.EntityID + account + name))
		got := []string{*out.AssumedRoleUser.Arn, *out.Audience, *out.Issuer, *out.NameQualifier, *out.Subject, *out.SubjectType, *out.SourceIdentity}
		want := []string{r.sessionARN("alice"), samltest.AWS, idp.EntityID, base64.StdEncoding.EncodeToString(qualifier[:]), "alice@example.com", "persistent", "alice"}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		if left := time.Until(*out.Credentials.Expiration); left > 20*time.Minute || left < 18*time.Minute {
			t.Errorf("got a session of %v, want that of the provider", left)
		}
		session := server.as(sessionCredentials(out.Credentials))
		server.permitRole(t, r, allow("lambda:ListFunctions", "*",
			`{"StringEquals":{"saml:sub":"alice@example.com","aws:SourceIdentity":"alice","aws:PrincipalTag/team":"red"},"Null":{"aws:FederatedProvider":"true"}}`))
		must(session.lambda.ListFunctions(t.Context(), nil))(t)
	}
}

func TestSAMLRefusals(t *testing.T) {
	t.Parallel()
	idp, provider, r := samlRole(t)
	stranger := samltest.New(t, idp.EntityID)
	now := time.Now()
	invalid := func(text string) failure { return failure{400, "InvalidIdentityToken", text} }
	expired := failure{400, "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance"}
	denied := failure{403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML"}
	noRole := samlAttributes(r, provider)[1:]
	noName := append(samlAttributes(r, provider)[:1:1], samlAttributes(r, provider)[2])
	without := func(attributes []samltest.Attribute) func(*samltest.Statement) {
		return func(s *samltest.Statement) { s.Attributes = attributes }
	}
	tests := map[string]struct {
		change func(*samltest.Statement)
		want   failure
	}{
		"good":             {func(*samltest.Statement) {}, failure{}},
		"unsigned":         {func(s *samltest.Statement) { s.Unsigned = true }, invalid("Response signature invalid")},
		"another issuer":   {func(s *samltest.Statement) { s.Issuer = "https://other" }, invalid("Issuer not present in specified provider")},
		"another audience": {func(s *samltest.Statement) { s.Audience = "https://example.com" }, invalid("Response does not contain the required audience.")},
		"another recipient": {func(s *samltest.Statement) { s.Recipient = "https://signin.aws.amazon.com.example.com/saml" },
			invalid("Response does not contain the required audience.")},
		"expired":        {func(s *samltest.Statement) { s.Until = now.Add(-time.Second) }, expired},
		"replayed later": {func(s *samltest.Statement) { s.Issued, s.Until = now.Add(-6*time.Minute), now.Add(time.Hour) }, expired},
		"refused by the provider": {func(s *samltest.Statement) { s.Status = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed" },
			failure{403, "IDPRejectedClaim", "The identity provider (IdP) reported that authentication failed."}},
		"no role":         {without(noRole), denied},
		"no session name": {without(noName), invalid("RoleSessionName is required in AuthnResponse")},
		"condition":       {func(s *samltest.Statement) { s.Format = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient" }, denied},
		"wrapped":         {func(s *samltest.Statement) {}, invalid("Your request included an invalid SAML response.")},
	}
	assume := func(assertion string) error {
		_, err := server.anonymous().AssumeRoleWithSAML(t.Context(), &sts.AssumeRoleWithSAMLInput{
			RoleArn: &r.arn, PrincipalArn: &provider, SAMLAssertion: &assertion,
		})
		return err
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := idp.Good(now, samlAttributes(r, provider)...)
			tt.change(&s)
			document := idp.Document(s)
			if name == "wrapped" {
				s.Unsigned, s.Subject = true, "root@example.com"
				forged := idp.Document(s).SelectElement("saml:Assertion")
				forged.CreateAttr("ID", "_forged")
				document.InsertChildAt(2, forged)
			}
			check(t, assume(samltest.Encode(t, document)), tt.want)
		})
	}
	check(t, assume(stranger.Response(stranger.Good(now, samlAttributes(r, provider)...))), invalid("Response signature invalid"))
	check(t, assume(base64.StdEncoding.EncodeToString([]byte("<a/>"))), invalid("Your request included an invalid SAML response."))
	none := provider + "x"
	good := idp.Response(idp.Good(now, samlAttributes(r, provider)...))
	_, err := server.anonymous().AssumeRoleWithSAML(t.Context(), &sts.AssumeRoleWithSAMLInput{RoleArn: &r.arn, PrincipalArn: &none, SAMLAssertion: &good})
	check(t, err, invalid("Specified provider doesn't exist"))
}

// A federated user may what both the user and the session policies allow, and what a resource's policy grants to it by name.
func TestFederatedUser(t *testing.T) {
	t.Parallel()
	user := server.newUser(t, allow("sts:GetFederationToken", "*"), allow("sts:TagSession", "*"), allow("lambda:*", "*"), allow("iam:*", "*"))
	federate := func(policy *string) (clients, string) {
		out := must(user.sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("bob"), Policy: policy}))(t)
		if got, want := *out.FederatedUser.FederatedUserId, account+":bob"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		return server.as(sessionCredentials(out.Credentials)), *out.FederatedUser.Arn
	}
	bob, arn := federate(document(allow("lambda:ListFunctions", "*"), allow("logs:*", "*")))
	id := must(bob.sts.GetCallerIdentity(t.Context(), nil))(t)
	if *id.Arn != arn || arn != "arn:aws:sts::"+account+":federated-user/bob" || *id.UserId != account+":bob" {
		t.Errorf("got %s, %s", *id.Arn, *id.UserId)
	}
	must(bob.lambda.ListFunctions(t.Context(), nil))(t)
	_, err := bob.logs.DescribeLogGroups(t.Context(), nil)
	check(t, err, failure{400, "AccessDeniedException", noPolicyAllows(arn, "logs:DescribeLogGroups",
		"arn:aws:logs:us-east-1:"+account+":log-group::log-stream:", "identity-based policy")})

	f := server.newFunction(t, echo)
	must(server.as(server.root).lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: &f.name, StatementId: aws.String("bob"), Action: aws.String("lambda:GetFunctionConfiguration"), Principal: &arn,
	}))(t)
	nothing, _ := federate(nil)
	_, err = nothing.lambda.ListFunctions(t.Context(), nil)
	check(t, err, lambdaDenied(arn, "lambda:ListFunctions", "*", "session policy"))
	must(nothing.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &f.name}))(t)

	barred := failure{403, "InvalidClientTokenId", "The security token included in the request is invalid."}
	_, err = bob.iam.ListUsers(t.Context(), nil)
	check(t, err, barred)
	r := server.newRole(t, `{"AWS":"`+account+`"}`)
	_, err = bob.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &r.arn, RoleSessionName: aws.String("x2")})
	check(t, err, barred)
	_, err = bob.sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("eve")})
	check(t, err, failure{403, "AccessDenied", "Cannot call GetFederationToken with session credentials"})
}

func TestFederationTokenErrors(t *testing.T) {
	t.Parallel()
	user, plain := server.newUser(t, allow("sts:GetFederationToken", "arn:aws:sts::*:federated-user/b*")), server.newUser(t)
	violation := "1 validation error detected: Value "
	for _, tt := range []struct {
		caller clients
		in     sts.GetFederationTokenInput
		want   failure
	}{
		{plain.clients, sts.GetFederationTokenInput{Name: aws.String("bob")}, failure{403, "AccessDenied",
			noPolicyAllows(plain.arn, "sts:GetFederationToken", "arn:aws:sts::"+account+":federated-user/bob", "identity-based policy")}},
		{user.clients, sts.GetFederationTokenInput{Name: aws.String("eve")}, failure{403, "AccessDenied",
			noPolicyAllows(user.arn, "sts:GetFederationToken", "arn:aws:sts::"+account+":federated-user/eve", "identity-based policy")}},
		{user.clients, sts.GetFederationTokenInput{Name: aws.String("b")}, failure{400, "ValidationError",
			violation + "'b' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 2"}},
		{user.clients, sts.GetFederationTokenInput{Name: aws.String("bob"), DurationSeconds: aws.Int32(129601)}, failure{400, "ValidationError",
			violation + "'129601' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 129600"}},
		{user.clients, sts.GetFederationTokenInput{Name: aws.String("bob"), Policy: aws.String("{")}, failure{400, "MalformedPolicyDocument", "Syntax errors in policy."}},
	} {
		_, err := tt.caller.sts.GetFederationToken(t.Context(), &tt.in)
		check(t, err, tt.want)
	}
	out := must(server.as(server.root).sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{
		Name: aws.String("guest"), DurationSeconds: aws.Int32(7200), Policy: document(allow("lambda:ListFunctions", "*")),
	}))(t)
	if left := time.Until(*out.Credentials.Expiration); left > time.Hour {
		t.Errorf("root: got a session of %v", left)
	}
	guest := server.as(sessionCredentials(out.Credentials))
	must(guest.lambda.ListFunctions(t.Context(), nil))(t)
	_, err := guest.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("none")})
	if got := code(err); got != "AccessDeniedException" {
		t.Errorf("root's guest: got %s", got)
	}
}
