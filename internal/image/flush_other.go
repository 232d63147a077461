//go:build !linux

package image

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// flush returns when a directory, and all that is in it, is on the disk.
func flush(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}
