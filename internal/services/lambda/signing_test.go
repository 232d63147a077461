package lambda

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/codesign"
	"github.com/licet/licet/internal/services/lambda/signing"
)

const signingProfile = "arn:aws:signer:eu-central-1:111122223333:/signing-profiles/p/0123456789"

func (h *harness) newSigningConfig(policy types.CodeSigningPolicy) string {
	h.t.Helper()
	out := must[sdk.CreateCodeSigningConfigOutput](h, &sdk.CreateCodeSigningConfigInput{
		AllowedPublishers:   &types.AllowedPublishers{SigningProfileVersionArns: []string{signingProfile}},
		CodeSigningPolicies: &types.CodeSigningPolicies{UntrustedArtifactOnDeployment: policy},
	})
	return *out.CodeSigningConfig.CodeSigningConfigArn
}

func TestCodeSigningConfig(t *testing.T) {
	h := newHarness(t)
	created := must[sdk.CreateCodeSigningConfigOutput](h, &sdk.CreateCodeSigningConfigInput{
		AllowedPublishers: &types.AllowedPublishers{SigningProfileVersionArns: []string{signingProfile}},
		Description:       aws.String("first"), Tags: map[string]string{"team": "a"},
	}).CodeSigningConfig
	id := *created.CodeSigningConfigId
	if !regexp.MustCompile(`\Acsc-[a-z0-9]{17}\z`).MatchString(id) {
		t.Errorf("id %s", id)
	}
	if len(h.lastNeeds) != 2 || h.lastNeeds[0].Target.ARN != "*" || h.lastNeeds[1].Action != "lambda:TagResource" {
		t.Errorf("create needs %+v", h.lastNeeds)
	}
	// The Service Authorization Reference has aws:ResourceTag for the resource that is tagged, and none for the action that makes it.
	for i, want := range []string{"aws:RequestTag/team=a\naws:TagKeys=team", "aws:RequestTag/team=a\naws:ResourceTag/team=a\naws:TagKeys=team"} {
		if got := keysOf(h.lastNeeds[i].Target.Keys); got != want {
			t.Errorf("%s: keys\n%s\nwant\n%s", h.lastNeeds[i].Action, got, want)
		}
	}
	want := &types.CodeSigningConfig{
		CodeSigningConfigId: &id, CodeSigningConfigArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:code-signing-config:" + id),
		AllowedPublishers:   &types.AllowedPublishers{SigningProfileVersionArns: []string{signingProfile}},
		CodeSigningPolicies: &types.CodeSigningPolicies{UntrustedArtifactOnDeployment: types.CodeSigningPolicyWarn},
		Description:         aws.String("first"), LastModified: aws.String("2026-11-23T12:00:00.007+0000"),
	}
	equal := func(what string, got *types.CodeSigningConfig) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.CodeSigningConfig{}, types.AllowedPublishers{}, types.CodeSigningPolicies{})); diff != "" {
			t.Errorf("%s: -want +got\n%s", what, diff)
		}
	}
	equal("created", created)
	arn := created.CodeSigningConfigArn
	get := &sdk.GetCodeSigningConfigInput{CodeSigningConfigArn: arn}
	equal("read", must[sdk.GetCodeSigningConfigOutput](h, get).CodeSigningConfig)
	if got := keysOf(h.lastNeeds[0].Target.Keys); h.lastNeeds[0].Target.ARN != *arn || got != "aws:ResourceTag/team=a" {
		t.Errorf("get needs %s with %s", h.lastNeeds[0].Target.ARN, got)
	}
	updated := must[sdk.UpdateCodeSigningConfigOutput](h, &sdk.UpdateCodeSigningConfigInput{
		CodeSigningConfigArn: arn, CodeSigningPolicies: &types.CodeSigningPolicies{UntrustedArtifactOnDeployment: "Enforce"},
	})
	want.CodeSigningPolicies.UntrustedArtifactOnDeployment = types.CodeSigningPolicyEnforce
	equal("updated", updated.CodeSigningConfig)
	must[sdk.TagResourceOutput](h, &sdk.TagResourceInput{Resource: arn, Tags: map[string]string{"stage": "dev"}})
	tags := must[sdk.ListTagsOutput](h, &sdk.ListTagsInput{Resource: arn}).Tags
	if len(tags) != 2 || tags["stage"] != "dev" {
		t.Errorf("tags %v", tags)
	}
	must[sdk.DeleteCodeSigningConfigOutput](h, &sdk.DeleteCodeSigningConfigInput{CodeSigningConfigArn: arn})
	refuse[sdk.GetCodeSigningConfigOutput](h, get, "ResourceNotFoundException", 404,
		"The Lambda code signing configuration "+*arn+" can not be found.")
	refuse[sdk.CreateCodeSigningConfigOutput](h, &sdk.CreateCodeSigningConfigInput{AllowedPublishers: &types.AllowedPublishers{
		SigningProfileVersionArns: []string{}}}, "ValidationException", 400, "1 validation error detected: Value '[]' at "+
		"'allowedPublishers.signingProfileVersionArns' failed to satisfy constraint: Member must have length greater than or equal to 1")
	elsewhere := "arn:aws:lambda:us-east-1:111122223333:code-signing-config:" + id
	_, err := h.needs("GetCodeSigningConfig", &sdk.GetCodeSigningConfigInput{CodeSigningConfigArn: &elsewhere})
	wantError(t, err, "ResourceNotFoundException", 404, "The Lambda code signing configuration "+elsewhere+" can not be found.")
	elsewhere = "arn:aws-cn:lambda:eu-central-1:111122223333:code-signing-config:" + id
	_, err = h.needs("GetCodeSigningConfig", &sdk.GetCodeSigningConfigInput{CodeSigningConfigArn: &elsewhere})
	wantError(t, err, "ResourceNotFoundException", 404, "The Lambda code signing configuration "+elsewhere+" can not be found.")
	elsewhere = "arn::lambda:eu-central-1:111122223333:code-signing-config:" + id
	_, err = h.needs("GetCodeSigningConfig", &sdk.GetCodeSigningConfigInput{CodeSigningConfigArn: &elsewhere})
	wantError(t, err, "ValidationException", 400, "1 validation error detected: Value '"+elsewhere+"' at 'codeSigningConfigArn' failed to "+
		"satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|(-iso(b?)))?-"+
		`[a-z]+-\d{1}:\d{12}:code-signing-config:csc-[a-z0-9]{17}`)
}

func TestListCodeSigningConfigs(t *testing.T) {
	h := newHarness(t)
	var made, listed []string
	for range 5 {
		made = append(made, h.newSigningConfig("Warn"))
	}
	in := &sdk.ListCodeSigningConfigsInput{MaxItems: aws.Int32(2)}
	for {
		out := must[sdk.ListCodeSigningConfigsOutput](h, in)
		for _, c := range out.CodeSigningConfigs {
			listed = append(listed, *c.CodeSigningConfigArn)
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	slices.Sort(made)
	if !slices.Equal(made, listed) {
		t.Errorf("listed %v, want %v", listed, made)
	}
}

func TestFunctionCodeSigningConfig(t *testing.T) {
	h := newHarness(t)
	arn := h.newSigningConfig("Enforce")
	var names []string
	for i := range 3 {
		names = append(names, fmt.Sprint("f", i))
		h.create(names[i])
	}
	h.create("other")
	put := func(name string) *sdk.PutFunctionCodeSigningConfigInput {
		return &sdk.PutFunctionCodeSigningConfigInput{FunctionName: &name, CodeSigningConfigArn: &arn}
	}
	for _, name := range names {
		if out := must[sdk.PutFunctionCodeSigningConfigOutput](h, put(name)); *out.FunctionName != name || *out.CodeSigningConfigArn != arn {
			t.Errorf("put: %+v", out)
		}
	}
	if len(h.lastNeeds) != 2 || h.lastNeeds[1].Target.ARN != arn ||
		keysOf(h.lastNeeds[0].Target.Keys) != "lambda:CodeSigningConfigArn="+arn {
		t.Errorf("put needs %+v", h.lastNeeds)
	}
	get := &sdk.GetFunctionCodeSigningConfigInput{FunctionName: aws.String("f0")}
	if out := must[sdk.GetFunctionCodeSigningConfigOutput](h, get); *out.FunctionName != "f0" || *out.CodeSigningConfigArn != arn {
		t.Errorf("get: %+v", out)
	}
	var listed []string
	in := &sdk.ListFunctionsByCodeSigningConfigInput{CodeSigningConfigArn: &arn, MaxItems: aws.Int32(2)}
	for {
		out := must[sdk.ListFunctionsByCodeSigningConfigOutput](h, in)
		listed = append(listed, out.FunctionArns...)
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	if !slices.Equal(listed, []string{arnOfF + "0", arnOfF + "1", arnOfF + "2"}) {
		t.Errorf("listed %v", listed)
	}
	refuse[sdk.DeleteCodeSigningConfigOutput](h, &sdk.DeleteCodeSigningConfigInput{CodeSigningConfigArn: &arn},
		"ResourceConflictException", 409, "The code signing configuration "+arn+" is used by a function.")
	refuse[sdk.PutFunctionCodeSigningConfigOutput](h, put("missing"), "ResourceNotFoundException", 404,
		"Function not found: arn:aws:lambda:eu-central-1:111122223333:function:missing")
	for _, name := range names {
		must[sdk.DeleteFunctionCodeSigningConfigOutput](h, &sdk.DeleteFunctionCodeSigningConfigInput{FunctionName: &name})
	}
	if out := must[sdk.GetFunctionCodeSigningConfigOutput](h, get); out.FunctionName != nil || out.CodeSigningConfigArn != nil {
		t.Errorf("get without a configuration: %+v", out)
	}
	must[sdk.DeleteCodeSigningConfigOutput](h, &sdk.DeleteCodeSigningConfigInput{CodeSigningConfigArn: &arn})
	refuse[sdk.PutFunctionCodeSigningConfigOutput](h, put("f0"), "CodeSigningConfigNotFoundException", 404,
		"The code signing configuration cannot be found. Check that the provided configuration is not deleted: "+arn+".")
}

// Code was held to the configuration that the function had when the call came. If it has got another since, that one does not know the code.
func TestSigningConfigGivenMeanwhile(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	enforce := h.newSigningConfig("Enforce")
	unsigned := zipOf(t, map[string]string{"app.py": "unsigned"})
	h.lambda.Objects = meanwhile(func() []byte {
		must[sdk.PutFunctionCodeSigningConfigOutput](h, &sdk.PutFunctionCodeSigningConfigInput{
			FunctionName: aws.String("f"), CodeSigningConfigArn: &enforce,
		})
		return unsigned
	})
	for _, publish := range []bool{false, true} {
		must[sdk.DeleteFunctionCodeSigningConfigOutput](h, &sdk.DeleteFunctionCodeSigningConfigInput{FunctionName: aws.String("f")})
		in := &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), S3Bucket: aws.String("bucket"), S3Key: aws.String("key"), Publish: publish}
		_, err := do[sdk.UpdateFunctionCodeOutput](h, in)
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok || e.Code != "ResourceConflictException" {
			t.Errorf("publish %v: got %v", publish, err)
		}
	}
}

// A configuration is the whole function's: no permission on an alias or version must reach it.
func TestCodeSigningConfigOfAlias(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	arn := h.newSigningConfig("Enforce")
	const text = "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. " +
		"Please specify either a function name or an unqualified function ARN."
	for _, name := range []string{"f:live", "f:1", "f:$LATEST"} {
		for _, in := range []any{
			&sdk.PutFunctionCodeSigningConfigInput{FunctionName: &name, CodeSigningConfigArn: &arn},
			&sdk.GetFunctionCodeSigningConfigInput{FunctionName: &name},
			&sdk.DeleteFunctionCodeSigningConfigInput{FunctionName: &name},
		} {
			_, err := h.needs(operationOf(in), in)
			wantError(t, err, "InvalidParameterValueException", 400, text)
		}
	}
}

// A configuration is named by its one ARN: under another a function would have one that counts as unused.
func TestCodeSigningConfigOfAnotherPartition(t *testing.T) {
	h := newHarness(t)
	arn := strings.Replace(h.newSigningConfig("Enforce"), "arn:aws:", "arn:aws-cn:", 1)
	in := h.newFunction("f")
	in.CodeSigningConfigArn = &arn
	refuse[sdk.CreateFunctionOutput](h, in, "CodeSigningConfigNotFoundException", 404,
		"The code signing configuration cannot be found. Check that the provided configuration is not deleted: "+arn+".")
}

// TestSignedCode: what a function's code signing configuration does not let in becomes neither a function nor its code.
func TestSignedCode(t *testing.T) {
	h := newHarness(t)
	key, certificate := publisher(t, h.now)
	h.lambda.signing = signing.New(h.db, map[string]*x509.Certificate{signingProfile: certificate}, h.lambda.hasCodeSigningConfig)
	const job = "arn:aws:signer:eu-central-1:111122223333:/signing-jobs/1"
	signed, err := codesign.Sign(zipOf(t, map[string]string{"app.py": "signed"}),
		codesign.Signature{Profile: signingProfile, Job: job, Signed: h.now, Expires: h.now.Add(time.Hour)}, key)
	if err != nil {
		t.Fatal(err)
	}
	enforce, warn := h.newSigningConfig("Enforce"), h.newSigningConfig("Warn")
	create := func(name, configuration string, zip []byte) *sdk.CreateFunctionInput {
		in := h.newFunction(name)
		in.CodeSigningConfigArn, in.Code.ZipFile = &configuration, zip
		return in
	}
	unsigned := zipOf(t, map[string]string{"app.py": "unsigned"})
	const blocked = "The code signature failed one or more of the validation checks for signature mismatch or expiry, and the code signing " +
		"policy is set to ENFORCE. Lambda blocks the deployment."
	refuse[sdk.CreateFunctionOutput](h, create("f", enforce, unsigned), "CodeVerificationFailedException", 400, blocked)
	out := must[sdk.CreateFunctionOutput](h, create("f", enforce, signed))
	if *out.SigningProfileVersionArn != signingProfile || *out.SigningJobArn != job {
		t.Errorf("created: got %v, %v", out.SigningProfileVersionArn, out.SigningJobArn)
	}
	got := must[sdk.GetFunctionCodeSigningConfigOutput](h, &sdk.GetFunctionCodeSigningConfigInput{FunctionName: aws.String("f")})
	if *got.CodeSigningConfigArn != enforce {
		t.Errorf("configuration: got %s", *got.CodeSigningConfigArn)
	}
	update := func(name string, dryRun bool) *sdk.UpdateFunctionCodeInput {
		return &sdk.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: unsigned, DryRun: dryRun}
	}
	for _, dryRun := range []bool{true, false} {
		refuse[sdk.UpdateFunctionCodeOutput](h, update("f", dryRun), "CodeVerificationFailedException", 400, blocked)
	}
	if read := h.read("f"); *read.CodeSha256 != *out.CodeSha256 {
		t.Errorf("refused code is there")
	}
	must[sdk.CreateFunctionOutput](h, create("g", warn, signed))
	if out := must[sdk.UpdateFunctionCodeOutput](h, update("g", false)); out.SigningProfileVersionArn != nil || out.SigningJobArn != nil {
		t.Errorf("unsigned code has a signature: %v", *out.SigningProfileVersionArn)
	}

	missing := enforce[:len(enforce)-17] + "00000000000000000"
	refuse[sdk.CreateFunctionOutput](h, create("h", missing, signed), "CodeSigningConfigNotFoundException", 404,
		"The code signing configuration cannot be found. Check that the provided configuration is not deleted: "+missing+".")
	image := h.newImageFunction("i")
	must[sdk.CreateFunctionOutput](h, image)
	const notForImages = "Code signing is not supported for functions created with container images."
	refuse[sdk.PutFunctionCodeSigningConfigOutput](h, &sdk.PutFunctionCodeSigningConfigInput{FunctionName: aws.String("i"), CodeSigningConfigArn: &warn},
		"InvalidParameterValueException", 400, notForImages)
	image.FunctionName, image.CodeSigningConfigArn = aws.String("j"), &warn
	refuse[sdk.CreateFunctionOutput](h, image, "InvalidParameterValueException", 400, notForImages)
}

// publisher makes a key and its certificate.
func publisher(t *testing.T, now time.Time) (crypto.Signer, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, certificate
}
