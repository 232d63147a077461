package compat

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

// TestShapes lets boto3 hold answers against the model that it has, with waiters and paginators. What AWS itself answers against its
// model is listed: the root user has no name and no path, and some words are others than the model's.
func TestShapes(t *testing.T) {
	t.Parallel()
	checkShapes(t, server.root, "shapes.py", []string{
		"GetUser.User lacks Path",
		"GetUser.User lacks UserName",
		"GetUser.User.PermissionsBoundary.PermissionsBoundaryType is Policy",
		"SimulateCustomPolicy.EvaluationResults.MatchedStatements.SourcePolicyType is IAM Policy",
		"SimulateCustomPolicy.EvaluationResults.ResourceSpecificResults.MatchedStatements.SourcePolicyType is IAM Policy",
		"SimulatePrincipalPolicy.EvaluationResults.MatchedStatements.SourcePolicyType is IAM Policy",
	})
}

// TestShapesOfLambda does so for Lambda. An update's reason was recorded from AWS; InvokeAsync is not there.
func TestShapesOfLambda(t *testing.T) {
	t.Parallel()
	checkShapes(t, server.newAccount(t).credentials, "shapes_lambda.py", []string{
		"InvokeAsync was not called",
		"UpdateFunctionCode.LastUpdateStatusReasonCode is Creating",
		"UpdateFunctionConfiguration.LastUpdateStatusReasonCode is Creating",
	})
}

func checkShapes(t *testing.T, c aws.Credentials, script string, want []string) {
	t.Helper()
	out, err := server.command(t, c, "/usr/bin/python3", script, unique("shapes"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
