package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
)

// What a data directory has that is kept.
const (
	storeFile = "licet.db"
	// Blobs and Objects are folders of blobs: the code of functions and layers, the bytes of S3's objects.
	Blobs   = "blobs"
	Objects = "objects"
	images  = "images"
	// authorityKey is that of the certificate authority, which a server may have; written after the certificate.
	authorityKey = "ca-key.pem"
	authority    = "ca.pem"
)

// Facts are what only those know who use a store.
type Facts struct {
	// Needs gives the blobs that it needs, by their folders.
	Needs func(ctx context.Context, db store.DB) (map[string][]blob.Name, error)
	// Fits says why keys are not those of the store.
	Fits func(ctx context.Context, db store.DB, keys *secret.Keyring) error
}

// attempts is how often the store is taken again while blobs that it needs are removed at the same time.
const attempts = 5

// Save copies the data directory from to a new directory. A server may run on it.
func Save(ctx context.Context, from, to string, facts Facts) (Report, error) {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return Report{}, errors.Join(fmt.Errorf("%s is there already", to), err)
	}
	partial := to + ".partial"
	if err := os.RemoveAll(partial); err != nil { // what a Save before left that did not end
		return Report{}, fmt.Errorf("back up: %w", err)
	}
	report, err := save(ctx, from, partial, facts)
	if err == nil {
		err = commit(partial, to)
	}
	if err != nil {
		return report, errors.Join(fmt.Errorf("back up %s: %w", from, err), os.RemoveAll(partial))
	}
	return report, nil
}

func save(ctx context.Context, from, to string, facts Facts) (report Report, err error) {
	if err := os.Mkdir(to, 0o700); err != nil {
		return report, err
	}
	if err := copyKept(ctx, from, to); err != nil {
		return report, err
	}
	if err := copyAuthority(from, to); err != nil {
		return report, err
	}
	target := filepath.Join(to, storeFile)
	for range attempts {
		if err := removeStore(target); err != nil {
			return report, err
		}
		if err := sqlite.Backup(ctx, filepath.Join(from, storeFile), target); err != nil {
			return report, err
		}
		// After the store, which may have been sealed with another key meanwhile.
		if err := copyKey(from, to); err != nil {
			return report, err
		}
		if err := copyKept(ctx, from, to); err != nil {
			return report, err
		}
		if report, err = Check(ctx, to, facts); err != nil || report.OK() {
			return report, err
		}
		select { // what is missing, or the key, was removed after the store was taken: the next one will not need it
		case <-ctx.Done():
			return report, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return report, fmt.Errorf("the copy is not whole: %s", report.Problems[0])
}

// Restore makes a data directory, which must not be there, of a backup.
func Restore(ctx context.Context, from, to string, facts Facts) (Report, error) {
	report, err := Check(ctx, from, facts)
	if err == nil && !report.OK() {
		err = fmt.Errorf("it is not whole: %s", report.Problems[0])
	}
	if err != nil {
		return report, fmt.Errorf("restore %s: %w", from, err)
	}
	return Save(ctx, from, to, facts)
}

// removeStore removes a store with what SQLite keeps beside it.
func removeStore(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// commit gives what is whole its name.
func commit(partial, to string) error {
	err := filepath.WalkDir(partial, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncDir(path)
	})
	if err != nil {
		return err
	}
	if err := os.Rename(partial, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// copyKept copies what is not there yet of the folders that are kept. What is in them is never changed.
func copyKept(ctx context.Context, from, to string) error {
	for _, folder := range []string{Blobs, Objects} {
		if _, err := copyTree(ctx, filepath.Join(from, folder), filepath.Join(to, folder)); err != nil {
			return err
		}
	}
	return copyImages(ctx, filepath.Join(from, images), filepath.Join(to, images))
}

// copyKey copies the key file, or where it is if that is not in the directory: who keeps them apart does not want them together in a backup.
func copyKey(from, to string) error {
	path, apart, err := secret.Place(from)
	switch {
	case err != nil:
		return err
	case apart:
		return copyFile(filepath.Join(from, secret.PlaceFile), filepath.Join(to, secret.PlaceFile), 0o600)
	}
	return copyFile(path, filepath.Join(to, filepath.Base(path)), 0o600)
}

// copyAuthority copies the certificate authority, which clients were told to trust.
func copyAuthority(from, to string) error {
	if _, err := os.Stat(filepath.Join(from, authorityKey)); err != nil {
		if errors.Is(err, fs.ErrNotExist) { // there is none
			return nil
		}
		return err
	}
	return errors.Join(
		copyFile(filepath.Join(from, authority), filepath.Join(to, authority), 0o644),
		copyFile(filepath.Join(from, authorityKey), filepath.Join(to, authorityKey), 0o600),
	)
}
