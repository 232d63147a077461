package lambda

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// TestTagsOfNewFunction decides by the policy of AWS's example, which lets developers make functions of their own project alone
// (https://docs.aws.amazon.com/lambda/latest/dg/attribute-based-access-control-example.html, step 1).
func TestTagsOfNewFunction(t *testing.T) {
	document, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:TagResource"],
		"Resource":"arn:aws:lambda:*:*:function:*","Condition":{"StringEquals":{"aws:RequestTag/project":"${aws:PrincipalTag/project}",
		"aws:ResourceTag/project":"${aws:PrincipalTag/project}"},"ForAllValues:StringEquals":{"aws:TagKeys":"project"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	set := authz.Compile(authz.Policies{Identity: []authz.Policy{{Name: "example", Document: document}}})
	h := newHarness(t)
	for project, want := range map[string]bool{"blue": true, "red": false} {
		in := h.newFunction("f")
		in.Tags = map[string]string{"project": project}
		needs, err := h.needs("CreateFunction", in)
		if err != nil {
			t.Fatal(err)
		}
		judged := 0
		for _, n := range needs {
			if n.Action == "iam:PassRole" {
				continue
			}
			judged++
			r := authz.Request{Principal: authz.Principal{Kind: authz.User, Account: account}, Action: n.Action, Resource: n.Target.ARN}
			r.Context.Merge(n.Target.Keys)
			r.Context.Set("aws:PrincipalTag/project", "blue")
			if d := set.Decide(&r); d.Allowed != want {
				t.Errorf("%s of project %s: allowed %v, want %v", n.Action, project, d.Allowed, want)
			}
		}
		if judged != 2 {
			t.Errorf("got %d needs beside iam:PassRole, want 2", judged)
		}
	}
}

func TestTags(t *testing.T) {
	h := newHarness(t)
	first := must[sdk.CreateFunctionOutput](h, h.fullSettings("f"))
	tag := func(arn string, tags map[string]string) *sdk.TagResourceInput {
		return &sdk.TagResourceInput{Resource: aws.String(arn), Tags: tags}
	}
	must[sdk.TagResourceOutput](h, tag(arnOfF, map[string]string{"team": "b", "env": "dev"}))
	if got, want := keysOf(h.lastNeeds[0].Target.Keys),
		"aws:RequestTag/env=dev\naws:RequestTag/team=b\naws:ResourceTag/team=a\naws:TagKeys=env,team"; got != want {
		t.Errorf("keys of TagResource: got\n%s\nwant\n%s", got, want)
	}
	list := &sdk.ListTagsInput{Resource: aws.String(arnOfF)}
	if diff := cmp.Diff(must[sdk.ListTagsOutput](h, list).Tags, map[string]string{"team": "b", "env": "dev"}); diff != "" {
		t.Errorf("tags, got - want +:\n%s", diff)
	}
	must[sdk.UntagResourceOutput](h, &sdk.UntagResourceInput{Resource: aws.String(arnOfF), TagKeys: []string{"team", "none"}})
	if got, want := keysOf(h.lastNeeds[0].Target.Keys),
		"aws:ResourceTag/env=dev\naws:ResourceTag/team=b\naws:TagKeys=none,team"; got != want {
		t.Errorf("keys of UntagResource: got\n%s\nwant\n%s", got, want)
	}
	got := must[sdk.GetFunctionOutput](h, &sdk.GetFunctionInput{FunctionName: aws.String("f")})
	if diff := cmp.Diff(got.Tags, map[string]string{"env": "dev"}); diff != "" || got.TagsError != nil {
		t.Errorf("tags of GetFunction, got - want +:\n%s", diff)
	}
	if *got.Configuration.RevisionId != *first.RevisionId || len(h.runner.retired) != 0 {
		t.Error("tagging changed the configuration")
	}
	h.mayList = false
	got = must[sdk.GetFunctionOutput](h, &sdk.GetFunctionInput{FunctionName: aws.String("f")})
	if got.Tags != nil || got.TagsError == nil || *got.TagsError.ErrorCode != "AccessDeniedException" {
		t.Errorf("without lambda:ListTags: got %v, %+v", got.Tags, got.TagsError)
	}

	many := make(map[string]string)
	for i := range 50 {
		many[fmt.Sprint("k", i)] = ""
	}
	refuse[sdk.TagResourceOutput](h, tag(arnOfF, many), "InvalidParameterValueException", 400,
		"Number of tags exceeds resource tag limit.")
	refuse[sdk.TagResourceOutput](h, tag(arnOfF+":1", many), "InvalidParameterValueException", 400,
		"Tags on function aliases and versions are not supported. Please specify a function ARN.")
	refuse[sdk.TagResourceOutput](h, tag(arnOfF+"g", nil), "ValidationException", 400,
		"1 validation error detected: Value null at 'tags' failed to satisfy constraint: Member must not be null")
	refuse[sdk.TagResourceOutput](h, tag(arnOfF, map[string]string{}), "InvalidParameterValueException", 400,
		"An error occurred and the request cannot be processed.")
	refuse[sdk.TagResourceOutput](h, tag(arnOfF+"g", many), "ResourceNotFoundException", 404, "Function not found: "+arnOfF+"g")
	refuse[sdk.TagResourceOutput](h, tag("arn:aws:lambda:eu-central-1:111122223333:capacity-provider:c", many),
		"NotImplemented", 501,
		"licet does not implement Resource of type capacity-provider of the operation TagResource of lambda.")
	refuse[sdk.ListTagsOutput](h, &sdk.ListTagsInput{Resource: aws.String("f")}, "ValidationException", 400,
		"1 validation error detected: "+
			"Value 'f' at 'resource' failed to satisfy constraint: Member must satisfy regular expression pattern: "+
			""+taggableText.Pattern.Source)
}

// Of two tags that a condition key cannot tell apart, a decision would see either (iam.md C6).
func TestTagsThatDifferInCase(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	clash := map[string]string{"team": "a", "Team": "b"}
	const message = "The tag keys Team and team differ only in case."
	for _, tags := range []map[string]string{clash, {"team": "a", "stage": "b", "Team": "c"}} {
		// Nothing may be decided about them.
		_, err := h.needs("TagResource", &sdk.TagResourceInput{Resource: aws.String(arnOfF), Tags: tags})
		wantError(t, err, "InvalidParameterValueException", 400, message)
	}
	in := h.newFunction("g")
	in.Tags = clash
	_, err := h.needs("CreateFunction", in)
	wantError(t, err, "InvalidParameterValueException", 400, message)

	must[sdk.TagResourceOutput](h, &sdk.TagResourceInput{Resource: aws.String(arnOfF), Tags: map[string]string{"team": "a"}})
	refuse[sdk.TagResourceOutput](h, &sdk.TagResourceInput{Resource: aws.String(arnOfF), Tags: map[string]string{"Team": "b"}},
		"InvalidParameterValueException", 400, message)
}
