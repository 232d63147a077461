package lambda

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/services/lambda/request"
)

func (h *harness) publish(name string) *sdk.PublishVersionOutput {
	h.t.Helper()
	return must[sdk.PublishVersionOutput](h, &sdk.PublishVersionInput{FunctionName: &name})
}

// setCode gives a function code that answers with text.
func (h *harness) setCode(name, text string) *sdk.UpdateFunctionCodeOutput {
	h.t.Helper()
	return must[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{
		FunctionName: &name, ZipFile: zipOf(h.t, map[string]string{"app.py": text}),
	})
}

func (h *harness) describe(name, description string) {
	h.t.Helper()
	must[sdk.UpdateFunctionConfigurationOutput](h, &sdk.UpdateFunctionConfigurationInput{
		FunctionName: &name, Description: &description,
	})
}

func (h *harness) configuration(name, qualifier string) *sdk.GetFunctionConfigurationOutput {
	h.t.Helper()
	return must[sdk.GetFunctionConfigurationOutput](h, &sdk.GetFunctionConfigurationInput{
		FunctionName: &name, Qualifier: &qualifier,
	})
}

// versions lists the ARNs of a function's versions by pages of n.
func (h *harness) versions(name string, n int32) []string {
	h.t.Helper()
	var all []string
	in := &sdk.ListVersionsByFunctionInput{FunctionName: &name, MaxItems: &n}
	for {
		out := must[sdk.ListVersionsByFunctionOutput](h, in)
		if len(out.Versions) > int(n) {
			h.t.Errorf("got a page of %d, want at most %d", len(out.Versions), n)
		}
		for _, v := range out.Versions {
			all = append(all, strings.TrimPrefix(*v.FunctionArn, arnOfF+":"))
			if v.State != "" || v.LastUpdateStatus != "" || !strings.HasSuffix(*v.FunctionArn, ":"+*v.Version) {
				h.t.Errorf("listed: %+v", v)
			}
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			return all
		}
	}
}

// The recorded life of versions: tests of LocalStack that were run against AWS, TestLambdaVersions::test_version_lifecycle.
func TestPublishVersion(t *testing.T) {
	h := newHarness(t)
	must[sdk.CreateFunctionOutput](h, h.fullSettings("f"))
	h.describe("f", "first")
	latest := h.configuration("f", "$LATEST")
	h.now = h.now.Add(time.Hour)
	first := must[sdk.PublishVersionOutput](h, &sdk.PublishVersionInput{
		FunctionName: aws.String("f"), Description: aws.String("own"), RevisionId: latest.RevisionId, CodeSha256: latest.CodeSha256,
	})
	if got := h.lastNeeds; len(got) != 1 || got[0].Action != "lambda:PublishVersion" || got[0].Target.ARN != arnOfF {
		t.Errorf("needs: got %+v", got)
	}
	if *first.FunctionArn != arnOfF+":1" || *first.Version != "1" || *first.Description != "own" || first.State != types.StateActive ||
		first.LastUpdateStatus != types.LastUpdateStatusSuccessful || *first.RevisionId == *latest.RevisionId {
		t.Errorf("published: %+v", first)
	}
	want := *latest
	want.FunctionArn, want.Version, want.Description, want.RevisionId = first.FunctionArn, first.Version, first.Description, first.RevisionId
	read := h.configuration("f", "1")
	if diff := cmp.Diff(read, &want, ignoreConfiguration); diff != "" {
		t.Errorf("version 1 against $LATEST, got - want +:\n%s", diff)
	}
	if got := h.configuration("f", "$LATEST"); *got.RevisionId != *latest.RevisionId || *got.Description != "first" {
		t.Errorf("$LATEST was changed: %+v", got)
	}
	// Nothing changed, whatever description is asked for.
	again := must[sdk.PublishVersionOutput](h, &sdk.PublishVersionInput{FunctionName: aws.String("f"), Description: aws.String("other")})
	if *again.Version != "1" || *again.RevisionId != *first.RevisionId || *again.Description != "own" {
		t.Errorf("published again: %+v", again)
	}
	h.describe("f", "first") // an update that changes nothing
	if got := h.publish("f"); *got.Version != "1" {
		t.Errorf("after an update without a change: version %s", *got.Version)
	}
	h.describe("f", "second")
	if got := h.publish("f"); *got.Version != "2" || *got.Description != "second" || *got.FunctionArn != arnOfF+":2" {
		t.Errorf("after a change of the description: %+v", got)
	}
	must[sdk.UpdateFunctionConfigurationOutput](h, &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"),
		Environment: &types.Environment{Variables: map[string]string{"STAGE": "prod"}}, Timeout: aws.Int32(5)})
	if got := h.publish("f"); *got.Version != "3" || got.Environment.Variables["STAGE"] != "prod" {
		t.Errorf("after a change of the environment: %+v", got)
	}
	h.setCode("f", "second")
	if got := h.publish("f"); *got.Version != "4" || *got.CodeSha256 == *first.CodeSha256 {
		t.Errorf("after a change of the code: %+v", got)
	}
	if diff := cmp.Diff(h.configuration("f", "1"), read, ignoreConfiguration); diff != "" {
		t.Errorf("version 1 changed, got - want +:\n%s", diff)
	}
	for _, n := range []int32{1, 2, 5, 50} {
		if diff := cmp.Diff(h.versions("f", n), []string{"$LATEST", "1", "2", "3", "4"}); diff != "" {
			t.Errorf("pages of %d, got - want +:\n%s", n, diff)
		}
	}
}

func TestPublishVersionRefused(t *testing.T) {
	h := newHarness(t)
	out := h.create("f")
	h.publish("f")
	must[sdk.CreateAliasOutput](h, newAlias("live", "1"))
	long := strings.Repeat("d", 257)
	for _, c := range []struct {
		in      sdk.PublishVersionInput
		code    string
		status  int
		message string
	}{
		{sdk.PublishVersionInput{RevisionId: aws.String("x")}, "PreconditionFailedException", 412, "The Revision Id provided does not match " +
			"the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"},
		{sdk.PublishVersionInput{CodeSha256: aws.String("x")}, "InvalidParameterValueException", 400, "CodeSHA256 (x) is different from " +
			"current CodeSHA256 in $LATEST (" + *out.CodeSha256 + "). Please try again with the CodeSHA256 in $LATEST."},
		{sdk.PublishVersionInput{FunctionName: aws.String("g")}, "ResourceNotFoundException", 404,
			"Function not found: arn:aws:lambda:eu-central-1:111122223333:function:g"},
		{sdk.PublishVersionInput{FunctionName: aws.String("f:1")}, "InvalidParameterValueException", 400,
			"Current operation does not support versions other than $LATEST"},
		{sdk.PublishVersionInput{FunctionName: aws.String("f:live")}, "InvalidParameterValueException", 400,
			"Current operation does not support versions other than $LATEST"},
		{sdk.PublishVersionInput{Description: &long}, "ValidationException", 400, "1 validation error detected: Value '" + long +
			"' at 'description' failed to satisfy constraint: Member must have length less than or equal to 256"},
		{sdk.PublishVersionInput{PublishTo: "X"}, "ValidationException", 400, "1 validation error detected: Value 'X' at 'publishTo' failed " +
			"to satisfy constraint: Member must satisfy enum value set: [LATEST_PUBLISHED]"},
		{sdk.PublishVersionInput{PublishTo: "LATEST_PUBLISHED"}, "NotImplemented", 501,
			"licet does not implement PublishTo of the operation PublishVersion of lambda."},
	} {
		if c.in.FunctionName == nil {
			c.in.FunctionName = aws.String("f")
		}
		refuse[sdk.PublishVersionOutput](h, &c.in, c.code, c.status, c.message)
	}
	// $LATEST is what is published.
	h.setCode("f", "second")
	if got := h.publish(arnOfF + ":$LATEST"); *got.FunctionArn != arnOfF+":2" {
		t.Errorf("got %s", *got.FunctionArn)
	}
	// Others that change $LATEST only.
	for _, qualifier := range []string{":1", ":live"} {
		refuse[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f" + qualifier), DryRun: true},
			"InvalidParameterValueException", 400, "Current operation does not support versions other than $LATEST")
		refuse[sdk.UpdateFunctionConfigurationOutput](h, &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("f" + qualifier)},
			"InvalidParameterValueException", 400, "Current operation does not support versions other than $LATEST")
	}
}

// Recorded: TestLambdaVersions::test_publish_version_on_create and ::test_publish_with_update.
func TestPublishWithFunction(t *testing.T) {
	h := newHarness(t)
	in := h.newFunction("f")
	in.Publish = true
	made := must[sdk.CreateFunctionOutput](h, in)
	if *made.FunctionArn != arnOfF || *made.Version != "1" || made.State != types.StatePending {
		t.Errorf("created: %+v", made)
	}
	if got := h.configuration("f", "1"); *got.RevisionId != *made.RevisionId || got.State != types.StateActive {
		t.Errorf("version 1: %+v", got)
	}
	update := &sdk.UpdateFunctionCodeInput{
		FunctionName: aws.String("f"), Publish: true, ZipFile: zipOf(t, map[string]string{"app.py": "second"}),
		RevisionId: h.configuration("f", "$LATEST").RevisionId,
	}
	out := must[sdk.UpdateFunctionCodeOutput](h, update)
	if *out.FunctionArn != arnOfF+":2" || *out.Version != "2" || out.State != types.StatePending ||
		*out.StateReason != "The function is being created." || out.StateReasonCode != types.StateReasonCodeCreating {
		t.Errorf("updated: %+v", out)
	}
	if got := h.configuration("f", "2"); *got.RevisionId != *out.RevisionId || got.State != types.StateActive ||
		got.LastUpdateStatus != types.LastUpdateStatusSuccessful {
		t.Errorf("version 2: %+v", got)
	}
	if got := h.configuration("f", "$LATEST"); *got.CodeSha256 != *out.CodeSha256 || *got.RevisionId == *out.RevisionId {
		t.Errorf("$LATEST: %+v", got)
	}
	refuse[sdk.UpdateFunctionCodeOutput](h, update, "PreconditionFailedException", 412, "The Revision Id provided does not match "+
		"the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	update.RevisionId = nil
	if got := must[sdk.UpdateFunctionCodeOutput](h, update); *got.Version != "2" || got.State != types.StateActive ||
		*got.RevisionId != *out.RevisionId {
		t.Errorf("the same code again: %+v", got)
	}
	if diff := cmp.Diff(h.versions("f", 50), []string{"$LATEST", "1", "2"}); diff != "" {
		t.Errorf("got - want +:\n%s", diff)
	}
	if diff := cmp.Diff(h.runner.retired, []string{arnOfF + " $LATEST", arnOfF + " $LATEST"}); diff != "" {
		t.Errorf("retired, got - want +:\n%s", diff)
	}
}

// "AWS Lambda assigns a monotonically increasing sequence number for versioning, even if the function was deleted and recreated":
// https://docs.aws.amazon.com/lambda/latest/dg/versioning-intro.html.
func TestVersionNumbersAreNotReused(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.publish("f")
	h.setCode("f", "second")
	h.publish("f")
	remove := func(name string) {
		t.Helper()
		must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: &name})
	}
	remove("f:2")
	if got := h.publish("f"); *got.Version != "3" {
		t.Errorf("after the deletion of the last version: %s, want 3", *got.Version)
	}
	remove("f")
	in := h.newFunction("f")
	in.Publish = true
	if got := must[sdk.CreateFunctionOutput](h, in); *got.Version != "4" {
		t.Errorf("made again: version %s, want 4", *got.Version)
	}
	remove("f")
	h.create("f")
	if diff := cmp.Diff(h.versions("f", 50), []string{"$LATEST"}); diff != "" {
		t.Errorf("versions of the old function, got - want +:\n%s", diff)
	}
	remove("f") // without a version
	h.create("f")
	if got := h.publish("f"); *got.Version != "5" {
		t.Errorf("made again without a version between: %s, want 5", *got.Version)
	}
	h.create("g")
	if got := h.publish("g"); *got.Version != "1" {
		t.Errorf("another function: version %s, want 1", *got.Version)
	}
}

func TestManyVersionsAreInOrder(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	want := []string{"$LATEST"}
	for i := range 12 {
		h.describe("f", fmt.Sprint(i))
		want = append(want, *h.publish("f").Version)
	}
	if diff := cmp.Diff(h.versions("f", 3), want); diff != "" || want[12] != "12" {
		t.Errorf("got - want +:\n%s", diff)
	}
}

func TestVersionNames(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.publish("f")
	for _, missing := range []string{"01", "0", "2", "$LATEST.PUBLISHED", "latest"} {
		refuse[sdk.GetFunctionConfigurationOutput](h, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f"), Qualifier: &missing},
			"ResourceNotFoundException", 404, "Function not found: "+arnOfF+":"+missing)
	}
	for _, name := range []string{"f:1", arnOfF + ":1", "111122223333:function:f:1"} {
		out := must[sdk.GetFunctionOutput](h, &sdk.GetFunctionInput{FunctionName: &name})
		if *out.Configuration.FunctionArn != arnOfF+":1" || h.lastNeeds[0].Target.ARN != arnOfF+":1" {
			t.Errorf("%s: got %s, judged on %s", name, *out.Configuration.FunctionArn, h.lastNeeds[0].Target.ARN)
		}
	}
	for _, in := range []*sdk.ListVersionsByFunctionInput{
		{Marker: aws.String("%")}, {Marker: aws.String(request.Marker("live"))}, {Marker: aws.String(request.Marker("1:2"))},
	} {
		in.FunctionName = aws.String("f")
		refuse[sdk.ListVersionsByFunctionOutput](h, in, "InvalidParameterValueException", 400, "Invalid Marker: "+*in.Marker)
	}
	refuse[sdk.ListVersionsByFunctionOutput](h, &sdk.ListVersionsByFunctionInput{FunctionName: aws.String("f:1")},
		"InvalidParameterValueException", 400, "Current operation does not support versions other than $LATEST")
	refuse[sdk.ListVersionsByFunctionOutput](h, &sdk.ListVersionsByFunctionInput{FunctionName: aws.String("f"), MaxItems: aws.Int32(0)},
		"ValidationException", 400, "1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have "+
			"value greater than or equal to 1")
	refuse[sdk.ListVersionsByFunctionOutput](h, &sdk.ListVersionsByFunctionInput{FunctionName: aws.String("g")},
		"ResourceNotFoundException", 404, "Function not found: arn:aws:lambda:eu-central-1:111122223333:function:g")
}

// What belongs to a version goes with it, and an alias keeps it.
func TestDeleteVersion(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.publish("f")
	h.setCode("f", "second")
	h.publish("f")
	must[sdk.AddPermissionOutput](h, permissionInput("f:1", "s", "s3.amazonaws.com"))
	must[sdk.AddPermissionOutput](h, permissionInput("f:2", "s", "s3.amazonaws.com"))
	must[sdk.CreateAliasOutput](h, newAlias("main", "1"))
	in := newAlias("both", "2")
	in.RoutingConfig = weights("1", 0.1)
	must[sdk.CreateAliasOutput](h, in)
	remove := &sdk.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")}
	refuse[sdk.DeleteFunctionOutput](h, remove, "ResourceConflictException", 409,
		"Unable to delete version because the following aliases reference it: [both, main]")
	for _, number := range []string{"01", "0011", "001"} { // no other spelling, nor a part of a key, stands for it
		must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: &number})
	}
	if diff := cmp.Diff(h.versions("f", 50), []string{"$LATEST", "1", "2"}); diff != "" {
		t.Errorf("after versions that are not there were deleted, got - want +:\n%s", diff)
	}
	for _, name := range []string{"main", "both"} {
		must[sdk.DeleteAliasOutput](h, &sdk.DeleteAliasInput{FunctionName: aws.String("f"), Name: &name})
	}
	must[sdk.DeleteFunctionOutput](h, remove)
	if diff := cmp.Diff(h.versions("f", 50), []string{"$LATEST", "2"}); diff != "" {
		t.Errorf("got - want +:\n%s", diff)
	}
	refuse[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")},
		"ResourceNotFoundException", 404, "The resource you requested does not exist.")
	must[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f"), Qualifier: aws.String("2")})
	if got := h.runner.retired; got[len(got)-1] != arnOfF+" 1" {
		t.Errorf("retired %v", got)
	}
}

func TestListFunctionsAllVersions(t *testing.T) {
	h := newHarness(t)
	for _, name := range []string{"a", "f", "f-2"} {
		h.create(name)
	}
	h.publish("f")
	h.describe("f", "second")
	h.publish("f")
	h.publish("f-2")
	const prefix = "arn:aws:lambda:eu-central-1:111122223333:function:"
	want := []string{"a:$LATEST", "f:$LATEST", "f:1", "f:2", "f-2:$LATEST", "f-2:1"}
	if "f" > "f-2" {
		t.Fatal("order of names")
	}
	for n := int32(1); n <= 7; n++ {
		var got []string
		in := &sdk.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll, MaxItems: &n}
		for {
			out := must[sdk.ListFunctionsOutput](h, in)
			for _, f := range out.Functions {
				got = append(got, strings.TrimPrefix(*f.FunctionArn, prefix))
			}
			if in.Marker = out.NextMarker; in.Marker == nil {
				break
			}
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("pages of %d, got - want +:\n%s", n, diff)
		}
	}
	// The function where the last page ended is gone.
	out := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll, Marker: aws.String(request.Marker("b:1"))})
	if len(out.Functions) != 5 {
		t.Errorf("got %d, want those after b", len(out.Functions))
	}
	for _, in := range []*sdk.ListFunctionsInput{
		{FunctionVersion: types.FunctionVersionAll, Marker: aws.String(request.Marker("f"))}, {Marker: aws.String(request.Marker("f:1"))},
		{FunctionVersion: types.FunctionVersionAll, Marker: aws.String(request.Marker("f:x"))},
	} {
		refuse[sdk.ListFunctionsOutput](h, in, "InvalidParameterValueException", 400, "Invalid Marker: "+*in.Marker)
	}
	master := &sdk.ListFunctionsInput{MasterRegion: aws.String("us-east-1")}
	refuse[sdk.ListFunctionsOutput](h, master, "InvalidParameterValueException", 400,
		"FunctionVersion must be ALL if MasterRegion is specified.")
	master.FunctionVersion = types.FunctionVersionAll
	if got := must[sdk.ListFunctionsOutput](h, master); got.Functions == nil || len(got.Functions) != 0 {
		t.Errorf("functions of Lambda@Edge: %v", got.Functions)
	}
	master.MasterRegion = aws.String("ALL")
	refuse[sdk.ListFunctionsOutput](h, master, "NotImplemented", 501,
		"licet does not implement MasterRegion=ALL of the operation ListFunctions of lambda.")
	master.MasterRegion = aws.String("mars")
	refuse[sdk.ListFunctionsOutput](h, master, "ValidationException", 400, "1 validation error detected: Value 'mars' at 'masterRegion' "+
		`failed to satisfy constraint: Member must satisfy regular expression pattern: ALL|[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}`)
}

// The code of a version is in use for as long as the version is there.
func TestSweepKeepsVersions(t *testing.T) {
	h := newHarness(t)
	h.newVersions()
	for _, name := range []string{"f:1", "f:2", "f"} {
		must[sdk.InvokeOutput](h, invokeInput(name))
	}
	if got := h.sweep(); len(got) != 3 {
		t.Errorf("got %v, want the directories of two versions and of $LATEST", got)
	}
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f:1")})
	if got := h.sweep(); len(got) != 2 {
		t.Errorf("got %v after the deletion of a version, want two", got)
	}
}

func TestVersionKeysAreInOrder(t *testing.T) {
	r := request.Function{Partition: "aws", Account: account, Region: region, Name: "f"}
	numbers := []string{"1", "2", "9", "10", "11", "99", "100", "4294967296"}
	for i := range numbers[1:] {
		if a, b := versionKey(r, numbers[i]), versionKey(r, numbers[i+1]); a >= b {
			t.Errorf("%s is not before %s", a, b)
		}
	}
	if versionKey(r, "1") == versionKey(r, "01") || versionKey(r, "11") == versionKey(r, "1") {
		t.Error("two numbers have one key")
	}
}

// A version has one name. What is judged as function:f:0011 must not be version 1, whatever the keys of the store look like.
func TestDeleteVersionByItsNumberAlone(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	must[sdk.PublishVersionOutput](h, &sdk.PublishVersionInput{FunctionName: aws.String("f")})
	must[sdk.CreateAliasOutput](h, &sdk.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")})
	for _, number := range []string{"01", "001", "0011", "00011"} {
		must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String(number)})
		if _, err := do[sdk.GetFunctionConfigurationOutput](h, &sdk.GetFunctionConfigurationInput{
			FunctionName: aws.String("f"), Qualifier: aws.String("live"),
		}); err != nil {
			t.Fatalf("after the deletion of %s: %v", number, err)
		}
	}
}
