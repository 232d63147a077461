package backup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// copyTree copies the files and links of a tree that are not there yet. What is removed meanwhile is passed over; whole tells that nothing was.
// So is a blob that is not whole yet.
func copyTree(ctx context.Context, from, to string) (whole bool, err error) {
	whole = true
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && !(temporary(d.Name()) && filepath.Dir(path) == from) {
			err = copyEntry(path, filepath.Join(to, path[len(from):]), d)
		}
		if errors.Is(err, fs.ErrNotExist) {
			whole = false
			return nil
		}
		return err
	})
	return whole, err
}

// unfinished begins the names of images that are being made, or removed.
const unfinished = ".unpack-"

// copyImages copies the images that are not there yet, each with another name until it is whole: a server takes one with its own name for whole.
func copyImages(ctx context.Context, from, to string) error {
	entries, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) { // of a server that has had none yet
		return nil
	}
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		target, partial := filepath.Join(to, e.Name()), filepath.Join(to, unfinished+e.Name())
		if _, err := os.Lstat(target); err == nil || strings.HasPrefix(e.Name(), unfinished) {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		whole, err := copyTree(ctx, filepath.Join(from, e.Name()), partial)
		switch {
		case err != nil:
			return err
		case whole:
			err = os.Rename(partial, target)
		default:
			err = os.RemoveAll(partial)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func copyEntry(from, to string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return errors.Join(os.MkdirAll(to, 0o700), os.Chmod(to, mode.Perm()|0o700)) // whatever the umask
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		if err = os.Symlink(target, to); errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	case mode.IsRegular():
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := copyFile(from, to, mode.Perm()); err != nil {
			return err
		}
		return os.Chtimes(to, info.ModTime(), info.ModTime()) // by which Python knows whether what it compiled is current
	}
	return nil
}

// temporary tells blobs that have another name until they are whole.
func temporary(name string) bool { return strings.HasPrefix(name, "put-") }

// copyFile copies a file by another name first: one with its own name is whole, and on the disk.
func copyFile(from, to string, mode fs.FileMode) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() // only reads
	out, err := os.CreateTemp(filepath.Dir(to), "put-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(out.Name()) // the error that matters is the first
		}
	}()
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Chmod(mode), out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
