package lambda

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// TestCodeShrinks: updates do not fill the disk, and what runs, or is about to, keeps its code.
func TestCodeShrinks(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	drop := func() {
		t.Helper()
		if err := h.lambda.dropCode(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const updates = 20
	for i := range updates {
		must[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{
			FunctionName: aws.String("f"), ZipFile: zipOf(t, map[string]string{"app.py": fmt.Sprint(i)}),
		})
		if out := must[sdk.InvokeOutput](h, invokeInput("f")); string(out.Payload) != fmt.Sprintf(`"%d"`, i) {
			t.Fatalf("update %d: got %s", i, out.Payload)
		}
		drop()
		if n := len(h.unpacked()); n > 3 {
			t.Fatalf("update %d: the code of %d versions is unpacked", i, n)
		}
	}
	first := h.lambdaCode("f")
	h.runner.directories = map[string]bool{filepath.Join(h.lambda.CodeDir, first): true}
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
	for range 3 {
		drop()
	}
	if left := h.unpacked(); len(left) != 1 || left[0] != first {
		t.Errorf("left while an environment uses it: %v", left)
	}
	h.runner.directories = nil
	drop()
	if left := h.unpacked(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	h.create("f")
	if out := must[sdk.InvokeOutput](h, invokeInput("f")); out.FunctionError != nil {
		t.Errorf("the same code again: got %+v", out)
	}
}

// TestExpect: the first call of a function that is new or has changed need not wait for its interpreter.
func TestExpect(t *testing.T) {
	h := newHarness(t)
	h.lambda.Runtimes = func(r types.Runtime) bool { return r != types.RuntimeJava21 }
	h.create("f")
	must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) {
		in.Runtime = types.RuntimeNodejs22x
	}))
	must[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{
		FunctionName: aws.String("f"), ZipFile: zipOf(t, map[string]string{"app.py": "new"}),
	})
	java := h.newFunction("java")
	java.Runtime = types.RuntimeJava21
	must[sdk.CreateFunctionOutput](h, java)
	if diff := cmp.Diff(h.runner.expected, []string{"python3.12", "nodejs22.x", "nodejs22.x"}); diff != "" {
		t.Errorf("expected (-got +want):\n%s", diff)
	}
}
