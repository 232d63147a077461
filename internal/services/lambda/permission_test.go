package lambda

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func permissionInput(name, sid, principal string) *sdk.AddPermissionInput {
	return &sdk.AddPermissionInput{
		FunctionName: aws.String(name), StatementId: aws.String(sid), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String(principal),
	}
}

func TestAddPermissionStatement(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.ids["arn:aws:iam::444455556666:role/caller"] = "AROACALLER"
	const head, tail = `{"Sid":"s","Effect":"Allow","Principal":`, `,"Action":"lambda:InvokeFunction","Resource":"` + arnOfF + `"`
	for want, change := range map[string]func(*sdk.AddPermissionInput){
		head + `{"Service":"s3.amazonaws.com"}` + tail + `}`: func(*sdk.AddPermissionInput) {},
		head + `"*"` + tail + `}`:                            func(in *sdk.AddPermissionInput) { in.Principal = aws.String("*") },
		head + `{"AWS":"arn:aws:iam::444455556666:root"}` + tail + `}`: func(in *sdk.AddPermissionInput) {
			in.Principal = aws.String(stranger)
		},
		head + `{"AWS":"arn:aws:iam::444455556666:role/caller"}` + tail + `}`: func(in *sdk.AddPermissionInput) {
			in.Principal = aws.String("arn:aws:iam::444455556666:role/caller")
		},
		head + `{"Service":"alexa-appkit.amazon.com"}` + tail + `,"Condition":{"StringEquals":{"lambda:EventSourceToken":"skill"}}}`: func(in *sdk.AddPermissionInput) {
			in.Principal, in.EventSourceToken = aws.String("alexa-appkit.amazon.com"), aws.String("skill")
		},
		head + `{"Service":"s3.amazonaws.com"}` + tail +
			`,"Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b<&>"}}}`: func(in *sdk.AddPermissionInput) {
			in.SourceArn, in.SourceAccount = aws.String("arn:aws:s3:::b<&>"), aws.String(account)
		},
		head + `"*"` + tail + `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1234567890"}}}`: func(in *sdk.AddPermissionInput) {
			in.Principal, in.PrincipalOrgID = aws.String("*"), aws.String("o-1234567890")
		},
		strings.Replace(head+`"*"`+tail, "Function", "FunctionUrl", 1) + `,"Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}`: func(in *sdk.AddPermissionInput) {
			in.Principal, in.FunctionUrlAuthType = aws.String("*"), types.FunctionUrlAuthTypeNone
			in.Action = aws.String("lambda:InvokeFunctionUrl")
		},
		head + `"*"` + tail + `,"Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`: func(in *sdk.AddPermissionInput) {
			in.Principal, in.InvokedViaFunctionUrl = aws.String("*"), aws.Bool(true)
		},
	} {
		in := permissionInput("f", "s", "s3.amazonaws.com")
		change(in)
		if got := *must[sdk.AddPermissionOutput](h, in).Statement; got != want {
			t.Errorf("statement\n got %s\nwant %s", got, want)
		}
		got := must[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f")})
		if want := `{"Version":"2012-10-17","Id":"default","Statement":[` + want + `]}`; *got.Policy != want {
			t.Errorf("policy\n got %s\nwant %s", *got.Policy, want)
		}
		must[sdk.RemovePermissionOutput](h, &sdk.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("s")})
	}
}

// A grant belongs to the user or role who had the ARN when it was made (iam.md P4).
func TestGrantFollowsUniqueID(t *testing.T) {
	const alice, eve = "arn:aws:iam::111122223333:user/alice", `arn:aws:iam::111122223333:user/"x"/eve`
	h := newHarness(t)
	h.create("f")
	h.ids[alice] = "AIDAALICE"
	// A Sid that looks like the id stays as it is.
	in := permissionInput("f", "AIDAALICE", alice)
	statement := func(principal string) string {
		return `{"Sid":"AIDAALICE","Effect":"Allow","Principal":{"AWS":` + principal + `},"Action":"lambda:InvokeFunction","Resource":"` + arnOfF + `"}`
	}
	if got, want := *must[sdk.AddPermissionOutput](h, in).Statement, statement(`"`+alice+`"`); got != want {
		t.Errorf("answer\n got %s\nwant %s", got, want)
	}
	check := func(when, want string) {
		t.Helper()
		got := *must[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f")}).Policy
		if want := `{"Version":"2012-10-17","Id":"default","Statement":[` + statement(want) + `]}`; got != want {
			t.Errorf("%s: shown\n got %s\nwant %s", when, got, want)
		}
		needs, err := h.needs("Invoke", &sdk.InvokeInput{FunctionName: aws.String("f")})
		if err != nil {
			t.Fatal(err)
		}
		judged := needs[0].Target.Policy.Document.Statements[0].Principal.Entries[0].Value.Value
		if judged != "AIDAALICE" {
			t.Errorf("%s: judged by %s", when, judged)
		}
	}
	check("at first", `"`+alice+`"`)
	h.ids = map[string]string{alice: "AIDAOTHER", eve: "AIDAALICE"}
	check("renamed, and another took the name", `"arn:aws:iam::111122223333:user/\"x\"/eve"`)
	h.ids = map[string]string{alice: "AIDAOTHER"}
	check("made again", `"AIDAALICE"`)
}

func TestAddPermissionRefused(t *testing.T) {
	h := newHarness(t)
	f := h.create("f")
	h.ids["arn:aws:iam::111122223333:user/alice"] = "AIDAALICE"
	must[sdk.AddPermissionOutput](h, permissionInput("f", "s3", "s3.amazonaws.com"))
	const stale = "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the " +
		"latest Revision Id"
	const principal = "The provided principal was invalid. Please check the principal and try again."
	long := strings.Repeat("x", 2000)
	for _, c := range []struct {
		change  func(*sdk.AddPermissionInput)
		code    string
		status  int
		message string
	}{
		{func(in *sdk.AddPermissionInput) { in.StatementId = aws.String("s3") }, "ResourceConflictException", 409,
			"The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement."},
		{func(in *sdk.AddPermissionInput) { in.StatementId = aws.String("example.com") }, "ValidationException", 400,
			"1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: " +
				"Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"},
		{func(in *sdk.AddPermissionInput) { in.StatementId, in.Action = nil, aws.String("s3:GetObject") }, "ValidationException", 400,
			"2 validation errors detected: Value null at 'statementId' failed to satisfy constraint: Member must not be null; " +
				"Value 's3:GetObject' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: " +
				"(lambda:[*]|lambda:[a-zA-Z]+|[*])"},
		{func(in *sdk.AddPermissionInput) { in.Qualifier = aws.String("$LATEST") }, "InvalidParameterValueException", 400,
			"We currently do not support adding policies for $LATEST."},
		{func(in *sdk.AddPermissionInput) { in.Qualifier = aws.String("live") }, "ResourceNotFoundException", 404,
			"Cannot find alias arn: " + arnOfF + ":live"},
		{func(in *sdk.AddPermissionInput) { in.Qualifier = aws.String("42") }, "ResourceNotFoundException", 404,
			"Function not found: " + arnOfF + ":42"},
		{func(in *sdk.AddPermissionInput) { in.Qualifier = aws.String("a$b") }, "ResourceNotFoundException", 404,
			"Function not found: " + arnOfF + ":a$b"},
		{func(in *sdk.AddPermissionInput) { in.FunctionName = aws.String("g") }, "ResourceNotFoundException", 404,
			"Function not found: arn:aws:lambda:eu-central-1:111122223333:function:g"},
		{func(in *sdk.AddPermissionInput) { in.RevisionId = f.RevisionId }, "PreconditionFailedException", 412, stale},
		{func(in *sdk.AddPermissionInput) { in.Principal = aws.String("someone") }, "InvalidParameterValueException", 400, principal},
		{func(in *sdk.AddPermissionInput) { in.Principal = aws.String("s3.amazonaws.com.example.org") },
			"InvalidParameterValueException", 400, principal},
		{func(in *sdk.AddPermissionInput) { in.Principal = aws.String("arn:aws:iam::444455556666:user/nobody") },
			"InvalidParameterValueException", 400, principal},
		{func(in *sdk.AddPermissionInput) { in.Principal = aws.String("arn:aws:iam::444455556666:role/*") },
			"InvalidParameterValueException", 400, principal},
		{func(in *sdk.AddPermissionInput) { in.Principal = aws.String("AIDAALICE") }, "InvalidParameterValueException", 400, principal},
		{func(in *sdk.AddPermissionInput) { in.FunctionUrlAuthType = types.FunctionUrlAuthTypeNone }, "InvalidParameterValueException", 400,
			"FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"},
		{func(in *sdk.AddPermissionInput) { in.SourceAccount = aws.String("1234") }, "ValidationException", 400,
			`1 validation error detected: Value '1234' at 'sourceAccount' failed to satisfy constraint: Member must satisfy ` +
				`regular expression pattern: \d{12}`},
	} {
		in := permissionInput("f", "new", "s3.amazonaws.com")
		c.change(in)
		refuse[sdk.AddPermissionOutput](h, in, c.code, c.status, c.message)
	}
	for i := range 20 {
		in := permissionInput("f", fmt.Sprint("long", i), "s3.amazonaws.com")
		in.SourceArn = aws.String("arn:aws:s3:::" + long)
		_, err := do[sdk.AddPermissionOutput](h, in)
		if err == nil {
			continue
		}
		got := must[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f")})
		size := len(*got.Policy) + 1 + len(`{"Sid":"long9","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",`+
			`"Resource":"`+arnOfF+`","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::`+long+`"}}}`)
		wantError(t, err, "PolicyLengthExceededException", 400,
			fmt.Sprintf("The final policy size (%d) is bigger than the limit (20480).", size))
		return
	}
	t.Error("a policy of 40 KB was taken")
}

func TestPolicyRevisions(t *testing.T) {
	h := newHarness(t)
	f := h.create("f")
	get := func() *sdk.GetPolicyOutput {
		t.Helper()
		return must[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f")})
	}
	remove := func(sid string) *sdk.RemovePermissionInput {
		return &sdk.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String(sid)}
	}
	gone := func(message string, in *sdk.RemovePermissionInput) {
		t.Helper()
		refuse[sdk.RemovePermissionOutput](h, in, "ResourceNotFoundException", 404, message)
	}
	gone("No policy is associated with the given resource.", remove("a"))
	in := permissionInput("f", "a", "*")
	in.RevisionId = aws.String("of-something-else")
	refuse[sdk.AddPermissionOutput](h, in, "PreconditionFailedException", 412,
		"The Revision Id provided does not match the latest Revision Id. "+
			"Call the GetPolicy API to retrieve the latest Revision Id")
	in.RevisionId = f.RevisionId // without a policy, the function's own is taken: lambda.md 1.3
	must[sdk.AddPermissionOutput](h, in)
	first := get()
	in = permissionInput("f", "b", "*")
	in.RevisionId = first.RevisionId
	must[sdk.AddPermissionOutput](h, in)
	second := get()
	if *first.RevisionId == *second.RevisionId || *first.RevisionId == *f.RevisionId {
		t.Errorf("revisions: function %s, policy %s, then %s", *f.RevisionId, *first.RevisionId, *second.RevisionId)
	}
	c := must[sdk.GetFunctionConfigurationOutput](h, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if *c.RevisionId != *f.RevisionId {
		t.Error("AddPermission changed the function's revision")
	}

	gone("Statement c is not found in resource policy.", remove("c"))
	stale := remove("a")
	stale.RevisionId = first.RevisionId
	refuse[sdk.RemovePermissionOutput](h, stale, "PreconditionFailedException", 412,
		"The Revision Id provided does not match the latest Revision Id. "+
			"Call the GetPolicy API to retrieve the latest Revision Id")
	stale.RevisionId = second.RevisionId
	must[sdk.RemovePermissionOutput](h, stale)
	if got := get(); strings.Contains(*got.Policy, `"Sid":"a"`) || !strings.Contains(*got.Policy,
		`"Sid":"b"`) || *got.RevisionId == *second.RevisionId {
		t.Errorf("after removal: got %s", *got.Policy)
	}
	must[sdk.RemovePermissionOutput](h, remove("b"))
	refuse[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f")}, "ResourceNotFoundException", 404,
		"The resource you requested does not exist.")
	missing := remove("b")
	missing.FunctionName = aws.String("g")
	gone("No policy found for: arn:aws:lambda:eu-central-1:111122223333:function:g", missing)
	refuse[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("g:1")}, "ResourceNotFoundException", 404,
		"Function not found: arn:aws:lambda:eu-central-1:111122223333:function:g")
	refuse[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f:1")}, "ResourceNotFoundException", 404,
		"The resource you requested does not exist.")
	missing.FunctionName = aws.String("f:live")
	gone("Cannot find alias arn: "+arnOfF+":live", missing)
	missing.FunctionName = aws.String("f:1")
	gone("No policy found for: "+arnOfF+":1", missing)
}

func TestTargetPolicy(t *testing.T) {
	h := newHarness(t)
	must[sdk.CreateFunctionOutput](h, h.fullSettings("f"))
	in := permissionInput("f", "url", "*")
	in.FunctionUrlAuthType, in.Action = types.FunctionUrlAuthTypeNone, aws.String("lambda:InvokeFunctionUrl")
	must[sdk.AddPermissionOutput](h, in)
	if got, want := keysOf(h.lastNeeds[0].Target.Keys), "aws:ResourceTag/team=a\nlambda:FunctionUrlAuthType=NONE\n"+
		"lambda:Principal=*"; got != want {
		t.Errorf("keys of AddPermission: got\n%s\nwant\n%s", got, want)
	}
	target := func(operation string, in any) *policyTarget {
		t.Helper()
		needs, err := h.needs(operation, in)
		if err != nil {
			t.Fatal(err)
		}
		return &policyTarget{needs[0].Target.ARN, needs[0].Target.Account, needs[0].Target.Policy != nil, keysOf(needs[0].Target.Keys)}
	}
	invoke := func(name string) *sdk.InvokeInput { return &sdk.InvokeInput{FunctionName: aws.String(name)} }
	tags := "aws:ResourceTag/team=a"
	for _, c := range []struct {
		caller    string
		operation string
		in        any
		want      policyTarget
	}{
		{account, "Invoke", invoke("f"), policyTarget{arnOfF, account, true, tags}},
		{account, "Invoke", invoke("f:$LATEST"), policyTarget{arnOfF + ":$LATEST", account, false, tags}},
		{account, "Invoke", invoke("f:live"), policyTarget{arnOfF + ":live", account, false, tags}},
		{account, "Invoke", invoke("g"), policyTarget{"arn:aws:lambda:eu-central-1:111122223333:function:g", account, false, ""}},
		{stranger, "Invoke", invoke(arnOfF), policyTarget{arnOfF, account, true, tags}},
		{stranger, "Invoke", invoke("f"), policyTarget{"arn:aws:lambda:eu-central-1:444455556666:function:f", stranger, false, ""}},
		// Not grantable across accounts by this API: lambda.md 1.5.
		{stranger, "UpdateFunctionConfiguration", &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String(arnOfF)},
			policyTarget{arnOfF, account, false, tags}},
		{account, "UpdateFunctionConfiguration", &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String(arnOfF)},
			policyTarget{arnOfF, account, true, tags}},
		{account, "RemovePermission", &sdk.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("url")},
			policyTarget{arnOfF, account, true, tags + "\nlambda:FunctionUrlAuthType=NONE\nlambda:Principal=*"}},
	} {
		h.account = c.caller
		if got := target(c.operation, c.in); *got != c.want {
			t.Errorf("%s by %s: got %+v, want %+v", c.operation, c.caller, *got, c.want)
		}
	}
}

type policyTarget struct {
	arn, account string
	policy       bool
	keys         string
}
