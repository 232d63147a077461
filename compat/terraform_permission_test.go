package compat

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/middleware"
)

// terraformStatement is what aws_lambda_permission reads of a statement.
type terraformStatement struct {
	Sid, Action, Resource string
	Principal             any
	Condition             map[string]map[string]string
}

// terraformPermission reads a statement as aws_lambda_permission does; nil when it is not there.
func (c clients) terraformPermission(t *testing.T, function string, qualifier *string, sid string) *terraformStatement {
	t.Helper()
	out, err := c.lambda.GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: &function, Qualifier: qualifier})
	if code(err) == "ResourceNotFoundException" {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Statement []terraformStatement }
	if err := json.Unmarshal([]byte(*out.Policy), &p); err != nil {
		t.Fatalf("%v in %s", err, *out.Policy)
	}
	for _, s := range p.Statement {
		if s.Sid == sid {
			return &s
		}
	}
	return nil
}

// aws_lambda_permission: made, read from the policy, deleted, gone.
func TestTerraformPermission(t *testing.T) {
	t.Parallel()
	c, f, s := server.as(server.root), server.newFunction(t, echo), aws.String
	user := server.newUser(t)
	type conditions = map[string]map[string]string
	service := func(name string) any { return map[string]any{"Service": name} }
	for sid, p := range map[string]struct {
		in   lambda.AddPermissionInput
		want terraformStatement
	}{
		"AllowFromS3": {
			lambda.AddPermissionInput{Principal: s("s3.amazonaws.com"), SourceArn: s("arn:aws:s3:::bucket"), SourceAccount: s(account)},
			terraformStatement{Principal: service("s3.amazonaws.com"), Condition: conditions{
				"StringEquals": {"AWS:SourceAccount": account}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"},
			}},
		},
		"AllowFromAPI": {
			lambda.AddPermissionInput{Principal: s("apigateway.amazonaws.com"), SourceArn: s("arn:aws:execute-api:us-east-1:000000000000:abc/*/GET/x")},
			terraformStatement{Principal: service("apigateway.amazonaws.com"), Condition: conditions{
				"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:000000000000:abc/*/GET/x"},
			}},
		},
		"AllowOrganization": {
			lambda.AddPermissionInput{Principal: s("*"), PrincipalOrgID: s("o-a1b2c3d4e5")},
			terraformStatement{Principal: "*", Condition: conditions{"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}},
		},
		"AllowUser": {
			lambda.AddPermissionInput{Principal: &user.arn},
			terraformStatement{Principal: map[string]any{"AWS": user.arn}},
		},
		"AllowURL": {
			lambda.AddPermissionInput{Action: s("lambda:InvokeFunctionUrl"), Principal: s("*"), FunctionUrlAuthType: types.FunctionUrlAuthTypeNone},
			terraformStatement{Action: "lambda:InvokeFunctionUrl", Principal: "*", Condition: conditions{
				"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"},
			}},
		},
		"AllowViaURL": {
			lambda.AddPermissionInput{Principal: s("*"), InvokedViaFunctionUrl: aws.Bool(true)},
			terraformStatement{Principal: "*", Condition: conditions{"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}},
		},
		"AllowAlexa": {
			lambda.AddPermissionInput{Principal: s("alexa-appkit.amazon.com"), EventSourceToken: s("amzn1.ask.skill.x")},
			terraformStatement{Principal: service("alexa-appkit.amazon.com"), Condition: conditions{
				"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.x"},
			}},
		},
	} {
		p.in.FunctionName, p.in.StatementId = &f.name, &sid
		if p.in.Action == nil {
			p.in.Action, p.want.Action = s("lambda:InvokeFunction"), "lambda:InvokeFunction"
		}
		p.want.Sid, p.want.Resource = sid, f.arn
		must(c.lambda.AddPermission(t.Context(), &p.in))(t)
		same(t, sid, c.terraformPermission(t, f.name, nil, sid), &p.want)
		must(c.lambda.RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: &f.name, StatementId: &sid}))(t)
		if got := c.terraformPermission(t, f.name, nil, sid); got != nil {
			t.Errorf("%s is still there: %+v", sid, got)
		}
	}
}

// aws_lambda_policy: put, read back as it was put, put anew, deleted, gone.
func TestTerraformWholePolicy(t *testing.T) {
	t.Parallel()
	c, ctx, f := server.as(server.root), t.Context(), server.newFunction(t, echo)
	user := server.newUser(t)
	get := func() (*lambda.GetResourcePolicyOutput, error) {
		return c.lambda.GetResourcePolicy(ctx, &lambda.GetResourcePolicyInput{ResourceArn: &f.arn})
	}
	missing := failure{404, "ResourceNotFoundException", "The resource you requested does not exist."}
	_, err := get()
	check(t, err, missing)
	revision := ""
	for _, statements := range [][]string{
		{`{"Sid":"AllowS3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + f.arn +
			`","Condition":{"StringEquals":{"aws:SourceAccount":"` + account + `"}}}`},
		{grants("Allow", `{"AWS":"`+user.arn+`"}`, f.arn, `"Action":["lambda:InvokeFunction","lambda:GetFunction"]`),
			`{"Sid":"deny-s3_bucket","Effect":"Deny","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":["` + f.arn +
				`","` + f.arn + `:*"],"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::amzn-s3-demo-bucket"}}}`},
	} {
		put := must(c.putPolicy(t, f.arn, statements...))(t)
		read := must(get())(t)
		same(t, "put", *put.Policy, *document(statements...))
		same(t, "read", []string{*read.Policy, *read.RevisionId}, []string{*put.Policy, *put.RevisionId})
		if *put.RevisionId == revision {
			t.Error("an update kept the revision")
		}
		revision = *put.RevisionId
	}
	// What was added by the way is gone with the next update.
	must(c.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &f.name, StatementId: aws.String("drift"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("sns.amazonaws.com"),
	}))(t)
	_, err = c.lambda.PutResourcePolicy(ctx, &lambda.PutResourcePolicyInput{ResourceArn: &f.arn, Policy: document(grants("Deny", `"*"`, "*", `"Action":"*"`)), RevisionId: &revision})
	check(t, err, failure{412, "PreconditionFailedException",
		"The Revision Id provided does not match the latest Revision Id. Call the GetResourcePolicy API to retrieve the latest Revision Id"})
	must(c.putPolicy(t, f.arn, grants("Allow", `{"AWS":"`+user.arn+`"}`, f.arn, `"Action":"lambda:InvokeFunction"`)))(t)
	if got := c.terraformPermission(t, f.name, nil, "drift"); got != nil {
		t.Errorf("got %+v", got)
	}
	must(c.lambda.DeleteResourcePolicy(ctx, &lambda.DeleteResourcePolicyInput{ResourceArn: &f.arn}))(t)
	_, err = get()
	check(t, err, missing)
	_, err = c.putPolicy(t, f.arn, grants("Allow", `"*"`, f.arn, `"Action":"lambda:InvokeFunction"`))
	check(t, err, failure{400, "PublicPolicyException",
		"The resource-based policy you tried to add to the Lambda resource would grant public access to it, which isn't allowed."})
}

// aws_lambda_function_url with the permission that it makes for public URLs: made, read, changed, deleted, gone.
func TestTerraformFunctionURL(t *testing.T) {
	t.Parallel()
	c, ctx, f, s := server.as(server.root).lambda, t.Context(), server.newFunction(t, echo), aws.String
	get := func() (*lambda.GetFunctionUrlConfigOutput, error) {
		return c.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: &f.name})
	}
	cors := &types.Cors{
		AllowCredentials: aws.Bool(true), AllowHeaders: []string{"date", "keep-alive"}, AllowMethods: []string{"*"}, AllowOrigins: []string{"*"},
		ExposeHeaders: []string{"keep-alive", "date"}, MaxAge: aws.Int32(86400),
	}
	created := must(c.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{
		FunctionName: &f.name, AuthType: types.FunctionUrlAuthTypeNone, Cors: cors, InvokeMode: types.InvokeModeBuffered,
	}))(t)
	must(c.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &f.name, StatementId: s("FunctionURLAllowPublicAccess"), Action: s("lambda:InvokeFunctionUrl"), Principal: s("*"),
		FunctionUrlAuthType: types.FunctionUrlAuthTypeNone,
	}))(t)
	if !regexp.MustCompile(`^http://[a-z0-9]{32}\.lambda-url\.us-east-1\.localhost:[0-9]+/$`).MatchString(*created.FunctionUrl) {
		t.Errorf("got URL %s", *created.FunctionUrl)
	}
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`).MatchString(*created.CreationTime) {
		t.Errorf("got time %s", *created.CreationTime)
	}
	read := func(want lambda.GetFunctionUrlConfigOutput) {
		t.Helper()
		got := must(get())(t)
		got.ResultMetadata = middleware.Metadata{}
		want.CreationTime, want.LastModifiedTime = created.CreationTime, got.LastModifiedTime
		want.FunctionArn, want.FunctionUrl = &f.arn, created.FunctionUrl
		same(t, "URL", got, &want)
		if *got.LastModifiedTime < *got.CreationTime {
			t.Errorf("changed at %s, made at %s", *got.LastModifiedTime, *got.CreationTime)
		}
	}
	read(lambda.GetFunctionUrlConfigOutput{AuthType: types.FunctionUrlAuthTypeNone, Cors: cors, InvokeMode: types.InvokeModeBuffered})
	_, err := c.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: &f.name, AuthType: types.FunctionUrlAuthTypeNone})
	check(t, err, failure{409, "ResourceConflictException", "Failed to create function url config for [functionArn = " + f.arn +
		"]. Error message:  FunctionUrlConfig exists for this Lambda function"})

	update := func(in lambda.UpdateFunctionUrlConfigInput) {
		t.Helper()
		in.FunctionName = &f.name
		must(c.UpdateFunctionUrlConfig(ctx, &in))(t)
	}
	update(lambda.UpdateFunctionUrlConfigInput{AuthType: types.FunctionUrlAuthTypeAwsIam, InvokeMode: types.InvokeModeResponseStream})
	read(lambda.GetFunctionUrlConfigOutput{AuthType: types.FunctionUrlAuthTypeAwsIam, Cors: cors, InvokeMode: types.InvokeModeResponseStream})
	update(lambda.UpdateFunctionUrlConfigInput{Cors: &types.Cors{}}) // a block that is taken away
	read(lambda.GetFunctionUrlConfigOutput{AuthType: types.FunctionUrlAuthTypeAwsIam, InvokeMode: types.InvokeModeResponseStream})
	listed := must(c.ListFunctionUrlConfigs(ctx, &lambda.ListFunctionUrlConfigsInput{FunctionName: &f.name}))(t)
	if len(listed.FunctionUrlConfigs) != 1 || *listed.FunctionUrlConfigs[0].FunctionUrl != *created.FunctionUrl || listed.NextMarker != nil {
		t.Errorf("listed %+v", listed)
	}

	must(c.DeleteFunctionUrlConfig(ctx, &lambda.DeleteFunctionUrlConfigInput{FunctionName: &f.name}))(t)
	_, err = get()
	check(t, err, failure{404, "ResourceNotFoundException", "The resource you requested does not exist."})
	must(c.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &f.name, StatementId: s("FunctionURLAllowPublicAccess")}))(t)
}

// Who may make URLs of which auth type (https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html, "Condition keys").
func TestFunctionURLPermissions(t *testing.T) {
	t.Parallel()
	ctx, f := t.Context(), server.newFunction(t, echo)
	p := server.newUser(t, allow("lambda:*", "*"), `{"Effect":"Deny","Action":["lambda:CreateFunctionUrlConfig","lambda:UpdateFunctionUrlConfig"],`+
		`"Resource":"*","Condition":{"StringNotEquals":{"lambda:FunctionUrlAuthType":"AWS_IAM"}}}`)
	create := func(a types.FunctionUrlAuthType) error {
		_, err := p.lambda.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: &f.name, AuthType: a})
		return err
	}
	denied := func(action string) failure {
		return failure{403, "AccessDeniedException", "User: " + p.arn + " is not authorized to perform: " + action + " on resource: " + f.arn +
			" with an explicit deny in an identity-based policy"}
	}
	check(t, create(types.FunctionUrlAuthTypeNone), denied("lambda:CreateFunctionUrlConfig"))
	check(t, create(types.FunctionUrlAuthTypeAwsIam), failure{})
	_, err := p.lambda.UpdateFunctionUrlConfig(ctx, &lambda.UpdateFunctionUrlConfigInput{FunctionName: &f.name, AuthType: types.FunctionUrlAuthTypeNone})
	check(t, err, denied("lambda:UpdateFunctionUrlConfig"))
	must(p.lambda.UpdateFunctionUrlConfig(ctx, &lambda.UpdateFunctionUrlConfigInput{FunctionName: &f.name, InvokeMode: types.InvokeModeBuffered}))(t)
}
