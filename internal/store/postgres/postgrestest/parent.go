//go:build linux

package postgrestest

import "syscall"

// diesWithParent ends a process with the one that started it: prctl(2), PR_SET_PDEATHSIG. SIGQUIT is PostgreSQL's immediate shutdown.
func diesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT} }
