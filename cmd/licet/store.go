package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres"
	"github.com/licet/licet/internal/store/sqlite"
)

// embedded is the value of --store for the file in the data directory.
const embedded = "sqlite"

// openStore opens the store at place: the URL of a database, or else a file. To add an engine: one case.
func openStore(ctx context.Context, place string) (db store.DB, err error) {
	switch {
	case postgres.IsURL(place):
		db, err = postgres.Open(ctx, place)
	default:
		db, err = sqlite.Open(ctx, place)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return db, nil
}

// storeVariable says what --store does.
const storeVariable = "LICET_STORE"

// checkChoice refuses what --store cannot mean. It may hold a password, which is not in the error.
func checkChoice(text string) error {
	if text == "" || text == embedded || postgres.IsURL(text) {
		return nil
	}
	return errors.New("want a URL that begins with postgres://, or " + embedded)
}

// firstChoice is what $LICET_STORE says if the directory has no store yet: a command that makes one makes it where the server will look.
func (d dataDir) firstChoice() (string, error) {
	for _, name := range []string{storeFile, "licet.db"} {
		if _, err := os.Stat(d.path(name)); !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	text := os.Getenv(storeVariable)
	if err := checkChoice(text); err != nil {
		return "", fmt.Errorf("$%s: %w", storeVariable, err)
	}
	return text, nil
}

// storeFile in a data directory holds the URL of the store, with its password, for the other commands and the next start. Without it the
// store is the file licet.db.
const storeFile = "store"

// choose is where the store is that --store names; "": that of the directory.
func (d dataDir) choose(text string) (string, error) {
	switch text {
	case "":
		return d.place()
	case embedded:
		return d.path("licet.db"), nil
	}
	return text, nil
}

// place is where the store of the directory is.
func (d dataDir) place() (string, error) {
	b, err := os.ReadFile(d.path(storeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return d.choose(embedded)
	}
	if err != nil {
		return "", fmt.Errorf("read where the store is: %w", err)
	}
	text := strings.TrimSpace(string(b))
	if !postgres.IsURL(text) { // as a file's name it would be an empty store; what it says may be half a password
		return "", fmt.Errorf("%s does not hold the URL of a database: say with --store where the store is", d.path(storeFile))
	}
	return text, nil
}

// wantFile wants the store to be in the directory, for what knows only files.
func (d dataDir) wantFile() error {
	place, err := d.place()
	if err == nil && postgres.IsURL(place) {
		err = fmt.Errorf("the state of %s is in %s: back that up by the means of the database (licet store copy makes a file of it), and the rest of the directory as files",
			d, shownPlace(place))
	}
	if err != nil {
		return err
	}
	blobs, err := d.blobs()
	if err == nil && blobs != string(d) {
		err = fmt.Errorf("the blobs of %s are in %s: back that up by its own means (licet store copy copies the store), and the rest of the directory as files", d, blobs)
	}
	return err
}

// setPlace keeps what --store says: the URL of a database, or "sqlite".
func (d dataDir) setPlace(text string) error {
	if text == embedded {
		if err := os.Remove(d.path(storeFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget where the store was: %w", err)
		}
		if err := syncDir(string(d)); err != nil { // or a loss of power would bring back the old place
			return fmt.Errorf("forget where the store was: %w", err)
		}
		return nil
	}
	if err := d.write(storeFile, text+"\n"); err != nil {
		return fmt.Errorf("write where the store is: %w", err)
	}
	return nil
}

// shownPlace is a place without a password, for people.
func shownPlace(place string) string {
	if !postgres.IsURL(place) {
		return place
	}
	u, err := url.Parse(place)
	if err != nil {
		return "a PostgreSQL database"
	}
	q := u.Query()
	for _, secret := range []string{"password", "sslpassword"} {
		if q.Has(secret) {
			q.Set(secret, "xxxxx")
		}
	}
	u.RawQuery = q.Encode()
	return u.Redacted()
}
