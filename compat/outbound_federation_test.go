package compat

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

// An account issues tokens about its principals, which anybody can verify by what the server publishes, the server itself among them.
// The tests share the account, so that all of it is one test.
func TestOutboundFederation(t *testing.T) {
	root, ctx := server.as(server.root), t.Context()
	user := server.newUser(t, allow("sts:GetWebIdentityToken", "*",
		`{"ForAllValues:StringEquals":{"sts:IdentityTokenAudience":["client","other"]},"NumericLessThanEquals":{"sts:DurationSeconds":"600"}}`),
		allow("sts:TagGetWebIdentityToken", "*"))
	in := func(change func(*sts.GetWebIdentityTokenInput)) *sts.GetWebIdentityTokenInput {
		in := &sts.GetWebIdentityTokenInput{Audience: []string{"client"}, SigningAlgorithm: aws.String("ES384")}
		if change != nil {
			change(in)
		}
		return in
	}
	disabled := failure{404, "FeatureDisabled", "The request failed because outbound identity federation is already disabled for your AWS account."}
	_, err := root.iam.GetOutboundWebIdentityFederationInfo(ctx, nil)
	check(t, err, disabled)
	_, err = root.iam.DisableOutboundWebIdentityFederation(ctx, nil)
	check(t, err, disabled)
	_, err = user.sts.GetWebIdentityToken(ctx, in(nil))
	check(t, err, failure{403, "OutboundWebIdentityFederationDisabledException", "The outbound web identity federation feature is not enabled for this account."})

	issuer := *must(root.iam.EnableOutboundWebIdentityFederation(ctx, nil))(t).IssuerIdentifier
	if !strings.HasPrefix(issuer, server.url+"/") {
		t.Errorf("got issuer %s, want one below %s", issuer, server.url)
	}
	_, err = root.iam.EnableOutboundWebIdentityFederation(ctx, nil)
	check(t, err, failure{409, "FeatureEnabled", "The request failed because outbound identity federation is already enabled for your AWS account."})
	if info := must(root.iam.GetOutboundWebIdentityFederationInfo(ctx, nil))(t); *info.IssuerIdentifier != issuer || !info.JwtVendingEnabled {
		t.Errorf("got %s, %v", *info.IssuerIdentifier, info.JwtVendingEnabled)
	}

	for _, algorithm := range []string{"ES384", "RS256"} {
		out := must(user.sts.GetWebIdentityToken(ctx, in(func(in *sts.GetWebIdentityTokenInput) {
			in.SigningAlgorithm = &algorithm
			in.Tags = []types.Tag{{Key: aws.String("job"), Value: aws.String("7")}}
		})))(t)
		claims := verifyOutbound(t, issuer, *out.WebIdentityToken)
		if left := time.Until(*out.Expiration); left > 5*time.Minute || left < 4*time.Minute || claims["exp"] != float64(out.Expiration.Unix()) {
			t.Errorf("%s: got a token for %v", algorithm, left)
		}
		for _, name := range []string{"exp", "iat", "jti"} {
			delete(claims, name)
		}
		want := map[string]any{
			"iss": issuer, "aud": "client", "sub": user.arn, "https://sts.amazonaws.com/": map[string]any{
				"aws_account": account, "source_region": "us-east-1", "request_tags": map[string]any{"job": "7"},
			},
		}
		if diff := cmp.Diff(claims, want); diff != "" {
			t.Errorf("%s: claims (-got +want):\n%s", algorithm, diff)
		}
	}
	for name, tt := range map[string]struct {
		change func(*sts.GetWebIdentityTokenInput)
		want   failure
	}{
		"audience": {func(in *sts.GetWebIdentityTokenInput) { in.Audience = []string{"client", "else"} },
			failure{403, "AccessDenied", noPolicyAllows(user.arn, "sts:GetWebIdentityToken", "*", "identity-based policy")}},
		"duration": {func(in *sts.GetWebIdentityTokenInput) { in.DurationSeconds = aws.Int32(601) },
			failure{403, "AccessDenied", noPolicyAllows(user.arn, "sts:GetWebIdentityToken", "*", "identity-based policy")}},
		"short": {func(in *sts.GetWebIdentityTokenInput) { in.DurationSeconds = aws.Int32(59) }, failure{400, "ValidationError",
			"1 validation error detected: Value '59' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 60"}},
		"algorithm": {func(in *sts.GetWebIdentityTokenInput) { in.SigningAlgorithm = aws.String("none") }, failure{400, "ValidationError",
			"1 validation error detected: Value 'none' at 'signingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [RS256, ES384]"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := user.sts.GetWebIdentityToken(ctx, in(tt.change))
			check(t, err, tt.want)
		})
	}

	// The server is a client of its own tokens.
	provider := *must(root.iam.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{Url: &issuer, ClientIDList: []string{"client"}}))(t).OpenIDConnectProviderArn
	r := server.newFederatedRole(t, federatedTrust(provider, `"sts:AssumeRoleWithWebIdentity"`,
		`{"StringEquals":{"`+strings.TrimPrefix(issuer, "http://")+`:sub":"`+user.arn+`"}}`))
	token := must(user.sts.GetWebIdentityToken(ctx, in(nil)))(t).WebIdentityToken
	out := must(server.anonymous().AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: &r.arn, RoleSessionName: aws.String("me"), WebIdentityToken: token, DurationSeconds: aws.Int32(900),
	}))(t)
	if *out.SubjectFromWebIdentityToken != user.arn {
		t.Errorf("got subject %s", *out.SubjectFromWebIdentityToken)
	}
	// A session's token does not outlive it, and names the role.
	session := server.as(sessionCredentials(out.Credentials))
	own := verifyOutbound(t, issuer, *must(session.sts.GetWebIdentityToken(ctx, in(nil)))(t).WebIdentityToken)
	if own["sub"] != r.arn {
		t.Errorf("got subject %v, want %s", own["sub"], r.arn)
	}
	_, err = session.sts.GetWebIdentityToken(ctx, in(func(in *sts.GetWebIdentityTokenInput) { in.DurationSeconds = aws.Int32(3600) }))
	check(t, err, failure{403, "SessionDurationEscalationException", "The requested token duration would extend the session beyond its original expiration time."})

	must(root.iam.DisableOutboundWebIdentityFederation(ctx, nil))(t)
	verifyOutbound(t, issuer, *token) // what was issued stays good
	_, err = user.sts.GetWebIdentityToken(ctx, in(nil))
	if got := code(err); got != "OutboundWebIdentityFederationDisabledException" {
		t.Errorf("disabled: got %s", got)
	}
	if again := *must(root.iam.EnableOutboundWebIdentityFederation(ctx, nil))(t).IssuerIdentifier; again != issuer {
		t.Errorf("got another issuer %s", again)
	}
	must(root.iam.DisableOutboundWebIdentityFederation(ctx, nil))(t)
	if status, _ := get(t, server.url+"/_licet/oidc/x/.well-known/jwks.json"); status != http.StatusNotFound {
		t.Errorf("an issuer that is not there: got status %d", status)
	}
}

// verifyOutbound verifies a token as a stranger would, and gives its claims.
func verifyOutbound(t *testing.T, issuer, token string) map[string]any {
	t.Helper()
	var discovered struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	_, body := get(t, issuer+"/.well-known/openid-configuration")
	if err := json.Unmarshal(body, &discovered); err != nil || discovered.Issuer != issuer {
		t.Fatalf("got %s, %v", body, err)
	}
	var keys jose.JSONWebKeySet
	_, body = get(t, discovered.JWKSURI)
	if err := json.Unmarshal(body, &keys); err != nil || strings.Contains(string(body), `"d"`) {
		t.Fatalf("got %s, %v", body, err)
	}
	signed := must(jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES384}))(t)
	payload := must(signed.Verify(keys))(t)
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	answer := must(http.Get(url))(t)
	defer answer.Body.Close()
	return answer.StatusCode, must(io.ReadAll(answer.Body))(t)
}
