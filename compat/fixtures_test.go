package compat

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
)

// account is the account of every server here, and arnPrefix begins the ARNs of its users and roles.
const (
	account   = "000000000000"
	arnPrefix = "arn:aws:iam::" + account + ":"
)

// clients are the Go SDK's clients of one caller.
type clients struct {
	credentials aws.Credentials
	iam         *iam.Client
	sts         *sts.Client
	lambda      *lambda.Client
	logs        *cloudwatchlogs.Client
	sqs         *sqs.Client
}

// as makes the clients of a caller.
func (l *licet) as(c aws.Credentials) clients {
	config := l.config(c)
	return clients{
		c, iam.NewFromConfig(config), sts.NewFromConfig(config), lambda.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config),
		sqs.NewFromConfig(config),
	}
}

// sessionCredentials are what STS gave.
func sessionCredentials(c *ststypes.Credentials) aws.Credentials {
	return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}
}

// unique makes a name that no other test has.
func unique(prefix string) string { return prefix + "-" + strings.ToLower(rand.Text()[:10]) }

// person is a user with the clients of its access key.
type person struct {
	name, arn string
	clients
}

// newUser makes a user with an access key and, if there are statements, an inline policy "own" of them.
func (l *licet) newUser(t *testing.T, statements ...string) person {
	t.Helper()
	root, name := l.as(l.root), unique("user")
	u, err := root.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	key, err := root.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	p := person{name, *u.User.Arn, l.as(aws.Credentials{
		AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey,
	})}
	if len(statements) > 0 {
		l.permit(t, p, statements...)
	}
	return p
}

// permit makes the statements the user's inline policy "own", in the place of the one it may have.
func (l *licet) permit(t *testing.T, p person, statements ...string) {
	t.Helper()
	_, err := l.as(l.root).iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: &p.name, PolicyName: aws.String("own"), PolicyDocument: document(statements...),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// role is a role.
type role struct{ name, arn string }

// trustLambda lets Lambda assume a role.
const trustLambda = `{"Service":"lambda.amazonaws.com"}`

// newRole makes a role that trusts a Principal element, with an inline policy "own" of the statements if there are any.
func (l *licet) newRole(t *testing.T, principal string, statements ...string) role {
	t.Helper()
	r := role{name: unique("role")}
	out, err := l.as(l.root).iam.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &r.name, AssumeRolePolicyDocument: document(trust(principal)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.arn = *out.Role.Arn
	if len(statements) > 0 {
		l.permitRole(t, r, statements...)
	}
	return r
}

// permitRole is permit for a role.
func (l *licet) permitRole(t *testing.T, r role, statements ...string) {
	t.Helper()
	_, err := l.as(l.root).iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: &r.name, PolicyName: aws.String("own"), PolicyDocument: document(statements...),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// newPolicy makes a managed policy and gives its ARN.
func (l *licet) newPolicy(t *testing.T, statements ...string) string {
	t.Helper()
	out, err := l.as(l.root).iam.CreatePolicy(t.Context(), &iam.CreatePolicyInput{
		PolicyName: aws.String(unique("policy")), PolicyDocument: document(statements...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Policy.Arn
}

// assume gives the clients of a role's session.
func (l *licet) assume(t *testing.T, c clients, in *sts.AssumeRoleInput) clients {
	t.Helper()
	if in.RoleSessionName == nil {
		in.RoleSessionName = aws.String("session")
	}
	out, err := c.sts.AssumeRole(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return l.as(sessionCredentials(out.Credentials))
}

// document is a policy of statements.
func document(statements ...string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

// allow is a statement that allows an action on a resource, under a Condition element if there is one.
func allow(action, resource string, condition ...string) string {
	return statement("Allow", action, resource, condition...)
}

// deny is allow's opposite.
func deny(action, resource string, condition ...string) string {
	return statement("Deny", action, resource, condition...)
}

func statement(effect, action, resource string, condition ...string) string {
	more := ""
	if len(condition) > 0 {
		more = `,"Condition":` + condition[0]
	}
	return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":%q%s}`, effect, action, resource, more)
}

// trust is a statement of a trust policy.
func trust(principal string, condition ...string) string {
	more := ""
	if len(condition) > 0 {
		more = `,"Condition":` + condition[0]
	}
	return `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"` + more + `}`
}

// echo answers with its event.
const echo = "def handler(event, context):\n    return event\n"

// function is a function.
type function struct{ name, arn string }

// newFunction makes a Python function from the source of its module, with changes to what is asked for.
func (l *licet) newFunction(t *testing.T, source string, changes ...func(*lambda.CreateFunctionInput)) function {
	t.Helper()
	in := &lambda.CreateFunctionInput{
		FunctionName: aws.String(unique("function")), Runtime: types.RuntimePython311, Handler: aws.String("code.handler"),
		Code: &types.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: source})}, Timeout: aws.Int32(30),
		MemorySize: aws.Int32(512),
	}
	for _, change := range changes {
		change(in)
	}
	if in.Role == nil {
		in.Role = aws.String(l.newRole(t, trustLambda).arn)
	}
	out, err := l.as(l.root).lambda.CreateFunction(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return function{*in.FunctionName, *out.FunctionArn}
}

// file is an entry of an archive. Its mode is 0644 unless it is set; text is the target of a link.
type file struct {
	name, text string
	mode       uint32
}

// archive makes a zip archive.
func archive(t *testing.T, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { // the race detector makes all others slow
		return flate.NewWriter(out, flate.BestSpeed)
	})
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, CreatorVersion: 3 << 8} // made on Unix: the mode counts
		if f.mode == 0 {
			f.mode = 0o100644
		}
		h.ExternalAttrs = f.mode << 16
		e, err := w.CreateHeader(h)
		if err == nil {
			_, err = e.Write([]byte(f.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// npmPackage gives the files of a package of package.json, and of those that it depends on, as far as programs read them.
func npmPackage(t *testing.T, name string) (files []file) {
	t.Helper()
	seen := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		dir := filepath.Join("node_modules", name)
		if _, err := os.Stat(dir); seen[name] || errors.Is(err, fs.ErrNotExist) { // some are optional
			return
		}
		seen[name] = true
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err == nil && e.IsDir() && (e.Name() == "dist-es" || e.Name() == "dist-types"):
				return filepath.SkipDir
			case err != nil || e.IsDir() || !slices.Contains([]string{".js", ".cjs", ".json"}, filepath.Ext(path)):
				return err
			}
			text, err := os.ReadFile(path)
			files = append(files, file{name: filepath.ToSlash(path), text: string(text)})
			var p struct{ Dependencies map[string]string }
			if e.Name() == "package.json" { // also that of a package of another version, which only this one uses
				err = errors.Join(err, json.Unmarshal(text, &p))
			}
			for dependency := range p.Dependencies {
				add(dependency)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(name)
	return files
}

// invoke runs a function with an event and gives what it answered; the error holds a failure of the function too.
func (c clients) invoke(t *testing.T, name, event string) (string, error) {
	t.Helper()
	out, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(event)})
	if err != nil {
		return "", err
	}
	if out.FunctionError != nil {
		return "", fmt.Errorf("function error %s: %s", *out.FunctionError, out.Payload)
	}
	return string(out.Payload), nil
}

// failure is what a client sees of an error; it is zero for a call that succeeded.
type failure struct {
	Status  int
	Code    string
	Message string
}

// failureOf reads an error of the Go SDK.
func failureOf(err error) failure {
	if err == nil {
		return failure{}
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return failure{Message: "no error of the service: " + err.Error()}
	}
	f := failure{Code: api.ErrorCode(), Message: api.ErrorMessage()}
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		f.Status = response.HTTPStatusCode()
	}
	return f
}

// requestID is the id of a refused call.
func requestID(t *testing.T, err error) string {
	t.Helper()
	response, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || response.ServiceRequestID() == "" {
		t.Fatalf("got %v, want an error with a request id", err)
	}
	return response.ServiceRequestID()
}

// check compares an error with what it should be.
func check(t *testing.T, err error, want failure) {
	t.Helper()
	if diff := cmp.Diff(failureOf(err), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// lambdaDenied is Lambda's denial of an action because no policy of the type allows it.
func lambdaDenied(caller, action, resource, policyType string) failure {
	return failure{403, "AccessDeniedException", noPolicyAllows(caller, action, resource, policyType)}
}

// noPolicyAllows is the text of a denial (iam.md M1).
func noPolicyAllows(caller, action, resource, policyType string) string {
	return fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s because no %s allows the %s action",
		caller, action, resource, policyType, action)
}

// byName is how IAM's denials name the user, role, group or policy of an ARN (see TestDenialNames).
func byName(arn string) string {
	kind, name, _ := strings.Cut(arn[strings.LastIndex(arn, ":")+1:], "/")
	if kind == "policy" {
		return "policy " + arn
	}
	return kind + " " + name[strings.LastIndex(name, "/")+1:]
}

func decodeBase64(t *testing.T, text string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// responseID is the request id of a call that succeeded.
func responseID(t *testing.T, m middleware.Metadata) string {
	t.Helper()
	id, ok := awsmiddleware.GetRequestIDMetadata(m)
	if !ok {
		t.Fatal("the response has no request id")
	}
	return id
}

// entry reads the signature of a signed archive.
func entry(t *testing.T, signed []byte) string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(signed), int64(len(signed)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Open("META-INF/aws_signer_signature_v1.0.SF")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
