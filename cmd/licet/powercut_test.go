package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/internal/backup"
	"github.com/licet/licet/internal/powercut"
)

// recordedDir is the variable by which TestServerThatIsRecorded learns where to work.
const recordedDir = "LICET_RECORDED_DIR"

// madeDir is the data directory, with one above that the server makes, too.
func madeDir(dir string) string { return filepath.Join(dir, "made", "data") }

// awsConfig is that of clients of the server.
func (r *running) awsConfig(id, secret string) aws.Config {
	return aws.Config{
		BaseEndpoint: &r.url, Region: r.config.Region, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, nil
		}),
	}
}

func objectsOf(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// TestServerThatIsRecorded is the server of TestPowerCutsOfServer, and its client. What it acknowledges is one of root, key, function and object, with
// what tells it.
func TestServerThatIsRecorded(t *testing.T) {
	dir := os.Getenv(recordedDir)
	if dir == "" {
		t.Skip("not a test by itself: TestPowerCutsOfServer runs it")
	}
	c := goodConfig()
	c.Data = madeDir(dir)
	s := run(t, c)
	root, err := rootCredentials(t.Context(), dataDir(c.Data), defaultAccount)
	if err != nil {
		t.Fatal(err)
	}
	acknowledge := func(err error, what ...any) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Print(powercut.Ack + fmt.Sprintln(what...))
	}
	acknowledge(nil, "root", root.AccessKeyID, root.SecretAccessKey)
	for n := range 2 {
		own := s.awsConfig(root.AccessKeyID, root.SecretAccessKey)
		name := aws.String(fmt.Sprint("n", n))
		_, err := iam.NewFromConfig(own).CreateUser(t.Context(), &iam.CreateUserInput{UserName: name})
		if err != nil {
			t.Fatal(err)
		}
		key, err := iam.NewFromConfig(own).CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
		if err != nil {
			t.Fatal(err)
		}
		acknowledge(nil, "key", *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
		role, err := iam.NewFromConfig(own).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(someTrust)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = lambda.NewFromConfig(own).CreateFunction(t.Context(), &lambda.CreateFunctionInput{
			FunctionName: name, Role: role.Role.Arn, Handler: aws.String("code.handler"), Runtime: types.RuntimePython311,
			Code: &types.FunctionCode{ZipFile: zipOf(t, "code.py", strings.Repeat("# "+*name+"\n", 5000))},
		})
		acknowledge(err, "function", *name)
		objects := objectsOf(own)
		if _, err := objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket-" + *name)}); err != nil {
			t.Fatal(err)
		}
		_, err = objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket-" + *name), Key: name, Body: strings.NewReader(*name)})
		acknowledge(err, "object", *name)
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		s = restart(t, s)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

func zipOf(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = io.WriteString(f, text)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPowerCutsOfServer: whenever the power goes, from the first start on, a server starts on what is left, with all that was acknowledged, and the
// directory is whole.
func TestPowerCutsOfServer(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed (make test-deps)")
	}
	cuts, err := powercut.Cuts(10)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerThatIsRecorded$", "-test.count=1", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), recordedDir+"="+dir)
	r, err := powercut.Record(dir, cmd)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Images(uint64(time.Now().UnixNano()), cuts, t.TempDir(), func(dir string, acknowledged []string) error {
		return startsWith(t.Context(), madeDir(dir), acknowledged)
	}); err != nil {
		t.Error(err)
	}
}

// startsWith wants a server to start on a directory, and to have what it has acknowledged.
func startsWith(ctx context.Context, data string, acknowledged []string) error {
	d := dataDir(data)
	if url, err := d.endpoint(); err != nil || !strings.HasPrefix(url, "http://127.0.0.1:") {
		return fmt.Errorf("what was announced: %q, %w", url, errors.Join(err, errors.New("want a URL")))
	}
	c := goodConfig()
	c.Data = data
	s, err := launch(ctx, c)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	var own aws.Config
	for _, text := range acknowledged {
		var err error
		switch what := strings.Fields(text); what[0] {
		case "root":
			own = s.awsConfig(what[1], what[2])
			_, err = sts.NewFromConfig(own).GetCallerIdentity(ctx, nil)
		case "key":
			_, err = sts.NewFromConfig(s.awsConfig(what[1], what[2])).GetCallerIdentity(ctx, nil)
		case "function":
			_, err = lambda.NewFromConfig(own).GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &what[1]})
		case "object":
			err = hasObject(ctx, objectsOf(own), "bucket-"+what[1], what[1])
		default:
			err = errors.New("it is not known how to look for it")
		}
		if err != nil {
			return errors.Join(fmt.Errorf("%s was acknowledged: %w", text, err), s.stop())
		}
	}
	if err := s.stop(); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	report, err := backup.Check(ctx, data, facts())
	if err == nil && !report.OK() {
		err = fmt.Errorf("the directory is not whole: %v", report.Problems)
	}
	return err
}

// hasObject wants an object that has its own key as its bytes.
func hasObject(ctx context.Context, client *s3.Client, bucket, key string) error {
	o, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return err
	}
	b, err := io.ReadAll(o.Body)
	if err = errors.Join(err, o.Body.Close()); err == nil && string(b) != key {
		err = fmt.Errorf("its bytes are %q", b)
	}
	return err
}
