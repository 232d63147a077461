package lambda

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/layer"
	"github.com/licet/licet/internal/store"
)

// publishLayer makes a version with the files and gives its ARN.
func (h *harness) publishLayer(name string, files map[string]string) string {
	h.t.Helper()
	return *must[sdk.PublishLayerVersionOutput](h, &sdk.PublishLayerVersionInput{
		LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: zipOf(h.t, files)},
	}).LayerVersionArn
}

func updateLayers(name string, arns ...string) *sdk.UpdateFunctionConfigurationInput {
	return &sdk.UpdateFunctionConfigurationInput{FunctionName: &name, Layers: append([]string{}, arns...)}
}

// layersOf invokes a function and reads a file of its layers; "" if it has none.
func (h *harness) layersOf(name, file string) string {
	h.t.Helper()
	must[sdk.InvokeOutput](h, invokeInput(name))
	dir := h.runner.functions[len(h.runner.functions)-1].LayerDir
	if dir == "" {
		return ""
	}
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		h.t.Error(err)
	}
	return string(b)
}

func TestFunctionLayers(t *testing.T) {
	h := newHarness(t)
	one := h.publishLayer("one", map[string]string{"python/x.py": "one", "only": "1"})
	two := h.publishLayer("two", map[string]string{"python/x.py": "second"})
	in := h.newFunction("f")
	in.Layers = []string{one, two}
	made := must[sdk.CreateFunctionOutput](h, in)
	size := func(files map[string]string) int64 { return int64(len(zipOf(t, files))) }
	want := []types.Layer{
		{Arn: &one, CodeSize: size(map[string]string{"python/x.py": "one", "only": "1"})},
		{Arn: &two, CodeSize: size(map[string]string{"python/x.py": "second"})},
	}
	compare := func(what string, got []types.Layer) {
		t.Helper()
		if diff := cmp.Diff(got, want, cmpopts.IgnoreUnexported(types.Layer{})); diff != "" {
			t.Errorf("%s, got - want +:\n%s", what, diff)
		}
	}
	compare("created", made.Layers)
	if got := h.layersOf("f", "python/x.py") + h.layersOf("f", "only"); got != "second1" {
		t.Errorf("merged: got %s", got)
	}

	// A change that does not mention them changes nothing, also when the versions are gone (lambda.md 1.6).
	for _, name := range []string{"one", "two"} {
		must[sdk.DeleteLayerVersionOutput](h, &sdk.DeleteLayerVersionInput{LayerName: &name, VersionNumber: aws.Int64(1)})
	}
	compare("updated", must[sdk.UpdateFunctionConfigurationOutput](h, &sdk.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), Description: aws.String("changed"),
	}).Layers)
	compare("read", must[sdk.GetFunctionConfigurationOutput](h, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f")}).Layers)
	compare("listed", must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{}).Functions[0].Layers)
	if got := h.layersOf("f", "python/x.py"); got != "second" {
		t.Errorf("after the deletion of the versions: got %s", got)
	}
	refuse[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("f", one), "InvalidParameterValueException", 400, "Layer version "+one+" does not exist.")
	refuse[sdk.CreateFunctionOutput](h, func() any { in.FunctionName = aws.String("g"); return in }(), "InvalidParameterValueException", 400,
		"Layer version "+one+" does not exist.")

	// The order is that of the request; an empty list takes them away.
	again, other := h.publishLayer("one", map[string]string{"python/x.py": "again"}), h.publishLayer("other", map[string]string{"python/x.py": "other"})
	must[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("f", other, again))
	if got := h.layersOf("f", "python/x.py"); got != "again" {
		t.Errorf("other, again: got %s", got)
	}
	must[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("f", again, other))
	if got := h.layersOf("f", "python/x.py"); got != "other" {
		t.Errorf("again, other: got %s", got)
	}
	if got := must[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("f")); got.Layers != nil {
		t.Errorf("without layers: got %v", got.Layers)
	}
	if got := h.layersOf("f", "x"); got != "" {
		t.Errorf("without layers there is %s", got)
	}
}

// Texts recorded from AWS.
func TestFunctionLayerErrors(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	one := h.publishLayer("l", map[string]string{"a": ""})
	two := h.publishLayer("l", map[string]string{"a": ""})
	three := h.publishLayer("l", map[string]string{"a": ""})
	const arn = "arn:aws:lambda:eu-central-1:111122223333:layer:"
	twice := "Two different versions of the same layer are not allowed to be referenced in the same function. " +
		"%s and %s are versions of the same layer."
	var six []string
	for i := range 6 {
		six = append(six, h.publishLayer(fmt.Sprint("l", i), map[string]string{"a": ""}))
	}
	in := h.newFunction("many") // before anything is decided: each would be a decision
	in.Layers = six
	_, err := h.needs("CreateFunction", in)
	wantError(t, err, "InvalidParameterValueException", 400, "Cannot reference more than 5 layers.")
	for _, c := range []struct {
		arns []string
		want string
	}{
		{six, "Cannot reference more than 5 layers."},
		{[]string{one, two}, fmt.Sprintf(twice, one, two)},
		{[]string{one, two, three}, fmt.Sprintf(twice, one, two)},
		{[]string{one, one}, fmt.Sprintf(twice, one, one)},
		{[]string{six[0], arn + "none:1"}, "Layer version " + arn + "none:1 does not exist."},
		{[]string{arn + "l:9"}, "Layer version " + arn + "l:9 does not exist."},
		// What is judged, and what lambda:Layer holds, must be the version that is used.
		{[]string{arn + "l:01"}, "Layer version " + arn + "l:01 does not exist."},
		{[]string{arn + "l:0"}, "Layer version " + arn + "l:0 does not exist."},
		{[]string{"arn:aws-cn:lambda:eu-central-1:111122223333:layer:l:1"},
			"Layer version arn:aws-cn:lambda:eu-central-1:111122223333:layer:l:1 does not exist."},
		{[]string{"arn:aws:lambda:us-west-2:111122223333:layer:l:1"},
			"Layers are not in the same region as the function. Layers are expected to be in region eu-central-1."},
	} {
		in := h.newFunction("g")
		in.Layers = c.arns
		refuse[sdk.CreateFunctionOutput](h, in, "InvalidParameterValueException", 400, c.want)
		refuse[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("f", c.arns...), "InvalidParameterValueException", 400, c.want)
	}
	must[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("f", six[:5]...))
}

// makeLarge lets the record of a layer version say that it has so many bytes unpacked.
func (h *harness) makeLarge(key string, size int64) {
	h.t.Helper()
	err := h.db.Update(h.t.Context(), func(tx store.Tx) error {
		v, err := store.GetJSON[layer.Version](tx, key)
		if err != nil {
			return err
		}
		v.CodeUnpacked = size
		return store.PutJSON(tx, key, v)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// Code and layers count together, whichever of them comes last.
func TestLayerSize(t *testing.T) {
	h := newHarness(t)
	arn := h.publishLayer("l", map[string]string{"a": ""})
	const left = 100
	h.makeLarge("lambda/111122223333/eu-central-1/layer-version/l/0000000000000000001", bundle.MaxUnpacked-left)
	exactly, more := zipOf(t, map[string]string{"app.py": strings.Repeat("x", left)}), zipOf(t, map[string]string{"app.py": strings.Repeat("x", left+1)})
	const tooLarge = "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262144001 bytes."
	in := h.newFunction("f")
	in.Code.ZipFile, in.Layers = more, []string{arn}
	refuse[sdk.CreateFunctionOutput](h, in, "InvalidParameterValueException", 400, tooLarge)
	in.Code.ZipFile = exactly
	must[sdk.CreateFunctionOutput](h, in)
	for _, dry := range []bool{true, false} {
		refuse[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: more, DryRun: dry},
			"InvalidParameterValueException", 400, tooLarge)
	}
	must[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("f"))
	must[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: more})
	refuse[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("f", arn), "InvalidParameterValueException", 400, tooLarge)
}

// Each layer version is judged with its own policy.
func TestLayerNeeds(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.account = stranger
	theirs := h.publishLayer("theirs", map[string]string{"a": ""})
	must[sdk.AddLayerVersionPermissionOutput](h, &sdk.AddLayerVersionPermissionInput{
		LayerName: aws.String("theirs"), VersionNumber: aws.Int64(1), StatementId: aws.String("s"),
		Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String(account),
	})
	closed := h.publishLayer("closed", map[string]string{"a": ""})
	h.account = account
	in := h.newFunction("g")
	in.Layers = []string{theirs, closed}
	for _, in := range []any{in, updateLayers("f", theirs, closed)} {
		needs, err := h.needs(operationOf(in), in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range needs {
			if n.Action == "lambda:GetLayerVersion" {
				got = append(got, fmt.Sprint(n.Target.ARN, " ", n.Target.Account, " ", n.Target.Policy != nil))
			}
		}
		if want := []string{theirs + " " + stranger + " true", closed + " " + stranger + " false"}; !slices.Equal(got, want) {
			t.Errorf("%T: got %v, want %v", in, got, want)
		}
		if got := keysOf(needs[0].Target.Keys); !strings.Contains(got, "lambda:Layer="+closed+","+theirs) {
			t.Errorf("%T: keys %s", in, got)
		}
	}
}

// Sweep keeps what functions run from, and nothing else.
func TestSweepLayers(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.create("g")
	one, two := h.publishLayer("one", map[string]string{"x": "1"}), h.publishLayer("two", map[string]string{"x": "2"})
	must[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("f", one, two))
	must[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("g", one))
	h.layersOf("f", "x")
	h.layersOf("g", "x")
	used := h.runner.functions
	must[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("g", two, one))
	h.layersOf("g", "x")
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("g")})
	var got []string
	for _, name := range h.sweep() {
		got = append(got, filepath.Join(h.lambda.CodeDir, name))
	}
	want := []string{used[0].CodeDir, used[0].LayerDir}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("left: got %v, want %v", got, want)
	}
}

// A published version keeps the layers that it had.
func TestVersionLayers(t *testing.T) {
	h := newHarness(t)
	one, two := h.publishLayer("one", map[string]string{"x": "1"}), h.publishLayer("two", map[string]string{"x": "2"})
	in := h.newFunction("f")
	in.Layers = []string{one}
	must[sdk.CreateFunctionOutput](h, in)
	first := must[sdk.PublishVersionOutput](h, &sdk.PublishVersionInput{FunctionName: aws.String("f")})
	must[sdk.UpdateFunctionConfigurationOutput](h, updateLayers("f", two))
	// What differs in its layers is another version.
	if second := must[sdk.PublishVersionOutput](h, &sdk.PublishVersionInput{FunctionName: aws.String("f")}); *second.Version != "2" ||
		*second.Layers[0].Arn != two {
		t.Errorf("second: version %s with %+v", *second.Version, second.Layers)
	}
	if len(first.Layers) != 1 || *first.Layers[0].Arn != one {
		t.Errorf("first: got %+v", first.Layers)
	}
	for name, want := range map[string]string{"f:1": "1", "f:2": "2", "f": "2"} {
		if got := h.layersOf(name, "x"); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	must[sdk.DeleteLayerVersionOutput](h, &sdk.DeleteLayerVersionInput{LayerName: aws.String("one"), VersionNumber: aws.Int64(1)})
	before := h.runner.functions[0]
	if err := h.lambda.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := h.layersOf("f:1", "x"); got != "1" {
		t.Errorf("f:1 after a sweep: got %s, of %s", got, before.LayerDir)
	}
}
