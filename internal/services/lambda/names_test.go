package lambda

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
)

func TestFunctionName(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	const created = `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?` +
		`([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`
	const read = `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?` +
		`([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`
	long := strings.Repeat("x", 300)
	get := func(name, qualifier string) *sdk.GetFunctionConfigurationInput {
		in := &sdk.GetFunctionConfigurationInput{FunctionName: aws.String(name)}
		if qualifier != "" {
			in.Qualifier = aws.String(qualifier)
		}
		return in
	}
	for _, c := range []struct {
		name, qualifier string
		code            string
		status          int
		message         string
	}{
		{"a b", "", "ValidationException", 400,
			"1 validation error detected: Value 'a b' at 'functionName' failed to satisfy constraint: " +
				"Member must satisfy regular expression pattern: " + read},
		{"a b", "c d", "ValidationException", 400,
			"2 validation errors detected: Value 'a b' at 'functionName' failed to satisfy constraint: " +
				"Member must satisfy regular expression pattern: " + read + "; Value 'c d' at 'qualifier' failed to satisfy constraint: " +
				`Member must satisfy regular expression pattern: \$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`},
		{long, "", "ValidationException", 400,
			"1 validation error detected: Value '" + long + "' at 'functionName' failed to satisfy constraint: " +
				"Member must have length less than or equal to 256"},
		{"f:1", "2", "InvalidParameterValueException", 400,
			"The derived qualifier from the function name does not match the specified qualifier."},
		{"missing", "", "ResourceNotFoundException", 404, "Function not found: " +
			"arn:aws:lambda:eu-central-1:111122223333:function:missing"},
		{"f", "42", "ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":42"},
		{"f", "live", "ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":live"},
		{"missing", "$LATEST", "ResourceNotFoundException", 404,
			"Function not found: arn:aws:lambda:eu-central-1:111122223333:function:missing:$LATEST"},
		{"arn:aws:lambda:us-east-1:111122223333:function:f", "", "ResourceNotFoundException", 404,
			"Functions from 'us-east-1' are not reachable in this region ('eu-central-1')"},
		{"444455556666:function:f", "", "ResourceNotFoundException", 404,
			"Function not found: arn:aws:lambda:eu-central-1:444455556666:function:f"},
	} {
		refuse[sdk.GetFunctionConfigurationOutput](h, get(c.name, c.qualifier), c.code, c.status, c.message)
	}
	_, err := h.needs("GetFunctionConfiguration", &sdk.GetFunctionConfigurationInput{})
	wantError(t, err, "ValidationException", 400,
		"1 validation error detected: Value null at 'functionName' failed to satisfy constraint: "+
			"Member must not be null")
	_, err = h.needs("UpdateFunctionCode", &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("a.b")})
	wantError(t, err, "ValidationException", 400,
		"1 validation error detected: Value 'a.b' at 'functionName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: "+created)

	for name, wantARN := range map[string]string{
		"f": arnOfF, arnOfF: arnOfF, "f:$LATEST": arnOfF + ":$LATEST", "111122223333:function:f": arnOfF,
	} {
		out := must[sdk.GetFunctionConfigurationOutput](h, get(name, ""))
		if *out.FunctionArn != wantARN || *out.Version != "$LATEST" {
			t.Errorf("%s: got %s version %s, want %s", name, *out.FunctionArn, *out.Version, wantARN)
		}
		if got := h.lastNeeds[0].Target; got.ARN != wantARN || got.Account != account {
			t.Errorf("%s: judged on %s of %s, want %s", name, got.ARN, got.Account, wantARN)
		}
	}
	out := must[sdk.GetFunctionConfigurationOutput](h, get("f:$LATEST", "$LATEST"))
	if *out.FunctionArn != arnOfF+":$LATEST" {
		t.Errorf("got %s", *out.FunctionArn)
	}
}
