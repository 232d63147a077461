package compat

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/saml/samltest"
)

func tagged(pairs ...string) (out []types.Tag) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return out
}

func tagMap(tags []types.Tag) map[string]string {
	out := make(map[string]string)
	for _, t := range tags {
		out[*t.Key] = *t.Value
	}
	return out
}

// The calls of Terraform's aws_iam_openid_connect_provider: create, read back, update each attribute, destroy.
func TestTerraformOpenIDConnectProvider(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).iam, t.Context(), unique("idp")+".example.com/tenant"
	arn := must(c.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://" + name), ClientIDList: []string{"b", "a"}, ThumbprintList: []string{strings.Repeat("ab", 20)}, Tags: tagged("Name", "x"),
	}))(t).OpenIDConnectProviderArn
	type state struct {
		URL                  string
		Clients, Thumbprints []string
		Tags                 map[string]string
	}
	read := func(want state) {
		t.Helper()
		out := must(c.GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}))(t)
		if diff := cmp.Diff(state{*out.Url, out.ClientIDList, out.ThumbprintList, tagMap(out.Tags)}, want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
	}
	want := state{name, []string{"b", "a"}, []string{strings.Repeat("ab", 20)}, map[string]string{"Name": "x"}}
	read(want)
	want.Thumbprints = []string{strings.Repeat("cd", 20), strings.Repeat("ef", 20)}
	must(c.UpdateOpenIDConnectProviderThumbprint(ctx, &iam.UpdateOpenIDConnectProviderThumbprintInput{
		OpenIDConnectProviderArn: arn, ThumbprintList: want.Thumbprints,
	}))(t)
	must(c.AddClientIDToOpenIDConnectProvider(ctx, &iam.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: aws.String("c")}))(t)
	must(c.RemoveClientIDFromOpenIDConnectProvider(ctx, &iam.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: aws.String("b")}))(t)
	want.Clients = []string{"a", "c"}
	read(want)
	must(c.UntagOpenIDConnectProvider(ctx, &iam.UntagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, TagKeys: []string{"Name"}}))(t)
	must(c.TagOpenIDConnectProvider(ctx, &iam.TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, Tags: tagged("Stage", "dev")}))(t)
	want.Tags = map[string]string{"Stage": "dev"}
	read(want)
	listed := must(c.ListOpenIDConnectProviders(ctx, nil))(t).OpenIDConnectProviderList
	found := false
	for _, p := range listed {
		found = found || *p.Arn == *arn
	}
	if !found {
		t.Errorf("%s is not in the list", *arn)
	}
	must(c.DeleteOpenIDConnectProvider(ctx, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}))(t)
	_, err := c.GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	check(t, err, failure{404, "NoSuchEntity", "OpenIDConnect Provider not found for arn " + *arn})
}

// The calls of Terraform's aws_iam_saml_provider.
func TestTerraformSAMLProvider(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).iam, t.Context(), unique("corp")
	first, second := samltest.New(t, "https://first.example.com").Metadata(), samltest.New(t, "https://second.example.com").Metadata(`validUntil="2040-05-06T07:08:09Z"`)
	made := must(c.CreateSAMLProvider(ctx, &iam.CreateSAMLProviderInput{Name: &name, SAMLMetadataDocument: &first, Tags: tagged("Name", "x")}))(t)
	arn := made.SAMLProviderArn
	read := func(metadata string, years int, tags map[string]string) {
		t.Helper()
		out := must(c.GetSAMLProvider(ctx, &iam.GetSAMLProviderInput{SAMLProviderArn: arn}))(t)
		if *out.SAMLMetadataDocument != metadata || out.ValidUntil.Year()-out.CreateDate.Year() != years || out.SAMLProviderUUID == nil {
			t.Errorf("got %d bytes of metadata until %v", len(*out.SAMLMetadataDocument), out.ValidUntil)
		}
		if diff := cmp.Diff(tagMap(out.Tags), tags); diff != "" {
			t.Errorf("tags (-got +want):\n%s", diff)
		}
	}
	read(first, 100, map[string]string{"Name": "x"})
	out := must(c.UpdateSAMLProvider(ctx, &iam.UpdateSAMLProviderInput{SAMLProviderArn: arn, SAMLMetadataDocument: &second}))(t)
	if *out.SAMLProviderArn != *arn {
		t.Errorf("got %s", *out.SAMLProviderArn)
	}
	must(c.TagSAMLProvider(ctx, &iam.TagSAMLProviderInput{SAMLProviderArn: arn, Tags: tagged("Stage", "dev")}))(t)
	must(c.UntagSAMLProvider(ctx, &iam.UntagSAMLProviderInput{SAMLProviderArn: arn, TagKeys: []string{"Name"}}))(t)
	got := must(c.GetSAMLProvider(ctx, &iam.GetSAMLProviderInput{SAMLProviderArn: arn}))(t)
	read(second, 2040-got.CreateDate.Year(), map[string]string{"Stage": "dev"})
	must(c.DeleteSAMLProvider(ctx, &iam.DeleteSAMLProviderInput{SAMLProviderArn: arn}))(t)
	_, err := c.GetSAMLProvider(ctx, &iam.GetSAMLProviderInput{SAMLProviderArn: arn})
	check(t, err, failure{404, "NoSuchEntity", "Manifest not found for arn " + *arn})
}

// Who may make providers is asked by ARN, and by tags.
func TestProviderPermissions(t *testing.T) {
	t.Parallel()
	ctx, host := t.Context(), unique("idp")+".example.com"
	arn := arnPrefix + "oidc-provider/" + host
	user := server.newUser(t, allow("iam:CreateOpenIDConnectProvider", arn), allow("iam:DeleteOpenIDConnectProvider", "*",
		`{"StringEquals":{"aws:ResourceTag/team":"red"}}`))
	create := func(host string, tags ...types.Tag) error {
		_, err := user.iam.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{Url: aws.String("https://" + host), Tags: tags})
		return err
	}
	denied := func(action, arn string) failure {
		return failure{403, "AccessDenied", noPolicyAllows(user.arn, action, arn, "identity-based policy")}
	}
	check(t, create("x."+host), denied("iam:CreateOpenIDConnectProvider", arnPrefix+"oidc-provider/x."+host))
	check(t, create(host, tagged("team", "red")...), denied("iam:TagOpenIDConnectProvider", arn))
	check(t, create(host), failure{})
	_, err := user.iam.DeleteOpenIDConnectProvider(ctx, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn})
	check(t, err, denied("iam:DeleteOpenIDConnectProvider", arn))
	must(server.as(server.root).iam.TagOpenIDConnectProvider(ctx, &iam.TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn, Tags: tagged("team", "red")}))(t)
	must(user.iam.DeleteOpenIDConnectProvider(ctx, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn}))(t)
	_, err = user.iam.GetSAMLProvider(ctx, &iam.GetSAMLProviderInput{SAMLProviderArn: aws.String(arnPrefix + "saml-provider/none")})
	check(t, err, denied("iam:GetSAMLProvider", arnPrefix+"saml-provider/none"))
}
