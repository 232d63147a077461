//go:build !linux

package postgrestest

import "syscall"

// diesWithParent does nothing where the system has no such thing.
func diesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
