package image

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// flush returns when all that was written to the file system of a directory is on the disk: one call, however many files there are.
func flush(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}
