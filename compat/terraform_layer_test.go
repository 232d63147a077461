package compat

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/middleware"
)

// aws_lambda_layer_version (internal/service/lambda/layer_version.go of the provider): publish, read; every change is a new version, after
// which the old one is deleted.
func TestTerraformLayerVersion(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).lambda, t.Context(), unique("layer")
	zip := archive(t, file{name: "python/a.py", text: "x = 1"})
	sum := sha256.Sum256(zip)
	arn := "arn:aws:lambda:us-east-1:" + account + ":layer:" + name
	in := &lambda.PublishLayerVersionInput{
		LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: zip}, Description: aws.String(""), LicenseInfo: aws.String(""),
		CompatibleRuntimes:      []types.Runtime{types.RuntimePython312, types.RuntimePython313},
		CompatibleArchitectures: []types.Architecture{types.ArchitectureX8664},
	}
	if published := must(c.PublishLayerVersion(ctx, in))(t); *published.LayerVersionArn != arn+":1" {
		t.Errorf("published %s", *published.LayerVersionArn)
	}
	read := func(version int64) *lambda.GetLayerVersionOutput {
		t.Helper()
		out := must(c.GetLayerVersion(ctx, &lambda.GetLayerVersionInput{LayerName: &name, VersionNumber: &version}))(t)
		if got := download(t, *out.Content.Location); !bytes.Equal(got, zip) {
			t.Errorf("downloaded %d bytes, want the %d that were uploaded", len(got), len(zip))
		}
		if at, err := time.Parse("2006-01-02T15:04:05.000-0700", *out.CreatedDate); err != nil || time.Since(at).Abs() > time.Hour {
			t.Errorf("created %s: %v", *out.CreatedDate, err)
		}
		out.ResultMetadata, out.Content.Location, out.CreatedDate = middleware.Metadata{}, nil, nil
		return out
	}
	want := lambda.GetLayerVersionOutput{
		LayerArn: &arn, LayerVersionArn: aws.String(arn + ":1"), Version: 1, Description: in.Description, LicenseInfo: in.LicenseInfo,
		CompatibleRuntimes: in.CompatibleRuntimes, CompatibleArchitectures: in.CompatibleArchitectures,
		Content: &types.LayerVersionContentOutput{CodeSha256: aws.String(base64.StdEncoding.EncodeToString(sum[:])), CodeSize: int64(len(zip))},
	}
	same(t, "layer version", *read(1), want)

	in.Description, in.CompatibleRuntimes = aws.String("second"), nil
	must(c.PublishLayerVersion(ctx, in))(t)
	want.LayerVersionArn, want.Version, want.Description, want.CompatibleRuntimes = aws.String(arn+":2"), 2, in.Description, nil
	same(t, "second layer version", *read(2), want)
	// The data source takes the newest.
	list := must(c.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: &arn}))(t)
	if len(list.LayerVersions) != 2 || list.LayerVersions[0].Version != 2 {
		t.Errorf("list: got %+v", list.LayerVersions)
	}
	for version := range int64(2) {
		must(c.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: &name, VersionNumber: aws.Int64(version + 1)}))(t)
	}
	_, err := c.GetLayerVersion(ctx, &lambda.GetLayerVersionInput{LayerName: &name, VersionNumber: aws.Int64(2)})
	check(t, err, failure{404, "ResourceNotFoundException", "The resource you requested does not exist."})
	if third := must(c.PublishLayerVersion(ctx, in))(t); third.Version != 3 {
		t.Errorf("version %d after the deletion of 2", third.Version)
	}
	pages := lambda.NewListLayersPaginator(c, &lambda.ListLayersInput{MaxItems: aws.Int32(1), CompatibleArchitecture: types.ArchitectureX8664})
	found := false
	for pages.HasMorePages() {
		for _, l := range must(pages.NextPage(ctx))(t).Layers {
			found = found || *l.LayerName == name && l.LatestMatchingVersion.Version == 3
		}
	}
	if !found {
		t.Error("the layer is not in the pages of the list")
	}
}

// aws_lambda_layer_version_permission (internal/service/lambda/layer_version_permission.go): add, read, remove, gone.
func TestTerraformLayerVersionPermission(t *testing.T) {
	t.Parallel()
	root, ctx := server.as(server.root), t.Context()
	c := root.lambda
	name, arn := publishLayer(t, root, file{name: "a"})
	one := aws.Int64(1)
	read := &lambda.GetLayerVersionPolicyInput{LayerName: &name, VersionNumber: one}
	gone := failure{404, "ResourceNotFoundException", "No policy is associated with the given resource."}
	_, err := c.GetLayerVersionPolicy(ctx, read)
	check(t, err, gone)
	added := must(c.AddLayerVersionPermission(ctx, &lambda.AddLayerVersionPermissionInput{
		LayerName: &name, VersionNumber: one, StatementId: aws.String("dev"), Action: aws.String("lambda:GetLayerVersion"),
		Principal: aws.String("*"), OrganizationId: aws.String("o-0123456789"),
	}))(t)
	for range 2 { // a second plan
		got := must(c.GetLayerVersionPolicy(ctx, read))(t)
		if want := `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"dev","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion",` +
			`"Resource":"` + arn + `","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-0123456789"}}}]}`; *got.Policy != want {
			t.Errorf("policy:\ngot  %s\nwant %s", *got.Policy, want)
		}
		if *got.RevisionId != *added.RevisionId {
			t.Errorf("revision: got %s, want %s", *got.RevisionId, *added.RevisionId)
		}
	}
	must(c.RemoveLayerVersionPermission(ctx, &lambda.RemoveLayerVersionPermissionInput{
		LayerName: &name, VersionNumber: one, StatementId: aws.String("dev"),
	}))(t)
	_, err = c.GetLayerVersionPolicy(ctx, read)
	check(t, err, gone)
}
