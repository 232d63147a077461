package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const (
	manyFunctions = 1000
	// fastestPeer is what an in-memory server that verifies nothing does, GetFunction per second by 16 clients on two cores.
	fastestPeer = 9400
)

// measureFunctions compares reads of Lambda's API with a bare handler that only verifies signatures: one that answers a few bytes, and one
// that answers as many as licet does, for what the transfer alone costs.
func (w *workshop) measureFunctions(ctx context.Context) (err error) {
	s, _, err := w.startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, s.stop()) }()
	caller, err := s.populateFunctions(ctx)
	if err != nil {
		return fmt.Errorf("populate: %w", err)
	}
	fmt.Printf("%-22s %8s %10s %8s %8s   %s\n", "signed reads per second", "clients", "licet", "/ bare", "/ same", "bytes of an answer")
	for _, q := range []struct{ name, path string }{
		{"GetFunction", "/2015-03-31/functions/function-500"},
		{"ListFunctions", "/2015-03-31/functions/"},
	} {
		size, err := answerSize(ctx, s.url+q.path, caller)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		for _, clients := range []int{1, 16} {
			rates := make(map[string]float64)
			for name, args := range map[string][]string{"bare": {"verify"}, "same": {"verify", strconv.Itoa(size)}} {
				if rates[name], err = w.peerRate(ctx, args, q.path, clients); err != nil {
					return fmt.Errorf("bare handler: %w", err)
				}
			}
			ours, err := w.readRate(ctx, s.url+q.path, caller, clients)
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			fmt.Printf("%-22s %8d %10.0f %8.2f %8.2f   %d\n", q.name, clients, ours, ours/rates["bare"], ours/rates["same"], size)
		}
	}
	fmt.Printf("the fastest peer's GetFunction, 16 clients: %d (it keeps all in memory and verifies nothing)\n\n", fastestPeer)
	return nil
}

func (w *workshop) peerRate(ctx context.Context, args []string, path string, clients int) (rate float64, err error) {
	p, err := w.startPeer(ctx, nil, args...)
	if err != nil {
		return 0, err
	}
	defer func() { err = firstError(err, p.stop()) }()
	return w.readRate(ctx, p.url+path, aws.Credentials{AccessKeyID: benchKey, SecretAccessKey: benchSecret}, clients)
}

func (w *workshop) readRate(ctx context.Context, url string, c aws.Credentials, clients int) (float64, error) {
	req, err := signedRequest(ctx, http.MethodGet, url, nil, c, "lambda")
	if err != nil {
		return 0, err
	}
	r, err := w.repeat(ctx, clients, nil, req, 0)
	return r.rate, err
}

// answerSize is the number of bytes in an answer's body.
func answerSize(ctx context.Context, url string, c aws.Credentials) (int, error) {
	req, err := signedRequest(ctx, http.MethodGet, url, nil, c, "lambda")
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	answer, err := io.ReadAll(resp.Body)
	return len(answer), firstError(err, resp.Body.Close())
}

// populateFunctions makes the functions and a user with five policies who may read them, and returns the user's keys.
func (s *server) populateFunctions(ctx context.Context) (aws.Credentials, error) {
	users := s.users()
	role, err := users.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("functions"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	if err != nil {
		return aws.Credentials{}, err
	}
	functions := s.functions()
	code, err := archived("bootstrap", []byte("#!/bin/sh\n"))
	if err != nil {
		return aws.Credentials{}, err
	}
	for i := range manyFunctions {
		_, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: aws.String(fmt.Sprintf("function-%03d", i)), Role: role.Role.Arn, Runtime: types.RuntimeProvidedal2023,
			Handler: aws.String("bootstrap"), Code: &types.FunctionCode{ZipFile: code}, Description: aws.String("one of many"),
			Environment: &types.Environment{Variables: map[string]string{"STAGE": "test", "TABLE": "orders"}},
		})
		if err != nil {
			return aws.Credentials{}, err
		}
	}
	return s.newReader(ctx, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:Get*","lambda:List*"],"Resource":"*"}]}`)
}

// newReader makes a user with a policy and four others, and returns its keys.
func (s *server) newReader(ctx context.Context, policy string) (aws.Credentials, error) {
	users, name := s.users(), aws.String("reader")
	if _, err := users.CreateUser(ctx, &iam.CreateUserInput{UserName: name}); err != nil {
		return aws.Credentials{}, err
	}
	for i, text := range append([]string{policy}, somePolicies(4)...) {
		_, err := users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
			UserName: name, PolicyName: aws.String(fmt.Sprintf("policy-%d", i)), PolicyDocument: &text,
		})
		if err != nil {
			return aws.Credentials{}, err
		}
	}
	key, err := users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}, nil
}
