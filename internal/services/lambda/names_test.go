package lambda

import (
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
)

var testCall = &service.Call{Account: account, Region: region, Partition: "aws"}

func TestParseName(t *testing.T) {
	mine := reference{partition: "aws", region: region, account: account, name: "f"}
	with := func(change func(*reference)) *reference {
		r := mine
		change(&r)
		return &r
	}
	for name, want := range map[string]*reference{
		"f":                         &mine,
		"f:live":                    with(func(r *reference) { r.qualifier = "live" }),
		"f:$LATEST":                 with(func(r *reference) { r.qualifier = "$LATEST" }),
		"f:7":                       with(func(r *reference) { r.qualifier = "7" }),
		"function:f":                &mine,
		"111122223333:function:f":   &mine,
		"444455556666:function:f:7": with(func(r *reference) { r.account, r.qualifier = stranger, "7" }),
		"us-east-1:444455556666:function:f": with(func(r *reference) {
			r.region, r.account = "us-east-1", stranger
		}),
		arnOfF:           &mine,
		arnOfF + ":live": with(func(r *reference) { r.qualifier = "live" }),
		"arn:aws-us-gov:lambda:us-gov-west-1:444455556666:function:f": with(func(r *reference) {
			r.partition, r.region, r.account = "aws-us-gov", "us-gov-west-1", stranger
		}),
		// A name that looks like a region.
		"my-func-1:live": with(func(r *reference) { r.name, r.qualifier = "my-func-1", "live" }),
		"my:function":    with(func(r *reference) { r.name, r.qualifier = "my", "function" }),
		"111122223333:f": with(func(r *reference) { r.name, r.qualifier = account, "f" }),
		"function":       with(func(r *reference) { r.name = "function" }),

		"":                                     nil,
		"f:":                                   nil,
		":f":                                   nil,
		"f g":                                  nil,
		"f\n":                                  nil,
		"f*":                                   nil,
		"f:$OTHER":                             nil,
		"f:1:2":                                nil,
		"1111:function:f":                      nil,
		"us-east-1:function:f":                 nil,
		"arn:aws:lambda:f":                     nil,
		"arn:aws:lambda:us-east-1:f":           nil,
		"arn:aws:s3:us-east-1:111122223333:f":  nil,
		"arn:aws:lambda:us-east-1::function:f": nil,
		"arn::lambda:us-east-1:111122223333:function:f": nil,
		strings.Replace(arnOfF, "function", "layer", 1): nil,
	} {
		got, ok := parseName(testCall, name, functionNamePattern)
		if ok != (want != nil) {
			t.Errorf("%q: got %+v, %v", name, got, ok)
		} else if ok && got != *want {
			t.Errorf("%q: got %+v, want %+v", name, got, *want)
		}
	}
}

// FuzzParseName: a name that is taken satisfies the model's pattern, has no separator in its parts, and its ARN reads back.
func FuzzParseName(f *testing.F) {
	for _, s := range []string{"f", "f:1", arnOfF + ":live", "111122223333:function:f",
		"us-east-1:111122223333:function:f:$LATEST", "a.b"} {
		f.Add(s)
	}
	part := regexp.MustCompile(`\A[a-zA-Z0-9-_.]+\z`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range []*pattern{functionNamePattern, namespacedNamePattern} {
			r, ok := parseName(testCall, s, p)
			if !ok {
				continue
			}
			if !p.compiled.MatchString(s) {
				t.Fatalf("%q taken against the pattern", s)
			}
			if !part.MatchString(r.name) || !isAccount(r.account) || !part.MatchString(r.region) {
				t.Fatalf("%q: got %+v", s, r)
			}
			if back, ok := parseName(testCall, r.arn(), p); !ok || back != r {
				t.Fatalf("%q: ARN %s reads as %+v, want %+v", s, r.arn(), back, r)
			}
		}
	})
}

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
