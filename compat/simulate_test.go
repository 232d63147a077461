package compat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"
)

// What the simulator says of a user is what happens to the user.
func TestSimulationComesTrue(t *testing.T) {
	t.Parallel()
	root, ctx := server.as(server.root), t.Context()
	u := server.newUser(t,
		allow("lambda:*", "*"), deny("lambda:ListFunctions", "*"), allow("iam:GetUser", arnPrefix+"user/${aws:username}"),
		allow("logs:CreateLogGroup", "*", `{"StringEquals":{"aws:RequestTag/team":"red"}}`))
	limit := server.newPolicy(t, allow("*", "*"), deny("lambda:GetAccountSettings", "*"))
	must(root.iam.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: &u.name, PermissionsBoundary: &limit}))(t)

	group := unique("group")
	for _, tt := range []struct {
		action, resource string
		context          []types.ContextEntry
		call             func() error
	}{
		{"iam:GetUser", u.arn, nil, func() error { _, err := u.iam.GetUser(ctx, nil); return err }},
		{"iam:GetUser", arnPrefix + "user/somebody", nil, func() error {
			_, err := u.iam.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("somebody")})
			return err
		}},
		{"iam:ListRoles", arnPrefix + "role/", nil, func() error { _, err := u.iam.ListRoles(ctx, nil); return err }},
		{"lambda:ListFunctions", "*", nil, func() error { _, err := u.lambda.ListFunctions(ctx, nil); return err }},
		{"lambda:GetFunction", "arn:aws:lambda:us-east-1:" + account + ":function:none", nil, func() error {
			_, err := u.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("none")})
			return err
		}},
		{"logs:CreateLogGroup", "arn:aws:logs:us-east-1:" + account + ":log-group:" + group, nil, func() error {
			_, err := u.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group})
			return err
		}},
	} {
		r := must(root.iam.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
			PolicySourceArn: &u.arn, ActionNames: []string{tt.action}, ResourceArns: []string{tt.resource}, ContextEntries: tt.context,
		}))(t).EvaluationResults[0]
		err := tt.call()
		denied := err != nil && strings.HasPrefix(failureOf(err).Code, "AccessDenied")
		if allowed := r.EvalDecision == types.PolicyEvaluationDecisionTypeAllowed; allowed == denied {
			t.Errorf("%s on %s: simulated %s, answered %v", tt.action, tt.resource, r.EvalDecision, err)
		}
	}

	r := must(root.iam.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &u.arn, ActionNames: []string{"lambda:GetAccountSettings", "logs:CreateLogGroup"},
	}))(t).EvaluationResults
	if d := r[0].PermissionsBoundaryDecisionDetail; r[0].EvalDecision != "explicitDeny" || d == nil || d.AllowedByPermissionsBoundary {
		t.Errorf("boundary: got %s, %+v", r[0].EvalDecision, d)
	}
	if diff := cmp.Diff(r[1].MissingContextValues, []string{"aws:RequestTag/team"}); diff != "" {
		t.Errorf("missing: -got +want:\n%s", diff)
	}
	keys := must(root.iam.GetContextKeysForPrincipalPolicy(ctx, &iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: &u.arn}))(t)
	if diff := cmp.Diff(keys.ContextKeyNames, []string{"aws:username", "aws:RequestTag/team"}); diff != "" {
		t.Errorf("context keys: -got +want:\n%s", diff)
	}

	// Who may not see others' permissions may still try policies of its own, if it may.
	_, err := u.iam.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &u.arn, ActionNames: []string{"s3:GetObject"}})
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(u.arn, "iam:SimulatePrincipalPolicy", u.arn, "identity-based policy")})
}

// The CLI, with an example of its manual.
func TestSimulateWithCLI(t *testing.T) {
	t.Parallel()
	u := server.newUser(t, allow("codecommit:ListRepositories", "*"))
	out, err := server.command(t, server.root, "/usr/bin/env", "-u", "AWS_SESSION_TOKEN", "/usr/bin/aws", "--endpoint-url", server.url,
		"--output", "json", "iam", "simulate-principal-policy", "--policy-source-arn", u.arn,
		"--action-names", "codecommit:ListRepositories", "sqs:SendMessage",
		"--context-entries", "ContextKeyName=aws:MultiFactorAuthPresent,ContextKeyType=boolean,ContextKeyValues=true")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		EvaluationResults []struct {
			EvalActionName, EvalResourceName, EvalDecision string
			MatchedStatements                              []struct {
				SourcePolicyId             string
				StartPosition, EndPosition struct{ Line, Column int }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range got.EvaluationResults {
		lines = append(lines, fmt.Sprint(r.EvalActionName, " ", r.EvalResourceName, " ", r.EvalDecision, " ", r.MatchedStatements))
	}
	want := []string{
		"codecommit:ListRepositories * allowed [{user_" + u.name + "_own {1 38} {1 110}}]", "sqs:SendMessage * implicitDeny []",
	}
	if diff := cmp.Diff(lines, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// Last accessed information is what the user has just done, and what its policies grant.
func TestServiceLastAccessed(t *testing.T) {
	t.Parallel()
	root, ctx, before := server.as(server.root).iam, t.Context(), time.Now().Add(-time.Minute)
	u := server.newUser(t, allow("iam:*", "*"), allow("sqs:SendMessage", "*"))
	must(u.iam.GetUser(ctx, nil))(t)
	_, err := u.lambda.ListFunctions(ctx, nil) // denied, and of a service that is not granted
	check(t, err, lambdaDenied(u.arn, "lambda:ListFunctions", "*", "identity-based policy"))

	job := must(root.GenerateServiceLastAccessedDetails(ctx, &iam.GenerateServiceLastAccessedDetailsInput{
		Arn: &u.arn, Granularity: types.AccessAdvisorUsageGranularityTypeActionLevel,
	}))(t).JobId
	report := must(root.GetServiceLastAccessedDetails(ctx, &iam.GetServiceLastAccessedDetailsInput{JobId: job}))(t)
	if report.JobStatus != types.JobStatusTypeCompleted || len(report.ServicesLastAccessed) != 2 {
		t.Fatalf("got %s with %d services", report.JobStatus, len(report.ServicesLastAccessed))
	}
	used, unused := report.ServicesLastAccessed[0], report.ServicesLastAccessed[1]
	if *used.ServiceNamespace != "iam" || aws.ToString(used.LastAuthenticatedEntity) != u.arn || aws.ToTime(used.LastAuthenticated).Before(before) ||
		*used.TotalAuthenticatedEntities != 1 {
		t.Errorf("got %s of %s at %v", *used.ServiceNamespace, aws.ToString(used.LastAuthenticatedEntity), used.LastAuthenticated)
	}
	if !slices.ContainsFunc(used.TrackedActionsLastAccessed, func(a types.TrackedActionLastAccessed) bool { return *a.ActionName == "GetUser" }) {
		t.Errorf("got actions %v", used.TrackedActionsLastAccessed)
	}
	if *unused.ServiceNamespace != "sqs" || unused.LastAuthenticated != nil || unused.TrackedActionsLastAccessed != nil {
		t.Errorf("got %s at %v", *unused.ServiceNamespace, unused.LastAuthenticated)
	}
	entities := must(root.GetServiceLastAccessedDetailsWithEntities(ctx, &iam.GetServiceLastAccessedDetailsWithEntitiesInput{
		JobId: job, ServiceNamespace: aws.String("iam"),
	}))(t).EntityDetailsList
	if len(entities) != 1 || *entities[0].EntityInfo.Arn != u.arn || entities[0].LastAuthenticated == nil {
		t.Errorf("got entities %v", entities)
	}
	// The report is its maker's.
	_, err = u.iam.GetServiceLastAccessedDetails(ctx, &iam.GetServiceLastAccessedDetailsInput{JobId: job})
	check(t, err, failure{404, "NoSuchEntity", "The job with id " + *job + " cannot be found."})
}
