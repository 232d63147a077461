package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/licet/licet/internal/lockfile"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/tlscert"
)

// defaultAccount is the account of a server that has made no other (design.md, fixed choice 8).
const defaultAccount = "000000000000"

// dataDir is the folder that holds everything a server keeps.
type dataDir string

func (d dataDir) path(name string) string { return filepath.Join(string(d), name) }

// defaultDataDir is $XDG_DATA_HOME/licet or its usual place.
func defaultDataDir() string {
	if dir := os.Getenv("LICET_DATA"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "licet")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ".licet"
	}
	return filepath.Join(home, ".local", "share", "licet")
}

// create makes the folder durably, with those above it, if it is missing.
func (d dataDir) create() error {
	dir, err := filepath.Abs(string(d))
	var parents []string // of what is missing
	for at := dir; err == nil; at = filepath.Dir(at) {
		if _, err = os.Stat(at); errors.Is(err, fs.ErrNotExist) {
			parents, err = append(parents, filepath.Dir(at)), nil
			continue
		}
		break
	}
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	for _, parent := range parents {
		if err == nil {
			err = syncDir(parent)
		}
	}
	if err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	return nil
}

// syncDir makes the names in a folder durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// open makes the folder if it is missing and opens store and key, which must be that of the store. choice is what --store says, and remembered
// once the store is open; "" is what the directory remembers.
func (d dataDir) open(ctx context.Context, choice string) (store.DB, *secret.Keyring, error) {
	return d.openWith(ctx, choice, "")
}

// openWith is open with what --key-file says, which is remembered as well.
func (d dataDir) openWith(ctx context.Context, choice, keyFile string) (store.DB, *secret.Keyring, error) {
	if err := d.create(); err != nil {
		return nil, nil, err
	}
	place, err := d.choose(choice)
	if err != nil {
		return nil, nil, err
	}
	db, err := openStore(ctx, place)
	if err != nil {
		return nil, nil, err
	}
	keys, err := d.openKey(ctx, db, keyFile)
	if err == nil {
		err = checkKey(ctx, db, keys)
	}
	if err == nil && keyFile != "" {
		err = d.setKeyPlace(keyFile)
	}
	if err == nil && choice != "" {
		err = d.setPlace(choice)
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, keys, nil
}

// write replaces a file of the directory at once, whatever happens to the machine. It is for its owner alone.
func (d dataDir) write(name, text string) (err error) {
	tmp, err := os.CreateTemp(string(d), "."+name+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name()) // the error that matters is the first
		}
	}()
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), d.path(name)); err != nil {
		return err
	}
	return syncDir(string(d))
}

// leftover is a file of write, or of a key, that was not renamed before a crash.
var leftover = regexp.MustCompile(`^\.(?:blobstore|endpoint|endpoint-ca|key|keyfile|node|store)-[0-9]+$`)

// sweep removes what crashes left. Other commands write without the server's lock, but in much less than an hour.
func (d dataDir) sweep(now time.Time) error {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return fmt.Errorf("look for what a crash left: %w", err)
	}
	for _, e := range entries {
		if !leftover.MatchString(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err == nil && now.Sub(info.ModTime()) > time.Hour {
			err = os.Remove(d.path(e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what a crash left: %w", err)
		}
	}
	return nil
}

// nodeID is the name of the server of this directory among those that share a store. It is made at the first start, and stays.
func (d dataDir) nodeID() (string, error) {
	b, err := os.ReadFile(d.path("node"))
	if errors.Is(err, fs.ErrNotExist) {
		id := "n-" + strings.ToLower(rand.Text()[:13])
		if err := d.write("node", id+"\n"); err != nil {
			return "", fmt.Errorf("write node file: %w", err)
		}
		return id, nil
	}
	if err != nil {
		return "", fmt.Errorf("read node file: %w", err)
	}
	id := strings.TrimSpace(string(b))
	if !regexp.MustCompile(`^n-[a-z0-9]{13}$`).MatchString(id) {
		return "", fmt.Errorf("%s is not the name of a server", d.path("node"))
	}
	return id, nil
}

// errRunning means that another server holds the data directory.
var errRunning = errors.New("another licet server runs on this data directory")

// lock keeps a second server off the directory until release. The lock dies with the process.
func (d dataDir) lock() (release func() error, err error) {
	l, err := lockfile.Take(d.path("lock"))
	if errors.Is(err, lockfile.ErrHeld) {
		return nil, fmt.Errorf("%w: %s", errRunning, d)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no data directory %s", d)
	}
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	return l.Close, nil
}

// endpoint is the URL that the server on this directory announced last, or the default one.
func (d dataDir) endpoint() (string, error) {
	b, err := os.ReadFile(d.path("endpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return "http://" + defaultListen, nil
	}
	if err != nil {
		return "", fmt.Errorf("read endpoint file: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// authority is the file with the certificate authority of the server on this directory; "" for one that has none of its own.
func (d dataDir) authority() (string, error) {
	b, err := os.ReadFile(d.path("endpoint-ca"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read whether the server has a certificate authority: %w", err)
	}
	return filepath.Abs(d.path(strings.TrimSpace(string(b))))
}

// announce writes the URL for licet env, replacing the old one at once, and whether clients must be told to trust the server.
func (d dataDir) announce(url string, authority bool) error {
	if authority {
		if err := d.write("endpoint-ca", tlscert.CertificateFile+"\n"); err != nil {
			return fmt.Errorf("write endpoint file: %w", err)
		}
	} else if err := os.Remove(d.path("endpoint-ca")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove endpoint file: %w", err)
	}
	if err := d.write("endpoint", url+"\n"); err != nil {
		return fmt.Errorf("write endpoint file: %w", err)
	}
	return nil
}

// minimumFree is the space on the disk that functions' logs and events may not take: users, policies and decisions must still find room.
const minimumFree = 128 << 20

// roomIn gives a function that tells whether the disks of all directories have more than minimumFree left. When that cannot be found out,
// there is none.
func roomIn(dirs ...string) func() bool {
	return func() bool { return !slices.ContainsFunc(dirs, isFull) }
}

func isFull(dir string) bool {
	var s syscall.Statfs_t
	return syscall.Statfs(dir, &s) != nil || uint64(s.Bavail)*uint64(s.Bsize) <= minimumFree
}
