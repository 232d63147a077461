package process

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/sandboxtest"
)

var conformance = sandboxtest.Config{New: func(t *testing.T, dir string) sandbox.Driver {
	d, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return d
}}

func TestConformance(t *testing.T) { sandboxtest.Run(t, conformance) }

func TestCrash(t *testing.T) { sandboxtest.Crash(t, "TestCrash", conformance) }

func TestHostPath(t *testing.T) {
	mounts := []sandbox.Mount{{Source: "/code", Target: "/var/task"}, {Source: "/lib", Target: "/var/task/lib"}}
	got := map[string]string{}
	want := map[string]string{
		"/var/task": "/code", "/var/task/a/b": "/code/a/b", "/var/task/lib/x": "/lib/x", "/var/tasks": "/var/tasks", "/usr/bin": "/usr/bin", "-c": "-c", "": "",
	}
	for path := range want {
		got[path] = hostPath(mounts, path)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func TestDirectoryHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	d, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if second, err := New(Config{Dir: dir}); err == nil {
		second.Close()
		t.Error("two drivers share a directory")
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d, err = New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
}

func FuzzHostPath(f *testing.F) {
	f.Add("/var/task", "/var/task/x")
	f.Add("/a", "/ab")
	f.Fuzz(func(t *testing.T, target, path string) {
		got := hostPath([]sandbox.Mount{{Source: "/source", Target: target}}, path)
		below := path == target || strings.HasPrefix(path, target+"/")
		if target == "" || !below {
			if got != path && target != "" {
				t.Errorf("%q is not at %q, got %q", path, target, got)
			}
			return
		}
		if want := "/source" + strings.TrimPrefix(path, target); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
