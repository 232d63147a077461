package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/sigv4"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
)

// How many there are in the measurements of IAM.
const (
	manyRoles = 1000
	manyUsers = 10_000
)

// What the policies and the trust of the measurements say.
const (
	anything  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","sts:*"],"Resource":"*"}]}`
	anyoneOf  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}]}`
	something = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],` +
		`"Resource":"arn:aws:s3:::bucket-%d/${aws:username}/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`
)

// apiCall is an operation of IAM or STS as a client sends it.
type apiCall struct {
	name, service string
	parameters    url.Values
}

func apiCalls() []apiCall {
	iamCall := func(name string, parameters url.Values) apiCall {
		parameters.Set("Version", "2010-05-08")
		return apiCall{name, "iam", parameters}
	}
	stsCall := func(name string, parameters url.Values) apiCall {
		parameters.Set("Version", "2011-06-15")
		return apiCall{name, "sts", parameters}
	}
	all := []apiCall{
		stsCall("GetCallerIdentity", url.Values{}),
		iamCall("GetUser", url.Values{"UserName": {"caller"}}),
		iamCall("ListRoles", url.Values{}),
		stsCall("AssumeRole", url.Values{"RoleArn": {"arn:aws:iam::000000000000:role/role-0"}, "RoleSessionName": {"bench"}}),
		iamCall("SimulatePrincipalPolicy", simulation("caller")),
	}
	for _, q := range all {
		q.parameters.Set("Action", q.name)
	}
	return all
}

func simulation(user string) url.Values {
	return url.Values{
		"PolicySourceArn": {"arn:aws:iam::000000000000:user/" + user}, "ActionNames.member.1": {"s3:GetObject"},
		"ResourceArns.member.1": {"arn:aws:s3:::bucket-1/x"},
	}
}

// serveVerify verifies signatures and answers a constant, or as many bytes as its argument says: the least that a signed API can do.
func serveVerify() error {
	verifier := sigv4.New()
	constant := []byte(`<R xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>8476a536-e9f4-11e8-9739-2dfe598c3fcd</RequestId></ResponseMetadata></R>`)
	if len(os.Args) > 2 {
		size, err := strconv.Atoi(os.Args[2])
		if err != nil {
			return err
		}
		constant = bytes.Repeat([]byte(" "), size)
	}
	return serve(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verify(verifier, r, body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		w.Header().Set("Content-Length", strconv.Itoa(len(constant)))
		w.Write(constant) // an error shows as a failed request of the load
	})
}

// measureIdentity compares IAM and STS with the bare handler, and looks at a server of many users.
func (w *workshop) measureIdentity(ctx context.Context) (err error) {
	s, _, err := w.startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, s.stop()) }()
	caller, err := s.populate(ctx)
	if err != nil {
		return fmt.Errorf("populate: %w", err)
	}
	bare, err := w.startPeer(ctx, nil, "verify")
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, bare.stop()) }()
	fmt.Printf("%-34s %12s %12s %9s %9s\n", "calls per second, signed", "1 client", "16 clients", "/ bare", "/ bare")
	bareKey := aws.Credentials{AccessKeyID: benchKey, SecretAccessKey: benchSecret}
	for _, q := range apiCalls() {
		least, err := w.callRates(ctx, bare.url, q, bareKey)
		if err != nil {
			return fmt.Errorf("bare handler: %w", err)
		}
		ours, err := w.callRates(ctx, s.url, q, caller)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		printRates(q.name, ours, least)
		if err := w.compareTransfer(ctx, s.url, q, caller, ours); err != nil {
			return fmt.Errorf("%s beside as long an answer: %w", q.name, err)
		}
	}
	return nil
}

func printRates(name string, ours, bare [2]result) {
	fmt.Printf("%-34s %12.0f %12.0f %9.2f %9.2f\n", name, ours[0].rate, ours[1].rate, ours[0].rate/bare[0].rate, ours[1].rate/bare[1].rate)
}

// longAnswer is the length in bytes from which on the transfer alone costs as much as what the bare handler does.
const longAnswer = 16 << 10

// compareTransfer compares a call of a long answer with a bare handler whose answer is as long: the least that its transfer costs.
func (w *workshop) compareTransfer(ctx context.Context, url string, q apiCall, c aws.Credentials, ours [2]result) (err error) {
	length, err := answerLength(ctx, url, q, c)
	if err != nil || length < longAnswer {
		return err
	}
	bare, err := w.startPeer(ctx, nil, "verify", strconv.Itoa(length))
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, bare.stop()) }()
	least, err := w.callRates(ctx, bare.url, q, aws.Credentials{AccessKeyID: benchKey, SecretAccessKey: benchSecret})
	if err != nil {
		return err
	}
	printRates(fmt.Sprintf("  beside %d bare bytes", length), ours, least)
	return nil
}

func answerLength(ctx context.Context, url string, q apiCall, c aws.Credentials) (int, error) {
	req, err := signed(ctx, url+"/", []byte(q.parameters.Encode()), c, q.service)
	if err != nil {
		return 0, err
	}
	answer, err := answerTo(req)
	return len(answer), err
}

func (w *workshop) callRates(ctx context.Context, url string, q apiCall, c aws.Credentials) (rates [2]result, err error) {
	body := []byte(q.parameters.Encode())
	for i, clients := range []int{1, 16} {
		req, err := signed(ctx, url+"/", body, c, q.service)
		if err != nil {
			return rates, err
		}
		if rates[i], err = w.repeat(ctx, clients, body, req, 0); err != nil {
			return rates, err
		}
	}
	return rates, nil
}

// populate makes the roles and a user with five policies, and returns the user's keys.
func (s *server) populate(ctx context.Context) (aws.Credentials, error) {
	c := s.users()
	for i := range manyRoles {
		if _, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(fmt.Sprintf("role-%d", i)), AssumeRolePolicyDocument: aws.String(anyoneOf)}); err != nil {
			return aws.Credentials{}, err
		}
	}
	name := aws.String("caller")
	if _, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: name}); err != nil {
		return aws.Credentials{}, err
	}
	for i, text := range append([]string{anything}, somePolicies(4)...) {
		if _, err := c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String(fmt.Sprintf("policy-%d", i)), PolicyDocument: &text}); err != nil {
			return aws.Credentials{}, err
		}
	}
	key, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}, nil
}

func somePolicies(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf(something, i)
	}
	return texts
}

func (s *server) users() *iam.Client {
	return iam.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.url),
		Credentials: credentials.NewStaticCredentialsProvider(s.root.AccessKeyID, s.root.SecretAccessKey, ""),
	})
}

// measureManyUsers starts a server on a data directory of many users, and lets it decide about each of them.
func (w *workshop) measureManyUsers(ctx context.Context) (err error) {
	s, _, err := w.startServer(ctx) // it makes the account
	if err != nil {
		return err
	}
	if err := firstError(s.stop(), putUsers(ctx, s.data)); err != nil {
		return fmt.Errorf("make %d users: %w", manyUsers, err)
	}
	s, took, err := w.startServerOn(ctx, s.data)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, s.stop()) }()
	started, err := s.resident()
	if err != nil {
		return err
	}
	fmt.Printf("%d users with 5 policies each\n", manyUsers)
	fmt.Printf("server ready after start     %8.1f ms   (target < 2000)\n", float64(took.Microseconds())/1000)
	fmt.Printf("idle memory                  %8.1f MiB  (target < 200)\n", started)
	for i := range manyUsers {
		if err := s.simulate(ctx, i); err != nil {
			return err
		}
	}
	used, err := s.resident()
	if err != nil {
		return err
	}
	fmt.Printf("memory after asking about all %7.1f MiB  (target < 200)\n\n", used)
	return nil
}

func (s *server) simulate(ctx context.Context, user int) error {
	q := simulation(userName(user))
	q.Set("Action", "SimulatePrincipalPolicy")
	q.Set("Version", "2010-05-08")
	body := []byte(q.Encode())
	req, err := signed(ctx, s.url+"/", body, s.root, "iam")
	if err != nil {
		return err
	}
	_, err = answerTo(req)
	return err
}

func answerTo(req *http.Request) ([]byte, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err := firstError(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", resp.StatusCode, answer)
	}
	return answer, nil
}

func userName(i int) string { return "user-" + strconv.Itoa(i) }

// putUsers writes users into the store of a server that does not run, in the form that internal/services/iam keeps them in: more than
// AWS's quota of one account.
func putUsers(ctx context.Context, data string) (err error) {
	db, err := sqlite.Open(ctx, filepath.Join(data, "licet.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	const account = "iam/000000000000/"
	for first := 0; first < manyUsers; first += 1000 {
		err := db.Update(ctx, func(tx store.Tx) error {
			for i := first; i < first+1000; i++ {
				id, name := fmt.Sprintf("AIDA%017d", i), userName(i)
				inline := make(map[string]string)
				for p, text := range somePolicies(5) {
					inline[fmt.Sprintf("policy-%d-of-%d", p, i)] = text
				}
				user := map[string]any{"kind": "user", "id": id, "name": name, "path": "/", "created": time.Now().UTC(), "inline": inline}
				if err := errors.Join(store.PutJSON(tx, account+"user/"+id, user), tx.Put(account+"user-name/"+name, []byte(id))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
