//go:build linux

package oci

import (
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/linux"
)

// New makes a driver, after it has removed what a crashed server left. Its errors tell a person what is missing.
func New(c Config) (sandbox.Driver, error) {
	l, err := findRuntime(c.Runtime)
	if err != nil {
		return nil, err
	}
	return linux.New(linux.Config{Dir: c.Dir, CgroupParent: c.CgroupParent, WithoutUsers: c.WithoutUsers, Launcher: l})
}

// launcher is how an OCI runtime is called.
type launcher struct {
	path string
	// global options that make it leave cgroups alone.
	options []string
}

// findRuntime finds crun or runc, or what was asked for.
func findRuntime(name string) (*launcher, error) {
	names := []string{name}
	if name == "" {
		names = []string{"crun", "runc"}
	}
	for _, n := range names {
		path, err := exec.LookPath(n)
		if err != nil {
			continue
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, fmt.Errorf("find OCI runtime: %v", err)
		}
		if filepath.Base(path) == "crun" {
			return &launcher{path, []string{"--cgroup-manager=disabled"}}, nil
		}
		// runc's word for "do without cgroups where they cannot be written".
		return &launcher{path, []string{"--rootless=true"}}, nil
	}
	return nil, fmt.Errorf("there is no OCI runtime (looked for %q): install one (Debian, Ubuntu: apt-get install crun; "+
		"Fedora: dnf install crun), or choose --sandbox native, or --sandbox process, which does not isolate", names)
}

// Name is "oci".
func (*launcher) Name() string { return "oci" }

// Close does nothing.
func (*launcher) Close() error { return nil }

// Open takes nothing: each process has a container of its own.
func (l *launcher) Open(g *linux.Ground) (linux.Starter, error) {
	return &starter{launcher: l, ground: g}, nil
}
