package lambda

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// sameOutput compares outputs, and shows the difference between their texts.
func sameOutput(t *testing.T, name string, got, want any) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	var texts [2]string
	for i, v := range []any{got, want} {
		text, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	t.Errorf("%s: -got +want:\n%s", name, cmp.Diff(texts[0], texts[1]))
}

func TestFunctionURLLifeCycle(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.qualified("f")
	get := func(qualifier *string) *sdk.GetFunctionUrlConfigOutput {
		t.Helper()
		return must[sdk.GetFunctionUrlConfigOutput](h, &sdk.GetFunctionUrlConfigInput{FunctionName: aws.String("f"), Qualifier: qualifier})
	}
	created := must[sdk.CreateFunctionUrlConfigOutput](h, &sdk.CreateFunctionUrlConfigInput{
		FunctionName: aws.String("f"), AuthType: types.FunctionUrlAuthTypeNone, Cors: &types.Cors{},
	})
	if !regexp.MustCompile(`^http://[a-z0-9]{32}\.eu-central-1\.test/$`).MatchString(*created.FunctionUrl) {
		t.Errorf("got URL %s", *created.FunctionUrl)
	}
	const first = "2026-11-23T12:00:00.007000Z"
	sameOutput(t, "created", created, &sdk.CreateFunctionUrlConfigOutput{
		AuthType: types.FunctionUrlAuthTypeNone, CreationTime: aws.String(first), FunctionArn: aws.String(arnOfF), FunctionUrl: created.FunctionUrl,
	})
	sameOutput(t, "read", get(nil), &sdk.GetFunctionUrlConfigOutput{
		AuthType: types.FunctionUrlAuthTypeNone, CreationTime: aws.String(first), LastModifiedTime: aws.String(first),
		FunctionArn: aws.String(arnOfF), FunctionUrl: created.FunctionUrl, InvokeMode: types.InvokeModeBuffered,
	})

	h.now = h.now.Add(90 * time.Minute)
	const second = "2026-11-23T13:30:00.007000Z"
	cors := &types.Cors{
		AllowCredentials: aws.Bool(false), AllowHeaders: []string{"Date"}, AllowMethods: []string{"*"}, AllowOrigins: []string{"https://a.example"},
		ExposeHeaders: []string{"Date", "x"}, MaxAge: aws.Int32(86400),
	}
	alias := must[sdk.CreateFunctionUrlConfigOutput](h, &sdk.CreateFunctionUrlConfigInput{
		FunctionName: aws.String(arnOfF), Qualifier: aws.String("live"), AuthType: types.FunctionUrlAuthTypeAwsIam, Cors: cors,
		InvokeMode: types.InvokeModeResponseStream,
	})
	if *alias.FunctionUrl == *created.FunctionUrl {
		t.Error("two URLs are one")
	}
	sameOutput(t, "created for an alias", alias, &sdk.CreateFunctionUrlConfigOutput{
		AuthType: types.FunctionUrlAuthTypeAwsIam, CreationTime: aws.String(second), FunctionArn: aws.String(arnOfF + ":live"),
		FunctionUrl: alias.FunctionUrl, Cors: cors, InvokeMode: types.InvokeModeResponseStream,
	})
	updated := must[sdk.UpdateFunctionUrlConfigOutput](h, &sdk.UpdateFunctionUrlConfigInput{
		FunctionName: aws.String("f"), AuthType: types.FunctionUrlAuthTypeAwsIam,
	})
	sameOutput(t, "updated", updated, &sdk.UpdateFunctionUrlConfigOutput{
		AuthType: types.FunctionUrlAuthTypeAwsIam, CreationTime: aws.String(first), LastModifiedTime: aws.String(second),
		FunctionArn: aws.String(arnOfF), FunctionUrl: created.FunctionUrl,
	})
	// Members that are not there stay; Cors is replaced as a whole, and taken away by an empty one.
	name := aws.String("f:live")
	must[sdk.UpdateFunctionUrlConfigOutput](h, &sdk.UpdateFunctionUrlConfigInput{FunctionName: name, AuthType: types.FunctionUrlAuthTypeNone})
	sameOutput(t, "Cors that stays", get(aws.String("live")).Cors, cors)
	other := &types.Cors{MaxAge: aws.Int32(0)}
	must[sdk.UpdateFunctionUrlConfigOutput](h, &sdk.UpdateFunctionUrlConfigInput{FunctionName: name, Cors: other, InvokeMode: types.InvokeModeBuffered})
	sameOutput(t, "changed Cors", get(aws.String("live")), &sdk.GetFunctionUrlConfigOutput{
		AuthType: types.FunctionUrlAuthTypeNone, CreationTime: aws.String(second), LastModifiedTime: aws.String(second), Cors: other,
		FunctionArn: aws.String(arnOfF + ":live"), FunctionUrl: alias.FunctionUrl, InvokeMode: types.InvokeModeBuffered,
	})
	must[sdk.UpdateFunctionUrlConfigOutput](h, &sdk.UpdateFunctionUrlConfigInput{FunctionName: name, Cors: &types.Cors{}})
	if got := get(aws.String("live")).Cors; got != nil {
		t.Errorf("got %+v after it was taken away", got)
	}

	var listed []string
	for marker := (*string)(nil); ; {
		page := must[sdk.ListFunctionUrlConfigsOutput](h, &sdk.ListFunctionUrlConfigsInput{
			FunctionName: aws.String("f"), MaxItems: aws.Int32(1), Marker: marker,
		})
		for _, u := range page.FunctionUrlConfigs {
			listed = append(listed, *u.FunctionArn+" "+*u.FunctionUrl)
		}
		if marker = page.NextMarker; marker == nil {
			break
		}
	}
	if want := []string{arnOfF + " " + *created.FunctionUrl, arnOfF + ":live " + *alias.FunctionUrl}; !slices.Equal(listed, want) {
		t.Errorf("listed %q, want %q", listed, want)
	}

	// No policy was made for any of this.
	refuse[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f")}, "ResourceNotFoundException", 404,
		"The resource you requested does not exist.")
	must[sdk.DeleteFunctionUrlConfigOutput](h, &sdk.DeleteFunctionUrlConfigInput{FunctionName: aws.String("f")})
	refuse[sdk.GetFunctionUrlConfigOutput](h, &sdk.GetFunctionUrlConfigInput{FunctionName: aws.String("f")}, "ResourceNotFoundException", 404,
		"The resource you requested does not exist.")
	get(aws.String("live"))
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
	h.create("f")
	h.qualified("f")
	empty := must[sdk.ListFunctionUrlConfigsOutput](h, &sdk.ListFunctionUrlConfigsInput{FunctionName: aws.String("f")})
	sameOutput(t, "URLs of a function that was made again", empty, &sdk.ListFunctionUrlConfigsOutput{FunctionUrlConfigs: []types.FunctionUrlConfig{}})
}

func TestFunctionURLRefused(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.qualified("f")
	must[sdk.CreateFunctionUrlConfigOutput](h, &sdk.CreateFunctionUrlConfigInput{FunctionName: aws.String("f:live"), AuthType: "NONE"})
	const (
		qualifier = `failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)`
		one       = "1 validation error detected: "
		notFound  = "ResourceNotFoundException"
		gone      = "The resource you requested does not exist."
		function  = "Function does not exist"
		items     = ", Member must satisfy regular expression pattern: .*, Member must not be null]"
	)
	for _, c := range []struct {
		name, qualifier           string
		status                    int
		code                      string
		create, read, update, del string
	}{
		{"f", "", 404, notFound, "", gone, gone, gone},
		{"f:live", "", 409, notFound, "Failed to create function url config for [functionArn = " + arnOfF +
			":live]. Error message:  FunctionUrlConfig exists for this Lambda function", "", "", ""},
		{"g", "", 404, notFound, function, gone, function, gone},
		{"f", "none", 404, notFound, function, gone, function, gone},
		{"f", "1", 400, "ValidationException", one + "Value '1' at 'qualifier' " + qualifier, "=", "=", "="},
		{"f:1", "", 400, "ValidationException", one + "Value '1' at 'qualifier' " + qualifier, "=", "=", "="},
		{"f", "$LATEST", 400, "ValidationException", one + "Value '$LATEST' at 'qualifier' " + qualifier, "=", "=", "="},
		{"f:live", "other", 400, "InvalidParameterValueException",
			"The derived qualifier from the function name does not match the specified qualifier.", "=", "=", "="},
		{strings.Replace(arnOfF, region, "us-east-1", 1), "", 404, notFound,
			"Functions from 'us-east-1' are not reachable in this region ('eu-central-1')", "=", "=", "="},
	} {
		q := aws.String(c.qualifier)
		if c.qualifier == "" {
			q = nil
		}
		check := func(err error, message string) {
			t.Helper()
			if message == "=" {
				message = c.create
			}
			switch {
			case message == "" && err != nil:
				t.Errorf("%s %s: %v", c.name, c.qualifier, err)
			case message != "" && strings.HasPrefix(message, "Failed"):
				wantError(t, err, "ResourceConflictException", 409, message)
			case message != "":
				wantError(t, err, c.code, c.status, message)
			}
		}
		_, err := do[sdk.GetFunctionUrlConfigOutput](h, &sdk.GetFunctionUrlConfigInput{FunctionName: &c.name, Qualifier: q})
		check(err, c.read)
		_, err = do[sdk.UpdateFunctionUrlConfigOutput](h, &sdk.UpdateFunctionUrlConfigInput{FunctionName: &c.name, Qualifier: q})
		check(err, c.update)
		if c.del != "" {
			_, err = do[sdk.DeleteFunctionUrlConfigOutput](h, &sdk.DeleteFunctionUrlConfigInput{FunctionName: &c.name, Qualifier: q})
			check(err, c.del)
		}
		_, err = do[sdk.CreateFunctionUrlConfigOutput](h, &sdk.CreateFunctionUrlConfigInput{FunctionName: &c.name, Qualifier: q, AuthType: "NONE"})
		check(err, c.create)
	}
	create := func(message string, change func(*sdk.CreateFunctionUrlConfigInput)) {
		t.Helper()
		in := &sdk.CreateFunctionUrlConfigInput{FunctionName: aws.String("f"), AuthType: "NONE", Cors: &types.Cors{}}
		change(in)
		refuse[sdk.CreateFunctionUrlConfigOutput](h, in, "ValidationException", 400, message)
	}
	create(one+"Value null at 'authType' failed to satisfy constraint: Member must not be null", func(in *sdk.CreateFunctionUrlConfigInput) {
		in.AuthType = ""
	})
	create("2 validation errors detected: Value 'X' at 'authType' failed to satisfy constraint: Member must satisfy enum value set: [NONE, AWS_IAM]; "+
		"Value 'Y' at 'invokeMode' failed to satisfy constraint: Member must satisfy enum value set: [BUFFERED, RESPONSE_STREAM]",
		func(in *sdk.CreateFunctionUrlConfigInput) { in.AuthType, in.InvokeMode = "X", "Y" })
	create(one+"Value '[GET, OPTIONS]' at 'cors.allowMethods' failed to satisfy constraint: Member must satisfy constraint: [Member must have length "+
		"less than or equal to 6, Member must have length greater than or equal to 0"+items,
		func(in *sdk.CreateFunctionUrlConfigInput) { in.Cors.AllowMethods = []string{"GET", "OPTIONS"} })
	create(one+"Value '[1, 2, 3, 4, 5, 6, 7]' at 'cors.allowMethods' failed to satisfy constraint: Member must have length less than or equal to 6",
		func(in *sdk.CreateFunctionUrlConfigInput) { in.Cors.AllowMethods = strings.Split("1234567", "") })
	long := strings.Repeat("x", 254)
	create("2 validation errors detected: Value '["+long+"]' at 'cors.allowOrigins' failed to satisfy constraint: Member must satisfy constraint: "+
		"[Member must have length less than or equal to 253, Member must have length greater than or equal to 1"+items+
		"; Value '86401' at 'cors.maxAge' failed to satisfy constraint: Member must have value less than or equal to 86400",
		func(in *sdk.CreateFunctionUrlConfigInput) {
			in.Cors.AllowOrigins, in.Cors.MaxAge = []string{long}, aws.Int32(86401)
		})
	header := " failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have " +
		"length greater than or equal to 0" + items
	create("2 validation errors detected: Value '[a\nb]' at 'cors.allowHeaders'"+header+"; Value '["+strings.Repeat("x", 1025)+"]' at 'cors.exposeHeaders'"+header,
		func(in *sdk.CreateFunctionUrlConfigInput) {
			in.Cors.AllowHeaders, in.Cors.ExposeHeaders = []string{"a\nb"}, []string{strings.Repeat("x", 1025)}
		})
	refuse[sdk.ListFunctionUrlConfigsOutput](h, &sdk.ListFunctionUrlConfigsInput{FunctionName: aws.String("g")}, notFound, 404, function)
	refuse[sdk.ListFunctionUrlConfigsOutput](h, &sdk.ListFunctionUrlConfigsInput{FunctionName: aws.String("f"), MaxItems: aws.Int32(51)},
		"ValidationException", 400, one+"Value '51' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 50")
	refuse[sdk.ListFunctionUrlConfigsOutput](h, &sdk.ListFunctionUrlConfigsInput{FunctionName: aws.String("f"), Marker: aws.String("x")},
		"InvalidParameterValueException", 400, "Invalid Marker: x")
}

func TestFunctionURLNeeds(t *testing.T) {
	h := newHarness(t)
	must[sdk.CreateFunctionOutput](h, h.fullSettings("f"))
	h.qualified("f")
	const tags = " aws:ResourceTag/team=a"
	check := func(operation string, in any, want ...string) {
		t.Helper()
		needs, err := h.needs(operation, in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range needs {
			if n.Action != "lambda:"+operation {
				t.Errorf("%s needs %s", operation, n.Action)
			}
			got = append(got, strings.TrimPrefix(n.Target.ARN, arnOfF)+" "+strings.ReplaceAll(keysOf(n.Target.Keys), "\n", " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", operation, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	name, alias := aws.String("f"), aws.String("live")
	const of, ofAlias = tags + " lambda:FunctionArn=" + arnOfF, ":live" + tags + " lambda:FunctionArn=" + arnOfF + ":live"
	const none, iam = " lambda:FunctionUrlAuthType=NONE", " lambda:FunctionUrlAuthType=AWS_IAM"
	create := &sdk.CreateFunctionUrlConfigInput{FunctionName: name, AuthType: "NONE"}
	check("CreateFunctionUrlConfig", create, of+none)
	check("GetFunctionUrlConfig", &sdk.GetFunctionUrlConfigInput{FunctionName: name}, of)
	check("ListFunctionUrlConfigs", &sdk.ListFunctionUrlConfigsInput{FunctionName: aws.String("f:live")}, tags)
	must[sdk.CreateFunctionUrlConfigOutput](h, create)
	check("GetFunctionUrlConfig", &sdk.GetFunctionUrlConfigInput{FunctionName: name}, of+none)
	check("GetFunctionUrlConfig", &sdk.GetFunctionUrlConfigInput{FunctionName: name, Qualifier: alias}, ofAlias)
	check("DeleteFunctionUrlConfig", &sdk.DeleteFunctionUrlConfigInput{FunctionName: name}, of+none)
	check("UpdateFunctionUrlConfig", &sdk.UpdateFunctionUrlConfigInput{FunctionName: name}, of+none)
	check("UpdateFunctionUrlConfig", &sdk.UpdateFunctionUrlConfigInput{FunctionName: name, AuthType: "NONE"}, of+none)
	check("UpdateFunctionUrlConfig", &sdk.UpdateFunctionUrlConfigInput{FunctionName: name, AuthType: "AWS_IAM"}, of+none, of+iam)
	check("ListFunctionUrlConfigs", &sdk.ListFunctionUrlConfigsInput{FunctionName: name}, tags+none)
	must[sdk.CreateFunctionUrlConfigOutput](h, &sdk.CreateFunctionUrlConfigInput{FunctionName: name, Qualifier: alias, AuthType: "AWS_IAM"})
	check("ListFunctionUrlConfigs", &sdk.ListFunctionUrlConfigsInput{FunctionName: name}, tags+none, tags+iam)
	check("CreateFunctionUrlConfig", &sdk.CreateFunctionUrlConfigInput{FunctionName: aws.String("none"), AuthType: "AWS_IAM"},
		"arn:aws:lambda:eu-central-1:111122223333:function:none lambda:FunctionArn=arn:aws:lambda:eu-central-1:111122223333:function:none"+iam)
}
