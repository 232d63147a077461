package compat

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/licet/licet/internal/codesign/codesigntest"
)

const publisher = "arn:aws:signer:us-east-1:" + account + ":/signing-profiles/publisher/0123456789"

// aws_lambda_code_signing_config (internal/service/lambda/code_signing_config.go of the provider), and the calls of aws_lambda_function
// with code_signing_config_arn.
func TestTerraformCodeSigningConfig(t *testing.T) {
	t.Parallel()
	c, ctx, s := server.as(server.root).lambda, t.Context(), aws.String
	created := must(c.CreateCodeSigningConfig(ctx, &lambda.CreateCodeSigningConfigInput{
		AllowedPublishers: &types.AllowedPublishers{SigningProfileVersionArns: []string{publisher}}, Description: s("first"),
		CodeSigningPolicies: &types.CodeSigningPolicies{UntrustedArtifactOnDeployment: "Warn"}, Tags: map[string]string{"team": "blue"},
	}))(t).CodeSigningConfig
	arn := created.CodeSigningConfigArn
	want := *created
	read := func() types.CodeSigningConfig {
		t.Helper()
		return *must(c.GetCodeSigningConfig(ctx, &lambda.GetCodeSigningConfigInput{CodeSigningConfigArn: arn}))(t).CodeSigningConfig
	}
	same(t, "configuration", read(), want)
	if *want.Description != "first" || want.CodeSigningPolicies.UntrustedArtifactOnDeployment != "Warn" ||
		*arn != "arn:aws:lambda:us-east-1:"+account+":code-signing-config:"+*want.CodeSigningConfigId {
		t.Errorf("created %+v", want)
	}
	same(t, "tags", must(c.ListTags(ctx, &lambda.ListTagsInput{Resource: arn}))(t).Tags, map[string]string{"team": "blue"})
	updated := must(c.UpdateCodeSigningConfig(ctx, &lambda.UpdateCodeSigningConfigInput{
		CodeSigningConfigArn: arn, Description: s(""), CodeSigningPolicies: &types.CodeSigningPolicies{UntrustedArtifactOnDeployment: "Enforce"},
		AllowedPublishers: &types.AllowedPublishers{SigningProfileVersionArns: []string{publisher, publisher + "1"}},
	}))(t).CodeSigningConfig
	want.Description, want.CodeSigningPolicies.UntrustedArtifactOnDeployment, want.LastModified = s(""), "Enforce", updated.LastModified
	want.AllowedPublishers.SigningProfileVersionArns = []string{publisher, publisher + "1"}
	same(t, "updated configuration", read(), want)
	var listed []string
	pages := lambda.NewListCodeSigningConfigsPaginator(c, &lambda.ListCodeSigningConfigsInput{MaxItems: aws.Int32(1)})
	for pages.HasMorePages() {
		for _, found := range must(pages.NextPage(ctx))(t).CodeSigningConfigs {
			listed = append(listed, *found.CodeSigningConfigArn)
		}
	}
	if !strings.Contains(strings.Join(listed, " "), *arn) {
		t.Errorf("listed %v, not %s", listed, *arn)
	}

	f := server.newFunction(t, echo)
	get := func() lambda.GetFunctionCodeSigningConfigOutput {
		t.Helper()
		out := *must(c.GetFunctionCodeSigningConfig(ctx, &lambda.GetFunctionCodeSigningConfigInput{FunctionName: &f.name}))(t)
		out.ResultMetadata = middleware.Metadata{}
		return out
	}
	same(t, "function without configuration", get(), lambda.GetFunctionCodeSigningConfigOutput{})
	must(c.PutFunctionCodeSigningConfig(ctx, &lambda.PutFunctionCodeSigningConfigInput{FunctionName: &f.name, CodeSigningConfigArn: arn}))(t)
	same(t, "function's configuration", get(), lambda.GetFunctionCodeSigningConfigOutput{FunctionName: &f.name, CodeSigningConfigArn: arn})
	of := must(c.ListFunctionsByCodeSigningConfig(ctx, &lambda.ListFunctionsByCodeSigningConfigInput{CodeSigningConfigArn: arn}))(t)
	same(t, "functions of the configuration", of.FunctionArns, []string{f.arn})
	_, err := c.DeleteCodeSigningConfig(ctx, &lambda.DeleteCodeSigningConfigInput{CodeSigningConfigArn: arn})
	check(t, err, failure{409, "ResourceConflictException", "The code signing configuration " + *arn + " is used by a function."})
	must(c.DeleteFunctionCodeSigningConfig(ctx, &lambda.DeleteFunctionCodeSigningConfigInput{FunctionName: &f.name}))(t)
	must(c.DeleteCodeSigningConfig(ctx, &lambda.DeleteCodeSigningConfigInput{CodeSigningConfigArn: arn}))(t)
	_, err = c.GetCodeSigningConfig(ctx, &lambda.GetCodeSigningConfigInput{CodeSigningConfigArn: arn})
	check(t, err, failure{404, "ResourceNotFoundException", "The Lambda code signing configuration " + *arn + " can not be found."})
}

// Code that licet sign signed passes a configuration that enforces signatures; code that is not signed, was signed by somebody else or was
// changed does not.
func TestSignedCode(t *testing.T) {
	t.Parallel()
	key, certificate := codesigntest.PublisherFiles(t)
	stranger, _ := codesigntest.PublisherFiles(t)
	l := newServer(t, "--signing-profile", publisher+"="+certificate)
	c, ctx := l.as(l.root).lambda, t.Context()
	plain := archive(t, file{name: "code.py", text: echo})
	dir := t.TempDir()
	sign := func(key string) []byte {
		t.Helper()
		from, to := filepath.Join(dir, "code.zip"), filepath.Join(dir, "signed.zip")
		if err := os.WriteFile(from, plain, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(l.binary, "sign", "--signing-profile", publisher, "--key", key, from, to).CombinedOutput(); err != nil {
			t.Fatalf("licet sign: %v\n%s", err, out)
		}
		signed, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	config := func(policy types.CodeSigningPolicy, publishers ...string) *string {
		t.Helper()
		return must(c.CreateCodeSigningConfig(ctx, &lambda.CreateCodeSigningConfigInput{
			AllowedPublishers:   &types.AllowedPublishers{SigningProfileVersionArns: publishers},
			CodeSigningPolicies: &types.CodeSigningPolicies{UntrustedArtifactOnDeployment: policy},
		}))(t).CodeSigningConfig.CodeSigningConfigArn
	}
	enforce, warn := config("Enforce", publisher), config("Warn", publisher)
	signed := sign(key)
	refused := failure{400, "CodeVerificationFailedException", "The code signature failed one or more of the validation checks for " +
		"signature mismatch or expiry, and the code signing policy is set to ENFORCE. Lambda blocks the deployment."}
	tampered := failure{400, "InvalidCodeSignatureException", "The code signature failed the integrity check. If the integrity check " +
		"fails, then Lambda blocks deployment, even if the code signing policy is set to WARN."}

	f := l.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Code.ZipFile, in.CodeSigningConfigArn = signed, enforce })
	shown := must(c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &f.name}))(t)
	if aws.ToString(shown.SigningProfileVersionArn) != publisher || !strings.Contains(aws.ToString(shown.SigningJobArn), ":/signing-jobs/") {
		t.Errorf("shown as signed by %v, job %v", shown.SigningProfileVersionArn, shown.SigningJobArn)
	}
	if got, err := l.as(l.root).invoke(t, f.name, `{"a":1}`); err != nil || got != `{"a": 1}` {
		t.Errorf("signed function: got %s, %v", got, err)
	}
	update := func(code []byte) error {
		_, err := c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &f.name, ZipFile: code})
		return err
	}
	check(t, update(plain), refused)
	check(t, update(sign(stranger)), tampered) // it says that it is the publisher's
	changed := archive(t, file{name: "code.py", text: echo + "#"}, file{name: "META-INF/aws_signer_signature_v1.0.SF", text: entry(t, signed)})
	check(t, update(changed), tampered)
	must(c.PutFunctionCodeSigningConfig(ctx, &lambda.PutFunctionCodeSigningConfigInput{FunctionName: &f.name, CodeSigningConfigArn: warn}))(t)
	check(t, update(changed), tampered)
	check(t, update(plain), failure{})
	must(c.PutFunctionCodeSigningConfig(ctx, &lambda.PutFunctionCodeSigningConfigInput{
		FunctionName: &f.name, CodeSigningConfigArn: config("Enforce", publisher+"1"),
	}))(t)
	check(t, update(signed), refused) // its profile is not allowed
	// Layers, too.
	must(c.PutFunctionCodeSigningConfig(ctx, &lambda.PutFunctionCodeSigningConfigInput{FunctionName: &f.name, CodeSigningConfigArn: enforce}))(t)
	check(t, update(signed), failure{})
	layer := func(code []byte) *lambda.PublishLayerVersionOutput {
		t.Helper()
		return must(c.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{
			LayerName: aws.String("layer"), Content: &types.LayerVersionContentInput{ZipFile: code},
		}))(t)
	}
	attach := func(layer *lambda.PublishLayerVersionOutput) error {
		_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &f.name, Layers: []string{*layer.LayerVersionArn},
		})
		return err
	}
	check(t, attach(layer(plain)), refused)
	check(t, attach(layer(changed)), tampered)
	good := layer(signed)
	if aws.ToString(good.Content.SigningProfileVersionArn) != publisher {
		t.Errorf("layer shown as signed by %v", good.Content.SigningProfileVersionArn)
	}
	check(t, attach(good), failure{})
	shown = must(c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &f.name}))(t)
	if len(shown.Layers) != 1 || aws.ToString(shown.Layers[0].SigningProfileVersionArn) != publisher {
		t.Errorf("layers %+v", shown.Layers)
	}
	must(c.DeleteFunctionCodeSigningConfig(ctx, &lambda.DeleteFunctionCodeSigningConfigInput{FunctionName: &f.name}))(t)
	check(t, update(plain), failure{})
}
