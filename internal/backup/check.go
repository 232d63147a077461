package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
)

// Report is what a check found.
type Report struct {
	// Store tells whether the store's file was read. A database has means of its own.
	Store bool
	// Blobs and Bytes count the blobs that were read.
	Blobs int
	Bytes int64
	// Needed counts those that the store needs.
	Needed int
	// Problems are sentences; none for a directory that is whole.
	Problems []string
}

// OK tells whether all is well.
func (r Report) OK() bool { return len(r.Problems) == 0 }

func (r *Report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Check reads all of a data directory: that the store is sound, that blobs have the content that their names say, that those are there which
// the store needs, and that there is its key. No server may run on it: what it removes meanwhile would be missed. The error is of a directory that
// cannot be read.
func Check(ctx context.Context, dir string, facts Facts) (report Report, err error) {
	if sound, err := report.checkStore(ctx, dir); err != nil || !sound {
		return report, err
	}
	there := make(map[string]map[blob.Name]bool)
	for _, folder := range []string{Blobs, Objects} {
		if there[folder], err = report.readBlobs(ctx, filepath.Join(dir, folder)); err != nil {
			return report, err
		}
	}
	db, err := sqlite.Open(ctx, filepath.Join(dir, storeFile))
	if err != nil {
		return report, err
	}
	report.checkKey(ctx, dir, db, facts)
	needed, err := facts.Needs(ctx, db)
	if err = errors.Join(err, db.Close()); err != nil {
		return report, err
	}
	report.compare(needed, there)
	return report, nil
}

// checkStore reads the store's file. One that is not sound cannot be opened.
func (r *Report) checkStore(ctx context.Context, dir string) (sound bool, err error) {
	problems, err := sqlite.Verify(ctx, filepath.Join(dir, storeFile))
	if err != nil {
		return false, err
	}
	r.Store = true
	for _, p := range problems {
		r.problem("The store: %s.", p)
	}
	return len(problems) == 0, nil
}

// checkKey reads the key, which must be the store's.
func (r *Report) checkKey(ctx context.Context, dir string, db store.DB, facts Facts) {
	path, _, err := secret.Place(dir)
	var key *secret.File
	if err == nil {
		key, err = secret.ReadFile(path)
	}
	if err == nil {
		err = facts.Fits(ctx, db, key.Keyring())
	}
	if err != nil {
		r.problem("There is no key that can be used: %v.", err)
	}
}

// compare tells which blobs are needed and not there.
func (r *Report) compare(needed map[string][]blob.Name, there map[string]map[blob.Name]bool) {
	for _, folder := range slices.Sorted(maps.Keys(needed)) {
		for _, name := range needed[folder] {
			r.Needed++
			if !there[folder][name] {
				r.problem("%s is missing.", filepath.Join(folder, string(name)))
			}
		}
	}
}

// readBlobs reads each blob of a folder, and gives those that are good.
func (r *Report) readBlobs(ctx context.Context, folder string) (map[blob.Name]bool, error) {
	good := make(map[blob.Name]bool)
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // of a server that has had none yet
			return nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil || d.IsDir() || temporary(d.Name()) {
			return err
		}
		sum, size, err := sumOf(path)
		if err != nil {
			return err
		}
		r.Blobs, r.Bytes = r.Blobs+1, r.Bytes+size
		if sum != d.Name() {
			r.problem("%s has another content than its name says.", filepath.Join(filepath.Base(folder), d.Name()))
			return nil
		}
		good[blob.Name(sum)] = true
		return nil
	})
	return good, err
}

func sumOf(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close() // only reads
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
