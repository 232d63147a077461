package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/runtimes"
)

// language is an echo function, as licet gets it and as a plain process that speaks to a bare Runtime API.
type language struct {
	name    string
	runtime types.Runtime
	// file of the deployment package and its content.
	file, handler string
	source        []byte
	// command runs it as a plain process, with env beside the environment of this program. given is what licet adds to it.
	command, env, given []string
}

const (
	pythonEcho = "def handler(event, context):\n    return event\n"
	nodeEcho   = "exports.handler = async (event) => event;\n"
)

// languages are the Go bootstrap, and the managed runtimes whose interpreter this machine has.
func (w *workshop) languages() ([]language, error) {
	bootstrap, err := os.ReadFile(w.bootstrap)
	if err != nil {
		return nil, err
	}
	set, err := runtimes.Load()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(w.dir, "runtimes")
	if err := set.Install(dir); err != nil {
		return nil, err
	}
	python, node := filepath.Join(dir, "python"), filepath.Join(dir, "nodejs")
	all := []language{{
		name: "go", runtime: types.RuntimeProvidedal2023, file: "bootstrap", handler: "bootstrap", source: bootstrap,
		command: []string{w.bootstrap}, given: []string{"GOMAXPROCS=1"},
	}, {
		name: "python", runtime: types.RuntimePython311, file: "echo.py", handler: "echo.handler", source: []byte(pythonEcho),
		command: []string{"/usr/bin/python3", "-u", filepath.Join(python, "bootstrap.py"), w.dir}, env: []string{"PYTHONPATH=" + python},
	}, {
		name: "node", runtime: types.RuntimeNodejs20x, file: "echo.js", handler: "echo.handler", source: []byte(nodeEcho),
		command: []string{"/usr/bin/node", filepath.Join(node, "bootstrap.mjs")},
	}}
	var there []language
	for _, l := range all {
		if _, err := os.Stat(l.command[0]); err != nil {
			fmt.Printf("%s is not installed: no rows for %s\n", l.command[0], l.name)
			continue
		}
		task := filepath.Join(w.dir, "task-"+l.name)
		if err := os.MkdirAll(task, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(task, l.file), l.source, 0o755); err != nil {
			return nil, err
		}
		l.env = append(l.env, "LAMBDA_TASK_ROOT="+task, "_HANDLER="+l.handler, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769",
			"AWS_LAMBDA_FUNCTION_NAME=echo", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST")
		there = append(there, l)
	}
	return there, nil
}

// functions is a client of Lambda's API for the root.
func (s *server) functions() *lambda.Client {
	return lambda.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.url),
		Credentials: credentials.NewStaticCredentialsProvider(s.root.AccessKeyID, s.root.SecretAccessKey, ""),
	})
}

// employ makes a role that may write logs, and a user who may invoke every function whose name begins with echo; it returns the
// role's ARN and the user's keys.
func (s *server) employ(ctx context.Context) (role string, caller aws.Credentials, err error) {
	users := s.users()
	made, err := users.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("echo"), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
			`"Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})
	if err != nil {
		return "", caller, err
	}
	if _, err := users.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{
		RoleName: aws.String("echo"), PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"),
	}); err != nil {
		return "", caller, err
	}
	if _, err := users.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("caller")}); err != nil {
		return "", caller, err
	}
	if _, err := users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: aws.String("caller"), PolicyName: aws.String("invoke"), PolicyDocument: aws.String(`{"Version":"2012-10-17",` +
			`"Statement":[{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:000000000000:function:echo*"}]}`),
	}); err != nil {
		return "", caller, err
	}
	key, err := users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("caller")})
	if err != nil {
		return "", caller, err
	}
	return *made.Role.Arn, aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}, nil
}

// deploy makes a function of a language.
func (s *server) deploy(ctx context.Context, name, role string, l language) error {
	code, err := archived(l.file, l.source)
	if err != nil {
		return err
	}
	_, err = s.functions().CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &role, Runtime: l.runtime, Handler: &l.handler,
		MemorySize: aws.Int32(1769), Timeout: aws.Int32(30), Code: &types.FunctionCode{ZipFile: code},
	})
	return err
}

// path of an invocation.
func invocations(function string) string { return "/2015-03-31/functions/" + function + "/invocations" }
