package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
)

// keyVariable says what --key-file does.
const keyVariable = "LICET_KEY_FILE"

// openKey reads the keys of the directory, or those that --key-file says. They are made only in a directory, and for a store with nothing in it:
// another key in the place of one that is missing would open nothing, and what is brought from elsewhere must be there.
func (d dataDir) openKey(ctx context.Context, db store.DB, keyFile string) (*secret.Keyring, error) {
	path, apart, err := secret.Place(string(d))
	if keyFile != "" {
		path, err = filepath.Abs(keyFile)
		apart = path != d.path("key")
	}
	if err != nil {
		return nil, err
	}
	f, err := secret.ReadFile(path)
	if err == nil {
		return f.Keyring(), nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if apart {
		return nil, fmt.Errorf("the key file %s is not there; a mount may be missing. For a new store make it: head -c 32 /dev/urandom >%[1]s && chmod 600 %[1]s", path)
	}
	empty := false
	if err := db.View(ctx, func(r store.Reader) error {
		items, err := r.Scan("", "", 1)
		empty = len(items) == 0
		return err
	}); err != nil {
		return nil, fmt.Errorf("look whether the store is new: %w", err)
	}
	if !empty {
		return nil, fmt.Errorf("%s is not there, and the store is sealed with a key that it had: put the file back, or name its place with licet serve --key-file", path)
	}
	return secret.Load(path)
}

// firstKeyPlace is what $LICET_KEY_FILE says if the directory has no key yet: a command that makes a store seals it as the server will.
func (d dataDir) firstKeyPlace() (string, error) {
	for _, name := range []string{secret.PlaceFile, "key"} {
		if _, err := os.Stat(d.path(name)); !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return os.Getenv(keyVariable), nil
}

// setKeyPlace keeps what --key-file says, for the other commands and the next start.
func (d dataDir) setKeyPlace(keyFile string) error {
	path, err := filepath.Abs(keyFile)
	if err != nil {
		return fmt.Errorf("find --key-file: %w", err)
	}
	if path == d.path("key") {
		err = os.Remove(d.path(secret.PlaceFile))
		if err = errors.Join(ignoring(err, fs.ErrNotExist), syncDir(string(d))); err != nil { // or a loss of power would bring back the old place
			return fmt.Errorf("forget where the key was: %w", err)
		}
		return nil
	}
	if err := d.write(secret.PlaceFile, path+"\n"); err != nil {
		return fmt.Errorf("write where the key is: %w", err)
	}
	return nil
}

// ignoring is err, or nil if that is what it is.
func ignoring(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// unusedKey tells whether the directory has a key file besides the one that is kept apart from it.
func (d dataDir) unusedKey() (bool, error) {
	_, apart, err := secret.Place(string(d))
	if err != nil || !apart {
		return false, err
	}
	_, err = os.Lstat(d.path("key"))
	return err == nil, ignoring(err, fs.ErrNotExist)
}
