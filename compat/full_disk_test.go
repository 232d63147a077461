//go:build linux

package compat

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// TestFullDisk: on a disk without room changes fail with a fault of the server, decisions and functions go on, nothing that was acknowledged is lost, and
// all is well when there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if database != nil {
		t.Skip("the servers of this run have no file that could fill a disk")
	}
	if os.Getuid() != 0 {
		t.Skip("a disk of its own needs root")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=400m"); err != nil {
		t.Skipf("a disk of its own cannot be had: %v", err)
	}
	t.Cleanup(func() { // after the server has ended
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	l := &licet{binary: server.binary, data: filepath.Join(disk, "data")}
	l.start(t)
	ctx, root := t.Context(), l.as(l.root)
	create := func(name string) error {
		_, err := root.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}, func(o *iam.Options) { o.RetryMaxAttempts = 1 })
		return err
	}
	get := func(name string) error {
		_, err := root.iam.GetUser(ctx, &iam.GetUserInput{UserName: &name})
		return err
	}
	f := l.newFunction(t, echo)
	p := l.newUser(t, allow("lambda:InvokeFunction", "*"))
	if err := errors.Join(create("before"), second(p.invoke(t, f.name, `"1"`))); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	if err := create("during"); !isServerFault(err) {
		t.Errorf("a change on a full disk: got %v", err)
	}
	if _, err := root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, InvocationType: types.InvocationTypeEvent},
		func(o *lambda.Options) { o.RetryMaxAttempts = 1 }); !isServerFault(err) {
		t.Errorf("an event on a full disk: got %v", err)
	}
	if got, err := p.invoke(t, f.name, `"2"`); got != `"2"` || get("before") != nil {
		t.Errorf("reads and functions on a full disk: got %s, %v, %v", got, err, get("before"))
	}
	if _, err := p.iam.ListUsers(ctx, nil); isServerFault(err) || err == nil {
		t.Errorf("a decision on a full disk: got %v", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if !eventually(t, func() bool { return create("after") == nil }) {
		t.Fatal("changes fail although there is room")
	}
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-l.ended
	l.start(t)
	root = l.as(l.root)
	for name, want := range map[string]bool{"before": true, "after": true, "during": false} {
		if err := get(name); (err == nil) != want {
			t.Errorf("%s, after the next start: %v", name, err)
		}
	}
}

// fill takes the room of a disk.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; { // the last bytes, too
		if _, err = f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// isServerFault tells a 500 from other answers.
func isServerFault(err error) bool {
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	var api smithy.APIError
	return ok && response.HTTPStatusCode() == http.StatusInternalServerError && errors.As(err, &api)
}
