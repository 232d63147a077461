package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/licet/licet/internal/blob/disk"
)

// The blob stores of a server: folders of the place where blobs are.
const (
	codeBlobs   = "blobs"
	objectBlobs = "objects"
)

// blobsFile in a data directory says where the blobs are, for the other commands and the next start. Without it they are in the directory.
const blobsFile = "blobstore"

// blobs is the folder that has the blobs of the directory.
func (d dataDir) blobs() (string, error) {
	b, err := os.ReadFile(d.path(blobsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return string(d), nil
	}
	if err != nil {
		return "", fmt.Errorf("read where the blobs are: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// setBlobs keeps what --blobs says.
func (d dataDir) setBlobs(place string) error {
	place, err := filepath.Abs(place)
	if err != nil {
		return fmt.Errorf("find --blobs: %w", err)
	}
	if info, err := os.Stat(place); err != nil {
		return fmt.Errorf("--blobs: %w", err) // a mount that is missing must not be taken for a new place
	} else if !info.IsDir() {
		return fmt.Errorf("--blobs: %s is not a directory", place)
	}
	if err := d.movedTo(place); err != nil {
		return err
	}
	if err := d.write(blobsFile, place+"\n"); err != nil {
		return fmt.Errorf("write where the blobs are: %w", err)
	}
	return nil
}

// movedTo refuses a place that lacks what the directory has: functions would have lost their code.
func (d dataDir) movedTo(place string) error {
	before, err := d.blobs()
	if err != nil || before == place {
		return err
	}
	for _, name := range []string{codeBlobs, objectBlobs} {
		had, err := os.ReadDir(filepath.Join(before, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look for blobs: %w", err)
		}
		if _, err := os.Stat(filepath.Join(place, name)); len(had) > 0 && errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--blobs: %s has no %s, and %s has: copy them first, with cp -a", place, name, before)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--blobs: %w", err)
		}
	}
	return nil
}

// openBlobs opens one of the blob stores.
func (d dataDir) openBlobs(name string) (*disk.Store, error) {
	place, err := d.blobs()
	if err != nil {
		return nil, err
	}
	s, err := disk.Open(filepath.Join(place, name))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return s, nil
}
