package compat

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// sampled is what a client knows of a stored data directory: sample.json beside it. The credentials are of no other server.
type sampled struct {
	Root, User              aws.Credentials
	Function, Bucket, Queue string
}

// TestDataDirectories opens whole data directories as the first release with each format of the store has left them, when it was stopped: all that clients
// knew of them is there and works. LICET_SAMPLE=FILE makes one of today's, for a new format; none is ever made again.
func TestDataDirectories(t *testing.T) {
	if database != nil {
		t.Skip("the servers of this run have no file for a store")
	}
	if to := os.Getenv("LICET_SAMPLE"); to != "" {
		makeSample(t, to)
		return
	}
	formats := must(filepath.Glob("../internal/store/sqlite/testdata/format-*.db"))(t)
	if len(formats) == 0 {
		t.Fatal("there are no formats")
	}
	for n := 1; n <= len(formats); n++ {
		t.Run(fmt.Sprint("format ", n), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			unpackSample(t, fmt.Sprintf("testdata/data-%d.tar.gz", n), dir)
			var s sampled
			if err := json.Unmarshal(must(os.ReadFile(filepath.Join(dir, "sample.json")))(t), &s); err != nil {
				t.Fatal(err)
			}
			l := &licet{binary: server.binary, data: filepath.Join(dir, "data")}
			if out, err := l.run(t, "check", "--data", l.data); err != nil {
				t.Errorf("before the start: %v: %s", err, out)
			}
			l.start(t)
			l.hasSampled(t, s)
			l.end(t)
			if out, err := l.run(t, "check", "--data", l.data); err != nil {
				t.Errorf("in the end: %v: %s", err, out)
			}
		})
	}
}

// hasSampled looks for all that a client knows, and changes something.
func (l *licet) hasSampled(t *testing.T, s sampled) {
	t.Helper()
	ctx, user := t.Context(), l.as(s.User)
	if l.root.AccessKeyID != s.Root.AccessKeyID || l.root.SecretAccessKey != s.Root.SecretAccessKey {
		t.Errorf("the root has another key")
	}
	for _, name := range []string{s.Function, s.Function + ":1", s.Function + ":live"} {
		if got, err := user.invoke(t, name, "{}"); err != nil || got != `"by a layer"` {
			t.Errorf("function %s: %s, %v", name, got, err)
		}
	}
	if _, err := user.iam.ListUsers(ctx, nil); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("what the user may not do: %v", err)
	}
	if got, err := getObject(ctx, l.s3Of(s.Root), s.Bucket, "kept"); err != nil || got != "an object" {
		t.Errorf("the object: %q, %v", got, err)
	}
	if _, err := l.as(s.Root).sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &s.Queue, MessageBody: aws.String("a message")}); err != nil {
		t.Errorf("the queue: %v", err) // its messages are kept for 14 days at most
	}
	if got, err := l.newUser(t, allow("lambda:InvokeFunction", "*")).invoke(t, s.Function, "{}"); err != nil || got != `"by a layer"` {
		t.Errorf("a new user: %s, %v", got, err)
	}
}

// makeSample has a server of this code make what hasSampled looks for.
func makeSample(t *testing.T, to string) {
	t.Helper()
	l, ctx := newServer(t), t.Context()
	root, objects := l.as(l.root), l.s3Of(l.root)
	layer := must(root.lambda.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{
		LayerName: aws.String("l"), Content: &types.LayerVersionContentInput{ZipFile: archive(t, file{name: "python/extra.py", text: "said = 'by a layer'\n"})},
	}))(t)
	f := l.newFunction(t, "import extra\ndef handler(event, context):\n    return extra.said\n", func(in *lambda.CreateFunctionInput) {
		in.Layers, in.Publish = []string{*layer.LayerVersionArn}, true
	})
	must(root.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &f.name, Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	bucket := newBucket(t, objects)
	putObject(t, objects, bucket, "kept", "an object")
	queue := must(root.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(unique("queue"))}))(t)
	s := sampled{Root: l.root, User: l.newUser(t, allow("lambda:InvokeFunction", "*")).credentials, Function: f.name, Bucket: bucket, Queue: *queue.QueueUrl}
	l.end(t)
	text := must(json.MarshalIndent(s, "", "\t"))(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(l.data), "sample.json"), append(text, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	packSample(t, to, filepath.Dir(l.data))
}

// packSample writes an archive of sample.json and of the data directory, but for what a server makes anew.
func packSample(t *testing.T, to, dir string) {
	t.Helper()
	f := must(os.Create(to))(t)
	z := must(gzip.NewWriterLevel(f, gzip.BestCompression))(t)
	w := tar.NewWriter(z)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, dir+"/")
		if err == nil && (name == "data/runtimes" || name == "data/code" || name == "data/images") {
			return fs.SkipDir
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		return errors.Join(err, w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text))}), second(w.Write(text)))
	})
	if err = errors.Join(err, w.Close(), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func unpackSample(t *testing.T, from, dir string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatalf("%v\nA new format needs a sample: see TestDataDirectories.", err)
	}
	defer f.Close()
	for r := tar.NewReader(must(gzip.NewReader(f))(t)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		text, path := must(io.ReadAll(r))(t), filepath.Join(dir, h.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
