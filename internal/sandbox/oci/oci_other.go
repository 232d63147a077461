//go:build !linux

package oci

import (
	"context"
	"errors"

	"github.com/licet/licet/internal/sandbox"
)

// errLinux is the one answer on other systems.
var errLinux = errors.New("the oci driver needs Linux: run the server in a Linux virtual machine, or choose --sandbox process, " +
	"which does not isolate")

// Driver cannot make sandboxes on this system.
type Driver struct{}

// New returns a driver whose Check explains.
func New(Config) (sandbox.Driver, error) { return &Driver{}, nil }

// Name is "oci".
func (*Driver) Name() string { return "oci" }

// Create fails.
func (*Driver) Create(context.Context, sandbox.Spec) (sandbox.Sandbox, error) { return nil, errLinux }

// Check says what to do.
func (*Driver) Check(context.Context) error { return errLinux }

// Close does nothing.
func (*Driver) Close() error { return nil }
