// Package lockfile lets one process at a time use a folder.
//
// The lock is that of fcntl(2), which ends with the process that has it. One of flock(2) belongs to the open file: a process that a
// server was about to start when it was killed has it a little longer, and the next server could not begin.
package lockfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// ErrHeld says that the lock is another process's, or is taken in this one.
var ErrHeld = errors.New("locked")

// taken has the names of this process's locks, which the kernel would give it again, and release with the first file that is closed.
var taken sync.Map

// Lock is one that is held until Close.
type Lock struct {
	file *os.File
	name string
}

var _ io.Closer = (*Lock)(nil)

// Take locks the file of that name, which is made if it is missing. The error is ErrHeld when another has it.
func Take(name string) (*Lock, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("find lock file: %w", err)
	}
	if _, held := taken.LoadOrStore(name, true); held {
		return nil, ErrHeld
	}
	file, err := lock(name)
	if err != nil {
		taken.Delete(name)
		return nil, err
	}
	return &Lock{file, name}, nil
}

func lock(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	err = syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK})
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) { // either, by POSIX
		err = ErrHeld
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Close gives the lock back.
func (l *Lock) Close() error {
	err := l.file.Close()
	taken.Delete(l.name)
	return err
}
