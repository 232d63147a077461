package layer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/store"
)

// What is shown: recorded from AWS.
func TestLifeCycle(t *testing.T) {
	h := newHarness(t)
	in := h.newLayer("l")
	in.Description, in.LicenseInfo = aws.String("some"), aws.String("MIT")
	in.CompatibleRuntimes = []types.Runtime{types.RuntimePython312, types.RuntimePython313}
	in.CompatibleArchitectures = []types.Architecture{types.ArchitectureArm64}
	got := must[sdk.PublishLayerVersionOutput](h, in)
	name := bundle.Name(in.Content.ZipFile)
	want := &sdk.PublishLayerVersionOutput{
		CompatibleArchitectures: in.CompatibleArchitectures, CompatibleRuntimes: in.CompatibleRuntimes,
		Content: &types.LayerVersionContentOutput{
			CodeSha256: aws.String(bundle.SHA256(name)), CodeSize: int64(len(in.Content.ZipFile)),
			Location: aws.String("http://localhost:4566/code/" + string(name)),
		},
		CreatedDate: aws.String("2026-11-23T12:00:00.007+0000"), Description: in.Description, LicenseInfo: in.LicenseInfo,
		LayerArn: aws.String(arnOfL), LayerVersionArn: aws.String(arnOfL + ":1"), Version: 1,
	}
	unexported := cmpopts.IgnoreUnexported(sdk.PublishLayerVersionOutput{}, types.LayerVersionContentOutput{},
		types.LayerVersionsListItem{}, middleware.Metadata{})
	if diff := cmp.Diff(got, want, unexported); diff != "" {
		t.Errorf("published, got - want +:\n%s", diff)
	}
	read := must[sdk.GetLayerVersionOutput](h, get("l", 1))
	if diff := cmp.Diff((*sdk.PublishLayerVersionOutput)(read), want, unexported); diff != "" {
		t.Errorf("read, got - want +:\n%s", diff)
	}
	byARN := must[sdk.GetLayerVersionByArnOutput](h, &sdk.GetLayerVersionByArnInput{Arn: want.LayerVersionArn})
	if diff := cmp.Diff((*sdk.PublishLayerVersionOutput)(byARN), want, unexported); diff != "" {
		t.Errorf("read by ARN, got - want +:\n%s", diff)
	}

	// The second has the least that is needed. Nothing that was not given is shown, but for the description.
	second := h.publish(arnOfL)
	if second.Version != 2 || *second.Description != "" || second.LicenseInfo != nil || second.CompatibleRuntimes != nil ||
		second.CompatibleArchitectures != nil {
		t.Errorf("second: got %+v", second)
	}
	h.now = h.now.Add(1)
	in.CompatibleRuntimes, in.CompatibleArchitectures = []types.Runtime{}, []types.Architecture{}
	if third := must[sdk.PublishLayerVersionOutput](h, in); third.CompatibleRuntimes == nil || third.CompatibleArchitectures == nil {
		t.Errorf("empty lists are not shown: got %+v", third)
	}
	list := must[sdk.ListLayerVersionsOutput](h, &sdk.ListLayerVersionsInput{LayerName: aws.String("l")})
	if got := numbers(list); got != "3 2 1" {
		t.Errorf("list: got %s", got)
	}
	item := types.LayerVersionsListItem{
		CompatibleArchitectures: want.CompatibleArchitectures, CompatibleRuntimes: want.CompatibleRuntimes, CreatedDate: want.CreatedDate,
		Description: want.Description, LayerVersionArn: want.LayerVersionArn, LicenseInfo: want.LicenseInfo, Version: 1,
	}
	if diff := cmp.Diff(list.LayerVersions[2], item, unexported); diff != "" {
		t.Errorf("list, got - want +:\n%s", diff)
	}

	// Numbers are not used again.
	for _, number := range []int64{2, 3, 3, 1, 7} {
		must[sdk.DeleteLayerVersionOutput](h, remove("l", number))
	}
	must[sdk.DeleteLayerVersionOutput](h, remove("none", 1))
	refuse[sdk.GetLayerVersionOutput](h, get("l", 1), notFound, 404, "The resource you requested does not exist.")
	list = must[sdk.ListLayerVersionsOutput](h, &sdk.ListLayerVersionsInput{LayerName: aws.String("l")})
	if list.LayerVersions == nil || len(list.LayerVersions) != 0 {
		t.Errorf("list of a layer without versions: got %v", list.LayerVersions)
	}
	if layers := must[sdk.ListLayersOutput](h, &sdk.ListLayersInput{}); layers.Layers == nil || len(layers.Layers) != 0 {
		t.Errorf("list of layers without versions: got %v", layers.Layers)
	}
	if fourth := h.publish("l"); fourth.Version != 4 {
		t.Errorf("after the deletion of all: got version %d, want 4", fourth.Version)
	}
}

func numbers(out *sdk.ListLayerVersionsOutput) string {
	all := make([]string, len(out.LayerVersions))
	for i, v := range out.LayerVersions {
		all[i] = fmt.Sprint(v.Version)
	}
	return strings.Join(all, " ")
}

func TestPublishConstraints(t *testing.T) {
	h := newHarness(t)
	var r types.Runtime
	var runtimes []string
	for _, known := range r.Values() {
		runtimes = append(runtimes, string(known))
	}
	const one = "1 validation error detected: Value "
	for _, c := range []struct {
		name    string
		change  func(*sdk.PublishLayerVersionInput)
		code    string
		status  int
		message string
	}{
		{"no name", func(in *sdk.PublishLayerVersionInput) { in.LayerName = nil }, badValue, 400,
			one + "null at 'layerName' failed to satisfy constraint: Member must not be null"},
		{"name", func(in *sdk.PublishLayerVersionInput) { in.LayerName = aws.String("a.b") }, badValue, 400,
			one + `'a.b' at 'layerName' failed to satisfy constraint: Member must satisfy regular expression pattern: ` +
				`(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`},
		{"version in the name", func(in *sdk.PublishLayerVersionInput) { in.LayerName = aws.String(arnOfL + ":1") }, badValue, 400,
			one + `'` + arnOfL + `:1' at 'layerName' failed to satisfy constraint: Member must satisfy regular expression pattern: ` +
				`(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`},
		{"long name", func(in *sdk.PublishLayerVersionInput) { in.LayerName = aws.String(strings.Repeat("a", 94)) }, badValue, 400,
			one + "'" + strings.Repeat("a", 94) + "' at 'layerName' failed to satisfy constraint: Member must have length less than or equal to 93"},
		{"another region", func(in *sdk.PublishLayerVersionInput) {
			in.LayerName = aws.String("arn:aws:lambda:us-west-2:111122223333:layer:l")
		}, notFound, 404, "Layers from 'us-west-2' are not reachable in this region ('eu-central-1')"},
		{"another partition", func(in *sdk.PublishLayerVersionInput) {
			in.LayerName = aws.String("arn:aws-cn:lambda:eu-central-1:111122223333:layer:l")
		}, notFound, 404, "The resource you requested does not exist."},
		{"description", func(in *sdk.PublishLayerVersionInput) { in.Description = aws.String(strings.Repeat("a", 257)) }, badValue, 400,
			one + "'" + strings.Repeat("a", 257) + "' at 'description' failed to satisfy constraint: " +
				"Member must have length less than or equal to 256"},
		{"license", func(in *sdk.PublishLayerVersionInput) { in.LicenseInfo = aws.String(strings.Repeat("a", 513)) }, badValue, 400,
			one + "'" + strings.Repeat("a", 513) + "' at 'licenseInfo' failed to satisfy constraint: " +
				"Member must have length less than or equal to 512"},
		{"no content", func(in *sdk.PublishLayerVersionInput) { in.Content = nil }, badValue, 400,
			one + "null at 'content' failed to satisfy constraint: Member must not be null"},
		// Recorded from AWS, but for the runtimes that there are.
		{"runtimes and architectures", func(in *sdk.PublishLayerVersionInput) {
			in.CompatibleRuntimes = []types.Runtime{"invalidruntime", "invalidruntime2", types.RuntimeNodejs16x}
			in.CompatibleArchitectures = []types.Architecture{"invalidarch", types.ArchitectureX8664}
		}, badValue, 400, "2 validation errors detected: Value '[invalidruntime, invalidruntime2, nodejs16.x]' at 'compatibleRuntimes' " +
			"failed to satisfy constraint: Member must satisfy enum value set: [" + strings.Join(runtimes, ", ") + "]; " +
			"Value '[invalidarch, x86_64]' at 'compatibleArchitectures' failed to satisfy constraint: " +
			"Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]"},
		{"many runtimes", func(in *sdk.PublishLayerVersionInput) {
			in.CompatibleRuntimes = slices.Repeat([]types.Runtime{types.RuntimePython312}, 16)
		}, badValue, 400, one + "'[" + strings.Repeat("python3.12, ", 15) + "python3.12]' at 'compatibleRuntimes' failed to satisfy constraint: " +
			"Member must have length less than or equal to 15"},
		{"many architectures", func(in *sdk.PublishLayerVersionInput) {
			in.CompatibleArchitectures = slices.Repeat([]types.Architecture{types.ArchitectureArm64}, 3)
		}, badValue, 400, one + "'[arm64, arm64, arm64]' at 'compatibleArchitectures' failed to satisfy constraint: " +
			"Member must have length less than or equal to 2"},

		{"no archive", func(in *sdk.PublishLayerVersionInput) { in.Content.ZipFile = nil }, badParameter, 400,
			"Please provide a source for layer code."},
		{"no zip", func(in *sdk.PublishLayerVersionInput) { in.Content.ZipFile = []byte("x") }, badParameter, 400,
			"Could not unzip uploaded file. Please check your file, then try to upload again."},
		{"empty zip", func(in *sdk.PublishLayerVersionInput) { in.Content.ZipFile = zipOf(t, nil) }, badParameter, 400,
			"Uploaded file must be a non-empty zip"},
		{"large zip", func(in *sdk.PublishLayerVersionInput) { in.Content.ZipFile = make([]byte, bundle.MaxZipped+1) },
			"RequestEntityTooLargeException", 413, "Zipped size must be smaller than 52428800 bytes"},
		{"very large zip", func(in *sdk.PublishLayerVersionInput) { in.Content.ZipFile = make([]byte, bundle.MaxZipped+1<<18) },
			"RequestEntityTooLargeException", 413, "Request must be smaller than 70167211 bytes for the PublishLayerVersion operation"},
		{"in S3", func(in *sdk.PublishLayerVersionInput) { in.Content = inS3() },
			"NotImplemented", 501, "licet does not implement Content.S3Bucket of the operation PublishLayerVersion of lambda."},
		{"reference", func(in *sdk.PublishLayerVersionInput) {
			in.Content = inS3()
			in.Content.S3ObjectStorageMode = types.S3ObjectStorageModeReference
		}, "NotImplemented", 501, "licet does not implement Content.S3ObjectStorageMode=REFERENCE of the operation PublishLayerVersion of lambda."},
		{"two archives", func(in *sdk.PublishLayerVersionInput) { in.Content.S3Key = aws.String("k") }, badParameter, 400,
			"Please do not provide other LayerVersionContent parameters when providing a ZipFile."},
		{"half of an object", func(in *sdk.PublishLayerVersionInput) {
			in.Content = &types.LayerVersionContentInput{S3Key: aws.String("k")}
		}, badParameter, 400, "Please provide a source for layer code."},
		{"bucket", func(in *sdk.PublishLayerVersionInput) { in.Content.S3Bucket = aws.String("b") }, badValue, 400,
			one + "'b' at 'content.s3Bucket' failed to satisfy constraint: Member must have length greater than or equal to 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := h.newLayer("l")
			c.change(in)
			h.t = t
			refuse[sdk.PublishLayerVersionOutput](h, in, c.code, c.status, c.message)
		})
	}
	h.t = t
	if out := h.publish(strings.Repeat("a", 93)); len(*out.LayerArn) != 140 {
		t.Errorf("the longest ARN has %d characters", len(*out.LayerArn))
	}
	if out := h.publish("l"); out.Version != 1 {
		t.Errorf("after what was refused: version %d", out.Version)
	}
}

func TestVersionErrors(t *testing.T) {
	h := newHarness(t)
	h.publish("l")
	for _, number := range []int64{0, -1} {
		refuse[sdk.GetLayerVersionOutput](h, get("l", number), badParameter, 400, "Layer Version Cannot be less than 1")
		refuse[sdk.DeleteLayerVersionOutput](h, remove("l", number), badParameter, 400, "Layer Version Cannot be less than 1")
	}
	const gone = "The resource you requested does not exist."
	for _, in := range []*sdk.GetLayerVersionInput{get("l", 2), get("none", 1), get("arn:aws-cn:lambda:eu-central-1:111122223333:layer:l", 1),
		get("arn:aws:lambda:eu-central-1:444455556666:layer:l", 1)} {
		refuse[sdk.GetLayerVersionOutput](h, in, notFound, 404, gone)
	}
	// The ARN that is judged must be the one that is found: "01" is not "1".
	for _, number := range []string{"2", "01", "0000000000000000000000001", "00", "99999999999999999999"} {
		refuse[sdk.GetLayerVersionByArnOutput](h, &sdk.GetLayerVersionByArnInput{Arn: aws.String(arnOfL + ":" + number)}, notFound, 404, gone)
		if got := h.needs[0].Target.ARN; got != arnOfL+":"+number {
			t.Errorf("judged: %s", got)
		}
	}
	refuse[sdk.GetLayerVersionByArnOutput](h, &sdk.GetLayerVersionByArnInput{Arn: aws.String(arnOfL)}, badValue, 400,
		"1 validation error detected: Value '"+arnOfL+"' at 'arn' failed to satisfy constraint: Member must satisfy regular expression pattern: "+
			`arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+`)
	refuse[sdk.GetLayerVersionByArnOutput](h, &sdk.GetLayerVersionByArnInput{}, badValue, 400,
		"1 validation error detected: Value null at 'arn' failed to satisfy constraint: Member must not be null")
	refuse[sdk.GetLayerVersionByArnOutput](h, &sdk.GetLayerVersionByArnInput{
		Arn: aws.String("arn:aws:lambda:us-west-2:111122223333:layer:l:1"),
	}, notFound, 404, "Layers from 'us-west-2' are not reachable in this region ('eu-central-1')")
	refuse[sdk.GetLayerVersionOutput](h, &sdk.GetLayerVersionInput{}, badValue, 400, "2 validation errors detected: "+
		"Value null at 'layerName' failed to satisfy constraint: Member must not be null; "+
		"Value null at 'versionNumber' failed to satisfy constraint: Member must not be null")
	for _, in := range []any{&sdk.ListLayersInput{MaxItems: aws.Int32(51)}, &sdk.ListLayerVersionsInput{LayerName: aws.String("l"), MaxItems: aws.Int32(51)}} {
		refuse[sdk.ListLayersOutput](h, in, badValue, 400,
			"1 validation error detected: Value '51' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 50")
	}
	for _, in := range []any{
		&sdk.ListLayersInput{Marker: aws.String("?")},
		&sdk.ListLayerVersionsInput{LayerName: aws.String("l"), Marker: aws.String("?")},
	} {
		refuse[sdk.ListLayersOutput](h, in, badParameter, 400, "Invalid Marker: ?")
	}
	refuse[sdk.ListLayersOutput](h, &sdk.ListLayerVersionsInput{LayerName: aws.String("l"), Marker: aws.String("bA")}, badParameter, 400,
		"Invalid Marker: bA") // a marker of the other list
	// Recorded from AWS.
	refuse[sdk.ListLayersOutput](h, &sdk.ListLayersInput{CompatibleArchitecture: "archdoesnotexist"}, badValue, 400,
		"1 validation error detected: Value 'archdoesnotexist' at 'compatibleArchitecture' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [x86_64, arm64]")
	for _, in := range []any{
		&sdk.ListLayersInput{CompatibleRuntime: "x"}, &sdk.ListLayerVersionsInput{LayerName: aws.String("l"), CompatibleRuntime: "x"},
	} {
		if _, err := do[sdk.ListLayersOutput](h, in); err == nil || !strings.Contains(err.Error(), "Value 'x' at 'compatibleRuntime'") {
			t.Errorf("%T of an unknown runtime: got %v", in, err)
		}
	}
}

func TestNeeds(t *testing.T) {
	h := newHarness(t)
	h.publish("l")
	must[sdk.AddLayerVersionPermissionOutput](h, grant(1, "s", "*"))
	type need struct {
		Action, ARN, Account string
		Policy               bool
	}
	one := aws.Int64(1)
	newest, versioned := h.newLayer("l"), h.newLayer("l")
	newest.Content, versioned.Content = inS3(), inS3()
	versioned.Content.S3ObjectVersion = aws.String("v")
	const theirs = "arn:aws:lambda:eu-central-1:444455556666:layer:l"
	for _, c := range []struct {
		in   any
		want []need
	}{
		{h.newLayer("l"), []need{{"lambda:PublishLayerVersion", arnOfL, account, false}}},
		{h.newLayer(theirs), []need{{"lambda:PublishLayerVersion", theirs, stranger, false}}},
		{newest, []need{{"lambda:PublishLayerVersion", arnOfL, account, false}, {"s3:GetObject", "arn:aws:s3:::bucket/a/k.zip", "", false}}},
		{versioned, []need{{"lambda:PublishLayerVersion", arnOfL, account, false}, {"s3:GetObjectVersion", "arn:aws:s3:::bucket/a/k.zip", "", false}}},
		{get("l", 1), []need{{"lambda:GetLayerVersion", arnOfL + ":1", account, true}}},
		{get(arnOfL, 1), []need{{"lambda:GetLayerVersion", arnOfL + ":1", account, true}}},
		{get("l", 2), []need{{"lambda:GetLayerVersion", arnOfL + ":2", account, false}}},
		{get(theirs, 1), []need{{"lambda:GetLayerVersion", theirs + ":1", stranger, false}}},
		{&sdk.GetLayerVersionByArnInput{Arn: aws.String(arnOfL + ":1")}, []need{{"lambda:GetLayerVersion", arnOfL + ":1", account, true}}},
		{remove("l", 1), []need{{"lambda:DeleteLayerVersion", arnOfL + ":1", account, true}}},
		{grant(1, "t", "*"), []need{{"lambda:AddLayerVersionPermission", arnOfL + ":1", account, true}}},
		{&sdk.RemoveLayerVersionPermissionInput{LayerName: aws.String("l"), VersionNumber: one, StatementId: aws.String("s")},
			[]need{{"lambda:RemoveLayerVersionPermission", arnOfL + ":1", account, true}}},
		{&sdk.GetLayerVersionPolicyInput{LayerName: aws.String("l"), VersionNumber: one},
			[]need{{"lambda:GetLayerVersionPolicy", arnOfL + ":1", account, true}}},
		{&sdk.ListLayersInput{}, []need{{"lambda:ListLayers", "*", "", false}}},
		{&sdk.ListLayerVersionsInput{LayerName: aws.String("l")}, []need{{"lambda:ListLayerVersions", "*", "", false}}},
		{&sdk.ListLayerVersionsInput{LayerName: aws.String(theirs)}, []need{{"lambda:ListLayerVersions", theirs, stranger, false}}},
	} {
		op, call := h.operation(c.in)
		needs, err := op.Needs(t.Context(), call, c.in)
		if err != nil {
			t.Errorf("%s: %v", op.Name, err)
		}
		var got []need
		for _, n := range needs {
			got = append(got, need{n.Action, n.Target.ARN, n.Target.Account, n.Target.Policy != nil})
			if n.Target.Keys.Len() != 0 && n.Action != "s3:GetObjectVersion" {
				t.Errorf("%s: condition keys %+v", op.Name, n.Target.Keys)
			}
		}
		if diff := cmp.Diff(got, c.want); diff != "" {
			t.Errorf("%s: needs, got - want +:\n%s", op.Name, diff)
		}
	}
}

func inS3() *types.LayerVersionContentInput {
	return &types.LayerVersionContentInput{S3Bucket: aws.String("bucket"), S3Key: aws.String("a/k.zip")}
}

// objects is an S3 with an archive for each version of one object.
type objects map[string][]byte

func (o objects) Object(_ context.Context, _ *service.Call, bucket, key, version string) ([]byte, error) {
	zip, ok := o[bucket+"/"+key+"?"+version]
	if !ok {
		return nil, awserr.New("NoSuchKey", 404, "The specified key does not exist.")
	}
	return zip, nil
}

func TestPublishFromS3(t *testing.T) {
	h := newHarness(t)
	zip := zipOf(t, map[string]string{"a": "from S3"})
	h.s.Objects = objects{"bucket/a/k.zip?": zip, "bucket/a/k.zip?bad": []byte("no zip")}
	in := h.newLayer("l")
	in.Content = inS3()
	out := must[sdk.PublishLayerVersionOutput](h, in)
	if *out.Content.CodeSha256 != bundle.SHA256(bundle.Name(zip)) || out.Content.CodeSize != int64(len(zip)) {
		t.Errorf("got %+v", out.Content)
	}
	in.Content.S3ObjectVersion = aws.String("bad")
	refuse[sdk.PublishLayerVersionOutput](h, in, badParameter, 400,
		"Could not unzip uploaded file. Please check your file, then try to upload again.")
	in.Content.S3ObjectVersion = aws.String("none")
	refuse[sdk.PublishLayerVersionOutput](h, in, badParameter, 400,
		"Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")
}

// The newest version that matches, layers by name, pages.
func TestLists(t *testing.T) {
	h := newHarness(t)
	publish := func(name string, runtime types.Runtime, architecture types.Architecture) {
		in := h.newLayer(name)
		if runtime != "" {
			in.CompatibleRuntimes = []types.Runtime{runtime, types.RuntimeJava21}
		}
		if architecture != "" {
			in.CompatibleArchitectures = []types.Architecture{architecture}
		}
		must[sdk.PublishLayerVersionOutput](h, in)
	}
	const python, node, arm, intel = types.RuntimePython312, types.RuntimeNodejs22x, types.ArchitectureArm64, types.ArchitectureX8664
	publish("b", python, arm)
	publish("b", python, intel)
	publish("b", node, arm)
	publish("b", "", "")
	publish("a", node, "")
	publish("c", "", "")
	publish("ab", python, arm)
	h.account = stranger
	publish("mine", python, arm)
	h.account = account
	layers := func(in *sdk.ListLayersInput) string {
		t.Helper()
		var all []string
		for {
			out := must[sdk.ListLayersOutput](h, in)
			for _, l := range out.Layers {
				if *l.LayerArn+":"+fmt.Sprint(l.LatestMatchingVersion.Version) != *l.LatestMatchingVersion.LayerVersionArn {
					t.Errorf("%s with %s", *l.LayerArn, *l.LatestMatchingVersion.LayerVersionArn)
				}
				all = append(all, fmt.Sprintf("%s:%d", *l.LayerName, l.LatestMatchingVersion.Version))
			}
			if in.Marker = out.NextMarker; in.Marker == nil {
				return strings.Join(all, " ")
			}
			all = append(all, "|")
		}
	}
	for _, c := range []struct {
		in   sdk.ListLayersInput
		want string
	}{
		{sdk.ListLayersInput{}, "a:1 ab:1 b:4 c:1"},
		{sdk.ListLayersInput{CompatibleRuntime: python}, "ab:1 b:2"},
		{sdk.ListLayersInput{CompatibleRuntime: types.RuntimeJava21}, "a:1 ab:1 b:3"},
		{sdk.ListLayersInput{CompatibleArchitecture: arm}, "ab:1 b:3"},
		{sdk.ListLayersInput{CompatibleArchitecture: arm, CompatibleRuntime: python}, "ab:1 b:1"},
		{sdk.ListLayersInput{CompatibleRuntime: types.RuntimeRuby34}, ""},
		{sdk.ListLayersInput{MaxItems: aws.Int32(1)}, "a:1 | ab:1 | b:4 | c:1"},
		{sdk.ListLayersInput{MaxItems: aws.Int32(2)}, "a:1 ab:1 | b:4 c:1"},
		{sdk.ListLayersInput{MaxItems: aws.Int32(1), CompatibleRuntime: python}, "ab:1 | b:2"},
	} {
		if got := layers(&c.in); got != c.want {
			t.Errorf("ListLayers %+v: got %q, want %q", c.in, got, c.want)
		}
	}
	for range 120 {
		publish("b", python, "")
	}
	publish("b", node, "")
	if got := layers(&sdk.ListLayersInput{CompatibleArchitecture: intel}); got != "b:2" {
		t.Errorf("a match far below the newest version: got %q", got)
	}
	in := &sdk.ListLayerVersionsInput{LayerName: aws.String("b")}
	var sizes []int
	var got []string
	for {
		out := must[sdk.ListLayerVersionsOutput](h, in)
		sizes, got = append(sizes, len(out.LayerVersions)), append(got, strings.Fields(numbers(out))...)
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	var want []string
	for n := 125; n > 0; n-- {
		want = append(want, fmt.Sprint(n))
	}
	if !slices.Equal(sizes, []int{50, 50, 25}) || !slices.Equal(got, want) {
		t.Errorf("ListLayerVersions: got pages of %v: %v", sizes, got)
	}
	out := must[sdk.ListLayerVersionsOutput](h, &sdk.ListLayerVersionsInput{
		LayerName: aws.String("b"), CompatibleRuntime: node, MaxItems: aws.Int32(2),
	})
	if got := numbers(out); got != "125 3" || out.NextMarker != nil {
		t.Errorf("those for Node: got %s, marker %v", got, out.NextMarker)
	}
	if out := must[sdk.ListLayerVersionsOutput](h, &sdk.ListLayerVersionsInput{LayerName: aws.String("none")}); out.LayerVersions == nil {
		t.Error("versions of no layer: no list")
	}
}

func TestCodeSize(t *testing.T) {
	h := newHarness(t)
	size := h.publish("a").Content.CodeSize + h.publish("a").Content.CodeSize + h.publish("b").Content.CodeSize
	h.account = stranger
	h.publish("a")
	err := h.s.DB.View(t.Context(), func(r store.Reader) error {
		got, err := CodeSize(r, account, region)
		if got != size {
			t.Errorf("got %d, want %d", got, size)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
