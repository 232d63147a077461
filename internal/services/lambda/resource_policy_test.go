package lambda

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// qualified makes version 1 and the alias "live" of a function, and gives their revisions.
func (h *harness) qualified(name string) (versionRevision, aliasRevision string) {
	h.t.Helper()
	r := request.Function{Partition: "aws", Region: region, Account: account, Name: name}
	err := h.db.Update(h.t.Context(), func(tx store.Tx) error {
		f, err := h.lambda.loadFunction(tx, r)
		if err != nil {
			return err
		}
		v := f.Latest
		v.Number, v.RevisionID = "1", "revision-of-1"
		if err := store.PutJSON(tx, versionKey(r, "1"), v); err != nil {
			return err
		}
		r.Qualifier = "live"
		return store.PutJSON(tx, aliasKey(r), alias{Name: "live", RevisionID: "revision-of-live", Version: "1"})
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return "revision-of-1", "revision-of-live"
}

const (
	documentHead = `{"Version":"2012-10-17","Statement":[`
	denyEve      = `{"Sid":"no","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::444455556666:user/eve"},"NotAction":"lambda:GetFunction",` +
		`"Resource":["` + arnOfF + `","` + arnOfF + `:*"]}`
	allowTwo = `{ "Sid": "yes", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com", "AWS": ["444455556666", ` +
		`"arn:aws:iam::111122223333:role/app"]}, "Action": ["lambda:InvokeFunction", "lambda:Get*"], "Resource": "` + arnOfF + `",` +
		`"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "StringLike": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}}}`
)

func (h *harness) knowPrincipals() {
	h.ids["arn:aws:iam::444455556666:user/eve"] = "AIDAEVEEXAMPLE00"
	h.ids[role] = "AROAAPPEXAMPLE00"
}

func putInput(resource, text string) *sdk.PutResourcePolicyInput {
	return &sdk.PutResourcePolicyInput{ResourceArn: aws.String(resource), Policy: aws.String(text)}
}

func (h *harness) getWhole(resource string) *sdk.GetResourcePolicyOutput {
	h.t.Helper()
	return must[sdk.GetResourcePolicyOutput](h, &sdk.GetResourcePolicyInput{ResourceArn: aws.String(resource)})
}

func TestPermissionsOfVersionsAndAliases(t *testing.T) {
	h := newHarness(t)
	f := h.create("f")
	versionRevision, aliasRevision := h.qualified("f")
	for _, c := range []struct{ qualifier, revision string }{{"", *f.RevisionId}, {"1", versionRevision}, {"live", aliasRevision}} {
		in := permissionInput("f", "same-sid", "s3.amazonaws.com")
		arn := arnOfF
		if c.qualifier != "" {
			in.Qualifier = aws.String(c.qualifier)
			arn += ":" + c.qualifier
		}
		in.RevisionId = aws.String("wrong")
		refuse[sdk.AddPermissionOutput](h, in, "PreconditionFailedException", 412,
			"The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id")
		in.RevisionId = aws.String(c.revision)
		statement := `{"Sid":"same-sid","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + arn + `"}`
		if got := *must[sdk.AddPermissionOutput](h, in).Statement; got != statement {
			t.Errorf("%q: got %s, want %s", c.qualifier, got, statement)
		}
		if got := h.lastNeeds[0].Target.ARN; got != arn {
			t.Errorf("judged on %s, want %s", got, arn)
		}
		// By a qualified name, and by the ARN: the same policy.
		for _, name := range []string{strings.TrimPrefix(arn, "arn:aws:lambda:eu-central-1:111122223333:function:"), arn} {
			got := must[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String(name)})
			if want := `{"Version":"2012-10-17","Id":"default","Statement":[` + statement + `]}`; *got.Policy != want {
				t.Errorf("%s: got %s, want %s", name, *got.Policy, want)
			}
		}
	}
	mismatch := permissionInput("f:live", "x", "*")
	mismatch.Qualifier = aws.String("1")
	refuse[sdk.AddPermissionOutput](h, mismatch, "InvalidParameterValueException", 400,
		"The derived qualifier from the function name does not match the specified qualifier.")

	remove := &sdk.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("same-sid"), Qualifier: aws.String("live")}
	must[sdk.RemovePermissionOutput](h, remove)
	refuse[sdk.RemovePermissionOutput](h, remove, "ResourceNotFoundException", 404, "No policy is associated with the given resource.")
	must[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f:1")})

	// What belongs to a function goes with it: one that is made again has no policy.
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
	h.create("f")
	h.qualified("f")
	for _, name := range []string{"f", "f:1", "f:live"} {
		refuse[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String(name)}, "ResourceNotFoundException", 404,
			"The resource you requested does not exist.")
	}
}

func TestPutResourcePolicy(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.knowPrincipals()
	must[sdk.AddPermissionOutput](h, permissionInput("f", "old", "sns.amazonaws.com"))
	text := "\n" + documentHead + denyEve + "," + allowTwo + "]}\n"
	put := must[sdk.PutResourcePolicyOutput](h, putInput(arnOfF, text))
	// Accounts become ARNs (iam.md P4); all else is as it was given.
	want := strings.Replace(text, `"444455556666"`, `"arn:aws:iam::444455556666:root"`, 1)
	if *put.Policy != want {
		t.Errorf("answer\n got %s\nwant %s", *put.Policy, want)
	}
	got := h.getWhole(arnOfF)
	if *got.Policy != want || *got.RevisionId != *put.RevisionId {
		t.Errorf("got %s %s\nwant %s %s", *got.RevisionId, *got.Policy, *put.RevisionId, want)
	}
	if got := must[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f")}); *got.Policy != want {
		t.Errorf("GetPolicy: got %s", *got.Policy)
	}

	// AddPermission appends, RemovePermission takes any statement out.
	in := permissionInput("f", "no", "s3.amazonaws.com")
	refuse[sdk.AddPermissionOutput](h, in, "ResourceConflictException", 409,
		"The statement id (no) provided already exists. Please provide a new statement id, or remove the existing statement.")
	in = permissionInput("f", "more", "s3.amazonaws.com")
	in.RevisionId = put.RevisionId
	added := *must[sdk.AddPermissionOutput](h, in).Statement
	yes := strings.Replace(allowTwo, `"444455556666"`, `"arn:aws:iam::444455556666:root"`, 1)
	if got, want := *h.getWhole(arnOfF).Policy, documentHead+denyEve+","+yes+","+added+"]}"; got != want {
		t.Errorf("after AddPermission\n got %s\nwant %s", got, want)
	}
	must[sdk.RemovePermissionOutput](h, &sdk.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("no")})
	if got, want := *h.getWhole(arnOfF).Policy, documentHead+yes+","+added+"]}"; got != want {
		t.Errorf("after RemovePermission\n got %s\nwant %s", got, want)
	}

	// A whole policy replaces all of that.
	const single = `{"Id":"\u003cmine>","Statement":{"Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"*"}}`
	stale := putInput(arnOfF, single)
	stale.RevisionId = put.RevisionId
	const precondition = "The Revision Id provided does not match the latest Revision Id. Call the GetResourcePolicy API to retrieve the latest Revision Id"
	refuse[sdk.PutResourcePolicyOutput](h, stale, "PreconditionFailedException", 412, precondition)
	stale.RevisionId = h.getWhole(arnOfF).RevisionId
	must[sdk.PutResourcePolicyOutput](h, stale)
	if got := *h.getWhole(arnOfF).Policy; got != single {
		t.Errorf("got %s, want %s", got, single)
	}
	added = *must[sdk.AddPermissionOutput](h, permissionInput("f", "more", "s3.amazonaws.com")).Statement
	if got, want := *h.getWhole(arnOfF).Policy, `{"Id":"<mine>","Statement":[{"Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"*"},`+added+`]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	remove := &sdk.DeleteResourcePolicyInput{ResourceArn: aws.String(arnOfF), RevisionId: put.RevisionId}
	refuse[sdk.DeleteResourcePolicyOutput](h, remove, "PreconditionFailedException", 412, precondition)
	remove.RevisionId = h.getWhole(arnOfF).RevisionId
	must[sdk.DeleteResourcePolicyOutput](h, remove)
	refuse[sdk.GetResourcePolicyOutput](h, &sdk.GetResourcePolicyInput{ResourceArn: aws.String(arnOfF)}, "ResourceNotFoundException", 404,
		"The resource you requested does not exist.")
	refuse[sdk.DeleteResourcePolicyOutput](h, remove, "ResourceNotFoundException", 404, "No policy is associated with the given resource.")
	refuse[sdk.PutResourcePolicyOutput](h, stale, "PreconditionFailedException", 412, precondition) // no policy has that revision
}

// Users and roles stand in whole policies by their unique ids, in NotPrincipal too (iam.md P4).
func TestWholePolicyFollowsUniqueID(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.knowPrincipals()
	const text = documentHead + `{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/app"]},"Action":"*","Resource":"*"},` + denyEve + `]}`
	must[sdk.PutResourcePolicyOutput](h, putInput(arnOfF, text))
	document := h.consulted("f").Document
	if got := document.Statements[0].NotPrincipal.Entries[1].Value.Value + document.Statements[1].Principal.Entries[0].Value.Value; got != "AROAAPPEXAMPLE00AIDAEVEEXAMPLE00" {
		t.Errorf("judged by %s", got)
	}
	h.ids = map[string]string{"arn:aws:iam::444455556666:user/eve": "AIDAOTHER", "arn:aws:iam::111122223333:role/renamed": "AROAAPPEXAMPLE00"}
	shown := strings.NewReplacer(`"111122223333"`, `"arn:aws:iam::111122223333:root"`, "role/app", "role/renamed",
		"arn:aws:iam::444455556666:user/eve", "AIDAEVEEXAMPLE00").Replace(text)
	got := *h.getWhole(arnOfF).Policy
	if got != shown {
		t.Errorf("shown\n got %s\nwant %s", got, shown)
	}
	// What is shown cannot be saved again while it names somebody who is gone.
	refuse[sdk.PutResourcePolicyOutput](h, putInput(arnOfF, got), "InvalidParameterValueException", 400,
		"The provided principal was invalid. Please check the principal and try again.")
	h.ids["arn:aws:iam::444455556666:user/back"] = "AIDAEVEEXAMPLE00"
	must[sdk.PutResourcePolicyOutput](h, putInput(arnOfF, got))
}

func TestPutResourcePolicyRefused(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.knowPrincipals()
	const (
		good      = documentHead + denyEve + `]}`
		principal = "The provided principal was invalid. Please check the principal and try again."
		invalid   = "InvalidParameterValueException"
		resource  = `Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:` +
			`function:[a-zA-Z0-9-_]+(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_])+)?`
	)
	of := func(principal string) string {
		return documentHead + `{"Effect":"Allow","Principal":` + principal + `,"Action":"*","Resource":"*"}]}`
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf(`"%012d"`, i)
	}
	long := of(`{"Service":"s3.amazonaws.com"},"Sid":"` + strings.Repeat("x", 20480) + `"`)
	accounts := of(`{"AWS":[` + strings.Repeat(`"111122223333",`, 1000) + `"111122223333"]}`)
	for _, c := range []struct {
		resource, text, code string
		status               int
		message              string
	}{
		{"f", good, "ValidationException", 400,
			"1 validation error detected: Value 'f' at 'resourceArn' failed to satisfy constraint: " + resource},
		{arnOfF + ":*", good, "ValidationException", 400,
			"1 validation error detected: Value '" + arnOfF + ":*' at 'resourceArn' failed to satisfy constraint: " + resource},
		{strings.Replace(arnOfF, "aws", "", 1), good, "ValidationException", 400, "1 validation error detected: Value '" +
			strings.Replace(arnOfF, "aws", "", 1) + "' at 'resourceArn' failed to satisfy constraint: " + resource},
		{arnOfF, "", "ValidationException", 400, "2 validation errors detected: Value '' at 'policy' failed to satisfy constraint: " +
			`Member must satisfy regular expression pattern: [\s\S]+; Value '' at 'policy' failed to satisfy constraint: ` +
			"Member must have length greater than or equal to 1"},
		{arnOfF, long, "ValidationException", 400, "1 validation error detected: Value '" + long +
			"' at 'policy' failed to satisfy constraint: Member must have length less than or equal to 20480"},
		{arnOfF, accounts, "PolicyLengthExceededException", 400,
			fmt.Sprintf("The final policy size (%d) is bigger than the limit (20480).", len(accounts)+1001*len("arn:aws:iam:::root"))},
		{arnOfF, of(`{"AWS":[` + strings.Join(many, ",") + `]}`), invalid, 400, "The policy names 101 principals. The maximum is 100."},
		{arnOfF, documentHead + `{"Effect":"Allow","Principal":{"AWS":[` + strings.Join(many[:100], ",") + `]},"Action":"*","Resource":"*",` +
			`"Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":[` + strings.Join(many, ",") + `]}}}]}`, invalid, 400,
			"The policy names more than 200 pairs of a principal and an auth type of function URLs."},
		{arnOfF, "{", invalid, 400, "Syntax errors in policy."},
		{arnOfF, documentHead + `{"Effect":"Allow","Action":"*","Resource":"*"}]}`, invalid, 400, "Missing required field Principal"},
		{arnOfF, documentHead + `{"Effect":"Deny","Principal":"*","Action":"*"}]}`, invalid, 400, "Missing required field Resource"},
		{arnOfF, of(`{"AWS":"someone"}`), invalid, 400, `Invalid principal in policy: "AWS":"someone"`},
		{arnOfF, of(`{"AWS":"arn:aws:iam::444455556666:user/nobody"}`), invalid, 400, principal},
		{arnOfF, of(`{"AWS":"AIDANOBODYEXAMPLE"}`), invalid, 400, principal},
		{arnOfF, of(`{"Service":"s3.example.com"}`), invalid, 400, principal},
		{arnOfF, of(`{"Federated":"accounts.google.com"}`), invalid, 400, principal},
		{arnOfF, of(`{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`), invalid, 400, principal},
		{arnOfF, of(`"*"`), "PublicPolicyException", 400,
			"The resource-based policy you tried to add to the Lambda resource would grant public access to it, which isn't allowed."},
		{arnOfF + ":$LATEST", good, invalid, 400, "We currently do not support adding policies for $LATEST."},
		{arnOfF + ":live", good, "ResourceNotFoundException", 404, "Cannot find alias arn: " + arnOfF + ":live"},
		{arnOfF + ":42", good, "ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":42"},
		{arnOfF + "g", good, "ResourceNotFoundException", 404, "Function not found: " + arnOfF + "g"},
		{strings.Replace(arnOfF, region, "us-east-1", 1), good, "ResourceNotFoundException", 404,
			"Functions from 'us-east-1' are not reachable in this region ('eu-central-1')"},
	} {
		refuse[sdk.PutResourcePolicyOutput](h, putInput(c.resource, c.text), c.code, c.status, c.message)
	}
	in := putInput(arnOfF, good)
	in.RevisionId = aws.String("x")
	refuse[sdk.PutResourcePolicyOutput](h, in, "ValidationException", 400, "2 validation errors detected: Value 'x' at 'revisionId' failed to satisfy "+
		"constraint: Member must satisfy regular expression pattern: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}; Value 'x' at "+
		"'revisionId' failed to satisfy constraint: Member must have length greater than or equal to 36")
	missing := arnOfF + "g"
	refuse[sdk.DeleteResourcePolicyOutput](h, &sdk.DeleteResourcePolicyInput{ResourceArn: &missing}, "ResourceNotFoundException", 404,
		"No policy found for: "+missing)
	refuse[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f")}, "ResourceNotFoundException", 404,
		"The resource you requested does not exist.")
}

// Whoever writes or removes a whole policy needs what AddPermission and RemovePermission need, for each principal.
func TestResourcePolicyNeeds(t *testing.T) {
	h := newHarness(t)
	must[sdk.CreateFunctionOutput](h, h.fullSettings("f"))
	h.knowPrincipals()
	of := func(operation string, in any) []string {
		t.Helper()
		needs, err := h.needs(operation, in)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, n := range needs {
			if n.Target.ARN != arnOfF || n.Target.Account != account {
				t.Errorf("%s: judged on %s of %s", n.Action, n.Target.ARN, n.Target.Account)
			}
			all = append(all, strings.TrimPrefix(n.Action, "lambda:")+" "+strings.ReplaceAll(keysOf(n.Target.Keys), "\n", " "))
		}
		return all
	}
	check := func(name string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	const tags = "aws:ResourceTag/team=a"
	remove := &sdk.DeleteResourcePolicyInput{ResourceArn: aws.String(arnOfF)}
	check("Get", of("GetResourcePolicy", &sdk.GetResourcePolicyInput{ResourceArn: aws.String(arnOfF)}), "GetResourcePolicy "+tags, "GetPolicy "+tags)
	check("Delete without policy", of("DeleteResourcePolicy", remove), "DeleteResourcePolicy "+tags, "RemovePermission "+tags)
	url := permissionInput("f", "url", "*")
	url.Action, url.FunctionUrlAuthType = aws.String("lambda:InvokeFunctionUrl"), "NONE"
	must[sdk.AddPermissionOutput](h, url)
	must[sdk.AddPermissionOutput](h, permissionInput("f", "account", stranger))
	must[sdk.AddPermissionOutput](h, permissionInput("f", "role", role))
	must[sdk.AddPermissionOutput](h, permissionInput("f", "role2", role))
	put := putInput(arnOfF, documentHead+denyEve+`,`+allowTwo+`,{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunctionUrl","Resource":"*",`+
		`"Condition":{"StringEquals":{"LAMBDA:functionURLauthType":["NONE","AWS_IAM"]}}}]}`)
	removed := []string{
		"RemovePermission " + tags + " lambda:FunctionUrlAuthType=NONE lambda:Principal=*",
		"RemovePermission " + tags + " lambda:Principal=444455556666",
		"RemovePermission " + tags + " lambda:Principal=arn:aws:iam::111122223333:role/app",
	}
	check("Put", of("PutResourcePolicy", put), append([]string{
		"PutResourcePolicy " + tags + " lambda:Principal=arn:aws:iam::444455556666:user/eve",
		"PutResourcePolicy " + tags + " lambda:Principal=s3.amazonaws.com",
		"PutResourcePolicy " + tags + " lambda:Principal=444455556666",
		"PutResourcePolicy " + tags + " lambda:Principal=arn:aws:iam::111122223333:role/app",
		"PutResourcePolicy " + tags + " lambda:Principal=*",
		"AddPermission " + tags + " lambda:Principal=arn:aws:iam::444455556666:user/eve",
		"AddPermission " + tags + " lambda:Principal=s3.amazonaws.com",
		"AddPermission " + tags + " lambda:Principal=444455556666",
		"AddPermission " + tags + " lambda:Principal=arn:aws:iam::111122223333:role/app",
		"AddPermission " + tags + " lambda:FunctionUrlAuthType=NONE lambda:Principal=*",
		"AddPermission " + tags + " lambda:FunctionUrlAuthType=AWS_IAM lambda:Principal=*",
	}, removed...)...)
	check("Delete", of("DeleteResourcePolicy", remove), append([]string{
		"DeleteResourcePolicy " + tags + " lambda:Principal=*",
		"DeleteResourcePolicy " + tags + " lambda:Principal=444455556666",
		"DeleteResourcePolicy " + tags + " lambda:Principal=arn:aws:iam::111122223333:role/app",
	}, removed...)...)
	delete(h.ids, role)
	check("RemovePermission of one who is gone", of("RemovePermission", &sdk.RemovePermissionInput{
		FunctionName: aws.String("f"), StatementId: aws.String("role"),
	}), "RemovePermission "+tags+" lambda:Principal=AROAAPPEXAMPLE00")

	// Nobody of another account can be granted these by a function's policy (lambda.md 1.5).
	h.account = stranger
	needs, err := h.needs("GetResourcePolicy", &sdk.GetResourcePolicyInput{ResourceArn: aws.String(arnOfF)})
	if err != nil || needs[0].Target.Policy != nil || needs[1].Target.Policy == nil {
		t.Errorf("got %+v, %v", needs, err)
	}
}

// consulted is the policy that an invocation of a name consults.
func (h *harness) consulted(name string) *authz.Policy {
	h.t.Helper()
	needs, err := h.needs("Invoke", &sdk.InvokeInput{FunctionName: aws.String(name)})
	if err != nil {
		h.t.Fatal(err)
	}
	return needs[0].Target.Policy
}

// One policy for each ARN, but for what PutResourcePolicy writes for a function (lambda.md 1.4, U1).
func TestConsultedPolicy(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.create("g")
	h.qualified("f")
	sids := func(name string) string {
		t.Helper()
		p := h.consulted(name)
		if p == nil {
			return ""
		}
		var all []string
		for _, s := range p.Document.Statements {
			all = append(all, s.Sid)
		}
		return strings.Join(all, " ")
	}
	check := func(when, function, version, alias, latest string) {
		t.Helper()
		for name, want := range map[string]string{"f": function, "f:1": version, "f:live": alias, "f:$LATEST": latest, "g": "", "g:live": ""} {
			if got := sids(name); got != want {
				t.Errorf("%s: %s consults %q, want %q", when, name, got, want)
			}
		}
	}
	add := func(name, sid string) {
		must[sdk.AddPermissionOutput](h, permissionInput(name, sid, "s3.amazonaws.com"))
	}
	whole := func(resource, sid string) *sdk.PutResourcePolicyInput {
		return putInput(resource, documentHead+`{"Sid":"`+sid+`","Effect":"Deny","Principal":"*","Action":"*","Resource":"`+arnOfF+`:*"}]}`)
	}
	check("at first", "", "", "", "")
	add("f", "function")
	check("function", "function", "", "", "")
	add("f:live", "alias")
	check("alias", "function", "", "alias", "")
	must[sdk.PutResourcePolicyOutput](h, whole(arnOfF+":1", "whole-version"))
	check("whole policy of a version", "function", "whole-version", "alias", "")
	must[sdk.PutResourcePolicyOutput](h, whole(arnOfF, "whole"))
	check("whole policy of the function", "whole", "whole-version whole", "alias whole", "whole")
	add("f", "added")
	check("added to", "whole added", "whole-version whole added", "alias whole added", "whole added")
	must[sdk.RemovePermissionOutput](h, &sdk.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("added")})
	check("taken from", "whole", "whole-version whole", "alias whole", "whole")

	// What is warm is the same pointer, reads nothing and makes nothing but the key of the qualified policy.
	names := []string{"f", "f:1", "f:live", "f:$LATEST"}
	first := make([]*authz.Policy, len(names))
	for i, name := range names {
		first[i] = h.consulted(name)
	}
	views := h.db.views.Load()
	for i, name := range names {
		if again := h.consulted(name); again != first[i] {
			t.Errorf("%s consults another value of the same policy", name)
		}
	}
	if read := h.db.views.Load() - views; read != 0 {
		t.Errorf("%d reads on the warm path", read)
	}
	prefix := "lambda/" + account + "/" + region + "/of/f/policy/"
	for qualifier, most := range map[string]float64{"": 0, "live": 1, "$LATEST": 1} {
		got := testing.AllocsPerRun(100, func() {
			if p, err := h.lambda.policies.Consulted(t.Context(), prefix, qualifier); err != nil || p == nil {
				t.Errorf("got %v, %v", p, err)
			}
		})
		if got > most {
			t.Errorf("%q: %v allocations", qualifier, got)
		}
	}

	must[sdk.DeleteResourcePolicyOutput](h, &sdk.DeleteResourcePolicyInput{ResourceArn: aws.String(arnOfF)})
	check("deleted", "", "whole-version", "alias", "")
}

// A policy of the older version keeps its meaning where it is joined to another: "${" is literal in it.
func TestConsultedPolicyOfOlderVersion(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.qualified("f")
	must[sdk.AddPermissionOutput](h, permissionInput("f:live", "new", "s3.amazonaws.com"))
	const old = `{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"` + arnOfF + `:*","Condition":{"StringLike":{"aws:username":"\u0024{aws:username}"}}}}`
	must[sdk.PutResourcePolicyOutput](h, putInput(arnOfF, old))
	document := h.consulted("f:live").Document
	if got := document.Statements[1].Condition[0].Values[0].Value; document.Version != policy.Version2012 || got != "${$}{aws:username}" {
		t.Errorf("got %s of version %s", got, document.Version)
	}
}

// The actions that https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html, "Supported API actions", lists, and no
// others (lambda.md 1.5).
func TestGrantableActions(t *testing.T) {
	const listed = "CreateAlias DeleteAlias DeleteFunction DeleteFunctionConcurrency DeleteFunctionEventInvokeConfig " +
		"DeleteProvisionedConcurrencyConfig GetAlias GetFunction GetFunctionConcurrency GetFunctionConfiguration GetFunctionEventInvokeConfig " +
		"GetPolicy GetProvisionedConcurrencyConfig InvokeFunction InvokeFunctionUrl ListAliases ListFunctionEventInvokeConfigs " +
		"ListProvisionedConcurrencyConfigs ListTags ListVersionsByFunction PublishVersion PutFunctionConcurrency PutFunctionEventInvokeConfig " +
		"PutProvisionedConcurrencyConfig TagResource UntagResource UpdateAlias UpdateFunctionCode UpdateFunctionEventInvokeConfig"
	data, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range data.Names("lambda") {
		if grantable("lambda:" + name) {
			got = append(got, name)
		}
	}
	if got := strings.Join(got, " "); got != listed {
		t.Errorf("got %s\nwant %s", got, listed)
	}
}
