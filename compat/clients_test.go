package compat

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// seen is what one client saw of one server: an answer of each protocol, and an error of each protocol.
type seen struct {
	ARN           string // sts, query
	Users         int    // iam, query
	Functions     int    // lambda, restJson1
	Groups        int    // logs, awsJson1.1
	QueryError    string
	RESTError     string
	JSONError     string
	BadSecret     string // the error code of a call signed with a wrong secret
	UnknownKey    string
	Unimplemented string
}

// want is the same for every client: that is the point.
var want = seen{
	ARN:           "arn:aws:iam::000000000000:root",
	QueryError:    "NoSuchEntity",
	RESTError:     "ResourceNotFoundException",
	JSONError:     "ResourceNotFoundException",
	BadSecret:     "SignatureDoesNotMatch",
	UnknownKey:    "UnrecognizedClientException",
	Unimplemented: "NotImplemented",
}

// forget drops counts: other tests of the package make users and functions at will.
func (s seen) forget() seen {
	s.Users, s.Functions, s.Groups = 0, 0, 0
	return s
}

func TestClientGo(t *testing.T) {
	ctx := t.Context()
	cfg := server.config(server.root)
	var got seen
	id, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	got.ARN = aws.ToString(id.Arn)
	if _, err := iam.NewFromConfig(cfg).ListUsers(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := lambda.NewFromConfig(cfg).ListFunctions(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(ctx, nil); err != nil {
		t.Fatal(err)
	}
	_, err = iam.NewFromConfig(cfg).GetUser(ctx, &iam.GetUserInput{UserName: aws.String("nobody")})
	got.QueryError = code(err)
	_, err = lambda.NewFromConfig(cfg).GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("nothing")})
	got.RESTError = code(err)
	_, err = cloudwatchlogs.NewFromConfig(cfg).DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("nothing")})
	got.JSONError = code(err)
	_, err = cloudwatchlogs.NewFromConfig(cfg).DescribeQueries(ctx, nil)
	got.Unimplemented = code(err)

	wrong := server.root
	wrong.SecretAccessKey = "wrong"
	_, err = sts.NewFromConfig(server.config(wrong)).GetCallerIdentity(ctx, nil)
	got.BadSecret = code(err)
	unknown := server.root
	unknown.AccessKeyID = "AKIAAAAAAAAAAAAAAAAA"
	_, err = lambda.NewFromConfig(server.config(unknown)).ListFunctions(ctx, nil)
	got.UnknownKey = code(err)
	if diff := cmp.Diff(got.forget(), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// TestClientPrograms lets three other implementations of SigV4 and of the protocols see the same.
func TestClientPrograms(t *testing.T) {
	for _, program := range [][]string{
		{"/usr/bin/python3", "clients.py", "boto3"},
		{"/usr/bin/python3", "clients.py", "cli"},
		{"/usr/bin/node", "clients.mjs"},
	} {
		name := strings.Join(program[1:], "-")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := server.command(t, server.root, program[0], program[1:]...)
			if err != nil {
				t.Fatal(err)
			}
			var got seen
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			if diff := cmp.Diff(got.forget(), want); diff != "" {
				t.Errorf("-got +want:\n%s", diff)
			}
		})
	}
}

// code is the error code of an SDK error, or a word that no code is.
func code(err error) string {
	if err == nil {
		return "no error"
	}
	var api interface{ ErrorCode() string }
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprintf("not an API error: %v", err)
}
