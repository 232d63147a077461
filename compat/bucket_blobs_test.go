package compat

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/licet/licet/internal/store/postgres/postgrestest"
)

// keeper is a licet whose S3 has the blobs of other servers.
type keeper struct {
	*licet
	bucket string
	// user has the policy of docs/STORES.md.
	user   person
	policy string
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	k := &keeper{licet: newServer(t)}
	k.listen = strings.TrimPrefix(k.url, "http://") // when it is started again, too
	k.bucket = newBucket(t, k.s3Of(k.root))
	page := string(must(os.ReadFile("../docs/STORES.md"))(t))
	fenced := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(fenced) != 1 {
		t.Fatalf("docs/STORES.md has %d policies, want one", len(fenced))
	}
	k.policy = strings.NewReplacer("BUCKET", k.bucket, "PREFIX", "the/prefix").Replace(fenced[0][1])
	k.user = k.newUser(t)
	k.allow(t, k.policy)
	return k
}

// allow gives the user a policy in place of the one before.
func (k *keeper) allow(t *testing.T, policy string) {
	t.Helper()
	must(k.as(k.root).iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &k.user.name, PolicyName: new("own"), PolicyDocument: &policy}))(t)
}

// place is what --blobs says.
func (k *keeper) place() string { return "s3://" + k.bucket + "/the/prefix?endpoint=" + k.url }

// variables are the environment of a server that has its blobs there.
func (k *keeper) variables(t *testing.T) []string {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	return []string{
		"AWS_CONFIG_FILE=" + none, "AWS_SHARED_CREDENTIALS_FILE=" + none, "AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=" + k.user.credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + k.user.credentials.SecretAccessKey,
	}
}

// newClient makes a server that has its blobs there, not started.
func (k *keeper) newClient(t *testing.T) *licet {
	t.Helper()
	return &licet{binary: k.binary, data: filepath.Join(t.TempDir(), "data"), variables: k.variables(t)}
}

// kill ends it as the loss of its machine would.
func (k *keeper) kill(t *testing.T) {
	t.Helper()
	must(0, k.cmd.Process.Kill())(t)
	<-k.ended
}

// refused wants the server not to start, and gives what it said.
func refused(t *testing.T, l *licet, flags ...string) string {
	t.Helper()
	err := l.launch(flags...)
	if err == nil {
		l.end(t)
		t.Fatalf("the server started with %q", flags)
	}
	return err.Error()
}

// checked runs licet check.
func (l *licet) checked(t *testing.T) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), l.binary, "check", "--data", l.data)
	cmd.Env = append(os.Environ(), l.variables...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// wantFault wants an error of the server, not of the client.
func wantFault(t *testing.T, what string, err error) {
	t.Helper()
	if got := failureOf(err); got.Status < 500 {
		t.Errorf("%s: got %+v, want a 5xx", what, got)
	}
}

// spy returns its environment, and looks for a text in what it can read of others'.
const spy = `import glob, os

def handler(event, context):
    found = []
    for path in glob.glob("/proc/*/environ"):
        try:
            text = open(path, "rb").read()
        except OSError:
            continue
        if any(word.encode() in text for word in event):
            found.append(path)
    return {"environment": dict(os.environ), "found": found}
`

// Two servers over one database have code and objects in the S3 of a third, whose key may do just what docs/STORES.md says. What one takes the
// other has. While the third is dead nothing is acknowledged that would be lost, and functions go on; when it is back, so does all else. No
// function learns the key.
func TestBlobsInBucket(t *testing.T) {
	t.Parallel()
	k, ctx := newKeeper(t), t.Context()
	database := postgrestest.Start(t)
	a, b := k.newClient(t), k.newClient(t)
	flags := []string{"--store", database.URL("licet_bucket"), "--blobs", k.place()}
	a.start(t, flags...)
	must(0, os.Mkdir(b.data, 0o700))(t)
	must(0, os.WriteFile(filepath.Join(b.data, "key"), must(os.ReadFile(filepath.Join(a.data, "key")))(t), 0o600))(t)
	b.start(t, flags...)

	f := a.newFunction(t, spy)
	secrets := fmt.Sprintf("[%q, %q]", k.user.credentials.AccessKeyID, k.user.credentials.SecretAccessKey)
	invoke := func(l *licet, f function) {
		t.Helper()
		got, err := l.as(l.root).invoke(t, f.name, secrets)
		if err != nil || !strings.Contains(got, `"AWS_LAMBDA_FUNCTION_NAME": "`+f.name+`"`) {
			t.Fatalf("got %s, %v", got, err)
		}
		environment, found, _ := strings.Cut(got, `"found": `)
		for _, secret := range []string{k.user.credentials.AccessKeyID, k.user.credentials.SecretAccessKey, k.url} {
			if strings.Contains(environment, secret) {
				t.Errorf("the function has the server's %s: %s", secret, got)
			}
		}
		if isolated() && found != "[]}" {
			t.Errorf("the function can read the key in %s", found)
		}
	}
	invoke(b, f)
	invoke(a, f)

	inA, inB := a.s3Of(a.root), b.s3Of(b.root)
	bucket := newBucket(t, inA)
	content := make([]byte, 3<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content) // never fails
	putObject(t, inA, bucket, "large", string(content))
	putObject(t, inA, bucket, "small", "text")
	read := func(l *licet) {
		t.Helper()
		c := l.s3Of(l.root)
		if got, err := getObject(ctx, c, bucket, "large"); err != nil || got != string(content) {
			t.Errorf("got %d bytes, %v, want %d", len(got), err, len(content))
		}
		part, err := getObject(ctx, c, bucket, "large", func(in *s3.GetObjectInput) { in.Range = new("bytes=2000000-2000009") })
		if err != nil || part != string(content[2000000:2000010]) {
			t.Errorf("a range: got %q, %v", part, err)
		}
		if got, err := getObject(ctx, c, bucket, "small"); err != nil || got != "text" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	read(b)
	if entries := must(os.ReadDir(filepath.Join(a.data, "spool", "objects")))(t); len(entries) > 0 {
		t.Errorf("left in the data directory: %v", entries)
	}

	k.kill(t)
	root := b.as(b.root)
	_, err := root.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: new("lost"), Runtime: types.RuntimePython311, Handler: new("code.handler"), Role: aws.String(a.newRole(t, trustLambda).arn),
		Code: &types.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: "def handler(event, context):\n    return 1\n"})},
	})
	wantFault(t, "CreateFunction", err)
	_, err = root.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: new("lost")})
	if got := code(err); got != "ResourceNotFoundException" {
		t.Errorf("the function that was not acknowledged: got %s", got)
	}
	_, err = inA.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: new("lost"), Body: strings.NewReader("x")})
	wantFault(t, "PutObject", err)
	if _, err = getObject(ctx, inA, bucket, "lost"); code(err) != "NoSuchKey" {
		t.Errorf("the object that was not acknowledged: got %v", err)
	}
	_, err = getObject(ctx, inB, bucket, "small")
	wantFault(t, "GetObject", err)
	invoke(a, f)
	invoke(b, f)
	must(root.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &f.name, MemorySize: aws.Int32(600)}))(t)
	invoke(b, f) // in a new environment, of code that is unpacked
	b.end(t)
	if got := refused(t, b, flags...); !strings.Contains(got, k.url+" does not answer: start it") {
		t.Errorf("a start without the bucket: got %s", got)
	}

	k.start(t)
	b.start(t, flags...)
	read(a)
	read(b)
	invoke(b, f)
	invoke(a, b.newFunction(t, spy+"# another\n"))

	a.end(t)
	b.end(t)
	if out, err := b.checked(t); err != nil || !strings.Contains(out, "is whole: its database answers") {
		t.Errorf("check: %s, %v", out, err)
	}
	out, err := b.run(t, "backup", "--data", b.data, filepath.Join(t.TempDir(), "copy"))
	if err == nil || !strings.Contains(out, "back that up by the means of the database") {
		t.Errorf("backup: got %s, %v", out, err)
	}
	blobs := must(k.s3Of(k.root).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &k.bucket, Prefix: new("the/prefix/blobs/")}))(t).Contents
	if len(blobs) != 2 {
		t.Fatalf("the bucket has %d archives, want 2", len(blobs))
	}
	putObject(t, k.s3Of(k.root), k.bucket, *blobs[0].Key, "damaged")
	must(k.s3Of(k.root).DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &k.bucket, Key: blobs[1].Key}))(t)
	out, err = a.checked(t)
	for i, want := range []string{" has another content than its name says.", " is missing."} {
		if name := "blobs/" + filepath.Base(*blobs[i].Key); err == nil || !strings.Contains(out, name+want) {
			t.Errorf("check: got %s, %v, want %s%s", out, err, name, want)
		}
	}
}

// A server starts with the rights of the policy in docs/STORES.md, and not without one of them.
func TestBlobsInBucketPolicy(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	l := k.newClient(t)
	for _, action := range []string{"s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"} {
		if !strings.Contains(k.policy, `"`+action+`"`) {
			t.Fatalf("the policy does not allow %s", action)
		}
		k.allow(t, strings.Replace(k.policy, `"`+action+`"`, `"s3:GetBucketLocation"`, 1))
		if got := refused(t, l, "--blobs", k.place()); !strings.Contains(got, "give them the policy in docs/STORES.md") || !strings.Contains(got, action) {
			t.Errorf("without %s: got %s", action, got)
		}
	}
	k.allow(t, k.policy)
	// What a server meets that it does not know may be what another has just written.
	stray := "the/prefix/objects/00/" + strings.Repeat("0", 64)
	putObject(t, k.s3Of(k.root), k.bucket, stray, "text")
	l.start(t, "--blobs", k.place())
	l.end(t)
	if got, err := getObject(t.Context(), k.s3Of(k.root), k.bucket, stray); got != "text" || err != nil {
		t.Errorf("what another server may have written: got %q, %v", got, err)
	}
	if got := refused(t, l, "--blobs", "s3://"+k.bucket+"/the/prefix?endpont=x"); !strings.Contains(got, "there is no parameter endpont") {
		t.Errorf("got %s", got)
	}
}

// A server goes from its directory to a bucket and back by the commands that it prints, of the AWS CLI.
func TestBlobsMoveToBucket(t *testing.T) {
	t.Parallel()
	k, ctx := newKeeper(t), t.Context()
	l := k.newClient(t)
	l.start(t)
	f := l.newFunction(t, "def handler(event, context):\n    return 'kept'\n")
	bucket := newBucket(t, l.s3Of(l.root))
	putObject(t, l.s3Of(l.root), bucket, "key", "text")
	l.end(t)

	// move starts the server with blobs at another place, once they are copied.
	move := func(place string) {
		t.Helper()
		for range 2 {
			said := refused(t, l, "--blobs", place)
			command := regexp.MustCompile(`copy them first, with (aws s3 sync .*)`).FindStringSubmatch(said)
			if command == nil {
				t.Fatalf("got %s, want what to copy", said)
			}
			cmd := exec.CommandContext(ctx, "sh", "-c", command[1])
			cmd.Env = append(k.environ(t, k.user.credentials), "AWS_ENDPOINT_URL=")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", command[1], err, out)
			}
		}
		must(0, os.RemoveAll(filepath.Join(l.data, "code")))(t) // or it would not need to be fetched
		l.start(t, "--blobs", place)
		if got, err := l.as(l.root).invoke(t, f.name, "{}"); got != `"kept"` || err != nil {
			t.Errorf("at %s: got %s, %v", place, got, err)
		}
		if got, err := getObject(ctx, l.s3Of(l.root), bucket, "key"); got != "text" || err != nil {
			t.Errorf("at %s: got %q, %v", place, got, err)
		}
		l.end(t)
		if out, err := l.checked(t); err != nil || !strings.Contains(out, " is whole: ") || !strings.Contains(out, " 2 blobs ") {
			t.Errorf("check at %s: %s, %v", place, out, err)
		}
	}
	move(k.place())
	out, err := l.run(t, "backup", "--data", l.data, filepath.Join(t.TempDir(), "copy"))
	if database == nil && (err == nil || !strings.Contains(out, "are in s3://"+k.bucket)) {
		t.Errorf("backup: got %s, %v", out, err)
	}
	move(t.TempDir())

	// The place of old is where it was, but nobody can see what it has.
	before := "s3://" + k.bucket + "/the/prefix?endpoint=http://127.0.0.1:1"
	must(0, os.WriteFile(filepath.Join(l.data, "blobstore"), []byte(before), 0o600))(t)
	if got := refused(t, l, "--blobs", t.TempDir()); !strings.Contains(got, "whether there are any where they were is not known (remove "+l.data+"/blobstore") {
		t.Errorf("got %s", got)
	}
}
