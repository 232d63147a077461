package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
)

// Folder is a folder of blobs, wherever it is.
type Folder interface {
	// Names gives the names of all blobs.
	Names(ctx context.Context) iter.Seq2[blob.Name, error]
	// Open reads a blob, or returns blob.ErrNotFound, or blob.ErrDamaged.
	Open(ctx context.Context, name blob.Name) (io.ReadSeekCloser, error)
}

// CheckElsewhere is Check for a data directory whose blobs are in the folders given, by the names that the store has for them, and whose state is in
// db, if it is not nil. Other servers may use both: a blob is missing only if it was needed before and after all were read.
func CheckElsewhere(ctx context.Context, dir string, db store.DB, folders map[string]Folder, facts Facts) (report Report, result error) {
	if db == nil {
		if sound, err := report.checkStore(ctx, dir); err != nil || !sound {
			return report, err
		}
		file, err := sqlite.Open(ctx, filepath.Join(dir, storeFile))
		if err != nil {
			return report, err
		}
		defer func() { result = errors.Join(result, file.Close()) }()
		db = file
	}
	report.checkKey(ctx, dir, db, facts)
	before, err := facts.Needs(ctx, db)
	if err != nil {
		return report, err
	}
	there := make(map[string]map[blob.Name]bool)
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		if there[name], err = report.readFolder(ctx, name, folders[name]); err != nil {
			return report, err
		}
	}
	needed, err := facts.Needs(ctx, db)
	if err != nil {
		return report, err
	}
	for folder, names := range needed {
		was := make(map[blob.Name]bool)
		for _, name := range before[folder] {
			was[name] = true
		}
		needed[folder] = slices.DeleteFunc(names, func(name blob.Name) bool { return !was[name] })
	}
	report.compare(needed, there)
	return report, nil
}

// readFolder reads each blob of a folder, and gives those that are good.
func (r *Report) readFolder(ctx context.Context, name string, f Folder) (map[blob.Name]bool, error) {
	good := make(map[blob.Name]bool)
	for b, err := range f.Names(ctx) {
		if err != nil {
			return nil, err
		}
		size, err := verify(ctx, f, b)
		switch {
		case errors.Is(err, blob.ErrNotFound): // it was removed just now
			continue
		case errors.Is(err, blob.ErrDamaged):
			r.problem("%s has another content than its name says.", filepath.Join(name, string(b)))
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", filepath.Join(name, string(b)), err)
		default:
			good[b] = true
		}
		r.Blobs, r.Bytes = r.Blobs+1, r.Bytes+size
	}
	return good, nil
}

// verify reads a blob.
func verify(ctx context.Context, f Folder, name blob.Name) (size int64, err error) {
	content, err := f.Open(ctx, name)
	if err != nil {
		return 0, err
	}
	defer content.Close() // only reads
	h := sha256.New()
	if size, err = io.Copy(h, content); err != nil {
		return size, err
	}
	if hex.EncodeToString(h.Sum(nil)) != string(name) {
		return size, blob.ErrDamaged
	}
	return size, nil
}
