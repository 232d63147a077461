package compat

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// run runs a command of the binary that needs no server.
func (l *licet) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), l.binary, args...).CombinedOutput()
	return string(out), err
}

// TestBackup copies a data directory while clients change it, and starts a server on the copy: what was there before the backup began is there,
// and runs. A damaged copy is found to be so, and is not restored.
func TestBackup(t *testing.T) {
	t.Parallel()
	if database != nil {
		t.Skip("the servers of this run have no file to copy")
	}
	l, ctx := newServer(t), t.Context()
	root, objects := l.as(l.root), l.s3Of(l.root)
	bucket := newBucket(t, objects)
	layer := must(root.lambda.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{
		LayerName: aws.String("l"), Content: &types.LayerVersionContentInput{ZipFile: archive(t, file{name: "python/extra.py", text: "said = 'by a layer'\n"})},
	}))(t)
	f := l.newFunction(t, "import extra\ndef handler(event, context):\n    return extra.said\n", func(in *lambda.CreateFunctionInput) {
		in.Layers = []string{*layer.LayerVersionArn}
	})
	putObject(t, objects, bucket, "before", "kept")
	var stop atomic.Bool
	busy := make(chan error, 1)
	go func() { // objects come and go meanwhile, with bytes of their own
		var err error
		for n := 0; err == nil && !stop.Load(); n++ {
			key := fmt.Sprint("k", n%10)
			_, err = objects.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(fmt.Sprint(n))})
			if err == nil && n%3 == 0 {
				_, err = objects.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
			}
		}
		busy <- err
	}()
	copied := filepath.Join(t.TempDir(), "copy")
	out, err := l.run(t, "backup", "--data", l.data, copied)
	stop.Store(true)
	if workErr := <-busy; err != nil || workErr != nil {
		t.Fatalf("%v, %v: %s", err, workErr, out)
	}
	if out, err := l.run(t, "backup", "--data", l.data, copied); err == nil || !strings.Contains(out, "is there already") {
		t.Errorf("over a backup: %s, %v", out, err)
	}
	if out, err := l.run(t, "check", "--data", l.data); err == nil || !strings.Contains(out, "another licet server runs") {
		t.Errorf("checked beside a server: %s, %v", out, err)
	}

	restored := filepath.Join(t.TempDir(), "restored")
	if out, err := l.run(t, "restore", "--data", restored, copied); err != nil || !strings.Contains(out, "is whole") {
		t.Fatalf("%v: %s", err, out)
	}
	again := &licet{binary: l.binary, data: restored}
	if err := again.launch(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := again.stop(); err != nil {
			t.Error(err)
		}
	})
	if got, err := again.as(l.root).invoke(t, f.name, "{}"); err != nil || got != `"by a layer"` {
		t.Errorf("the function of the copy: %s, %v", got, err)
	}
	if got, err := getObject(ctx, again.s3Of(l.root), bucket, "before"); err != nil || got != "kept" {
		t.Errorf("the object of the copy: %q, %v", got, err)
	}

	// Each blob that is gone, or is another, is found.
	if out, err := l.run(t, "check", "--data", copied); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	blobs := must(filepath.Glob(filepath.Join(copied, "blobs", "*", "*")))(t)
	if len(blobs) != 2 {
		t.Fatalf("got blobs %q", blobs)
	}
	if err := os.WriteFile(blobs[0], []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(blobs[1]); err != nil {
		t.Fatal(err)
	}
	out, err = l.run(t, "check", "--data", copied)
	for i, want := range []string{" has another content than its name says.", " is missing."} {
		if name := filepath.Join("blobs", filepath.Base(blobs[i])); err == nil || !strings.Contains(out, name+want) {
			t.Errorf("got %s, %v, want %s%s", out, err, name, want)
		}
	}
	if out, err := l.run(t, "restore", "--data", filepath.Join(t.TempDir(), "x"), copied); err == nil || !strings.Contains(out, "it is not whole") {
		t.Errorf("a damaged copy was restored: %s, %v", out, err)
	}
	store := filepath.Join(copied, "licet.db")
	text := must(os.ReadFile(store))(t)
	if err := os.WriteFile(store, append(text[:len(text)/2], make([]byte, len(text)-len(text)/2)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := l.run(t, "check", "--data", copied); err == nil {
		t.Errorf("half of the store is zeros, and %s", out)
	}
}
