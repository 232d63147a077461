package osthread

import "golang.org/x/sys/unix"

// isMain says whether the caller is on the process's first thread.
func isMain() bool { return unix.Gettid() == unix.Getpid() }
